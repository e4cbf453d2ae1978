//! Complete computers, with or without an accelerator.

use super::accelerator::HardwareClass;
use super::purchase_price::PurchasePrice;
use super::{CiteByField, one};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A complete computer that is sold as one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its id in the catalogue, kebab case.
    pub id: String,
    /// The maker's name for it.
    pub name: String,
    /// What it is sold for.
    pub class: HardwareClass,
    /// Id of the accelerator in it; `None` for a plain server.
    pub accelerator: Option<String>,
    /// Number of accelerators in it; 0 for a plain server.
    #[serde(default = "one")]
    pub accelerators: u32,
    /// System memory (or unified memory), GiB.
    pub memory_gib: Option<f64>,
    /// Bandwidth of that memory, GB/s; it decides speed where the model is in it.
    pub bandwidth_gb_s: Option<f64>,
    /// The maker's name for its processor.
    pub cpu: Option<String>,
    /// Its physical cores, all sockets together.
    pub cpu_cores: Option<u32>,
    /// Dense FP16/BF16 rate of the processor, TFLOPS, for plain servers.
    pub fp16_tflops: Option<f64>,
    /// Power of the whole machine at the wall while idle, W.
    pub idle_watts: Option<f64>,
    /// Power of the whole machine at the wall while it answers requests, W.
    pub load_watts: Option<f64>,
    /// Height in a rack, rack units; absent where it stands on a desk, or the height is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack_units: Option<f64>,
    /// When it came out: a year, a month (`2022-10`) or a day.
    pub released: Option<String>,
    /// Year or month in which production ended; absent where it is still sold, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discontinued: Option<String>,
    /// Its maker sells it for development, not to run a service: no plan orders it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_development: bool,
    /// Prices of one, from several places.
    #[serde(default)]
    pub price: Vec<PurchasePrice>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Machine);

impl Machine {
    /// Where it can be set up.
    pub const fn stands(&self) -> Stands {
        match self.class {
            HardwareClass::Datacentre | HardwareClass::Cpu => Stands::Rack,
            _ if self.rack_units.is_some() => Stands::Rack,
            _ => Stands::Office,
        }
    }
}

/// Where a computer can be set up, which decides cooling, noise and who looks after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// On or under a desk.
    Office,
    /// In a rack, with cooled air.
    Rack,
}
