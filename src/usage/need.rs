//! From the totals of records to a need: how many requests a month, of which size, when, and to which
//! models. What the records do not show is absent, with the reason; nothing is filled in.

use super::shape::Size;
use super::summary::{Granularity, Missing, Source, Totals, Usage};
use crate::workload::RequestShape;

/// Days in a month of 730 hours.
const DAYS: f64 = 730.0 / 24.0;
const DAY: i64 = 86_400;

/// A figure for one month, and what it is based on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Monthly {
    /// The figure for a month of 730 hours.
    pub value: f64,
    /// Number of whole days that it was scaled up from.
    pub days: u32,
    /// Are there days of every weekday among them? If not, quiet or busy days may be over-represented.
    pub whole_week: bool,
    /// Days that were left out because the source has deleted part of them.
    pub days_left_out: u32,
    /// The share of the requests that the log records, by which the figure was divided.
    pub sampling: Option<f64>,
}

/// The use of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelNeed {
    pub name: String,
    /// Its share of the requests; `None` where they are not counted.
    pub share_of_requests: Option<f64>,
    pub share_of_tokens: f64,
    pub requests_per_month: Option<f64>,
    pub shape: Option<RequestShape>,
    pub sizes: Vec<Size>,
}

/// The need, as far as records show it.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageNeed {
    pub requests_per_month: Result<Monthly, Missing>,
    /// Prompt and output tokens, which are also known where requests are not counted.
    pub tokens_per_month: Result<Monthly, Missing>,
    /// The mean request, with 95th percentiles where records are single requests.
    pub shape: Result<RequestShape, Missing>,
    /// Sizes that represent all requests, with their shares: a mean would hide context tiers. There is only
    /// the mean where records are buckets.
    pub sizes: Vec<Size>,
    /// Prompt plus output of a long request (95th percentile), tokens; `None` where records are buckets.
    pub context_p95: Option<f64>,
    /// Share of the prompt tokens that is read from caches, 0 to 1; `None` where no source says.
    pub cached_share: Option<f64>,
    /// Share of the prompt tokens that is written to caches, 0 to 1; `None` where no source says.
    pub cache_write_share: Option<f64>,
    /// Share of the requests sent through a batch interface, 0 to 1; a share of the tokens where requests
    /// are not counted.
    pub batch_share: f64,
    /// Share of a week's use in each hour, beginning Monday 00:00 UTC; they add up to 1. Each hour is
    /// weighted by how often the records cover it.
    pub hour_of_week: Option<Vec<f64>>,
    /// `hour_of_week` has shares of requests; otherwise of tokens.
    pub hours_are_of_requests: bool,
    /// The most used first.
    pub models: Vec<ModelNeed>,
}

/// The need that follows from `usage`.
pub fn need(usage: &Usage) -> UsageNeed {
    let monthly = |of: fn(&Totals) -> Option<u64>| {
        let mut sum: Option<Monthly> = None;
        for source in usage.sources.iter().filter(|s| s.totals.records > 0) {
            let part = month_of(source, of)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => Monthly {
                    value: sum.value + part.value,
                    days: sum.days.min(part.days),
                    whole_week: sum.whole_week && part.whole_week,
                    days_left_out: sum.days_left_out + part.days_left_out,
                    sampling: sum.sampling.or(part.sampling),
                },
            });
        }
        sum.ok_or(Missing::Nothing)
    };
    let requests_per_month = monthly(Totals::requests);
    let tokens_per_month = monthly(|totals| Some(totals.tokens()));
    let totals = &usage.totals;
    let counted = totals.requests().is_some();
    let share = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 / all as f64 };
    let distribution = usage.distribution.as_ref().ok();
    let sizes = match (distribution, usage.mean) {
        (Some(distribution), _) => distribution.sizes.clone(),
        (None, Some(mean)) => vec![mean],
        (None, None) => Vec::new(),
    };
    let models = usage.by_model.iter().filter(|m| m.totals.records > 0).map(|model| {
        let share_of_requests = counted.then(|| share(model.totals.requests_stated, totals.requests_stated));
        let mean = mean_of(&model.totals);
        let sizes =
            model.distribution.as_ref().map_or_else(|| mean.into_iter().collect(), |d| d.sizes.clone());
        let p95 = model.distribution.as_ref().map(|d| (d.prompt.p95, d.output.p95));
        ModelNeed {
            name: model.name.clone(),
            share_of_requests,
            share_of_tokens: share(model.totals.tokens(), totals.tokens()),
            requests_per_month: share_of_requests
                .zip(requests_per_month.ok())
                .map(|(share, all)| share * all.value),
            shape: mean.map(|mean| shape_of(&mean, p95)),
            sizes,
        }
    });
    let mut models: Vec<ModelNeed> = models.collect();
    models.sort_by(|a, b| b.share_of_tokens.total_cmp(&a.share_of_tokens));
    UsageNeed {
        requests_per_month,
        tokens_per_month,
        shape: match (mean_of(totals).or(usage.mean), totals.records) {
            (Some(mean), _) => Ok(shape_of(&mean, distribution.map(|d| (d.prompt.p95, d.output.p95)))),
            (None, 0) => Err(Missing::Nothing),
            (None, _) => Err(Missing::NoRequests),
        },
        context_p95: distribution.map(|d| d.context.p95 as f64),
        sizes,
        cache_write_share: (totals.records_stating_cache_write > 0).then(|| {
            let written = totals.cache_write_5m.saturating_add(totals.cache_write_1h);
            share(written.saturating_add(totals.cache_write_other), totals.prompt())
        }),
        cached_share: (totals.records_stating_cache_read > 0)
            .then(|| share(totals.cache_read, totals.prompt())),
        batch_share: if counted {
            share(usage.batch.requests_stated, totals.requests_stated)
        } else {
            share(usage.batch.tokens(), totals.tokens())
        },
        hour_of_week: profile(usage, counted),
        hours_are_of_requests: counted && usage.requests_by_hour_of_week_utc.is_some(),
        models,
    }
}

/// The mean request; `None` where requests are not counted.
fn mean_of(totals: &Totals) -> Option<Size> {
    let requests = totals.requests().filter(|n| *n > 0)? as f64;
    let [input, read, five, hour, other, output, reasoning] = totals.parts().map(|n| n as f64 / requests);
    Some(Size {
        share: 1.0,
        input,
        cache_read: read,
        cache_write_5m: five,
        cache_write_1h: hour,
        cache_write_other: other,
        output,
        reasoning,
    })
}

fn shape_of(mean: &Size, p95: Option<(u64, u64)>) -> RequestShape {
    let prompt = mean.prompt();
    RequestShape {
        input_tokens: prompt,
        cached_input_share: if prompt > 0.0 { mean.cache_read / prompt } else { 0.0 },
        output_tokens: mean.output - mean.reasoning,
        reasoning_tokens: mean.reasoning,
        input_tokens_p95: p95.map(|(prompt, _)| prompt as f64),
        output_tokens_p95: p95.map(|(_, output)| output as f64),
    }
}

/// A source's figure for a month, from its whole days. Days without use between others count; days that are
/// covered in part do not.
fn month_of(source: &Source, of: impl Fn(&Totals) -> Option<u64>) -> Result<Monthly, Missing> {
    of(&source.totals).ok_or(Missing::NoRequests)?;
    let coverage = source.coverage.ok_or(Missing::NoTimes)?;
    let (Some(first), Some(last)) = (source.days.keys().next(), source.days.keys().next_back()) else {
        return Err(Missing::NoTimes);
    };
    // Buckets of a day are whole. With finer records, the day in which the log begins or ends is not.
    let by_day = matches!(source.granularity, Some(Granularity::Bucket(span)) if i64::from(span) >= DAY);
    let starts_whole = by_day || coverage.first.rem_euclid(DAY) < 3600;
    let ends_whole = by_day || (coverage.last - 1).rem_euclid(DAY) >= DAY - 3600;
    let mut from = if starts_whole { *first } else { first + 1 };
    let to = if ends_whole { *last } else { last - 1 };
    let left_out = source.kept_from.map_or(0, |kept| (kept - from).max(0));
    from += left_out;
    if to < from {
        return Err(Missing::TooShort);
    }
    let mut weekdays = [(0u32, 0.0f64); 7];
    for day in from..=to {
        let (days, sum) = &mut weekdays[usize::try_from(day.rem_euclid(7)).unwrap_or(0)];
        *days += 1;
        *sum += source.days.get(&day).and_then(&of).unwrap_or(0) as f64;
    }
    let days = to - from + 1;
    let whole_week = weekdays.iter().all(|(days, _)| *days > 0);
    let a_day = if whole_week {
        weekdays.iter().map(|(days, sum)| sum / f64::from(*days)).sum::<f64>() / 7.0
    } else {
        weekdays.iter().map(|(_, sum)| sum).sum::<f64>() / f64::from(days)
    };
    Ok(Monthly {
        value: a_day * DAYS / source.sampling.unwrap_or(1.0),
        days: u32::try_from(days).unwrap_or(0),
        whole_week,
        days_left_out: u32::try_from(left_out).unwrap_or(0),
        sampling: source.sampling,
    })
}

/// Share of a week's use by hour.
fn profile(usage: &Usage, counted: bool) -> Option<Vec<f64>> {
    let coverage = usage.coverage.filter(|c| !c.relative)?;
    let requests = usage.requests_by_hour_of_week_utc.as_ref().filter(|_| counted);
    let hours = requests.or(usage.tokens_by_hour_of_week_utc.as_ref())?;
    let mut covered = [0u32; 168];
    let first = coverage.first.div_euclid(3600);
    for hour in first..=(coverage.last - 1).div_euclid(3600).min(first + 168 * 1000) {
        // 1970-01-01 was a Thursday.
        covered[usize::try_from((hour + 72).rem_euclid(168)).unwrap_or(0)] += 1;
    }
    let mut shares: Vec<f64> = covered.iter().map(|_| 0.0).collect();
    for (hour, n) in hours {
        shares[usize::from(*hour)] = *n as f64 / f64::from(covered[usize::from(*hour)].max(1));
    }
    let sum: f64 = shares.iter().sum();
    (sum > 0.0).then(|| shares.iter().map(|share| share / sum).collect())
}
