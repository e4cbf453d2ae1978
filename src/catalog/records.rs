//! The shape of every catalogue record. Field names are the TOML keys; units stand in the names.
//! Each record carries a default citation; `cite` overrides it for single fields.

use crate::provenance::Cite;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Which source a figure rests on: the record's own, unless `cite.FIELD` names another.
pub type CiteByField = BTreeMap<String, Cite>;

macro_rules! cited {
    ($record:ident) => {
        impl $record {
            /// The citation for one field of this record.
            pub fn cite(&self, field: &str) -> Cite {
                self.cite.get(field).cloned().unwrap_or_else(|| Cite {
                    source: self.source.clone(),
                    as_of: self.as_of,
                    derived: None,
                })
            }
        }
    };
}
pub(super) use cited;

mod range;
mod subscription;

pub use range::{Range, RangeCase, RangeInput};
pub use subscription::{Allowance, AllowancePeriod, AllowanceUnit, Buyer, Overage, Subscription};

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
    /// Device memory, binary gibibytes. For a system on chip: see [`Machine::memory_gib`].
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

/// What one was asked for, somewhere, on some day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchasePrice {
    /// In the currency beside it, without tax unless the note says otherwise.
    pub amount: f64,
    /// ISO 4217.
    pub currency: String,
    /// Country or shop: `US`, `DE`.
    pub place: String,
    /// New, used, or what the maker asks.
    pub condition: Condition,
    /// Value added tax inside the amount, as a share of the price without it: 0.24. Absent: none is
    /// in it, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat: Option<f64>,
    /// Asked besides the amount, once, to set it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<f64>,
    /// Accelerators in it, where it is the price of a host with some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted: Option<Fitted>,
    /// The page it was read on.
    pub source: String,
    /// The day it was read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// What a reader must know, such as that tax is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl PurchasePrice {
    /// The amount without value added tax: what prices of different countries are compared by.
    pub fn net(&self) -> f64 {
        self.amount / (1.0 + self.vat.unwrap_or(0.0))
    }
}

/// In which state it was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The maker's list price.
    Msrp,
    /// New, at a shop.
    New,
    /// Second-hand.
    Used,
    /// Second-hand, put in order by a dealer.
    Refurbished,
}

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

const fn one() -> u32 {
    1
}

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

/// Price of electricity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// `us`, `de-household`, `de-industry`.
    pub id: String,
    /// Who pays it, in words.
    pub name: String,
    /// ISO 3166, two letters, or a name.
    pub country: String,
    /// US dollars for one kilowatt-hour, taxes and fees included.
    pub usd_per_kwh: f64,
    /// The figure as published, where it is not in USD.
    pub local_per_kwh: Option<f64>,
    /// The currency of that figure, ISO 4217.
    pub currency: Option<String>,
    /// Grams of CO2 per kWh, where known.
    pub grams_co2_per_kwh: Option<f64>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Tariff);

/// What one unit of a currency is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// ISO 4217: `EUR`.
    pub id: String,
    /// US dollars for one unit.
    pub usd: f64,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Currency);

/// A model whose weights can be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenModel {
    /// `llama-3.1-8b-instruct`.
    pub id: String,
    /// As its makers write it.
    pub name: String,
    /// `OWNER/REPO` on the hub.
    pub repository: Option<String>,
    /// What it belongs to: `llama-3.1`.
    pub family: Option<String>,
    /// SPDX, or the name its makers gave it.
    pub licence: Option<String>,
    /// When it came out: a year, a month (`2024-07`) or a day.
    pub released: Option<String>,
    /// Capability tier of the brief: 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Parameters of the whole model.
    pub parameters: Option<u64>,
    /// Used per token: all of them unless it is a mixture of experts.
    pub active_parameters: Option<u64>,
    /// Transformer layers.
    pub layers: Option<u32>,
    /// Query heads of one layer.
    pub heads: Option<u32>,
    /// Key and value heads of one layer.
    pub kv_heads: Option<u32>,
    /// Values of one head's key.
    pub head_size: Option<u32>,
    /// Values of one hidden state.
    pub hidden_size: Option<u32>,
    /// Tokens of its vocabulary.
    pub vocabulary: Option<u32>,
    /// Whether the output projection is the input embedding, not a second matrix.
    pub tied_embeddings: Option<bool>,
    /// Tokens of context it was trained for.
    pub context_tokens: Option<u64>,
    /// Parameters of embeddings that every layer looks up by the row, beside the input embedding:
    /// they take memory, but are not read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_parameters: Option<u64>,
    /// What its KV cache holds.
    #[serde(default)]
    pub attention: Attention,
    /// Routed experts of one layer; `None`: it is dense.
    pub experts: Option<u32>,
    /// Of them, those that one token is sent to.
    pub experts_per_token: Option<u32>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(OpenModel);

/// What the KV cache holds per layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Attention {
    /// Every layer keeps keys and values of the whole context.
    #[default]
    Full,
    /// Some layers keep only a window.
    SlidingWindow {
        /// Tokens that such a layer keeps.
        window_tokens: u64,
        /// Layers that keep the whole context.
        full_layers: u32,
        /// Layers that keep a window, where others keep nothing and read a neighbour's cache; absent:
        /// all that do not keep the whole context.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sliding_layers: Option<u32>,
        /// Keys and values of one token in a layer that keeps the whole context, where its heads are
        /// not those of the others; absent: twice `kv_heads` × `head_size`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_values: Option<u32>,
    },
    /// Multi-head latent attention: one compressed vector per token and layer.
    Latent {
        /// Values of the compressed vector.
        kv_lora_rank: u32,
        /// Values of the part that carries the position, kept beside it.
        rope_head_size: u32,
        /// Layers that attend, where the others keep a state of fixed size; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attention_layers: Option<u32>,
    },
    /// Every layer keeps one entry for each token of a short window (key and value in one) and, for
    /// what lies before it, entries pooled over several tokens.
    Pooled {
        /// Tokens of the window.
        window_tokens: u64,
        /// Values that all layers together keep for one more token, the windows left out.
        values_per_token: u32,
    },
    /// Only some layers attend; the others keep a state of fixed size (Mamba, linear attention).
    Hybrid {
        /// Layers that attend.
        attention_layers: u32,
        /// Layers with such a state, where others keep nothing (feed-forward or experts only);
        /// absent: all that do not attend.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state_layers: Option<u32>,
    },
}

/// A model rented by the token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiModel {
    /// `provider/model`, dated where the provider dates it: `anthropic/claude-sonnet-4-5-20250929`.
    pub id: String,
    /// Who sells it: what stands before the slash of the id.
    pub provider: String,
    /// The name sent on the wire.
    pub model: String,
    /// As the provider writes it for people.
    pub name: Option<String>,
    /// Other names that mean this model *today*. Never priced by themselves.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Id of the open model it is, where it is one: the second comparator.
    pub open_model: Option<String>,
    /// Capability tier of the brief: 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Most tokens of prompt and answer together.
    pub context_tokens: Option<u64>,
    /// Most tokens of an answer.
    pub max_output_tokens: Option<u64>,
    /// How the tokens of its thoughts are billed.
    #[serde(default)]
    pub reasoning: ReasoningRule,
    /// The day the provider stops serving it.
    #[schemars(with = "Option<String>")]
    pub retires: Option<Date>,
    /// In order of `from`; the last whose `from` is not after the date is in force.
    pub price: Vec<PricePeriod>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(ApiModel);

/// How reasoning tokens are billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasoningRule {
    /// As output tokens.
    #[default]
    AsOutput,
    /// At [`Rates::reasoning_per_mtok`].
    OwnRate,
}

/// The prices in force from a date on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricePeriod {
    /// First day; absent: since the model exists.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// ISO 4217.
    #[serde(default = "usd")]
    pub currency: String,
    /// What a request pays outside the tiers and windows below.
    pub rates: Rates,
    /// Factor on every rate for batch requests; absent: no batch offer known.
    pub batch_multiplier: Option<f64>,
    /// Past the threshold *all* tokens of the request pay the tier's rates.
    #[serde(default)]
    pub tiers: Vec<ContextTier>,
    /// Times of day with other rates.
    #[serde(default)]
    pub windows: Vec<TimeWindow>,
    /// A price of zero is an error unless this says so.
    #[serde(default)]
    pub free: bool,
    /// The source of these prices, where it is not the record's.
    #[serde(default)]
    pub cite: Option<Cite>,
}

fn usd() -> String {
    "USD".to_owned()
}

/// Prices of one million tokens, in the period's currency. Absent is unknown, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Prompt tokens that are in no cache.
    pub input_per_mtok: Option<f64>,
    /// Tokens of the answer.
    pub output_per_mtok: Option<f64>,
    /// Prompt tokens read from a cache.
    pub cache_read_per_mtok: Option<f64>,
    /// Prompt tokens written to a cache.
    pub cache_write_per_mtok: Option<f64>,
    /// Tokens of thoughts, where they have a rate of their own.
    pub reasoning_per_mtok: Option<f64>,
}

/// Rates for requests whose input is longer than a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextTier {
    /// Applies when the request's input tokens exceed this.
    pub above_input_tokens: u64,
    /// What such a request pays for all of its tokens.
    pub rates: Rates,
}

/// Rates within a part of each day, UTC; may wrap midnight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    /// `HH:MM`, inclusive.
    pub start_utc: String,
    /// `HH:MM`, exclusive.
    pub end_utc: String,
    /// Days of the week it starts on, 1 (Monday) to 7; empty: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<u8>,
    /// What a request pays that begins within it.
    pub rates: Rates,
}

impl ApiModel {
    /// The prices in force on a day.
    pub fn price_on(&self, day: Date) -> Option<&PricePeriod> {
        self.price.iter().rfind(|p| p.from.is_none_or(|from| from <= day))
    }
}

/// A service that answers requests: where it is, how it is spoken to, what holds its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What stands before the colon of an API target: `groq`.
    pub id: String,
    /// As it writes itself.
    pub name: String,
    /// How it is spoken to.
    pub wire: ApiWire,
    /// Its own address; absent: the user gives one.
    pub base_url: Option<String>,
    /// Hosts its key may go to where there is no `base_url`; `*` is one label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Appended to an address that has no path.
    #[serde(default)]
    pub path: String,
    /// The environment variable that holds the address where none is given, under the name its own
    /// tools use.
    pub endpoint_variable: Option<String>,
    /// A second form of address that needs a dated API version, with `{model}` in its path.
    pub dated_path: Option<String>,
    /// The environment variable that holds that version where the address has none.
    pub version_variable: Option<String>,
    /// The environment variable that holds the key, under the name its own tools use.
    pub key_variable: Option<String>,
    /// The header the key is sent in.
    #[serde(default)]
    pub key_header: KeyHeader,
    /// The provider of the price records it charges.
    pub prices: Option<String>,
    /// The field that limits the answer's length.
    #[serde(default)]
    pub limit_field: LimitField,
    /// It takes `stream_options`.
    #[serde(default = "yes")]
    pub stream_options: bool,
    /// It pads every event with random text unless told not to.
    #[serde(default)]
    pub obfuscates: bool,
    /// It takes llama.cpp's own `cache_prompt`.
    #[serde(default)]
    pub llama_server: bool,
    /// What a reader of its figures must know.
    pub note: Option<String>,
    /// What usually is wrong where it answers that there is nothing at an address.
    pub not_found: Option<String>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Provider);

fn yes() -> bool {
    true
}

/// A shape of request and answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiWire {
    /// `OpenAI`'s chat completions, which most others speak, too.
    #[serde(rename = "openai-chat")]
    OpenAiChat,
    /// `OpenAI`'s responses.
    #[serde(rename = "openai-responses")]
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
    /// Ollama's own chat, one JSON object a line.
    Ollama,
}

/// The header a key goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// `x-api-key: KEY`.
    XApiKey,
    /// `x-goog-api-key: KEY`.
    XGoogApiKey,
    /// `api-key: KEY`.
    ApiKey,
}

impl KeyHeader {
    /// The header's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::XApiKey => "x-api-key",
            Self::XGoogApiKey => "x-goog-api-key",
            Self::ApiKey => "api-key",
        }
    }
}

/// The field that limits the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitField {
    /// `max_completion_tokens`, which counts thoughts, too.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, the older name.
    MaxTokens,
}

/// Accelerators that a price includes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// Id of the accelerator.
    pub accelerator: String,
    /// How many of them.
    pub number: u32,
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
