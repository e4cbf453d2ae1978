//! The matrix, `profiles/rules/matrix.toml`: rules, arguments, tiers. As data, so that the whole decision
//! can be read in one file and changed without touching code.

use crate::workload::{
    Answers, Budget, Capability, Modifiers, Operations, Privacy, PrivacyReason, Volume, given,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the workload runs, in the order of increasing control: cloud < hybrid < local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    Cloud,
    /// Both: a split between a provider and own or rented hardware.
    Hybrid,
    Local,
}

impl Placement {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::Hybrid => "hybrid",
            Self::Local => "local",
        }
    }
}

/// How sure the verdict is: how much would have to be wrong for it to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

impl Confidence {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium | Self::High => Self::High,
        }
    }
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

/// A line of the brief: its number, and words that it contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BriefLine {
    /// Number of the line, from 1.
    pub line: u32,
    /// Words of the line.
    pub text: String,
}

/// All rules, arguments and tiers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    pub volume: VolumeRule,
    pub rules: Vec<Rule>,
    pub arguments: Vec<Argument>,
    pub privacy_reasons: Vec<Mandate>,
    pub tiers: Vec<Tier>,
    pub capability_tiers: Vec<CapabilityTier>,
}

/// What counts as high volume, as long as no calculation says otherwise.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeRule {
    pub high_tokens_per_month: f64,
    pub brief: BriefLine,
}

/// One rule; the first rule whose condition holds decides.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    pub stage: Stage,
    pub placement: Placement,
    pub confidence: Confidence,
    /// Arguments against it do not lower its confidence.
    #[serde(default)]
    pub firm: bool,
    pub when: When,
    pub reason: String,
    pub brief: BriefLine,
}

/// The part of the decision that a rule belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Privacy,
    Requirements,
    Matrix,
    Operations,
    Budget,
    Default,
    /// Not a rule, but the cost calculation.
    Cost,
}

/// An argument for one or two placements.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    pub id: String,
    pub toward: Vec<Placement>,
    pub weight: u32,
    pub when: When,
    pub text: String,
    pub brief: BriefLine,
}

/// A law or contract because of which data may not leave the house.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mandate {
    pub id: PrivacyReason,
    pub title: String,
    pub note: String,
    pub brief: BriefLine,
}

/// A class of models by capability.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub tier: u8,
    pub title: String,
    pub meaning: String,
    pub hardware: String,
    pub brief: BriefLine,
}

/// The tiers that an answer to the capability question requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityTier {
    pub capability: Capability,
    /// Tier of models that are paid by the token.
    pub cloud: u8,
    /// Tier of models that run locally.
    pub local: u8,
}

/// The condition of a rule or argument; an empty list holds for every answer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    #[serde(default)]
    pub privacy: Vec<Privacy>,
    #[serde(default)]
    pub volume: Vec<Volume>,
    #[serde(default)]
    pub capability: Vec<Capability>,
    #[serde(default)]
    pub operations: Vec<Operations>,
    #[serde(default)]
    pub budget: Vec<Budget>,
    /// At least one of these modifiers must be set; empty for none.
    #[serde(default)]
    pub any: Modifiers,
}

impl When {
    pub fn holds(&self, answers: Answers, modifiers: Modifiers) -> bool {
        fn one_of<T: PartialEq>(allowed: &[T], answer: &T) -> bool {
            allowed.is_empty() || allowed.contains(answer)
        }
        one_of(&self.privacy, &answers.privacy)
            && one_of(&self.volume, &answers.volume)
            && one_of(&self.capability, &answers.capability)
            && one_of(&self.operations, &answers.operations)
            && one_of(&self.budget, &answers.budget)
            && (self.any.is_empty() || self.any.intersects(modifiers))
    }
}

const MATRIX: &str = include_str!("../../profiles/rules/matrix.toml");

impl Matrix {
    /// Read a matrix.
    ///
    /// # Errors
    ///
    /// Names `file`, the line and the nearest known key.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        let matrix: Self = toml::from_str(text).map_err(|e| given::toml_error(file, &e))?;
        let last = matrix.rules.last();
        if last.is_none_or(|rule| rule.when != When::default()) {
            return Err(format!(
                "{file}: the last rule must hold always (`when = {{}}`), or some need has no verdict"
            ));
        }
        Ok(matrix)
    }

    /// The matrix that this program ships with.
    pub fn shipped() -> Self {
        // The text is embedded and a test parses it, so that this cannot fail.
        Self::parse("profiles/rules/matrix.toml", MATRIX).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The first rule whose condition holds. That of the last rule always does, which [`Self::parse`]
    /// checks.
    pub fn rule(&self, answers: Answers, modifiers: Modifiers) -> &Rule {
        self.rules
            .iter()
            .find(|rule| rule.when.holds(answers, modifiers))
            .unwrap_or(&self.rules[self.rules.len() - 1])
    }

    pub fn tiers_for(&self, capability: Capability) -> Option<CapabilityTier> {
        self.capability_tiers.iter().copied().find(|t| t.capability == capability)
    }
    pub fn tier(&self, tier: u8) -> Option<&Tier> {
        self.tiers.iter().find(|t| t.tier == tier)
    }
}
