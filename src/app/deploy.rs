//! `deploy`: turns a plan or an advice into a folder of files that run.

use super::refusal::Refusal;
use crate::catalog::Catalog;
use crate::deploy::read::{self, Asked};
use crate::deploy::{File, Folder, LeftOut, folder};
use crate::render::Page;
use crate::render::view::{Block, Table, View};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Name and major version of the list of files that a folder keeps about itself.
const SCHEMA: &str = "freehold.deploy-files/1";
/// The file of that list in the folder.
pub const LIST: &str = ".freehold-files.json";

/// The files for a document. `name` says in errors where the text came from.
pub fn deploy(name: &str, text: &str, catalog: &Catalog, asked: &Asked) -> Result<Folder, Refusal> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|e| {
        Refusal::input(format!("{name}: not JSON at line {}, column {}: {e}", e.line(), e.column()))
    })?;
    let of = read::deployment(name, &value, catalog, asked).map_err(|fault| {
        let refusal = Refusal::input(format!("{name}: {fault}"));
        if fault.hint.is_empty() { refusal } else { refusal.hint(fault.hint) }
    })?;
    let folder = folder(&of);
    // A README that only says what is missing is not a deployment.
    if folder.files.len() == 1 {
        let lacks: Vec<String> =
            folder.left_out.iter().map(|l| format!("{}: {}", l.path, l.because)).collect();
        return Err(Refusal::input(format!("{name}: no recipe can be written\n  {}", lacks.join("\n  "))));
    }
    Ok(folder)
}

/// The files that an earlier run left in a folder, with the digests they had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    schema: String,
    files: BTreeMap<String, String>,
}

impl Listed {
    /// The list of these files.
    pub fn of(files: &[File]) -> Self {
        let files = files.iter().map(|f| (f.path.clone(), digest(f.text.as_bytes()))).collect();
        Self { schema: SCHEMA.to_owned(), files }
    }
    /// Reads a list. `None` where the text is none: then no file in the folder is ours.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|l: &Self| l.schema == SCHEMA)
    }
    /// The list as it is written.
    pub fn to_json(&self) -> String {
        let mut text = crate::document::json::pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
    /// Paths in it that are below the folder: somebody else may have written the list.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|p| is_below(p))
    }
}

fn is_below(path: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p != "." && p != ".." && !p.contains(['\\', ':', '\0']);
    path.len() < 256 && path.split('/').all(part)
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// What to do in a folder that exists already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files of an earlier run that no recipe has any more, unchanged since.
    pub remove: Vec<String>,
}

/// Checks that these files may be written into the folder. `there` has the digest of each file that exists,
/// among the new ones and those of the list. All of it is refused where one file is not ours or was changed
/// since.
pub fn changes(
    place: &str,
    files: &[File],
    listed: &Listed,
    there: &BTreeMap<String, String>,
) -> Result<Changes, Refusal> {
    let ours = |path: &str, digest: &str| listed.files.get(path).is_some_and(|d| d == digest);
    let new = |path: &str| files.iter().any(|f| f.path == path);
    let same = |path: &str, digest: &str| {
        files.iter().any(|f| f.path == path && self::digest(f.text.as_bytes()) == digest)
    };
    let foreign: Vec<&str> = there
        .iter()
        .filter(|(path, digest)| new(path) && !ours(path, digest) && !same(path, digest))
        .map(|(path, _)| path.as_str())
        .collect();
    if !foreign.is_empty() {
        return Err(Refusal::input(format!(
            "{place} has files that were not written by `freehold deploy` or were changed since; nothing was written:\n  {}",
            foreign.join("\n  ")
        ))
        .hint("name another folder, or move these files away"));
    }
    let gone = listed.paths().filter(|p| !new(p));
    let remove = gone.filter(|p| there.get(*p).is_some_and(|d| ours(p, d))).map(str::to_owned).collect();
    Ok(Changes { remove })
}

/// What was written, for the terminal and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployed {
    /// The folder.
    pub folder: String,
    /// Paths below it.
    pub files: Vec<String>,
    /// Files of an earlier run that were removed.
    pub removed: Vec<String>,
    /// Recipes that were not written, and why.
    pub left_out: Vec<LeftOut>,
}

impl Page for Deployed {
    fn view(&self) -> View {
        let mut view = View::new("");
        let number = self.files.len();
        view.paragraph(format!(
            "{number} {} in {}. Start with {}/README.md.",
            if number == 1 { "file" } else { "files" },
            self.folder,
            self.folder.trim_end_matches('/')
        ));
        let mut table = Table::new(&["!folder", "files"]);
        let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in &self.files {
            let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
            folders.entry(folder).or_default().push(file);
        }
        for (folder, files) in folders {
            let folder = if folder.is_empty() { "." } else { folder };
            table.row([folder.into(), files.join(", ").into()]);
        }
        view.push(Block::Table(table));
        if !self.removed.is_empty() {
            view.heading("Removed, since no recipe has them any more");
            view.push(Block::List(self.removed.clone()));
        }
        if !self.left_out.is_empty() {
            view.heading("Not written");
            view.push(Block::List(
                self.left_out.iter().map(|l| format!("{}: {}", l.path, l.because)).collect(),
            ));
        }
        view
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        crate::document::json::pretty(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(p, t)| ((*p).to_owned(), digest(t.as_bytes()))).collect()
    }

    #[test]
    fn only_what_was_written_is_written_over_or_removed() {
        let old = [File::new("a", "1"), File::new("b/c", "2"), File::new("d", "4")];
        let listed = Listed::parse(&Listed::of(&old).to_json()).expect("a list");
        let new = [File::new("a", "new"), File::new("e", "5")];
        // As it was left: one is overwritten, two are removed.
        let found =
            changes("x", &new, &listed, &there(&[("a", "1"), ("b/c", "2"), ("d", "4")])).expect("ours");
        assert_eq!(found.remove, ["b/c", "d"]);
        // Changed by hand: kept where no recipe has it any more, refused where it would be overwritten.
        let found = changes("x", &new, &listed, &there(&[("a", "1"), ("d", "mine")])).expect("ours");
        assert!(found.remove.is_empty());
        for foreign in [[("a", "mine")], [("e", "mine")]] {
            let refusal = changes("x", &new, &listed, &there(&foreign)).expect_err("foreign");
            assert!(
                refusal.message.contains("nothing was written") && refusal.message.contains(foreign[0].0)
            );
        }
        // An identical file is no conflict, whoever wrote it.
        assert!(changes("x", &new, &Listed::default(), &there(&[("e", "5")])).is_ok());
    }

    #[test]
    fn a_list_names_nothing_outside() {
        let json = |path: &str| format!("{{\"schema\":\"{SCHEMA}\",\"files\":{{\"{path}\":\"00\"}}}}");
        for path in ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a\\\\b", "C:x"] {
            let listed = Listed::parse(&json(path)).expect("a list");
            assert_eq!(listed.paths().count(), 0, "{path}");
        }
        assert!(Listed::parse("{}").is_none());
        assert!(Listed::parse("[]").is_none());
    }
}
