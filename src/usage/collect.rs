//! Collects the records that readers find: drops repeats, skips records that cannot be true, and adds up
//! the rest immediately. Memory grows with the number of ids, not with the size of the files.

mod by_model;
mod by_time;
mod calendar;
mod finish;
mod models;
mod repeats;
mod source;

use super::record::{Class, Clock, Keep, ModelId, Reason, Record, Repeat, Skip, Tier, Tokens, When, reason};
use super::summary::{
    Bounds, Currency, Embeddings, Granularity, Note, Place, Repriced, Skipped, Totals, Usd,
};
use by_model::ByModel;
use by_time::ByTime;
use calendar::DAY;
use foldhash::fast::FixedState;
use jiff::tz::TimeZone;
use models::Models;
use repeats::Repeats;
use source::PerSource;
use std::collections::HashSet;
use std::fmt;

/// The most tokens that one request can have: a thousand times today's largest context.
const MOST_IN_ONE_REQUEST: u64 = 1_000_000_000;
/// The most different users that are counted.
const MOST_USERS: usize = 1 << 20;

/// A record whose price is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Priced<'a> {
    /// Name of its format, which decides which provider's prices apply.
    pub source: &'static str,
    /// The model's name in the source.
    pub model: &'a str,
    pub when: Option<When>,
    /// Number of requests; `None` where the source does not say. A record of several requests has no single
    /// context length.
    pub requests: Option<u64>,
    pub single: bool,
    pub tokens: &'a Tokens,
    pub tier: Tier,
    /// Were the requests in the price tier for long contexts? `None` where the bucket does not say.
    pub long_context: Option<bool>,
}

/// Returns the charge for a record at the prices of its day, US dollars; `None` where there is no price.
pub type Price<'p> = Box<dyn FnMut(&Priced) -> Option<f64> + 'p>;

/// Adds up the records that readers find.
pub struct Collector<'p> {
    now: Option<i64>,
    zone: TimeZone,
    price: Option<Price<'p>>,
    models: Models,
    sources: Vec<PerSource>,
    /// Index of the source that is being read.
    source: usize,
    file: u32,
    line: u64,
    repeats: Repeats,
    totals: Totals,
    batch: Totals,
    by_model: ByModel,
    by_time: ByTime,
    only_buckets: bool,
    /// For records that state a number of requests: that number, and their tokens by part.
    mean: (u64, [u64; 7]),
    skipped: Vec<Skipped>,
    embeddings: Embeddings,
    users: HashSet<u64, FixedState>,
    repriced: Repriced,
    prompt_bounds: Option<Bounds>,
    output_bounds: Option<Bounds>,
}

impl fmt::Debug for Collector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("totals", &self.totals).finish_non_exhaustive()
    }
}

impl<'p> Collector<'p> {
    /// `now` is in seconds since 1970; records after it cannot be true. Days and hours are counted in
    /// `zone`.
    pub fn new(now: Option<i64>, zone: TimeZone, price: Option<Price<'p>>) -> Self {
        Self {
            now,
            zone,
            price,
            models: Models::default(),
            sources: Vec::new(),
            source: 0,
            file: 0,
            line: 0,
            repeats: Repeats::default(),
            totals: Totals::default(),
            batch: Totals::default(),
            by_model: ByModel::default(),
            by_time: ByTime::default(),
            only_buckets: false,
            mean: (0, [0; 7]),
            skipped: Vec::new(),
            embeddings: Embeddings::default(),
            users: HashSet::default(),
            repriced: Repriced::default(),
            prompt_bounds: None,
            output_bounds: None,
        }
    }

    /// The following records come from this source; `zero` is the reason under which its rows without use
    /// are skipped.
    pub fn enter(&mut self, name: &'static str, zero: &'static Reason) {
        let found = self.sources.iter().position(|s| s.name == name);
        self.source = found.unwrap_or_else(|| {
            self.sources.push(PerSource::new(name, zero));
            self.sources.len() - 1
        });
    }
    fn current(&mut self) -> &mut PerSource {
        &mut self.sources[self.source]
    }
    /// A file of the current source begins.
    pub fn begin_file(&mut self, file: u32) {
        self.file = file;
        self.line = 0;
        self.current().files += 1;
    }
    /// The number of the line that is being read, for the places of damage.
    pub const fn at_line(&mut self, line: u64) {
        self.line = line;
    }
    /// The file that is being read, counted from 1.
    pub const fn file(&self) -> u32 {
        self.file
    }
    /// The id of the model with this name.
    pub fn model(&mut self, name: Option<&str>) -> Result<ModelId, &'static Reason> {
        let name = name.map(str::trim).filter(|n| !n.is_empty()).unwrap_or("unknown");
        self.models.id(name).ok_or(&reason::TOO_MANY_MODELS)
    }
    /// The name of a model.
    pub fn model_name(&self, id: ModelId) -> &str {
        self.models.name(id)
    }
    /// Count a user by the hash of the name. Only the number of different users is kept.
    pub fn user(&mut self, hash: u64) {
        if hash != 0 && self.users.len() < MOST_USERS {
            self.users.insert(hash);
        }
    }
    /// Something that changes what the figures of the current source mean.
    pub fn note(&mut self, note: Note) {
        *self.current().notes.entry(note).or_default() += 1;
    }
    /// The source deletes its files after this many days.
    pub fn kept_days(&mut self, days: i32) {
        self.current().kept_days = Some(days);
    }
    /// The log records this share of the requests, 0 to 1.
    pub fn sampling(&mut self, share: f64) {
        if share > 0.0 && share < 1.0 {
            let source = self.current();
            source.sampling = Some(source.sampling.map_or(share, |s| s.min(share)));
            *source.notes.entry(Note::Sampled).or_default() += 1;
        }
    }
    /// What a record of the current source stands for, if not a request or bucket: a difference of
    /// counters, or a sum over the life of a process.
    pub fn granularity(&mut self, granularity: Granularity) {
        let source = self.current();
        source.granularity = Some(source.granularity.map_or(granularity, |g| g.min(granularity)));
    }
    /// Add to the number of records in which a field has a value, for
    /// [`Source::fields`](super::summary::Source::fields).
    pub fn field(&mut self, path: &str, records: u64) {
        let fields = &mut self.current().fields;
        match fields.iter_mut().find(|(known, _)| known == path) {
            Some((_, n)) => *n += records,
            None => fields.push((path.to_owned(), records)),
        }
    }
    /// Count a repeat that was dropped.
    pub fn duplicate(&mut self) {
        self.current().duplicates += 1;
    }
    /// Sizes from a server's histograms.
    pub fn bounds(&mut self, prompt: Option<Bounds>, output: Option<Bounds>) {
        self.prompt_bounds = prompt.or(self.prompt_bounds.take());
        self.output_bounds = output.or(self.output_bounds.take());
    }
    /// Count a record that is skipped, with the reason.
    pub fn skip(&mut self, skip: impl Into<Skip>) {
        let skip = skip.into();
        if let Some(usd) = skip.usd {
            self.charge(usd, 0);
        }
        let source = self.sources[self.source].name;
        self.skip_of(source, skip);
    }
    fn skip_of(&mut self, source: &'static str, skip: Skip) {
        let known = self.skipped.iter_mut().find(|s| s.source == source && s.reason == skip.reason);
        let entry = if let Some(entry) = known {
            entry
        } else {
            self.skipped.push(Skipped {
                source,
                reason: skip.reason,
                records: 0,
                details: std::collections::BTreeSet::new(),
                requests: 0,
                tokens: 0,
                lines: Vec::new(),
            });
            let last = self.skipped.len() - 1;
            &mut self.skipped[last]
        };
        entry.records += 1;
        entry.requests = entry.requests.saturating_add(skip.requests);
        entry.tokens = entry.tokens.saturating_add(skip.tokens);
        if let Some(detail) = skip.detail.filter(|_| entry.details.len() < 8) {
            entry.details.insert(detail);
        }
        if skip.reason.class == Class::Damaged && entry.lines.len() < 3 && self.line > 0 {
            entry.lines.push(Place { file: self.file, line: self.line });
        }
        if skip.reason.class == Class::Embedding {
            self.embeddings.requests = self.embeddings.requests.saturating_add(skip.requests);
            self.embeddings.input = self.embeddings.input.saturating_add(skip.tokens);
        }
    }
    fn charge(&mut self, usd: f64, requests: u64) {
        let bill = &mut self.current().bill;
        *bill.usd.get_or_insert_default() += Usd::of(usd);
        bill.requests += requests;
    }
    /// A line of a cost report. Its amounts are the bill, independently of any record.
    pub fn cost(&mut self, amount: f64, currency: Option<&str>) {
        let code = currency.and_then(Currency::of);
        let bill = &mut self.current().bill;
        bill.from_report = true;
        match code {
            Some(code) if !code.is_usd() => *bill.other.entry(code).or_default() += Usd::of(amount),
            _ => {
                bill.currency_assumed |= code.is_none();
                *bill.usd.get_or_insert_default() += Usd::of(amount);
            }
        }
    }
    /// The cost of a record in a currency other than US dollars.
    pub fn cost_in(&mut self, amount: f64, currency: Currency) {
        *self.current().bill.other.entry(currency).or_default() += Usd::of(amount);
    }
    /// The source names no currency, so US dollars are assumed.
    pub fn assume_usd(&mut self) {
        self.current().bill.currency_assumed = true;
    }
    /// An amount paid directly to a provider with the user's own key, in addition to what the source
    /// charges.
    pub fn byok(&mut self, usd: f64) {
        if usd != 0.0 {
            *self.current().bill.byok_usd.get_or_insert_default() += Usd::of(usd);
        }
    }

    /// Was this id seen before? From now on it counts as seen. For sources in which every id counts once.
    pub fn seen(&mut self, id: u64) -> bool {
        self.repeats.seen(id)
    }

    /// Count a record, unless it is a repeat or cannot be true.
    pub fn record(&mut self, record: Record, keep: Keep) {
        if let Err(reason) = self.possible(&record) {
            return self.skip(reason);
        }
        match keep {
            Keep::All => self.add(&record, self.source),
            Keep::First(id) => {
                if self.repeats.seen_or_held(id) {
                    self.duplicate();
                } else {
                    self.add(&record, self.source);
                }
            }
            Keep::Largest(repeat) => self.hold(record, repeat, false),
            Keep::Last(id) => self.hold(record, Repeat { id, request: 0, copy: false }, true),
        }
    }

    fn hold(&mut self, record: Record, repeat: Repeat, always: bool) {
        if self.repeats.hold(record, self.source, repeat, always) {
            self.duplicate();
        }
    }

    fn possible(&self, record: &Record) -> Result<(), &'static Reason> {
        let future = |when: When| {
            when.clock == Clock::Utc && self.now.is_some_and(|now| when.start > now.saturating_add(DAY))
        };
        if record.when.is_some_and(future) {
            return Err(&reason::FUTURE);
        }
        if record.single && record.tokens.all() > MOST_IN_ONE_REQUEST {
            return Err(&reason::ABSURD);
        }
        Ok(())
    }

    /// Add up the records that were held back because a fuller version could follow.
    fn release(&mut self) {
        self.line = 0;
        for (record, source) in std::mem::take(&mut self.repeats).into_records() {
            self.add(&record, source);
        }
    }

    fn add(&mut self, record: &Record, source: usize) {
        let name = self.sources[source].name;
        if record.is_empty() {
            return self.skip_of(name, Skip::of(self.sources[source].zero));
        }
        if !self.totals.has_room_for(&record.tokens) {
            return self.skip_of(name, Skip::of(&reason::ABSURD));
        }
        let batch = record.tier == Tier::Batch;
        self.totals.add(record);
        if batch {
            self.batch.add(record);
        }
        self.by_model.add(record, batch);
        self.sources[source].add(record);
        self.by_time.add(record, batch);
        self.only_buckets |= !record.single;
        if let Some(requests) = record.requests {
            self.mean.0 = self.mean.0.saturating_add(requests);
            for (sum, part) in self.mean.1.iter_mut().zip(record.tokens.parts()) {
                *sum = sum.saturating_add(part);
            }
        }
        self.add_price(record, source);
    }

    fn add_price(&mut self, record: &Record, source: usize) {
        let Some(price) = &mut self.price else { return };
        let usd = price(&Priced {
            source: self.sources[source].name,
            model: self.models.name(record.model),
            when: record.when,
            requests: record.requests,
            single: record.single,
            tokens: &record.tokens,
            tier: record.tier,
            long_context: record.long_context,
        });
        match usd.filter(|usd| usd.is_finite()) {
            Some(usd) => {
                *self.repriced.usd.get_or_insert_default() += Usd::of(usd);
                if let Some(stated) = record.usd {
                    self.repriced.both_stated_usd += Usd::of(stated);
                    self.repriced.both_repriced_usd += Usd::of(usd);
                }
            }
            None if record.tokens.all() > 0 => self.by_model.add_unpriced(record),
            None => {}
        }
    }
}
