//! One request: its tokens, how many of them a month brings, and what an API charges for one.

use crate::cost::case::{Api, Machine, Need, Period, Portion, Rates, Shape, Slot, Values, Volume};
use crate::price::{self, Batch, Charge};
use crate::units::{Requests, Tokens, Usd, UsdPerMtok};

/// Tokens of one request in one draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestTokens {
    pub input: Tokens,
    pub output: Tokens,
    pub reasoning: Tokens,
}

impl RequestTokens {
    pub fn total(self) -> Tokens {
        self.input + self.output + self.reasoning
    }
    pub fn written(self) -> Tokens {
        self.output + self.reasoning
    }
}

impl Need {
    pub fn tokens(&self, v: Values<'_>) -> RequestTokens {
        match self.shape {
            Shape::PerRequest { input, output, reasoning } => {
                RequestTokens { input: v.get(input), output: v.get(output), reasoning: v.get(reasoning) }
            }
            Shape::ShareOnly { input_share } => {
                let share = v.get(input_share);
                RequestTokens {
                    input: Tokens::new(1000.0 * share),
                    output: Tokens::new(1000.0 * (1.0 - share)),
                    reasoning: Tokens::ZERO,
                }
            }
        }
    }

    /// Requests of the first month, given the machine of the comparison.
    pub fn requests(&self, v: Values<'_>, machine: Option<&Machine>) -> Requests {
        match self.volume {
            Volume::Requests(slot) => v.get::<Requests>(slot) * v.get(self.volume_factor),
            Volume::Tokens(slot) => {
                let total: Tokens = v.get(slot);
                Requests::new(total.ratio(self.tokens(v).total()).unwrap_or(0.0) * v.get(self.volume_factor))
            }
            Volume::AtCapacity => machine.map_or(Requests::ZERO, |m| {
                m.capacity(self, v, m.units.unwrap_or(1))
                    .map_or(Requests::ZERO, |c| c * m.ceiling_of(m.units.unwrap_or(1), v))
            }),
        }
    }
}

impl Rates {
    /// The numbers of one draw.
    fn values(&self, v: Values<'_>) -> price::Rates {
        let usd = |slot: Slot<UsdPerMtok>| Some(v.get(slot).get());
        // A cache price nobody needed is that of the input.
        let or_input = |slot: Option<Slot<UsdPerMtok>>| usd(slot.unwrap_or(self.input));
        price::Rates {
            input: usd(self.input),
            output: usd(self.output),
            cache_read: or_input(self.cache_read),
            cache_write: or_input(self.cache_write),
            reasoning: self.reasoning.and_then(usd),
        }
    }
}

impl Period {
    /// Past a threshold every token of the request pays the tier's rates.
    fn rates_for(&self, input: Tokens) -> (&Rates, bool) {
        let tier = self.tiers.iter().rfind(|(above, _)| input.get() > *above as f64);
        tier.map_or((&self.rates, false), |(_, rates)| (rates, true))
    }
}

impl Portion {
    /// Its part of the mean request.
    fn of(&self, mean: &price::Usage) -> price::Usage {
        price::Usage {
            uncached: mean.uncached * self.uncached * self.share,
            cache_read: mean.cache_read * self.read * self.share,
            cache_write: mean.cache_write * self.written * self.share,
            output: mean.output * self.output * self.share,
            reasoning: mean.reasoning * self.reasoning * self.share,
        }
    }
}

impl Api {
    /// The prices in force in a month.
    fn period(&self, month: u32) -> Option<&Period> {
        self.periods.iter().rfind(|p| p.from_month <= month).or(self.periods.first())
    }

    /// What one request costs in a month, before drift and retries: tiers, windows and batch share
    /// included.
    pub fn request_charge(&self, month: u32, need: &Need, v: Values<'_>) -> Charge {
        let Some(period) = self.period(month) else { return Charge::default() };
        let tokens = need.tokens(v);
        let usage = price::Usage::of_shares(
            tokens.input.get(),
            v.get(need.cached),
            v.get(need.cache_write),
            tokens.output.get(),
            tokens.reasoning.get(),
        );
        let batch_share = v.get(need.batch);
        let batch = period
            .batch_multiplier
            .filter(|_| batch_share > 0.0)
            .map(|multiplier| Batch { share: batch_share, multiplier: v.get(multiplier) });
        let charge = |usage: &price::Usage, rates: &Rates, tier: bool| {
            let windows = period.windows.iter().filter(|_| !tier).map(|(share, r)| (*share, r.values(v)));
            // Every class that is used has a slot: resolving refuses a request without its prices.
            price::expected(usage, &rates.values(v), windows, batch).unwrap_or_default()
        };
        let (rates, tier) = period.rates_for(tokens.input);
        if period.tiers.is_empty() || need.mix.is_empty() {
            return charge(&usage, rates, tier);
        }
        // Requests that are not alike: those past a threshold pay its rates, whatever the mean is.
        let mut all = Charge::default();
        for portion in &need.mix {
            let (rates, tier) = period.rates_for(tokens.input * portion.input);
            all = all.plus(&charge(&portion.of(&usage), rates, tier));
        }
        all
    }

    /// Price of one request in a month, before drift; answers that must be asked for again included.
    pub fn request_price(&self, month: u32, need: &Need, v: Values<'_>) -> Usd {
        Usd::new(self.request_charge(month, need, v).total()) * (1.0 + v.get(self.retry))
    }

    /// The rates of a request of this size in a month, outside windows.
    pub fn rates(&self, month: u32, tokens: RequestTokens) -> Option<&Rates> {
        Some(self.period(month)?.rates_for(tokens.input).0)
    }

    /// The month after which prices no longer change on a date.
    pub fn last_change(&self) -> u32 {
        self.periods.last().map_or(0, |p| p.from_month)
    }
}

/// Mean of `(1 + rate)^(t/12)` over month 0: what a continuous drift costs in the first month.
pub(super) fn drift_within_month(per_year: f64) -> (f64, f64) {
    let q = (1.0 + per_year).powf(1.0 / 12.0);
    let mean = if (q - 1.0).abs() < 1e-12 { 1.0 } else { (q - 1.0) / q.ln() };
    (q, mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve monthly means of a price falling by 40 % a year add up to the integral
    /// 12 × (1 − 0.6) ÷ −ln 0.6 = 9.397 monthly prices.
    #[test]
    fn drift_adds_up_to_the_integral() {
        let (q, mean) = drift_within_month(-0.4);
        let year: f64 = (0..12).map(|m| mean * q.powi(m)).sum();
        assert!((year - 12.0 * 0.4 / -(0.6f64.ln())).abs() < 1e-9);
    }
}
