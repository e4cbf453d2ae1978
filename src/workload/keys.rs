//! The table of keys of a need: name, unit, allowed values and meaning. Flags, wizard, profiles, scenario
//! files and documents all use it. The keys of offers, finance and hybrids are declared in the same way in
//! `cost::keys`.

use super::answers::{Answer, Budget, Capability, Operations, Privacy, PrivacyReason, Use, Volume};
pub use super::word::Word;

/// The table of a file that a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// The top level of a profile: the five answers and their modifiers.
    Answers,
    /// `[need]`: the requests.
    Need,
    /// `[[cloud]]`: the baseline, usually an API model.
    Cloud,
    /// `[[local]]`: hardware that is bought, financed or rented.
    Local,
    /// `[hybrid]`: both sides used together.
    Hybrid,
    /// `[finance]`: discount rate and currency.
    Finance,
}

impl Section {
    /// The tables of a scenario file.
    pub const OF_SCENARIO: [Self; 5] = [Self::Need, Self::Cloud, Self::Local, Self::Hybrid, Self::Finance];

    /// Its name in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Need => "need",
            Self::Cloud => "cloud",
            Self::Local => "local",
            Self::Hybrid => "hybrid",
            Self::Finance => "finance",
        }
    }
    /// May a file contain it more than once?
    pub const fn repeats(self) -> bool {
        matches!(self, Self::Cloud | Self::Local)
    }
    /// The table of a scenario file with this name; `None` where there is none.
    pub fn named(name: &str) -> Option<Self> {
        Self::OF_SCENARIO.into_iter().find(|s| s.name() == name)
    }
}

/// The kind of value that a key has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number within bounds (inclusive); it may be a range of low, likely, high.
    Number {
        /// The lowest allowed value.
        min: f64,
        /// The highest allowed value.
        max: f64,
    },
    /// A number above zero and up to [`LARGEST`]; it may be a range.
    Positive,
    /// A whole number within bounds (inclusive). It shapes the calculation, and so cannot be a range.
    Whole {
        /// The lowest allowed value.
        min: u32,
        /// The highest allowed value.
        max: u32,
    },
    /// A whole number of months that is part of the calculation; it may be a range.
    Months,
    /// True or false.
    Flag,
    /// A text of 1 to 200 characters.
    Text,
    /// A month, `YYYY-MM`.
    Month,
    /// One of these words.
    Choice(&'static [Word]),
    /// Load by hour of the week: `office-hours`, `flat`, or 168 numbers from Monday 00:00 UTC on.
    Profile,
    /// `[[cloud.change]]`: other values of these keys from a date on.
    Changes(&'static [&'static Key]),
    /// Kinds of request with their shares: `{share = 0.9, input_tokens = 1000, output_tokens = 200}`.
    Sizes,
    /// A list of texts of 1 to 200 characters; a single one may be written without brackets.
    Texts,
    /// `[[cloud.discount]]`: above an amount of a month's bill, a share of the rest is deducted.
    Discounts,
}

/// A set of kinds of offer, as bits: those that a key has an effect on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applies(u8);

impl Applies {
    /// APIs, paid by the token.
    pub const API: Self = Self(1);
    /// Hardware that is bought outright.
    pub const OWNED: Self = Self(2);
    /// Hardware that is bought with a loan.
    pub const FINANCED: Self = Self(4);
    /// Hardware that is rented by the hour.
    pub const RENTED: Self = Self(8);
    /// Hardware that is bought, with or without a loan.
    pub const BOUGHT: Self = Self(2 | 4);
    /// Any hardware.
    pub const HARDWARE: Self = Self(2 | 4 | 8);
    /// All kinds of offer; also for keys that do not belong to an offer.
    pub const ALL: Self = Self(15);

    /// Does the key have an effect on all of these kinds?
    pub const fn to(self, kind: Self) -> bool {
        self.0 & kind.0 == kind.0
    }
    /// The union of two sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// The table it belongs to.
    pub section: Section,
    /// Its name in files: `input_tokens`.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// Its unit; empty for a value without one.
    pub unit: &'static str,
    /// The kinds of offer it has an effect on.
    pub applies: Applies,
    /// A description in one line.
    pub help: &'static str,
}

impl Key {
    /// The dotted name in documents: `need.input_tokens`. Answers have no table in their name.
    pub fn path(&self) -> String {
        match self.section {
            Section::Answers => self.name.to_owned(),
            section => format!("{}.{}", section.name(), self.name),
        }
    }
    /// The name of its flag, without the leading hyphens: `need.input-tokens`, `privacy-reason`.
    pub fn flag(&self) -> String {
        self.path().replace('_', "-")
    }
}

/// The largest number: far above any real amount, price or count, and small enough that no product
/// overflows.
pub const LARGEST: f64 = 1e15;
/// The last month that calculations consider: a century.
pub const LAST_MONTH: u32 = 1200;
/// An amount, price or count.
pub const AMOUNT: Kind = Kind::Number { min: 0.0, max: LARGEST };
/// A share from 0 to 1.
pub const SHARE: Kind = Kind::Number { min: 0.0, max: 1.0 };
/// A count of at least 1.
pub const WHOLE: Kind = Kind::Whole { min: 1, max: 1_000_000_000 };
/// A factor of at least 1.
pub const FACTOR: Kind = Kind::Number { min: 1.0, max: LARGEST };
/// A rate of change. It cannot take away more than everything, and a percentage written as `20` instead of
/// `0.2` is refused.
pub const CHANGE: Kind = Kind::Number { min: -0.999_999, max: 5.0 };
const GROWTH: Kind = Kind::Number { min: -0.999_999, max: 1.0 };

/// Declares the keys of a section: a constant for each, and the list of all.
macro_rules! declare_keys {
    ($section:ident: $($constant:ident = $name:literal, $kind:expr, $unit:literal, $applies:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: &crate::workload::keys::Key = &crate::workload::keys::Key {
                section: crate::workload::keys::Section::$section,
                name: $name,
                kind: $kind,
                unit: $unit,
                applies: $applies,
                help: $help,
            };
        )*
        /// All keys of the section, in the order in which help shows them.
        pub const KEYS: &[&crate::workload::keys::Key] = &[$($constant),*];
    };
}

pub(crate) use declare_keys;

/// The five answers and their modifiers.
pub mod answers {
    use super::{
        AMOUNT, Answer as _, Applies, Budget, Capability, Kind, Operations, Privacy, PrivacyReason, SHARE,
        Volume, WHOLE,
    };
    const ALL: Applies = Applies::ALL;
    declare_keys! { Answers:
        PRIVACY = "privacy", Kind::Choice(Privacy::WORDS), "", ALL, "May the data leave?";
        PRIVACY_REASON = "privacy_reason", Kind::Choice(PrivacyReason::WORDS), "", ALL, "Who requires that it stays; implies `privacy = \"strict\"`";
        VOLUME = "volume", Kind::Choice(Volume::WORDS), "", ALL, "How many tokens, how steadily?";
        CAPABILITY = "capability", Kind::Choice(Capability::WORDS), "", ALL, "How strong must the model be?";
        OPERATIONS = "operations", Kind::Choice(Operations::WORDS), "", ALL, "Are there people to run servers?";
        BUDGET = "budget", Kind::Choice(Budget::WORDS), "", ALL, "Running costs, or money up front?";
        UP_FRONT = "up_front_usd", AMOUNT, "USD", ALL, "The most that may be spent up front";
        PEOPLE = "people", WHOLE, "people", ALL, "People who would ask, where it is people and not programs: seats are priced too";
        SIMPLE_SHARE = "simple_share", SHARE, "share", ALL, "Share of the requests that a weaker model answers as well";
        HAVE = "have", Kind::Text, "", ALL, "Hardware that is there already: `4x nvidia-h100-sxm-80gb`, or the id of a machine";
        OFFLINE = "modifiers.offline", Kind::Flag, "", ALL, "It must work without a network";
        FINE_TUNING = "modifiers.fine-tuning", Kind::Flag, "", ALL, "The weights must be trained further on own data";
        EMBEDDED = "modifiers.embedded", Kind::Flag, "", ALL, "It ships inside a product";
        PREDICTABLE_LATENCY = "modifiers.predictable-latency", Kind::Flag, "", ALL, "Latency must be steady";
        PROTOTYPE = "modifiers.prototype", Kind::Flag, "", ALL, "Starting out, or a prototype";
        BURSTS = "modifiers.bursts", Kind::Flag, "", ALL, "Occasional heavy use between quiet times";
        SMALL_TEAM = "modifiers.small-team", Kind::Flag, "", ALL, "Few people, none of them for operations";
        REDUNDANCY = "modifiers.redundancy", Kind::Flag, "", ALL, "One system must take over when the other fails";
        GRADUAL_MIGRATION = "modifiers.gradual-migration", Kind::Flag, "", ALL, "A move from the cloud to own hardware, step by step";
        MIXED_COMPLEXITY = "modifiers.mixed-complexity", Kind::Flag, "", ALL, "Simple and complex tasks arrive side by side";
        COST_OPTIMIZATION = "modifiers.cost-optimization", Kind::Flag, "", ALL, "Every request should go where it is cheapest";
    }
    /// Prefix of the names of modifiers' keys.
    pub const MODIFIER: &str = "modifiers.";
}

/// Keys of `[need]`.
pub mod need {
    use super::{AMOUNT, Answer as _, Applies, FACTOR, GROWTH, Kind, LAST_MONTH, SHARE, Use};
    const ALL: Applies = Applies::ALL;
    declare_keys! { Need:
        NAME = "name", Kind::Text, "", ALL, "What the need is called, where there are several";
        USE = "use", Kind::Choice(Use::WORDS), "", ALL, "What the requests are for; sets the limits on latency where none are given";
        REQUESTS_PER_MONTH = "requests_per_month", Kind::Positive, "requests/month", ALL, "Requests in the first month";
        INPUT_TOKENS = "input_tokens", AMOUNT, "tokens", ALL, "Input tokens of one request (mean), cached ones included";
        OUTPUT_TOKENS = "output_tokens", AMOUNT, "tokens", ALL, "Output tokens of one request (mean), without reasoning";
        REASONING_TOKENS = "reasoning_tokens", AMOUNT, "tokens", ALL, "Reasoning tokens of one request (mean)";
        SIZES = "sizes", Kind::Sizes, "", ALL, "Kinds of request and their shares, where requests are not alike: decides which of them pay a long context's price";
        CONTEXT_TOKENS = "context_tokens", AMOUNT, "tokens", ALL, "Input and output tokens of a long request (95th percentile)";
        CACHED_INPUT_SHARE = "cached_input_share", SHARE, "share", ALL, "Share of the input tokens that repeats what was sent before (read from a cache)";
        CACHE_WRITE_INPUT_SHARE = "cache_write_input_share", SHARE, "share", ALL, "Share of the input tokens written to the provider's cache";
        BATCH_SHARE = "batch_share", SHARE, "share", ALL, "Share of the requests that can wait for the batch price";
        TTFT_MS = "ttft_ms", Kind::Positive, "ms", ALL, "Longest time to the first token that is still of use (95th percentile)";
        TPOT_MS = "tpot_ms", Kind::Positive, "ms", ALL, "Longest time per further token that is still of use (95th percentile)";
        E2E_MS = "e2e_ms", Kind::Positive, "ms", ALL, "Longest time of a whole answer that is still of use (95th percentile)";
        MUST_STAY_UP = "must_stay_up", Kind::Flag, "", ALL, "One machine may fail without a break in service";
        VOLUME_FACTOR = "volume_factor", Kind::Positive, "x", ALL, "What comes of the forecast: 1 is as many requests as forecast";
        TOKENS_PER_MONTH = "tokens_per_month", Kind::Positive, "tokens/month", ALL, "Input and output tokens of a month, where only the total is known";
        INPUT_SHARE = "input_share", SHARE, "share", ALL, "Share of the tokens that is input, where only the total is known";
        AT_CAPACITY = "at_capacity", Kind::Flag, "", ALL, "Volume is everything the local side can generate";
        PEAK_REQUESTS_PER_SECOND = "peak_requests_per_second", Kind::Positive, "requests/s", ALL, "Requests per second at the peak";
        PEAK_TO_MEAN = "peak_to_mean", FACTOR, "x", ALL, "Peak load over mean load";
        GROWTH_PER_MONTH = "growth_per_month", GROWTH, "per month", ALL, "Growth of the requests from month to month (0.02 is 2 %)";
        HORIZON_MONTHS = "horizon_months", Kind::Whole { min: 1, max: LAST_MONTH }, "months", ALL, "Months over which costs are compared";
        HOURS_PER_MONTH = "hours_per_month", Kind::Positive, "h/month", ALL, "Hours in a month";
        START = "start", Kind::Month, "", ALL, "First month, YYYY-MM";
        TIER = "tier", Kind::Whole { min: 1, max: 4 }, "", ALL, "Capability tier an API model needs, or a better one (1 is the most capable)";
    }
}

/// The key with this name among `keys`.
pub fn find(keys: &[&'static Key], name: &str) -> Option<&'static Key> {
    keys.iter().find(|k| k.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Modifier;

    #[test]
    fn every_modifier_is_a_key() {
        let keys = || answers::KEYS.iter().filter_map(|k| k.name.strip_prefix(answers::MODIFIER));
        assert!(keys().eq(Modifier::ALL.iter().map(|m| m.key())));
    }
}
