//! The need: the five answers, their modifiers, and the shape and number of the requests.
//!
//! A [`NeedDraft`] is filled from flags, then from a profile, then from questions; what was given first
//! takes precedence. [`NeedDraft::complete`] makes a [`Need`] from it, or lists what is missing.

use super::answers::{Answer, Answers, Modifier, Modifiers, Privacy, PrivacyReason, Use};
use super::given::{Fields, Given, Value};
use super::keys::{Key, answers, need};
use crate::provenance::{Source, Sourced};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens of one request: means, and 95th percentiles where they are known. A month's total does not
/// determine a price, because context tiers, caches and peaks depend on single requests.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestShape {
    /// Input tokens of a request, whether cached or not, mean.
    pub input_tokens: f64,
    /// Share of `input_tokens` that is read from a prompt cache, 0 to 1.
    #[serde(default)]
    pub cached_input_share: f64,
    /// Output tokens of a request without reasoning, mean.
    pub output_tokens: f64,
    /// Reasoning tokens of a request, mean; billed as output unless the price record says otherwise.
    #[serde(default)]
    pub reasoning_tokens: f64,
    /// 95th percentile of the input tokens; null where it is not known.
    #[serde(default)]
    pub input_tokens_p95: Option<f64>,
    /// 95th percentile of the output tokens without reasoning; null where it is not known.
    #[serde(default)]
    pub output_tokens_p95: Option<f64>,
}

impl RequestShape {
    /// Input, output and reasoning tokens of one request.
    pub fn total_tokens(&self) -> f64 {
        self.input_tokens + self.output_tokens + self.reasoning_tokens
    }
}

/// What the workload requires.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The five answers.
    pub answers: Answers,
    /// Circumstances beyond the five answers.
    pub modifiers: Modifiers,
    /// Who requires this degree of privacy; `None` where nobody does.
    pub privacy_reason: Option<PrivacyReason>,
    /// What the requests are for.
    pub purpose: Option<Use>,
    /// Tokens of one request.
    pub shape: Option<RequestShape>,
    /// Requests in the first month.
    pub requests_per_month: Option<f64>,
}

impl Need {
    /// A need that consists only of the five answers.
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
    /// Input, output and reasoning tokens of a month; `None` where shape or number of the requests is not
    /// known.
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
    /// How many requests are there, and how evenly do they come?
    Volume,
    /// How capable must the model be?
    Capability,
    /// Who could run it?
    Operations,
    /// How can money be spent?
    Budget,
}

impl Question {
    /// All questions, in the order in which they are asked.
    pub const ALL: [Self; 5] =
        [Self::Privacy, Self::Volume, Self::Capability, Self::Operations, Self::Budget];
    /// The key that the question gives a value to.
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

/// An incomplete need: values for some keys of the answers and of `[need]`, with their sources. Names are
/// unique over both.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NeedDraft {
    fields: Fields,
}

impl NeedDraft {
    /// A draft with these values.
    pub const fn of(fields: Fields) -> Self {
        Self { fields }
    }
    /// The values so far, by key name.
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }
    /// Set the value of a key, replacing an earlier one.
    pub fn set(&mut self, key: &'static Key, given: Given) {
        self.fields.insert(key.name, given);
    }
    /// Remove the value of a key.
    pub fn unset(&mut self, key: &Key) {
        self.fields.remove(key.name);
    }
    /// Does this key have a value?
    pub fn has(&self, key: &Key) -> bool {
        self.fields.contains_key(key.name)
    }
    /// Are there no values yet?
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Add the values of `other` for keys that have none yet.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (key, given) in other.fields {
            self.fields.entry(key).or_insert(given);
        }
        self
    }

    /// The source of a key's value.
    pub fn source(&self, key: &Key) -> Option<&Source> {
        self.fields.get(key.name).map(|g| &g.source)
    }
    /// The likely value of a number; `None` where the key has none.
    pub fn number(&self, key: &Key) -> Option<f64> {
        self.fields.get(key.name)?.value.range().map(|r| r.likely)
    }
    /// The likely value of a number, with its source.
    pub fn sourced(&self, key: &Key) -> Option<Sourced<f64>> {
        Some(Sourced::new(self.number(key)?, self.source(key)?.clone()))
    }
    /// The answer to a question; `None` where there is none.
    pub fn answer<A: Answer>(&self, key: &Key) -> Option<A> {
        A::from_word(self.fields.get(key.name)?.value.text()?)
    }
    /// The modifiers that are set.
    pub fn modifiers(&self) -> Modifiers {
        let on = |name: &str| self.fields.get(name).is_some_and(|g| g.value == Value::Flag(true));
        answers::KEYS
            .iter()
            .filter(|k| on(k.name))
            .filter_map(|k| Modifier::from_word(k.name.strip_prefix(answers::MODIFIER)?))
            .collect()
    }
    /// The mean request; `None` where input or output tokens are not known.
    pub fn shape(&self) -> Option<RequestShape> {
        Some(RequestShape {
            input_tokens: self.number(need::INPUT_TOKENS)?,
            output_tokens: self.number(need::OUTPUT_TOKENS)?,
            cached_input_share: self.number(need::CACHED_INPUT_SHARE).unwrap_or(0.0),
            reasoning_tokens: self.number(need::REASONING_TOKENS).unwrap_or(0.0),
            ..RequestShape::default()
        })
    }
    /// Tokens of a month, from shape and number of the requests, or as given in total.
    pub fn tokens_per_month(&self) -> Option<f64> {
        let of_requests = || Some(self.shape()?.total_tokens() * self.number(need::REQUESTS_PER_MONTH)?);
        of_requests().or_else(|| self.number(need::TOKENS_PER_MONTH))
    }

    /// Who requires that the data stays; the answer that nobody does is not a mandate.
    pub fn mandate(&self) -> Option<PrivacyReason> {
        self.answer(answers::PRIVACY_REASON).filter(|reason| *reason != PrivacyReason::None)
    }

    /// Add the answers that follow from others: a mandate to keep the data in decides the privacy answer.
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

    /// The questions that have no answer yet.
    pub fn missing(&self) -> Vec<Question> {
        Question::ALL.into_iter().filter(|q| !self.has(q.answers())).collect()
    }

    /// The need, if all five questions are answered.
    ///
    /// # Errors
    ///
    /// The questions that have no answer.
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
