//! GPUs rented by the hour.

use super::{CiteByField, one};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// An instance with GPUs that is rented by the hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rental {
    /// Its id, `provider-instance-terms`: `runpod-h100-sxm-on-demand`.
    pub id: String,
    /// Who rents it out.
    pub provider: String,
    /// The provider's name for it.
    pub instance: String,
    /// Id of the accelerator.
    pub accelerator: String,
    /// Number of accelerators in an instance.
    #[serde(default = "one")]
    pub accelerators: u32,
    /// On which terms it is rented.
    pub terms: RentalTerms,
    /// Length of the commitment in months, for reserved instances.
    pub term_months: Option<u32>,
    /// Price of a whole instance for one hour.
    pub per_hour: f64,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Its location, in the provider's words.
    pub region: Option<String>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}

impl Rental {
    /// Its name for people, which is unique: `RTX 5090 from RunPod`, `p5.48xlarge from AWS, us-east-1`. It
    /// includes that an instance may be taken away (spot) or is bound for a time (reserved).
    pub fn name(&self) -> String {
        let mut name = format!("{} from {}", self.instance, self.provider);
        match (self.terms, self.term_months) {
            (RentalTerms::OnDemand, _) => {}
            (RentalTerms::Spot, _) => name.push_str(", spot"),
            (RentalTerms::Reserved, Some(months)) => {
                let _ = write!(name, ", reserved for {months} months");
            }
            (RentalTerms::Reserved, None) => name.push_str(", reserved"),
        }
        if let Some(region) = &self.region {
            let _ = write!(name, ", {region}");
        }
        name
    }
}
cited!(Rental);

/// The terms on which an instance is rented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RentalTerms {
    /// By the hour, for as long as it is needed.
    OnDemand,
    /// By the hour; it is taken away when somebody pays more.
    Spot,
    /// For a fixed time, paid whether it is used or not.
    Reserved,
}
