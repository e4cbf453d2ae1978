//! Which addresses may be asked, and how they are shown in errors.

use crate::measure::event::{Fault, FaultKind};
use crate::measure::text::one_line;
use reqwest::Url;
use std::path::Path;

/// Refuses addresses without encryption, except on this machine.
pub(super) fn check_scheme(url: &Url) -> Result<(), Fault> {
    let loopback = url.host_str().is_some_and(|host| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    });
    if url.scheme() == "https" || (url.scheme() == "http" && loopback) {
        return Ok(());
    }
    Err(model_fault(format!(
        "a model is only fetched over https://, not from {}",
        one_line(&origin(url), 120)
    )))
}

/// The only part of a URL that is shown: scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

pub(super) fn model_fault(message: impl Into<String>) -> Fault {
    Fault { kind: FaultKind::Model, message: message.into() }
}

/// Makes the folder of a file if it is not there.
pub(super) fn make_folder(file: &Path) -> Result<(), Fault> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|e| model_fault(format!("cannot make the folder {}: {e}", folder.display())))
}
