//! Messages about files that were not read: what they look like, the nearest format, and what to do. Files
//! are numbers here; no path and no text of a file gets in.

use crate::app::refusal::Refusal;
use crate::document::envelope::Warning;
use crate::usage::import::cause;
use crate::usage::recognise::{Container, Mixed, Unknown};
use crate::usage::{Foreign, Unreadable};

/// How a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The user named it.
    Named,
    /// It was in a folder that the user named.
    InFolder,
}

/// Why a file of a folder was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Unknown,
    Mixed,
    NoText,
    Unopened,
}

/// A file of a folder that was left out.
#[derive(Debug, Clone)]
pub(super) struct LeftOut {
    file: u32,
    why: Why,
    nearest: Option<&'static str>,
}

impl LeftOut {
    /// `None` where the error must end the reading.
    pub(super) fn of(file: u32, error: &Unreadable) -> Option<Self> {
        let (why, nearest) = match error {
            Unreadable::Io(_) => (Why::Unopened, None),
            Unreadable::Foreign(_) => (Why::NoText, None),
            Unreadable::Unknown(unknown) => (Why::Unknown, unknown.nearest),
            Unreadable::NoSuchColumns { .. } => (Why::Unknown, None),
            Unreadable::Mixed(_) => (Why::Mixed, None),
            Unreadable::NoMapping => return None,
        };
        Some(Self { file, why, nearest })
    }
    pub(super) const fn unopened(file: u32) -> Self {
        Self { file, why: Why::Unopened, nearest: None }
    }
}

/// `file 3`, `files 3, 5, 6 …`.
fn numbers(files: &[u32]) -> String {
    let first: Vec<String> = files.iter().take(3).map(u32::to_string).collect();
    let more = if files.len() > 3 { " …" } else { "" };
    format!("{} {}{more}", if files.len() == 1 { "file" } else { "files" }, first.join(", "))
}

/// Files of folders that were left out, in one sentence each.
pub(super) fn warning(left_out: &[LeftOut]) -> Vec<Warning> {
    [Why::Unknown, Why::Mixed, Why::NoText, Why::Unopened]
        .into_iter()
        .filter_map(|why| {
            let files: Vec<u32> = left_out.iter().filter(|l| l.why == why).map(|l| l.file).collect();
            let count = files.len();
            let were = if count == 1 { "1 file was".to_owned() } else { format!("{count} files were") };
            let what = match why {
                Why::Unknown => "of no format that is known",
                Why::Mixed => "of several formats at once",
                Why::NoText => "no text",
                Why::Unopened => "not readable",
            };
            let message = format!("{were} {what} and left out ({}).", numbers(&files));
            (count > 0).then(|| Warning::new("usage-files-left-out", message))
        })
        .collect()
}

/// The refusal where every file of the folders was left out.
pub(super) fn nothing_known(left_out: &[LeftOut]) -> Refusal {
    let files: Vec<u32> = left_out.iter().map(|l| l.file).collect();
    let parts: Vec<String> = warning(left_out).into_iter().map(|w| w.message).collect();
    let refusal = Refusal::input(format!(
        "none of the {} is a record of usage: {}",
        count(files.len()),
        parts.join(" ")
    ));
    let nearest = left_out.iter().find_map(|l| l.nearest);
    refusal.hint(match nearest {
        Some(name) => {
            format!("the nearest format is {name} (--from {name}); or say what the columns mean with --map")
        }
        None => "name a file for its fields to be listed; --map says what they mean".to_owned(),
    })
}

fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

/// The refusal of `--from generic` without a mapping.
pub(super) fn no_mapping() -> Refusal {
    Refusal::input("--from generic: what the columns mean is not said")
        .hint("--map input=prompt_tokens,output=completion_tokens,time=created_at,model=model, or --map @mapping.json")
}

/// The refusal of a named file that cannot be read.
pub fn refused(file: u32, error: &Unreadable) -> Refusal {
    match error {
        Unreadable::Io(e) => Refusal::failed(format!("file {file} cannot be read: {}", cause(e))),
        Unreadable::Foreign(foreign) => {
            let (what, hint) = of_foreign(*foreign);
            Refusal::input(format!("file {file} is {what}, not a text of records")).hint(hint)
        }
        Unreadable::Unknown(unknown) => {
            Refusal::input(format!("file {file} is of no format that is known: {}", looks(unknown)))
                .hint(remedy(unknown))
        }
        Unreadable::Mixed(Mixed(formats)) => {
            let parts: Vec<String> =
                formats.iter().map(|(name, rows)| format!("{rows} of {name}")).collect();
            Refusal::input(format!("file {file} has rows of several formats: among the first are {}", parts.join(", ")))
                .hint("give each format a file of its own, or take all rows for one of them with --from NAME")
        }
        Unreadable::NoSuchColumns { wanted, found } => Refusal::input(format!(
            "file {file} has none of the columns {}: {}",
            list(wanted, 12),
            looks(found)
        ))
        .hint("check the names in --map, and the delimiter (--map delimiter=;,…); names are compared as they are written"),
        Unreadable::NoMapping => no_mapping(),
    }
}

const fn of_foreign(foreign: Foreign) -> (&'static str, &'static str) {
    match foreign {
        Foreign::Sqlite => (
            "an SQLite database",
            "export the table first; for opencode: sqlite3 -json opencode.db 'select data from message' > messages.json",
        ),
        Foreign::Zip => ("a ZIP archive", "unpack it and give the files in it"),
        Foreign::Zstandard => ("packed by Zstandard", "unpack it first: zstd -dc FILE | freehold usage -"),
        Foreign::Parquet => ("a Parquet file", "export it as CSV or JSON Lines first"),
        Foreign::Pdf => ("a PDF", "an invoice states no requests: export the usage as CSV or JSON instead"),
        Foreign::Binary => ("no text", "logs and exports are read as JSON, JSON Lines, CSV or text"),
    }
}

fn list(names: &[String], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    let more = names.len().saturating_sub(most);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// What a file looks like, in words.
fn looks(unknown: &Unknown) -> String {
    let kind = match unknown.container {
        Container::JsonLines => "JSON Lines",
        Container::Json => "a JSON document",
        Container::Table(b'\t') => "a table parted by tabs",
        Container::Table(b';') => "a table parted by semicolons",
        Container::Table(b'|') => "a table parted by bars",
        Container::Table(_) => "a table parted by commas",
        Container::Lines => return "lines of text".to_owned(),
    };
    match (unknown.fields.is_empty(), unknown.others) {
        (true, 0) => kind.to_owned(),
        (true, 1) => format!("{kind} with 1 field, whose name may be data and is not shown"),
        (true, n) => format!("{kind} with {n} fields, whose names may be data and are not shown"),
        (false, 0) => format!("{kind} with the fields {}", list(&unknown.fields, 20)),
        (false, 1) => format!("{kind} with the fields {} and 1 other", list(&unknown.fields, 20)),
        (false, n) => format!("{kind} with the fields {} and {n} others", list(&unknown.fields, 20)),
    }
}

fn remedy(unknown: &Unknown) -> String {
    let mapped = unknown.suggested.as_ref().map_or_else(
        || "say what its columns mean: --map input=COLUMN,output=COLUMN,time=COLUMN,model=COLUMN".to_owned(),
        |pairs| format!("say what its columns mean, perhaps: --map '{pairs}'"),
    );
    match unknown.nearest {
        Some(name) => format!("{mapped}\nthe nearest format is {name}: --from {name} takes the file for it"),
        None => format!("{mapped}\n`freehold usage --help` lists the formats"),
    }
}
