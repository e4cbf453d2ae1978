//! The model file, looked at before any C++ sees it.

use super::fault::fault;
use crate::gguf::{self, Header, Problem, Split};
use crate::measure::event::{Fault, FaultKind};
use crate::measure::text::one_line;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

/// A model file whose header is plausible.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Absolute path. Of a model in several files: the first, under the name that the others' names follow
    /// from; of a single file: with links resolved.
    pub path: PathBuf,
    /// Every file of the model in order: `path` alone, or all of its parts.
    pub parts: Vec<PathBuf>,
    /// Bytes of all files together.
    pub size: u64,
    /// The header of the first file, with the tensors of all.
    pub header: Header,
}

/// Checks that this is a readable GGUF file. The error names what is wrong and the remedy.
pub fn check(path: &Path) -> Result<ModelFile, Fault> {
    let refuse = |what: String| Err(fault(FaultKind::Model, what));
    let shown = path.display();
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return refuse(format!(
                "there is no model file {shown}; give the path of a GGUF file, a URL, \
                 hf:OWNER/REPO/FILE, or `default`"
            ));
        }
        Err(e) => return refuse(format!("cannot look at the model file {shown}: {e}")),
    };
    if metadata.is_dir() {
        return refuse(format!("{shown} is a folder; name the GGUF file inside it"));
    }
    if !metadata.is_file() {
        return refuse(format!("{shown} is not a regular file"));
    }
    let mut header = read_header(path)?;
    let split = header.facts.split.filter(|s| s.count > 1);
    let resolved = path
        .canonicalize()
        .map_err(|e| fault(FaultKind::Model, format!("cannot resolve the path {shown}: {e}")))?;
    // Where parts are links, their names are those of the links, not of what they point to.
    let named = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parts = match split {
        Some(split) => parts(if is_part(&named, split) { &named } else { &resolved }, split)?,
        None => vec![resolved],
    };
    if let Some(odd) = parts.iter().find(|p| p.to_str().is_none()) {
        return refuse(format!("the engine cannot open {}: its path is not UTF-8", odd.display()));
    }
    for part in &parts[1..] {
        header.tensors.extend(read_header(part)?.tensors);
    }
    let size = parts.iter().filter_map(|part| part.metadata().ok()).map(|m| m.len()).sum();
    Ok(ModelFile { path: parts[0].clone(), parts, size, header })
}

/// The header of one file.
fn read_header(path: &Path) -> Result<Header, Fault> {
    let shown = path.display();
    let unreadable =
        |e: std::io::Error| fault(FaultKind::Model, format!("cannot read the model file {shown}: {e}"));
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    gguf::read(BufReader::with_capacity(1 << 16, file), length).map_err(|e| {
        let remedy = match e.problem {
            Problem::Magic | Problem::Truncated("the magic") => other_content(path, length),
            // A count that the rest of the file has no room for: of a cut file, not of a damaged one alone.
            Problem::Truncated(_) | Problem::OutsideFile { .. } | Problem::Count { .. } => {
                "; the file is incomplete, so fetch it again (an interrupted download can be resumed)"
            }
            _ => "",
        };
        fault(FaultKind::Model, one_line(&format!("{shown} is {e}{remedy}"), 600))
    })
}

/// What people take for a model, and what to do.
fn other_content(path: &Path, length: u64) -> &'static str {
    let mut start = [0; 64];
    let read = File::open(path).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    let text = start[..read].trim_ascii_start();
    let begins = |words: &[&[u8]]| words.iter().any(|word| text.starts_with(word));
    if text.starts_with(b"version https://git-lfs") {
        "; it is a Git LFS pointer, which only names the model: run `git lfs pull` in its repository, or give \
         hf:OWNER/REPO/FILE"
    } else if text.starts_with(b"<") {
        "; it is a web page that was saved in the model's place: fetch the file itself, as with hf:OWNER/REPO/FILE"
    } else if length == 0 || start[..read].iter().all(|byte| *byte == 0) {
        "; it is empty, as after a download that did not come: fetch it again"
    } else if begins(&[
        b"{\"error",
        b"{\"detail",
        b"{\"message",
        b"Invalid ",
        b"Access ",
        b"Entry ",
        b"Repository ",
    ]) {
        "; it is the refusal of a server that was saved in the model's place: fetch the file itself, where it is \
         gated with a token in HF_TOKEN, as with hf:OWNER/REPO/FILE"
    } else if begins(&[b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"7z\xbc\xaf"]) {
        "; it is compressed: unpack it first"
    } else if begins(&[b"lmgg", b"fmgg", b"tjgg", b"ggml", b"ggmf", b"ggjt"]) {
        "; it is in llama.cpp's format before GGUF, of 2023: fetch the model anew as GGUF"
    } else if read > 8 && start[8] == b'{' {
        "; it is in the format of safetensors: convert it with llama.cpp's convert_hf_to_gguf.py, or look for the \
         model as GGUF"
    } else {
        "; models in other formats must be converted first"
    }
}

fn is_part(path: &Path, split: Split) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.ends_with(&format!("-{:05}-of-{:05}.gguf", split.index + 1, split.count))
}

/// A model in several files is loaded by naming the first; all must lie beside it under the names
/// the engine expects, `NAME-00001-of-00003.gguf`.
fn parts(path: &Path, split: Split) -> Result<Vec<PathBuf>, Fault> {
    let (index, count) = (split.index, split.count);
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let ending = |part: u32| format!("-{part:05}-of-{count:05}.gguf");
    let Some(stem) = name.strip_suffix(&ending(index + 1)) else {
        return Err(fault(
            FaultKind::Model,
            format!(
                "{} is part {} of {count} of a model, so its name must end in {}",
                path.display(),
                index + 1,
                ending(index + 1)
            ),
        ));
    };
    let part = |part: u32| path.with_file_name(format!("{stem}{}", ending(part)));
    if index != 0 {
        let message = format!(
            "{} is part {} of {count}; name the first, {}",
            path.display(),
            index + 1,
            part(1).display()
        );
        return Err(fault(FaultKind::Model, message));
    }
    let all: Vec<PathBuf> = (1..=count).map(part).collect();
    match all.iter().find(|p| !p.is_file()) {
        Some(missing) => Err(fault(
            FaultKind::Model,
            format!("the model is in {count} files and {} is missing", missing.display()),
        )),
        None => Ok(all),
    }
}

/// SHA-256 of a file, in lower-case hexadecimal. Reads all of it; `progress` is called with the bytes read
/// so far.
pub fn sha256(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<String, Fault> {
    let failed = |e: std::io::Error| {
        fault(FaultKind::Model, format!("cannot read {} to check its SHA-256: {e}", path.display()))
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
        total += read as u64;
        progress(total);
    }
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::sample;

    fn refusal(path: &Path) -> String {
        let fault = check(path).expect_err("refused");
        assert_eq!(fault.kind, FaultKind::Model);
        fault.message
    }

    #[test]
    fn what_is_not_a_model_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        assert!(refusal(&folder.path().join("none.gguf")).contains("there is no model file"));
        assert!(refusal(folder.path()).contains("is a folder"));
        #[cfg(unix)]
        assert!(refusal(Path::new("/dev/null")).contains("not a regular file"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let locked = file("locked.gguf", &sample::valid().bytes());
            std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).expect("set");
            // The superuser can read it nevertheless.
            if File::open(&locked).is_err() {
                assert!(refusal(&locked).contains("cannot read the model file"));
            }
        }
        // A tensor's name cannot control a terminal (llama.cpp #28969).
        let hostile = sample::valid().tensor("\u{1b}[2J\u{202e}", &[64], 4).bytes();
        let hostile = refusal(&file("hostile.gguf", &hostile));
        assert!(
            hostile.contains("unknown type 4") && !hostile.contains(['\u{1b}', '\u{202e}']),
            "{hostile:?}"
        );
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
        assert!(refusal(&file("pointer.gguf", pointer)).contains("git lfs pull"));
        assert!(refusal(&file("page.gguf", b"<!doctype html>")).contains("web page"));
        for (name, bytes, words) in [
            ("empty.gguf", &b""[..], "it is empty"),
            ("zeros.gguf", &[0; 100], "it is empty"),
            ("refused.gguf", b"{\"error\":\"Invalid username or password.\"}", "HF_TOKEN"),
            ("old.bin", b"tjgg\x03\0\0\0", "before GGUF"),
            ("packed.gguf", b"\x1f\x8b\x08\0\0", "compressed"),
            ("model.safetensors", b"\x10\0\0\0\0\0\0\0{\"a\":1}", "safetensors"),
        ] {
            let said = refusal(&file(name, bytes));
            assert!(said.contains(words), "{said}");
        }
        assert!(refusal(&file("text.gguf", b"# Prompts\n")).contains("does not begin with"));
        let whole = sample::valid().bytes();
        let cut = refusal(&file("cut.gguf", &whole[..whole.len() - 40]));
        assert!(cut.contains("incomplete"), "{cut}");
        assert!(check(&file("model.gguf", &whole)).is_ok());
    }

    #[test]
    fn a_missing_part_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let part = |index: u32| {
            let builder = sample::valid().u32("split.no", index).u32("split.count", 2);
            let path = folder.path().join(format!("m-0000{}-of-00002.gguf", index + 1));
            std::fs::write(&path, builder.bytes()).expect("written");
            path
        };
        let first = part(0);
        assert!(refusal(&first).contains("m-00002-of-00002.gguf is missing"));
        let second = part(1);
        assert!(check(&first).is_ok());
        assert!(refusal(&second).contains("name the first"));
    }

    #[test]
    #[cfg(unix)]
    fn parts_that_are_links_are_found_by_their_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut builder = sample::valid();
        for index in 0..2_u32 {
            builder = builder
                .without("split.no")
                .without("split.count")
                .u32("split.no", index)
                .u32("split.count", 2);
            let blob = folder.path().join(format!("blob{index}"));
            std::fs::write(&blob, builder.bytes()).expect("written");
            let link = folder.path().join(format!("m-0000{}-of-00002.gguf", index + 1));
            std::os::unix::fs::symlink(&blob, link).expect("a link");
        }
        let file = check(&folder.path().join("m-00001-of-00002.gguf")).expect("both are there");
        assert!(file.path.ends_with("m-00001-of-00002.gguf") && file.parts.len() == 2, "{file:?}");
        assert_eq!(file.header.tensors.len(), 2 * 4, "the tensors of both");
        assert_eq!(file.size, 2 * folder.path().join("blob0").metadata().expect("there").len());
    }

    #[test]
    fn the_sha_is_the_standard_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").expect("written");
        assert_eq!(
            sha256(&path, &mut |_| ()).expect("hashed"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
