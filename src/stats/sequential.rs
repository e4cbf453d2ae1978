//! A sequential test of non-inferiority: one may look at it after every prompt, and stop.

use super::Interval;

/// What the test has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A is not worse than B by the margin.
    NonInferior,
    /// A is worse than B by more than the margin.
    Inferior,
    /// More prompts of a reasonable number will not show that A is not worse: the test gives up.
    Futile,
}

/// Non-inferiority by betting (Waudby-Smith and Ramdas 2024): a capital of 1 is bet, prompt by prompt,
/// against "A is worse than B by `margin` or more". Were that true, the capital would not grow on
/// average whatever the sides are like, so it reaches 1 ÷ α with a chance of at most α, however often
/// one looks (Ville). A second capital is bet against the opposite. Before each prompt the stake is set
/// from the prompts before it alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    margin: f64,
    alpha: f64,
    beta: f64,
    past: Past,
    /// Logarithm of the capital bet against "A is worse than B by `margin` or more".
    good: f64,
    /// Logarithm of the capital bet against "A is not worse than B by as much as `margin`".
    bad: f64,
    decided: Option<Decision>,
}

/// The share of Kelly's stake that is bet. A full stake grows fastest but falls deepest on the way, so that
/// many runs on equal sides would be given up; with about two thirds, one in a hundred is.
const CAUTION: f64 = 0.65;
/// Before any prompt is seen, the moments are those of this many imagined prompts: a fifth of them tell the
/// sides apart, as many one way as the other.
const PRIOR: f64 = 10.0;
const PRIOR_SQUARE: f64 = 0.2;

/// Sums over the prompts before the present one: all that a stake may rest on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Past {
    n: u32,
    sum: f64,
    squares: f64,
}

impl Past {
    /// Mean and mean square of the differences, shrunk towards the prior.
    fn moments(&self) -> (f64, f64) {
        let weight = f64::from(self.n) + PRIOR;
        (self.sum / weight, (self.squares + PRIOR * PRIOR_SQUARE) / weight)
    }

    /// Kelly's stake where a bet gains `gain` on average, nearly gain ÷ second moment; from 0 to `most`.
    fn stake(&self, gain: f64, most: f64) -> f64 {
        let (_, square) = self.moments();
        (CAUTION * gain / (square + gain * gain)).clamp(0.0, most)
    }

    /// Logarithm of the factor by which the capital grows when a bet against "the mean is `null` or less"
    /// meets the difference `x`.
    fn log_growth(&self, x: f64, null: f64) -> f64 {
        let (mean, _) = self.moments();
        let stake = self.stake(mean.max(0.0) - null, 0.9 / (1.0 + null));
        (stake * (x - null)).ln_1p()
    }

    fn see(&mut self, x: f64) {
        self.n += 1;
        self.sum += x;
        self.squares += x * x;
    }
}

/// An interval of the mean difference that holds whenever one stops: all values that no bet of
/// [`Sequential`]'s kind has refuted so far, each side with an error of at most `alpha`. It is wider than
/// an interval for a number of prompts fixed beforehand, which no longer holds once one has looked.
pub fn sequence_interval(differences: &[f64], alpha: f64) -> Interval {
    const STEPS: u32 = 400;
    let refuted = |null: f64, sign: f64| {
        let mut past = Past::default();
        let mut capital = 0.0;
        differences.iter().filter(|d| d.is_finite()).any(|d| {
            let x = sign * d.clamp(-1.0, 1.0);
            capital += past.log_growth(x, null);
            past.see(x);
            capital >= -alpha.ln()
        })
    };
    // Walks in from the far end for as long as values are refuted.
    let bound = |sign: f64| {
        (1..STEPS)
            .map(|k| 2.0 * f64::from(k) / f64::from(STEPS) - 1.0)
            .take_while(|null| refuted(*null, sign))
            .last()
            .unwrap_or(-1.0)
    };
    Interval { low: bound(1.0), high: -bound(-1.0) }
}

impl Sequential {
    /// `margin` and the error rates, all between 0 and 1: `alpha` of each wrong decision, `beta` of
    /// giving up on sides that are equal.
    pub fn new(margin: f64, alpha: f64, beta: f64) -> Self {
        Self { margin, alpha, beta, past: Past::default(), good: 0.0, bad: 0.0, decided: None }
    }

    /// The result of one prompt: score of A less score of B, between −1 and 1. Prompts have to come in
    /// an order that does not depend on their results.
    pub fn push(&mut self, difference: f64) -> Option<Decision> {
        if self.decided.is_some() || !difference.is_finite() {
            return self.decided;
        }
        let x = difference.clamp(-1.0, 1.0);
        let m = self.margin;
        let (mean, _) = self.past.moments();
        let stake_on_worse = self.past.stake(m.max(-(mean + m)), 0.9 / (1.0 + m));
        self.good += self.past.log_growth(x, -m);
        self.bad += (-stake_on_worse * (x + m)).ln_1p();
        self.past.see(x);
        self.decided = if self.good >= -self.alpha.ln() {
            Some(Decision::NonInferior)
        } else if self.bad >= -self.alpha.ln() {
            Some(Decision::Inferior)
        } else if self.good <= (self.beta / (1.0 - self.alpha)).ln() {
            Some(Decision::Futile)
        } else {
            None
        };
        self.decided
    }

    /// The decision, once there is one: it does not change afterwards.
    pub fn decided(&self) -> Option<Decision> {
        self.decided
    }

    /// Prompts seen.
    pub fn prompts(&self) -> u32 {
        self.past.n
    }

    /// An anytime-valid p value: at most the chance that "A is not worse" would look as good as it has at
    /// its best, were it false.
    pub fn p(&self) -> f64 {
        (-self.good).exp().min(1.0)
    }
}
