//! chrF (Popović 2015), as sacreBLEU computes it for one sentence.

/// The longest run of characters that is compared.
const ORDER: usize = 6;
/// Recall has twice the weight of precision.
const BETA_SQUARED: f64 = 4.0;
/// The value that sacreBLEU uses for zero.
const EPSILON: f64 = 1e-16;

/// chrF2 of an answer and the best of its references, 0 to 1: the F2 of runs of one to six characters,
/// without white space. Equal to `sacrebleu.sentence_chrf` ÷ 100 with its defaults. `None` without
/// references.
pub fn chrf(answer: &str, references: &[String]) -> Option<f64> {
    let letters =
        |text: &str| text.chars().filter(|c| !c.is_whitespace()).map(u32::from).collect::<Vec<u32>>();
    let own = letters(answer);
    references.iter().map(|r| of_one(&own, &letters(r))).reduce(f64::max)
}

fn of_one(own: &[u32], other: &[u32]) -> f64 {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0u32);
    // A character has 21 bits, so that six of them fit into one number.
    let shared = super::shared(own, other, ORDER, 21);
    for n in 1..=ORDER {
        let (of_own, of_other) = (super::runs(own.len(), n) as f64, super::runs(other.len(), n) as f64);
        let matches = shared[n - 1];
        if of_own > 0.0 && of_other > 0.0 {
            precision += matches as f64 / of_own;
            recall += matches as f64 / of_other;
            orders += 1;
        }
    }
    if orders == 0 {
        return 0.0;
    }
    let (p, r) = (precision / f64::from(orders), recall / f64::from(orders));
    let denominator = BETA_SQUARED * p + r;
    if denominator > EPSILON { (1.0 + BETA_SQUARED) * p * r / denominator } else { 0.0 }
}
