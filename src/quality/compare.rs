//! Compares two sides on the same prompts: one verdict over all prompts and one for each category, whether
//! each prompt was asked once or several times.

use super::verdict::{
    CategoryVerdict, Pairs, Place, SMOKE, ScoreVerdict, Verdict, needed, non_inferiority, side,
};
use crate::stats::{self, Bootstrap, Interval, TAIL, holm};
use std::collections::BTreeMap;

/// The graded answers of one side to one prompt, over all repeats.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Side {
    /// How many of the graded answers passed.
    pub passed: u32,
    pub graded: u32,
    /// Sum of the scores of the graded answers.
    pub scores: f64,
}

impl Side {
    /// Count one answer.
    pub fn count(&mut self, pass: bool, score: f64) {
        self.passed += u32::from(pass);
        self.graded += 1;
        self.scores += score;
    }

    /// Share of the graded answers that passed, 0 to 1; `None` where none has a grade.
    pub fn share(&self) -> Option<f64> {
        (self.graded > 0).then(|| f64::from(self.passed) / f64::from(self.graded))
    }

    /// Mean score of the graded answers, 0 to 1; `None` where none has a grade.
    pub fn score(&self) -> Option<f64> {
        (self.graded > 0).then(|| self.scores / f64::from(self.graded))
    }

    /// Did most answers pass?
    pub fn mostly(&self) -> bool {
        self.passed * 2 > self.graded
    }
}

/// The answers of both sides to one prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedPrompt<'a> {
    pub category: Option<&'a str>,
    pub a: Side,
    pub b: Side,
}

impl PairedPrompt<'_> {
    fn shares(&self) -> Option<(f64, f64)> {
        Some((self.a.share()?, self.b.share()?))
    }
}

/// How the difference of pass rates and its interval were computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Tango's score interval for paired counts: every prompt passes or fails as a whole.
    Counts,
    /// A studentised bootstrap of the differences between the shares of passed repeats: repeats of some
    /// prompt had different results.
    Shares,
}

/// The comparison of two sides by their grades.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    pub method: Method,
    pub verdict: Verdict,
    /// Pass rate of A, the mean over prompts of the share of answers that passed, with Wilson's interval.
    pub a: (f64, Interval),
    pub b: (f64, Interval),
    /// The whole interval lies between −margin and +margin, so that there is no difference that matters;
    /// `None` below twenty prompts.
    pub equivalent: Option<bool>,
    /// Mean scores of both sides and the verdict on their difference; `None` where every score is 0 or 1.
    pub scores: Option<(f64, f64, ScoreVerdict)>,
    /// The comparison by category; empty where there are fewer than two.
    pub categories: Vec<CategoryCompared>,
}

/// The comparison in one category.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryCompared {
    pub part: CategoryVerdict,
    pub a: (f64, Interval),
    pub b: (f64, Interval),
}

/// Compare two sides. Prompts on which either side has no grade are left out. `None` where that leaves
/// none.
pub fn compare(prompts: &[PairedPrompt<'_>], margin: f64, seed: u64) -> Option<Compared> {
    let both: Vec<&PairedPrompt<'_>> = prompts.iter().filter(|p| p.shares().is_some()).collect();
    let whole = Part::new(&both, margin, seed)?;
    let mut groups: BTreeMap<&str, Vec<&PairedPrompt<'_>>> = BTreeMap::new();
    for prompt in &both {
        groups.entry(prompt.category.unwrap_or("")).or_default().push(prompt);
    }
    let categories = if groups.len() > 1 { split(&groups, margin, seed) } else { Vec::new() };
    let interval = whole.verdict.interval;
    Some(Compared {
        method: whole.method,
        equivalent: (!whole.verdict.smoke_only).then_some(interval.low > -margin && interval.high < margin),
        scores: scores(&both, margin, seed),
        a: whole.a,
        b: whole.b,
        verdict: whole.verdict,
        categories,
    })
}

/// The verdict on a subset of the prompts.
struct Part {
    method: Method,
    verdict: Verdict,
    a: (f64, Interval),
    b: (f64, Interval),
    /// One-sided p of the hypotheses "A is worse by the margin" and "A is not worse by the margin".
    p: (f64, f64),
}

impl Part {
    fn new(prompts: &[&PairedPrompt<'_>], margin: f64, seed: u64) -> Option<Self> {
        let shares: Vec<(f64, f64)> = prompts.iter().filter_map(|p| p.shares()).collect();
        let mut pairs = Pairs::default();
        for prompt in prompts {
            pairs.count(prompt.a.mostly(), prompt.b.mostly());
        }
        let n = u32::try_from(shares.len()).ok().filter(|n| *n > 0)?;
        let rate = |pick: fn(&(f64, f64)) -> f64| {
            let rate = (shares.iter().map(pick).sum::<f64>() / f64::from(n)).clamp(0.0, 1.0);
            Some((rate, stats::wilson_share(rate, n)?))
        };
        let (a, b) = (rate(|s| s.0)?, rate(|s| s.1)?);
        #[allow(clippy::float_cmp)]
        let decided = shares.iter().all(|(a, b)| [*a, *b].iter().all(|s| *s == 0.0 || *s == 1.0));
        if decided || n < 2 {
            let verdict = non_inferiority(pairs, margin)?;
            let paired = pairs.paired();
            let p = (paired.non_inferiority_p(margin)?, paired.inferiority_p(margin)?);
            return Some(Self { method: Method::Counts, verdict, a, b, p });
        }
        let differences: Vec<f64> = shares.iter().map(|(a, b)| a - b).collect();
        let found = Bootstrap::new(&differences, seed)?;
        // Shares differ by 1 at most.
        let interval = found.interval().within(-1.0, 1.0);
        let smoke_only = n < SMOKE;
        let non_inferior = if smoke_only { None } else { side(interval, margin) };
        // The variation between prompts replaces the frequency of disagreement.
        let spread = differences.iter().map(|d| d * d).sum::<f64>() / f64::from(n);
        let verdict = Verdict {
            pairs,
            p: stats::signed_rank(&differences).map(|r| r.p),
            difference: found.mean(),
            interval,
            non_inferior,
            prompts_needed: if non_inferior.is_none() {
                needed(n, spread, found.mean(), margin)
            } else {
                None
            },
            smoke_only,
        };
        let p = (found.p_above(-margin), found.p_below(-margin));
        Some(Self { method: Method::Shares, verdict, a, b, p })
    }
}

/// The split by category: where A can take over. With Holm's correction the chance of moving any category
/// in which A is worse by the margin stays below 2.5 %. A category with fewer than twenty prompts is never
/// moved.
fn split(groups: &BTreeMap<&str, Vec<&PairedPrompt<'_>>>, margin: f64, seed: u64) -> Vec<CategoryCompared> {
    let parts: Vec<(&str, Part)> = groups
        .iter()
        .filter_map(|(name, prompts)| Some((*name, Part::new(prompts, margin, seed)?)))
        .collect();
    let moves = holm(&parts.iter().map(|(_, part)| part.p.0).collect::<Vec<_>>());
    let stays = holm(&parts.iter().map(|(_, part)| part.p.1).collect::<Vec<_>>());
    parts
        .into_iter()
        .zip(moves.into_iter().zip(stays))
        .map(|((category, part), (move_p, stay_p))| {
            let place = if part.verdict.smoke_only {
                Place::Unknown
            } else if move_p <= TAIL {
                Place::CanMove
            } else if stay_p <= TAIL {
                Place::MustStay
            } else {
                Place::Unknown
            };
            let verdict = part.verdict;
            CategoryCompared {
                part: CategoryVerdict { category: category.to_owned(), verdict, move_p, stay_p, place },
                a: part.a,
                b: part.b,
            }
        })
        .collect()
}

fn scores(prompts: &[&PairedPrompt<'_>], margin: f64, seed: u64) -> Option<(f64, f64, ScoreVerdict)> {
    let means: Vec<(f64, f64)> = prompts.iter().filter_map(|p| Some((p.a.score()?, p.b.score()?))).collect();
    // Scores equal pass rates if an answer scores 1 when it passes and 0 when it does not.
    let says_more = |side: &Side| (side.scores - f64::from(side.passed)).abs() > 1e-9;
    if !prompts.iter().any(|p| says_more(&p.a) || says_more(&p.b)) {
        return None;
    }
    let as_lists: Vec<(Vec<f64>, Vec<f64>)> = means.iter().map(|(a, b)| (vec![*a], vec![*b])).collect();
    let verdict = super::verdict::score_non_inferiority(&as_lists, margin, seed)?;
    let n = means.len() as f64;
    let (a, b) = means.iter().fold((0.0, 0.0), |sum, (a, b)| (sum.0 + a, sum.1 + b));
    Some((a / n, b / n, verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(passed: u32, graded: u32) -> Side {
        Side { passed, graded, scores: f64::from(passed) }
    }

    fn prompt(category: &str, a: Side, b: Side) -> PairedPrompt<'_> {
        PairedPrompt { category: Some(category), a, b }
    }

    /// Asking each prompt three times with the same outcome is no more evidence than asking it once.
    #[test]
    fn repeats_that_agree_change_nothing() {
        let with = |k: u32| {
            let prompts: Vec<PairedPrompt<'_>> = (0..60)
                .map(|i| {
                    prompt(
                        "x",
                        side(if i % 5 > 0 { k } else { 0 }, k),
                        side(if i % 4 > 0 { k } else { 0 }, k),
                    )
                })
                .collect();
            compare(&prompts, 0.1, 1).expect("prompts")
        };
        assert_eq!(with(1), with(3));
        assert_eq!(with(1).method, Method::Counts);
    }

    /// A few prompts of a kind leave the bootstrap without spread in many draws: shares still differ by 1 at most.
    #[test]
    fn the_interval_of_a_small_kind_is_within_what_shares_can_differ_by() {
        for seed in 0..20u32 {
            let prompts: Vec<PairedPrompt<'_>> = (0..12)
                .map(|i| {
                    let name = ["x", "y", "z"][(i % 3) as usize];
                    prompt(name, side((i * 7 + seed) % 4, 3), side((i * 5 + seed / 3) % 4, 3))
                })
                .collect();
            let found = compare(&prompts, 0.1, u64::from(seed)).expect("prompts");
            let parts = found.categories.iter().map(|c| c.part.verdict.interval);
            for at in parts.chain([found.verdict.interval]).chain(found.scores.map(|s| s.2.interval)) {
                assert!(-1.0 <= at.low && at.low <= at.high && at.high <= 1.0, "{at:?}");
            }
        }
    }

    /// A majority of two in three on every prompt is not a pass rate of 100 %.
    #[test]
    fn repeats_that_differ_are_shares_not_votes() {
        let prompts: Vec<PairedPrompt<'_>> =
            (0..60).map(|i| prompt("x", side(2 - i % 2, 3), side(3 - i % 3, 3))).collect();
        let found = compare(&prompts, 0.05, 1).expect("prompts");
        assert_eq!(found.method, Method::Shares);
        assert!((found.a.0 - 0.5).abs() < 1e-9, "{}", found.a.0);
        assert!((found.verdict.difference - (0.5 - 2.0 / 3.0)).abs() < 1e-9);
        assert_eq!(found.verdict.non_inferior, Some(false));
        assert_eq!(found.equivalent, Some(false));
    }

    #[test]
    fn equal_sides_are_equivalent_and_categories_move() {
        let prompts: Vec<PairedPrompt<'_>> = (0..200)
            .map(|i| {
                let category = if i % 2 == 0 { "easy" } else { "hard" };
                let worse = i % 2 == 1 && i % 4 == 1;
                prompt(category, side(u32::from(!worse), 1), side(1, 1))
            })
            .collect();
        let found = compare(&prompts, 0.1, 1).expect("prompts");
        let places: Vec<_> =
            found.categories.iter().map(|c| (c.part.category.as_str(), c.part.place)).collect();
        assert_eq!(places, [("easy", Place::CanMove), ("hard", Place::MustStay)]);
        let easy: Vec<PairedPrompt<'_>> =
            prompts.iter().filter(|p| p.category == Some("easy")).copied().collect();
        let found = compare(&easy, 0.1, 1).expect("prompts");
        assert_eq!((found.equivalent, found.categories.len()), (Some(true), 0));
        assert_eq!(found.scores, None, "scores that are passes say nothing more");
    }

    #[test]
    fn scores_between_none_and_all_are_compared_too() {
        let prompts: Vec<PairedPrompt<'_>> = (0..60u32)
            .map(|i| {
                let half = Side { passed: 1, graded: 1, scores: 0.6 + f64::from(i % 3) / 10.0 };
                prompt("x", half, side(1, 1))
            })
            .collect();
        let found = compare(&prompts, 0.1, 1).expect("prompts");
        let (a, b, verdict) = found.scores.expect("scores");
        assert!((a - 0.7).abs() < 1e-9 && (b - 1.0).abs() < 1e-9);
        assert_eq!((found.verdict.non_inferior, verdict.non_inferior), (Some(true), Some(false)));
        assert_eq!(compare(&[prompt("x", side(0, 0), side(1, 1))], 0.1, 1), None, "no grade, no verdict");
    }
}
