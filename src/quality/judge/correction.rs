//! Corrects pass rates and differences by how often a judge is wrong, where people have graded some of the
//! same answers.

use super::agreement::Share;
use crate::stats;
use crate::stats::{Interval, z};

/// How the grades of a judge and of a person on the same answers agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confusion {
    pub true_pass: u32,
    pub false_pass: u32,
    pub true_fail: u32,
    pub false_fail: u32,
}

impl Confusion {
    /// Count one answer that both graded.
    pub fn count(&mut self, judge: bool, person: bool) {
        *match (judge, person) {
            (true, true) => &mut self.true_pass,
            (true, false) => &mut self.false_pass,
            (false, false) => &mut self.true_fail,
            (false, true) => &mut self.false_fail,
        } += 1;
    }

    /// Share of the answers that the person passes which the judge passes, too.
    pub fn sensitivity(&self) -> Option<Share> {
        Share::of(self.true_pass, self.true_pass + self.false_fail)
    }

    /// Share of the answers that the person fails which the judge fails, too.
    pub fn specificity(&self) -> Option<Share> {
        Share::of(self.true_fail, self.true_fail + self.false_pass)
    }

    /// The pass rate that a person would give, computed from the judge's over all answers, with its 95 %
    /// interval (Rogan and Gladen 1978, delta method). `None` where the person passed all answers or none,
    /// and where the judge is no better than chance, so that nothing can be corrected.
    pub fn corrected_rate(&self, judge_passed: u32, judged: u32) -> Option<(f64, Interval)> {
        let (sensitivity, specificity) = (self.sensitivity()?, self.specificity()?);
        let (se, sp) = (sensitivity.rate(), specificity.rate());
        let youden = se + sp - 1.0;
        if youden <= 0.0 || judged == 0 {
            return None;
        }
        let (seen, n) = (f64::from(judge_passed) / f64::from(judged), f64::from(judged));
        let rate = (seen + sp - 1.0) / youden;
        let variance = |p: f64, n: f64| p * (1.0 - p) / n;
        let total = (variance(seen, n)
            + rate * rate * variance(se, f64::from(sensitivity.of))
            + (1.0 - rate).powi(2) * variance(sp, f64::from(specificity.of)))
            / (youden * youden);
        let half = z(1.0 - stats::TAIL) * total.max(0.0).sqrt();
        let clip = |x: f64| x.clamp(0.0, 1.0);
        Some((clip(rate), Interval { low: clip(rate - half), high: clip(rate + half) }))
    }
}

/// The difference that a person would find between two sides, computed from the judge's difference on every
/// prompt and the person's on some, with its 95 % interval (prediction-powered inference with tuned weight:
/// Angelopoulos et al. 2023). It is valid whatever the judge's errors are, as long as the prompts that the
/// person graded are a random sample. `None` with fewer than two prompts of either kind.
pub fn corrected_difference(prompts: &[(f64, Option<f64>)]) -> Option<(f64, Interval)> {
    let labelled: Vec<(f64, f64)> =
        prompts.iter().filter_map(|(judge, person)| Some((*judge, (*person)?))).collect();
    let rest: Vec<f64> =
        prompts.iter().filter(|(_, person)| person.is_none()).map(|(judge, _)| *judge).collect();
    if labelled.len() < 2
        || rest.len() < 2
        || prompts.iter().any(|(j, p)| !j.is_finite() || p.is_some_and(|p| !p.is_finite()))
    {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let variance = |values: &[f64]| {
        let middle = mean(values);
        values.iter().map(|v| (v - middle).powi(2)).sum::<f64>() / (values.len() - 1) as f64
    };
    let (n, m) = (labelled.len() as f64, rest.len() as f64);
    let all: Vec<f64> = prompts.iter().map(|(judge, _)| *judge).collect();
    let (judge, person): (Vec<f64>, Vec<f64>) = labelled.iter().copied().unzip();
    let (mean_judge, mean_person) = (mean(&judge), mean(&person));
    let covariance = labelled.iter().map(|(j, p)| (j - mean_judge) * (p - mean_person)).sum::<f64>() / n;
    let spread = variance(&all);
    let weight = if spread > 0.0 { (covariance / (spread * (1.0 + n / m))).clamp(0.0, 1.0) } else { 0.0 };
    let residuals: Vec<f64> = labelled.iter().map(|(j, p)| p - weight * j).collect();
    let point = weight * mean(&rest) + mean(&residuals);
    let error = (variance(&residuals) / n + weight * weight * variance(&rest) / m).sqrt();
    let half = z(1.0 - stats::TAIL) * error;
    Some((point, Interval { low: point - half, high: point + half }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::judge::agreement::{BothOrders, JudgedPair, report};
    use crate::quality::judge::verdict::Choice;
    use serde_json::Value;

    /// The expected values were computed by truescore 0.7.4.
    #[test]
    fn corrections_are_truescores() {
        let oracles: Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/quality/statistics.json"))
                .expect("JSON");
        let near = |a: f64, b: &Value| (a - b.as_f64().expect("a number")).abs() < 1e-9;
        let count = |v: &Value| u32::try_from(v.as_u64().expect("a count")).expect("small");
        for case in oracles["rogan_gladen"].as_array().expect("cases") {
            let confusion = Confusion {
                true_pass: count(&case["true_pass"]),
                false_pass: count(&case["false_pass"]),
                true_fail: count(&case["true_fail"]),
                false_fail: count(&case["false_fail"]),
            };
            let (rate, i) = confusion
                .corrected_rate(count(&case["judge_passed"]), count(&case["judged"]))
                .expect("useful");
            assert!(near(rate, &case["point"]), "{case}: {rate}");
            assert!(near(i.low, &case["interval"][0]) && near(i.high, &case["interval"][1]), "{case}: {i:?}");
        }
        for case in oracles["corrected_difference"].as_array().expect("cases") {
            let judge = case["judge"].as_array().expect("a list").iter();
            let gold = case["gold"].as_array().expect("a list").iter();
            let prompts: Vec<(f64, Option<f64>)> =
                judge.zip(gold).map(|(j, g)| (j.as_f64().expect("a number"), g.as_f64())).collect();
            let (difference, i) = corrected_difference(&prompts).expect("enough");
            assert!(near(difference, &case["difference"]), "{difference} {}", case["difference"]);
            assert!(near(i.low, &case["interval"][0]) && near(i.high, &case["interval"][1]), "{i:?}");
        }
        let position = &oracles["position"];
        let flags =
            |key: &str| position[key].as_array().expect("a list").iter().map(|v| v == 1).collect::<Vec<_>>();
        let choice = |first: bool| Some(if first { Choice::First } else { Choice::Second });
        let pairs: Vec<JudgedPair> = flags("first_original")
            .into_iter()
            .zip(flags("first_swapped"))
            .map(|(a, b)| (BothOrders { a_first: choice(a), b_first: choice(b) }, 1, 1))
            .collect();
        let report = report(&pairs);
        assert!(near(report.first_position.expect("pairs").rate(), &position["rate"]));
        assert!(near(report.first_position_p.expect("pairs"), &position["p"]));
        assert!(near(1.0 - report.flips.expect("pairs").rate(), &position["consistency"]));
    }

    #[test]
    fn a_judge_at_chance_corrects_nothing() {
        let chance = Confusion { true_pass: 10, false_pass: 10, true_fail: 10, false_fail: 10 };
        assert_eq!(chance.corrected_rate(50, 100), None);
        assert_eq!(Confusion::default().corrected_rate(50, 100), None);
        assert_eq!(corrected_difference(&[(1.0, Some(1.0)), (0.0, None)]), None);
    }
}
