//! Models on the Hugging Face hub: `hf:OWNER/REPO[@REVISION]/FILE`, and `hf:OWNER/REPO[:QUANT]` as
//! llama.cpp and Ollama write it, where the repository's list says which files are meant.

use super::address::model_fault;
use crate::measure::event::Fault;
use reqwest::Url;
use std::path::{Path, PathBuf};

/// A model in a repository of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    /// `OWNER/REPO`.
    pub repository: String,
    /// `main`, or what follows `@`.
    pub revision: String,
    pub file: HubFile,
}

/// Which file of the repository is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubFile {
    /// The file with this path in the repository.
    Named(String),
    /// The file with weights in this format; `None`: the usual one.
    Format(Option<String>),
}

/// Formats to look for where none is named, in this order, as llama.cpp does.
const USUAL: [&str; 2] = ["Q4_K_M", "Q8_0"];
/// Parts of names of GGUF files that are not models: projectors, importance matrices, draft models.
const NO_MODELS: [&str; 4] = ["mmproj", "imatrix", "mtp-", "draft"];

/// `OWNER/REPO[@REVISION][:QUANT]` or `OWNER/REPO[@REVISION]/FILE`, where FILE may lie in folders.
pub(super) fn name(text: &str) -> Option<HubModel> {
    let (owner, rest) = text.split_once('/')?;
    let (repository, file) = match rest.split_once('/') {
        Some((repository, file)) => (repository, HubFile::Named(file.to_owned())),
        None => match rest.split_once(':') {
            Some((repository, format)) => (repository, HubFile::Format(Some(format.to_owned()))),
            None => (rest, HubFile::Format(None)),
        },
    };
    let (repository, revision) = repository.split_once('@').unwrap_or((repository, "main"));
    let plain = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !part.is_empty() && part != "." && part != ".." && part.len() <= 128 && part.chars().all(known)
    };
    let right = match &file {
        HubFile::Named(file) => file.split('/').all(is_file_name),
        HubFile::Format(Some(format)) => plain(format),
        HubFile::Format(None) => true,
    };
    let right = right && [owner, repository, revision].into_iter().all(plain);
    right.then(|| HubModel {
        repository: format!("{owner}/{repository}"),
        revision: revision.to_owned(),
        file,
    })
}

/// Is this allowed as a part of a path in a repository? Spaces and plus signs are common; what could change
/// where an address leads is refused.
fn is_file_name(part: &str) -> bool {
    let bad =
        |c: char| c.is_control() || matches!(c, '\\' | '?' | '#' | '%' | ':' | '*' | '"' | '<' | '>' | '|');
    !part.is_empty() && part != "." && part != ".." && part.len() <= 200 && !part.contains(bad)
}

/// The name of the model on a page of the hub that somebody copied from the browser: what to write after
/// `hf:`.
pub(super) fn of_page(url: &Url) -> Option<String> {
    if !matches!(url.host_str(), Some("huggingface.co" | "hf.co" | "www.huggingface.co")) {
        return None;
    }
    let parts: Vec<&str> = url.path_segments()?.filter(|s| !s.is_empty()).collect();
    let unescaped = |parts: &[&str]| parts.join("/").replace("%20", " ").replace("%2B", "+");
    match parts.as_slice() {
        [owner, repository] | [owner, repository, "tree", _, ..] => Some(format!("hf:{owner}/{repository}")),
        [owner, repository, "blob", "main", file @ ..] if !file.is_empty() => {
            Some(format!("hf:{owner}/{repository}/{}", unescaped(file)))
        }
        [owner, repository, "blob", revision, file @ ..] if !file.is_empty() => {
            Some(format!("hf:{owner}/{repository}@{revision}/{}", unescaped(file)))
        }
        _ => None,
    }
}

impl HubModel {
    /// The address of one of its files.
    pub(super) fn address(&self, hub: &Url, file: &str) -> Result<Url, Fault> {
        let mut url = hub.clone();
        url.path_segments_mut()
            .map_err(|()| model_fault("the hub's address cannot be used"))?
            .pop_if_empty()
            .extend(self.repository.split('/'))
            .extend(["resolve", &self.revision])
            .extend(file.split('/'));
        Ok(url)
    }

    /// The address of the list of its files.
    pub(super) fn list_address(&self, hub: &Url) -> Result<Url, Fault> {
        let mut url = hub.clone();
        url.path_segments_mut()
            .map_err(|()| model_fault("the hub's address cannot be used"))?
            .pop_if_empty()
            .extend(["api", "models"])
            .extend(self.repository.split('/'))
            .extend(["tree", &self.revision]);
        url.set_query(Some("recursive=true"));
        Ok(url)
    }

    /// Its folder in our own cache.
    pub(super) fn folder(&self, models: &Path) -> PathBuf {
        models.join("hf").join(self.repository.replace('/', "--")).join(&self.revision)
    }

    /// Its folder in the cache of the hub's own programs: links for the revision, or for the commit that
    /// the revision's name stands for.
    pub(super) fn snapshot(&self, hub_cache: &Path) -> Option<PathBuf> {
        let folder = hub_cache.join(format!("models--{}", self.repository.replace('/', "--")));
        let commit = std::fs::read_to_string(folder.join("refs").join(&self.revision)).ok();
        let commit = commit.as_deref().map_or(self.revision.as_str(), str::trim);
        let plain =
            !commit.is_empty() && commit.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        plain.then(|| folder.join("snapshots").join(commit)).filter(|f| f.is_dir())
    }
}

/// The files of the model that is meant, out of all files of a repository; the first is the one to load.
pub(super) fn choose(all: &[String], wanted: &HubFile, repository: &str) -> Result<Vec<String>, Fault> {
    let first = match wanted {
        HubFile::Named(file) => file.clone(),
        HubFile::Format(format) => of_format(all, format.as_deref(), repository)?,
    };
    let Some(split) = Split::of(&first) else { return Ok(vec![first]) };
    Ok((1..=split.count).map(|n| split.part(n)).collect())
}

fn of_format(all: &[String], format: Option<&str>, repository: &str) -> Result<String, Fault> {
    let models: Vec<&String> = all
        .iter()
        .filter(|file| {
            let name = file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
            let first = Split::of(file).is_none_or(|split| split.index == 1);
            is_model_file(&name) && first && !NO_MODELS.iter().any(|part| name.contains(part))
        })
        .collect();
    let of = |format: &str| {
        let mut found: Vec<&&String> = models.iter().filter(|file| has_format(file, format)).collect();
        // `UD-Q4_K_XL` is not `Q4_K`; of several matches the shortest name is the plain one.
        found.sort_by_key(|file| file.len());
        found.first().map(|file| (**file).clone())
    };
    let found = match format {
        Some(format) => of(format),
        None => USUAL.iter().find_map(|format| of(format)).or_else(|| models.first().map(|f| (*f).clone())),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = models.iter().map(|f| f.as_str()).take(12).collect();
        let there = if names.is_empty() {
            "it has no GGUF file; look for a repository whose name ends in -GGUF".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        let what = format.map_or_else(|| "model".to_owned(), |f| format!("model in the format {f}"));
        model_fault(crate::measure::text::one_line(
            &format!("the repository {repository} has no {what}: {there}"),
            600,
        ))
    })
}

pub(super) fn is_model_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"))
}

/// `model-UD-Q4_K_XL.gguf` and `UD-Q4_K_XL/model.gguf` are of that format, whatever the case.
fn has_format(file: &str, format: &str) -> bool {
    let (file, format) = (file.to_ascii_uppercase(), format.to_ascii_uppercase());
    file.match_indices(&format).any(|(at, _)| {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
        let (before, after) = (&file[..at], &file[at + format.len()..]);
        // With `UD-` before it, it is another format.
        edge(before.chars().next_back()) && edge(after.chars().next()) && !before.ends_with("UD-")
    })
}

/// A file that is one of several: `NAME-00001-of-00003.gguf`.
struct Split<'a> {
    stem: &'a str,
    index: u32,
    count: u32,
}

impl<'a> Split<'a> {
    fn of(file: &'a str) -> Option<Self> {
        let (rest, count) = file.strip_suffix(".gguf")?.rsplit_once("-of-")?;
        let (stem, index) = rest.rsplit_once('-')?;
        let number = |text: &str| (text.len() == 5).then(|| text.parse::<u32>().ok()).flatten();
        let (index, count) = (number(index)?, number(count)?);
        (index >= 1 && index <= count && count <= 1000).then_some(Self { stem, index, count })
    }
    fn part(&self, index: u32) -> String {
        format!("{}-{index:05}-of-{:05}.gguf", self.stem, self.count)
    }
}

/// Paths of the files in a list as the hub's `tree` request returns it.
pub(super) fn files(list: &serde_json::Value) -> Vec<String> {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    entries
        .iter()
        .filter(|e| e["type"] == "file")
        .filter_map(|e| e["path"].as_str())
        .filter(|path| path.split('/').all(is_file_name))
        .map(str::to_owned)
        .collect()
}

/// Paths of all files below a folder, relative to it, links included.
pub(super) fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().take(10_000) {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let path = entry.path();
            if path.is_file() {
                found.push(name);
            } else if path.is_dir() && depth < 3 {
                open.push((path, format!("{name}/"), depth + 1));
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(files: &[&str]) -> Vec<String> {
        files.iter().map(|f| (*f).to_owned()).collect()
    }

    #[test]
    fn formats_are_found_as_people_name_their_files() {
        let files = all(&[
            "README.md",
            "mmproj-F16.gguf",
            "M-UD-Q4_K_XL.gguf",
            "M-Q4_K_M.gguf",
            "M-Q8_0.gguf",
            "BF16/M-BF16-00001-of-00002.gguf",
            "BF16/M-BF16-00002-of-00002.gguf",
            "IQ2_XXS/M.gguf",
        ]);
        let of = |format: Option<&str>| choose(&files, &HubFile::Format(format.map(str::to_owned)), "o/r");
        assert_eq!(of(None), Ok(all(&["M-Q4_K_M.gguf"])));
        assert_eq!(of(Some("q8_0")), Ok(all(&["M-Q8_0.gguf"])));
        assert_eq!(of(Some("UD-Q4_K_XL")), Ok(all(&["M-UD-Q4_K_XL.gguf"])));
        assert_eq!(of(Some("IQ2_XXS")), Ok(all(&["IQ2_XXS/M.gguf"])));
        let both = ["BF16/M-BF16-00001-of-00002.gguf", "BF16/M-BF16-00002-of-00002.gguf"];
        assert_eq!(of(Some("BF16")), Ok(all(&both)));
        let fault = of(Some("Q4_K")).expect_err("only longer names");
        assert!(
            fault.message.contains("no model in the format Q4_K: it has") && fault.message.contains("M-Q8_0")
        );
        let named = choose(&files, &HubFile::Named(both[0].into()), "o/r");
        assert_eq!(named, Ok(all(&both)));
    }

    #[test]
    fn pages_are_told_from_files() {
        let of = |text: &str| of_page(&Url::parse(text).expect("a URL"));
        assert_eq!(of("https://huggingface.co/o/r").as_deref(), Some("hf:o/r"));
        assert_eq!(of("https://huggingface.co/o/r/tree/main").as_deref(), Some("hf:o/r"));
        assert_eq!(of("https://huggingface.co/o/r/blob/main/a%20b.gguf").as_deref(), Some("hf:o/r/a b.gguf"));
        assert_eq!(of("https://huggingface.co/o/r/resolve/main/a.gguf"), None);
        assert_eq!(of("https://example.com/o/r"), None);
    }

    #[test]
    fn names_with_spaces_and_plus_signs_are_encoded() {
        let model = name("o/r/a b+c (1).gguf").expect("a name");
        let HubFile::Named(file) = &model.file else { panic!("{model:?}") };
        let url = model.address(&Url::parse("https://h.co/").expect("a URL"), file).expect("an address");
        assert_eq!(url.as_str(), "https://h.co/o/r/resolve/main/a%20b+c%20(1).gguf");
    }
}
