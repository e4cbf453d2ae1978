//! What may be asked of whom, and how it is said what went wrong.

use crate::measure::event::{Fault, FaultKind};
use crate::measure::text::one_line;
use reqwest::Url;
use std::path::Path;

/// Only this machine may be asked without encryption.
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

/// All of a URL that is shown.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

pub(super) fn model_fault(message: impl Into<String>) -> Fault {
    Fault { kind: FaultKind::Model, message: message.into() }
}

/// The folder of a file, made if need be.
pub(super) fn make_folder(file: &Path) -> Result<(), Fault> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|e| model_fault(format!("cannot make the folder {}: {e}", folder.display())))
}
