//! `freehold.usage/1`: what records of use add up to, and the need in them.
//!
//! Tokens are counts, money is US dollars, times are RFC 3339 in UTC, shares run from 0 to 1. A count
//! that a source does not state at all adds nothing to a total; `stated` says which those are. Files are
//! numbered in the order in which they were read: no path, text, name or key of a file is in here.

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

/// What the records say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageResult {
    /// The formats that were read, each with all its files.
    pub sources: Vec<SourceRow>,
    /// Everything but embeddings and what is listed in `skipped`.
    pub totals: TotalsRow,
    /// Which of the totals at least one source states.
    pub stated: StatedRow,
    /// By the model's name as the source writes it; `unknown` where it does not.
    pub by_model: BTreeMap<String, TotalsRow>,
    /// In `time_zone`; days from buckets of a whole day are UTC days.
    pub by_day: Vec<DayRow>,
    /// 0 is Monday 00:00 to 01:00 UTC. Hours without requests are left out; null where no record has
    /// both an hour and a count of requests.
    pub requests_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// Prompt and output tokens likewise.
    pub tokens_by_hour_of_week_utc: Option<BTreeMap<u8, u64>>,
    /// `UTC`, an offset, or a name of the time zone database.
    pub time_zone: String,
    /// Requests by hour of week in `time_zone`.
    pub requests_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Tokens likewise.
    pub tokens_by_hour_of_week: Option<BTreeMap<u8, u64>>,
    /// Requests by hour of day, of sources that publish no dates.
    pub requests_by_hour_of_day_local: Option<BTreeMap<u8, u64>>,
    /// Sizes of single requests; null where records are buckets.
    pub distribution: Option<DistributionRow>,
    /// Why `distribution` is null.
    pub distribution_missing: Option<MissingRow>,
    /// Prompt sizes as a server's histogram states them.
    pub prompt_bounds: Option<BoundsRow>,
    /// Output sizes likewise.
    pub output_bounds: Option<BoundsRow>,
    /// Without batch requests, which wait until there is room.
    pub peak: PeakRow,
    /// Null where it cannot be told.
    pub growth: Option<GrowthRow>,
    /// Why `growth` is null.
    pub growth_missing: Option<MissingRow>,
    /// Null where the records do not say when.
    pub coverage: Option<CoverageRow>,
    /// Records that were there already: the same request, answer or bucket again.
    pub duplicates_dropped: u64,
    /// Records that are not counted, and why.
    pub skipped: Vec<SkippedRow>,
    /// As the sources state it; see `bill` for how much of the whole that is.
    pub bill_usd: Option<f64>,
    /// How much of the whole `bill_usd` is.
    pub bill: BillRow,
    /// The same records at the prices of their days, as far as they have one; see `repriced`.
    pub repriced_usd: Option<f64>,
    /// What `repriced_usd` rests on.
    pub repriced: RepricedRow,
    /// The part of the totals that went through a batch interface.
    pub batch: TotalsRow,
    /// Not part of the totals.
    pub embeddings: EmbeddingsRow,
    /// Calls that failed or were cancelled without tokens.
    pub failed: u64,
    /// Answered from a gateway's cache of answers; no model was called.
    pub response_cache_hits: u64,
    /// Calls whose tokens the source does not state: the totals are a lower bound.
    pub requests_without_usage: u64,
    /// Different users, where the source names them.
    pub users: Option<u64>,
    /// What happened at no stated time, or over more than a day; part of the totals, of no day.
    pub undated: TotalsRow,
    /// The need in the records.
    pub need: NeedRow,
}

/// Requests and tokens. Prompt size is `input + cache_read + cache_write_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TotalsRow {
    /// Null where a source does not say.
    pub requests: Option<u64>,
    /// Prompt tokens neither read from nor written to a cache.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Written to a cache that lives five minutes.
    pub cache_write_5m: u64,
    /// Written to a cache that lives an hour.
    pub cache_write_1h: u64,
    /// Written to a cache of another or an unknown lifetime.
    pub cache_write_other: u64,
    /// Reasoning included.
    pub output: u64,
    /// Part of `output`.
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
    /// As `--from` takes it.
    pub name: String,
    /// Files of this format.
    pub files: u32,
    /// `request`, `bucket 1h`, `bucket 1h (difference of counters)` or `lifetime total since process start`.
    pub granularity: Option<String>,
    /// What they add up to.
    pub totals: TotalsRow,
    /// Which time they cover; null where they do not say when.
    pub coverage: Option<CoverageRow>,
    /// The bill as this source states it.
    pub bill_usd: Option<f64>,
    /// Records that were there already.
    pub duplicates_dropped: u64,
    /// The fields that were read, and in how many records each had content.
    pub fields: Vec<FieldRow>,
}

/// A field that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldRow {
    /// As the source writes it, keys in keys parted by dots.
    pub name: String,
    /// Records in which it had content.
    pub records: u64,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayRow {
    /// `2026-09-07`.
    pub date: String,
    /// What was used on that day.
    #[serde(flatten)]
    pub totals: TotalsRow,
}

/// Mean and percentiles of single requests, tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpreadRow {
    /// Mean.
    pub mean: f64,
    /// Half of the requests have at most as many.
    pub p50: u64,
    /// 95 % of the requests have at most as many.
    pub p95: u64,
    /// 99 % of the requests have at most as many.
    pub p99: u64,
    /// The most in one request.
    pub max: u64,
}

/// Sizes of single requests, jointly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionRow {
    /// Requests it rests on.
    pub requests: u64,
    /// The whole prompt.
    pub prompt: SpreadRow,
    /// The part of it that is not from or for a cache.
    pub input: SpreadRow,
    /// The part of it from a cache; null where no source says.
    pub cache_read: Option<SpreadRow>,
    /// The whole output.
    pub output: SpreadRow,
    /// The part of it that is reasoning; null where no source says.
    pub reasoning: Option<SpreadRow>,
    /// Prompts longer than this are long; null where they do not fall into two kinds.
    pub boundary_prompt_tokens: Option<u64>,
    /// Short and long requests, cached or not, largest kind first.
    pub clusters: Vec<ClusterRow>,
}

/// Requests that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterRow {
    /// Null where prompts do not fall into short and long ones.
    pub long: Option<bool>,
    /// At least half of the prompt came from a cache; null where no source says.
    pub cached: Option<bool>,
    /// How many.
    pub requests: u64,
    /// Their mean size.
    #[serde(flatten)]
    pub mean: SizeRow,
}

/// The mean size of a share of the requests, tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeRow {
    /// Of all requests.
    pub share: f64,
    /// Prompt tokens neither read from nor written to a cache.
    pub input: f64,
    /// Prompt tokens read from a cache.
    pub cache_read: f64,
    /// Written to a cache that lives five minutes.
    pub cache_write_5m: f64,
    /// Written to a cache that lives an hour.
    pub cache_write_1h: f64,
    /// Written to a cache of another or an unknown lifetime.
    pub cache_write_other: f64,
    /// Reasoning included.
    pub output: f64,
    /// Part of `output`.
    pub reasoning: f64,
}

/// A histogram: how many requests do not exceed each bound, tokens.
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

/// The busiest stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BusiestRow {
    /// RFC 3339, UTC.
    pub start: String,
    /// Requests in it.
    pub requests: u64,
}

/// The peak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeakRow {
    /// The hour with the most requests; null where records are wider than an hour.
    pub hour: Option<BusiestRow>,
    /// Null where records are wider than a minute.
    pub minute: Option<BusiestRow>,
    /// Null where records are wider than a second, or over more than 500,000 different seconds.
    pub second: Option<BusiestRow>,
    /// Requests of the busiest hour ÷ mean of all hours covered.
    pub hour_to_mean: Option<f64>,
}

/// Growth from week to week, per month of 730 hours: 0.05 is 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthRow {
    /// Change of the requests from month to month.
    pub per_month: f64,
    /// Ends of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Whole weeks it rests on.
    pub weeks: u32,
}

/// Which time is covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageRow {
    /// RFC 3339, UTC; null where a source publishes no dates.
    pub first: Option<String>,
    /// The last second of the last record.
    pub last: Option<String>,
    /// Days with records.
    pub days: u32,
    /// Days from first to last.
    pub span_days: u32,
    /// The longest run of days without records in between.
    pub longest_gap_days: u32,
}

/// Records that are not part of the totals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedRow {
    /// The format, as `--from` takes it.
    pub source: String,
    /// Why they are not counted.
    pub reason: String,
    /// How many records.
    pub records: u64,
    /// The first three places, where the records are damaged.
    pub places: Vec<PlaceRow>,
}

/// A line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceRow {
    /// Counted from 1, in the order in which they were read.
    pub file: u32,
    /// Counted from 1.
    pub line: u64,
}

/// How much of the whole the bill is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BillRow {
    /// Requests whose cost is stated.
    pub requests: u64,
    /// Fewer than all requests have a cost: a part of the bill, not the bill.
    pub partial: bool,
    /// It comes from a cost report, not from the records.
    pub from_report: bool,
    /// The source names no currency; it was taken for US dollars.
    pub currency_assumed: bool,
    /// Paid to providers directly with own keys, beside `bill_usd`.
    pub byok_usd: Option<f64>,
    /// Amounts in other currencies, by their code, beside `bill_usd`.
    pub other: BTreeMap<String, f64>,
}

/// What the records cost at the prices of their days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RepricedRow {
    /// Of records that state a cost *and* have a price: what they state.
    pub both_stated_usd: f64,
    /// Of the same records: what they cost by the price records.
    pub both_repriced_usd: f64,
    /// Models without a price, with what they used; no part of `repriced_usd`.
    pub unpriced: BTreeMap<String, TotalsRow>,
    /// Models that have a price, and the price record that was taken for each.
    #[serde(default)]
    pub priced_as: BTreeMap<String, String>,
}

/// Embedding calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmbeddingsRow {
    /// Calls.
    pub requests: u64,
    /// Tokens of their texts.
    pub input: u64,
}

/// The need in the records. What they cannot know is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeedRow {
    /// Requests of a month; null where they are not counted, or not over a whole day.
    pub requests_per_month: Option<MonthlyRow>,
    /// Why `requests_per_month` is null.
    pub requests_missing: Option<MissingRow>,
    /// Prompt and output tokens.
    pub tokens_per_month: Option<MonthlyRow>,
    /// Why `tokens_per_month` is null.
    pub tokens_missing: Option<MissingRow>,
    /// Means, and 95th percentiles where records are single requests.
    pub shape: Option<crate::workload::RequestShape>,
    /// Why `shape` is null.
    pub shape_missing: Option<MissingRow>,
    /// Requests that stand for all; their shares add up to 1. One, the mean, where records are buckets.
    pub sizes: Vec<SizeRow>,
    /// Prompt and output of a long request (95th percentile), tokens; null where records are buckets.
    #[serde(default)]
    pub context_tokens_p95: Option<f64>,
    /// Of the prompt, read from caches; null where no source says.
    pub cached_share: Option<f64>,
    /// Of the prompt, written to caches; null where no source says.
    #[serde(default)]
    pub cache_write_share: Option<f64>,
    /// Of the requests (of the tokens, where requests are not counted), sent through a batch interface.
    pub batch_share: f64,
    /// 168 shares of a week's use, from Monday 00:00 UTC; they add up to 1.
    pub hour_of_week_utc: Option<Vec<f64>>,
    /// The shares are of requests; else of tokens.
    pub hours_are_of_requests: bool,
    /// The most used first.
    pub models: Vec<ModelNeedRow>,
}

/// A figure for a month of 730 hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonthlyRow {
    /// The figure.
    pub value: f64,
    /// Whole days it was scaled from.
    pub days: u32,
    /// Every day of the week is among them.
    pub whole_week: bool,
    /// Days left out because the source has deleted part of them.
    pub days_left_out: u32,
    /// The share of requests that the log records.
    pub sampling: Option<f64>,
}

/// What one model is used for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelNeedRow {
    /// As the source writes it.
    pub name: String,
    /// Of all requests; null where they are not counted.
    pub share_of_requests: Option<f64>,
    /// Of all prompt and output tokens.
    pub share_of_tokens: f64,
    /// Requests of a month; null where they are not known.
    pub requests_per_month: Option<f64>,
    /// Mean tokens of a request; null where requests are not counted.
    pub shape: Option<crate::workload::RequestShape>,
    /// Requests that stand for all of this model; their shares add up to 1.
    pub sizes: Vec<SizeRow>,
}

/// Why a figure is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingRow {
    /// The records do not say when.
    NoTimes,
    /// A source does not count requests.
    NoRequests,
    /// The records are buckets: the size of a single request is not known.
    OnlyBuckets,
    /// Growth takes four whole weeks.
    TooFewWeeks,
    /// A week without any use has no rate of growth.
    IdleWeek,
    /// Less than one whole day.
    TooShort,
    /// There are no records.
    Nothing,
}
