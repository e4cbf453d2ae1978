//! Models that judged the answers of a run, and how good they are as instruments.

use super::Kind;
use super::pair::ShareOf;
use crate::measure::event::Fault;
use crate::quality::judge::Form;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A model that judged the answers of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judge {
    /// Unique among the judges of a document.
    pub id: String,
    /// Where the judge runs: `local` or `api`.
    pub kind: Kind,
    /// The model's file or name as it was given.
    pub model: String,
    /// Scheme, host and port of an API.
    #[serde(default)]
    pub origin: Option<String>,
    /// Questions that it replied to, with or without a usable verdict.
    pub answered: u32,
    /// Of these, replies without a verdict in the form that was asked for: it refused, babbled, or was cut
    /// off.
    pub unusable: u32,
    /// The form it was asked for. `line`: words of its own, then one line with the verdict. `json`: held to
    /// a JSON schema, so that it gives a verdict whether or not it understood. Null in documents that do
    /// not say.
    #[serde(default)]
    pub form: Option<Form>,
    /// Questions that it never answered: the request failed, or was not sent.
    pub unanswered: u32,
    /// What its replies cost, US dollars; null where that is not known, 0 for a model on this machine.
    pub spent_usd: Option<f64>,
    /// Why it was sent no further questions, where that happened.
    #[serde(default)]
    pub stopped: Option<Fault>,
    /// Its verdicts by rubric, for each target; empty where no prompt has a rubric.
    #[serde(default)]
    pub rubrics: Vec<RubricVerdicts>,
    /// How well it agrees with a person on the same answers; null where no person graded any (`--human`).
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// Targets that are models of its own family, which it may prefer.
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

/// How well a judge agrees with a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// Answers that both graded.
    pub answers: u32,
    /// Answers that both pass.
    pub true_pass: u32,
    /// Answers that the judge passes and the person fails.
    pub false_pass: u32,
    /// Answers that both fail.
    pub true_fail: u32,
    /// Answers that the judge fails and the person passes.
    pub false_fail: u32,
    /// Share of the answers that the person passes which the judge passes, too; null where there are none.
    pub sensitivity: Option<ShareOf>,
    /// Share of the answers that the person fails which the judge fails, too; null where there are none.
    pub specificity: Option<ShareOf>,
    /// The pass rate that the person would find on all answers of each target (estimator of Rogan and
    /// Gladen); empty where the judge is no better than chance, or the person's sample has only one of the
    /// two verdicts.
    pub targets: Vec<CorrectedRate>,
    /// The difference the person would find between two targets (prediction-powered inference); empty where too few
    /// prompts are graded on both sides, or all of them are.
    pub pairs: Vec<CorrectedDifference>,
}

/// The pass rate of a target, corrected to what a person would find.
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

/// The difference between two targets' pass rates, corrected to what a person would find.
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
    /// Difference of pass rates by the judge, A less B.
    pub judge_difference: f64,
    /// Difference of pass rates as the person would find it, A less B.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
}
