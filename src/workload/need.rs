//! The need: the five answers, what modifies them, and the shape and number of the requests.
//!
//! A [`NeedDraft`] is filled from flags, then a profile, then questions (whoever speaks first
//! wins); [`NeedDraft::complete`] makes a [`Need`] of it, or names what is missing.

use super::answers::{Answer, Answers, Modifier, Modifiers, Privacy, PrivacyReason, Use};
use super::given::{Fields, Given, Value};
use super::keys::{Key, answers, need};
use crate::provenance::{Source, Sourced};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// 95th percentile of the input tokens; null where it is not known.
    #[serde(default)]
    pub input_tokens_p95: Option<f64>,
    /// 95th percentile of the visible output; null where it is not known.
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
    /// The five answers.
    pub answers: Answers,
    /// What else is true of it.
    pub modifiers: Modifiers,
    /// Who requires the privacy that was answered.
    pub privacy_reason: Option<PrivacyReason>,
    /// What it is for.
    pub purpose: Option<Use>,
    /// Tokens of one request.
    pub shape: Option<RequestShape>,
    /// Requests in the first month.
    pub requests_per_month: Option<f64>,
}

impl Need {
    /// Only the five answers.
    pub const fn of(answers: Answers) -> Self {
        Self {
            answers,
            modifiers: Modifiers::EMPTY,
            privacy_reason: None,
            purpose: None,
            shape: None,
            requests_per_month: None,
        }
    }
    /// Input, output and reasoning tokens of a month, where shape and number are known.
    pub fn tokens_per_month(&self) -> Option<f64> {
        Some(self.shape?.total_tokens() * self.requests_per_month?)
    }
}

/// One of the five questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// May the data leave the house?
    Privacy,
    /// How much is asked, and how evenly?
    Volume,
    /// How able must the model be?
    Capability,
    /// Who could run it?
    Operations,
    /// How can money be spent?
    Budget,
}

impl Question {
    /// In the order they are asked.
    pub const ALL: [Self; 5] =
        [Self::Privacy, Self::Volume, Self::Capability, Self::Operations, Self::Budget];
    /// The key it answers.
    pub const fn answers(self) -> &'static Key {
        match self {
            Self::Privacy => answers::PRIVACY,
            Self::Volume => answers::VOLUME,
            Self::Capability => answers::CAPABILITY,
            Self::Operations => answers::OPERATIONS,
            Self::Budget => answers::BUDGET,
        }
    }
    /// The name of that key.
    pub const fn key(self) -> &'static str {
        self.answers().name
    }
}

/// A need on its way: the keys somebody said something about, each with its origin. Answers and
/// `[need]` together; no name stands in both.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NeedDraft {
    fields: Fields,
}

impl NeedDraft {
    /// Of keys that were read.
    pub const fn of(fields: Fields) -> Self {
        Self { fields }
    }
    /// What is said so far, by key name.
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }
    /// Say something, over whatever was said before.
    pub fn set(&mut self, key: &'static Key, given: Given) {
        self.fields.insert(key.name, given);
    }
    /// Take something back.
    pub fn unset(&mut self, key: &Key) {
        self.fields.remove(key.name);
    }
    /// Has anybody said something about this key?
    pub fn has(&self, key: &Key) -> bool {
        self.fields.contains_key(key.name)
    }
    /// Nothing was said yet.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Take from `other` whatever is not said yet.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (key, given) in other.fields {
            self.fields.entry(key).or_insert(given);
        }
        self
    }

    /// The origin of a key's value.
    pub fn source(&self, key: &Key) -> Option<&Source> {
        self.fields.get(key.name).map(|g| &g.source)
    }
    /// The likely value of a number.
    pub fn number(&self, key: &Key) -> Option<f64> {
        self.fields.get(key.name)?.value.range().map(|r| r.likely)
    }
    /// The same with its origin.
    pub fn sourced(&self, key: &Key) -> Option<Sourced<f64>> {
        Some(Sourced::new(self.number(key)?, self.source(key)?.clone()))
    }
    /// An answer that is one of a list of words.
    pub fn answer<A: Answer>(&self, key: &Key) -> Option<A> {
        A::from_word(self.fields.get(key.name)?.value.text()?)
    }
    /// What modifies the answers.
    pub fn modifiers(&self) -> Modifiers {
        let on = |name: &str| self.fields.get(name).is_some_and(|g| g.value == Value::Flag(true));
        answers::KEYS
            .iter()
            .filter(|k| on(k.name))
            .filter_map(|k| Modifier::from_word(k.name.strip_prefix(answers::MODIFIER)?))
            .collect()
    }
    /// Mean tokens of a request, where input and output are both known.
    pub fn shape(&self) -> Option<RequestShape> {
        Some(RequestShape {
            input_tokens: self.number(need::INPUT_TOKENS)?,
            output_tokens: self.number(need::OUTPUT_TOKENS)?,
            cached_input_share: self.number(need::CACHED_INPUT_SHARE).unwrap_or(0.0),
            reasoning_tokens: self.number(need::REASONING_TOKENS).unwrap_or(0.0),
            ..RequestShape::default()
        })
    }
    /// Tokens of a month, where shape and number are known.
    pub fn tokens_per_month(&self) -> Option<f64> {
        Some(self.shape()?.total_tokens() * self.number(need::REQUESTS_PER_MONTH)?)
    }

    /// Who requires that the data stays; that nobody does is no mandate.
    pub fn mandate(&self) -> Option<PrivacyReason> {
        self.answer(answers::PRIVACY_REASON).filter(|reason| *reason != PrivacyReason::None)
    }

    /// A mandate that keeps the data in says the privacy answer too.
    #[must_use]
    pub fn with_implied(mut self) -> Self {
        if !self.has(answers::PRIVACY)
            && self.mandate().is_some()
            && let Some(source) = self.source(answers::PRIVACY_REASON).cloned()
        {
            let value = Value::Text(Privacy::Strict.key().to_owned());
            self.set(answers::PRIVACY, Given { value, source });
        }
        self
    }

    /// The questions nobody has answered.
    pub fn missing(&self) -> Vec<Question> {
        Question::ALL.into_iter().filter(|q| !self.has(q.answers())).collect()
    }

    /// The need, if all five questions are answered; otherwise those that are not.
    pub fn complete(&self) -> Result<Need, Vec<Question>> {
        let answers = || {
            Some(Answers {
                privacy: self.answer(answers::PRIVACY)?,
                volume: self.answer(answers::VOLUME)?,
                capability: self.answer(answers::CAPABILITY)?,
                operations: self.answer(answers::OPERATIONS)?,
                budget: self.answer(answers::BUDGET)?,
            })
        };
        Ok(Need {
            answers: answers().ok_or_else(|| self.missing())?,
            modifiers: self.modifiers(),
            privacy_reason: self.mandate(),
            purpose: self.answer(need::USE),
            shape: self.shape(),
            requests_per_month: self.number(need::REQUESTS_PER_MONTH),
        })
    }
}
