//! Complete computers, with or without an accelerator.

use super::accelerator::HardwareClass;
use super::purchase_price::PurchasePrice;
use super::{CiteByField, one};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A complete computer: bought as one, switched on as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its id in the catalogue, kebab case.
    pub id: String,
    /// As its maker writes it.
    pub name: String,
    /// What it is sold for.
    pub class: HardwareClass,
    /// Id of the accelerator in it; `None` for a plain server.
    pub accelerator: Option<String>,
    /// How many of them are in it; 0 for a plain server.
    #[serde(default = "one")]
    pub accelerators: u32,
    /// System (or unified) memory.
    pub memory_gib: Option<f64>,
    /// Bandwidth of that memory: decides speed where the model lives there.
    pub bandwidth_gb_s: Option<f64>,
    /// The processor, as its maker writes it.
    pub cpu: Option<String>,
    /// Its physical cores, all sockets together.
    pub cpu_cores: Option<u32>,
    /// Dense FP16/BF16 rate of the processor, for plain servers.
    pub fp16_tflops: Option<f64>,
    /// At the wall, whole machine.
    pub idle_watts: Option<f64>,
    /// At the wall, whole machine, while it answers.
    pub load_watts: Option<f64>,
    /// Height in a rack; absent: it stands on a desk, or the height is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack_units: Option<f64>,
    /// When it came out: a year, a month (`2022-10`) or a day.
    pub released: Option<String>,
    /// Year or month since when it is no longer made; absent: still sold, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discontinued: Option<String>,
    /// Its maker sells it to develop with, not to run a service on: no plan orders it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_development: bool,
    /// What one costs, as asked in several places.
    #[serde(default)]
    pub price: Vec<PurchasePrice>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Machine);

impl Machine {
    /// Where it can stand.
    pub const fn stands(&self) -> Stands {
        match self.class {
            HardwareClass::Datacentre | HardwareClass::Cpu => Stands::Rack,
            _ if self.rack_units.is_some() => Stands::Rack,
            _ => Stands::Office,
        }
    }
}

/// Where a computer can stand: it decides cooling, noise and who looks after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// On or under a desk.
    Office,
    /// In a rack, with cooled air.
    Rack,
}
