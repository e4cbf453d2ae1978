//! The need: the five answers, what modifies them, and the shape and number of the requests.
//!
//! A [`NeedDraft`] is filled from flags, then a profile, then questions (whoever speaks first
//! wins); [`NeedDraft::complete`] makes a [`Need`] of it, or names what is missing.

use super::{Answers, Budget, Capability, Operations, Privacy, Volume};
use crate::provenance::{Source, Sourced};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A circumstance of the brief's use-case tables that the five questions do not ask for.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Modifier {
    /// It must work without a network.
    Offline,
    /// The weights must be trained further on own data.
    FineTuning,
    /// It ships inside a product.
    Embedded,
    /// Latency must be steady; network variability hurts.
    PredictableLatency,
    /// Starting out, or a prototype.
    Prototype,
    /// Occasional heavy use between quiet times.
    Bursts,
    /// Few people, none of them for operations.
    SmallTeam,
    /// One system must take over when the other fails.
    Redundancy,
    /// A move from the cloud to own hardware, step by step.
    GradualMigration,
    /// Simple and complex tasks arrive side by side.
    MixedComplexity,
    /// Every request should go where it is cheapest.
    CostOptimization,
}

impl Modifier {
    /// All of them, in the order they are asked and printed.
    pub const ALL: [Self; 11] = [
        Self::Offline,
        Self::FineTuning,
        Self::Embedded,
        Self::PredictableLatency,
        Self::Prototype,
        Self::Bursts,
        Self::SmallTeam,
        Self::Redundancy,
        Self::GradualMigration,
        Self::MixedComplexity,
        Self::CostOptimization,
    ];
    /// As it is written in profiles and flags.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::FineTuning => "fine-tuning",
            Self::Embedded => "embedded",
            Self::PredictableLatency => "predictable-latency",
            Self::Prototype => "prototype",
            Self::Bursts => "bursts",
            Self::SmallTeam => "small-team",
            Self::Redundancy => "redundancy",
            Self::GradualMigration => "gradual-migration",
            Self::MixedComplexity => "mixed-complexity",
            Self::CostOptimization => "cost-optimization",
        }
    }
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Modifier>", into = "Vec<Modifier>")]
pub struct Modifiers(u16);

impl Modifiers {
    /// How many sets there are; [`Self::nth`] counts through them.
    pub const SETS: u16 = 1 << Modifier::ALL.len();

    /// The n-th of all sets.
    pub const fn nth(n: u16) -> Self {
        Self(n % Self::SETS)
    }
    pub const fn contains(self, modifier: Modifier) -> bool {
        self.0 & modifier.bit() != 0
    }
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    #[must_use]
    pub const fn with(self, modifier: Modifier) -> Self {
        Self(self.0 | modifier.bit())
    }
    #[must_use]
    pub const fn without(self, modifier: Modifier) -> Self {
        Self(self.0 & !modifier.bit())
    }
    pub fn iter(self) -> impl Iterator<Item = Modifier> {
        Modifier::ALL.into_iter().filter(move |m| self.contains(*m))
    }
}

impl FromIterator<Modifier> for Modifiers {
    fn from_iter<I: IntoIterator<Item = Modifier>>(items: I) -> Self {
        items.into_iter().fold(Self::default(), Self::with)
    }
}
impl From<Vec<Modifier>> for Modifiers {
    fn from(items: Vec<Modifier>) -> Self {
        items.into_iter().collect()
    }
}
impl From<Modifiers> for Vec<Modifier> {
    fn from(set: Modifiers) -> Self {
        set.iter().collect()
    }
}

/// Why the data may not leave ("When local is required" in the brief).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum PrivacyReason {
    /// Health data.
    Hipaa,
    /// Attorney-client privilege and other legal secrets.
    AttorneyClient,
    /// Classified or government work.
    Classified,
    /// Proprietary algorithms, trade secrets.
    TradeSecrets,
    /// User data under strict rules of place.
    Jurisdiction,
}

impl PrivacyReason {
    pub const ALL: [Self; 5] =
        [Self::Hipaa, Self::AttorneyClient, Self::Classified, Self::TradeSecrets, Self::Jurisdiction];
    /// As it is written in profiles and flags.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Hipaa => "hipaa",
            Self::AttorneyClient => "attorney-client",
            Self::Classified => "classified",
            Self::TradeSecrets => "trade-secrets",
            Self::Jurisdiction => "jurisdiction",
        }
    }
}

/// Tokens of one request: means, and the 95th percentile where it is known. A month's token total
/// alone cannot be priced: context tiers, caches and peaks depend on the request.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestShape {
    /// All input tokens, cached ones included.
    pub input_tokens: f64,
    /// Share of `input_tokens` read from a prompt cache.
    #[serde(default)]
    pub cached_input_share: f64,
    /// Visible output.
    pub output_tokens: f64,
    /// Generated before the visible output; billed as output unless the price record says otherwise.
    #[serde(default)]
    pub reasoning_tokens: f64,
    #[serde(default)]
    pub input_tokens_p95: Option<f64>,
    #[serde(default)]
    pub output_tokens_p95: Option<f64>,
}

impl RequestShape {
    /// Everything one request moves.
    pub fn total_tokens(&self) -> f64 {
        self.input_tokens + self.output_tokens + self.reasoning_tokens
    }
}

/// What the workload requires.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    pub answers: Answers,
    pub modifiers: Modifiers,
    pub privacy_reason: Option<PrivacyReason>,
    pub shape: Option<RequestShape>,
    pub requests_per_month: Option<f64>,
}

impl Need {
    /// Only the five answers.
    pub const fn of(answers: Answers) -> Self {
        Self { answers, modifiers: Modifiers(0), privacy_reason: None, shape: None, requests_per_month: None }
    }
    /// Input, output and reasoning tokens of a month, where shape and number are known.
    pub fn tokens_per_month(&self) -> Option<f64> {
        Some(self.shape?.total_tokens() * self.requests_per_month?)
    }
}

/// A need on its way: each part with its origin, absent until somebody says it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NeedDraft {
    pub privacy: Option<Sourced<Privacy>>,
    pub privacy_reason: Option<Sourced<PrivacyReason>>,
    pub volume: Option<Sourced<Volume>>,
    pub capability: Option<Sourced<Capability>>,
    pub operations: Option<Sourced<Operations>>,
    pub budget: Option<Sourced<Budget>>,
    /// Each modifier once, with its own origin.
    pub modifiers: Vec<Sourced<Modifier>>,
    pub input_tokens: Option<Sourced<f64>>,
    pub cached_input_share: Option<Sourced<f64>>,
    pub output_tokens: Option<Sourced<f64>>,
    pub reasoning_tokens: Option<Sourced<f64>>,
    pub requests_per_month: Option<Sourced<f64>>,
}

/// One of the five questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    Privacy,
    Volume,
    Capability,
    Operations,
    Budget,
}

impl Question {
    pub const ALL: [Self; 5] =
        [Self::Privacy, Self::Volume, Self::Capability, Self::Operations, Self::Budget];
    pub const fn key(self) -> &'static str {
        match self {
            Self::Privacy => "privacy",
            Self::Volume => "volume",
            Self::Capability => "capability",
            Self::Operations => "operations",
            Self::Budget => "budget",
        }
    }
}

impl NeedDraft {
    /// Take from `other` whatever is not said yet.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.privacy = self.privacy.or(other.privacy);
        self.privacy_reason = self.privacy_reason.or(other.privacy_reason);
        self.volume = self.volume.or(other.volume);
        self.capability = self.capability.or(other.capability);
        self.operations = self.operations.or(other.operations);
        self.budget = self.budget.or(other.budget);
        for modifier in other.modifiers {
            if self.modifiers.iter().all(|m| m.value != modifier.value) {
                self.modifiers.push(modifier);
            }
        }
        self.input_tokens = self.input_tokens.or(other.input_tokens);
        self.cached_input_share = self.cached_input_share.or(other.cached_input_share);
        self.output_tokens = self.output_tokens.or(other.output_tokens);
        self.reasoning_tokens = self.reasoning_tokens.or(other.reasoning_tokens);
        self.requests_per_month = self.requests_per_month.or(other.requests_per_month);
        self
    }

    /// A mandate that keeps the data in says the privacy answer too.
    #[must_use]
    pub fn with_implied(mut self) -> Self {
        if let (None, Some(reason)) = (&self.privacy, &self.privacy_reason) {
            self.privacy = Some(Sourced::new(Privacy::Strict, reason.source.clone()));
        }
        self
    }

    /// The questions nobody has answered.
    pub fn missing(&self) -> Vec<Question> {
        let open = [
            (Question::Privacy, self.privacy.is_none()),
            (Question::Volume, self.volume.is_none()),
            (Question::Capability, self.capability.is_none()),
            (Question::Operations, self.operations.is_none()),
            (Question::Budget, self.budget.is_none()),
        ];
        open.into_iter().filter(|(_, missing)| *missing).map(|(q, _)| q).collect()
    }

    /// The need, if all five questions are answered; otherwise those that are not.
    pub fn complete(&self) -> Result<Need, Vec<Question>> {
        let (Some(privacy), Some(volume), Some(capability), Some(operations), Some(budget)) =
            (&self.privacy, &self.volume, &self.capability, &self.operations, &self.budget)
        else {
            return Err(self.missing());
        };
        let value = |v: &Option<Sourced<f64>>| v.as_ref().map(|v| v.value);
        let shape = match (value(&self.input_tokens), value(&self.output_tokens)) {
            (Some(input_tokens), Some(output_tokens)) => Some(RequestShape {
                input_tokens,
                output_tokens,
                cached_input_share: value(&self.cached_input_share).unwrap_or(0.0),
                reasoning_tokens: value(&self.reasoning_tokens).unwrap_or(0.0),
                ..RequestShape::default()
            }),
            _ => None,
        };
        Ok(Need {
            answers: Answers {
                privacy: privacy.value,
                volume: volume.value,
                capability: capability.value,
                operations: operations.value,
                budget: budget.value,
            },
            modifiers: self.modifiers.iter().map(|m| m.value).collect(),
            privacy_reason: self.privacy_reason.as_ref().map(|r| r.value),
            shape,
            requests_per_month: value(&self.requests_per_month),
        })
    }
}

/// Everything one layer says came the same way.
pub fn sourced<T>(value: Option<T>, source: impl Fn() -> Source) -> Option<Sourced<T>> {
    value.map(|v| Sourced::new(v, source()))
}
