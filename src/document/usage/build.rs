//! What was read from records of use → the usage document.

use super::{
    BillRow, BoundsRow, BusiestRow, ClusterRow, CoverageRow, DayRow, DistributionRow, EmbeddingsRow,
    FieldRow, GrowthRow, MissingRow, ModelNeedRow, MonthlyRow, NeedRow, PeakRow, PlaceRow, RepricedRow,
    SizeRow, SkippedRow, SourceRow, SpreadRow, StatedRow, TotalsRow, UsageResult,
};
use crate::usage::need::{ModelNeed, Monthly, UsageNeed};
use crate::usage::shape;
use crate::usage::summary::{
    Bounds, Busiest, Coverage, Distribution, Granularity, Growth, Missing, Source, Totals, Usage,
};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

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
    /// All prompt tokens, cached or not.
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

/// A day since 1970 as `YYYY-MM-DD`.
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

/// The document's result. `time_zone` is the zone in which days and hours were counted.
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
