//! Computers that accelerators are bought in.

use super::CiteByField;
use super::accelerator::{FormFactor, HardwareClass};
use super::machine::Stands;
use super::purchase_price::PurchasePrice;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A computer by its slots: what accelerators are put into. Its price is that of the computer alone,
/// or, where [`PurchasePrice::fitted`] says so, with accelerators in it.
///
/// A computer that is only sold with one kind of accelerator (a Mac, a DGX) is a [`super::Machine`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// `rack-4u-8x-pcie`.
    pub id: String,
    /// As its maker writes it.
    pub name: String,
    /// Where it can stand.
    pub stands: Stands,
    /// What goes into it.
    pub slots: Slots,
    /// Only accelerators of these classes: a server cools cards without fans of their own, a desk
    /// does not. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<HardwareClass>,
    /// Only these accelerators; empty: any that the slots can carry. Boards of modules always say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerators: Vec<String>,
    /// Most that all accelerators together may draw: what the power supply leaves for them.
    pub accelerator_watts: Option<f64>,
    /// At the wall while serving, without what the accelerators draw: processors, memory, fans,
    /// network, losses of the power supply.
    pub base_watts: Option<f64>,
    /// The same while nothing is asked of it.
    pub idle_watts: Option<f64>,
    /// Height in a rack; absent: it stands on or under a desk, or the height is not known.
    pub rack_units: Option<f64>,
    /// Its processors, as their maker writes them.
    pub cpu: Option<String>,
    /// Of all processors together.
    pub cpu_cores: Option<u32>,
    /// Main memory as priced.
    pub memory_gib: Option<f64>,
    /// Peak bandwidth of that memory, all processors together.
    pub bandwidth_gb_s: Option<f64>,
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
cited!(Host);

/// The places for accelerators in a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// What fits into one.
    pub form: FormFactor,
    /// How many there are.
    pub number: u32,
    /// Most that one of them can feed and cool; absent: not known.
    pub watts: Option<f64>,
    /// `pcie-5.0-x16`, `nvlink-4`: what they are joined by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Bandwidth of that link between two of them, GB/s, one direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_gb_s: Option<f64>,
}

impl Slots {
    /// Are all of them filled whenever the host is sold? So it is with boards of modules; cards are
    /// bought one by one.
    pub const fn always_full(&self) -> bool {
        !matches!(self.form, FormFactor::Pcie)
    }
}
