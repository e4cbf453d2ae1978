//! Median prices of API models: a price far from them is probably in another unit.

use crate::catalog::{ApiModel, Catalog, Rates};

/// A price this many times below the median of its class is a slip of the unit. (Per thousand tokens means
/// 1,000 times; the cheapest real offers are about 30 times below.)
const TIMES_UNDER: f64 = 150.0;

/// A price this many times above the median is a slip, too. (The dearest real offers are about 300 times
/// above.)
const TIMES_OVER: f64 = 600.0;

/// Medians to compare single records with.
#[derive(Debug, Clone, Default)]
pub struct Medians {
    input_per_mtok: Option<f64>,
    output_per_mtok: Option<f64>,
}

impl Medians {
    /// Medians of the list prices of all models; `None` for fewer than ten prices.
    pub fn of(catalog: &Catalog) -> Self {
        Self::of_models(&catalog.api_models)
    }
    /// Medians of these models.
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
    /// Why these prices cannot be in US dollars per million tokens; `None` where they can be.
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

/// The median; `None` for fewer than ten values, which are too few to compare with.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    (values.len() >= 10).then(|| values[values.len() / 2])
}
