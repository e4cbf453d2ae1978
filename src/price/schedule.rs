//! A price record as it is charged: base rates, context tiers, windows of the day, batches.

use super::charge::{Batch, Charge, Class, Rates, Unpriced, Usage, charge, expected};
use super::window::Window;
use crate::catalog::{PricePeriod, ReasoningRule};

/// The prices of one model in one period, in US dollars per million tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    base: Rates,
    /// Input tokens above which a tier begins, ascending, and its rates: all tokens of the request pay
    /// them.
    tiers: Vec<(u64, Rates)>,
    windows: Vec<(Window, Rates)>,
    /// A window of the record could not be read, so the price at a given hour is not known.
    unreadable: bool,
    batch_multiplier: Option<f64>,
}

impl Schedule {
    /// The prices of a catalogue record. `usd`: US dollars for one unit of its currency.
    pub fn of(period: &PricePeriod, reasoning: ReasoningRule, usd: f64) -> Self {
        let own = matches!(reasoning, ReasoningRule::OwnRate);
        let mut tiers: Vec<(u64, Rates)> =
            period.tiers.iter().map(|t| (t.above_input_tokens, Rates::of(&t.rates, usd, own))).collect();
        tiers.sort_by_key(|t| t.0);
        let windows: Vec<(Window, Rates)> = period
            .windows
            .iter()
            .filter_map(|w| Some((Window::of(w)?, Rates::of(&w.rates, usd, own))))
            .collect();
        Self {
            base: Rates::of(&period.rates, usd, own),
            tiers,
            unreadable: windows.len() < period.windows.len(),
            windows,
            batch_multiplier: period.batch_multiplier,
        }
    }

    /// The rates of a prompt of this many tokens outside of windows, and whether they are those of a
    /// context tier.
    fn rates(&self, prompt: f64) -> (&Rates, bool) {
        let tier = self.tiers.iter().rfind(|(above, _)| prompt > *above as f64);
        tier.map_or((&self.base, false), |(_, rates)| (rates, true))
    }

    /// What one request costs at a minute of the week (0 is Monday 00:00 UTC). `None` where the price
    /// depends on the hour and the minute is not known. A context tier has the same rates at any hour.
    pub fn at(&self, usage: &Usage, minute_of_week: Option<u16>) -> Option<Result<Charge, Unpriced>> {
        let (rates, tier) = self.rates(usage.prompt());
        if tier || (self.windows.is_empty() && !self.unreadable) {
            return Some(charge(usage, rates));
        }
        let minute = minute_of_week.filter(|_| !self.unreadable)?;
        let window = self.windows.iter().find(|(w, _)| w.holds(minute));
        Some(charge(usage, window.map_or(rates, |(_, rates)| rates)))
    }

    /// The mean charge of many requests alike. `load` has the weight of each of the 168 hours of the week,
    /// adding up to 1; without it requests come evenly. `batch_share`, 0 to 1, can wait for the batch
    /// price, which needs a multiplier in the record.
    pub fn expected(
        &self,
        usage: &Usage,
        load: Option<&[f64]>,
        batch_share: f64,
    ) -> Result<Charge, Unpriced> {
        let (rates, tier) = self.rates(usage.prompt());
        let windows = self.windows.iter().filter(|_| !tier).map(|(w, rates)| (w.share(load), *rates));
        let batch = (batch_share > 0.0)
            .then_some(self.batch_multiplier)
            .flatten()
            .map(|multiplier| Batch { share: batch_share, multiplier });
        expected(usage, rates, windows, batch)
    }

    /// US dollars that so many tokens can cost at most, in requests of which the longest has `longest` input
    /// tokens: at the highest rates that one of them can pay, nothing from a cache. `None` where no input or
    /// no output rate is known.
    pub fn worst_case(&self, input: u64, output: u64, longest: u64) -> Option<f64> {
        let all = || {
            let tiers = self.tiers.iter().filter(|(above, _)| longest > *above).map(|(_, rates)| rates);
            std::iter::once(&self.base).chain(tiers).chain(self.windows.iter().map(|(_, rates)| rates))
        };
        let dearest = |class: Class| all().filter_map(|r| r.rate(class)).reduce(f64::max);
        let input_rate = dearest(Class::Input)?.max(dearest(Class::CacheWrite).unwrap_or(0.0));
        let output_rate = dearest(Class::Output)?.max(dearest(Class::Reasoning).unwrap_or(0.0));
        Some((input as f64 * input_rate + output as f64 * output_rate) / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ContextTier, Rates as Record, TimeWindow};

    fn record(input: f64, output: f64) -> Record {
        Record {
            input_per_mtok: Some(input),
            output_per_mtok: Some(output),
            cache_read_per_mtok: Some(input / 10.0),
            ..Record::default()
        }
    }
    fn period() -> PricePeriod {
        PricePeriod {
            from: None,
            currency: "USD".to_owned(),
            rates: record(2.0, 10.0),
            batch_multiplier: Some(0.5),
            tiers: vec![ContextTier { above_input_tokens: 200_000, rates: record(4.0, 15.0) }],
            windows: vec![TimeWindow {
                start_utc: "16:30".to_owned(),
                end_utc: "00:30".to_owned(),
                weekdays: Vec::new(),
                rates: record(1.0, 5.0),
            }],
            free: false,
            cite: None,
        }
    }
    fn input(tokens: f64) -> Usage {
        Usage { uncached: tokens, ..Usage::default() }
    }
    fn total(charge: Option<Result<Charge, Unpriced>>) -> Option<f64> {
        charge.map(|c| c.expect("priced").total())
    }

    #[test]
    fn tiers_take_the_whole_request_and_hours_have_prices() {
        let prices = Schedule::of(&period(), ReasoningRule::AsOutput, 1.0);
        assert_eq!(total(prices.at(&input(100_000.0), Some(17 * 60))), Some(0.1));
        assert_eq!(total(prices.at(&input(100_000.0), Some(12 * 60))), Some(0.2));
        assert_eq!(prices.at(&input(1.0), None), None, "an unknown hour has no price");
        let long = total(prices.at(&input(200_001.0), None)).expect("a tier has one price");
        assert!((long - 200_001.0 * 4e-6).abs() < 1e-12);
        let most = |longest: u64| prices.worst_case(1000, 1000, longest).expect("known");
        assert!((most(300_000) - 0.019).abs() < 1e-12);
        assert!(most(1000) < most(300_000), "a short request never pays a long one's price");
        // A third of the day at half the price, and a fifth in batches at half of everything.
        let mean = prices.expected(&input(1e5), None, 0.2).expect("priced").total();
        assert!((mean - 0.2 * (1.0 - 1.0 / 6.0) * 0.9).abs() < 1e-12);
    }

    #[test]
    fn a_window_nobody_can_read_leaves_the_price_unknown() {
        let mut odd = period();
        odd.windows[0].start_utc = "late".to_owned();
        let prices = Schedule::of(&odd, ReasoningRule::AsOutput, 1.0);
        assert_eq!(prices.at(&input(1.0), Some(0)), None);
    }
}
