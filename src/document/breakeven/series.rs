//! Series for charts: cost by month and cost by volume.

use crate::cost::curves::{PaidByWay, VolumesByWay};
use crate::cost::series::{ByVolume, Cumulative};
use crate::cost::{Case, Evaluation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one offer has cost by the end of each month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CumulativeCost {
    /// Name of the offer.
    pub name: String,
    /// Paid on the first day, then paid in total by the end of each month up to the horizon, US dollars.
    /// What the hardware would still fetch is not deducted.
    pub paid_usd: Vec<f64>,
    /// 10th percentile of the draws for each of these, US dollars; null where no input is a range.
    pub p10_usd: Option<Vec<f64>>,
    /// 90th percentile of the draws for each of these, US dollars; null where no input is a range.
    pub p90_usd: Option<Vec<f64>>,
}

/// What a month costs at other volumes: the total over the horizon ÷ its months.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostByVolume {
    /// The volumes, in requests of the first month, ascending; the volume in force is one of them. Null
    /// where only token totals are known.
    pub requests_per_month: Option<Vec<f64>>,
    /// The same volumes in tokens a month, input and output together.
    pub tokens_per_month: Vec<f64>,
    /// Cost of every compared offer at these volumes.
    pub offers: Vec<OfferByVolume>,
    /// Volumes at which the local side of the headline costs less than its cloud side, ascending.
    pub local_cheaper: Vec<VolumeWindow>,
}

/// One offer at each of the volumes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferByVolume {
    /// Name of the offer.
    pub name: String,
    /// US dollars a month at each volume; null where the offer cannot serve that many requests.
    pub monthly_usd: Vec<Option<f64>>,
    /// Units in the first month at each volume; null for an API.
    pub units: Option<Vec<Option<u32>>>,
}

/// A range of volumes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeWindow {
    /// Where the range begins, tokens a month.
    pub from_tokens_per_month: f64,
    /// Where the range ends, tokens a month; null where it does not end within the volumes that were tried.
    pub to_tokens_per_month: Option<f64>,
    /// Where the range begins, requests a month; null where only token totals are known.
    pub from_requests_per_month: Option<f64>,
    /// Where the range ends, requests a month; null where only token totals are known, and where it does
    /// not end.
    pub to_requests_per_month: Option<f64>,
}

/// Rounded to whole cents: further digits are rounding errors of the arithmetic.
fn cents(usd: f64) -> f64 {
    (usd * 100.0).round() / 100.0
}

/// Rounded to six significant digits.
fn six_digits(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return value;
    }
    #[allow(clippy::cast_possible_truncation, reason = "an exponent of ten")]
    let scale = 10f64.powi(5 - value.log10().floor() as i32);
    (value * scale).round() / scale
}

/// The cumulative cost of every offer.
pub fn cumulative(case: &Case, evaluation: &Evaluation) -> Vec<CumulativeCost> {
    let one = |c: &Cumulative| {
        let band = |of: fn(&(f64, f64)) -> f64| {
            (!c.band.is_empty()).then(|| c.band.iter().map(|b| cents(of(b))).collect())
        };
        CumulativeCost {
            name: case.offers[c.offer].name.clone(),
            paid_usd: c.paid.iter().map(|usd| cents(*usd)).collect(),
            p10_usd: band(|b| b.0),
            p90_usd: band(|b| b.1),
        }
    };
    evaluation.cumulative.iter().map(one).collect()
}

/// The cost of every offer by volume. `per_request` is false where only token totals are known.
pub fn by_volume(case: &Case, found: &ByVolume, per_request: bool) -> CostByVolume {
    let tokens = |requests: f64| six_digits(requests * found.tokens_per_request);
    CostByVolume {
        requests_per_month: per_request.then(|| found.requests.iter().map(|r| six_digits(*r)).collect()),
        tokens_per_month: found.requests.iter().map(|r| tokens(*r)).collect(),
        offers: found
            .offers
            .iter()
            .map(|o| OfferByVolume {
                name: case.offers[o.offer].name.clone(),
                monthly_usd: o.monthly.iter().map(|usd| usd.map(cents)).collect(),
                units: o.units.iter().any(Option::is_some).then(|| o.units.clone()),
            })
            .collect(),
        local_cheaper: windows(&found.windows, per_request, tokens),
    }
}

/// The cumulative cost of each way to serve the need, under these names.
pub fn cumulative_of(names: &[String], ways: &[PaidByWay]) -> Vec<CumulativeCost> {
    let one = |(name, way): (&String, &PaidByWay)| {
        let band = |of: fn(&(f64, f64)) -> f64| {
            (!way.band.is_empty()).then(|| way.band.iter().map(|b| cents(of(b))).collect())
        };
        CumulativeCost {
            name: name.clone(),
            paid_usd: way.paid.iter().map(|usd| cents(*usd)).collect(),
            p10_usd: band(|b| b.0),
            p90_usd: band(|b| b.1),
        }
    };
    names.iter().zip(ways).map(one).collect()
}

/// The cost by volume of each way to serve the need, under these names. `per_request` is false where only
/// token totals are known.
pub fn by_volume_of(names: &[String], found: &VolumesByWay, per_request: bool) -> CostByVolume {
    let tokens = |requests: f64| six_digits(requests * found.tokens_per_request);
    let offers = names.iter().zip(found.monthly.iter().zip(&found.units));
    CostByVolume {
        requests_per_month: per_request.then(|| found.requests.iter().map(|r| six_digits(*r)).collect()),
        tokens_per_month: found.requests.iter().map(|r| tokens(*r)).collect(),
        offers: offers
            .map(|(name, (monthly, units))| OfferByVolume {
                name: name.clone(),
                monthly_usd: monthly.iter().map(|usd| usd.map(cents)).collect(),
                units: units.iter().any(Option::is_some).then(|| units.clone()),
            })
            .collect(),
        local_cheaper: windows(&found.windows, per_request, tokens),
    }
}

fn windows(
    found: &[(f64, Option<f64>)],
    per_request: bool,
    tokens: impl Fn(f64) -> f64,
) -> Vec<VolumeWindow> {
    let one = |&(from, to): &(f64, Option<f64>)| VolumeWindow {
        from_tokens_per_month: tokens(from),
        to_tokens_per_month: to.map(&tokens),
        from_requests_per_month: per_request.then(|| six_digits(from)),
        to_requests_per_month: to.filter(|_| per_request).map(six_digits),
    };
    found.iter().map(one).collect()
}
