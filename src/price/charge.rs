//! Tokens, rates, and what a request costs at them.

use crate::catalog;

/// Requests that can wait for the batch price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch {
    /// Share of all requests, 0 to 1.
    pub share: f64,
    /// Factor on every rate: 0.5 where a batch costs half.
    pub multiplier: f64,
}

/// Tokens of one request (or of many together), by how they are billed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Input neither read from nor written to a cache.
    pub uncached: f64,
    /// Input read from the provider's cache.
    pub cache_read: f64,
    /// Input written to the provider's cache, for its ordinary lifetime.
    pub cache_write: f64,
    /// Output without reasoning.
    pub output: f64,
    /// Tokens generated before the visible output.
    pub reasoning: f64,
}

impl Usage {
    /// All tokens of the prompt, cached or not: their number decides which context tier the request falls
    /// into.
    pub fn prompt(&self) -> f64 {
        self.uncached + self.cache_read + self.cache_write
    }
    /// A request of `input` tokens, of which the shares `read` and `written` (each 0 to 1) are read from
    /// and written to a cache; `output` and `reasoning` are tokens.
    pub fn of_shares(input: f64, read: f64, written: f64, output: f64, reasoning: f64) -> Self {
        Self {
            uncached: input * (1.0 - read - written).max(0.0),
            cache_read: input * read,
            cache_write: input * written,
            output,
            reasoning,
        }
    }
}

/// A way in which tokens are billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Prompt tokens that are in no cache.
    Input,
    /// Prompt tokens read from a cache.
    CacheRead,
    /// Prompt tokens written to a cache.
    CacheWrite,
    /// Tokens of the answer.
    Output,
    /// Tokens of thoughts, where they have a rate of their own.
    Reasoning,
}

impl Class {
    /// In the order a bill shows them.
    pub const ALL: [Self; 5] =
        [Self::Input, Self::CacheRead, Self::CacheWrite, Self::Output, Self::Reasoning];
    /// In words: `cached input`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheRead => "cached input",
            Self::CacheWrite => "input written to the cache",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
        }
    }
}

/// US dollars per million tokens of each class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Prompt tokens that are in no cache. `None`: unknown.
    pub input: Option<f64>,
    /// Tokens of the answer. `None`: unknown.
    pub output: Option<f64>,
    /// Prompt tokens read from a cache. `None`: unknown.
    pub cache_read: Option<f64>,
    /// Prompt tokens written to a cache. `None`: unknown.
    pub cache_write: Option<f64>,
    /// `None`: reasoning is billed as output.
    pub reasoning: Option<f64>,
}

impl Rates {
    /// The rates of a catalogue record in US dollars; `usd` is what one unit of the record's currency
    /// costs. With `own_reasoning` the record's reasoning rate is kept; without it reasoning is billed as
    /// output.
    pub fn of(record: &catalog::Rates, usd: f64, own_reasoning: bool) -> Self {
        let rate = |rate: Option<f64>| rate.map(|r| r * usd);
        Self {
            input: rate(record.input_per_mtok),
            output: rate(record.output_per_mtok),
            cache_read: rate(record.cache_read_per_mtok),
            cache_write: rate(record.cache_write_per_mtok),
            reasoning: rate(record.reasoning_per_mtok).filter(|_| own_reasoning),
        }
    }
    /// US dollars per million tokens of this class; `None` where unknown. Reasoning without a rate of its
    /// own has the output's.
    pub const fn rate(&self, class: Class) -> Option<f64> {
        match class {
            Class::Input => self.input,
            Class::CacheRead => self.cache_read,
            Class::CacheWrite => self.cache_write,
            Class::Output => self.output,
            Class::Reasoning => match self.reasoning {
                None => self.output,
                own => own,
            },
        }
    }
}

/// A class of tokens that was used and has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no price is known for {}", .0.words())]
pub struct Unpriced(pub Class);

/// What a request costs, in US dollars, by class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Charge {
    parts: [f64; Class::ALL.len()],
}

impl Charge {
    /// US dollars for the tokens of one class.
    pub const fn part(&self, class: Class) -> f64 {
        self.parts[class as usize]
    }
    /// US dollars for all classes together.
    pub fn total(&self) -> f64 {
        self.parts.iter().sum()
    }
    /// The weighted sum of two charges, class by class.
    #[must_use]
    fn mixed(mut self, of_this: f64, other: &Self, of_other: f64) -> Self {
        for (part, other) in self.parts.iter_mut().zip(other.parts) {
            *part = *part * of_this + other * of_other;
        }
        self
    }
    /// The sum of two charges, class by class.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        self.mixed(1.0, other, 1.0)
    }
    /// Every class times `factor`.
    #[must_use]
    pub fn times(mut self, factor: f64) -> Self {
        for part in &mut self.parts {
            *part *= factor;
        }
        self
    }
}

/// What this usage costs: tokens ÷ 10⁶ × rate, class by class. Fails with the first class that was used and
/// has no rate.
pub fn charge(usage: &Usage, rates: &Rates) -> Result<Charge, Unpriced> {
    let mut charge = Charge::default();
    for class in Class::ALL {
        let tokens = match class {
            Class::Input => usage.uncached,
            Class::CacheRead => usage.cache_read,
            Class::CacheWrite => usage.cache_write,
            Class::Output => usage.output,
            Class::Reasoning => usage.reasoning,
        };
        if tokens > 0.0 {
            let rate = rates.rate(class).ok_or(Unpriced(class))?;
            charge.parts[class as usize] = tokens / 1e6 * rate;
        }
    }
    Ok(charge)
}

/// The mean charge of many requests alike, in US dollars a request. `windows` has the share of them that
/// falls into each window of the day, 0 to 1, and the rates there; the others pay the `base` rates.
/// `batch` is the share that waits for the batch price, and the factor on every rate.
pub fn expected(
    usage: &Usage,
    base: &Rates,
    windows: impl Iterator<Item = (f64, Rates)>,
    batch: Option<Batch>,
) -> Result<Charge, Unpriced> {
    let ordinary = charge(usage, base)?;
    let mut mean = ordinary;
    for (share, rates) in windows.filter(|(share, _)| *share > 0.0) {
        mean = mean.mixed(1.0, &charge(usage, &rates)?, share).mixed(1.0, &ordinary, -share);
    }
    Ok(batch.map_or(mean, |b| mean.times(1.0 - b.share + b.share * b.multiplier)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        input: Some(2.0),
        output: Some(10.0),
        cache_read: Some(0.2),
        cache_write: None,
        reasoning: None,
    };

    #[test]
    fn every_class_has_its_rate_and_what_is_unknown_is_not_free() {
        let usage = Usage { uncached: 1e6, cache_read: 1e6, output: 1e6, ..Usage::default() };
        let bill = charge(&usage, &RATES).expect("priced");
        let parts = [Class::Input, Class::CacheRead, Class::Output].map(|c| bill.part(c).to_string());
        assert_eq!(parts, ["2", "0.2", "10"]);
        assert!((bill.total() - 12.2).abs() < 1e-12);
        let written = Usage { cache_write: 1.0, ..usage };
        assert_eq!(charge(&written, &RATES), Err(Unpriced(Class::CacheWrite)));
        assert_eq!(charge(&Usage::default(), &Rates::default()).map(|c| c.total()), Ok(0.0));
    }

    #[test]
    fn reasoning_is_output_unless_it_has_a_rate() {
        let usage = Usage { reasoning: 1e6, ..Usage::default() };
        assert!((charge(&usage, &RATES).expect("priced").part(Class::Reasoning) - 10.0).abs() < 1e-12);
        let own = Rates { reasoning: Some(3.0), ..RATES };
        assert!((charge(&usage, &own).expect("priced").total() - 3.0).abs() < 1e-12);
    }

    /// Half of the requests at night for half the price, a quarter in batches at a half of that.
    #[test]
    fn shares_of_windows_and_batches_are_weighted() {
        let usage = Usage { uncached: 1e6, ..Usage::default() };
        let night = Rates { input: Some(1.0), ..RATES };
        let batch = Some(Batch { share: 0.25, multiplier: 0.5 });
        let mean = expected(&usage, &RATES, std::iter::once((0.5, night)), batch).expect("priced");
        assert!((mean.total() - 1.5 * 0.875).abs() < 1e-12);
    }
}
