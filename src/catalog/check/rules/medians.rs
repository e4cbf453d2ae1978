//! The median prices of API models: a price far from them is in another unit.

use crate::catalog::{ApiModel, Catalog, Rates};

/// A price this many times under the median of its class is a slip (per thousand is 1,000, and
/// the cheapest real offers are about 30 times under).
const TIMES_UNDER: f64 = 150.0;

/// A price this many times over it is one (the dearest real offers are about 300 times over).
const TIMES_OVER: f64 = 600.0;

/// Medians that single records are compared with.
#[derive(Debug, Clone, Default)]
pub struct Medians {
    input_per_mtok: Option<f64>,
    output_per_mtok: Option<f64>,
}

impl Medians {
    /// Of the list prices of all models. Fewer than ten are no class.
    pub fn of(catalog: &Catalog) -> Self {
        Self::of_models(&catalog.api_models)
    }
    /// Of these models.
    pub fn of_models(models: &[ApiModel]) -> Self {
        let rates = |field: fn(&Rates) -> Option<f64>| {
            median(
                models
                    .iter()
                    .filter_map(|m| m.price.last().and_then(|p| field(&p.rates)))
                    .filter(|p| *p > 0.0)
                    .collect(),
            )
        };
        Self { input_per_mtok: rates(|r| r.input_per_mtok), output_per_mtok: rates(|r| r.output_per_mtok) }
    }
    /// Why a pair of prices cannot be in this unit, or `None`.
    pub fn slip(&self, rates: &Rates) -> Option<(&'static str, String)> {
        let pairs = [
            ("input_per_mtok", rates.input_per_mtok, self.input_per_mtok),
            ("output_per_mtok", rates.output_per_mtok, self.output_per_mtok),
        ];
        pairs.into_iter().find_map(|(field, price, median)| {
            let (price, median) = (price?, median?);
            let far = if price <= 0.0 || !price.is_finite() {
                return None;
            } else if price * TIMES_UNDER < median {
                format!("{:.0} times under", median / price)
            } else if price > median * TIMES_OVER {
                format!("{:.0} times over", price / median)
            } else {
                return None;
            };
            Some((field, format!("{field} {price} is {far} the median of {median}: a unit slip?")))
        })
    }
}

/// The middle value; of fewer than ten values there is none worth comparing with.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    (values.len() >= 10).then(|| values[values.len() / 2])
}
