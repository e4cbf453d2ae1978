//! The warnings of a usage document.

use crate::document::envelope::Warning;
use crate::usage::record::Class;
use crate::usage::summary::{Note, Usage};

/// What a reader must know before trusting the figures.
pub fn warnings(usage: &Usage) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for source in &usage.sources {
        for note in source.notes.keys() {
            let (id, message) = of_note(*note);
            warnings.push(Warning::new(id, message).about(source.name));
        }
    }
    let damaged: u64 = usage.skipped.iter().filter(|s| s.class() == Class::Damaged).map(|s| s.records).sum();
    if damaged > 0 {
        let records = if damaged == 1 { "1 record".to_owned() } else { format!("{damaged} records") };
        let message =
            format!("{records} could not be read or cannot be true; they are listed and not counted.");
        warnings.push(Warning::new("usage-damaged-records", message));
    }
    let requests = usage.totals.requests();
    if usage.bill.usd.is_some()
        && !usage.bill.from_report
        && requests.is_some_and(|n| usage.bill.requests < n)
    {
        let message = format!(
            "The sources state a cost for {} of {} requests: a part of the bill, not the bill.",
            usage.bill.requests,
            requests.unwrap_or(0)
        );
        warnings.push(Warning::new("usage-bill-partial", message));
    }
    if usage.bill.currency_assumed {
        let message = "The source names no currency for its costs; they were taken for US dollars.";
        warnings.push(Warning::new("usage-currency-assumed", message));
    }
    if usage.sources.iter().filter(|s| s.bill.usd.is_some()).count() > 1 {
        let message =
            "Several sources state a bill. Where they saw the same traffic, their sum counts it twice.";
        warnings.push(Warning::new("usage-several-bills", message));
    }
    warnings
}

const fn of_note(note: Note) -> (&'static str, &'static str) {
    match note {
        Note::CutOff => (
            "usage-cut-off",
            "The last page announces another (`has_more`): the export is cut off. Fetch the next pages, too.",
        ),
        Note::CacheSideUnknown => (
            "usage-cache-side-unknown",
            "Nothing in some records tells whether cached tokens are inside the input count; the source's usual way was taken.",
        ),
        Note::TotalContradicts => {
            ("usage-total-contradicts", "Some records state a total that is not the sum of their parts.")
        }
        Note::CostCountsCacheTwice => (
            "usage-cost-counts-cache-twice",
            "Some stated costs price cached tokens twice, because the log had them inside the input as well; they are shown as stated.",
        ),
        Note::HiddenModel => (
            "usage-hidden-model",
            "Some model names are inference profiles, which hide the model: they have no price until they are mapped.",
        ),
        Note::MaybeSampled => {
            ("usage-maybe-sampled", "Traces are often sampled. If these are, every total is a lower bound.")
        }
        Note::ExportLimit => (
            "usage-export-limit",
            "An export has exactly as many rows as one may have: it was probably cut there.",
        ),
        Note::Retention => (
            "usage-retention",
            "The source deletes its older files. The oldest days survive in part and are left out of what is scaled to a month.",
        ),
        Note::GroupedDifferently => (
            "usage-grouped-differently",
            "Files of this source group the same traffic in different ways (by model, key, user …): it may be counted twice.",
        ),
        Note::RequestsIncludeFailed => (
            "usage-requests-include-failed",
            "The request count includes failed requests; split it by StatusCode to leave them out.",
        ),
        Note::Sampled => ("usage-sampled", "The log records a share of the requests only."),
        Note::NoHours => (
            "usage-no-hours",
            "A single scrape or a log without times says how much, not when. Ask Prometheus for a range (`query_range`) to see days and hours.",
        ),
        Note::CacheExceedsPrompt => (
            "usage-cache-exceeds-prompt",
            "More cache hits than prompt tokens: some hits could not be placed.",
        ),
        Note::NotUtf8 => {
            ("usage-not-utf8", "A file is not UTF-8: names may be wrong, numbers are not. Save it as UTF-8.")
        }
        Note::ParentMissing => (
            "usage-parent-missing",
            "Some sessions continue one that is not among the files; the calls they repeat from it are counted once, at the time of the repeat.",
        ),
        Note::ManyModels => (
            "usage-many-models",
            "More than 64 models: sizes are told apart for the first 64 and known together for the others.",
        ),
    }
}
