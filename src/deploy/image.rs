//! The versions that recipes pin: images, packages and the llama.cpp build, with the place and day on which
//! each was read. Recipes never use `latest`.

use crate::catalog::Vendor;

/// A pinned version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The version as it is written in a recipe.
    pub name: &'static str,
    /// Where it was read.
    pub source: &'static str,
    /// The day on which it was read.
    pub as_of: &'static str,
}

const fn pin(name: &'static str, source: &'static str) -> Pin {
    Pin { name, source, as_of: "2026-11-27" }
}

/// vLLM's server for NVIDIA GPUs.
pub const VLLM: Pin = pin("vllm/vllm-openai:v0.30.0", "Docker Hub, vllm/vllm-openai; PyPI vllm 0.30.0");
/// vLLM's server for AMD GPUs.
pub const VLLM_ROCM: Pin = pin("vllm/vllm-openai-rocm:v0.27.1", "Docker Hub, vllm/vllm-openai-rocm");
/// `SGLang`'s server for NVIDIA GPUs.
pub const SGLANG: Pin =
    pin("lmsysorg/sglang:v0.5.20-cu130", "Docker Hub, lmsysorg/sglang; PyPI sglang 0.5.20");
/// Ray with its LLM library and vLLM.
pub const RAY_LLM: Pin =
    pin("rayproject/ray-llm:2.58.0-py312-cu130", "Docker Hub, rayproject/ray-llm; PyPI ray 2.58.0");
/// The version of Ray in [`RAY_LLM`].
pub const RAY: &str = "2.58.0";
/// The build of llama.cpp that its recipes use.
pub const LLAMA_CPP: Pin = pin("b11206", "ghcr.io/ggml-org/llama.cpp, tags server-cuda-b11206");
/// Ollama's server.
pub const OLLAMA: Pin = pin("ollama/ollama:0.35.0", "Docker Hub, ollama/ollama");
/// `LiteLLM`, the router of a hybrid, from `PyPI`.
pub const LITELLM: Pin = pin("1.110.2", "PyPI litellm");
/// `SkyPilot`, which starts rented machines, from `PyPI`.
pub const SKYPILOT: Pin = pin("0.14.1", "PyPI skypilot");
/// `mlx-lm`, which converts and serves weights for MLX, from `PyPI`.
pub const MLX_LM: Pin = pin("0.32.2", "PyPI mlx-lm");
/// `OpenAI`'s library for Python.
pub const OPENAI: Pin = pin("openai==3.57.0", "PyPI openai");
/// Anthropic's library for Python.
pub const ANTHROPIC: Pin = pin("anthropic==2.14.0", "PyPI anthropic");
/// Google's library for Python.
pub const GOOGLE: Pin = pin("google-genai==3.4.0", "PyPI google-genai");

/// All pins, for lists and checks.
pub const ALL: [Pin; 12] = [
    VLLM, VLLM_ROCM, SGLANG, RAY_LLM, LLAMA_CPP, OLLAMA, LITELLM, SKYPILOT, MLX_LM, OPENAI, ANTHROPIC, GOOGLE,
];

/// The image of llama.cpp's own server for a vendor's GPUs; `None` where none is published.
pub fn llama_server(vendor: Option<Vendor>) -> Option<String> {
    let path = match vendor {
        Some(Vendor::Nvidia) => "server-cuda",
        Some(Vendor::Amd) => "server-rocm",
        Some(Vendor::Intel) => "server-intel",
        None => "server",
        Some(_) => return None,
    };
    Some(format!("ghcr.io/ggml-org/llama.cpp:{path}-{}", LLAMA_CPP.name))
}
