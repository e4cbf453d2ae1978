//! Finds models that other programs keep on this machine by the names people know them by: Ollama's
//! (`ollama:llama3.2:1b`), whose files are named by their digests, and LM Studio's
//! (`lmstudio:OWNER/REPO[:QUANT]`).

use super::address::model_fault;
use super::hub::{self, HubFile, HubModel};
use crate::measure::event::Fault;
use crate::measure::text::one_line;
use std::path::{Path, PathBuf};

/// Absolute folders in which other programs of this user keep their models.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// The hub's own cache (`HF_HUB_CACHE`, else `hub` in `HF_HOME`).
    pub hub: Option<PathBuf>,
    /// `OLLAMA_MODELS`, else where Ollama puts them for a user, and for the system.
    pub ollama: Vec<PathBuf>,
    pub lm_studio: Vec<PathBuf>,
}

/// A file, and the name people know it by.
pub(super) type Kept = (PathBuf, String);

/// Finds a model by its name in Ollama: `NAME[:TAG]`, `OWNER/NAME[:TAG]` or `HOST/OWNER/NAME[:TAG]`.
pub(super) fn ollama(name: &str, folders: &[PathBuf]) -> Result<Kept, Fault> {
    let (path, tag) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((name, "latest"));
    let parts: Vec<&str> = path.split('/').collect();
    let full: Vec<&str> = match *parts.as_slice() {
        [name] => vec!["registry.ollama.ai", "library", name],
        [owner, name] => vec!["registry.ollama.ai", owner, name],
        [host, owner, name] => vec![host, owner, name],
        _ => Vec::new(),
    };
    let plain = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.len() <= 128
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    if full.is_empty() || !full.iter().chain([&tag]).all(plain) {
        return Err(model_fault(format!(
            "ollama:{} does not name a model as Ollama does; write ollama:llama3.2:1b",
            one_line(name, 80)
        )));
    }
    for folder in folders {
        let manifest = full.iter().fold(folder.join("manifests"), |path, part| path.join(part)).join(tag);
        let Some(digest) = model_digest(&manifest) else { continue };
        let blob = folder.join("blobs").join(digest.replace(':', "-"));
        if blob.is_file() {
            return Ok((blob, format!("{path}:{tag}")));
        }
        return Err(model_fault(format!(
            "Ollama's file of {path}:{tag} is missing: {}; pull it again",
            blob.display()
        )));
    }
    let mut known: Vec<String> =
        folders.iter().flat_map(|folder| ollama_names(folder)).map(|(name, _)| name).collect();
    known.sort();
    known.dedup();
    let there = if known.is_empty() {
        format!("no model of Ollama's lies in {}; OLLAMA_MODELS names another folder", shown(folders))
    } else {
        format!("there are {}", known.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", "))
    };
    Err(model_fault(one_line(&format!("Ollama has no model {path}:{tag} on this machine: {there}"), 600)))
}

/// The digest of the weights that one of Ollama's manifests names.
fn model_digest(manifest: &Path) -> Option<String> {
    let size = std::fs::metadata(manifest).ok().filter(std::fs::Metadata::is_file)?.len();
    let text = (size < 1 << 20).then(|| std::fs::read_to_string(manifest).ok()).flatten()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let layers = value["layers"].as_array()?;
    let model = layers.iter().find(|l| l["mediaType"] == "application/vnd.ollama.image.model")?;
    let digest = model["digest"].as_str()?;
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())).then(|| digest.to_owned())
}

/// All names in one of Ollama's folders, each with the digest it stands for.
fn ollama_names(folder: &Path) -> Vec<(String, String)> {
    let manifests = folder.join("manifests");
    hub::files_below(&manifests)
        .into_iter()
        .filter_map(|path| {
            let digest = model_digest(&manifests.join(&path))?;
            let (name, tag) = path.rsplit_once('/')?;
            let short = name.strip_prefix("registry.ollama.ai/").unwrap_or(name);
            Some((format!("{}:{tag}", short.strip_prefix("library/").unwrap_or(short)), digest))
        })
        .collect()
}

/// The name people know a file by whose own name is a digest; `None` where it has a name of its own.
pub fn name_of(file: &Path, folders: &Folders) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let hex = name.strip_prefix("sha256-").unwrap_or(name);
    if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let beside = file.parent().and_then(Path::parent).map(Path::to_owned);
    let digest = format!("sha256:{hex}");
    let places = beside.iter().chain(&folders.ollama);
    places.flat_map(|folder| ollama_names(folder)).find(|(_, d)| *d == digest).map(|(name, _)| name)
}

/// Finds `OWNER/REPO[:QUANT]` or `OWNER/REPO/FILE` in LM Studio's folders.
pub(super) fn lm_studio(name: &str, folders: &[PathBuf]) -> Result<Kept, Fault> {
    let Some(HubModel { repository, file, .. }) = hub::name(name) else {
        return Err(model_fault(format!(
            "lmstudio:{} does not name a model; write lmstudio:OWNER/REPO",
            one_line(name, 80)
        )));
    };
    let Some(folder) = folders.iter().map(|f| f.join(&repository)).find(|f| f.is_dir()) else {
        return Err(model_fault(format!(
            "LM Studio has no {repository} on this machine (looked in {})",
            shown(folders)
        )));
    };
    let there = hub::files_below(&folder);
    let first = first_of(&there, &file, &repository)?;
    Ok((folder.join(&first), base_name(&first)))
}

/// The file of a model in the hub's own cache; `None` where it is not there, or not complete.
pub(super) fn in_hub_cache(model: &HubModel, cache: &Path) -> Option<PathBuf> {
    let folder = model.snapshot(cache)?;
    let there = hub::files_below(&folder);
    let files = hub::choose(&there, &model.file, &model.repository).ok()?;
    files.iter().all(|f| there.contains(f)).then(|| folder.join(&files[0]))
}

/// The first file of a model among those in our own cache; an error where a file of it is missing.
pub(super) fn first_of(there: &[String], file: &HubFile, repository: &str) -> Result<String, Fault> {
    let files = hub::choose(there, file, repository)?;
    match files.iter().find(|f| !there.contains(f)) {
        Some(missing) => Err(model_fault(format!("{missing} of {repository} is missing"))),
        None => Ok(files[0].clone()),
    }
}

fn base_name(file: &str) -> String {
    file.rsplit('/').next().unwrap_or(file).to_owned()
}

fn shown(folders: &[PathBuf]) -> String {
    let list: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    if list.is_empty() { "any folder that is known".to_owned() } else { list.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ollamas_models_are_found_by_name_and_named_by_digest() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().to_owned();
        let digest = "a".repeat(64);
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        let manifest = serde_json::json!({ "layers": [
            { "mediaType": "application/vnd.ollama.image.template", "digest": format!("sha256:{}", "b".repeat(64)) },
            { "mediaType": "application/vnd.ollama.image.model", "digest": format!("sha256:{digest}") },
        ] });
        write("manifests/registry.ollama.ai/library/llama3.2/1b", &manifest.to_string());
        write("manifests/hf.co/o/r/Q4_K_M", &manifest.to_string());
        write(&format!("blobs/sha256-{digest}"), "GGUF");
        let folders = [root.clone()];
        let blob = root.join(format!("blobs/sha256-{digest}"));
        assert_eq!(ollama("llama3.2:1b", &folders), Ok((blob.clone(), "llama3.2:1b".to_owned())));
        assert_eq!(ollama("hf.co/o/r:Q4_K_M", &folders).expect("there").0, blob);
        let fault = ollama("llama3.2", &folders).expect_err("no such tag");
        assert!(fault.message.contains("llama3.2:1b"), "{}", fault.message);
        assert!(ollama("../x", &folders).is_err() && ollama("a/b/c/d", &folders).is_err());
        let known = Folders { ollama: folders.to_vec(), ..Folders::default() };
        assert!(name_of(&blob, &known).is_some_and(|name| name.contains(':')));
        assert_eq!(name_of(Path::new("/models/m.gguf"), &known), None);
    }

    #[test]
    fn what_is_in_the_hubs_own_cache_is_read_where_it_lies() {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = folder.path().join("models--o--r");
        let snapshot = repository.join("snapshots/abc123");
        std::fs::create_dir_all(&snapshot).expect("made");
        std::fs::create_dir_all(repository.join("refs")).expect("made");
        std::fs::write(repository.join("refs/main"), "abc123").expect("written");
        std::fs::write(snapshot.join("m-Q4_K_M.gguf"), "GGUF").expect("written");
        let model = hub::name("o/r:Q4_K_M").expect("a name");
        assert_eq!(in_hub_cache(&model, folder.path()), Some(snapshot.join("m-Q4_K_M.gguf")));
        assert_eq!(in_hub_cache(&hub::name("o/r:Q8_0").expect("a name"), folder.path()), None);
        std::fs::write(snapshot.join("s-Q8_0-00001-of-00002.gguf"), "GGUF").expect("written");
        assert_eq!(in_hub_cache(&hub::name("o/r:Q8_0").expect("a name"), folder.path()), None, "half of it");
    }
}
