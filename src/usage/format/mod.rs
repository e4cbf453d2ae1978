//! One file for each format. To add one, write the file (fields, marks, a function from a row to a record),
//! list it here, and put a sample with its totals beside the others. CONTRIBUTING has the steps.

mod answer;
pub mod anthropic_api;
pub mod anthropic_csv;
pub mod azure_metrics;
pub mod bedrock;
pub mod claude_code;
pub mod codex;
pub mod deepseek;
pub mod gemini_cli;
pub mod generic;
pub mod helicone;
pub mod langfuse;
pub mod litellm;
pub mod litellm_daily;
pub mod llama_log;
pub mod openai_api;
pub mod openai_csv;
pub mod opencode;
pub mod openrouter;
pub mod otlp;
pub mod prometheus;
pub mod responses;
pub mod traces;
pub mod vertex;

use super::reader::Format;

/// Every format except the generic one, which has no fields until a mapping names them.
pub static FORMATS: [&Format; 26] = [
    &claude_code::FORMAT,
    &codex::FORMAT,
    &gemini_cli::FORMAT,
    &opencode::FORMAT,
    &openai_api::FORMAT,
    &openai_csv::FORMAT,
    &anthropic_api::FORMAT,
    &anthropic_csv::FORMAT,
    &openrouter::CSV,
    &openrouter::API,
    &bedrock::FORMAT,
    &azure_metrics::FORMAT,
    &vertex::FORMAT,
    &deepseek::FORMAT,
    &litellm::SPEND_LOGS,
    &litellm_daily::FORMAT,
    &langfuse::FORMAT,
    &helicone::FORMAT,
    &otlp::FORMAT,
    &prometheus::VLLM,
    &prometheus::SGLANG,
    &prometheus::LLAMA,
    &llama_log::FORMAT,
    &traces::AZURE,
    &traces::BURSTGPT,
    &responses::FORMAT,
];

/// The format with this name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.into_iter().chain([&generic::FORMAT]).find(|f| f.name == name)
}
