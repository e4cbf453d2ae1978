//! How local models are run.

use crate::document::envelope::Input;
use crate::measure::synthetic::Test;
use crate::provenance::{Source, Sourced};
use std::collections::BTreeMap;
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
    /// Make vectors of the prompts instead of answers, as the model's file says, and measure how fast
    /// they come. Prompts go in as they are, --repeats times.
    #[arg(long, requires_all = ["prompts", "model"], conflicts_with_all = ["api", "synthetic", "json_schema", "sampling", "temperature"])]
    pub embed: bool,
    /// With --embed: keep the vectors in the document.
    #[arg(long, requires = "embed")]
    pub vectors: bool,
    /// How tokens are chosen: the likeliest each time, or drawn by the values that the model's file
    /// recommends [default: greedy].
    #[arg(long, value_enum, value_name = "HOW")]
    pub sampling: Option<SamplingChoice>,
    /// Draw tokens at this temperature.
    #[arg(long, value_name = "T", conflicts_with = "sampling", value_parser = share(100.0))]
    pub temperature: Option<f32>,
    /// Of the likeliest tokens that together have this probability.
    #[arg(long, value_name = "P", requires = "temperature", value_parser = share(1.0))]
    pub top_p: Option<f32>,
    /// Of so many likeliest tokens.
    #[arg(long, value_name = "K", requires = "temperature", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub top_k: Option<u32>,
    /// Of tokens at least this likely, as a share of the likeliest.
    #[arg(long, value_name = "P", requires = "temperature", value_parser = share(1.0))]
    pub min_p: Option<f32>,
    /// Hold local answers to the JSON schema in this file.
    #[arg(long, value_name = "FILE")]
    pub json_schema: Option<PathBuf>,
    /// Put prompts to the model as they are, without its chat template.
    #[arg(long)]
    pub raw: bool,
    /// Put a system message at the beginning of the first message of the user, on every target: some
    /// chat templates refuse or leave out a system message.
    #[arg(long)]
    pub system_as_user: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SamplingChoice {
    Greedy,
    Model,
}

/// A number from 0 to `most`.
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
    /// The local options, each with where it came from.
    pub fn inputs(&self, map: &mut BTreeMap<String, Input>) {
        let mut put = |name: &str, given: bool, value: serde_json::Value, unit: Option<&str>| {
            let flag = format!("--{}", name.replace('_', "-"));
            let source = if given {
                Source::flag(flag)
            } else {
                Source::Assumed {
                    rule: format!("default-{}", name.replace('_', "-")),
                    reason: "the engine's own choice; what it chose is in the target's `engine`".to_owned(),
                }
            };
            let input = Input::plain(&Sourced::new(value, source));
            map.insert(name.to_owned(), Input { unit: unit.map(str::to_owned), ..input });
        };
        put("sampling", self.sampling.is_some(), word(self.sampling.as_ref()), None);
        put("temperature", self.temperature.is_some(), self.temperature.into(), None);
        put("top_p", self.top_p.is_some(), self.top_p.into(), None);
        put("top_k", self.top_k.is_some(), self.top_k.into(), None);
        put("min_p", self.min_p.is_some(), self.min_p.into(), None);
        put("json_schema", self.json_schema.is_some(), serde_json::json!(self.json_schema), None);
        put("context", self.context.is_some(), self.context.into(), Some("tokens"));
        put("threads", self.threads.is_some(), self.threads.into(), None);
        put("gpu_layers", self.gpu_layers.is_some(), self.gpu_layers.into(), Some("layers"));
        put("device", !self.device.is_empty(), serde_json::json!(self.device), None);
        put("batch", self.batch.is_some(), self.batch.into(), Some("tokens"));
        put("flash_attention", self.flash_attention.is_some(), word(self.flash_attention.as_ref()), None);
        put("kv_type", self.kv_type.is_some(), word(self.kv_type.as_ref()), None);
        if self.system_as_user {
            put("system_as_user", true, true.into(), None);
        }
        if !self.synthetic.is_empty() {
            let tests: Vec<String> = self.synthetic.iter().map(|t| t.label()).collect();
            put("synthetic", true, serde_json::json!(tests), None);
        }
    }
}

/// A choice by the name it has on the command line.
pub fn word<T: clap::ValueEnum>(choice: Option<&T>) -> serde_json::Value {
    let name = choice.and_then(clap::ValueEnum::to_possible_value);
    name.map_or(serde_json::Value::Null, |v| v.get_name().into())
}
