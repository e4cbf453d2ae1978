//! The formats in which a model's weights can be had.

use crate::capacity::{Engine, ModelShape, Quantisation};

/// Who made weights in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weights {
    /// The maker released them so.
    Maker,
    /// Made from the maker's weights with common converters, and published for nearly every model: GGUF and
    /// MLX files.
    Converted,
    /// Common for models of this kind, but it is not recorded here whether this one has them.
    Unknown,
}

/// Model families that their makers release in a format other than 16 bits: start of the id, format. Read
/// from the names and cards of the makers' repositories.
const RELEASED: &[(&str, &str)] = &[
    ("gpt-oss-", "MXFP4"),
    ("deepseek-v3", "FP8"),
    ("deepseek-r1-distill", "BF16"),
    ("deepseek-r1-0528-qwen3-8b", "BF16"),
    ("deepseek-r1", "FP8"),
    ("kimi-k2-thinking", "W4A16"),
    ("kimi-k2.5", "W4A16"),
    ("kimi-k2.6", "W4A16"),
    ("kimi-k2-instruct", "FP8"),
    ("minimax-m2", "FP8"),
];
/// Model families whose makers release an 8-bit version beside the 16-bit one.
const ALSO_FP8: &[&str] = &["qwen3", "glm-4.5", "glm-4.6", "glm-4.7", "glm-5", "llama-3.1-405b", "llama-4"];

/// Model families for which it is not recorded here in which format their makers release them.
const NOT_RECORDED: &[&str] = &["deepseek-v4", "kimi-k3", "kimi-k2.7", "minimax-m3"];

/// The format the maker releases the model in first; `None` where that is not recorded.
pub fn released(model: &str) -> Option<&'static str> {
    let of = |family: &&str| model.starts_with(*family);
    if NOT_RECORDED.iter().any(of) {
        return None;
    }
    let own = RELEASED.iter().find(|(family, _)| model.starts_with(family));
    Some(own.map_or("BF16", |(_, format)| format))
}

/// Who has made a model's weights in a format for an engine. `None` where nobody has, and none can be made
/// that keep what the maker trained: gpt-oss only exists with experts of four bits, and only gpt-oss as
/// MXFP4.
pub fn weights(model: &ModelShape, format: &Quantisation, engine: Engine) -> Option<Weights> {
    if !format.runs_on(engine) {
        return None;
    }
    let first = released(&model.id);
    let four_bit_experts = model.expert_bits_limit.is_some();
    if four_bit_experts != (format.id == "MXFP4") && (four_bit_experts || format.id == "MXFP4") {
        return None;
    }
    // Weights that were released in fewer bits gain nothing from 16.
    if first.is_some_and(|f| f != "BF16") && matches!(format.id, "BF16" | "F16") {
        return None;
    }
    let also = format.id == "FP8" && ALSO_FP8.iter().any(|family| model.id.starts_with(family));
    let own = (Some(format.id) == first || also) && engine.is_server();
    Some(match engine {
        _ if own => Weights::Maker,
        Engine::LlamaCpp | Engine::Mlx => Weights::Converted,
        Engine::Vllm | Engine::Sglang | Engine::TensorRtLlm => Weights::Unknown,
    })
}

/// Formats to try under an engine, the most precise first: what the maker released, eight bits, and four
/// bits where more do not fit ([`FormatUse::WhereNothingElseFits`]).
pub fn usual(model: &ModelShape, engine: Engine) -> Vec<(&'static Quantisation, FormatUse)> {
    let names: &[(&str, FormatUse)] = match engine {
        Engine::LlamaCpp => &[
            ("MXFP4", FormatUse::Usual),
            ("Q8_0", FormatUse::Usual),
            ("Q6_K", FormatUse::Usual),
            ("Q4_K_M", FormatUse::Usual),
        ],
        Engine::Mlx => {
            &[("MXFP4", FormatUse::Usual), ("MLX-8bit", FormatUse::Usual), ("MLX-4bit", FormatUse::Usual)]
        }
        Engine::Vllm | Engine::Sglang | Engine::TensorRtLlm => &[
            ("BF16", FormatUse::Usual),
            ("FP8", FormatUse::Usual),
            ("MXFP4", FormatUse::Usual),
            ("NVFP4", FormatUse::WhereNothingElseFits),
            ("W4A16", FormatUse::WhereNothingElseFits),
        ],
    };
    let first = released(&model.id);
    names
        .iter()
        .filter_map(|(name, format_use)| {
            let format = Quantisation::find(name)?;
            weights(model, format, engine)?;
            Some((format, if Some(format.id) == first { FormatUse::Usual } else { *format_use }))
        })
        .collect()
}

/// Whether a format is tried in any case, or only as a last resort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatUse {
    Usual,
    /// Only where a more precise one does not fit, since it loses quality.
    WhereNothingElseFits,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn formats_are_those_that_exist() {
        let catalog = Catalog::embedded();
        let model = |id: &str| ModelShape::from_catalogue(catalog.open_model(id).expect(id)).expect("whole");
        let of = |id: &str, format: &str, engine| {
            weights(&model(id), Quantisation::find(format).expect("known"), engine)
        };
        assert_eq!(of("gpt-oss-120b", "MXFP4", Engine::Vllm), Some(Weights::Maker));
        assert_eq!(of("gpt-oss-120b", "FP8", Engine::Vllm), None);
        assert_eq!(of("qwen3-8b", "MXFP4", Engine::Vllm), None);
        assert_eq!(of("qwen3-8b", "FP8", Engine::Vllm), Some(Weights::Maker));
        assert_eq!(of("qwen3-8b", "Q4_K_M", Engine::LlamaCpp), Some(Weights::Converted));
        assert_eq!(of("qwen3-8b", "Q4_K_M", Engine::Vllm), None);
        assert_eq!(of("deepseek-r1", "BF16", Engine::Vllm), None);
        let names = |id: &str| -> Vec<&str> {
            usual(&model(id), Engine::Vllm).into_iter().map(|(f, _)| f.id).collect()
        };
        assert_eq!(names("gpt-oss-120b"), ["MXFP4"]);
        assert_eq!(names("deepseek-r1"), ["FP8", "NVFP4", "W4A16"]);
        for (family, format) in RELEASED {
            assert!(Quantisation::find(format).is_some());
            assert!(catalog.open_models.iter().any(|m| m.id.starts_with(family)), "{family}");
        }
    }
}
