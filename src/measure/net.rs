//! Makes HTTP clients, for APIs, downloads and imports alike: no redirects, no proxy but the one that the
//! caller found and can record, names looked up with a deadline.

use reqwest::header::HeaderValue;
use reqwest::{ClientBuilder, Url, dns};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A proxy, and what it wants as authorization.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Its address, without user name and password.
    pub url: String,
    pub authorization: Option<HeaderValue>,
}

/// Finds the proxy that the user's environment names for an address. This room does not read the
/// environment: whoever starts a download passes this in.
pub type ProxyOf = fn(&Url) -> Option<Proxy>;

/// What a client may connect to.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Longest time to open a connection; half of it to look up the name.
    pub connect: Duration,
    /// Refuse names that resolve to a public address, since what is sent is not encrypted.
    pub private_only: bool,
    /// Only addresses without TLS are used, so that no certificates need to be read, which takes a while.
    pub plain: bool,
}

impl Reach {
    /// May connect anywhere, with or without TLS.
    pub const fn anywhere(connect: Duration) -> Self {
        Self { connect, private_only: false, plain: false }
    }
}

/// A builder for a client of one address, through its proxy where it has one. Fails where the system's
/// certificates or the proxy cannot be used.
pub fn builder(proxy: Option<&Proxy>, reach: Reach) -> Result<ClientBuilder, String> {
    // Installing it a second time fails, and the first one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Reach { connect, private_only, plain } = reach;
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect)
        .user_agent(concat!("freehold/", env!("CARGO_PKG_VERSION")))
        // The caller says which proxy to use.
        .no_proxy()
        // This machine's own name needs no resolver.
        .resolve_to_addrs("localhost", &HERE)
        .dns_resolver(Arc::new(Names { deadline: connect / 2, private_only }));
    let builder = if plain && proxy.is_none() {
        builder.tls_certs_only([])
    } else {
        builder.tls_backend_preconfigured(super::trust::config()?)
    };
    let Some(Proxy { url, authorization }) = proxy else { return Ok(builder) };
    let mut proxy = reqwest::Proxy::all(url).map_err(|e| chain(&e.without_url()))?;
    if let Some(value) = authorization {
        proxy = proxy.custom_http_auth(value.clone());
    }
    Ok(builder.proxy(proxy))
}

/// An error with its causes, each mentioned once.
pub fn chain(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut parts: Vec<String> = Vec::new();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(e) = cause {
        let text = e.to_string();
        if !parts.iter().any(|p| p.contains(&text)) {
            parts.push(text);
        }
        cause = e.source();
    }
    // The last cause is the telling one.
    parts.pop().unwrap_or_else(|| error.to_string())
}

/// This machine's addresses; the port is that of the URL.
const HERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// The system's look-up of names. It cannot be cancelled, so it runs on a thread of its own, for which
/// neither the deadline nor the end of the program waits.
struct Names {
    deadline: Duration,
    private_only: bool,
}

impl dns::Resolve for Names {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let (host, deadline, private_only) = (name.as_str().to_owned(), self.deadline, self.private_only);
        Box::pin(async move {
            let (answer, found) = oneshot::channel();
            let asked = host.clone();
            std::thread::Builder::new().name("names".to_owned()).spawn(move || {
                let found = (asked.as_str(), 0).to_socket_addrs();
                let _ = answer.send(found);
            })?;
            let found: Vec<SocketAddr> =
                timeout(deadline, found).await.map_err(|_| NoAnswer(deadline))???.collect();
            if private_only && let Some(public) = found.iter().find(|a| !is_private(a.ip())) {
                return Err(NotPrivate { host, address: public.ip() }.into());
            }
            Ok(Box::new(found.into_iter()) as dns::Addrs)
        })
    }
}

/// The look-up of a name got no answer in time.
#[derive(Debug)]
pub struct NoAnswer(Duration);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no name server answered within {} s", self.0.as_secs_f64())
    }
}

impl std::error::Error for NoAnswer {}

/// A name that should be in the user's own network but resolves to a public address.
#[derive(Debug)]
pub struct NotPrivate {
    host: String,
    address: IpAddr,
}

impl fmt::Display for NotPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, address } = self;
        write!(
            f,
            "{host} resolves to {address}, which is a public address: nothing is sent there over plain http"
        )
    }
}

impl std::error::Error for NotPrivate {}

/// Is an address this machine's own, or of a network that the internet does not route: RFC 1918, shared
/// and link-local addresses, and IPv6's unique local ones?
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        },
    }
}

/// Is a host of the user's own network, by its name or address alone? A name may still resolve to a
/// public address: a client with [`Reach::private_only`] refuses that.
pub fn is_private_host(host: &str) -> bool {
    const ENDINGS: &[&str] = &[
        ".local",
        ".lan",
        ".internal",
        ".home",
        ".home.arpa",
        ".intranet",
        ".corp",
        ".localdomain",
        ".localhost",
    ];
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => is_private(address),
        Err(_) => !host.is_empty() && (!host.contains('.') || ENDINGS.iter().any(|end| host.ends_with(end))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_ones_own_network_are_known() {
        for own in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.7",
            "169.254.10.1",
            "100.100.1.1",
            "127.0.0.1",
            "[::1]",
            "[fe80::1]",
            "[fd12::1]",
            "gpu-box",
            "gpu-box.local",
            "GPU.LAN",
            "host.docker.internal",
            "nas.home.arpa.",
            "localhost",
        ] {
            assert!(is_private_host(own), "{own}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "api.openai.com",
            "gpu.example.com",
            "[2606:4700::1]",
            "local.example",
            "",
        ] {
            assert!(!is_private_host(public), "{public}");
        }
    }
}
