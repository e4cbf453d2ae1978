//! Finds the proxy that the environment names for an address: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` and
//! their lower-case forms, as every other tool reads them. This machine is never reached through one.

use super::secrets::is_loopback;
use crate::measure::net::Proxy;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// The proxy for an address, where there is one.
pub fn of(url: &Url) -> Option<Proxy> {
    if is_loopback(url) {
        return None;
    }
    let found = Matcher::from_env().intercept(&url.as_str().parse().ok()?)?;
    let authorization = found.basic_auth().cloned().map(|mut value| {
        value.set_sensitive(true);
        value
    });
    Some(Proxy { url: found.uri().to_string(), authorization })
}
