//! Requests: their tokens, how many there are in a month, and what an API charges for one.

use crate::cost::case::{Api, Machine, Need, Period, Portion, Rates, Shape, Slot, Values, Volume};
use crate::price::{self, Batch, Charge};
use crate::units::{Requests, Tokens, Usd, UsdPerMtok};

/// Mean tokens of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestTokens {
    pub input: Tokens,
    pub output: Tokens,
    pub reasoning: Tokens,
}

/// Input and output tokens of a request that are assumed where only the tokens of a month are known.
pub const ASSUMED_REQUEST_TOKENS: f64 = 1000.0;

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
                    input: Tokens::new(ASSUMED_REQUEST_TOKENS * share),
                    output: Tokens::new(ASSUMED_REQUEST_TOKENS * (1.0 - share)),
                    reasoning: Tokens::ZERO,
                }
            }
        }
    }

    /// Requests of the first month. `machine` is needed where the volume is whatever the hardware can
    /// generate.
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
    /// The prices of one draw.
    fn values(&self, v: Values<'_>) -> price::Rates {
        let usd = |slot: Slot<UsdPerMtok>| Some(v.get(slot).get());
        // If the need has no cache tokens, their price does not matter; the input's stands in for it.
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
    /// The rates for an input of this length. Above a threshold they apply to all tokens of the request.
    /// Also returns whether a threshold is exceeded.
    fn rates_for(&self, input: Tokens) -> (&Rates, bool) {
        let tier = self.tiers.iter().rfind(|(above, _)| input.get() > *above as f64);
        tier.map_or((&self.rates, false), |(_, rates)| (rates, true))
    }
}

impl Portion {
    /// Tokens of this kind of request, from those of the mean request.
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
    /// The prices that apply in a month.
    fn period(&self, month: u32) -> Option<&Period> {
        self.periods.iter().rfind(|p| p.from_month <= month).or(self.periods.first())
    }

    /// Cost of one request in a month, with tiers, windows and the batch share, but without price drift and
    /// retries.
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
            // Every class of tokens that is used has a slot: a request without its prices was refused
            // before.
            price::expected(usage, &rates.values(v), windows, batch).unwrap_or_default()
        };
        let (rates, tier) = period.rates_for(tokens.input);
        if period.tiers.is_empty() || need.mix.is_empty() {
            return charge(&usage, rates, tier);
        }
        // With requests of different kinds each is charged by its own length, so that long ones pay the
        // rates above a threshold even if the mean request does not.
        let mut all = Charge::default();
        for portion in &need.mix {
            let (rates, tier) = period.rates_for(tokens.input * portion.input);
            all = all.plus(&charge(&portion.of(&usage), rates, tier));
        }
        all
    }

    /// Cost of one request in a month, with retries but without price drift, US dollars.
    pub fn request_price(&self, month: u32, need: &Need, v: Values<'_>) -> Usd {
        Usd::new(self.request_charge(month, need, v).total()) * (1.0 + v.get(self.retry))
    }

    /// The rates for a request of this size in a month, outside all time windows.
    pub fn rates(&self, month: u32, tokens: RequestTokens) -> Option<&Rates> {
        Some(self.period(month)?.rates_for(tokens.input).0)
    }

    /// The last month in which prices change on a date; 0 where there is none.
    pub fn last_change(&self) -> u32 {
        self.periods.last().map_or(0, |p| p.from_month)
    }
}

/// The factor by which prices change from one month to the next, and the mean of `(1 + per_year)^(t/12)`
/// over the first month: a continuous drift already acts within it.
pub(super) fn drift_within_month(per_year: f64) -> (f64, f64) {
    let q = (1.0 + per_year).powf(1.0 / 12.0);
    let mean = if (q - 1.0).abs() < 1e-12 { 1.0 } else { (q - 1.0) / q.ln() };
    (q, mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The twelve monthly means of a price that falls by 40 % a year add up to the integral: 12 × (1 − 0.6)
    /// ÷ −ln 0.6 = 9.397 monthly prices.
    #[test]
    fn drift_adds_up_to_the_integral() {
        let (q, mean) = drift_within_month(-0.4);
        let year: f64 = (0..12).map(|m| mean * q.powi(m)).sum();
        assert!((year - 12.0 * 0.4 / -(0.6f64.ln())).abs() < 1e-9);
    }
}
