//! What records add up to: the value the document `freehold.usage` is made from.

use super::record::{Class, Detail, ModelId, Reason, Record, Tokens};
use super::shape::{Cluster, Size, Spread};
use std::collections::{BTreeMap, BTreeSet};

/// Sums over records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub records: u64,
    /// Requests of the records that say how many they are.
    pub requests_stated: u64,
    /// Records that do not say.
    pub records_without_requests: u64,
    pub input: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub cache_write_other: u64,
    pub output: u64,
    pub reasoning: u64,
    /// Records whose source states cache reads.
    pub records_stating_cache_read: u64,
    pub records_stating_cache_write: u64,
    pub records_stating_reasoning: u64,
}

impl Totals {
    /// Requests; absent where any record does not say.
    pub const fn requests(&self) -> Option<u64> {
        if self.records_without_requests == 0 { Some(self.requests_stated) } else { None }
    }
    /// The counts, as of one record.
    pub const fn parts(&self) -> [u64; 7] {
        [
            self.input,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.cache_write_other,
            self.output,
            self.reasoning,
        ]
    }
    /// Everything the models were given.
    pub fn prompt(&self) -> u64 {
        self.parts()[..5].iter().fold(0, |sum, part| sum.saturating_add(*part))
    }
    /// Prompt and output.
    pub fn tokens(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
    /// No counter would overflow.
    pub(super) fn has_room_for(&self, tokens: &Tokens) -> bool {
        self.tokens().checked_add(tokens.all()).is_some()
    }
    pub(super) fn add(&mut self, record: &Record) {
        let tokens = &record.tokens;
        self.records += 1;
        match record.requests {
            Some(n) => self.requests_stated = self.requests_stated.saturating_add(n),
            None => self.records_without_requests += 1,
        }
        self.input += tokens.input;
        self.cache_read += tokens.cache_read;
        self.cache_write_5m += tokens.cache_write_5m;
        self.cache_write_1h += tokens.cache_write_1h;
        self.cache_write_other += tokens.cache_write_other;
        self.output += tokens.output;
        self.reasoning += tokens.reasoning;
        self.records_stating_cache_read += u64::from(tokens.stated.cache_read);
        self.records_stating_cache_write += u64::from(tokens.stated.cache_write);
        self.records_stating_reasoning += u64::from(tokens.stated.reasoning);
    }
    pub(super) fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.requests_stated = self.requests_stated.saturating_add(other.requests_stated);
        self.records_without_requests += other.records_without_requests;
        self.input = self.input.saturating_add(other.input);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.cache_write_5m = self.cache_write_5m.saturating_add(other.cache_write_5m);
        self.cache_write_1h = self.cache_write_1h.saturating_add(other.cache_write_1h);
        self.cache_write_other = self.cache_write_other.saturating_add(other.cache_write_other);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
        self.records_stating_cache_read += other.records_stating_cache_read;
        self.records_stating_cache_write += other.records_stating_cache_write;
        self.records_stating_reasoning += other.records_stating_reasoning;
    }
}

/// Money as sources state it, exact to 10^-12: sums of many small costs do not drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Usd(i128);

impl Usd {
    /// From an amount; what is no number counts as nothing.
    #[allow(clippy::cast_possible_truncation)]
    pub fn of(amount: f64) -> Self {
        Self(if amount.is_finite() { (amount * 1e12).round() as i128 } else { 0 })
    }
    pub fn get(self) -> f64 {
        self.0 as f64 / 1e12
    }
}

impl std::ops::AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// The bill as the source states it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bill {
    /// Absent where no record states a cost.
    pub usd: Option<Usd>,
    /// Requests whose cost is stated; fewer than all is a part of the bill, not the bill.
    pub requests: u64,
    /// The amount comes from a cost report, not from the records.
    pub from_report: bool,
    /// Paid to providers directly with the user's own keys, not part of `usd`.
    pub byok_usd: Option<Usd>,
    /// Amounts in other currencies, by their code.
    pub other: BTreeMap<Currency, Usd>,
    /// The source does not name the currency; it was taken for USD.
    pub currency_assumed: bool,
}

/// A currency's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Of three letters.
    pub fn of(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.trim().as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|b| b.to_ascii_uppercase())))
    }
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
    pub fn is_usd(self) -> bool {
        self.0 == *b"USD"
    }
}

/// The same records at the prices of their days.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Repriced {
    /// Of the records that have a price; absent where none has.
    pub usd: Option<Usd>,
    /// Records whose cost the source states *and* that have a price: both sums, to be held against each
    /// other.
    pub both_stated_usd: Usd,
    pub both_repriced_usd: Usd,
    /// Models without a price, with what they used: never counted as zero.
    pub unpriced: Vec<(String, Totals)>,
}

/// Skipped records of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    pub source: &'static str,
    pub reason: &'static Reason,
    pub records: u64,
    pub details: BTreeSet<Detail>,
    /// What is counted apart.
    pub requests: u64,
    pub tokens: u64,
    /// The first three lines, where they are damage.
    pub lines: Vec<Place>,
}

/// A line of one of the files, counted as they were given; never a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Counted from 1.
    pub file: u32,
    /// Counted from 1.
    pub line: u64,
}

impl Skipped {
    pub const fn class(&self) -> Class {
        self.reason.class
    }
    /// The reason with its details filled in; models by `name`.
    pub fn text(&self, name: impl Fn(ModelId) -> String) -> String {
        let mut details: Vec<String> = self
            .details
            .iter()
            .map(|detail| match detail {
                Detail::Word(word) => (*word).to_owned(),
                Detail::Number(n) => n.to_string(),
                Detail::Model(id) => name(*id),
            })
            .collect();
        // Status codes: the usual ones before the gateway's own negative ones.
        details.sort_by_key(|d| d.starts_with('-'));
        let requests = if self.requests == 1 { "1 request" } else { &format!("{} requests", self.requests) };
        self.reason
            .text
            .replace("{detail}", &details.join(", "))
            .replace("{requests}", requests)
            .replace("{tokens}", &self.tokens.to_string())
    }
}

/// How fine the records of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    Request,
    /// Buckets of so many seconds, the narrowest.
    Bucket(u32),
    /// Buckets made by differencing counters.
    Difference(u32),
    /// Sums since a process started.
    Lifetime,
}

/// Something about a source that changes what its figures mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// The last page says that there are more.
    CutOff,
    /// Cached tokens were there and nothing told whether they are inside the input count.
    CacheSideUnknown,
    /// Counts that contradict the total the record states.
    TotalContradicts,
    /// The source states a cost that counts cached input twice.
    CostCountsCacheTwice,
    /// Model names that hide the model: inference profiles, deployments.
    HiddenModel,
    /// Traces are often sampled: totals are a lower bound.
    MaybeSampled,
    /// Rows of one export were cut at its limit.
    ExportLimit,
    /// The source deletes old files: the oldest days are incomplete.
    Retention,
    /// Rows of the same source that are grouped differently may be the same traffic.
    GroupedDifferently,
    /// The request count has failed requests in it.
    RequestsIncludeFailed,
    /// The request log is sampled; totals are of the sample.
    Sampled,
    /// A sum since a process started: which hours and days is not known.
    NoHours,
    /// Cache hits that exceed the prompt they belong to.
    CacheExceedsPrompt,
    /// Text in a spreadsheet's encoding; names may be wrong, numbers are not.
    NotUtf8,
    /// A session's first calls are in another file that is not here.
    ParentMissing,
    /// The distribution of sizes left out models beyond the first 64.
    ManyModels,
}

/// The hour, minute or second with the most requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busiest {
    /// Its start, seconds since 1970.
    pub start: i64,
    pub requests: u64,
}

/// The peak, without batch requests: they wait until there is room.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Peak {
    pub hour: Option<Busiest>,
    /// Absent where records are wider than a minute.
    pub minute: Option<Busiest>,
    /// Absent where records are wider than a second, or for more than 500,000 different seconds.
    pub second: Option<Busiest>,
    /// Requests of the busiest hour ÷ mean requests an hour from first to last record.
    pub hour_to_mean: Option<f64>,
}

/// How usage grew from week to week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// Per month, as a share: 0.05 is 5 %.
    pub per_month: f64,
    /// Its 95 % interval.
    pub low: f64,
    pub high: f64,
    /// Whole weeks it rests on.
    pub weeks: u32,
}

/// Why a figure is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The records do not say when.
    NoTimes,
    /// The source does not count requests.
    NoRequests,
    /// Records are buckets: the size of a single request is not known.
    OnlyBuckets,
    /// Fewer whole weeks than it takes.
    TooFewWeeks,
    /// A week without any use: a rate of growth means nothing.
    IdleWeek,
    /// Less than one whole day.
    TooShort,
    /// There are no records.
    Nothing,
}

/// Which time records cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// First record, seconds since 1970 (or since midnight of day one).
    pub first: i64,
    /// End of the last record.
    pub last: i64,
    /// Days with records, in UTC.
    pub days: u32,
    /// Days from first to last.
    pub span_days: u32,
    /// Longest run of days without records in between.
    pub longest_gap_days: u32,
    /// The dates are not known, only the days relative to the first.
    pub relative: bool,
}

/// Requests of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Days since 1970-01-01, in the time zone asked for.
    pub date: i32,
    pub totals: Totals,
}

/// Single requests: how large they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Requests it rests on.
    pub requests: u64,
    pub prompt: Spread,
    pub input: Spread,
    pub cache_read: Option<Spread>,
    pub output: Spread,
    pub reasoning: Option<Spread>,
    /// Prompts longer than this are long.
    pub boundary: Option<u64>,
    pub clusters: Vec<Cluster>,
    /// Requests that stand for all, see [`super::shape::Grid::sizes`].
    pub sizes: Vec<Size>,
}

/// A histogram of a server, as it states it: bounds and how many requests do not exceed them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bounds {
    pub upper: Vec<(f64, u64)>,
    pub requests: u64,
}

impl Bounds {
    /// The smallest stated bound that so large a share of the requests does not exceed.
    pub fn at_most(&self, share: f64) -> Option<f64> {
        let rank = share * self.requests as f64;
        self.upper.iter().find(|(_, n)| *n as f64 >= rank && self.requests > 0).map(|(bound, _)| *bound)
    }
}

/// Embedding calls, which are no part of the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Embeddings {
    pub requests: u64,
    pub input: u64,
}

/// A model and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// As the source writes it; `unknown` where it does not.
    pub name: String,
    pub totals: Totals,
    /// The part that went through a batch interface.
    pub batch: Totals,
    pub distribution: Option<Distribution>,
}

/// One source: all files of one format.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub name: &'static str,
    pub files: u32,
    pub granularity: Option<Granularity>,
    pub totals: Totals,
    pub coverage: Option<Coverage>,
    pub days: BTreeMap<i32, Totals>,
    /// The oldest day that is complete as far as the source keeps its files.
    pub kept_from: Option<i32>,
    pub bill: Bill,
    pub duplicates_dropped: u64,
    /// The fields that were read, and in how many records each had content.
    pub fields: Vec<(String, u64)>,
    pub notes: BTreeMap<Note, u64>,
    /// The lowest share of requests that the log says it records.
    pub sampling: Option<f64>,
}

/// Everything the records say.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    pub sources: Vec<Source>,
    pub totals: Totals,
    pub batch: Totals,
    /// In order of their first record.
    pub by_model: Vec<Model>,
    /// In the time zone asked for; days from buckets of a day are UTC days.
    pub by_day: Vec<Day>,
    /// 0 is Monday 00:00 UTC. Only hours with requests; absent where no record has an hour and a count.
    pub requests_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// Prompt and output tokens likewise.
    pub tokens_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// Requests by hour of week in the time zone asked for.
    pub requests_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Tokens likewise: for sources that count no requests.
    pub tokens_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Requests by hour of day of sources whose dates are not known.
    pub requests_by_hour_of_day_local: Option<BTreeMap<u8, u64>>,
    pub distribution: Result<Distribution, Missing>,
    /// Mean tokens of a request, from all records that count requests.
    pub mean: Option<Size>,
    pub prompt_bounds: Option<Bounds>,
    pub output_bounds: Option<Bounds>,
    pub peak: Peak,
    pub growth: Result<Growth, Missing>,
    pub coverage: Option<Coverage>,
    pub duplicates_dropped: u64,
    pub skipped: Vec<Skipped>,
    /// The reasons of `skipped` in words.
    pub bill: Bill,
    pub repriced: Repriced,
    pub embeddings: Embeddings,
    pub failed: u64,
    pub response_cache_hits: u64,
    pub requests_without_usage: u64,
    /// Different users, where the source names them; counted, never kept.
    pub users: Option<u64>,
    /// Records that happened at no stated time, or over more than a day.
    pub undated: Totals,
    /// The names of the models of [`Detail::Model`].
    pub(super) names: Vec<String>,
}

impl Usage {
    /// The reason of skipped records in words.
    pub fn reason(&self, skipped: &Skipped) -> String {
        skipped.text(|id| self.names.get(usize::from(id)).cloned().unwrap_or_default())
    }
}
