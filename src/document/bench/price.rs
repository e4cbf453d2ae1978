//! What one request cost: its usage × a price record. Absent is unknown, never 0: where tokens of some kind
//! were used and the record has no rate for them, the cost is not known.

use super::Price;
use crate::catalog::{ApiModel, PricePeriod, ReasoningRule};
use crate::measure::event::Usage;
use crate::price::{self, Schedule};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The price of one model on one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceInForce {
    pub record: Price,
    period: PricePeriod,
    reasoning: ReasoningRule,
}

impl PriceInForce {
    /// The price of a model on a day; `None` where it has none in US dollars.
    pub fn on(model: &ApiModel, day: Date) -> Option<Self> {
        let period = model.price_on(day).filter(|p| p.currency == "USD")?.clone();
        let cite = period.cite.clone().unwrap_or_else(|| model.cite("price"));
        let rates = period.rates;
        Some(Self {
            record: Price {
                id: model.id.clone(),
                input_usd_per_mtok: rates.input_per_mtok,
                output_usd_per_mtok: rates.output_per_mtok,
                cache_read_usd_per_mtok: rates.cache_read_per_mtok,
                cache_write_usd_per_mtok: rates.cache_write_per_mtok,
                source: cite.source,
                as_of: cite.as_of.to_string(),
            },
            period,
            reasoning: model.reasoning,
        })
    }

    /// What a request with this usage costs, US dollars. `unix` is when it was answered, in seconds since
    /// 1970, for prices that depend on the hour. Not known for a service tier other than the standard one,
    /// and for cache entries kept for an hour: the records have no prices for these.
    pub fn cost(&self, usage: &Usage, unix: Option<i64>) -> Option<f64> {
        if usage.inconsistent || usage.special_tier.is_some() || usage.cache_write_1h.is_some() {
            return None;
        }
        let output = usage.output?;
        let reasoning = usage.reasoning.unwrap_or(0).min(output);
        let tokens = price::Usage {
            uncached: usage.input_uncached? as f64,
            cache_read: usage.cache_read.unwrap_or(0) as f64,
            cache_write: usage.cache_write.unwrap_or(0) as f64,
            output: (output - reasoning) as f64,
            reasoning: reasoning as f64,
        };
        let minute = unix.and_then(minute_of_week);
        self.schedule().at(&tokens, minute)?.ok().map(|charge| charge.total())
    }

    /// The most that this many tokens can cost, US dollars, in requests of which the longest has `longest` input
    /// tokens: at the highest rates of the record that one of them can pay.
    pub fn worst_case(&self, input: u64, output: u64, longest: u64) -> Option<f64> {
        self.schedule().worst_case(input, output, longest)
    }

    fn schedule(&self) -> Schedule {
        Schedule::of(&self.period, self.reasoning, 1.0)
    }
}

/// Minutes since Monday 00:00 UTC.
fn minute_of_week(unix: i64) -> Option<u16> {
    let at = jiff::Timestamp::from_second(unix).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let day = u16::try_from(at.weekday().to_monday_zero_offset()).ok()?;
    Some(day * 24 * 60 + u16::try_from(at.hour()).ok()? * 60 + u16::try_from(at.minute()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ContextTier, Rates, TimeWindow};

    fn price() -> PriceInForce {
        let rates = |input, output| Rates {
            input_per_mtok: Some(input),
            output_per_mtok: Some(output),
            cache_read_per_mtok: Some(input / 10.0),
            ..Rates::default()
        };
        let period = PricePeriod {
            from: None,
            currency: "USD".to_owned(),
            rates: rates(2.0, 10.0),
            batch_multiplier: None,
            tiers: vec![ContextTier { above_input_tokens: 200_000, rates: rates(4.0, 15.0) }],
            windows: Vec::new(),
            free: false,
            cite: None,
        };
        let record = Price {
            id: "x/y".to_owned(),
            input_usd_per_mtok: Some(2.0),
            output_usd_per_mtok: Some(10.0),
            cache_read_usd_per_mtok: Some(0.2),
            cache_write_usd_per_mtok: None,
            source: "test".to_owned(),
            as_of: "2026-11-22".to_owned(),
        };
        PriceInForce { record, period, reasoning: ReasoningRule::AsOutput }
    }
    fn usage(uncached: u64, read: u64, output: u64) -> Usage {
        Usage {
            input_uncached: Some(uncached),
            cache_read: Some(read),
            output: Some(output),
            ..Usage::default()
        }
    }

    #[test]
    fn every_class_has_its_rate_and_tiers_take_the_whole_request() {
        let near = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-12);
        assert!(near(price().cost(&usage(100_0000 / 10, 0, 1000), None), 0.2 + 0.01));
        assert!(near(price().cost(&usage(0, 100_000, 0), None), 0.02));
        assert!(near(price().cost(&usage(200_001, 0, 1000), None), 200_001.0 * 4e-6 + 0.015));
        assert!(near(price().worst_case(1000, 1000, 200_001), 0.004 + 0.015));
    }

    /// Half price from 16:30 to 00:30 on weekdays.
    #[test]
    fn the_hour_and_the_tier_decide() {
        let mut price = price();
        price.period.windows = vec![TimeWindow {
            start_utc: "16:30".to_owned(),
            end_utc: "00:30".to_owned(),
            weekdays: vec![1, 2, 3, 4, 5],
            rates: Rates { input_per_mtok: Some(1.0), output_per_mtok: Some(5.0), ..Rates::default() },
        }];
        let cost = |at: &str| {
            let unix = at.parse::<jiff::Timestamp>().expect("a time").as_second();
            price.cost(&usage(100_000, 0, 0), Some(unix)).expect("known")
        };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        // 2026-11-20 is a Friday.
        assert!(near(cost("2026-11-20T16:29:00Z"), 0.2));
        assert!(near(cost("2026-11-20T16:30:00Z"), 0.1));
        assert!(near(cost("2026-11-21T00:29:00Z"), 0.1), "Friday's window ends on Saturday");
        assert!(near(cost("2026-11-21T16:30:00Z"), 0.2), "none begins on a Saturday");
        assert_eq!(price.cost(&usage(1, 0, 0), None), None, "an unknown hour has no price");
        let flex = Usage { special_tier: Some("flex".to_owned()), ..usage(1, 0, 1) };
        assert_eq!(self::price().cost(&flex, None), None);
        let hour = Usage { cache_write: Some(5), cache_write_1h: Some(5), ..usage(1, 0, 1) };
        assert_eq!(self::price().cost(&hour, None), None);
    }

    #[test]
    fn what_is_not_known_is_not_free() {
        let written = Usage { cache_write: Some(5), ..usage(1, 0, 1) };
        assert_eq!(price().cost(&written, None), None);
        assert_eq!(price().cost(&Usage::default(), None), None);
        assert_eq!(price().cost(&Usage { inconsistent: true, ..usage(1, 0, 1) }, None), None);
    }
}
