//! Finds where two sources of prices disagree.

use crate::app::refusal::Refusal;
use crate::catalog::compare::{Change, Comparison, compare};
use crate::catalog::import::Format;
use crate::catalog::shipped_prices::Rules;
use crate::catalog::{ApiModel, Catalog};
use crate::document::db::{Decision, Differences};
use jiff::civil::Date;

/// A source of prices.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name, as it was given: `shipped`, `mine`, `litellm:prices.json`.
    pub name: String,
    /// The format, where it is a file.
    pub format: Option<Format>,
    pub models: Vec<ApiModel>,
}

/// What differs; of all providers where none is named; with `changed` only figures that both have.
pub fn diff(
    mut old: Source,
    mut new: Source,
    providers: &[String],
    changed: bool,
    today: Date,
) -> Result<Differences, Refusal> {
    let wanted = |m: &ApiModel| providers.is_empty() || providers.contains(&m.provider);
    old.models.retain(wanted);
    new.models.retain(wanted);
    let mut comparison = compare(&old.models, &new.models, today);
    if changed {
        comparison.added.clear();
        comparison.gone.clear();
        comparison.changed.retain(|c| c.old.is_some() && c.new.is_some());
    }
    let decisions = decisions(&old, &new, &comparison)?;
    Ok(Differences { a: old.name, b: new.name, comparison, decisions })
}

/// What was decided for the shipped prices where these two disagree.
fn decisions(old: &Source, new: &Source, c: &Comparison) -> Result<Vec<Decision>, Refusal> {
    if (old.format, new.format) != (Some(Format::GenaiPrices), Some(Format::Litellm)) {
        return Ok(Vec::new());
    }
    let rules = Rules::shipped().map_err(|e| Refusal::failed(e.to_string()))?;
    let shipped = Catalog::embedded();
    let mut found: Vec<Decision> = c
        .changed
        .iter()
        .filter(|change| change.old.is_some() && change.new.is_some())
        .filter_map(|change| {
            let id = shipped.resolve_api_model(&change.id).ok()?.model().id.clone();
            let (second, why) = rules.decide(&Change { id: id.clone(), ..change.clone() });
            Some(Decision { id, shipped: if second { "litellm" } else { "genai-prices" }, reason: why })
        })
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}
