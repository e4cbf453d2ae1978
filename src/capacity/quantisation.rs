//! How many bits a weight really takes. Formats are mixes: K-quants keep some matrices at more
//! bits, most keep the output projection at more, and scales count too.

/// Which software serves the format; it decides the efficiencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// GGUF files in llama.cpp.
    LlamaCpp,
    /// Safetensors in vLLM or a server like it.
    Vllm,
    /// MLX, on Apple silicon.
    Mlx,
}

/// A weight format and the bits it takes, part by part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantisation {
    /// As people write it: `Q4_K_M`.
    pub id: &'static str,
    pub engine: Engine,
    /// Matrices of the layers, but routed experts.
    pub layer_bits: f64,
    /// Routed experts.
    pub expert_bits: f64,
    /// Input embedding.
    pub embedding_bits: f64,
    /// Output projection, or the embedding where they are one matrix.
    pub output_bits: f64,
    /// How its kernels compare: a key of the efficiency table.
    pub kernel: Kernel,
    /// What the bits rest on.
    pub origin: &'static str,
}

/// Kernels of one kind reach a similar share of the hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kernel {
    /// 16-bit floats, no unpacking.
    Float16,
    /// Eight bits with plain scales.
    Eight,
    /// Four or five bits with plain scales.
    Four,
    /// K-quants.
    K,
    /// Table-driven formats under five bits.
    Table,
}

const GGML: &str = "block layouts in ggml-common.h";
const MIX: &str = "block layouts in ggml-common.h; mix from the sizes of Llama 3.1 8B in llama.cpp tools/quantize/README.md";
const GROUP: &str =
    "4 bits, a 16-bit scale and a 4-bit zero per group of 128; embedding and output stay at 16";

macro_rules! formats {
    ($($id:literal $engine:ident $layer:literal $expert:literal $embedding:literal $output:literal $kernel:ident $origin:expr;)*) => {
        /// Every known format, from most to fewest bits.
        pub const FORMATS: &[Quantisation] = &[$(Quantisation {
            id: $id,
            engine: Engine::$engine,
            layer_bits: $layer,
            expert_bits: $expert,
            embedding_bits: $embedding,
            output_bits: $output,
            kernel: Kernel::$kernel,
            origin: $origin,
        }),*];
    };
}

formats! {
    "F16" LlamaCpp 16.0 16.0 16.0 16.0 Float16 GGML;
    "BF16" LlamaCpp 16.0 16.0 16.0 16.0 Float16 GGML;
    "FP16" Vllm 16.0 16.0 16.0 16.0 Float16 "16-bit weights";
    "Q8_0" LlamaCpp 8.5 8.5 8.5 8.5 Eight GGML;
    "FP8" Vllm 8.0 8.0 16.0 16.0 Eight "8-bit weights with a scale per matrix; embedding and output stay at 16";
    "INT8" Vllm 8.0 8.0 16.0 16.0 Eight "8-bit weights with a scale per channel; embedding and output stay at 16";
    "Q6_K" LlamaCpp 6.5625 6.5625 6.5625 6.5625 K GGML;
    "Q5_K_M" LlamaCpp 5.65 5.65 5.5 6.5625 K MIX;
    "Q5_K_S" LlamaCpp 5.5 5.5 5.5 6.5625 K MIX;
    "Q5_0" LlamaCpp 5.5 5.5 5.5 6.5625 Four MIX;
    "Q4_1" LlamaCpp 5.0 5.0 5.0 6.5625 Four MIX;
    "Q4_K_M" LlamaCpp 4.80 4.80 4.5 6.5625 K MIX;
    "Q4_K_S" LlamaCpp 4.54 4.54 4.5 6.5625 K MIX;
    "Q4_0" LlamaCpp 4.5 4.5 4.5 6.5625 Four MIX;
    "IQ4_NL" LlamaCpp 4.55 4.55 4.5 6.5625 Table MIX;
    "NVFP4" Vllm 4.5 4.5 16.0 16.0 Four "4 bits and an 8-bit scale per 16; embedding and output stay at 16";
    "AWQ" Vllm 4.156 4.156 16.0 16.0 Four GROUP;
    "GPTQ" Vllm 4.156 4.156 16.0 16.0 Four GROUP;
    "IQ4_XS" LlamaCpp 4.32 4.32 4.25 6.5625 Table MIX;
    "MXFP4" LlamaCpp 8.5 4.25 8.5 8.5 Four "4 bits and an 8-bit scale per 32 in the experts, Q8_0 elsewhere, as gpt-oss files are made";
    "MLX-8bit" Mlx 8.5 8.5 8.5 8.5 Eight "8 bits, a 16-bit scale and offset per group of 64";
    "MLX-4bit" Mlx 4.5 4.5 4.5 4.5 Four "4 bits, a 16-bit scale and offset per group of 64";
    "Q3_K_M" LlamaCpp 3.85 3.85 3.4375 6.5625 K MIX;
    "Q3_K_S" LlamaCpp 3.4375 3.4375 3.4375 6.5625 K MIX;
    "Q2_K" LlamaCpp 2.94 2.94 2.625 6.5625 K MIX;
}

impl Quantisation {
    /// The format with this name, whatever its case; `Q4_K_M`, `q4-k-m` and `q4km` are one.
    pub fn find(name: &str) -> Option<&'static Self> {
        let plain = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = plain(name);
        FORMATS.iter().find(|f| plain(f.id) == wanted)
    }

    /// The GGUF format whose layers take nearest to so many bits.
    pub fn nearest(bits: f64) -> &'static Self {
        let off = |f: &Self| (f.layer_bits - bits).abs();
        FORMATS
            .iter()
            .filter(|f| f.engine == Engine::LlamaCpp)
            .min_by(|a, b| off(a).total_cmp(&off(b)))
            .unwrap_or(&FORMATS[0])
    }
}

/// How keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvType {
    #[default]
    F16,
    Q8_0,
    Q4_0,
    Fp8,
}

impl KvType {
    /// Bits one key or value takes, scales included.
    pub const fn bits(self) -> f64 {
        match self {
            Self::F16 => 16.0,
            Self::Q8_0 => 8.5,
            Self::Q4_0 => 4.5,
            Self::Fp8 => 8.0,
        }
    }
    /// As people write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
            Self::Fp8 => "fp8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_written() {
        for name in ["Q4_K_M", "q4_k_m", "q4-k-m", "Q4KM"] {
            assert_eq!(Quantisation::find(name).map(|f| f.id), Some("Q4_K_M"));
        }
        assert!(Quantisation::find("Q9").is_none());
    }

    #[test]
    fn llama_3_1_8b_has_the_published_size() {
        // tools/quantize/README.md of llama.cpp: GiB for 8.03 B parameters.
        let (embedding, layers) = (128_256.0 * 4096.0, 8.03e9 - 2.0 * 128_256.0 * 4096.0);
        for (id, gib) in [
            ("F16", 14.96),
            ("Q8_0", 7.95),
            ("Q6_K", 6.14),
            ("Q5_K_M", 5.33),
            ("Q4_K_M", 4.58),
            ("IQ4_XS", 4.17),
        ] {
            let f = Quantisation::find(id).expect("known");
            let bits = layers * f.layer_bits + embedding * (f.embedding_bits + f.output_bits);
            let size = bits / 8.0 / f64::from(1 << 30);
            assert!((size / gib - 1.0).abs() < 0.01, "{id}: {size} against {gib}");
        }
    }
}
