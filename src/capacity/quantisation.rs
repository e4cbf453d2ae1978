//! How many bits a weight takes in each format, and in which number format it is multiplied. Formats are
//! mixes: K-quants keep some matrices at more bits, most keep the output projection at more, and scales
//! count too.
//!
//! One name is one format, whatever serves it: BF16 weights run under llama.cpp and vLLM alike. What
//! can differ is which matrices a file keeps in it, so the bits are given per kind of file.

/// The software that serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// GGUF files in llama.cpp.
    LlamaCpp,
    /// Safetensors in vLLM.
    Vllm,
    /// Safetensors in `SGLang`.
    Sglang,
    /// Safetensors in NVIDIA's TensorRT-LLM.
    TensorRtLlm,
    /// MLX, on Apple silicon.
    Mlx,
}

impl Engine {
    pub const ALL: [Self; 5] = [Self::Vllm, Self::Sglang, Self::TensorRtLlm, Self::LlamaCpp, Self::Mlx];

    /// As people write it: `vllm`, `llama.cpp`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::LlamaCpp => "llama.cpp",
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::TensorRtLlm => "tensorrt-llm",
            Self::Mlx => "mlx",
        }
    }
    /// The engine with this name, whatever its case and punctuation.
    pub fn find(name: &str) -> Option<Self> {
        let wanted = plain(name);
        Self::ALL.into_iter().find(|e| plain(e.label()) == wanted)
    }
    /// Does it split every layer over its devices and batch whatever arrives? llama.cpp and MLX
    /// spread whole layers.
    pub const fn is_server(self) -> bool {
        matches!(self, Self::Vllm | Self::Sglang | Self::TensorRtLlm)
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Bits per weight, part by part, scales included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bits {
    /// Matrices of the layers, without routed experts.
    pub layer: f64,
    /// Routed experts.
    pub expert: f64,
    /// Input embedding.
    pub embedding: f64,
    /// Output projection, or the embedding where they are one matrix.
    pub output: f64,
}

/// A weight format: the bits it takes and the kernels it needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantisation {
    /// As people write it: `Q4_K_M`.
    pub id: &'static str,
    /// Bits in GGUF files, if there are such files.
    pub gguf: Option<Bits>,
    /// Bits in safetensors, as servers load them.
    pub safetensors: Option<Bits>,
    /// Bits in MLX files.
    pub mlx: Option<Bits>,
    /// The published safetensors of a mixture have only the experts in this format, and everything else in
    /// 16 bits.
    pub experts_only: bool,
    /// The kind of its kernels: a key of the efficiency table.
    pub kernel: Kernel,
    /// The number format in which servers multiply it, where the hardware can.
    pub compute: Compute,
    /// Where the bits come from.
    pub origin: &'static str,
}

/// Kinds of kernels; those of one kind reach a similar share of the hardware's peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kernel {
    /// 16-bit floats, no unpacking.
    Float16,
    /// Eight bits with plain scales.
    Eight,
    /// Four or five bits with plain scales.
    Four,
    /// K-quants of four to six bits.
    K,
    /// K-quants of two and three bits.
    Three,
    /// Table-driven formats under five bits.
    Table,
}

/// The number format in which a server multiplies. Hardware that cannot do it multiplies in 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compute {
    /// 16-bit floats: weights in fewer bits are unpacked first.
    Sixteen,
    /// 8-bit floats: from Ada, Hopper, CDNA 3 and Xe2 on.
    Float8,
    /// 8-bit integers: from Turing on.
    Integer8,
    /// 4-bit floats: Blackwell and CDNA 4.
    Float4,
}

const GGML: &str = "block layouts in ggml-common.h";
const MIX: &str = "block layouts in ggml-common.h; mix from the sizes of Llama 3.1 8B in llama.cpp tools/quantize/README.md";
const DYNAMIC: &str = "bits differ by model: sizes of Unsloth's files of Qwen3 30B and Qwen3.6 35B";
const GROUP: &str =
    "4 bits, a 16-bit scale and a 4-bit zero per group of 128; embedding and output stay at 16";
const MLX: &str = "so many bits, a 16-bit scale and offset per group of 64";

const fn all(bits: f64) -> Bits {
    mix(bits, bits, bits)
}
const fn mix(layer: f64, embedding: f64, output: f64) -> Bits {
    Bits { layer, expert: layer, embedding, output }
}
/// Safetensors: embedding and output stay at 16 bits.
const fn tensors(bits: f64) -> Bits {
    mix(bits, 16.0, 16.0)
}

const fn gguf(id: &'static str, bits: Bits, kernel: Kernel, origin: &'static str) -> Quantisation {
    Quantisation {
        id,
        gguf: Some(bits),
        safetensors: None,
        mlx: None,
        experts_only: false,
        kernel,
        compute: Compute::Sixteen,
        origin,
    }
}
const fn server(
    id: &'static str,
    bits: f64,
    kernel: Kernel,
    compute: Compute,
    experts_only: bool,
    origin: &'static str,
) -> Quantisation {
    Quantisation {
        id,
        gguf: None,
        safetensors: Some(tensors(bits)),
        mlx: None,
        experts_only,
        kernel,
        compute,
        origin,
    }
}
const fn mlx(id: &'static str, bits: f64, kernel: Kernel) -> Quantisation {
    Quantisation {
        id,
        gguf: None,
        safetensors: None,
        mlx: Some(all(bits)),
        experts_only: false,
        kernel,
        compute: Compute::Sixteen,
        origin: MLX,
    }
}
/// Unquantised: the same in every kind of file.
const fn sixteen(id: &'static str) -> Quantisation {
    Quantisation {
        id,
        gguf: Some(all(16.0)),
        safetensors: Some(all(16.0)),
        mlx: Some(all(16.0)),
        experts_only: false,
        kernel: Kernel::Float16,
        compute: Compute::Sixteen,
        origin: "16-bit weights",
    }
}

/// Every known format, from most to fewest bits.
pub const FORMATS: &[Quantisation] = &[
    sixteen("BF16"),
    sixteen("F16"),
    gguf("Q8_0", all(8.5), Kernel::Eight, GGML),
    gguf("UD-Q8_K_XL", mix(9.0, 8.5, 8.5), Kernel::Eight, DYNAMIC),
    mlx("MLX-8bit", 8.5, Kernel::Eight),
    server(
        "FP8",
        8.0,
        Kernel::Eight,
        Compute::Float8,
        false,
        "8-bit weights with a scale per matrix or block; embedding and output stay at 16",
    ),
    server(
        "INT8",
        8.0,
        Kernel::Eight,
        Compute::Integer8,
        false,
        "8-bit weights with a scale per channel; embedding and output stay at 16",
    ),
    gguf("Q6_K_L", mix(6.5625, 8.5, 8.5), Kernel::K, MIX),
    gguf("UD-Q6_K_XL", mix(6.9, 8.5, 8.5), Kernel::K, DYNAMIC),
    gguf("Q6_K", all(6.5625), Kernel::K, GGML),
    mlx("MLX-6bit", 6.5, Kernel::K),
    gguf("UD-Q5_K_XL", mix(5.68, 6.5625, 8.5), Kernel::K, DYNAMIC),
    gguf("Q5_K_L", mix(5.65, 8.5, 8.5), Kernel::K, MIX),
    gguf("Q5_K_M", mix(5.65, 5.5, 6.5625), Kernel::K, MIX),
    gguf("Q5_1", mix(6.0, 6.0, 6.5625), Kernel::Four, MIX),
    gguf("Q5_K_S", mix(5.5, 5.5, 6.5625), Kernel::K, MIX),
    gguf("Q5_0", mix(5.5, 5.5, 6.5625), Kernel::Four, MIX),
    mlx("MLX-5bit", 5.5, Kernel::Four),
    gguf("Q4_1", mix(5.0, 5.0, 6.5625), Kernel::Four, MIX),
    gguf("UD-Q4_K_XL", mix(4.6, 6.5625, 8.5), Kernel::K, DYNAMIC),
    gguf("Q4_K_L", mix(4.80, 8.5, 8.5), Kernel::K, MIX),
    gguf("Q4_K_M", mix(4.80, 4.5, 6.5625), Kernel::K, MIX),
    gguf("Q4_K_S", mix(4.54, 4.5, 6.5625), Kernel::K, MIX),
    gguf("Q4_0", mix(4.5, 4.5, 6.5625), Kernel::Four, MIX),
    gguf("IQ4_NL", mix(4.55, 4.5, 6.5625), Kernel::Table, MIX),
    mlx("MLX-4bit", 4.5, Kernel::Four),
    server(
        "NVFP4",
        4.5,
        Kernel::Four,
        Compute::Float4,
        true,
        "4 bits and an 8-bit scale per 16; in mixtures only the experts; embedding and output stay at 16",
    ),
    server("AWQ", 4.156, Kernel::Four, Compute::Sixteen, false, GROUP),
    server("GPTQ", 4.156, Kernel::Four, Compute::Sixteen, false, GROUP),
    server(
        "W4A16",
        4.156,
        Kernel::Four,
        Compute::Sixteen,
        true,
        "4 bits and a 16-bit scale per group of 32 to 128 (compressed-tensors); in mixtures only the experts",
    ),
    gguf("IQ4_XS", mix(4.32, 4.25, 6.5625), Kernel::Table, MIX),
    Quantisation {
        id: "MXFP4",
        gguf: Some(Bits { layer: 8.5, expert: 4.25, embedding: 8.5, output: 8.5 }),
        safetensors: Some(Bits { layer: 16.0, expert: 4.25, embedding: 16.0, output: 16.0 }),
        mlx: Some(Bits { layer: 8.5, expert: 4.25, embedding: 8.5, output: 8.5 }),
        experts_only: true,
        kernel: Kernel::Four,
        compute: Compute::Float4,
        origin: "4 bits and an 8-bit scale per 32 in the experts; elsewhere Q8_0 in GGUF files and 16 bits in safetensors, as gpt-oss is published",
    },
    gguf("Q3_K_L", mix(4.22, 3.4375, 6.5625), Kernel::Three, MIX),
    gguf("UD-Q3_K_XL", mix(3.58, 6.5625, 8.5), Kernel::Three, DYNAMIC),
    gguf("Q3_K_M", mix(3.85, 3.4375, 6.5625), Kernel::Three, MIX),
    gguf("IQ3_M", mix(3.58, 3.4375, 6.5625), Kernel::Table, MIX),
    mlx("MLX-3bit", 3.5, Kernel::K),
    gguf("IQ3_S", mix(3.46, 3.4375, 6.5625), Kernel::Table, MIX),
    gguf("Q3_K_S", mix(3.4375, 3.4375, 6.5625), Kernel::Three, MIX),
    gguf("IQ3_XS", mix(3.26, 3.4375, 6.5625), Kernel::Table, MIX),
    gguf("IQ3_XXS", mix(3.06, 3.4375, 5.5), Kernel::Table, MIX),
    gguf("UD-Q2_K_XL", mix(3.05, 4.5, 6.5625), Kernel::Three, DYNAMIC),
    gguf("Q2_K", mix(2.94, 2.625, 6.5625), Kernel::Three, MIX),
    gguf("IQ2_M", mix(2.68, 3.4375, 5.5), Kernel::Table, MIX),
    gguf("IQ2_S", mix(2.48, 3.4375, 5.5), Kernel::Table, MIX),
    gguf("IQ2_XS", mix(2.34, 2.625, 5.5), Kernel::Table, MIX),
    gguf("IQ2_XXS", mix(2.10, 2.625, 5.5), Kernel::Table, MIX),
];

/// Other names of a format.
const ALIASES: &[(&str, &str)] = &[
    ("FP16", "F16"),
    ("16bit", "BF16"),
    ("bfloat16", "BF16"),
    ("float16", "F16"),
    ("W8A8", "INT8"),
    ("INT4", "W4A16"),
    ("FP4", "NVFP4"),
    ("8bit", "MLX-8bit"),
    ("6bit", "MLX-6bit"),
    ("5bit", "MLX-5bit"),
    ("4bit", "MLX-4bit"),
    ("3bit", "MLX-3bit"),
];

impl Quantisation {
    /// The format with this name, whatever its case; `Q4_K_M`, `q4-k-m` and `q4km` are one, and so are
    /// `F16` and `FP16`.
    pub fn find(name: &str) -> Option<&'static Self> {
        let wanted = plain(name);
        let named = |id: &str| FORMATS.iter().find(|f| plain(f.id) == plain(id));
        let alias = || ALIASES.iter().find(|(a, _)| plain(a) == wanted).and_then(|(_, id)| named(id));
        // `4bit-mlx` and `mlx-community/…-4bit` are the same; a dynamic variant (`UD-IQ2_M`) that is not in the
        // table is counted as the format it varies.
        let bits = || named(&format!("MLX-{}bit", wanted.replace("mlx", "").strip_suffix("bit")?));
        let varied = || named(wanted.strip_prefix("ud")?);
        FORMATS.iter().find(|f| plain(f.id) == wanted).or_else(alias).or_else(bits).or_else(varied)
    }

    /// Are there files of this format for this engine?
    pub const fn runs_on(&self, engine: Engine) -> bool {
        match engine {
            Engine::LlamaCpp => self.gguf.is_some(),
            Engine::Vllm | Engine::Sglang | Engine::TensorRtLlm => self.safetensors.is_some(),
            Engine::Mlx => self.mlx.is_some(),
        }
    }

    /// The engine that usually serves this format.
    pub const fn usual_engine(&self) -> Engine {
        match (self.gguf, self.safetensors) {
            (Some(_), _) => Engine::LlamaCpp,
            (None, Some(_)) => Engine::Vllm,
            (None, None) => Engine::Mlx,
        }
    }

    /// Bits under an engine, of a mixture of experts or a dense model; those of the usual engine where this
    /// one has no such files.
    pub fn bits(&self, engine: Engine, mixture: bool) -> Bits {
        let own = match engine {
            Engine::LlamaCpp => self.gguf,
            Engine::Vllm | Engine::Sglang | Engine::TensorRtLlm => self.safetensors,
            Engine::Mlx => self.mlx,
        };
        let bits = own.or(self.gguf).or(self.safetensors).or(self.mlx);
        let bits = bits.unwrap_or(Bits { layer: 16.0, expert: 16.0, embedding: 16.0, output: 16.0 });
        let rest = if mixture && self.experts_only && engine.is_server() { 16.0 } else { bits.layer };
        Bits { layer: rest, ..bits }
    }

    /// The GGUF format whose layers come nearest to so many bits per weight.
    pub fn nearest(bits: f64) -> &'static Self {
        let off = |f: &Self| f.gguf.map_or(f64::INFINITY, |b| (b.layer - bits).abs());
        FORMATS.iter().min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(&FORMATS[0])
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
    pub const ALL: [Self; 4] = [Self::F16, Self::Fp8, Self::Q8_0, Self::Q4_0];

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
    /// The type with this name, whatever its case.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.label().eq_ignore_ascii_case(name))
    }
    /// Can the engine keep keys and values so?
    pub const fn runs_on(self, engine: Engine) -> bool {
        match self {
            Self::F16 => true,
            Self::Fp8 => engine.is_server(),
            Self::Q8_0 | Self::Q4_0 => matches!(engine, Engine::LlamaCpp | Engine::Mlx),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn variants_are_found_by_the_names_people_write() {
        let id = |name: &str| super::Quantisation::find(name).map(|f| f.id);
        assert_eq!(id("UD-IQ2_M"), Some("IQ2_M"));
        assert_eq!(id("UD-Q4_K_XL"), Some("UD-Q4_K_XL"), "what is in the table is itself");
        assert_eq!(
            (id("4bit-mlx"), id("MLX-4bit"), id("4-bit")),
            (id("MLX-4bit"), id("MLX-4bit"), id("MLX-4bit"))
        );
        assert!(id("MLX-4bit").is_some() && id("UD-nothing").is_none());
    }

    use super::*;

    #[test]
    fn names_are_found_however_written() {
        for name in ["Q4_K_M", "q4_k_m", "q4-k-m", "Q4KM"] {
            assert_eq!(Quantisation::find(name).map(|f| f.id), Some("Q4_K_M"));
        }
        assert!(Quantisation::find("Q9").is_none());
        for (name, id) in [("fp16", "F16"), ("FP4", "NVFP4"), ("int4", "W4A16"), ("ud-q4_k_xl", "UD-Q4_K_XL")]
        {
            assert_eq!(Quantisation::find(name).map(|f| f.id), Some(id));
        }
        for (alias, id) in ALIASES {
            assert!(FORMATS.iter().any(|f| f.id == *id), "{alias} names {id}, which is not there");
        }
        assert_eq!(Engine::find("llama-cpp"), Some(Engine::LlamaCpp));
        assert_eq!(Engine::find("TensorRT LLM"), Some(Engine::TensorRtLlm));
    }

    #[test]
    fn one_name_is_one_format_on_every_engine_that_runs_it() {
        let on = |id: &str| {
            let format = Quantisation::find(id).expect("known");
            Engine::ALL.map(|e| format.runs_on(e))
        };
        assert_eq!(on("BF16"), [true; 5]);
        assert_eq!(on("MXFP4"), [true; 5]);
        assert_eq!(on("FP8"), [true, true, true, false, false]);
        assert_eq!(on("Q4_K_M"), [false, false, false, true, false]);
        let mxfp4 = Quantisation::find("MXFP4").expect("known");
        let layer = |engine| mxfp4.bits(engine, true).layer;
        assert!((layer(Engine::LlamaCpp) - 8.5).abs() < 1e-9 && (layer(Engine::Vllm) - 16.0).abs() < 1e-9);
        // NVFP4 of a mixture keeps attention in 16 bits; of a dense model it does not.
        let nvfp4 = Quantisation::find("NVFP4").expect("known");
        assert!((nvfp4.bits(Engine::Vllm, true).layer - 16.0).abs() < 1e-9);
        assert!((nvfp4.bits(Engine::Vllm, false).layer - 4.5).abs() < 1e-9);
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
            ("Q5_1", 5.65),
            ("Q4_K_M", 4.58),
            ("IQ4_XS", 4.17),
            ("Q3_K_L", 4.02),
            ("Q3_K_M", 3.74),
            ("IQ3_M", 3.52),
            ("IQ3_S", 3.42),
            ("IQ3_XS", 3.27),
            ("IQ3_XXS", 3.04),
            ("Q2_K", 2.95),
            ("IQ2_M", 2.74),
            ("IQ2_S", 2.56),
            ("IQ2_XS", 2.42),
            ("IQ2_XXS", 2.23),
        ] {
            let f = Quantisation::find(id).expect("known").gguf.expect("a GGUF format");
            let bits = layers * f.layer + embedding * (f.embedding + f.output);
            let size = bits / 8.0 / f64::from(1 << 30);
            assert!((size / gib - 1.0).abs() < 0.015, "{id}: {size} against {gib}");
        }
    }
}
