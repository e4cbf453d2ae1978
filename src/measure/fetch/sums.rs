//! Remembers the SHA-256 of model files: hashing many gigabytes takes longer than most measurements.
//!
//! A sum is kept in the cache under the file's path, and holds as long as the file's size and time of
//! change do.

use crate::measure::backend::local;
use crate::measure::event::Fault;
use sha2::Digest as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// SHA-256 of a model in hexadecimal: that of its file, or, where it is in several, that of their sums in
/// order. `progress` is called with the bytes read while it is computed.
pub fn sha256(
    cache: Option<&Path>,
    parts: &[PathBuf],
    progress: &mut dyn FnMut(u64),
) -> Result<String, Fault> {
    let mut before = 0;
    let mut sums = Vec::new();
    for part in parts {
        sums.push(of_file(cache, part, &mut |read| progress(before + read))?);
        before += part.metadata().map_or(0, |m| m.len());
    }
    Ok(match sums.as_slice() {
        [one] => one.clone(),
        several => local::hex(&sha2::Sha256::digest(several.concat())),
    })
}

/// SHA-256 of one file, from the cache where the file did not change.
fn of_file(cache: Option<&Path>, path: &Path, progress: &mut dyn FnMut(u64)) -> Result<String, Fault> {
    if let Some(sum) = cache.and_then(|cache| recall(cache, path)) {
        return Ok(sum);
    }
    let sum = local::sha256(path, progress)?;
    if let Some(cache) = cache {
        remember(cache, path, &sum);
    }
    Ok(sum)
}

/// Stores a sum. A cache that cannot be written is not an error.
pub(super) fn remember(cache: &Path, path: &Path, sum: &str) {
    let (Some(place), Some(state)) = (place(cache, path), state(path)) else { return };
    let write = || -> std::io::Result<()> {
        let folder = place.parent().unwrap_or(cache);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, format!("{sum} {state}\n").as_bytes())?;
        file.persist(&place)?;
        Ok(())
    };
    let _ = write();
}

fn recall(cache: &Path, path: &Path) -> Option<String> {
    let kept = std::fs::read_to_string(place(cache, path)?).ok()?;
    let (sum, then) = kept.trim_end().split_once(' ')?;
    let valid = sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit());
    (valid && then == state(path)?).then(|| sum.to_owned())
}

fn place(cache: &Path, path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let name = local::hex(&sha2::Sha256::digest(path.to_str()?.as_bytes())[..16]);
    Some(cache.join("sums").join(name))
}

/// The file's size and time of change, as text.
fn state(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {}", metadata.len(), changed.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_hashed_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (cache, file) = (folder.path().join("cache"), folder.path().join("m"));
        std::fs::write(&file, "one").expect("written");
        let mut reads = 0;
        let sum = |reads: &mut u32| of_file(Some(&cache), &file, &mut |_| *reads += 1).expect("hashed");
        let first = sum(&mut reads);
        assert_eq!((sum(&mut reads), reads), (first.clone(), 1));
        std::fs::write(&file, "other").expect("written");
        assert_ne!(sum(&mut reads), first);
        let both = sha256(Some(&cache), &[file.clone(), file.clone()], &mut |_| ()).expect("hashed");
        assert_ne!(both, sha256(Some(&cache), std::slice::from_ref(&file), &mut |_| ()).expect("hashed"));
        assert_eq!(reads, 2);
    }
}
