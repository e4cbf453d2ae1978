//! `profiles/rules/matrix.toml`: rules, arguments, tiers. Data, so that a person can read the
//! whole decision in one file and change it without touching code.

use crate::workload::{
    Answers, Budget, Capability, Modifiers, Operations, Privacy, PrivacyReason, Volume, given,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the workload runs. The order is the direction of control: cloud < hybrid < local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    Cloud,
    /// A split between rented and own.
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

/// How much would have to be wrong for the verdict to be wrong.
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

/// A line of the brief: its number and words that stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BriefLine {
    /// Its number in the brief, from 1.
    pub line: u32,
    /// What it says.
    pub text: String,
}

/// The whole decision.
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

/// What high volume means while no calculation says better.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeRule {
    pub high_tokens_per_month: f64,
    pub brief: BriefLine,
}

/// One row of the decision; the first that holds decides.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    pub stage: Stage,
    pub placement: Placement,
    pub confidence: Confidence,
    /// Nothing weighs against it: arguments do not lower its confidence.
    #[serde(default)]
    pub firm: bool,
    pub when: When,
    pub reason: String,
    pub brief: BriefLine,
}

/// Which part of the decision a rule belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Privacy,
    Requirements,
    Matrix,
    Operations,
    Budget,
    Default,
    /// No rule: the calculation.
    Cost,
}

/// Something that speaks for one or two placements by itself.
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

/// A reason for which data may not leave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mandate {
    pub id: PrivacyReason,
    pub title: String,
    pub note: String,
    pub brief: BriefLine,
}

/// A class of models.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub tier: u8,
    pub title: String,
    pub meaning: String,
    pub hardware: String,
    pub brief: BriefLine,
}

/// The tiers a capability answer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityTier {
    pub capability: Capability,
    /// When rented.
    pub cloud: u8,
    /// When run locally.
    pub local: u8,
}

/// Conditions: an absent one always holds.
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
    /// At least one of these modifiers is set.
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
    /// Read a matrix; the error names `file`, line and nearest key.
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

    /// The shipped one.
    pub fn shipped() -> Self {
        // Embedded text; a test parses it, so this cannot fail in a build that passed.
        Self::parse("profiles/rules/matrix.toml", MATRIX).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The first rule that holds. The last one always does ([`Self::parse`] checks).
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
