//! How long a machine works on a request, and how many units a load needs.

use crate::capacity::units as load;
use crate::cost::case::{Copies, Machine, Need, Peak, Prefill, Serving, Values};
use crate::plan::staffing;
use crate::terms::Term;
use crate::units::{Hours, Requests, RequestsPerSec, Seconds, Tokens, TokensPerSec};

impl Machine {
    /// How often a request is run, on average: unusable answers are requested again.
    fn asked(&self, v: Values<'_>) -> f64 {
        1.0 + v.get(self.retry)
    }

    /// Seconds that a unit spends on one request, for prefill and for decode; `None` where no speed is
    /// known.
    pub fn work_parts(&self, need: &Need, v: Values<'_>) -> Option<(Seconds, Seconds)> {
        let tokens = need.tokens(v);
        let factor = v.get(self.tokeniser_ratio) * self.asked(v);
        // What the prefix cache supplies is not computed again.
        let read = tokens.input * (1.0 - v.get(self.cached)) * factor;
        let written = tokens.written() * factor;
        match self.serving.as_ref()? {
            Serving::Speed(speed) => {
                let decode: TokensPerSec = v.get(speed.decode);
                let prefill = match speed.prefill {
                    Prefill::Speed(slot) => Some(v.get(slot)),
                    Prefill::Free => None,
                    Prefill::AsOutput => Some(decode),
                };
                let both = load::work(read, written, prefill, decode);
                let writing = written / decode;
                Some((both - writing, writing))
            }
            Serving::Copies(copies) => {
                let whole = self.asked(v) * copies.seconds(read, written, self.asked(v), v)
                    / f64::from(copies.per_unit);
                Some((Seconds::new(whole * copies.reading), Seconds::new(whole * (1.0 - copies.reading))))
            }
        }
    }

    /// How these seconds are derived: the formula, its terms, and a note.
    pub fn work_terms(&self, need: &Need, v: Values<'_>) -> (String, Vec<Term>, String) {
        let tokens = need.tokens(v);
        let mut terms = vec![
            Term::plain("input", tokens.input.get(), "tokens"),
            v.term("cached_share", self.cached),
            Term::plain("output", tokens.written().get(), "tokens"),
            v.term("tokeniser_ratio", self.tokeniser_ratio),
            v.term("retry_share", self.retry),
        ];
        let more = "tokeniser_ratio × (1 + retry_share)";
        let none = String::new;
        match &self.serving {
            Some(Serving::Speed(speed)) => {
                terms.push(v.term("decode_tokens_per_second", speed.decode));
                match speed.prefill {
                    Prefill::Speed(slot) => {
                        terms.push(v.term("prefill_tokens_per_second", slot));
                        (
                            format!(
                                "(input × (1 − cached_share) ÷ prefill_tokens_per_second + output ÷ decode_tokens_per_second) × {more}"
                            ),
                            terms,
                            none(),
                        )
                    }
                    Prefill::Free => (format!("output ÷ decode_tokens_per_second × {more}"), terms, none()),
                    Prefill::AsOutput => (
                        format!("(input × (1 − cached_share) + output) ÷ decode_tokens_per_second × {more}"),
                        terms,
                        none(),
                    ),
                }
            }
            Some(Serving::Copies(copies)) => {
                terms.extend([
                    v.term("requests_per_second", copies.rate),
                    Term::plain("copies", f64::from(copies.per_unit), "per unit"),
                    Term::plain("reading", copies.reading, "share"),
                    Term::plain("planned_input", copies.input, "tokens"),
                    Term::plain("planned_output", copies.output, "tokens"),
                ]);
                let part = |tokens: &str, then: f64, name: &str| {
                    if then > 0.0 { format!("{tokens} × tokeniser_ratio ÷ {name}") } else { "1".to_owned() }
                };
                let read = part("input × (1 − cached_share)", copies.input, "planned_input");
                let written = part("output", copies.output, "planned_output");
                (
                    format!(
                        "(reading × {read} + (1 − reading) × {written}) ÷ requests_per_second ÷ copies × (1 + retry_share)"
                    ),
                    terms,
                    "The plan's rate holds for its own tokens; others take their share of the time"
                        .to_owned(),
                )
            }
            None => (String::new(), terms, none()),
        }
    }

    /// Seconds that a unit spends on one request; `None` where no speed is known.
    pub fn work(&self, need: &Need, v: Values<'_>) -> Option<Seconds> {
        let (input, output) = self.work_parts(need, v)?;
        Some(input + output)
    }

    /// Requests that a number of units can serve in a month when never idle.
    pub fn capacity(&self, need: &Need, v: Values<'_>, units: u32) -> Option<Requests> {
        let work = self.work(need, v).filter(|w| w.get() > 0.0)?;
        Some(load::requests_in(v.get(self.service_hours), units, work))
    }

    /// Units that a peak needs, given the seconds that a unit spends on one request.
    pub fn units_for(&self, peak: RequestsPerSec, work: Seconds, v: Values<'_>) -> u32 {
        match &self.serving {
            Some(Serving::Copies(copies)) => {
                // One copy takes `per_unit` times as long as all copies of a unit together.
                let seconds = work.get() * f64::from(copies.per_unit);
                let each = match copies.ceiling {
                    Some(ceiling) => staffing::whole(peak.get() * seconds / v.get(ceiling)),
                    None => staffing::copies(peak.get(), seconds * copies.at_once, copies.at_once),
                };
                each.div_ceil(copies.per_unit)
            }
            _ => load::units(peak, work, v.get(self.ceiling)),
        }
    }

    /// Share of the capacity that may be used at the peak with this many units, 0 to 1.
    pub fn ceiling_of(&self, units: u32, v: Values<'_>) -> f64 {
        match &self.serving {
            Some(Serving::Copies(Copies { ceiling: None, at_once, per_unit, .. })) => {
                let places = at_once * f64::from(*per_unit) * f64::from(units.max(1));
                staffing::carried(places) / places
            }
            _ => v.get(self.ceiling),
        }
    }

    /// Requests per second that the machines must be able to carry, for `requests` in the month.
    pub fn peak(
        &self,
        need: &Need,
        v: Values<'_>,
        requests: Requests,
        growth: f64,
        scale: f64,
    ) -> RequestsPerSec {
        let hours: Hours = v.get(need.hours);
        let mean = |h: Hours| RequestsPerSec::new(requests.get() / Seconds::from(h).get().max(1e-9));
        let peak = match need.peak {
            Peak::Rate(slot) => v.get::<RequestsPerSec>(slot) * (growth * scale),
            Peak::ToMean(slot) => mean(hours) * need.peak_over_mean(v.get(slot), v),
        };
        // Units that are switched on for part of the month serve all requests in fewer hours.
        peak.max(mean(v.get(self.service_hours)))
    }
}

impl Copies {
    /// Seconds that one copy spends on a request of this size, whose tokens include a `factor` for retries.
    /// The rate was predicted for other token counts, so the time for prefill and decode is scaled to
    /// these.
    fn seconds(&self, read: Tokens, written: Tokens, factor: f64, v: Values<'_>) -> f64 {
        let rate: RequestsPerSec = v.get(self.rate);
        let ratio = |tokens: Tokens, then: f64| {
            if then > 0.0 { tokens.get() / factor / then } else { 1.0 }
        };
        let work =
            self.reading * ratio(read, self.input) + (1.0 - self.reading) * ratio(written, self.output);
        work / rate.get().max(f64::MIN_POSITIVE)
    }
}
