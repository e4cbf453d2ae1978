//! Backends: what computes for an engine on a kind of device.

use crate::capacity::quantisation::Engine;

/// The software path: which engine, over which driver and kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// llama.cpp over CUDA. The other drivers' names are short for llama.cpp, too.
    Cuda,
    /// llama.cpp on Apple silicon.
    Metal,
    /// MLX on Apple silicon.
    Mlx,
    Vulkan,
    Rocm,
    /// llama.cpp over oneAPI on Intel's GPUs.
    Sycl,
    Cpu,
    /// vLLM, on any GPU it supports.
    Vllm,
    Sglang,
    #[serde(rename = "tensorrt-llm")]
    TensorRtLlm,
}

impl Backend {
    pub const ALL: [Self; 10] = [
        Self::Cuda,
        Self::Metal,
        Self::Mlx,
        Self::Vulkan,
        Self::Rocm,
        Self::Sycl,
        Self::Cpu,
        Self::Vllm,
        Self::Sglang,
        Self::TensorRtLlm,
    ];
    pub const fn engine(self) -> Engine {
        match self {
            Self::Cuda | Self::Metal | Self::Vulkan | Self::Rocm | Self::Sycl | Self::Cpu => Engine::LlamaCpp,
            Self::Mlx => Engine::Mlx,
            Self::Vllm => Engine::Vllm,
            Self::Sglang => Engine::Sglang,
            Self::TensorRtLlm => Engine::TensorRtLlm,
        }
    }
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Metal => "metal",
            Self::Mlx => "mlx",
            Self::Vulkan => "vulkan",
            Self::Rocm => "rocm",
            Self::Sycl => "sycl",
            Self::Cpu => "cpu",
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::TensorRtLlm => "tensorrt-llm",
        }
    }
}
