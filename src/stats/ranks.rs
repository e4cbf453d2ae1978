//! Wilcoxon's signed-rank test.

use super::phi;

/// Up to this many nonzero differences the p value is exact.
const EXACT: usize = 25;

/// What the test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Sum of the ranks of positive differences.
    pub positive: f64,
    /// The two-sided p value.
    pub p: f64,
    /// From all assignments of signs; otherwise from the normal approximation.
    pub exact: bool,
}

/// Wilcoxon's test of whether paired differences are symmetric about zero. Zeros are ranked and then left
/// out (Pratt 1959); ties share their mean rank. Up to 25 nonzero differences the p value is exact, from
/// all assignments of signs; above that it is normal, with the variance corrected for ties. `None` where
/// nothing differs.
pub fn signed_rank(differences: &[f64]) -> Option<SignedRank> {
    let mut sizes: Vec<(f64, bool)> =
        differences.iter().filter(|d| d.is_finite()).map(|d| (d.abs(), *d > 0.0)).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let zeros = sizes.iter().take_while(|(size, _)| *size == 0.0).count();
    let rest = sizes.len() - zeros;
    if rest == 0 {
        return None;
    }
    // Twice the rank of each difference that is not zero, so that mean ranks are whole.
    let mut doubled: Vec<(usize, bool)> = Vec::with_capacity(rest);
    let mut ties = 0.0;
    let mut at = zeros;
    #[allow(clippy::float_cmp)]
    while at < sizes.len() {
        let same = sizes[at..].iter().take_while(|(size, _)| *size == sizes[at].0).count();
        let rank = 2 * at + same + 1;
        doubled.extend(sizes[at..at + same].iter().map(|(_, positive)| (rank, *positive)));
        let t = same as f64;
        ties += t * (t * t - 1.0);
        at += same;
    }
    let positive: usize = doubled.iter().filter(|(_, positive)| *positive).map(|(rank, _)| rank).sum();
    let (p, exact) = if rest <= EXACT {
        (exact_p(&doubled, positive), true)
    } else {
        let count = |n: usize| n as f64;
        let (n, z) = (count(sizes.len()), count(zeros));
        let mean = (n * (n + 1.0) - z * (z + 1.0)) / 4.0;
        let squares = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
        let error = ((squares(n) - squares(z) - 0.5 * ties) / 24.0).sqrt();
        let distance = (positive as f64 / 2.0 - mean) / error;
        ((2.0 * phi(-distance.abs())).min(1.0), false)
    };
    Some(SignedRank { positive: positive as f64 / 2.0, p, exact })
}

/// The exact two-sided p value: twice the share of all assignments of signs whose rank sum is at least as
/// far out.
fn exact_p(doubled: &[(usize, bool)], positive: usize) -> f64 {
    let total: usize = doubled.iter().map(|(rank, _)| rank).sum();
    let mut ways = vec![0.0f64; total + 1];
    ways[0] = 1.0;
    for (rank, _) in doubled {
        for sum in (*rank..=total).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let all = 2f64.powi(i32::try_from(doubled.len()).unwrap_or(i32::MAX));
    let below: f64 = ways[..=positive].iter().sum::<f64>() / all;
    let above: f64 = ways[positive..].iter().sum::<f64>() / all;
    (2.0 * below.min(above)).min(1.0)
}
