//! `freehold.fit/1`: which models fit on which hardware, and how fast they are predicted to run there.
//!
//! Memory is in bytes, speed in tokens per second. A band is where four of five measurements are expected.

use super::envelope::Envelope;
use crate::capacity::{Band, CannotPredict, Memory, Placement, Prediction};
use crate::document::metrics::definition;
use crate::provenance::Source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.fit/1";

/// A fit document.
pub type FitDocument = Envelope<FitResult>;

/// Which pairs of model and hardware fit, and which do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FitResult {
    /// Pairs that fit, on the devices alone or with some layers in system memory.
    pub rows: Vec<FitRow>,
    /// Pairs that do not fit or cannot be predicted, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// One model on one kind of hardware in one weight format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FitRow {
    /// Id of the hardware in the catalogue; `this` for the machine this ran on.
    pub hardware: String,
    /// The maker's name for it.
    pub hardware_name: String,
    /// Number of accelerators.
    pub accelerators: u32,
    /// Id of the model in the catalogue, or the name of its file.
    pub model: String,
    /// Parameters of the model, all experts included.
    pub parameters: f64,
    /// The weight format: `Q4_K_M`.
    pub quantisation: String,
    /// The software path: `cuda`, `metal`, `vulkan`, `rocm`, `cpu`, `vllm`.
    pub backend: String,
    /// Context length of each request, tokens.
    pub context_tokens: u64,
    /// Requests under way at once.
    pub concurrency: u32,
    /// The memory that is needed, and the memory there is.
    pub memory: MemoryRow,
    #[doc = definition!(predicted_decode_tps)]
    pub decode_tps: BandRow,
    #[doc = definition!(predicted_decode_tps_per_stream)]
    pub decode_tps_per_stream: BandRow,
    #[doc = definition!(predicted_prefill_tps)]
    pub prefill_tps: BandRow,
    /// Predicted mean time to the first token under load, ms, as a load tool would measure it that keeps
    /// `concurrency` requests under way for ten rounds from a standing start, each with a prompt of
    /// `context_tokens` and an answer of 1,024 tokens. Null where some layers are in system memory.
    #[serde(default)]
    pub ttft_ms: Option<BandRow>,
    #[doc = definition!(decode_roof_tps)]
    pub decode_roof_tps: f64,
    /// What the prediction is based on.
    pub basis: Source,
}

/// A predicted value and the band around it, where four of five measurements are expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BandRow {
    /// Lower end of the band.
    pub low: f64,
    /// The likely value.
    pub likely: f64,
    /// Upper end of the band.
    pub high: f64,
}

/// Memory over all devices, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryRow {
    #[doc = definition!(weights_bytes)]
    pub weights_bytes: f64,
    #[doc = definition!(kv_cache_bytes)]
    pub kv_cache_bytes: f64,
    /// Working buffers of the engine, bytes.
    pub buffers_bytes: f64,
    /// Memory that is kept free, bytes.
    pub margin_bytes: f64,
    #[doc = definition!(needed_bytes)]
    pub needed_bytes: f64,
    #[doc = definition!(usable_bytes)]
    pub usable_bytes: f64,
    /// Where the layers go.
    pub placement: PlacementRow,
    /// Number of layers on the devices; null where all are.
    pub device_layers: Option<u32>,
    /// Number of layers of the model.
    pub layers: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlacementRow {
    Fits,
    /// Some layers stay in system memory and are computed by the processor.
    Offload,
}

/// A pair of model and hardware without a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Id of the hardware in the catalogue.
    pub hardware: String,
    /// Id of the model in the catalogue, or its file.
    pub model: String,
    /// The weight format.
    pub quantisation: String,
    /// Why there is no prediction.
    pub reason: Reason,
    /// Memory that is needed, bytes; null where memory is not the reason.
    pub needed_bytes: Option<f64>,
    /// Memory that the hardware has for it, bytes; null where memory is not the reason.
    pub usable_bytes: Option<f64>,
    /// The field of the catalogue record whose value is not known, where that is the reason.
    pub unknown: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    TooLarge,
    /// The catalogue lacks a figure that the prediction needs.
    Unknown,
}

impl From<Band> for BandRow {
    fn from(band: Band) -> Self {
        Self { low: band.low.get(), likely: band.likely.get(), high: band.high.get() }
    }
}

impl From<Memory> for MemoryRow {
    fn from(memory: Memory) -> Self {
        let (placement, device_layers, layers) = match memory.placement {
            Placement::Offload { device_layers, layers } | Placement::Experts { device_layers, layers } => {
                (PlacementRow::Offload, Some(device_layers), Some(layers))
            }
            Placement::Fits | Placement::TooLarge => (PlacementRow::Fits, None, None),
        };
        Self {
            weights_bytes: memory.weights,
            kv_cache_bytes: memory.cache,
            buffers_bytes: memory.buffers,
            margin_bytes: memory.margin,
            needed_bytes: memory.needed,
            usable_bytes: memory.usable,
            placement,
            device_layers,
            layers,
        }
    }
}

/// The names of model and hardware, as the caller knows them.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    pub hardware: &'a str,
    pub hardware_name: &'a str,
    pub accelerators: u32,
    pub model: &'a str,
    pub parameters: f64,
    pub quantisation: &'a str,
    pub backend: &'a str,
    pub context_tokens: u64,
    pub concurrency: u32,
}

impl FitRow {
    /// The row of a prediction.
    pub fn new(pair: Pair<'_>, prediction: &Prediction) -> Self {
        Self {
            hardware: pair.hardware.to_owned(),
            hardware_name: pair.hardware_name.to_owned(),
            accelerators: pair.accelerators,
            model: pair.model.to_owned(),
            parameters: pair.parameters,
            quantisation: pair.quantisation.to_owned(),
            backend: pair.backend.to_owned(),
            context_tokens: pair.context_tokens,
            concurrency: pair.concurrency,
            memory: prediction.memory.into(),
            decode_tps: prediction.decode_tps.into(),
            decode_tps_per_stream: prediction.decode_tps_per_stream.into(),
            prefill_tps: prediction.prefill_tps.into(),
            ttft_ms: None,
            decode_roof_tps: prediction.decode_roof_tps.get(),
            basis: prediction.basis.source(),
        }
    }
}

impl LeftOut {
    /// The row of a pair without a prediction.
    pub fn new(pair: Pair<'_>, why: &CannotPredict) -> Self {
        let (reason, needed_bytes, usable_bytes, unknown) = match why {
            CannotPredict::DoesNotFit { needed, usable, .. } => {
                (Reason::TooLarge, Some(*needed), Some(*usable), None)
            }
            CannotPredict::Unknown(unknown) => (Reason::Unknown, None, None, Some(unknown.to_string())),
        };
        Self {
            hardware: pair.hardware.to_owned(),
            model: pair.model.to_owned(),
            quantisation: pair.quantisation.to_owned(),
            reason,
            needed_bytes,
            usable_bytes,
            unknown,
        }
    }
}
