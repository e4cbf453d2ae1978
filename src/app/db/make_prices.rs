//! Makes the shipped prices from two price files: the file of records and the page about it.

use crate::app::refusal::Refusal;
use crate::catalog::import::Imported;
use crate::catalog::{Catalog, shipped_prices, write};
use crate::render::View;
use crate::render::shipped_prices::page;
use jiff::civil::Date;

/// The files that are shipped.
#[derive(Debug)]
pub struct Made {
    /// The records, as TOML.
    pub records: String,
    pub page: View,
    /// A summary in one line.
    pub summary: String,
}

/// Takes the prices of the first file and compares them with the second; `sources` names both with their
/// versions.
pub fn make_prices(first: Imported, second: &Imported, sources: &str, today: Date) -> Result<Made, Refusal> {
    let rules = shipped_prices::Rules::shipped().map_err(|e| Refusal::failed(e.to_string()))?;
    let shipped = shipped_prices::ship(first, second, &rules, &Catalog::embedded(), today);
    let head = format!(
        "Models rented by the token: {sources}, read {today}.\n\
         Made by `make prices`; do not edit. Rules and decisions: src/catalog/shipped_prices/rules.toml,\n\
         docs/prices.md. Both sources are under the MIT licence: README.md."
    );
    Ok(Made {
        records: write::api_models(&head, &shipped.models),
        page: page(&shipped, sources, today),
        summary: format!(
            "{} models of {} providers, {} disagreements",
            shipped.models.len(),
            shipped.counts.len(),
            shipped.disagreements.len()
        ),
    })
}
