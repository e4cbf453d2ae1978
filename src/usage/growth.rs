//! Growth from week to week, from a regression line through the logarithms of whole weeks.

use super::summary::{Growth, Missing, Totals};
use statrs::distribution::{ContinuousCDF as _, StudentsT};
use std::collections::BTreeMap;

/// The fewest weeks that show a trend.
const FEWEST_WEEKS: usize = 4;
/// Weeks in a month of 730 hours.
const WEEKS: f64 = 730.0 / 168.0;

/// Growth by ordinary least squares of `ln(of(week))` on the week, with the 95 % interval from Student's t
/// distribution. `days` are numbered from any day; weeks of seven days end with the last whole day.
pub fn growth(days: &BTreeMap<i32, Totals>, of: impl Fn(&Totals) -> u64) -> Result<Growth, Missing> {
    let (Some(first), Some(last)) = (days.keys().next(), days.keys().next_back()) else {
        return Err(Missing::NoTimes);
    };
    // The first and the last day are rarely whole.
    let (from, to) = (first + 1, *last);
    let weeks = usize::try_from((to - from) / 7).unwrap_or(0);
    if weeks < FEWEST_WEEKS {
        return Err(Missing::TooFewWeeks);
    }
    let mut sums = vec![0u64; weeks];
    let start = to - i32::try_from(weeks * 7).unwrap_or(0);
    for (day, totals) in days.range(start..to) {
        let week = usize::try_from((day - start) / 7).unwrap_or(0);
        sums[week] = sums[week].saturating_add(of(totals));
    }
    if sums.contains(&0) {
        return Err(Missing::IdleWeek);
    }
    let n = weeks as f64;
    let logs: Vec<f64> = sums.iter().map(|sum| (*sum as f64).ln()).collect();
    let mean_x = (n - 1.0) / 2.0;
    let mean_y = logs.iter().sum::<f64>() / n;
    let sxx: f64 = (0..weeks).map(|x| (x as f64 - mean_x).powi(2)).sum();
    let sxy: f64 = logs.iter().enumerate().map(|(x, y)| (x as f64 - mean_x) * (y - mean_y)).sum();
    let slope = sxy / sxx;
    let residuals: f64 =
        logs.iter().enumerate().map(|(x, y)| (y - mean_y - slope * (x as f64 - mean_x)).powi(2)).sum();
    let error = (residuals / (n - 2.0) / sxx).sqrt();
    let t = StudentsT::new(0.0, 1.0, n - 2.0).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975));
    let monthly = |slope: f64| (slope * WEEKS).exp() - 1.0;
    Ok(Growth {
        per_month: monthly(slope),
        low: monthly(slope - t * error),
        high: monthly(slope + t * error),
        weeks: u32::try_from(weeks).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(n: i32, requests: impl Fn(i32) -> u64) -> BTreeMap<i32, Totals> {
        let day = |d| Totals { requests_stated: requests(d), ..Totals::default() };
        (0..n).map(|d| (d + 20_000, day(d))).collect()
    }
    fn grown(days: &BTreeMap<i32, Totals>) -> Result<Growth, Missing> {
        growth(days, |t| t.requests_stated)
    }

    #[test]
    fn a_steady_rate_is_found_and_its_interval_is_narrow() {
        // 2 % a week; at weekends a third of the use.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let shape = |d: i32| {
            let level = 10_000.0 * 1.02f64.powf(f64::from(d) / 7.0);
            (if d % 7 >= 5 { level / 3.0 } else { level }) as u64
        };
        let growth = grown(&days(86, shape)).expect("twelve weeks");
        let exact = 1.02f64.powf(WEEKS) - 1.0;
        assert!((growth.per_month - exact).abs() < 0.003, "{growth:?} {exact}");
        assert!(growth.low <= growth.per_month && growth.per_month <= growth.high);
        assert!(growth.high - growth.low < 0.02 && growth.weeks == 12);
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        assert_eq!(grown(&BTreeMap::new()), Err(Missing::NoTimes));
        assert_eq!(grown(&days(29, |_| 5)), Err(Missing::TooFewWeeks));
        assert_eq!(grown(&days(60, |d| u64::from(d < 20) * 9)), Err(Missing::IdleWeek));
        let flat = grown(&days(60, |_| 700)).expect("eight weeks");
        assert!(flat.per_month.abs() < 1e-9);
    }
}
