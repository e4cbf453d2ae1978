//! The totals of records, from which the document `freehold.usage` is made.

use super::record::{Class, Detail, ModelId, Reason, Record, Tokens};
use super::shape::{Cluster, Size, Spread};
use std::collections::{BTreeMap, BTreeSet};

/// Sums over records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub records: u64,
    /// Requests in the records that state their number.
    pub requests_stated: u64,
    /// Records that do not state it.
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
    /// Number of requests; `None` where any record does not state it.
    pub const fn requests(&self) -> Option<u64> {
        if self.records_without_requests == 0 { Some(self.requests_stated) } else { None }
    }
    /// The seven counts, in the order of a record's.
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
    /// All prompt tokens, cached or not.
    pub fn prompt(&self) -> u64 {
        self.parts()[..5].iter().fold(0, |sum, part| sum.saturating_add(*part))
    }
    /// Prompt and output.
    pub fn tokens(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
    /// Can these tokens be added without an overflow?
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

/// An amount in US dollars, exact to 10^-12, so that sums of many small costs do not drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Usd(i128);

impl Usd {
    /// From a floating-point amount; NaN and infinity become 0.
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

/// The bill, as the source states it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bill {
    /// `None` where no record states a cost.
    pub usd: Option<Usd>,
    /// Requests whose cost is stated; if these are not all, it is only part of the bill.
    pub requests: u64,
    /// The amount comes from a cost report, not from the records.
    pub from_report: bool,
    /// Paid to providers directly with the user's own keys, not part of `usd`.
    pub byok_usd: Option<Usd>,
    /// Amounts in other currencies, by code; not part of `usd`.
    pub other: BTreeMap<Currency, Usd>,
    /// The source does not name the currency; US dollars were assumed.
    pub currency_assumed: bool,
}

/// A currency's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency with this code of three letters.
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

/// Cost of the same records at the list prices of their days.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Repriced {
    /// Cost of the records that have a price; `None` where none has.
    pub usd: Option<Usd>,
    /// For records whose cost is stated *and* that have a price: both sums, to be compared.
    pub both_stated_usd: Usd,
    pub both_repriced_usd: Usd,
    /// Models without a price, with their totals: they do not count as free.
    pub unpriced: Vec<(String, Totals)>,
}

/// Skipped records of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    pub source: &'static str,
    pub reason: &'static Reason,
    pub records: u64,
    pub details: BTreeSet<Detail>,
    /// Requests of what is counted separately.
    pub requests: u64,
    pub tokens: u64,
    /// The first three places, if the records are damaged.
    pub lines: Vec<Place>,
}

/// A line of a file; files are numbered in the given order and never named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of the file, from 1.
    pub file: u32,
    /// Number of the line, from 1.
    pub line: u64,
}

impl Skipped {
    pub const fn class(&self) -> Class {
        self.reason.class
    }
    /// The reason, with its details filled in; `name` gives the name of a model.
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
        // Status codes: the usual ones before a gateway's own, which are negative.
        details.sort_by_key(|d| d.starts_with('-'));
        let requests = if self.requests == 1 { "1 request" } else { &format!("{} requests", self.requests) };
        self.reason
            .text
            .replace("{detail}", &details.join(", "))
            .replace("{requests}", requests)
            .replace("{tokens}", &self.tokens.to_string())
    }
}

/// What one record of a source stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    Request,
    /// A bucket of this many seconds; the narrowest of the source.
    Bucket(u32),
    /// A bucket of this many seconds, made from differences of counters.
    Difference(u32),
    /// A sum since the start of a process.
    Lifetime,
}

/// Something about a source that affects the meaning of its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// The last page says that there are more.
    CutOff,
    /// There are cached tokens, and nothing shows whether the input count includes them.
    CacheSideUnknown,
    /// Counts contradict the total that the record states.
    TotalContradicts,
    /// The source states a cost that counts cached input twice.
    CostCountsCacheTwice,
    /// Names such as inference profiles or deployments hide which model was used.
    HiddenModel,
    /// Traces are often sampled, so that totals are a lower bound.
    MaybeSampled,
    /// The export was cut off at its limit of rows.
    ExportLimit,
    /// The source deletes old files, so that the oldest days are incomplete.
    Retention,
    /// Rows that are grouped differently may be the same traffic.
    GroupedDifferently,
    /// The number of requests includes failed ones.
    RequestsIncludeFailed,
    /// The log is sampled; totals are those of the sample.
    Sampled,
    /// A sum since the start of a process: hours and days are not known.
    NoHours,
    /// More cache hits were counted than the prompt has tokens.
    CacheExceedsPrompt,
    /// The text is in a spreadsheet's encoding: names may be wrong, numbers are not.
    NotUtf8,
    /// The first calls of a session are in a file that was not read.
    ParentMissing,
    /// The distribution of sizes is not complete: models beyond the first 64 have none of their own.
    ManyModels,
}

/// The hour, minute or second with the most requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busiest {
    /// When it begins, seconds since 1970.
    pub start: i64,
    pub requests: u64,
}

/// The busiest times, without batch requests: those wait until there is capacity.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Peak {
    pub hour: Option<Busiest>,
    /// Absent where records are wider than a minute.
    pub minute: Option<Busiest>,
    /// Absent where records are wider than a second, or for more than 500,000 different seconds.
    pub second: Option<Busiest>,
    /// Requests in the busiest hour ÷ mean requests per hour, from the first to the last record.
    pub hour_to_mean: Option<f64>,
}

/// Growth of the use from week to week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// Growth per month as a share: 0.05 is 5 %.
    pub per_month: f64,
    /// Ends of its 95 % interval.
    pub low: f64,
    pub high: f64,
    /// Number of whole weeks that it is computed from.
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
    /// There are fewer whole weeks than are needed.
    TooFewWeeks,
    /// There is a week without any use, from which no rate of growth can be computed.
    IdleWeek,
    /// The records cover less than one whole day.
    TooShort,
    /// There are no records.
    Nothing,
}

/// The time that records cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Time of the first record, in seconds since 1970 (or since midnight of the first day).
    pub first: i64,
    /// End of the last record, in the same seconds.
    pub last: i64,
    /// Days with records, in UTC.
    pub days: u32,
    /// Days from the first to the last record.
    pub span_days: u32,
    /// Longest run of days without records in between.
    pub longest_gap_days: u32,
    /// The dates are not known, only the days relative to the first.
    pub relative: bool,
}

/// The use of one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Days since 1970-01-01, in the time zone that was asked for.
    pub date: i32,
    pub totals: Totals,
}

/// Sizes of single requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Number of requests that it is computed from.
    pub requests: u64,
    pub prompt: Spread,
    /// Prompt and output together.
    pub context: Spread,
    pub input: Spread,
    pub cache_read: Option<Spread>,
    pub output: Spread,
    pub reasoning: Option<Spread>,
    /// Prompts longer than this count as long, tokens.
    pub boundary: Option<u64>,
    pub clusters: Vec<Cluster>,
    /// Sizes that represent all requests, see [`super::shape::Grid::sizes`].
    pub sizes: Vec<Size>,
}

/// A server's histogram: bounds in tokens, and how many requests do not exceed them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bounds {
    pub upper: Vec<(f64, u64)>,
    pub requests: u64,
}

impl Bounds {
    /// The smallest bound that this share of the requests does not exceed; `None` beyond the last bound.
    pub fn at_most(&self, share: f64) -> Option<f64> {
        let rank = share * self.requests as f64;
        self.upper.iter().find(|(_, n)| *n as f64 >= rank && self.requests > 0).map(|(bound, _)| *bound)
    }
}

/// Embedding calls, which are not part of the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Embeddings {
    pub requests: u64,
    pub input: u64,
}

/// A model and its use.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name in the source; `unknown` where there is none.
    pub name: String,
    pub totals: Totals,
    /// The part that was sent through a batch interface.
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
    /// The first day that is complete, given how long the source keeps its files.
    pub kept_from: Option<i32>,
    pub bill: Bill,
    pub duplicates_dropped: u64,
    /// The fields that were read, with the number of records in which each had a value.
    pub fields: Vec<(String, u64)>,
    pub notes: BTreeMap<Note, u64>,
    /// The lowest share of requests that the log says it samples.
    pub sampling: Option<f64>,
}

/// The totals of all records.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    pub sources: Vec<Source>,
    pub totals: Totals,
    pub batch: Totals,
    /// In order of their first record.
    pub by_model: Vec<Model>,
    /// By day in the time zone that was asked for; days from buckets of a whole day are UTC days.
    pub by_day: Vec<Day>,
    /// Requests by hour of the week in UTC; 0 is Monday 00:00. Only hours with requests; `None` where no
    /// record has an hour and a number of requests.
    pub requests_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// Prompt and output tokens by hour of the week in UTC.
    pub tokens_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// Requests by hour of the week in the time zone that was asked for.
    pub requests_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Tokens by hour of the week in that time zone, also from sources that do not count requests.
    pub tokens_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Requests by hour of the day, from sources whose dates are not known.
    pub requests_by_hour_of_day_local: Option<BTreeMap<u8, u64>>,
    pub distribution: Result<Distribution, Missing>,
    /// Mean tokens of a request, over all records that count requests.
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
    /// Number of different users, where the source names them; the names are not kept.
    pub users: Option<u64>,
    /// Totals of records without a time, and of records that span more than a day.
    pub undated: Totals,
    /// Names of models, for [`Detail::Model`].
    pub(super) names: Vec<String>,
}

impl Usage {
    /// The reason of skipped records, in words.
    pub fn reason(&self, skipped: &Skipped) -> String {
        skipped.text(|id| self.names.get(usize::from(id)).cloned().unwrap_or_default())
    }
}
