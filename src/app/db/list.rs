//! Lists and searches records.

use crate::app::refusal::Refusal;
use crate::catalog::{Catalog, Kind};
use crate::render::db::{Listing, record_rows};
use crate::spelling::nearest;
use jiff::civil::Date;

/// Which records are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub kind: Option<Kind>,
    /// The provider of rentals, subscriptions and API models.
    pub provider: Option<String>,
    /// Capability tier, 1 (highest) to 4.
    pub tier: Option<u8>,
}

/// The records of the catalogue.
pub fn list<'a>(
    catalog: &'a Catalog,
    filter: &Filter,
    today: Date,
    now: &'a str,
) -> Result<Listing<'a>, Refusal> {
    let keep = |row: &record_rows::Row<'_>| {
        filter.tier.is_none_or(|t| row.tier == Some(t))
            && filter
                .provider
                .as_ref()
                .is_none_or(|p| row.provider.as_ref().is_some_and(|o| o.eq_ignore_ascii_case(p)))
    };
    let kinds = select(catalog, filter.kind, &keep, today);
    if kinds.is_empty() {
        return Err(nothing(filter.provider.as_deref(), catalog));
    }
    Ok(Listing { command: "list", kinds, now })
}

/// The records that hold every one of the words.
pub fn search<'a>(
    catalog: &'a Catalog,
    words: &[String],
    kind: Option<Kind>,
    today: Date,
    now: &'a str,
) -> Result<Listing<'a>, Refusal> {
    let wanted: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
    let kinds = select(catalog, kind, &|row| wanted.iter().all(|w| row.words.contains(w)), today);
    if kinds.is_empty() {
        let near = nearest(&words.join("-"), Kind::ALL.into_iter().flat_map(|k| catalog.ids(k)), 5);
        let refusal = Refusal::failed(format!("no record holds all of: {}", words.join(" ")));
        return Err(if near.is_empty() {
            refusal
        } else {
            refusal.hint(format!("close: {}", near.join(", ")))
        });
    }
    Ok(Listing { command: "search", kinds, now })
}

fn nothing(provider: Option<&str>, catalog: &Catalog) -> Refusal {
    let error = Refusal::failed("no record fits");
    let Some(provider) = provider else { return error };
    let mut known: Vec<&str> = catalog.api_models.iter().map(|m| m.provider.as_str()).collect();
    known.extend(catalog.rentals.iter().map(|r| r.provider.as_str()));
    known.sort_unstable();
    known.dedup();
    let near = nearest(provider, known.iter().copied(), 3);
    error.hint(if near.is_empty() {
        format!("providers: {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(", "))
    })
}

fn select<'a>(
    catalog: &'a Catalog,
    kind: Option<Kind>,
    keep: &dyn Fn(&record_rows::Row<'_>) -> bool,
    today: Date,
) -> Vec<(Kind, Vec<record_rows::Row<'a>>)> {
    Kind::ALL
        .into_iter()
        .filter(|k| kind.is_none_or(|only| only == *k))
        .map(|k| (k, record_rows::of(k, catalog, today).into_iter().filter(|r| keep(r)).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}
