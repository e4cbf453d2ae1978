//! How local models are run.

use crate::app::bench::asked::{LocalOptions, SamplingChoice};
use crate::measure::backend::protocol::KvType;
use crate::measure::synthetic::Test;
use std::path::PathBuf;

/// How local models are run.
#[derive(Debug, clap::Args)]
pub struct LocalArgs {
    /// Context size, in tokens [default: what the prompts need].
    #[arg(long, value_name = "N")]
    pub context: Option<u32>,
    /// CPU threads [default: the physical cores].
    #[arg(long, value_name = "N", value_parser = super::range::up_to(1, 4096))]
    pub threads: Option<u32>,
    /// Layers on the GPU [default: all].
    #[arg(long, value_name = "N")]
    pub gpu_layers: Option<u32>,
    /// Devices to use, as `freehold doctor` lists them (repeatable) [default: every GPU].
    #[arg(long, value_name = "NAME")]
    pub device: Vec<String>,
    /// Fail (exit 3) where no layer of the model is on a GPU.
    #[arg(long)]
    pub require_gpu: bool,
    /// Most prompt tokens in one call of the engine [default: 2048].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch: Option<u32>,
    /// Flash attention [default: the engine's choice].
    #[arg(long, value_enum, value_name = "WHEN")]
    pub flash_attention: Option<Switch>,
    /// Type of the KV cache [default: f16].
    #[arg(long, value_enum, value_name = "TYPE")]
    pub kv_type: Option<KvChoice>,
    /// Most memory of the engine's process beside the model file, in MiB; what needs more fails
    /// instead of slowing the machine down.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub memory_limit: Option<u64>,
    /// Also load the model once from the disk, its file dropped from the page cache, to tell the
    /// cold load time from the warm one.
    #[arg(long)]
    pub load_times: bool,
    /// Measure the engine alone, in llama-bench's terms: pp512 is prefill, tg128 decoding, @d4096 a
    /// depth. --repeats is its number of rounds [default: 5].
    #[arg(long, value_name = "TEST,...", value_delimiter = ',')]
    pub synthetic: Vec<Test>,
    /// Compute embeddings of the prompts instead of answers, pooled as the model's file says, and measure
    /// how fast. Prompts go in as they are, --repeats times.
    #[arg(long, requires_all = ["prompts", "model"], conflicts_with_all = ["api", "synthetic", "json_schema", "sampling", "temperature"])]
    pub embed: bool,
    /// With --embed: keep the vectors in the document.
    #[arg(long, requires = "embed")]
    pub vectors: bool,
    /// How tokens are chosen: the likeliest each time, or drawn by the values that the model's file
    /// recommends [default: greedy].
    #[arg(long, value_enum, value_name = "HOW")]
    pub sampling: Option<HowSampled>,
    /// Draw tokens at this temperature.
    #[arg(long, value_name = "T", conflicts_with = "sampling", value_parser = share(100.0))]
    pub temperature: Option<f32>,
    /// Draw only from the likeliest tokens that together have this probability.
    #[arg(long, value_name = "P", requires = "temperature", value_parser = share(1.0))]
    pub top_p: Option<f32>,
    /// Draw only from so many likeliest tokens.
    #[arg(long, value_name = "K", requires = "temperature", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub top_k: Option<u32>,
    /// Draw only from tokens at least this likely, as a share of the likeliest.
    #[arg(long, value_name = "P", requires = "temperature", value_parser = share(1.0))]
    pub min_p: Option<f32>,
    /// Constrain local answers to the JSON schema in this file.
    #[arg(long, value_name = "FILE")]
    pub json_schema: Option<PathBuf>,
    /// Give prompts to the model as they are, without its chat template.
    #[arg(long)]
    pub raw: bool,
    /// Put a system message at the beginning of the first message of the user, on every target: some
    /// chat templates refuse or leave out a system message.
    #[arg(long)]
    pub system_as_user: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum HowSampled {
    Greedy,
    Model,
}

/// A parser of numbers from 0 to `most`.
fn share(most: f32) -> impl Fn(&str) -> Result<f32, String> + Clone {
    move |text| {
        let number: f32 = text.parse().map_err(|_| format!("{text} is not a number"))?;
        let fits = number.is_finite() && (0.0..=most).contains(&number);
        fits.then_some(number).ok_or_else(|| format!("{text} is not between 0 and {most}"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum KvChoice {
    F16,
    #[value(name = "q8_0")]
    Q8_0,
    #[value(name = "q4_0")]
    Q4_0,
}

impl LocalArgs {
    /// The arguments as plain values.
    pub fn options(&self) -> LocalOptions {
        LocalOptions {
            context: self.context,
            threads: self.threads,
            gpu_layers: self.gpu_layers,
            devices: self.device.clone(),
            require_gpu: self.require_gpu,
            batch: self.batch,
            flash_attention: self.flash_attention.map(|switch| switch == Switch::On),
            kv_type: self.kv_type.map(|choice| match choice {
                KvChoice::F16 => KvType::F16,
                KvChoice::Q8_0 => KvType::Q8_0,
                KvChoice::Q4_0 => KvType::Q4_0,
            }),
            memory_limit: self.memory_limit,
            synthetic: self.synthetic.clone(),
            sampling: self.sampling.map(|choice| match choice {
                HowSampled::Greedy => SamplingChoice::Greedy,
                HowSampled::Model => SamplingChoice::Model,
            }),
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            json_schema: self.json_schema.clone(),
            raw: self.raw,
            system_as_user: self.system_as_user,
        }
    }
}
