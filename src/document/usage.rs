//! `freehold.usage/1`: what records of use add up to, and the need that follows from them.
//!
//! Tokens are counts, money is US dollars, times are RFC 3339 in UTC, shares are from 0 to 1. A count that
//! a source does not state adds nothing to a total; `stated` says which counts those are. Files are
//! numbered in the order in which they were read. The document contains no path, text, name or key of a
//! file.

mod build;
mod warnings;

pub use build::result;
pub use warnings::warnings;

use super::envelope::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.usage/1";

/// A usage document.
pub type UsageDocument = Envelope<UsageResult>;

/// What the records add up to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageResult {
    /// The formats that were read, each with all its files.
    pub sources: Vec<SourceRow>,
    /// Totals of all records, without embeddings and without what is listed in `skipped`.
    pub totals: TotalsRow,
    /// Which of the counts at least one source states.
    pub stated: StatedRow,
    /// Totals by model, under the name that the source uses; `unknown` where it gives none.
    pub by_model: BTreeMap<String, TotalsRow>,
    /// Totals by day in `time_zone`; days from buckets of a whole day are UTC days.
    pub by_day: Vec<DayRow>,
    /// Requests by hour of the week in UTC; 0 is Monday 00:00 to 01:00. Hours without requests are left
    /// out. Null where no record has both an hour and a count of requests.
    pub requests_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// Prompt and output tokens by hour of the week in UTC, in the same form.
    pub tokens_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// The time zone of `by_day`: `UTC`, an offset, or a name of the time zone database.
    pub time_zone: String,
    /// Requests by hour of the week in `time_zone`; 0 is Monday 00:00 to 01:00.
    pub requests_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Prompt and output tokens by hour of the week in `time_zone`.
    pub tokens_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Requests by hour of the day, from sources that publish hours but no dates; null without such
    /// sources.
    pub requests_by_hour_of_day_local: Option<BTreeMap<u8, u64>>,
    /// Sizes of single requests; null where records are buckets of many requests.
    pub distribution: Option<DistributionRow>,
    /// Why `distribution` is null.
    pub distribution_missing: Option<MissingRow>,
    /// Distribution of prompt sizes from a server's histogram; null without one.
    pub prompt_bounds: Option<BoundsRow>,
    /// Distribution of output sizes from a server's histogram; null without one.
    pub output_bounds: Option<BoundsRow>,
    /// The busiest times, without batch requests: those wait until there is capacity.
    pub peak: PeakRow,
    /// Growth of the use; null where it cannot be computed.
    pub growth: Option<GrowthRow>,
    /// Why `growth` is null.
    pub growth_missing: Option<MissingRow>,
    /// The time that the records cover; null where they do not say when.
    pub coverage: Option<CoverageRow>,
    /// Records that were counted already: the same request, answer or bucket appears again.
    pub duplicates_dropped: u64,
    /// Records that are not counted, and why.
    pub skipped: Vec<SkippedRow>,
    /// The bill in US dollars, as the sources state it; see `bill` for how much of the use it covers.
    pub bill_usd: Option<f64>,
    /// How much of the use `bill_usd` covers.
    pub bill: BillRow,
    /// Cost of the same records at the list prices of their days, as far as there are prices; see
    /// `repriced`.
    pub repriced_usd: Option<f64>,
    /// What `repriced_usd` covers.
    pub repriced: RepricedRow,
    /// The part of the totals that was sent through a batch interface.
    pub batch: TotalsRow,
    /// Embedding calls, which are not part of the totals.
    pub embeddings: EmbeddingsRow,
    /// Calls that failed or were cancelled, without tokens.
    pub failed: u64,
    /// Requests answered from a gateway's cache of answers, without calling a model.
    pub response_cache_hits: u64,
    /// Calls whose tokens the source does not state, which makes the totals a lower bound.
    pub requests_without_usage: u64,
    /// Number of different users; null where no source names them.
    pub users: Option<u64>,
    /// The part of the totals that belongs to no day: without a time, or spread over more than a day.
    pub undated: TotalsRow,
    /// The need that follows from the records.
    pub need: NeedRow,
}

/// Requests and tokens. Prompt size is `input + cache_read + cache_write_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TotalsRow {
    /// Number of requests; null where a source does not count them.
    pub requests: Option<u64>,
    /// Prompt tokens neither read from nor written to a cache.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Prompt tokens written to a cache that lives for five minutes.
    pub cache_write_5m: u64,
    /// Prompt tokens written to a cache that lives for an hour.
    pub cache_write_1h: u64,
    /// Prompt tokens written to a cache of another or unknown lifetime.
    pub cache_write_other: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Output tokens that are reasoning; part of `output`.
    pub reasoning: u64,
}

/// Which counts are stated by at least one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatedRow {
    /// Tokens read from caches.
    pub cache_read: bool,
    /// Tokens written to caches.
    pub cache_write: bool,
    /// Reasoning tokens.
    pub reasoning: bool,
}

/// One source: all files of one format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceRow {
    /// Name of the format, as `--from` takes it.
    pub name: String,
    /// Files of this format.
    pub files: u32,
    /// What one record stands for: `request`, `bucket 1h`, `bucket 1h (difference of counters)` or
    /// `lifetime total since process start`.
    pub granularity: Option<String>,
    /// Totals of this source.
    pub totals: TotalsRow,
    /// The time that the source covers; null where it does not say when.
    pub coverage: Option<CoverageRow>,
    /// The bill as this source states it.
    pub bill_usd: Option<f64>,
    /// Records that were counted already.
    pub duplicates_dropped: u64,
    /// The fields that were read, with the number of records in which each had a value.
    pub fields: Vec<FieldRow>,
}

/// A field that was read from the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldRow {
    /// Its name in the source; names of nested keys are joined by dots.
    pub name: String,
    /// Records in which it had a value.
    pub records: u64,
}

/// The use of one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayRow {
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// Totals of this day.
    #[serde(flatten)]
    pub totals: TotalsRow,
}

/// Mean and percentiles of the size of single requests, tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpreadRow {
    /// Mean size of a request.
    pub mean: f64,
    /// Half of the requests have at most this many.
    pub p50: u64,
    /// 95 % of the requests have at most this many.
    pub p95: u64,
    /// 99 % of the requests have at most this many.
    pub p99: u64,
    /// The largest request.
    pub max: u64,
}

/// Sizes of single requests, and which sizes go together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionRow {
    /// Number of requests that this is computed from.
    pub requests: u64,
    /// The whole prompt, cached or not.
    pub prompt: SpreadRow,
    /// The part of the prompt that is neither read from nor written to a cache.
    pub input: SpreadRow,
    /// The part of the prompt that is read from a cache; null where no source says.
    pub cache_read: Option<SpreadRow>,
    /// The whole output, reasoning included.
    pub output: SpreadRow,
    /// The part of the output that is reasoning; null where no source says.
    pub reasoning: Option<SpreadRow>,
    /// Prompts longer than this count as long, tokens; null where prompts do not fall into two kinds.
    pub boundary_prompt_tokens: Option<u64>,
    /// Kinds of request, short or long, cached or not; the largest kind first.
    pub clusters: Vec<ClusterRow>,
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterRow {
    /// Is the prompt long? Null where prompts do not fall into short and long ones.
    pub long: Option<bool>,
    /// Did at least half of the prompt come from a cache? Null where no source says.
    pub cached: Option<bool>,
    /// Number of requests of this kind.
    pub requests: u64,
    /// Their mean size.
    #[serde(flatten)]
    pub mean: SizeRow,
}

/// Mean size of a group of requests, tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeRow {
    /// Share of all requests that are in the group, 0 to 1.
    pub share: f64,
    /// Prompt tokens neither read from nor written to a cache.
    pub input: f64,
    /// Prompt tokens read from a cache.
    pub cache_read: f64,
    /// Prompt tokens written to a cache that lives for five minutes.
    pub cache_write_5m: f64,
    /// Prompt tokens written to a cache that lives for an hour.
    pub cache_write_1h: f64,
    /// Prompt tokens written to a cache of another or unknown lifetime.
    pub cache_write_other: f64,
    /// Output tokens, reasoning included.
    pub output: f64,
    /// Output tokens that are reasoning; part of `output`.
    pub reasoning: f64,
}

/// A server's histogram of sizes: bounds, in tokens, that a share of the requests does not exceed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoundsRow {
    /// Requests counted by the server.
    pub requests: u64,
    /// The bound that half of the requests do not exceed; null beyond the last bound.
    pub p50_at_most: Option<f64>,
    /// The bound that 95 % of the requests do not exceed; null beyond the last bound.
    pub p95_at_most: Option<f64>,
    /// The bound that 99 % of the requests do not exceed; null beyond the last bound.
    pub p99_at_most: Option<f64>,
}

/// A busy stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BusiestRow {
    /// When it begins: RFC 3339, UTC.
    pub start: String,
    /// Number of requests in it.
    pub requests: u64,
}

/// The busiest hour, minute and second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeakRow {
    /// The hour with the most requests; null where records are wider than an hour.
    pub hour: Option<BusiestRow>,
    /// The minute with the most requests; null where records are wider than a minute.
    pub minute: Option<BusiestRow>,
    /// The second with the most requests; null where records are wider than a second, or spread over more
    /// than 500,000 different seconds.
    pub second: Option<BusiestRow>,
    /// Requests of the busiest hour ÷ mean of all hours covered.
    pub hour_to_mean: Option<f64>,
}

/// Growth from week to week, expressed per month of 730 hours: 0.05 is 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthRow {
    /// Growth of requests per month.
    pub per_month: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// Number of whole weeks that this is computed from.
    pub weeks: u32,
}

/// The time that records cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageRow {
    /// Time of the first record, RFC 3339, UTC; null where a source publishes no dates.
    pub first: Option<String>,
    /// Time of the last record, to its last second; null where a source publishes no dates.
    pub last: Option<String>,
    /// Days with records.
    pub days: u32,
    /// Days from first to last.
    pub span_days: u32,
    /// The longest run of days without records between the first and the last.
    pub longest_gap_days: u32,
}

/// Records that are not part of the totals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedRow {
    /// The format, as `--from` takes it.
    pub source: String,
    /// Why they are not counted.
    pub reason: String,
    /// Number of records.
    pub records: u64,
    /// The first three places in the files, where records are damaged.
    pub places: Vec<PlaceRow>,
}

/// A line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceRow {
    /// Number of the file, from 1, in the order in which files were read.
    pub file: u32,
    /// Number of the line, from 1.
    pub line: u64,
}

/// How much of the use the bill covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BillRow {
    /// Requests whose cost is stated.
    pub requests: u64,
    /// Some requests have no stated cost, so this is only part of the bill.
    pub partial: bool,
    /// The amount comes from a cost report, not from the records.
    pub from_report: bool,
    /// The source names no currency; US dollars were assumed.
    pub currency_assumed: bool,
    /// Paid directly to providers with the user's own keys, not part of `bill_usd`.
    pub byok_usd: Option<f64>,
    /// Amounts in other currencies by ISO code, not part of `bill_usd`.
    pub other: BTreeMap<String, f64>,
}

/// What the records cost at the list prices of their days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RepricedRow {
    /// For records that both state a cost and have a price: the stated cost, US dollars.
    pub both_stated_usd: f64,
    /// For the same records: their cost by the price records, US dollars.
    pub both_repriced_usd: f64,
    /// Models without a price, with their totals; not part of `repriced_usd`.
    pub unpriced: BTreeMap<String, TotalsRow>,
    /// Id of the price record that was used for each model that has one.
    #[serde(default)]
    pub priced_as: BTreeMap<String, String>,
}

/// Embedding calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmbeddingsRow {
    /// Number of calls.
    pub requests: u64,
    /// Tokens of the embedded texts.
    pub input: u64,
}

/// The need that follows from the records. What they do not show is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeedRow {
    /// Requests in a month; null where they are not counted, and where no whole day is covered.
    pub requests_per_month: Option<MonthlyRow>,
    /// Why `requests_per_month` is null.
    pub requests_missing: Option<MissingRow>,
    /// Prompt and output tokens in a month.
    pub tokens_per_month: Option<MonthlyRow>,
    /// Why `tokens_per_month` is null.
    pub tokens_missing: Option<MissingRow>,
    /// Mean size of a request, with 95th percentiles where records are single requests.
    pub shape: Option<crate::workload::RequestShape>,
    /// Why `shape` is null.
    pub shape_missing: Option<MissingRow>,
    /// Sizes that represent all requests; their shares add up to 1. There is only the mean where records
    /// are buckets.
    pub sizes: Vec<SizeRow>,
    /// Prompt plus output of a long request (95th percentile), tokens; null where records are buckets.
    #[serde(default)]
    pub context_tokens_p95: Option<f64>,
    /// Share of the prompt tokens that was read from caches, 0 to 1; null where no source says.
    pub cached_share: Option<f64>,
    /// Share of the prompt tokens that was written to caches, 0 to 1; null where no source says.
    #[serde(default)]
    pub cache_write_share: Option<f64>,
    /// Share of the requests that was sent through a batch interface, 0 to 1; a share of the tokens where
    /// requests are not counted.
    pub batch_share: f64,
    /// Share of a week's use in each of its 168 hours, beginning Monday 00:00 UTC; they add up to 1. Null
    /// where hours are not known.
    pub hour_of_week_utc: Option<Vec<f64>>,
    /// `hour_of_week_utc` has shares of requests; otherwise of tokens.
    pub hours_are_of_requests: bool,
    /// Use by model, the most used first.
    pub models: Vec<ModelNeedRow>,
}

/// A figure for a month of 730 hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonthlyRow {
    /// The value for one month.
    pub value: f64,
    /// Number of whole days that it was scaled up from.
    pub days: u32,
    /// Every day of the week is among these days.
    pub whole_week: bool,
    /// Days that were left out because the source has deleted part of them.
    pub days_left_out: u32,
    /// Share of the requests that the log samples, 0 to 1; null where it records all.
    pub sampling: Option<f64>,
}

/// What one model is used for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelNeedRow {
    /// Its name in the source.
    pub name: String,
    /// Its share of all requests; null where they are not counted.
    pub share_of_requests: Option<f64>,
    /// Its share of all prompt and output tokens.
    pub share_of_tokens: f64,
    /// Requests in a month; null where they are not known.
    pub requests_per_month: Option<f64>,
    /// Mean tokens of a request; null where requests are not counted.
    pub shape: Option<crate::workload::RequestShape>,
    /// Sizes that represent all requests to this model; their shares add up to 1.
    pub sizes: Vec<SizeRow>,
}

/// Why a figure is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingRow {
    /// The records do not say when.
    NoTimes,
    /// Some source does not count requests.
    NoRequests,
    /// The records are buckets: the size of a single request is not known.
    OnlyBuckets,
    /// Growth needs at least four whole weeks.
    TooFewWeeks,
    /// There is a week without any use, from which no rate of growth can be computed.
    IdleWeek,
    /// The records cover less than one whole day.
    TooShort,
    /// There are no records.
    Nothing,
}
