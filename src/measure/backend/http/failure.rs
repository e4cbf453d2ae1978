//! Failures of an attempt: what went wrong, and whether to try again.

use super::target::ApiTarget;
use crate::measure::event::{Fault, FaultKind};
use crate::measure::net::{NoAnswer, NotPrivate, Proxy, chain};
use crate::measure::provider_error::{self, Place, clip};
use crate::measure::retry::{Advice, Wait};
use crate::measure::wire::{LimitField, WireKind};
use std::error::Error as _;

/// A failure, and what may be tried again after it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    pub(super) advice: Advice,
    /// The only cause was a reused connection that the server had closed before any byte of an answer came:
    /// the request may be sent again.
    pub(super) resend: bool,
}

impl Failure {
    pub(super) fn of(fault: Fault, advice: Advice) -> Self {
        Self { fault, advice, resend: false }
    }
    pub(super) fn new(kind: FaultKind, message: impl Into<String>, advice: Advice) -> Self {
        Self::of(Fault { kind, message: message.into() }, advice)
    }
}

/// The failure under strict privacy where an answer did not come from this machine; `how` says what shows
/// it.
pub(super) fn elsewhere(how: &str) -> Failure {
    let message = format!(
        "privacy is strict and this server does not generate the answers itself: {how}. Nothing more is sent to it"
    );
    Failure::new(FaultKind::Privacy, message, Advice::Provider)
}

/// The failure that a body stands for which is no stream although its status says success.
pub(super) fn not_a_stream(body: &str) -> Failure {
    let body = body.trim();
    if body.starts_with('<') {
        return Failure::new(
            FaultKind::NotAStream,
            "the server answered with a web page instead of a stream: check the base URL (it usually ends in /v1)",
            Advice::Provider,
        );
    }
    let Some(said) = provider_error::in_body(body) else {
        let message = format!("the server answered without streaming: {}", clip(body));
        return Failure::new(FaultKind::NotAStream, message, Advice::Provider);
    };
    let message = format!("the server answered with an error instead of a stream: {}", said.message);
    // An error that is not known by its name or its words will be the same for the next prompt.
    if !provider_error::is_named(&said) {
        return Failure::new(FaultKind::NotAStream, message, Advice::Provider);
    }
    let (kind, _, advice) =
        provider_error::judge(Some(&said), Place::Stream { content: false }, Wait::Unsaid);
    Failure::new(kind, message, advice)
}

/// A refusal for want of a key where none was sent: says how to give one.
pub(super) fn refused_without_key(target: &ApiTarget, status: u16, fault: &Fault) -> Fault {
    let words = fault.message.split_once(": ").map_or(String::new(), |(_, words)| format!(" ({words})"));
    let where_to = match &target.key_variable {
        Some(name) => format!("set the environment variable {name}"),
        None => "name the environment variable that holds it with --api-key-env".to_owned(),
    };
    let message = format!("the server wants a key and none was sent (HTTP {status}): {where_to}{words}");
    Fault { kind: FaultKind::Auth, message }
}

/// Does the server refuse the field that limits the answer (`max_tokens`), by its name and not by its
/// value?
pub(super) fn refuses_limit_field(fault: &Fault, wire: WireKind, sent: LimitField) -> bool {
    const OF_A_NAME: &[&str] = &[
        "unsupported parameter",
        "not supported",
        "does not support",
        "unsupported_parameter",
        "unknown",
        "unrecognized",
        "unexpected",
        "extra",
        "not permitted",
        "not allowed",
        "additional propert",
        "instead",
        "deprecated",
        "invalid field",
        "invalid parameter",
    ];
    // A message about a limit that is too large names the field, too.
    const OF_A_VALUE: &[&str] = &["too large", "at most", "less than", "greater than", "maximum value"];
    let words = fault.message.to_ascii_lowercase();
    let says = |list: &[&str]| list.iter().any(|part| words.contains(part));
    wire == WireKind::OpenAiChat
        && fault.kind == FaultKind::Request
        && words.contains(sent.name())
        && says(OF_A_NAME)
        && !says(OF_A_VALUE)
}

/// Says what is wrong with a TLS connection, and what to do.
fn tls_words(error: &rustls::Error) -> String {
    use rustls::{CertificateError, Error};
    const OWN: &str = "; if the server is your own, put its certificate, or its authority's, into a file and name \
                       that in SSL_CERT_FILE";
    match error {
        Error::InvalidMessage(_) => format!(
            "{error}. The server may not speak TLS on this port: try http:// if it is on this machine or your own network"
        ),
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            format!("the server's certificate is from an authority that is not trusted here{OWN}")
        }
        Error::InvalidCertificate(CertificateError::Other(other))
            if other.to_string().contains("CaUsedAsEndEntity") =>
        {
            format!("the server's certificate is signed by itself alone and is not trusted here{OWN}")
        }
        Error::InvalidCertificate(CertificateError::NotValidForName) => {
            "the server's certificate is for another name than the address has; use the name that is in it"
                .to_owned()
        }
        other => other.to_string(),
    }
}

/// The failure where no answer came at all: name resolution, connection, TLS, a proxy, or a connection that
/// was closed.
pub(super) fn send_failure(error: reqwest::Error, proxy: Option<&Proxy>) -> Failure {
    let error = error.without_url();
    let (io, tls) = causes(&error);
    let text = chain(&error);
    if let Some(tls) = tls {
        return Failure::new(
            FaultKind::Tls,
            format!("no secure connection: {}", tls_words(&tls)),
            Advice::Provider,
        );
    }
    if let Some(refused) = find::<NotPrivate>(&error) {
        return Failure::new(FaultKind::ConnectDns, refused.to_string(), Advice::Provider);
    }
    if let Some(proxy) = proxy.filter(|_| error.is_connect() || error.is_dns()) {
        return proxy_failure(&text, proxy);
    }
    if error.is_dns() {
        let again = find::<NoAnswer>(&error).is_some()
            || text.contains("emporary failure")
            || text.contains("try again");
        let advice = if again { Advice::Retry(None) } else { Advice::Provider };
        return Failure::new(
            FaultKind::ConnectDns,
            format!("the host name cannot be resolved: {text}"),
            advice,
        );
    }
    let refused = io == Some(std::io::ErrorKind::ConnectionRefused);
    if error.is_connect() || refused {
        let kind = if error.is_timeout() || io == Some(std::io::ErrorKind::TimedOut) {
            FaultKind::ConnectTimeout
        } else {
            FaultKind::ConnectRefused
        };
        return Failure::new(kind, format!("no connection: {text}"), Advice::Retry(None));
    }
    if error.is_timeout() {
        return Failure::new(FaultKind::TimeoutFirst, text, Advice::Retry(None));
    }
    // The HTTP library's own limit on the size of headers, which only its wording tells.
    if text.contains("head is too large") {
        return Failure::new(FaultKind::TooLarge, "the headers of the answer have no end", Advice::Provider);
    }
    Failure::new(
        FaultKind::Empty,
        format!("the connection ended before an answer came: {text}"),
        Advice::Retry(None),
    )
}

/// The failure where the connection got no further than the proxy.
fn proxy_failure(text: &str, proxy: &Proxy) -> Failure {
    let Proxy { url, .. } = proxy;
    // The HTTP library's wording of what the proxy answered.
    let (message, advice) = if text.contains("authorization required") {
        let message = format!(
            "the proxy {url} wants a user name and a password: put them into its variable, as in http://user:password@host:port"
        );
        (message, Advice::Provider)
    } else if text.contains("unsuccessful") {
        (format!("the proxy {url} did not open a connection to the server: {text}"), Advice::Retry(None))
    } else {
        (format!("no connection through the proxy {url}: {text}"), Advice::Retry(None))
    };
    Failure::new(FaultKind::Proxy, message, advice)
}

/// The first cause of an error that is an `E`.
fn find<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(e) = cause {
        if let Some(found) = e.downcast_ref::<E>() {
            return Some(found);
        }
        cause = inner(e);
    }
    None
}

/// An I/O error hides what it wraps from `source`, and may wrap another one.
fn inner<'e>(e: &'e (dyn std::error::Error + 'static)) -> Option<&'e (dyn std::error::Error + 'static)> {
    match e.downcast_ref::<std::io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
        None => e.source(),
    }
}

/// The I/O error kind and the TLS error behind an error, where there are such.
fn causes(error: &reqwest::Error) -> (Option<std::io::ErrorKind>, Option<rustls::Error>) {
    let (mut io, mut tls) = (None, None);
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(e) = cause {
        tls = tls.or_else(|| e.downcast_ref::<rustls::Error>().cloned());
        if let Some(e) = e.downcast_ref::<std::io::Error>() {
            io = Some(e.kind());
        }
        cause = inner(e);
    }
    (io, tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_name_is_told_from_a_refused_value() {
        let refused = |words: &str, sent| {
            let fault = Fault { kind: FaultKind::Request, message: words.to_owned() };
            refuses_limit_field(&fault, WireKind::OpenAiChat, sent)
        };
        for words in [
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "body, max_tokens: Extra inputs are not permitted",
            "Unrecognized request argument supplied: max_tokens",
            "unknown field `max_tokens`",
        ] {
            assert!(refused(words, LimitField::MaxTokens), "{words}");
        }
        for words in [
            "max_tokens is too large: 99999. This model supports at most 16384 completion tokens",
            "max_tokens must be less than 4096, unexpected value",
            "temperature is not supported",
        ] {
            assert!(!refused(words, LimitField::MaxTokens), "{words}");
        }
        assert!(!refused("unknown field `max_tokens`", LimitField::MaxCompletionTokens));
        assert!(refused("unknown field `max_completion_tokens`", LimitField::MaxCompletionTokens));
    }
}
