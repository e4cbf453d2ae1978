//! Usage records: every sample beside its totals, the traps of each format one by one, damage, privacy.

// Rows are written here as logs write them, and values are made where they are used.
#![allow(clippy::needless_pass_by_value, clippy::unreadable_literal)]

mod agents;
mod command;
mod damage;
mod document;
mod flow;
mod gateways;
mod generic;
mod needs;
mod privacy;
mod prompts;
mod providers;
mod samples;
mod servers;
mod variants;
mod whole;

use freehold::usage::summary::Usage;
use freehold::usage::{Import, Mapping, Settings, Unreadable};

/// What several texts, each a file, add up to.
fn usage_of(files: &[&str]) -> Usage {
    with(files, Settings::default())
}

fn with(files: &[&str], settings: Settings) -> Usage {
    let mut import = Import::new(settings, None);
    for (n, file) in files.iter().enumerate() {
        import.read(file.as_bytes()).unwrap_or_else(|e| panic!("file {n}: {e:?}"));
    }
    import.finish()
}

fn mapped(file: &str, pairs: &str) -> Usage {
    let mapping = Some(Mapping::from_pairs(pairs).expect("a good mapping"));
    with(&[file], Settings { mapping, ..Settings::default() })
}

fn refused(file: &str) -> Unreadable {
    Import::new(Settings::default(), None).read(file.as_bytes()).expect_err("must be refused")
}

/// Input, cache reads, all cache writes, output, reasoning.
fn tokens(usage: &Usage) -> [u64; 5] {
    let t = &usage.totals;
    [t.input, t.cache_read, t.cache_write_5m + t.cache_write_1h + t.cache_write_other, t.output, t.reasoning]
}

fn requests(usage: &Usage) -> Option<u64> {
    usage.totals.requests()
}

/// The reasons of what was skipped, with their records, in order of appearance.
fn skipped(usage: &Usage) -> Vec<(String, u64)> {
    usage.skipped.iter().map(|s| (usage.reason(s), s.records)).collect()
}

fn usd(usage: &Usage) -> Option<f64> {
    usage.bill.usd.map(freehold::usage::summary::Usd::get)
}

fn source(usage: &Usage) -> &'static str {
    usage.sources.first().expect("a source").name
}
