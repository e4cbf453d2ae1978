//! Models that judged the answers of a run, and how good they are as instruments.

use super::Kind;
use super::pair::ShareOf;
use crate::measure::event::Fault;
use crate::quality::judge::Form;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A model that was asked about the answers of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judge {
    /// Unique among the judges of a document.
    pub id: String,
    /// `local` or `api`.
    pub kind: Kind,
    /// The model's file or name as it was given.
    pub model: String,
    /// Scheme, host and port of an API.
    #[serde(default)]
    pub origin: Option<String>,
    /// Questions put to it that it answered, in whatever form.
    pub answered: u32,
    /// Of them, answers without a verdict in the form that was asked for: it refused, babbled, or was cut off.
    pub unusable: u32,
    /// How it was asked to put its verdict: `line`, in words of its own and then one line, or `json`, held to a JSON
    /// schema, so that it gives a verdict whether or not it understood. Null in documents that did not say.
    #[serde(default)]
    pub form: Option<Form>,
    /// Questions that it never answered: the request failed, or was not sent.
    pub unanswered: u32,
    /// What its answers cost, USD; null where that is not known, 0 on this machine.
    pub spent_usd: Option<f64>,
    /// Why nothing more was asked of it, where that happened.
    #[serde(default)]
    pub stopped: Option<Fault>,
    /// Its verdicts by rubric, for each target; empty where no prompt has a rubric.
    #[serde(default)]
    pub rubrics: Vec<RubricVerdicts>,
    /// Beside a person on the same answers, where one graded some (`--human`).
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// Targets of its own family of models, which it may prefer.
    #[serde(default)]
    pub own_family: Vec<String>,
}

/// A judge's verdicts on the answers of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RubricVerdicts {
    /// Id of the target.
    pub target: String,
    /// Answers with a usable verdict.
    pub judged: u32,
    /// Answers without one; they are neither passed nor failed.
    pub missing: u32,
    /// Share of the judged answers that meet their rubrics; null where none is judged.
    pub passed: Option<ShareOf>,
    /// Mean of the scores that it gave, 0 to 1; null where none is judged.
    pub score: Option<f64>,
}

/// A judge beside a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// Answers that both graded.
    pub answers: u32,
    /// Both say pass.
    pub true_pass: u32,
    /// The judge says pass, the person fail.
    pub false_pass: u32,
    /// Both say fail.
    pub true_fail: u32,
    /// The judge says fail, the person pass.
    pub false_fail: u32,
    /// Of answers that the person passes, those that the judge passes; null where there is none.
    pub sensitivity: Option<ShareOf>,
    /// Of answers that the person fails, those that the judge fails; null where there is none.
    pub specificity: Option<ShareOf>,
    /// What the person would find on all answers of each target (Rogan and Gladen); empty where the judge is no
    /// better than chance, or the person's sample has only one of the two verdicts.
    pub targets: Vec<CorrectedRate>,
    /// The difference the person would find between two targets (prediction-powered inference); empty where too few
    /// prompts are graded on both sides, or all of them are.
    pub pairs: Vec<CorrectedDifference>,
}

/// A pass rate as a person would find it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectedRate {
    /// Id of the target.
    pub target: String,
    /// Share that the judge passes, 0 to 1.
    pub judge_rate: f64,
    /// Share that the person would pass, 0 to 1.
    pub rate: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
}

/// A difference of pass rates as a person would find it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectedDifference {
    /// Id of the target in question.
    pub a: String,
    /// Id of the target it is held against.
    pub b: String,
    /// Prompts that the judge has a verdict on for both.
    pub prompts: u32,
    /// Of them, prompts that the person graded on both sides.
    pub graded: u32,
    /// The judge's difference of pass rates, A less B.
    pub judge_difference: f64,
    /// The person's.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
}
