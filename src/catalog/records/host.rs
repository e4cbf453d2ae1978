//! Computers that accelerators are put into.

use super::CiteByField;
use super::accelerator::{FormFactor, HardwareClass};
use super::machine::Stands;
use super::purchase_price::PurchasePrice;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A computer with slots for accelerators. Its price is that of the computer alone, or includes
/// accelerators where [`PurchasePrice::fitted`] says so.
///
/// A computer that is only sold with one kind of accelerator (a Mac, a DGX) is a [`super::Machine`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Its id: `rack-4u-8x-pcie`.
    pub id: String,
    /// The maker's name for it.
    pub name: String,
    /// Where it can be set up.
    pub stands: Stands,
    /// The slots for accelerators.
    pub slots: Slots,
    /// Classes of accelerators that it holds: a server cools cards without fans of their own, a desktop
    /// computer does not. Empty for any class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<HardwareClass>,
    /// Ids of the accelerators that it holds; empty for any that fit the slots. For boards of modules this
    /// is always given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerators: Vec<String>,
    /// Most power that all accelerators together may draw, W: what the power supply leaves for them.
    pub accelerator_watts: Option<f64>,
    /// Power at the wall while serving, W, without the accelerators: processors, memory, fans, network,
    /// losses of the power supply.
    pub base_watts: Option<f64>,
    /// The same power while idle, W.
    pub idle_watts: Option<f64>,
    /// Height in a rack, rack units; absent where it stands on or under a desk, or the height is not known.
    pub rack_units: Option<f64>,
    /// The maker's name for its processors.
    pub cpu: Option<String>,
    /// Cores of all processors together.
    pub cpu_cores: Option<u32>,
    /// Main memory at the stated price, GiB.
    pub memory_gib: Option<f64>,
    /// Peak bandwidth of main memory, GB/s, all processors together.
    pub bandwidth_gb_s: Option<f64>,
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
cited!(Host);

/// The slots for accelerators in a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// Form factor that fits into a slot.
    pub form: FormFactor,
    /// Number of slots.
    pub number: u32,
    /// Most power that one slot can supply and cool, W; absent where it is not known.
    pub watts: Option<f64>,
    /// How accelerators in it are connected: `pcie-5.0-x16`, `nvlink-4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Bandwidth of that connection between two accelerators, GB/s in one direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_gb_s: Option<f64>,
}

impl Slots {
    /// Is the host only sold with all slots filled? This is so for boards of modules, while cards are
    /// bought one by one.
    pub const fn always_full(&self) -> bool {
        !matches!(self.form, FormFactor::Pcie)
    }
}
