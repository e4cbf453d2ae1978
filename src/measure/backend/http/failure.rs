//! What went wrong with an attempt, and what that means for the run.

use crate::measure::event::{Fault, FaultKind};
use crate::measure::net::{NoAnswer, chain};
use crate::measure::provider_error::{clip, error_of, is_transient, provider_fault};
use crate::measure::retry::Advice;
use std::error::Error as _;

/// A failure, what it means for the run, and whether it was only a reused connection that had
/// been closed before any byte of an answer came.
pub(super) struct Failure(pub(super) Fault, pub(super) Advice, pub(super) bool);

impl Failure {
    pub(super) fn new(kind: FaultKind, message: impl Into<String>, advice: Advice) -> Self {
        Self(Fault { kind, message: message.into() }, advice, false)
    }
}

/// Strict privacy was promised, and this answer did not come from this machine.
pub(super) fn elsewhere(how: &str) -> Failure {
    let message = format!(
        "privacy is strict and this server does not generate the answers itself: {how}. Nothing more is sent to it"
    );
    Failure::new(FaultKind::Privacy, message, Advice::Provider)
}

/// What an error inside a 200 stream means for the run.
pub(super) fn after_fault(fault: &Fault, content: bool) -> Advice {
    match fault.kind {
        FaultKind::Auth | FaultKind::Quota | FaultKind::Region | FaultKind::NotFound => Advice::Provider,
        FaultKind::ProviderError if !content => {
            let label = fault.message.split(':').next().unwrap_or_default();
            if is_transient(label) { Advice::Retry(None) } else { Advice::Sample }
        }
        _ => Advice::Sample,
    }
}

pub(super) fn not_a_stream(body: &str) -> Failure {
    let body = body.trim();
    let message = if body.starts_with('<') {
        "the server answered with a web page instead of a stream: check the base URL (it usually ends in /v1)"
            .to_owned()
    } else {
        match serde_json::from_str::<serde_json::Value>(body)
            .ok()
            .filter(|v| !std::ptr::eq(error_of(v), v))
            .map(|v| provider_fault(error_of(&v)))
        {
            Some(fault) => {
                format!("the server answered with an error instead of a stream: {}", fault.message)
            }
            None => format!("the server answered without streaming: {}", clip(body)),
        }
    };
    Failure::new(FaultKind::NotAStream, message, Advice::Provider)
}

/// No answer at all: name resolution, connection, TLS, or a connection that was closed.
pub(super) fn send_failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let (io, tls) = causes(&error);
    let text = chain(&error);
    if let Some(tls) = tls {
        let hint = if matches!(tls, rustls::Error::InvalidMessage(_)) {
            ". The server may not speak TLS on this port: an http:// URL is accepted for this machine only"
        } else {
            ""
        };
        return Failure::new(FaultKind::Tls, format!("no secure connection: {tls}{hint}"), Advice::Provider);
    }
    if error.is_dns() {
        let again = is_no_answer(&error) || text.contains("emporary failure") || text.contains("try again");
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
    // The HTTP library's own limit on headers, known by its words only.
    if text.contains("head is too large") {
        return Failure::new(FaultKind::TooLarge, "the headers of the answer have no end", Advice::Provider);
    }
    Failure::new(
        FaultKind::Empty,
        format!("the connection ended before an answer came: {text}"),
        Advice::Retry(None),
    )
}

fn is_no_answer(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(e) = cause {
        if e.is::<NoAnswer>() {
            return true;
        }
        cause = e.source();
    }
    false
}

/// The I/O error kind and the TLS error behind an error, where there are such.
fn causes(error: &reqwest::Error) -> (Option<std::io::ErrorKind>, Option<rustls::Error>) {
    let (mut io, mut tls) = (None, None);
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(e) = cause {
        tls = tls.or_else(|| e.downcast_ref::<rustls::Error>().cloned());
        // An I/O error hides what it wraps from `source`, and may wrap another one.
        cause = match e.downcast_ref::<std::io::Error>() {
            Some(e) => {
                io = Some(e.kind());
                e.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static))
            }
            None => e.source(),
        };
    }
    (io, tls)
}
