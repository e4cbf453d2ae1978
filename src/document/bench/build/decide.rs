//! Ends a run early once the verdict on every pair of targets is clear.

use super::basis::Basis;
use crate::document::bench::Sample;
use crate::quality::Side;
use crate::stats::{Sequential, TAIL};

/// Chance of giving up although both sides are equally good.
const GIVEN_UP: f64 = 0.05;

/// The sequential test of one pair; it stays valid although it is looked at after every prompt.
pub(super) fn sequential_test(margin: f64) -> Sequential {
    Sequential::new(margin, TAIL, GIVEN_UP)
}

/// The tests of all pairs while prompts are being answered.
#[derive(Debug)]
pub struct Deciding<'a> {
    basis: &'a Basis,
    tests: Vec<(usize, usize, Sequential)>,
}

impl<'a> Deciding<'a> {
    /// `None` where the run was not asked to end early.
    pub fn of(basis: &'a Basis) -> Option<Self> {
        if !basis.until_decided {
            return None;
        }
        let test = |(a, b)| (a, b, sequential_test(basis.margin));
        let tests = basis.couples().into_iter().map(test).collect();
        Some(Self { basis, tests })
    }

    /// Count a prompt that all targets have answered in all repeats. Returns whether every pair is decided.
    pub fn prompt_done(&mut self, samples: &[&Sample]) -> bool {
        let side = |target: usize| {
            let id = &self.basis.targets[target].id;
            let mut side = Side::default();
            for sample in samples.iter().filter(|s| s.target == *id) {
                if let Some(pass) = sample.pass {
                    side.count(pass, sample.score.unwrap_or(0.0));
                }
            }
            side.share()
        };
        for (a, b, test) in &mut self.tests {
            if let (Some(a), Some(b)) = (side(*a), side(*b)) {
                test.push(a - b);
            }
        }
        !self.tests.is_empty() && self.tests.iter().all(|(.., test)| test.decided().is_some())
    }
}
