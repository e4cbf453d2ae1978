//! Files beside a configuration that somebody else may have written: only ordinary files of a limited size
//! in its own folder, and never through a link that leads out of it.

use super::files;
use crate::prompts::{FileFault, Files, LARGEST_FILE};
use globset::GlobBuilder;
use std::path::{Component, Path, PathBuf};

/// Most files that are compared with a pattern.
const MOST_LISTED: usize = 20_000;
/// Deepest nesting of folders that is searched.
const DEEPEST: usize = 20;

/// The folder of a configuration.
#[derive(Debug)]
pub struct Beside {
    folder: PathBuf,
}

impl Beside {
    /// The folder that `file` is in.
    pub fn of(file: &Path) -> Self {
        let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self { folder: folder.to_owned() }
    }

    /// Where a path in the configuration leads; an error outside of the folder.
    fn inside(&self, path: &str) -> Result<PathBuf, FileFault> {
        let outside = || FileFault::Outside(path.to_owned());
        let mut depth = 0i32;
        for part in Path::new(path).components() {
            match part {
                Component::CurDir => {}
                Component::Normal(_) => depth += 1,
                Component::ParentDir if depth > 0 => depth -= 1,
                _ => return Err(outside()),
            }
        }
        let found = self.folder.join(path);
        let absent = |_| FileFault::Absent(path.to_owned());
        let real = found.canonicalize().map_err(absent)?;
        if real.starts_with(self.folder.canonicalize().map_err(absent)?) { Ok(found) } else { Err(outside()) }
    }
}

impl Files for Beside {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileFault> {
        let found = self.inside(path)?;
        files::read_bytes(&found, LARGEST_FILE)
            .map_err(|e| FileFault::Unreadable { path: path.to_owned(), why: e.message().to_owned() })
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, FileFault> {
        let unreadable = |why: String| FileFault::Unreadable { path: pattern.to_owned(), why };
        let pattern = pattern.trim_start_matches("./");
        if Path::new(pattern).components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(FileFault::Outside(pattern.to_owned()));
        }
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|e| unreadable(e.kind().to_string()))?.compile_matcher();
        let (mut found, mut seen) = (Vec::new(), 0);
        let mut open = vec![(self.folder.clone(), String::new(), 0)];
        while let Some((folder, name, depth)) = open.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                seen += 1;
                if seen > MOST_LISTED {
                    return Err(unreadable(format!(
                        "there are more than {MOST_LISTED} files beside the configuration"
                    )));
                }
                let Ok(kind) = entry.file_type() else { continue };
                let Some(own) = entry.file_name().to_str().map(str::to_owned) else { continue };
                let path = if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
                if kind.is_dir() && depth < DEEPEST && !own.starts_with('.') {
                    open.push((entry.path(), path, depth + 1));
                } else if kind.is_file() && glob.is_match(&path) {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        std::fs::create_dir_all(at("own/sub")).expect("made");
        for (name, text) in
            [("secret.txt", "s"), ("own/a.txt", "a"), ("own/sub/b.txt", "b"), ("own/sub/c.md", "c")]
        {
            std::fs::write(at(name), text).expect("written");
        }
        let files = Beside::of(&at("own/config.yaml"));
        assert_eq!(files.read("sub/../a.txt"), Ok(b"a".to_vec()));
        let absolute = at("own/a.txt").display().to_string();
        for path in ["../secret.txt", "sub/../../secret.txt", &absolute, "/etc/hostname"] {
            assert!(matches!(files.read(path), Err(FileFault::Outside(_))), "{path}");
        }
        assert!(matches!(files.read("none.txt"), Err(FileFault::Absent(_))));
        assert!(files.read("sub").is_err(), "a folder");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("secret.txt"), at("own/link.txt")).expect("linked");
            assert!(matches!(files.read("link.txt"), Err(FileFault::Outside(_))));
        }
        assert_eq!(files.list("**/*.txt").expect("listed"), ["a.txt", "sub/b.txt"]);
        assert_eq!(files.list("sub/{b,c}.*").expect("listed"), ["sub/b.txt", "sub/c.md"]);
        assert_eq!(files.list("*.txt").expect("listed"), ["a.txt"]);
        assert!(matches!(files.list("../*.txt"), Err(FileFault::Outside(_))));
    }
}
