//! Checks that records are well-formed.

use crate::catalog::{Catalog, check as rules, text};
use crate::document::db::{Checked, CheckedFile};
use jiff::civil::Date;

/// Files of records: name and text.
type Files = Vec<(String, String)>;

/// Checks files layer by layer, each against the shipped records with the earlier layers laid over them.
/// Reports all problems at once.
pub fn check(layers: &[Files], today: Date) -> Checked {
    let (mut checked, mut catalog) = (Checked::default(), Catalog::embedded());
    for files in layers {
        let (parsed, problems) = text::parse_all(files);
        let counted =
            parsed.iter().map(|p| CheckedFile { file: p.name.to_owned(), records: p.records.len() });
        checked.files.extend(counted);
        checked.problems.extend(problems);
        catalog.lay(&parsed);
        checked.problems.extend(rules::files(&parsed, &catalog, today));
    }
    checked
}
