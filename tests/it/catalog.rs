//! The shipped catalogue, and the user's records over it.

use freehold::catalog::{Catalog, check, shipped_files, text};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 22);

/// Every shipped file, read with its places and held against every rule.
#[test]
fn shipped_records_are_believable() {
    let catalog = Catalog::embedded();
    let (parsed, mut problems) = text::parse_all(shipped_files());
    problems.extend(check::files(&parsed, &catalog, TODAY));
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{} problems\n\n{}", shown.len(), shown.join("\n\n"));
}

#[test]
fn what_is_embedded_is_what_the_files_say() {
    let mut catalog = Catalog::default();
    let (parsed, problems) = text::parse_all(shipped_files());
    assert!(problems.is_empty());
    let embedded = Catalog::embedded();
    for file in &parsed {
        catalog.api_models.extend(file.records.api_models.iter().map(|e| e.record.clone()));
        catalog.accelerators.extend(file.records.accelerators.iter().map(|e| e.record.clone()));
    }
    catalog.api_models.sort_by(|a, b| a.id.cmp(&b.id));
    catalog.accelerators.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(catalog.api_models, embedded.api_models);
    assert_eq!(catalog.accelerators, embedded.accelerators);
}
