//! `freehold.usage/1`: what records of use add up to, and the need in them.
//!
//! Tokens are counts, money is US dollars, times are RFC 3339 in UTC, shares run from 0 to 1. A count
//! that a source does not state at all adds nothing to a total; `stated` says which those are. Files are
//! numbered in the order in which they were read: no path, text, name or key of a file is in here.

use super::envelope::Envelope;
use super::envelope::Warning;
use crate::usage::need::{ModelNeed, Monthly, UsageNeed};
use crate::usage::record::Class;
use crate::usage::shape;
use crate::usage::summary::{
    Bounds, Busiest, Coverage, Distribution, Granularity, Growth, Missing, Note, Source, Totals, Usage,
};
use jiff::{Timestamp, civil::Date};
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

impl From<Missing> for MissingRow {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::NoTimes => Self::NoTimes,
            Missing::NoRequests => Self::NoRequests,
            Missing::OnlyBuckets => Self::OnlyBuckets,
            Missing::TooFewWeeks => Self::TooFewWeeks,
            Missing::IdleWeek => Self::IdleWeek,
            Missing::TooShort => Self::TooShort,
            Missing::Nothing => Self::Nothing,
        }
    }
}

impl From<&Totals> for TotalsRow {
    fn from(t: &Totals) -> Self {
        Self {
            requests: t.requests(),
            input: t.input,
            cache_read: t.cache_read,
            cache_write_5m: t.cache_write_5m,
            cache_write_1h: t.cache_write_1h,
            cache_write_other: t.cache_write_other,
            output: t.output,
            reasoning: t.reasoning,
        }
    }
}

impl TotalsRow {
    /// Everything the models were given.
    pub fn prompt(&self) -> u64 {
        [self.input, self.cache_read, self.cache_write_5m, self.cache_write_1h, self.cache_write_other]
            .iter()
            .fold(0, |sum, part| sum.saturating_add(*part))
    }
}

impl From<shape::Spread> for SpreadRow {
    fn from(s: shape::Spread) -> Self {
        Self { mean: s.mean, p50: s.p50, p95: s.p95, p99: s.p99, max: s.max }
    }
}

impl From<&shape::Size> for SizeRow {
    fn from(s: &shape::Size) -> Self {
        Self {
            share: s.share,
            input: s.input,
            cache_read: s.cache_read,
            cache_write_5m: s.cache_write_5m,
            cache_write_1h: s.cache_write_1h,
            cache_write_other: s.cache_write_other,
            output: s.output,
            reasoning: s.reasoning,
        }
    }
}

impl From<&Distribution> for DistributionRow {
    fn from(d: &Distribution) -> Self {
        let cluster = |c: &shape::Cluster| ClusterRow {
            long: c.long,
            cached: c.cached,
            requests: c.requests,
            mean: (&c.size).into(),
        };
        Self {
            requests: d.requests,
            prompt: d.prompt.into(),
            input: d.input.into(),
            cache_read: d.cache_read.map(Into::into),
            output: d.output.into(),
            reasoning: d.reasoning.map(Into::into),
            boundary_prompt_tokens: d.boundary,
            clusters: d.clusters.iter().map(cluster).collect(),
        }
    }
}

impl From<&Bounds> for BoundsRow {
    fn from(b: &Bounds) -> Self {
        Self {
            requests: b.requests,
            p50_at_most: b.at_most(0.50),
            p95_at_most: b.at_most(0.95),
            p99_at_most: b.at_most(0.99),
        }
    }
}

impl From<Growth> for GrowthRow {
    fn from(g: Growth) -> Self {
        Self { per_month: g.per_month, low: g.low, high: g.high, weeks: g.weeks }
    }
}

impl From<Monthly> for MonthlyRow {
    fn from(m: Monthly) -> Self {
        Self {
            value: m.value,
            days: m.days,
            whole_week: m.whole_week,
            days_left_out: m.days_left_out,
            sampling: m.sampling,
        }
    }
}

impl From<Coverage> for CoverageRow {
    fn from(c: Coverage) -> Self {
        let dated = |second: i64| if c.relative { None } else { rfc3339(second) };
        Self {
            first: dated(c.first),
            last: dated(c.last - 1),
            days: c.days,
            span_days: c.span_days,
            longest_gap_days: c.longest_gap_days,
        }
    }
}

fn rfc3339(second: i64) -> Option<String> {
    Timestamp::from_second(second).ok().map(|t| t.to_string())
}

fn busiest(b: Busiest) -> Option<BusiestRow> {
    Some(BusiestRow { start: rfc3339(b.start)?, requests: b.requests })
}

/// `2026-09-07`, of days since 1970.
fn date(day: i32) -> String {
    let second = i64::from(day) * 86_400;
    let date = Timestamp::from_second(second).map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date());
    date.unwrap_or(Date::constant(1970, 1, 1)).to_string()
}

fn granularity(of: Granularity) -> String {
    let width = |seconds: u32| match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    };
    match of {
        Granularity::Request => "request".to_owned(),
        Granularity::Bucket(span) => format!("bucket {}", width(span)),
        Granularity::Difference(span) => format!("bucket {} (difference of counters)", width(span)),
        Granularity::Lifetime => "lifetime total since process start".to_owned(),
    }
}

fn source(source: &Source) -> SourceRow {
    let fields =
        source.fields.iter().map(|(name, records)| FieldRow { name: name.clone(), records: *records });
    SourceRow {
        name: source.name.to_owned(),
        files: source.files,
        granularity: source.granularity.map(granularity),
        totals: (&source.totals).into(),
        coverage: source.coverage.map(Into::into),
        bill_usd: source.bill.usd.map(crate::usage::summary::Usd::get),
        duplicates_dropped: source.duplicates_dropped,
        fields: fields.collect(),
    }
}

fn need_row(need: &UsageNeed) -> NeedRow {
    let sizes = |sizes: &[shape::Size]| sizes.iter().map(Into::into).collect();
    let model = |m: &ModelNeed| ModelNeedRow {
        name: m.name.clone(),
        share_of_requests: m.share_of_requests,
        share_of_tokens: m.share_of_tokens,
        requests_per_month: m.requests_per_month,
        shape: m.shape,
        sizes: sizes(&m.sizes),
    };
    NeedRow {
        requests_per_month: need.requests_per_month.ok().map(Into::into),
        requests_missing: need.requests_per_month.err().map(Into::into),
        tokens_per_month: need.tokens_per_month.ok().map(Into::into),
        tokens_missing: need.tokens_per_month.err().map(Into::into),
        shape: need.shape.ok(),
        shape_missing: need.shape.err().map(Into::into),
        sizes: sizes(&need.sizes),
        context_tokens_p95: need.context_p95,
        cached_share: need.cached_share,
        cache_write_share: need.cache_write_share,
        batch_share: need.batch_share,
        hour_of_week_utc: need.hour_of_week.clone(),
        hours_are_of_requests: need.hours_are_of_requests,
        models: need.models.iter().map(model).collect(),
    }
}

/// The document's result. `time_zone` is what the usage was added up in.
pub fn result(usage: &Usage, need: &UsageNeed, time_zone: &str) -> UsageResult {
    let totals = &usage.totals;
    let stated = StatedRow {
        cache_read: totals.records_stating_cache_read > 0,
        cache_write: totals.records_stating_cache_write > 0,
        reasoning: totals.records_stating_reasoning > 0,
    };
    let skipped = usage.skipped.iter().map(|s| SkippedRow {
        source: s.source.to_owned(),
        reason: usage.reason(s),
        records: s.records,
        places: s.lines.iter().map(|p| PlaceRow { file: p.file, line: p.line }).collect(),
    });
    let bill = &usage.bill;
    UsageResult {
        sources: usage.sources.iter().map(source).collect(),
        totals: totals.into(),
        stated,
        by_model: usage.by_model.iter().map(|m| (m.name.clone(), (&m.totals).into())).collect(),
        by_day: usage
            .by_day
            .iter()
            .map(|d| DayRow { date: date(d.date), totals: (&d.totals).into() })
            .collect(),
        requests_by_hour_of_week_utc: usage.requests_by_hour_of_week_utc.clone(),
        tokens_by_hour_of_week_utc: usage.tokens_by_hour_of_week_utc.clone(),
        time_zone: time_zone.to_owned(),
        requests_by_hour_of_week: usage.requests_by_hour_of_week.clone(),
        tokens_by_hour_of_week: usage.tokens_by_hour_of_week.clone(),
        requests_by_hour_of_day_local: usage.requests_by_hour_of_day_local.clone(),
        distribution: usage.distribution.as_ref().ok().map(Into::into),
        distribution_missing: usage.distribution.as_ref().err().map(|missing| (*missing).into()),
        prompt_bounds: usage.prompt_bounds.as_ref().map(Into::into),
        output_bounds: usage.output_bounds.as_ref().map(Into::into),
        peak: PeakRow {
            hour: usage.peak.hour.and_then(busiest),
            minute: usage.peak.minute.and_then(busiest),
            second: usage.peak.second.and_then(busiest),
            hour_to_mean: usage.peak.hour_to_mean,
        },
        growth: usage.growth.ok().map(Into::into),
        growth_missing: usage.growth.err().map(Into::into),
        coverage: usage.coverage.map(Into::into),
        duplicates_dropped: usage.duplicates_dropped,
        skipped: skipped.collect(),
        bill_usd: bill.usd.map(crate::usage::summary::Usd::get),
        bill: BillRow {
            requests: bill.requests,
            partial: bill.usd.is_some()
                && !bill.from_report
                && totals.requests().is_none_or(|n| bill.requests < n),
            from_report: bill.from_report,
            currency_assumed: bill.currency_assumed,
            byok_usd: bill.byok_usd.map(crate::usage::summary::Usd::get),
            other: bill.other.iter().map(|(code, amount)| (code.code().to_owned(), amount.get())).collect(),
        },
        repriced_usd: usage.repriced.usd.map(crate::usage::summary::Usd::get),
        repriced: RepricedRow {
            both_stated_usd: usage.repriced.both_stated_usd.get(),
            both_repriced_usd: usage.repriced.both_repriced_usd.get(),
            unpriced: usage.repriced.unpriced.iter().map(|(name, t)| (name.clone(), t.into())).collect(),
            priced_as: BTreeMap::new(),
        },
        batch: (&usage.batch).into(),
        embeddings: EmbeddingsRow { requests: usage.embeddings.requests, input: usage.embeddings.input },
        failed: usage.failed,
        response_cache_hits: usage.response_cache_hits,
        requests_without_usage: usage.requests_without_usage,
        users: usage.users,
        undated: (&usage.undated).into(),
        need: need_row(need),
    }
}

/// What the reader must know before trusting the figures.
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
