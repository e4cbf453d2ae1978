//! Downloads one file over HTTP into the cache: resumable, limited in size, checked, and put in place only
//! when complete.
//!
//! Redirects are followed one by one, five at most, and the hub's token goes to the hub's own origin alone:
//! hubs redirect to a storage host, which must not see it.

use super::address::{check_scheme, make_folder, model_fault, origin};
use crate::measure::backend::local;
use crate::measure::event::{Fault, FaultKind};
use crate::measure::net::{self, ProxyOf};
use crate::measure::text::one_line;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Called with the bytes that are there, and the bytes in all where the server says.
pub type Progress<'a> = &'a mut dyn FnMut(u64, Option<u64>);

const MAX_REDIRECTS: u32 = 5;
/// Attempts in a row that may fail without a byte gained.
const FRUITLESS: u32 = 4;
/// Longest time between two pieces of the file.
const IDLE: Duration = Duration::from_mins(1);

/// A file to fetch.
#[derive(Debug, Clone)]
pub struct Download {
    pub url: Url,
    /// Where the complete file goes; until then a `.part` lies beside it.
    pub path: PathBuf,
    /// The only origin that gets the token.
    pub hub: Url,
    pub token: Option<SecretString>,
    /// SHA-256 that the file must have, in hexadecimal, where it is known before.
    pub expected: Option<String>,
    pub max_bytes: u64,
    pub proxy: ProxyOf,
}

/// What went wrong, and whether another attempt may help.
enum Trouble {
    Final(Fault),
    Passing(Fault),
}

impl Trouble {
    fn model(message: impl Into<String>) -> Self {
        Self::Final(model_fault(message))
    }
    fn fault(self) -> Fault {
        let (Self::Final(fault) | Self::Passing(fault)) = self;
        fault
    }
}

impl Download {
    /// Downloads the file, continuing from what an earlier attempt left. Returns its SHA-256.
    pub async fn run(&self, progress: Progress<'_>) -> Result<String, Fault> {
        make_folder(&self.path)?;
        let mut part = Part::open(&self.path)?;
        let mut fruitless = 0;
        let mut announced = None;
        loop {
            let before = part.length;
            match self.attempt(&mut part, &mut announced, progress).await {
                Ok(()) => break,
                Err(Trouble::Final(fault)) => return Err(fault),
                Err(Trouble::Passing(fault)) => {
                    fruitless = if part.length > before { 0 } else { fruitless + 1 };
                    if fruitless == FRUITLESS {
                        return Err(Fault {
                            message: format!(
                                "{} (what came so far is kept; the next attempt goes on from there)",
                                fault.message
                            ),
                            ..fault
                        });
                    }
                    tokio::time::sleep(Duration::from_millis(200) * (1 << fruitless)).await;
                }
            }
        }
        part.file.sync_all().map_err(|e| part.failed(&e))?;
        let sum = local::sha256(&part.path, &mut |_| ())?;
        if let Some(expected) = self.expected.as_ref().or(announced.as_ref())
            && !sum.eq_ignore_ascii_case(expected)
        {
            part.discard();
            return Err(model_fault(format!(
                "the file from {} has the SHA-256 {sum}, but {expected} was expected; it was discarded",
                origin(&self.url)
            )));
        }
        part.finish(&self.path)?;
        Ok(sum)
    }

    /// One attempt: requests what is missing and appends it.
    async fn attempt(
        &self,
        part: &mut Part,
        announced: &mut Option<String>,
        progress: Progress<'_>,
    ) -> Result<(), Trouble> {
        let mut response = self.ask(part, announced).await?;
        let total = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (from, total) = content_range(response.headers())
                    .ok_or_else(|| Trouble::model("the server's answer names no range"))?;
                if from != part.length {
                    return Err(Trouble::model(
                        "the server answered with another range than it was asked for",
                    ));
                }
                total
            }
            StatusCode::OK => {
                part.restart().map_err(|e| Trouble::Final(part.failed(&e)))?;
                response.content_length()
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                // The part belongs to another file, or is complete already: begins again to be sure.
                part.restart().map_err(|e| Trouble::Final(part.failed(&e)))?;
                return Err(Trouble::Passing(model_fault("the server does not go on from an earlier part")));
            }
            _ => return Err(refusal(&response, &self.url)),
        };
        self.check_size(part, total)?;
        part.remember_version(response.headers());
        progress(part.length, total);
        while let Some(piece) = response.chunk().await.map_err(|e| Trouble::Passing(broken(&self.url, e)))? {
            if part.length + piece.len() as u64 > self.max_bytes.min(total.unwrap_or(u64::MAX)) {
                part.discard();
                return Err(Trouble::model("the server sends more than it announced"));
            }
            if part.length == 0 && !b"GGUF".starts_with(&piece[..piece.len().min(4)]) {
                part.discard();
                let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
                return Err(Trouble::model(no_model(&self.url, kind, &piece)));
            }
            part.append(&piece).map_err(|e| Trouble::Final(part.failed(&e)))?;
            progress(part.length, total);
        }
        match total {
            Some(total) if part.length < total => Err(Trouble::Passing(model_fault(format!(
                "the connection to {} ended early",
                origin(&self.url)
            )))),
            _ => Ok(()),
        }
    }

    /// Requests what is missing of a part.
    async fn ask(&self, part: &Part, announced: &mut Option<String>) -> Result<Response, Trouble> {
        let range = (part.length > 0).then(|| format!("bytes={}-", part.length));
        self.send(range, part.version.as_deref(), announced).await
    }

    /// Sends a request and follows redirects.
    async fn send(
        &self,
        range: Option<String>,
        version: Option<&str>,
        announced: &mut Option<String>,
    ) -> Result<Response, Trouble> {
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            check_scheme(&url).map_err(Trouble::Final)?;
            let mut request = self
                .client(&url)
                .map_err(Trouble::Final)?
                .get(url.clone())
                .header(header::ACCEPT_ENCODING, "identity");
            if let Some(token) = self.token.as_ref().filter(|_| url.origin() == self.hub.origin()) {
                request = request.bearer_auth(token.expose_secret());
            }
            if let Some(range) = &range {
                request = request.header(header::RANGE, range);
                if let Some(version) = version {
                    request = request.header(header::IF_RANGE, version);
                }
            }
            let response = request.send().await.map_err(|e| Trouble::Passing(broken(&url, e)))?;
            if let Some(sum) = linked_sum(response.headers()) {
                *announced = Some(sum);
            }
            if !response.status().is_redirection() {
                return Ok(response);
            }
            url = response
                .headers()
                .get(header::LOCATION)
                .and_then(|v| v.to_str().ok())
                .and_then(|to| url.join(to).ok())
                .ok_or_else(|| Trouble::model(format!("{} redirects to nowhere", origin(&url))))?;
        }
        Err(Trouble::model(format!("{} redirects without end", origin(&self.url))))
    }

    /// The whole of a small answer, at most `most` bytes.
    pub(super) async fn text(&self, most: usize) -> Result<Vec<u8>, Fault> {
        let mut response = self.send(None, None, &mut None).await.map_err(Trouble::fault)?;
        if response.status() != StatusCode::OK {
            return Err(refusal(&response, &self.url).fault());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| broken(&self.url, e))? {
            if bytes.len() + piece.len() > most {
                return Err(model_fault(format!(
                    "{} answers with more than {most} bytes",
                    origin(&self.url)
                )));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// At most `count` bytes from `from` on, and the length of the file. A server that knows no ranges is
    /// read from the beginning, and only until there is enough.
    pub(super) async fn range(&self, from: u64, count: u64) -> Result<(Vec<u8>, u64), Fault> {
        let range = format!("bytes={from}-{}", from + count - 1);
        let mut response = self.send(Some(range), None, &mut None).await.map_err(Trouble::fault)?;
        let (mut skip, total) = match response.status() {
            StatusCode::PARTIAL_CONTENT => match content_range(response.headers()) {
                Some((start, Some(total))) if start == from => (0, total),
                _ => return Err(model_fault("the server answered with another range than it was asked for")),
            },
            StatusCode::OK => match response.content_length() {
                Some(total) => (from, total),
                None => {
                    return Err(model_fault(format!(
                        "{} does not say how long the file is",
                        origin(&self.url)
                    )));
                }
            },
            _ => return Err(refusal(&response, &self.url).fault()),
        };
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| broken(&self.url, e))? {
            let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
            skip -= passed as u64;
            bytes.extend_from_slice(&piece[passed..]);
            if bytes.len() as u64 >= count {
                break;
            }
        }
        bytes.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        Ok((bytes, total))
    }

    /// A client for one address: a hub may need a proxy that its storage host does not.
    fn client(&self, url: &Url) -> Result<Client, Fault> {
        let broken = |why: String| model_fault(format!("the HTTP client cannot be built: {why}"));
        let reach = net::Reach::anywhere(Duration::from_secs(15));
        let builder = net::builder((self.proxy)(url).as_ref(), reach).map_err(broken)?;
        builder.read_timeout(IDLE).build().map_err(|e| broken(e.without_url().to_string()))
    }

    fn check_size(&self, part: &Part, total: Option<u64>) -> Result<(), Trouble> {
        let Some(total) = total else { return Ok(()) };
        if total > self.max_bytes {
            return Err(Trouble::model(format!(
                "the file has {} bytes, more than {} allowed",
                total, self.max_bytes
            )));
        }
        match free_space(&part.path) {
            Some(free) if free < total.saturating_sub(part.length) => Err(Trouble::model(format!(
                "the model needs {:.1} GB more, but only {:.1} GB are free for {}; set FREEHOLD_CACHE_DIR to a \
                 larger disk",
                (total - part.length) as f64 / 1e9,
                free as f64 / 1e9,
                part.path.display()
            ))),
            _ => Ok(()),
        }
    }
}

/// The unfinished file. It is locked, so that two runs do not write into it.
struct Part {
    path: PathBuf,
    file: File,
    length: u64,
    /// The server's `ETag` of the version it is part of, to request the same one when continuing.
    version: Option<String>,
}

impl Part {
    fn open(whole: &Path) -> Result<Self, Fault> {
        let path = beside(whole, "part");
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let failed = |e: std::io::Error| model_fault(format!("cannot write {}: {e}", path.display()));
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(model_fault(format!(
                    "another run is downloading {}; wait for it",
                    whole.display()
                )));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let mut length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let version = std::fs::read_to_string(beside(whole, "version")).ok().filter(|v| !v.is_empty());
        if version.is_none() && length > 0 {
            // Without an `ETag` it could be part of another file of that name.
            file.set_len(0).map_err(failed)?;
            file.rewind().map_err(failed)?;
            length = 0;
        }
        Ok(Self { path, file, length, version })
    }

    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.length = 0;
        self.version = None;
        Ok(())
    }

    /// Stores the `ETag`; only a strong one says that bytes are the same.
    fn remember_version(&mut self, headers: &HeaderMap) {
        let mark = headers.get(header::ETAG).and_then(|v| v.to_str().ok()).filter(|v| v.starts_with('"'));
        if let Some(mark) = mark {
            self.version = Some(mark.to_owned());
            let _ = std::fs::write(self.path.with_extension("version"), mark);
        }
    }

    fn discard(&self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(self.path.with_extension("version"));
    }

    fn finish(&self, whole: &Path) -> Result<(), Fault> {
        std::fs::rename(&self.path, whole).map_err(|e| self.failed(&e))?;
        let _ = std::fs::remove_file(self.path.with_extension("version"));
        if let Some(folder) = whole.parent().and_then(|f| File::open(f).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn failed(&self, error: &std::io::Error) -> Fault {
        model_fault(format!("cannot write {}: {error}", self.path.display()))
    }
}

/// `model.gguf` → `model.gguf.part`.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(extension);
    path.with_file_name(name)
}

/// First byte and total length in a `Content-Range`: `bytes 100-199/200` → (100, 200).
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = text.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

/// The hub's SHA-256 of the file behind a redirect.
fn linked_sum(headers: &HeaderMap) -> Option<String> {
    let mark = headers.get("x-linked-etag")?.to_str().ok()?.trim_matches('"');
    (mark.len() == 64 && mark.bytes().all(|b| b.is_ascii_hexdigit())).then(|| mark.to_owned())
}

/// Says what came instead of a model, and what to do.
pub(super) fn no_model(url: &Url, kind: Option<&str>, bytes: &[u8]) -> String {
    let what = if bytes.starts_with(b"version https://git-lfs") {
        "gives a Git LFS pointer, which only names the file; use the address with /resolve/ in it, or \
         hf:OWNER/REPO/FILE"
            .to_owned()
    } else if bytes.trim_ascii_start().starts_with(b"<") {
        format!(
            "gives a web page, not a GGUF model (its type is {}); use the address that its download button has",
            one_line(kind.unwrap_or("not stated"), 60)
        )
    } else {
        format!("does not give a GGUF model (its type is {})", one_line(kind.unwrap_or("not stated"), 60))
    };
    format!("{} {what}", origin(url))
}

fn refusal(response: &Response, url: &Url) -> Trouble {
    let host = origin(url);
    let status = response.status();
    let fault = |kind, message: String| Fault { kind, message };
    // The hub's own error code: it answers 401 for a repository that is not there.
    let code = response.headers().get("x-error-code").and_then(|v| v.to_str().ok()).unwrap_or_default();
    match (status.as_u16(), code) {
        (_, "RepoNotFound") => Trouble::Final(fault(
            FaultKind::NotFound,
            format!(
                "{host} has no such repository, or it is private (HTTP {status}); check OWNER/REPO, and set HF_TOKEN \
                 if it is yours"
            ),
        )),
        (_, "RevisionNotFound") => Trouble::Final(fault(
            FaultKind::NotFound,
            format!(
                "the repository has no such revision (HTTP {status}); leave @REVISION out for its main branch"
            ),
        )),
        (_, "EntryNotFound") => Trouble::Final(fault(
            FaultKind::NotFound,
            format!(
                "the repository is there, but has no such file (HTTP {status}); hf:OWNER/REPO:QUANT finds one by its format"
            ),
        )),
        (401 | 403, _) => Trouble::Final(fault(
            FaultKind::Auth,
            format!(
                "{host} does not give this file to us (HTTP {status}); if it is gated, accept its licence there \
                 and set HF_TOKEN"
            ),
        )),
        (404 | 410, _) => Trouble::Final(fault(
            FaultKind::NotFound,
            format!("{host} has no such file (HTTP {status}); check owner, repository and file name"),
        )),
        (408 | 429 | 500..=599, _) => {
            Trouble::Passing(fault(FaultKind::Server, format!("{host} answers HTTP {status}")))
        }
        _ => Trouble::Final(fault(FaultKind::Request, format!("{host} answers HTTP {status}"))),
    }
}

fn broken(url: &Url, error: reqwest::Error) -> Fault {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let kind = if error.is_connect() { FaultKind::ConnectRefused } else { FaultKind::Truncated };
    Fault { kind, message: format!("the download from {} broke off: {}", origin(url), one_line(&text, 300)) }
}

#[cfg(unix)]
fn free_space(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> Option<u64> {
    None
}
