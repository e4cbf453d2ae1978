//! Profiles, scenarios, catalogue files and price files that people bring along: values, or problems
//! that name the file.

use freehold::catalog::import::{Format, Origin, read};
use freehold::catalog::{Catalog, check, text};
use freehold::cost::Scenario;
use freehold::workload::Profile;

pub fn check(data: &[u8]) {
    let Ok(given) = std::str::from_utf8(data) else { return };
    if let Err(error) = Profile::parse("mine.toml", given) {
        assert!(error.to_string().contains("mine.toml"), "{error}");
    }
    if let Err(error) = Scenario::parse(given, "mine.toml") {
        assert!(error.to_string().contains("mine.toml"), "{error}");
    }
    let today = jiff::civil::date(2026, 11, 22);
    let mut problems = Vec::new();
    let parsed = text::parse("mine.toml", given, &mut problems);
    problems.extend(check::files(&[parsed], &Catalog::default(), today));
    for problem in problems {
        assert!(problem.to_string().starts_with("mine.toml"), "{problem}");
    }
    let origin = Origin { file: "mine.json".to_owned(), source: "fuzz".to_owned(), as_of: today };
    for format in [Format::Litellm, Format::GenaiPrices, Format::ModelsDev, Format::OpenRouter] {
        let _ = read(format, given, &origin);
    }
}
