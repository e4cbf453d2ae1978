//! How far a judge agrees with itself when two answers change places, over all pairs.

use super::verdict::Choice;
use crate::stats;
use crate::stats::Interval;

/// The verdicts on a pair in both orders; `None` where a reply was unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BothOrders {
    pub a_first: Option<Choice>,
    pub b_first: Option<Choice>,
}

/// The winner of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    A,
    B,
    /// The judge called a tie, or its two verdicts disagree.
    Tie,
    Missing,
}

impl BothOrders {
    /// A side wins only if it does so in both orders.
    pub fn winner(self) -> Winner {
        match (self.a_first, self.b_first) {
            (None, _) | (_, None) => Winner::Missing,
            (Some(Choice::First), Some(Choice::Second)) => Winner::A,
            (Some(Choice::Second), Some(Choice::First)) => Winner::B,
            _ => Winner::Tie,
        }
    }

    /// Did the verdict change with the order? `None` where one is missing.
    fn flipped(self) -> Option<bool> {
        let turned = match self.b_first? {
            Choice::First => Choice::Second,
            Choice::Second => Choice::First,
            Choice::Tie => Choice::Tie,
        };
        Some(self.a_first? != turned)
    }
}

/// A share with its 95 % Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    pub count: u32,
    pub of: u32,
    pub interval: Interval,
}

impl Share {
    pub(super) fn of(count: u32, of: u32) -> Option<Self> {
        Some(Self { count, of, interval: stats::wilson(count, of)? })
    }
    /// The share, 0 to 1.
    pub fn rate(self) -> f64 {
        f64::from(self.count) / f64::from(self.of)
    }
}

/// A judge's behaviour over many pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeReport {
    pub wins_a: u32,
    pub wins_b: u32,
    pub ties: u32,
    /// Pairs without a usable verdict in both orders.
    pub missing: u32,
    /// p of the sign test of wins against losses, two-sided, without ties.
    pub p: Option<f64>,
    /// Share of the pairs whose verdict changed with the order; above a fifth the verdicts are doubtful.
    pub flips: Option<Share>,
    /// Share of the single verdicts, without ties, that were for the answer shown first.
    pub first_position: Option<Share>,
    /// p of the exact binomial test that the position does not matter, two-sided.
    pub first_position_p: Option<f64>,
    /// Share of the won pairs in which the longer answer won.
    pub longer_wins: Option<Share>,
    /// A's share of the wins among pairs of nearly equal length (within a tenth), without ties.
    pub wins_a_equal_length: Option<Share>,
}

/// Share of flipped verdicts above which a judge is doubtful.
pub const DOUBTFUL_FLIPS: f64 = 0.2;

/// The verdicts on one pair, and the lengths of A's and B's answers in characters.
pub type JudgedPair = (BothOrders, usize, usize);

/// Evaluate a judge's verdicts on these pairs.
pub fn report(pairs: &[JudgedPair]) -> JudgeReport {
    let count = |winner: Winner| {
        u32::try_from(pairs.iter().filter(|(p, ..)| p.winner() == winner).count()).unwrap_or(u32::MAX)
    };
    let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (wins_a, wins_b) = (count(Winner::A), count(Winner::B));
    let flips: Vec<bool> = pairs.iter().filter_map(|(p, ..)| p.flipped()).collect();
    let single = pairs.iter().flat_map(|(p, ..)| [p.a_first, p.b_first]).flatten();
    let placed: Vec<Choice> = single.filter(|c| *c != Choice::Tie).collect();
    let first = size(placed.iter().filter(|c| **c == Choice::First).count());
    let decided: Vec<(bool, usize, usize)> = pairs
        .iter()
        .filter_map(|(p, a, b)| match p.winner() {
            Winner::A => Some((true, *a, *b)),
            Winner::B => Some((false, *a, *b)),
            _ => None,
        })
        .collect();
    let unequal: Vec<bool> =
        decided.iter().filter(|(_, a, b)| a != b).map(|(won, a, b)| *won == (a > b)).collect();
    let alike: Vec<bool> =
        decided.iter().filter(|(_, a, b)| a.abs_diff(*b) * 10 <= *a.max(b)).map(|(won, ..)| *won).collect();
    let share = |list: &[bool]| Share::of(size(list.iter().filter(|t| **t).count()), size(list.len()));
    JudgeReport {
        wins_a,
        wins_b,
        ties: count(Winner::Tie),
        missing: count(Winner::Missing),
        p: stats::mcnemar(wins_a, wins_b),
        flips: share(&flips),
        first_position: Share::of(first, size(placed.len())),
        first_position_p: stats::mcnemar(first, size(placed.len()) - first),
        longer_wins: share(&unequal),
        wins_a_equal_length: share(&alike),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_win_needs_both_orders() {
        use Choice::{First, Second, Tie};
        let pair = |a, b| BothOrders { a_first: a, b_first: b };
        assert_eq!(pair(Some(First), Some(Second)).winner(), Winner::A);
        assert_eq!(pair(Some(Second), Some(First)).winner(), Winner::B);
        assert_eq!(pair(Some(First), Some(First)).winner(), Winner::Tie);
        assert_eq!(pair(Some(First), Some(Tie)).winner(), Winner::Tie);
        assert_eq!(pair(Some(First), None).winner(), Winner::Missing);
        let always_first = vec![(pair(Some(First), Some(First)), 10, 200); 30];
        let report = report(&always_first);
        assert_eq!((report.wins_a, report.wins_b, report.ties), (0, 0, 30));
        assert_eq!(report.flips.map(|f| f.count), Some(30));
        assert_eq!(report.first_position.map(Share::rate), Some(1.0));
        assert!(report.first_position_p.is_some_and(|p| p < 1e-9));
        let prefers_longer: Vec<JudgedPair> = (0..40)
            .map(|i| {
                if i % 2 == 0 {
                    (pair(Some(First), Some(Second)), 200, 50)
                } else {
                    (pair(Some(Second), Some(First)), 50, 200)
                }
            })
            .collect();
        let report = super::report(&prefers_longer);
        assert_eq!(report.longer_wins.map(Share::rate), Some(1.0));
        assert_eq!((report.wins_a, report.wins_b, report.wins_a_equal_length), (20, 20, None));
    }
}
