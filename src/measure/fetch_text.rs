//! Fetches one text file from the network, for `db import URL`: no redirects, no credentials, limited in
//! size and time.

use super::net::{self, ProxyOf};
use std::time::Duration;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("`{0}` is not an https address (http is allowed for this machine only)")]
    Address(String),
    #[error("the address holds a user name or password; give one without")]
    Credentials,
    #[error("the server answered {0}, a redirect; give the address it leads to if you trust it")]
    Redirect(u16),
    #[error("the server answered {0}")]
    Status(u16),
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    #[error("the file is not UTF-8 text")]
    NotText,
    #[error("{0}")]
    Network(String),
}

/// Longest time for the whole fetch.
const DEADLINE: Duration = Duration::from_mins(1);

/// Fetch a text of at most `most` bytes.
pub fn text(address: &str, most: u64, proxy: ProxyOf) -> Result<String, FetchError> {
    let url = checked(address)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| FetchError::Network(e.to_string()))?;
    let bytes = runtime.block_on(body(url, most, proxy))?;
    String::from_utf8(bytes).map_err(|_| FetchError::NotText)
}

/// The address without the user name and password it may hold.
pub fn shown(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => address.to_owned(),
    }
}

fn checked(address: &str) -> Result<reqwest::Url, FetchError> {
    let refused = || FetchError::Address(shown(address));
    let url = reqwest::Url::parse(address).map_err(|_| refused())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Credentials);
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if url.scheme() == "https" || (url.scheme() == "http" && here) { Ok(url) } else { Err(refused()) }
}

async fn body(url: reqwest::Url, most: u64, proxy: ProxyOf) -> Result<Vec<u8>, FetchError> {
    let reach = net::Reach::anywhere(Duration::from_secs(10));
    let builder = net::builder(proxy(&url).as_ref(), reach).map_err(FetchError::Network)?;
    let client = builder.timeout(DEADLINE).build().map_err(network)?;
    let mut response = client.get(url).send().await.map_err(network)?;
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirect(status.as_u16()));
    }
    if !status.is_success() {
        return Err(FetchError::Status(status.as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(network)? {
        if bytes.len() as u64 + chunk.len() as u64 > most {
            return Err(FetchError::TooLarge(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn network(error: reqwest::Error) -> FetchError {
    FetchError::Network(net::chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    fn serve(answer: Vec<u8>) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        let address = listener.local_addr().expect("bound");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accepts");
            let _ = stream.read(&mut [0; 2048]);
            let _ = stream.write_all(&answer);
        });
        format!("http://{address}/prices.json")
    }

    #[test]
    fn only_data_over_a_safe_line() {
        for bad in ["http://example.org/x", "file:///etc/passwd", "ftp://localhost/x", "x"] {
            assert!(matches!(text(bad, 10, |_| None), Err(FetchError::Address(_))), "{bad}");
        }
        assert!(matches!(text("https://me:secret@localhost/x", 10, |_| None), Err(FetchError::Credentials)));
        assert_eq!(shown("https://me:se@cret@a.example/x?q=a@b"), "https://a.example/x?q=a@b");
        assert_eq!(shown("https://a.example/x@y"), "https://a.example/x@y");
    }

    #[test]
    fn a_small_file_arrives_a_large_one_is_cut_off() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_vec();
        assert_eq!(text(&serve(answer.clone()), 5, |_| None).expect("arrives"), "hello");
        assert!(matches!(text(&serve(answer), 4, |_| None), Err(FetchError::TooLarge(4))));
    }

    #[test]
    fn redirects_are_not_followed() {
        let answer =
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
        assert!(matches!(text(&serve(answer), 100, |_| None), Err(FetchError::Redirect(302))));
    }
}
