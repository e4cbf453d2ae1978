//! `--human FILE`: what a person says of some answers.

use crate::app::bench::human;
use crate::cli::error::CliError;
use crate::cli::files::read_capped;
use crate::document::bench::build::{Basis, HumanGrade};
use std::path::Path;

/// Largest such file, bytes.
const LARGEST: u64 = 16 << 20;

/// Read them.
pub fn read(path: &Path, basis: &Basis) -> Result<Vec<HumanGrade>, CliError> {
    let text = read_capped(path, LARGEST)?;
    let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    Ok(human::grades(&text, &path.display().to_string(), is_csv, basis)?)
}
