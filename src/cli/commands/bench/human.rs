//! `--human FILE`: the grades that a person gave some answers.

use crate::app::bench::human;
use crate::cli::error::CliError;
use crate::cli::files::read_capped;
use crate::document::bench::build::{Basis, HumanGrade};
use std::path::Path;

/// Most bytes of such a file.
const LARGEST: u64 = 16 << 20;

/// Reads the grades.
pub fn read(path: &Path, basis: &Basis) -> Result<Vec<HumanGrade>, CliError> {
    let text = read_capped(path, LARGEST)?;
    let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    Ok(human::grades(&text, &path.display().to_string(), is_csv, basis)?)
}
