//! Is one side as good as the other on the same prompts, over all prompts and by category?

use crate::stats::{self, Interval, Paired, TAIL, holm};
use std::collections::BTreeMap;

/// Number of prompts below which there is no verdict: fewer only show that the set-up works.
pub const SMOKE: u32 = 20;

/// Does the answer contain the expected text? Case and runs of white space do not matter.
pub fn passes(answer: &str, expect: &str) -> bool {
    normal(answer).contains(&normal(expect))
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Two sides on the same prompts: how many passed on both, on one, or on neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pairs {
    pub both: u32,
    pub only_a: u32,
    pub only_b: u32,
    pub neither: u32,
}

impl Pairs {
    /// Count one prompt.
    pub fn count(&mut self, a: bool, b: bool) {
        *match (a, b) {
            (true, true) => &mut self.both,
            (true, false) => &mut self.only_a,
            (false, true) => &mut self.only_b,
            (false, false) => &mut self.neither,
        } += 1;
    }
    /// All prompts.
    pub fn total(&self) -> u32 {
        self.both + self.only_a + self.only_b + self.neither
    }
    pub(super) fn paired(&self) -> Paired {
        Paired { n: self.total(), only_a: self.only_a, only_b: self.only_b }
    }
}

/// The verdict on whether side A is good enough compared with side B.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    pub pairs: Pairs,
    /// p of the exact `McNemar` test that both pass equally often, two-sided; `None` where they never
    /// differ.
    pub p: Option<f64>,
    /// Pass rate of A less that of B.
    pub difference: f64,
    /// 95 % interval of the difference (Tango's score interval).
    pub interval: Interval,
    /// `None` where this many prompts cannot decide it.
    pub non_inferior: Option<bool>,
    /// About how many prompts in total would decide; `None` where these do.
    pub prompts_needed: Option<u32>,
    pub smoke_only: bool,
}

/// Non-inferiority within `margin`. It is decided if the whole 95 % interval of the paired difference lies
/// on one side of −margin, and never below twenty prompts. The chance of accepting a side that is worse by
/// the margin is 2.5 % (measured: see `docs/statistics.md`).
pub fn non_inferiority(pairs: Pairs, margin: f64) -> Option<Verdict> {
    let paired = pairs.paired();
    let (difference, interval) = (paired.difference()?, paired.interval()?);
    let smoke_only = pairs.total() < SMOKE;
    let non_inferior = if smoke_only { None } else { side(interval, margin) };
    Some(Verdict {
        pairs,
        p: stats::mcnemar(pairs.only_a, pairs.only_b),
        difference,
        interval,
        non_inferior,
        prompts_needed: if non_inferior.is_none() {
            let disagree = f64::from(pairs.only_a + pairs.only_b) / f64::from(pairs.total());
            needed(pairs.total(), disagree, difference, margin)
        } else {
            None
        },
        smoke_only,
    })
}

/// On which side of −margin the whole interval lies; `None` where −margin is inside.
pub(super) fn side(interval: Interval, margin: f64) -> Option<bool> {
    if interval.low > -margin {
        Some(true)
    } else if interval.high < -margin {
        Some(false)
    } else {
        None
    }
}

/// About how many prompts would decide with 80 % power if things stay as they are. The observed difference
/// is shrunk towards zero according to its uncertainty, so that a few unlucky prompts do not ask for
/// thousands. For the frequency of disagreement at least a tenth is assumed, and a fifth if few
/// disagreements were seen.
pub(super) fn needed(prompts: u32, disagree: f64, difference: f64, margin: f64) -> Option<u32> {
    let n = f64::from(prompts);
    let discordant = disagree.max(if prompts < SMOKE { 0.2 } else { 0.1 });
    // Below twenty prompts the difference means almost nothing.
    let trusted = if prompts < SMOKE { 0.0 } else { n / (n + 100.0) };
    let distance = if prompts >= SMOKE && difference < -margin {
        // A looks worse, so that this is what would have to be shown.
        -margin - difference
    } else {
        margin + (difference * trusted).min(0.0)
    };
    stats::prompts_needed(distance.max(margin / 4.0), discordant).map(|n| n.max(SMOKE).max(prompts + 1))
}

/// What should be done with a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A is good enough here.
    CanMove,
    /// A is worse here by more than the margin.
    MustStay,
    /// Too few prompts to say.
    Unknown,
}

/// The verdict on one category.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryVerdict {
    pub category: String,
    pub verdict: Verdict,
    /// One-sided p of the hypothesis "A is worse here by the margin", corrected by Holm for all categories.
    pub move_p: f64,
    /// One-sided p of the hypothesis "A is not worse here by the margin", corrected by Holm for all
    /// categories.
    pub stay_p: f64,
    pub place: Place,
}

/// The split by category: where A can take over. With Holm's correction the chance of moving any category
/// in which A is worse by the margin stays below 2.5 %. A category with fewer than twenty prompts is never
/// moved.
pub fn split(categories: &BTreeMap<String, Pairs>, margin: f64) -> Vec<CategoryVerdict> {
    let verdicts: Vec<(&String, Verdict)> = categories
        .iter()
        .filter_map(|(name, pairs)| Some((name, non_inferiority(*pairs, margin)?)))
        .collect();
    let all = |p: fn(Paired, f64) -> Option<f64>| {
        holm(&verdicts.iter().map(|(_, v)| p(v.pairs.paired(), margin).unwrap_or(1.0)).collect::<Vec<_>>())
    };
    let (moves, stays) = (all(Paired::non_inferiority_p), all(Paired::inferiority_p));
    verdicts
        .into_iter()
        .zip(moves.into_iter().zip(stays))
        .map(|((category, verdict), (move_p, stay_p))| {
            let place = if verdict.smoke_only {
                Place::Unknown
            } else if move_p <= TAIL {
                Place::CanMove
            } else if stay_p <= TAIL {
                Place::MustStay
            } else {
                Place::Unknown
            };
            CategoryVerdict { category: category.clone(), verdict, move_p, stay_p, place }
        })
        .collect()
}

/// The comparison of two sides by their scores on the same prompts, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreVerdict {
    pub prompts: u32,
    /// Mean score of A less mean score of B.
    pub difference: f64,
    /// 95 % interval of the difference, by a studentised paired bootstrap over prompts.
    pub interval: Interval,
    /// p of Wilcoxon's signed-rank test that the scores are alike, two-sided; `None` where no score
    /// differs.
    pub p: Option<f64>,
    pub non_inferior: Option<bool>,
    pub smoke_only: bool,
}

/// Non-inferiority by scores. For each prompt there are the scores of its repeats on both sides, whose
/// means are compared. `None` below two prompts.
pub fn score_non_inferiority(
    prompts: &[(Vec<f64>, Vec<f64>)],
    margin: f64,
    seed: u64,
) -> Option<ScoreVerdict> {
    let mean = |values: &[f64]| {
        (!values.is_empty())
            .then(|| values.iter().sum::<f64>() / values.len() as f64)
            .filter(|m| m.is_finite())
    };
    let differences: Vec<f64> = prompts.iter().filter_map(|(a, b)| Some(mean(a)? - mean(b)?)).collect();
    let (difference, interval) = stats::mean_difference(&differences, seed)?;
    // Scores are 0 to 1; those of some formulas go beyond, and then no mean differs by more than one prompt does.
    let most = differences.iter().fold(1.0f64, |most, d| most.max(d.abs()));
    let interval = interval.within(-most, most);
    let prompts = u32::try_from(differences.len()).ok()?;
    let smoke_only = prompts < SMOKE;
    Some(ScoreVerdict {
        prompts,
        difference,
        interval,
        p: stats::signed_rank(&differences).map(|r| r.p),
        non_inferior: if smoke_only { None } else { side(interval, margin) },
        smoke_only,
    })
}

/// pass^k: the chance that `k` repeats of a prompt all pass, averaged over prompts. `prompts` has passes
/// and repeats for each; the estimate (passes over k ÷ repeats over k) is unbiased. `None` where no prompt
/// has `k` repeats.
pub fn pass_hat(prompts: &[(u32, u32)], k: u32) -> Option<f64> {
    let of = |&(passed, repeats): &(u32, u32)| -> Option<f64> {
        (repeats >= k && k > 0).then(|| {
            (0..k).map(|i| (f64::from(passed) - f64::from(i)).max(0.0) / f64::from(repeats - i)).product()
        })
    };
    let chances: Vec<f64> = prompts.iter().filter_map(of).collect();
    (!chances.is_empty()).then(|| chances.iter().sum::<f64>() / chances.len() as f64)
}

/// How alike the answers of two sides are, whether or not anything is expected of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    pub prompts: u32,
    /// Answers that are the same text, except for white space at the ends.
    pub equal: u32,
    /// 95 % Wilson interval of the share of equal texts.
    pub equal_interval: Interval,
    /// Mean chrF of A's answers against B's, 0 to 1.
    pub chrf: f64,
    /// Mean ROUGE-L, 0 to 1, with words of any script.
    pub rouge_l: f64,
}

/// Agreement of answers of A and B to the same prompts; `None` without prompts.
pub fn agreement<'a>(answers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Agreement> {
    let (mut prompts, mut equal, mut chrf, mut rouge_l) = (0u32, 0u32, 0.0, 0.0);
    for (a, b) in answers {
        prompts += 1;
        equal += u32::from(a.trim() == b.trim());
        chrf += super::text::chrf(a, &[b.to_owned()]).unwrap_or(0.0);
        rouge_l += super::text::rouge_l(a, b, true);
    }
    let n = f64::from(prompts);
    Some(Agreement {
        prompts,
        equal,
        equal_interval: stats::wilson(equal, prompts)?,
        chrf: chrf / n,
        rouge_l: rouge_l / n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_ignore_case_and_white_space() {
        assert!(passes("It is  the\nEiffel Tower.", "eiffel tower"));
        assert!(!passes("It is the Louvre.", "eiffel tower"));
    }

    #[test]
    fn few_prompts_decide_nothing() {
        let verdict = non_inferiority(Pairs { both: 10, ..Pairs::default() }, 0.1).expect("prompts");
        assert_eq!((verdict.non_inferior, verdict.smoke_only), (None, true));
        assert_eq!(verdict.prompts_needed, Some(155));
        assert_eq!(non_inferiority(Pairs::default(), 0.1), None);
    }

    #[test]
    fn many_prompts_decide() {
        let equal =
            non_inferiority(Pairs { both: 190, only_a: 4, only_b: 4, neither: 2 }, 0.1).expect("prompts");
        assert_eq!((equal.non_inferior, equal.prompts_needed), (Some(true), None));
        let worse =
            non_inferiority(Pairs { both: 100, only_a: 0, only_b: 80, neither: 20 }, 0.1).expect("prompts");
        assert_eq!(worse.non_inferior, Some(false));
        let open =
            non_inferiority(Pairs { both: 40, only_a: 5, only_b: 7, neither: 8 }, 0.1).expect("prompts");
        assert_eq!(open.non_inferior, None);
        assert!(open.prompts_needed.is_some_and(|n| (100..2000).contains(&n)), "{open:?}");
    }

    #[test]
    fn a_split_moves_only_what_is_shown() {
        let categories = BTreeMap::from([
            ("easy".to_owned(), Pairs { both: 78, only_a: 1, only_b: 1, neither: 0 }),
            ("hard".to_owned(), Pairs { both: 20, only_a: 0, only_b: 40, neither: 20 }),
            ("few".to_owned(), Pairs { both: 12, ..Pairs::default() }),
            ("open".to_owned(), Pairs { both: 30, only_a: 6, only_b: 6, neither: 8 }),
        ]);
        let places: Vec<(String, Place)> =
            split(&categories, 0.1).into_iter().map(|c| (c.category, c.place)).collect();
        assert_eq!(
            places,
            [
                ("easy".to_owned(), Place::CanMove),
                ("few".to_owned(), Place::Unknown),
                ("hard".to_owned(), Place::MustStay),
                ("open".to_owned(), Place::Unknown)
            ]
        );
    }

    #[test]
    fn repeats_agree_as_often_as_they_pass() {
        assert_eq!(pass_hat(&[(3, 3), (0, 3)], 3), Some(0.5));
        let one = pass_hat(&[(2, 3)], 2).expect("repeats");
        assert!((one - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((pass_hat(&[(1, 1)], 2), pass_hat(&[], 1)), (None, None));
    }

    #[test]
    fn scores_are_paired_by_prompt() {
        let same: Vec<(Vec<f64>, Vec<f64>)> =
            (0..40).map(|i| (vec![f64::from(i % 5) / 5.0; 2], vec![f64::from(i % 5) / 5.0])).collect();
        let verdict = score_non_inferiority(&same, 0.1, 1).expect("prompts");
        assert_eq!((verdict.non_inferior, verdict.p, verdict.difference), (Some(true), None, 0.0));
        let worse: Vec<_> = (0..40).map(|i| (vec![0.2], vec![0.6 + f64::from(i % 3) / 10.0])).collect();
        let verdict = score_non_inferiority(&worse, 0.1, 1).expect("prompts");
        assert_eq!(verdict.non_inferior, Some(false));
        assert!(verdict.p.is_some_and(|p| p < 1e-6));
    }

    #[test]
    fn agreement_counts_equal_texts() {
        let found = agreement([("a b", " a b\n"), ("x", "y")]).expect("prompts");
        assert_eq!((found.prompts, found.equal), (2, 1));
        assert!((found.chrf - 0.5).abs() < 1e-9 && (found.rouge_l - 0.5).abs() < 1e-9);
        assert_eq!(agreement([]), None);
    }
}
