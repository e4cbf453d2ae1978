//! Two targets on the same prompts: is the first good enough compared with the second, for which kinds of
//! work, and where does it lose?

use crate::document::metrics::definition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two targets that answered the same prompts. `a` is the one in question, `b` the one it is compared with:
/// the local model with the API; of two of the same kind, the one that was named first with the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// Id of the target in question.
    pub a: String,
    /// Id of the target that `a` is compared with.
    pub b: String,
    /// Difference in quality by the graders of the prompts; null where no prompt has a grade on both sides.
    #[serde(default)]
    pub quality: Option<PairQuality>,
    /// How alike the answers are, whether or not anything was expected of them; null where no prompt was
    /// answered by both.
    #[serde(default)]
    pub agreement: Option<PairAgreement>,
    /// Tokens of the answers on both sides; null where one side's were not counted.
    #[serde(default)]
    pub tokens: Option<PairTokens>,
    /// What judges prefer, one entry for each judge that compared this pair.
    #[serde(default)]
    pub judged: Vec<PairJudged>,
}

/// Is A good enough compared with B?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// A is not worse by the margin.
    NonInferior,
    /// A is worse, by more than the margin.
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
    /// A studentised bootstrap of the differences between the shares of repeats that pass, and Wilcoxon's
    /// test.
    Shares,
    /// A confidence sequence, whose intervals hold however often one looks, and a sequential test by
    /// betting.
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
    /// Prompts that both pass, in most of their repeats.
    pub both_pass: u32,
    /// Prompts that only A passes, in most of their repeats.
    pub a_only: u32,
    /// Prompts that only B passes, in most of their repeats.
    pub b_only: u32,
    /// Prompts that neither passes in most of its repeats.
    pub neither: u32,
    /// How the difference and its interval were made.
    pub method: PairMethod,
    #[doc = definition!(pair_difference)]
    pub difference: f64,
    /// Lower end of the 95 % interval of the difference.
    pub difference_low: f64,
    /// Upper end of the 95 % interval of the difference.
    pub difference_high: f64,
    /// p of the test that both pass equally often, two-sided; null where they never differ, and where
    /// prompts were asked until the verdict was clear.
    pub p: Option<f64>,
    /// Accepted loss of pass rate, as a share from 0 to 1.
    pub margin: f64,
    #[doc = definition!(pair_finding)]
    pub finding: Finding,
    /// Neither side is better by as much as the margin; null below 20 prompts.
    pub equivalent: Option<bool>,
    /// About how many prompts in total would decide; null where it is decided.
    pub prompts_needed: Option<u32>,
    /// Fewer than 20 prompts: enough to show that the set-up works, too few for a decision.
    pub smoke_only: bool,
    /// The same comparison by scores; null where answers only pass or fail.
    #[serde(default)]
    pub scores: Option<PairScores>,
    /// The comparison for each kind of work; empty where the prompts have fewer than two kinds.
    #[serde(default)]
    pub categories: Vec<PairCategory>,
    /// Which kinds of work can move to A, and what quality and cost would then be; null where prompts have
    /// no kinds.
    #[serde(default)]
    pub split: Option<Split>,
    /// Prompts on which A passes less often than B.
    #[serde(default)]
    pub losing_prompts: u32,
    /// The clearest of these losses.
    #[serde(default)]
    pub losing: Vec<LosingPrompt>,
    /// The sequential test, where prompts were asked until the verdict was clear.
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
    /// Lower end of the 95 % interval of the difference, by a studentised bootstrap over prompts.
    pub difference_low: f64,
    /// Upper end of the 95 % interval of the difference.
    pub difference_high: f64,
    /// p of Wilcoxon's signed-rank test, two-sided; null where no score differs.
    pub p: Option<f64>,
    /// The verdict on scores, within the same margin.
    pub finding: Finding,
}

/// What should be done with a kind of work.
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

/// The comparison for one kind of work.
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
    /// Lower end of the 95 % interval of the difference, for this kind taken by itself.
    pub difference_low: f64,
    /// Upper end of the 95 % interval of the difference.
    pub difference_high: f64,
    /// One-sided p of the hypothesis "A is worse here by the margin", corrected by Holm for all kinds. A
    /// low value means that the kind can move.
    pub move_p: f64,
    /// One-sided p of the hypothesis "A is not worse here by the margin", corrected by Holm for all kinds.
    /// A low value means that the kind must stay.
    pub stay_p: f64,
    /// What follows for this kind of work.
    pub place: Move,
    /// About how many prompts of this kind would decide; null where it is decided.
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
    /// Pass rate over all kinds if A answers those that it takes over, and B the others.
    pub pass_rate: f64,
    /// API charges for 1,000 requests of this mix if B answers all of them, US dollars; null where B's
    /// price is not known, or B is no API.
    pub b_usd_per_1000: Option<f64>,
    /// API charges for 1,000 requests with the split, US dollars. Hardware is not included: `breakeven`
    /// counts it.
    pub split_usd_per_1000: Option<f64>,
}

/// A prompt on which A passes less often than B.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LosingPrompt {
    /// Id of the prompt; its answers are in the samples.
    pub prompt_id: String,
    /// Its kind of work; null for a prompt without one.
    pub category: Option<String>,
    /// The beginning of the prompt's text.
    pub prompt: String,
    /// How many of A's answers passed, and how many were graded.
    pub a_passed: [u32; 2],
    /// How many of B's answers passed, and how many were graded.
    pub b_passed: [u32; 2],
    /// Types of the graders that A's answers failed.
    pub a_failed: Vec<String>,
    /// The beginning of an answer of A that failed.
    pub a_text: String,
    /// The beginning of an answer of B that passed.
    pub b_text: String,
}

/// The sequential test, which may be looked at after every prompt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UntilDecided {
    /// Prompts that led to the verdict; all that were asked where there is none.
    pub prompts: u32,
    /// Prompts that were planned.
    pub planned: u32,
    /// Prompts that were asked. More than led to the verdict where a judge or a program is asked about
    /// several at once, or another pair took longer. Null in documents before 2026-11-28.
    #[serde(default)]
    pub asked: Option<u32>,
    /// The run gave up: no reasonable number of prompts would show that A is not worse.
    pub futile: bool,
    /// Upper bound of the chance that A would look this good if it were worse by the margin; it holds
    /// however often one looks.
    pub p: f64,
    /// Upper bound of the chance of either wrong verdict.
    pub error_rate: f64,
}

/// How alike the answers of two sides are. Agreement is not quality: both can be wrong in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairAgreement {
    /// Prompts that both sides answered; their first repeats are compared.
    pub prompts: u32,
    #[doc = definition!(equal_text)]
    pub equal: ShareOf,
    /// Mean chrF of A's answers against B's, 0 to 1: overlap of short runs of characters.
    pub chrf: f64,
    /// Mean ROUGE-L of A's answers against B's, 0 to 1: overlap by the longest common sequence of words.
    pub rouge_l: f64,
}

/// Output tokens of both sides, by each side's own tokenizer. Reasoning is included.
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
    /// Lower end of the 95 % interval of the ratio, by a paired bootstrap over prompts; null below six
    /// prompts.
    pub ratio_low: Option<f64>,
    /// Upper end of the 95 % interval of the ratio.
    pub ratio_high: Option<f64>,
}

/// A judge's preferences between two sides. Each pair of answers is shown in both orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairJudged {
    /// Id of the judge.
    pub judge: String,
    /// Prompts whose answers were compared.
    pub prompts: u32,
    /// Of these, prompts with the same answer on both sides, which count as ties without asking.
    #[serde(default)]
    pub identical: u32,
    /// Prompts that A won in both orders.
    pub a_wins: u32,
    /// Prompts that B won in both orders.
    pub b_wins: u32,
    /// Prompts that nobody won: the judge called a tie, or its two verdicts disagreed.
    pub ties: u32,
    /// Prompts without a usable verdict in both orders: the judge refused, babbled, or was cut off.
    pub missing: u32,
    /// p of the sign test of wins against losses, two-sided; null where nobody won.
    pub p: Option<f64>,
    #[doc = definition!(judge_flips)]
    pub flips: Option<ShareOf>,
    /// Share of the single verdicts, ties left out, that were for the answer shown first; near 0.5 where
    /// the order does not matter.
    pub first_position: Option<ShareOf>,
    /// Share of the won pairs in which the longer answer won.
    pub longer_wins: Option<ShareOf>,
    /// A's share of the wins among pairs of nearly equal length.
    pub a_wins_equal_length: Option<ShareOf>,
    /// Sides that are models of the judge's own family, which it may prefer.
    #[serde(default)]
    pub own_family: Vec<String>,
}
