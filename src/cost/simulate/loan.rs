//! Formulas for loans with constant instalments (annuities).

use crate::units::Usd;

/// A number of months, rounded to a whole number of at least 1.
pub(super) fn months(value: f64) -> usize {
    // The clamp keeps it in range.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = value.round().clamp(1.0, f64::from(u32::MAX)) as usize;
    whole
}

/// Constant instalment at the end of each month: `P·r ÷ (1 − (1 + r)^−n)`, r the yearly rate ÷ 12.
pub fn annuity(principal: Usd, rate_per_year: f64, months: usize) -> Usd {
    principal / annuity_factor(rate_per_year, months)
}

/// Present value of this many instalments of 1: `(1 − (1 + r)^−n) ÷ r`, with `r` the yearly rate ÷ 12.
pub(super) fn annuity_factor(rate_per_year: f64, months: usize) -> f64 {
    let r = rate_per_year / 12.0;
    let n = months as f64;
    if r == 0.0 { n } else { (1.0 - (1.0 + r).powf(-n)) / r }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10,000 over 36 months at 6 %: r = 0.005; 10,000 × 0.005 ÷ (1 − 1.005^−36) = 304.22.
    #[test]
    fn instalments() {
        assert!((annuity(Usd::new(10_000.0), 0.06, 36).get() - 304.22).abs() < 0.005);
        assert!((annuity(Usd::new(3600.0), 0.0, 36).get() - 100.0).abs() < 1e-9);
        // After 12 of the 36: 24 instalments are worth 304.22 × (1 − 1.005^−24) ÷ 0.005 = 6,864.06.
        assert!((304.219_374 * annuity_factor(0.06, 24) - 6864.06).abs() < 0.01);
    }
}
