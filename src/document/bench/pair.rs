//! Two targets on the same prompts: is the first good enough beside the second, on which kinds of work,
//! and where does it lose?

use crate::document::metrics::definition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two targets that answered the same prompts. `a` is the one in question, `b` what it is held against:
/// the local model beside the API; of two of a kind, the one named first beside the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// Id of the target in question.
    pub a: String,
    /// Id of the target it is held against.
    pub b: String,
    /// By the graders of the prompts; null where no prompt has a grade on both sides.
    #[serde(default)]
    pub quality: Option<PairQuality>,
    /// How alike the answers are, whatever was expected of them; null where no prompt has both.
    #[serde(default)]
    pub agreement: Option<PairAgreement>,
    /// Tokens of the answers on both sides; null where one side's were not counted.
    #[serde(default)]
    pub tokens: Option<PairTokens>,
    /// What judges prefer, one entry for each judge that compared this pair.
    #[serde(default)]
    pub judged: Vec<PairJudged>,
}

/// Is A good enough beside B?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// A is not worse by the margin.
    NonInferior,
    /// A is worse by more than the margin.
    Inferior,
    /// Too few prompts to say.
    Undecided,
}

/// How the difference of pass rates and its interval were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PairMethod {
    /// Tango's score interval of paired counts, and `McNemar`'s exact test.
    Counts,
    /// A studentised bootstrap of the differences between shares of repeats, and Wilcoxon's test.
    Shares,
    /// A sequence of intervals that hold however often one looks, and a test by betting.
    Sequential,
}

/// A share from 0 to 1 with its 95 % interval by Wilson.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShareOf {
    /// The share, 0 to 1.
    pub rate: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// The verdict of the graders on a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairQuality {
    /// Prompts with a grade on both sides.
    pub prompts: u32,
    /// Share of A's answers that passed, averaged over prompts.
    pub a_pass_rate: ShareOf,
    /// Share of B's answers that passed, averaged over prompts.
    pub b_pass_rate: ShareOf,
    /// Prompts that both pass, by most of their repeats.
    pub both_pass: u32,
    /// Prompts that only A passes.
    pub a_only: u32,
    /// Prompts that only B passes.
    pub b_only: u32,
    /// Prompts that neither passes.
    pub neither: u32,
    /// How the difference and its interval were made.
    pub method: PairMethod,
    #[doc = definition!(pair_difference)]
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub difference_low: f64,
    /// Upper end of its 95 % interval.
    pub difference_high: f64,
    /// Test of "they pass equally often", two-sided; null where they never differ, and where prompts were
    /// asked until the verdict was clear.
    pub p: Option<f64>,
    /// Accepted loss of pass rate.
    pub margin: f64,
    #[doc = definition!(pair_finding)]
    pub finding: Finding,
    /// Neither side is better by the margin; null below 20 prompts.
    pub equivalent: Option<bool>,
    /// About how many prompts, all counted, would decide; null where it is decided.
    pub prompts_needed: Option<u32>,
    /// Fewer than 20 prompts: enough to see that it runs, not to decide.
    pub smoke_only: bool,
    /// The same for scores, where answers score between nothing and everything.
    #[serde(default)]
    pub scores: Option<PairScores>,
    /// By kind of work, where prompts have at least two.
    #[serde(default)]
    pub categories: Vec<PairCategory>,
    /// Which kinds of work can move to A, and what becomes of quality and cost then; null without kinds.
    #[serde(default)]
    pub split: Option<Split>,
    /// Prompts on which A passes less often than B.
    #[serde(default)]
    pub losing_prompts: u32,
    /// The first of them, the clearest losses first.
    #[serde(default)]
    pub losing: Vec<LosingPrompt>,
    /// Where prompts were asked until the verdict was clear.
    #[serde(default)]
    pub until_decided: Option<UntilDecided>,
}

/// Scores of both sides, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairScores {
    /// Mean score of A.
    pub a_mean: f64,
    /// Mean score of B.
    pub b_mean: f64,
    /// Mean score of A less that of B.
    pub difference: f64,
    /// Lower end of its 95 % interval, by a studentised bootstrap over prompts.
    pub difference_low: f64,
    /// Upper end of its 95 % interval.
    pub difference_high: f64,
    /// Wilcoxon's signed-rank test, two-sided; null where no score differs.
    pub p: Option<f64>,
    /// The verdict on scores, within the same margin.
    pub finding: Finding,
}

/// What is to be done with a kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Move {
    /// A is good enough here.
    CanMove,
    /// A is worse here by more than the margin.
    MustStay,
    /// Too few prompts to say.
    Unknown,
}

/// One kind of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairCategory {
    /// Its name; empty for prompts without one.
    pub category: String,
    /// Prompts with a grade on both sides.
    pub prompts: u32,
    /// Share of A's answers that passed.
    pub a_pass_rate: ShareOf,
    /// Share of B's answers that passed.
    pub b_pass_rate: ShareOf,
    /// Pass rate of A less that of B.
    pub difference: f64,
    /// Lower end of its 95 % interval, this kind taken by itself.
    pub difference_low: f64,
    /// Upper end of its 95 % interval.
    pub difference_high: f64,
    /// One-sided p of "A is worse here by the margin", corrected for all kinds by Holm.
    pub move_p: f64,
    /// One-sided p of "A is not worse here by the margin", corrected likewise.
    pub stay_p: f64,
    /// What follows.
    pub place: Move,
    /// About how many prompts of this kind would decide; null where they decide.
    pub prompts_needed: Option<u32>,
}

/// The split that follows from the kinds of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    /// Kinds of work that A takes over.
    pub moved: Vec<String>,
    #[doc = definition!(moved_share)]
    pub moved_share: f64,
    /// A's pass rate on the kinds that it takes over; null where it takes over none.
    #[serde(default)]
    pub moved_pass_rate: Option<f64>,
    /// Pass rate with the split: A where it takes over, B elsewhere.
    pub pass_rate: f64,
    /// What APIs charge for 1,000 requests of this mix when B answers all of them, USD; null where B's
    /// price is not known, or B is no API.
    pub b_usd_per_1000: Option<f64>,
    /// What APIs charge with the split, A's own where it is one, USD. Hardware is not in it: `breakeven`
    /// counts it.
    pub split_usd_per_1000: Option<f64>,
}

/// A prompt on which A passes less often than B.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LosingPrompt {
    /// Id of the prompt; its answers are in the samples.
    pub prompt_id: String,
    /// Its kind of work.
    pub category: Option<String>,
    /// The beginning of what was asked.
    pub prompt: String,
    /// A's answers that passed, and how many were graded.
    pub a_passed: [u32; 2],
    /// B's answers that passed, and how many were graded.
    pub b_passed: [u32; 2],
    /// The graders that A's answers failed.
    pub a_failed: Vec<String>,
    /// The beginning of an answer of A that failed.
    pub a_text: String,
    /// The beginning of an answer of B that passed.
    pub b_text: String,
}

/// A test that was looked at after every prompt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UntilDecided {
    /// Prompts until the verdict; all that were asked where there is none.
    pub prompts: u32,
    /// Prompts that were planned.
    pub planned: u32,
    /// Prompts that were asked: more than led to the verdict where graders from outside are asked about several at
    /// once, or another pair took longer. Null in documents before 2026-11-28.
    #[serde(default)]
    pub asked: Option<u32>,
    /// It was given up: that A is not worse will not be shown with a reasonable number of prompts.
    pub futile: bool,
    /// The chance, at most, that it would look so good if A were worse by the margin: valid at any time.
    pub p: f64,
    /// Each wrong verdict's chance, at most.
    pub error_rate: f64,
}

/// How alike the answers of two sides are, without anything expected of them. Agreement is not quality:
/// both can be wrong alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairAgreement {
    /// Prompts that both sides answered, first repeats.
    pub prompts: u32,
    #[doc = definition!(equal_text)]
    pub equal: ShareOf,
    /// Mean chrF of A's answer beside B's, 0 to 1: runs of characters they share.
    pub chrf: f64,
    /// Mean ROUGE-L, 0 to 1: the longest sequence of words they share.
    pub rouge_l: f64,
}

/// Tokens of the answers, as each side counts them. Reasoning is included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairTokens {
    /// Prompts whose answers were counted on both sides.
    pub prompts: u32,
    /// Mean output tokens of A's answers.
    pub a_output: f64,
    /// Mean output tokens of B's answers.
    pub b_output: f64,
    #[doc = definition!(token_ratio)]
    pub ratio: f64,
    /// Lower end of its 95 % interval, by a paired bootstrap over prompts; null below six.
    pub ratio_low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub ratio_high: Option<f64>,
}

/// A judge's preferences between two sides, each pair of answers shown in both orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairJudged {
    /// The model that judged.
    pub judge: String,
    /// Prompts whose answers were compared.
    pub prompts: u32,
    /// Of them, prompts with the same answer on both sides: ties without asking.
    #[serde(default)]
    pub identical: u32,
    /// Prompts that A won in both orders.
    pub a_wins: u32,
    /// Prompts that B won in both orders.
    pub b_wins: u32,
    /// Prompts that nobody won: called a tie, or the two orders did not agree.
    pub ties: u32,
    /// Prompts without a usable verdict in both orders: the judge refused, babbled, or was cut off.
    pub missing: u32,
    /// Sign test of wins against losses, two-sided; null where nobody won.
    pub p: Option<f64>,
    #[doc = definition!(judge_flips)]
    pub flips: Option<ShareOf>,
    /// Of all single verdicts that are no tie, those for the answer shown first.
    pub first_position: Option<ShareOf>,
    /// Of pairs that somebody won, those that the longer answer won.
    pub longer_wins: Option<ShareOf>,
    /// A's wins among pairs of nearly equal length.
    pub a_wins_equal_length: Option<ShareOf>,
    /// Sides that are of the judge's own family of models, which it may prefer.
    #[serde(default)]
    pub own_family: Vec<String>,
}
