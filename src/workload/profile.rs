//! `profiles/*.toml`: needs written down. The shipped ones mirror the use-case tables of the brief;
//! the wizard saves the user's own.

use super::need::{Modifier, NeedDraft, PrivacyReason, sourced};
use super::{Budget, Capability, Operations, Privacy, Volume};
use crate::provenance::{Source, Sourced};
use crate::spelling::nearest;
use crate::units::Share;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A need in a file. Every answer may be left out: flags and questions fill the rest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// One line for lists.
    pub title: String,
    /// What situation it describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The row of the brief it mirrors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// Why the data may not leave; implies `privacy = "strict"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_reason: Option<PrivacyReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Volume>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Operations>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<Modifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<ProfileRequests>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<ProfileLimits>,
}

/// `[slo]`: what one request may take to be of use, milliseconds. `bench` counts the requests that
/// keep all of them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileLimits {
    /// Time to the first token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<Count>,
    /// Time per further token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ms: Option<Count>,
    /// The whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e2e_ms: Option<Count>,
}

/// `[need]`: the mean request, and how many there are. Same keys as in a scenario of `breakeven`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRequests {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_month: Option<Count>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<Count>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_share: Option<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<Count>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<Count>,
}

/// A mean count from outside: finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
#[schemars(with = "f64")]
pub struct Count(f64);

/// A whole number is written as one, as a person would.
impl Serialize for Count {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Below 2^53 every whole f64 is an exact i64.
        #[allow(clippy::cast_possible_truncation)]
        if self.0.fract() == 0.0 && self.0 < 9e15 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// A number that counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a count: it must be a finite number, zero or more")]
pub struct NotACount(f64);

impl Count {
    pub const fn get(self) -> f64 {
        self.0
    }
}
impl TryFrom<f64> for Count {
    type Error = NotACount;
    fn try_from(value: f64) -> Result<Self, NotACount> {
        if value.is_finite() && value >= 0.0 { Ok(Self(value)) } else { Err(NotACount(value)) }
    }
}
impl std::str::FromStr for Count {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let value: f64 = text.replace('_', "").parse().map_err(|e| format!("{e}"))?;
        Self::try_from(value).map_err(|e| e.to_string())
    }
}

/// The shipped profiles: name and text, sorted by name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("bursty", include_str!("../../profiles/bursty.toml")),
    ("cost-optimization", include_str!("../../profiles/cost-optimization.toml")),
    ("embedded-in-product", include_str!("../../profiles/embedded-in-product.toml")),
    ("fine-tuned", include_str!("../../profiles/fine-tuned.toml")),
    ("gradual-migration", include_str!("../../profiles/gradual-migration.toml")),
    ("healthcare-strict", include_str!("../../profiles/healthcare-strict.toml")),
    ("high-volume-extraction", include_str!("../../profiles/high-volume-extraction.toml")),
    ("hybrid-routing", include_str!("../../profiles/hybrid-routing.toml")),
    ("legal", include_str!("../../profiles/legal.toml")),
    ("low-volume-app", include_str!("../../profiles/low-volume-app.toml")),
    ("maximum-capability", include_str!("../../profiles/maximum-capability.toml")),
    ("offline-field-device", include_str!("../../profiles/offline-field-device.toml")),
    ("predictable-latency", include_str!("../../profiles/predictable-latency.toml")),
    ("redundancy", include_str!("../../profiles/redundancy.toml")),
    ("small-team", include_str!("../../profiles/small-team.toml")),
    ("starting-out", include_str!("../../profiles/starting-out.toml")),
];

impl Profile {
    /// Read a profile. `file` names it in the error, which carries line, caret and the nearest key.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e| explain(file, &e))
    }

    /// A shipped profile by name.
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, text) = SHIPPED.iter().find(|(n, _)| *n == name)?;
        Self::parse(name, text).ok()
    }

    /// What it says, as answers of the user by way of this file.
    pub fn draft(&self, file: &str) -> NeedDraft {
        let via = |key: &str| Source::User { via: format!("{file}: {key}") };
        let requests = self.need.clone().unwrap_or_default();
        let count = |value: Option<Count>, key: &str| sourced(value.map(Count::get), || via(key));
        NeedDraft {
            privacy: sourced(self.privacy, || via("privacy")),
            privacy_reason: sourced(self.privacy_reason, || via("privacy_reason")),
            volume: sourced(self.volume, || via("volume")),
            capability: sourced(self.capability, || via("capability")),
            operations: sourced(self.operations, || via("operations")),
            budget: sourced(self.budget, || via("budget")),
            modifiers: self.modifiers.iter().map(|m| Sourced::new(*m, via("modifiers"))).collect(),
            input_tokens: count(requests.input_tokens, "need.input_tokens"),
            cached_input_share: sourced(requests.cached_input_share.map(Share::get), || {
                via("need.cached_input_share")
            }),
            output_tokens: count(requests.output_tokens, "need.output_tokens"),
            reasoning_tokens: count(requests.reasoning_tokens, "need.reasoning_tokens"),
            requests_per_month: count(requests.requests_per_month, "need.requests_per_month"),
        }
    }
}

/// A TOML error for people: the file, toml's own line and caret, and the nearest known name.
pub fn explain(file: &str, error: &toml::de::Error) -> String {
    let text = format!("{file}: {}", error.to_string().trim_end());
    match did_you_mean(error.message()) {
        Some(near) => format!("{text}\nDid you mean `{near}`?"),
        None => text,
    }
}

/// "unknown field `privcy`, expected one of `privacy`, `volume`" → `privacy`.
fn did_you_mean(message: &str) -> Option<String> {
    let (unknown, expected) = message.split_once(", expected ")?;
    let quoted =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let typed = quoted(unknown).into_iter().next()?;
    nearest(&typed, quoted(expected).iter().map(String::as_str), 1).pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_names_file_line_and_nearest_key() {
        let error = Profile::parse("mine.toml", "title = \"x\"\nprivcy = \"strict\"\n").unwrap_err();
        assert!(error.starts_with("mine.toml: "), "{error}");
        assert!(error.contains("line 2") && error.contains("^^^^^^"), "{error}");
        assert!(error.contains("Did you mean `privacy`?"), "{error}");
        let error = Profile::parse("mine.toml", "title = \"x\"\nprivacy = \"strickt\"\n").unwrap_err();
        assert!(error.contains("Did you mean `strict`?"), "{error}");
    }

    #[test]
    fn counts_are_finite_and_not_negative() {
        for bad in ["-1", "nan", "inf"] {
            let text = format!("title = \"x\"\n[need]\nrequests_per_month = {bad}\n");
            assert!(Profile::parse("p", &text).is_err(), "{bad}");
        }
        let text = "title = \"x\"\n[need]\nrequests_per_month = 20000\n";
        let draft = Profile::parse("p", text).expect("parses").draft("p");
        assert_eq!(draft.requests_per_month.map(|r| r.value), Some(20_000.0));
    }
}
