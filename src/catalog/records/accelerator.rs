//! GPUs and other accelerators: speed, memory, power and price.

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
    /// Its id, kebab case, vendor first: `nvidia-rtx-4090`.
    pub id: String,
    /// The maker's name for it.
    pub name: String,
    /// Who makes it, which decides the driver.
    pub vendor: Vendor,
    /// What it is sold for.
    pub class: HardwareClass,
    /// How it is built in.
    pub form: FormFactor,
    /// The chip's generation, on which the efficiency of kernels depends: `ampere`, `rdna-4`, `m5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Device memory, GiB. For a system on chip see [`Machine::memory_gib`](super::Machine::memory_gib).
    pub memory_gib: Option<f64>,
    /// Peak memory bandwidth, decimal GB/s.
    pub bandwidth_gb_s: Option<f64>,
    /// Type of memory: stacked memory comes closer to its peak bandwidth than graphics memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_type: Option<MemoryType>,
    /// Peak rate in FP16, TFLOPS, dense (without sparsity), with FP32 accumulation where the vendor states
    /// it.
    pub fp16_tflops: Option<f64>,
    /// Peak rate in BF16, TFLOPS, dense.
    pub bf16_tflops: Option<f64>,
    /// Peak rate in FP8, TFLOPS, dense; `None` where it has no such units, or the rate is not known.
    pub fp8_tflops: Option<f64>,
    /// Peak rate in four-bit floats (NVFP4, MXFP4), TFLOPS, dense; `None` where it does not compute in
    /// them, or the rate is not known.
    pub fp4_tflops: Option<f64>,
    /// Peak rate in INT8, TOPS, dense.
    pub int8_tops: Option<f64>,
    /// Power limit of the board (TDP, TGP, TBP), W.
    pub board_watts: Option<f64>,
    /// Power with a model loaded and no request running, W; at the desktop where only that is known.
    pub idle_watts: Option<f64>,
    /// How several are connected: `pcie-4.0-x16`, `nvlink-4`, ...
    pub interconnect: Option<String>,
    /// Bandwidth of that connection between two of them, GB/s in one direction.
    pub interconnect_gb_s: Option<f64>,
    /// Slots that the card occupies in a computer: 1, 2, 2.5, 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_width: Option<f64>,
    /// When it came out: a year, a month (`2022-10`) or a day.
    pub released: Option<String>,
    /// Year or month in which production ended; absent where it is still sold, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discontinued: Option<String>,
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
    /// For home users: not licensed or warranted for data centres, no `NVLink`.
    Consumer,
    /// For desks and small servers, with more memory than a consumer card.
    Workstation,
    /// For servers.
    Datacentre,
    /// Shares its memory with the processor.
    Integrated,
    /// No accelerator: the model runs on the processor.
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
    /// The open accelerator module (OAM), on a board of eight.
    Oam,
    /// A module in a laptop.
    Mxm,
    /// Part of a system on chip.
    Soc,
}

/// Type of device memory, named as in the JEDEC standards.
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
    /// Is it stacked beside the chip, on a bus of thousands of bits?
    pub const fn is_stacked(self) -> bool {
        matches!(self, Self::Hbm2 | Self::Hbm2e | Self::Hbm3 | Self::Hbm3e | Self::Hbm4)
    }
}
