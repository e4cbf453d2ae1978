//! Is an answer what its prompt expects, and is one side as good as the other on the same prompts?

use super::stats;

/// Fewer prompts than this show that it runs, not which side is better.
pub const SMOKE: u32 = 20;

/// Does the answer contain the expected text? Case and runs of white space do not matter.
pub fn passes(answer: &str, expect: &str) -> bool {
    normal(answer).contains(&normal(expect))
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Two sides on the same prompts, counted by who passed.
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
}

/// The answer to "is side A good enough beside side B?".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    pub pairs: Pairs,
    pub p: Option<f64>,
    pub difference: f64,
    pub interval: stats::Interval,
    /// `None`: cannot be decided with this many prompts.
    pub non_inferior: Option<bool>,
    /// About how many prompts would decide, where these do not.
    pub prompts_needed: Option<u32>,
    pub smoke_only: bool,
}

/// Non-inferiority within `margin`: decided when the whole 95 % interval of the paired difference
/// lies on one side of −margin, and never below twenty prompts.
pub fn non_inferiority(pairs: Pairs, margin: f64) -> Option<Verdict> {
    let (difference, interval) =
        stats::paired_difference(pairs.both, pairs.only_a, pairs.only_b, pairs.neither)?;
    let smoke_only = pairs.total() < SMOKE;
    let non_inferior = if smoke_only {
        None
    } else if interval.low > -margin {
        Some(true)
    } else if interval.high < -margin {
        Some(false)
    } else {
        None
    };
    let discordant = f64::from(pairs.only_a + pairs.only_b) / f64::from(pairs.total());
    Some(Verdict {
        pairs,
        p: stats::mcnemar(pairs.only_a, pairs.only_b),
        difference,
        interval,
        non_inferior,
        // A tiny sample without disagreement says little about how much there is: assume a fifth.
        prompts_needed: non_inferior
            .is_none()
            .then(|| {
                stats::prompts_needed(
                    margin,
                    if smoke_only { discordant.max(0.2) } else { discordant.max(0.1) },
                )
            })
            .flatten()
            .map(|n| n.max(SMOKE)),
        smoke_only,
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
    }

    #[test]
    fn many_equal_prompts_decide() {
        let equal =
            non_inferiority(Pairs { both: 190, only_a: 4, only_b: 4, neither: 2 }, 0.1).expect("prompts");
        assert_eq!(equal.non_inferior, Some(true));
        let worse =
            non_inferiority(Pairs { both: 100, only_a: 0, only_b: 80, neither: 20 }, 0.1).expect("prompts");
        assert_eq!(worse.non_inferior, Some(false));
    }
}
