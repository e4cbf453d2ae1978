//! Arguments for the servers of safetensors (vLLM, `SGLang`), which all recipes share.

use super::image::{self, Pin};
use super::input::{Served, Weights};
use crate::capacity::{Engine, KvType};
use crate::catalog::Vendor;

/// Share of an accelerator's memory that vLLM uses: its own default, and what plans assume.
pub(super) const MEMORY_SHARE: &str = "0.9";

/// The image for an engine and an accelerator.
///
/// # Errors
///
/// Why there is none.
pub(super) fn image(served: &Served) -> Result<Pin, String> {
    match (served.engine, served.accelerator.vendor) {
        (Engine::Vllm, Some(Vendor::Nvidia)) => Ok(image::VLLM),
        (Engine::Vllm, Some(Vendor::Amd)) => Ok(image::VLLM_ROCM),
        (Engine::Sglang, Some(Vendor::Nvidia)) => Ok(image::SGLANG),
        (engine, _) => Err(format!(
            "no pinned image of {} for {} is known here",
            engine.label(),
            served.accelerator.name
        )),
    }
}

/// The name of such accelerators as a resource of a cluster.
pub(super) fn resource(served: &Served) -> Option<&'static str> {
    match served.accelerator.vendor? {
        Vendor::Nvidia => Some("nvidia.com/gpu"),
        Vendor::Amd => Some("amd.com/gpu"),
        _ => None,
    }
}

/// The command of a process that runs `copies` copies of the model, each on its own accelerators. Words are
/// not quoted; the file that they are written to decides how.
pub(super) fn command(served: &Served, copies: u32) -> Vec<String> {
    let mut words: Vec<String> = match served.engine {
        Engine::Sglang => ["python3", "-m", "sglang.launch_server"].into_iter().map(str::to_owned).collect(),
        _ => ["vllm", "serve", served.weights.repository()].into_iter().map(str::to_owned).collect(),
    };
    let mut option = |name: &str, value: &str| words.push(format!("--{name}={value}"));
    let rounded = matches!(served.weights, Weights::RoundedToFp8(_));
    if served.engine == Engine::Sglang {
        option("model-path", served.weights.repository());
        option("served-model-name", &served.name);
        option("host", "0.0.0.0");
        option("port", "8000");
        option("tp-size", &served.tensor.to_string());
        option("pp-size", &served.pipeline.to_string());
        option("dp-size", &copies.to_string());
        option("context-length", &served.context_tokens.to_string());
        option("max-running-requests", &served.concurrency.saturating_mul(copies).to_string());
        if served.expert_parallel {
            option("ep-size", &served.tensor.to_string());
        }
        if served.kv == KvType::Fp8 {
            option("kv-cache-dtype", "fp8_e4m3");
        }
        if rounded {
            option("quantization", "fp8");
        }
        words.push("--enable-metrics".to_owned());
    } else {
        option("served-model-name", &served.name);
        option("host", "0.0.0.0");
        option("port", "8000");
        option("tensor-parallel-size", &served.tensor.to_string());
        option("pipeline-parallel-size", &served.pipeline.to_string());
        if copies > 1 {
            option("data-parallel-size", &copies.to_string());
        }
        option("max-model-len", &served.context_tokens.to_string());
        option("max-num-seqs", &served.concurrency.to_string());
        option("gpu-memory-utilization", MEMORY_SHARE);
        if served.kv == KvType::Fp8 {
            option("kv-cache-dtype", "fp8");
        }
        if rounded {
            option("quantization", "fp8");
        }
        if served.expert_parallel {
            words.push("--enable-expert-parallel".to_owned());
        }
    }
    words
}

/// The engine's name as its makers write it.
pub(super) const fn product(engine: Engine) -> &'static str {
    match engine {
        Engine::LlamaCpp => "llama.cpp",
        Engine::Vllm => "vLLM",
        Engine::Sglang => "SGLang",
        Engine::TensorRtLlm => "TensorRT-LLM",
        Engine::Mlx => "MLX",
    }
}

/// Is it one of the engines that this file starts?
pub(super) const fn is(engine: Engine) -> bool {
    matches!(engine, Engine::Vllm | Engine::Sglang)
}

/// The variable with the server's key, which clients then need; without it the server asks for none.
pub(super) const KEY_VARIABLE: &str = "VLLM_API_KEY";

/// What a reader must know about the weights.
pub(super) fn notes(served: &Served) -> Vec<String> {
    let repo = served.weights.repository();
    let mut notes = Vec::new();
    if let Some(licence) = &served.licence {
        notes.push(format!(
            "The weights are under the licence \"{licence}\". Where {repo} asks for consent on the Hugging Face Hub, give it \
             there and set HF_TOKEN to a token that may read it."
        ));
    }
    if matches!(served.weights, Weights::RoundedToFp8(_)) {
        notes.push(
            "The 16-bit weights are fetched and rounded to FP8 while they are loaded. A repository with FP8 weights \
             loads faster: name it with the option --weights OWNER/REPO of freehold deploy."
                .to_owned(),
        );
    }
    notes
}
