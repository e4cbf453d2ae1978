//! The model file, looked at before any C++ sees it.

use super::fault;
use crate::measure::event::{Fault, FaultKind};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A model file that looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Absolute, links resolved.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
}

/// Is this a readable GGUF file? What is wrong is named with its remedy.
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
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) => return refuse(format!("cannot read the model file {shown}: {e}")),
    };
    let mut magic = [0; 4];
    if let Err(e) = file.read_exact(&mut magic) {
        return refuse(match e.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                format!("{shown} is not a GGUF model: it has only {} bytes", metadata.len())
            }
            _ => format!("cannot read the model file {shown}: {e}"),
        });
    }
    if &magic != b"GGUF" {
        return refuse(format!(
            "{shown} is not a GGUF model (it does not begin with the letters GGUF); models in other formats \
             must be converted first"
        ));
    }
    let path = path
        .canonicalize()
        .map_err(|e| fault(FaultKind::Model, format!("cannot resolve the path {shown}: {e}")))?;
    if path.to_str().is_none() {
        return refuse(format!("the engine cannot open {}: its path is not UTF-8", path.display()));
    }
    Ok(ModelFile { path, size: metadata.len() })
}

/// SHA-256 of a file, lower-case hexadecimal. Reads all of it; `progress` hears the bytes read.
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
        assert!(refusal(&file("empty.gguf", b"")).contains("only 0 bytes"));
        assert!(refusal(&file("text.gguf", b"# Prompts\n")).contains("not a GGUF model"));
        assert!(check(&file("model.gguf", b"GGUF\x03\0\0\0")).is_ok());
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
