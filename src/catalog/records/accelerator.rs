//! GPUs and other accelerators: what one computes, holds, draws and costs.

use super::CiteByField;
use super::purchase_price::PurchasePrice;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A GPU, or the accelerator part of a system on chip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accelerator {
    /// Kebab case, vendor first: `nvidia-rtx-4090`.
    pub id: String,
    /// As its maker writes it.
    pub name: String,
    /// Whose driver runs it.
    pub vendor: Vendor,
    /// What it is sold for.
    pub class: HardwareClass,
    /// How it is built in.
    pub form: FormFactor,
    /// The chip's generation, which decides what its kernels reach: `ampere`, `rdna-4`, `m5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Device memory, binary gibibytes. For a system on chip: see
    /// [`Machine::memory_gib`](super::Machine::memory_gib).
    pub memory_gib: Option<f64>,
    /// Peak memory bandwidth, decimal GB/s.
    pub bandwidth_gb_s: Option<f64>,
    /// What that memory is made of: stacked memory is reached more evenly than graphics memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_type: Option<MemoryType>,
    /// Dense rates, no sparsity, FP32 accumulate where the vendor states it.
    pub fp16_tflops: Option<f64>,
    /// The same in BF16, TFLOPS.
    pub bf16_tflops: Option<f64>,
    /// The same in FP8, TFLOPS; `None`: it has no such units, or nobody says.
    pub fp8_tflops: Option<f64>,
    /// Four-bit floats (NVFP4, MXFP4), where the chip computes in them.
    pub fp4_tflops: Option<f64>,
    /// The same in INT8, TOPS.
    pub int8_tops: Option<f64>,
    /// Board power limit (TDP, TGP, TBP).
    pub board_watts: Option<f64>,
    /// Power with a model resident and no request running, or at the desktop where only that is known.
    pub idle_watts: Option<f64>,
    /// `pcie-4.0-x16`, `nvlink-4`, ...
    pub interconnect: Option<String>,
    /// Bandwidth between two of them, GB/s, one direction.
    pub interconnect_gb_s: Option<f64>,
    /// Places beside each other that the card takes in a computer: 1, 2, 2.5, 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_width: Option<f64>,
    /// When it came out: a year, a month (`2022-10`) or a day.
    pub released: Option<String>,
    /// Year or month since when it is no longer made; absent: still sold, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discontinued: Option<String>,
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
cited!(Accelerator);

/// Who makes the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Vendor {
    /// NVIDIA: CUDA.
    Nvidia,
    /// AMD: `ROCm`.
    Amd,
    /// Intel: SYCL or Vulkan.
    Intel,
    /// Apple: Metal.
    Apple,
    /// Qualcomm: `OpenCL` or Vulkan.
    Qualcomm,
    /// Another.
    Other,
}

/// What a piece of hardware is sold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HardwareClass {
    /// For people at home: no warranty in a data centre, no `NVLink`.
    Consumer,
    /// For a desk or a small server, with more memory than a consumer card.
    Workstation,
    /// For servers.
    Datacentre,
    /// Shares its memory with the processor.
    Integrated,
    /// No accelerator: runs on the processor.
    Cpu,
}

/// How an accelerator is built into a computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FormFactor {
    /// A card in a PCI Express slot.
    Pcie,
    /// NVIDIA's server module, on a board of eight (or four).
    Sxm,
    /// The open accelerator module, on a board of eight.
    Oam,
    /// A module in a laptop.
    Mxm,
    /// Part of a system on chip.
    Soc,
}

/// What device memory is made of.
// Named as the JEDEC standards name them.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemoryType {
    Gddr5,
    Gddr5x,
    Gddr6,
    Gddr6x,
    Gddr7,
    Hbm2,
    Hbm2e,
    Hbm3,
    Hbm3e,
    Hbm4,
    Lpddr4x,
    Lpddr5,
    Lpddr5x,
    Ddr4,
    Ddr5,
}

impl MemoryType {
    /// Stacks beside the chip, on a bus of thousands of bits.
    pub const fn is_stacked(self) -> bool {
        matches!(self, Self::Hbm2 | Self::Hbm2e | Self::Hbm3 | Self::Hbm3e | Self::Hbm4)
    }
}
