//! Checks of catalogue records: ids, units, ranges, references, dates, duplicates.
//!
//! A rule looks at one record and reports the path of the key that is wrong; its place in the file is added
//! here. A slip of the unit (a price per thousand tokens, or per token) gives a valid number of the wrong
//! size, and is caught by its distance from the median of its class.

mod rules;

use super::text::{Parsed, Places, Problem, Records};
use super::{ApiModel, Catalog, Kind};
use jiff::civil::Date;
use std::collections::BTreeMap;

pub use rules::{MAX_USD_PER_MTOK, Medians};

/// Check the records of some files against each other, and against the catalogue they become part of.
pub fn files(parsed: &[Parsed<'_>], catalog: &Catalog, today: Date) -> Vec<Problem> {
    let mut problems = duplicates(parsed);
    let medians = Medians::of(catalog);
    for file in parsed {
        macro_rules! each {
            ($($list:ident => $rule:path),*) => {$(
                for entry in &file.records.$list {
                    let mut report = |path: &str, message: String, expected: &str| {
                        problems.push(file.problem(
                            &entry.places,
                            path,
                            format!("{}: {message}", entry.record.id),
                            expected,
                        ));
                    };
                    rules::common(
                        &entry.record.id, &entry.record.source, entry.record.as_of,
                        &entry.record.cite, today, &mut report,
                    );
                    rules::citations(&entry.record, &entry.record.cite, &mut report);
                    $rule(&entry.record, catalog, &medians, &mut report);
                }
            )*};
        }
        each!(
            accelerators => rules::accelerator,
            machines => rules::machine,
            hosts => rules::host,
            rentals => rules::rental,
            subscriptions => rules::subscription,
            tariffs => rules::tariff,
            open_models => rules::open_model,
            api_models => rules::api_model,
            currencies => rules::currency,
            providers => rules::provider,
            ranges => rules::range
        );
    }
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems
}

/// API models that no catalogue file may contain, each with the first reason. For records that come from
/// elsewhere and have no place in a file yet.
pub fn unusable(models: &[ApiModel], catalog: &Catalog, today: Date) -> Vec<(String, String)> {
    let medians = Medians::of(catalog);
    let mut found = Vec::new();
    for model in models {
        let mut first = None;
        let mut report = |_: &str, message: String, expected: &str| {
            if first.is_none() {
                first = Some(format!("{message}; expected {expected}"));
            }
        };
        rules::common(&model.id, &model.source, model.as_of, &model.cite, today, &mut report);
        rules::api_model(model, catalog, &medians, &mut report);
        found.extend(first.map(|reason| (model.id.clone(), reason)));
    }
    found
}

/// The same id twice within one layer; the problem names both places.
fn duplicates(parsed: &[Parsed<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for kind in Kind::ALL {
        let mut seen: BTreeMap<&str, (&Parsed<'_>, &Places)> = BTreeMap::new();
        for file in parsed {
            for (id, places) in ids(file, kind) {
                let Some((other, first)) = seen.get(id) else {
                    seen.insert(id, (file, places));
                    continue;
                };
                let line = other.problem(first, "id", "", "").line;
                let message = format!(
                    "{} `{id}` is already in {}, line {line}",
                    kind.key().replace('_', " "),
                    other.name
                );
                problems.push(file.problem(places, "id", message, "each id once"));
            }
        }
    }
    problems
}

/// The ids of one kind in a file, with their places.
fn ids<'a>(file: &'a Parsed<'_>, kind: Kind) -> Vec<(&'a str, &'a Places)> {
    let Records {
        accelerators,
        machines,
        hosts,
        rentals,
        subscriptions,
        tariffs,
        open_models,
        api_models,
        currencies,
        providers,
        ranges,
    } = &file.records;
    macro_rules! list {
        ($list:expr) => {
            $list.iter().map(|e| (e.record.id.as_str(), &e.places)).collect()
        };
    }
    match kind {
        Kind::Gpu => list!(accelerators),
        Kind::Machine => list!(machines),
        Kind::Host => list!(hosts),
        Kind::Rental => list!(rentals),
        Kind::Subscription => list!(subscriptions),
        Kind::Tariff => list!(tariffs),
        Kind::OpenModel => list!(open_models),
        Kind::ApiModel => list!(api_models),
        Kind::Currency => list!(currencies),
        Kind::Provider => list!(providers),
        Kind::Range => list!(ranges),
    }
}
