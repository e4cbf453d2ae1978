//! The need: what the workload requires. `profiles/*.toml` parse to it, the wizard and the flags
//! produce it, nothing else does.

pub mod evidence;
pub mod need;
pub mod profile;

pub use evidence::{Evidence, MeasuredTarget, TargetKind};
pub use need::{Modifier, Modifiers, Need, NeedDraft, PrivacyReason, RequestShape};
pub use profile::Profile;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The five answers of the brief, before any number is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    pub privacy: Privacy,
    pub volume: Volume,
    pub capability: Capability,
    pub operations: Operations,
    pub budget: Budget,
}

/// 1. Privacy requirements.
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
pub enum Privacy {
    /// A provider may process the data.
    Standard,
    /// A provider may, under an agreement (no training, no retention, region).
    Sensitive,
    /// The data may not leave.
    Strict,
}

/// 2. Volume.
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
pub enum Volume {
    Low,
    /// Comes and goes: bursts between quiet times.
    Variable,
    /// High and consistent.
    High,
}

/// 3. Capability.
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
pub enum Capability {
    /// Simple, well-defined tasks.
    Basic,
    /// Good enough is enough.
    Moderate,
    /// The highest there is.
    Maximum,
}

/// 4. Operational capacity.
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
pub enum Operations {
    Limited,
    Available,
}

/// 5. Budget structure.
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
#[serde(rename_all = "lowercase")]
pub enum Budget {
    Opex,
    /// Money can be spent up front.
    Capex,
}

macro_rules! keys {
    ($answer:ident: $($variant:ident = $key:literal),+) => {
        impl $answer {
            /// All answers, in the order they are offered.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// As it is written in profiles and flags.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key),+
                }
            }
        }
    };
}
keys!(Privacy: Standard = "standard", Sensitive = "sensitive", Strict = "strict");
keys!(Volume: Low = "low", Variable = "variable", High = "high");
keys!(Capability: Basic = "basic", Moderate = "moderate", Maximum = "maximum");
keys!(Operations: Limited = "limited", Available = "available");
keys!(Budget: Opex = "opex", Capex = "capex");
