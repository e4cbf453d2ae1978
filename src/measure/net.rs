//! The one place where HTTP clients are made, for APIs, downloads and imports alike: no redirects,
//! no proxy but the one that the caller found and can record, names looked up with a deadline.

use reqwest::header::HeaderValue;
use reqwest::{ClientBuilder, Url, dns};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A proxy and what it wants to see.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Without user name and password.
    pub url: String,
    pub authorization: Option<HeaderValue>,
}

/// Which proxy the user's environment names for an address. Reading the environment is not
/// measuring's business: whoever starts a download brings this along.
pub type ProxyOf = fn(&Url) -> Option<Proxy>;

/// A client that reaches one address, through its proxy where it has one. `connect` bounds the
/// opening of a connection, and within it the look-up of the name.
pub fn builder(proxy: Option<&Proxy>, connect: Duration) -> reqwest::Result<ClientBuilder> {
    // A second installation fails, and then the first one is in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect)
        .user_agent(concat!("freehold/", env!("CARGO_PKG_VERSION")))
        // The caller knows which proxy there is.
        .no_proxy()
        // No resolver is asked for this machine's own name.
        .resolve_to_addrs("localhost", &HERE)
        .dns_resolver(Arc::new(Names { deadline: connect / 2 }));
    let Some(Proxy { url, authorization }) = proxy else { return Ok(builder) };
    let mut proxy = reqwest::Proxy::all(url)?;
    if let Some(value) = authorization {
        proxy = proxy.custom_http_auth(value.clone());
    }
    Ok(builder.proxy(proxy))
}

/// An error with its causes, each said once.
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
    // The last cause is the one that says something.
    parts.pop().unwrap_or_else(|| error.to_string())
}

/// This machine, on the port of the URL.
const HERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// The system's look-up of names. It cannot be broken off, so it has a thread of its own, which
/// neither the deadline nor the end of the program waits for.
struct Names {
    deadline: Duration,
}

impl dns::Resolve for Names {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let (host, deadline) = (name.as_str().to_owned(), self.deadline);
        Box::pin(async move {
            let (answer, found) = oneshot::channel();
            std::thread::Builder::new().name("names".to_owned()).spawn(move || {
                let found = (host.as_str(), 0).to_socket_addrs();
                let _ = answer.send(found);
            })?;
            let found = timeout(deadline, found).await.map_err(|_| NoAnswer(deadline))??;
            Ok(Box::new(found?) as dns::Addrs)
        })
    }
}

/// Nobody answers a question for a name.
#[derive(Debug)]
pub struct NoAnswer(Duration);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no name server answered within {} s", self.0.as_secs_f64())
    }
}

impl std::error::Error for NoAnswer {}
