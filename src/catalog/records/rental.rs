//! GPUs by the hour.

use super::{CiteByField, one};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A GPU rented by the hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rental {
    /// `provider-instance-terms`: `runpod-h100-sxm-on-demand`.
    pub id: String,
    /// Who rents it out.
    pub provider: String,
    /// The provider's own name for it.
    pub instance: String,
    /// Id of the accelerator.
    pub accelerator: String,
    /// How many of them are in one instance.
    #[serde(default = "one")]
    pub accelerators: u32,
    /// How it is rented.
    pub terms: RentalTerms,
    /// Length of the commitment, for reserved.
    pub term_months: Option<u32>,
    /// Whole instance, one hour.
    pub per_hour: f64,
    /// ISO 4217.
    pub currency: String,
    /// Where it stands, in the provider's words.
    pub region: Option<String>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}

impl Rental {
    /// As people call it, different for each: `RTX 5090 from RunPod`, `p5.48xlarge from AWS, us-east-1`. What may
    /// be taken away, and what is bound for a time, says so.
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

/// How a rented GPU is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RentalTerms {
    /// By the hour, for as long as it is wanted.
    OnDemand,
    /// By the hour, and taken away when somebody pays more.
    Spot,
    /// For a stated time, paid whether used or not.
    Reserved,
}
