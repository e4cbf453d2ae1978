//! Turns messages into the tokens that the model gets.

use super::common::{fault, piece};
use crate::measure::backend::protocol::Prompt;
use crate::measure::event::{Fault, FaultKind};
use crate::measure::template::ChatTemplate;
use crate::measure::thoughts;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

/// A prompt as the model gets it.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) tokens: Vec<LlamaToken>,
    /// The opening marker of a thought, where the template ends inside one.
    pub(super) thought_opened: Option<&'static str>,
}

/// Turns messages into tokens with the model's chat template, or without one; an error where they do not
/// fit the context of one sequence.
pub(super) fn tokenize(
    model: &LlamaModel,
    template: Option<&ChatTemplate>,
    prompt: &Prompt,
    context_of_one: u32,
) -> Result<Rendered, Fault> {
    if prompt.messages.iter().filter_map(|m| m.content.as_ref()).any(|text| text.contains('\0')) {
        return Err(fault(FaultKind::Request, "the prompt contains a NUL character, which no model reads"));
    }
    let text = match template {
        Some(template) => template.render(&prompt.messages, &prompt.tools)?,
        None => prompt.messages.iter().filter_map(|m| m.content.as_deref()).collect::<Vec<_>>().join("\n"),
    };
    let vocab = model.vocab();
    // Templates write the BOS token as text, and the tokenizer would add another.
    let bos = if vocab.should_add_bos() { piece(model, vocab.bos()) } else { String::new() };
    let text = if bos.is_empty() { &text } else { text.strip_prefix(&bos).unwrap_or(&text) };
    let tokens = vocab.tokenize(text.as_bytes(), true, true);
    if tokens.is_empty() {
        return Err(fault(FaultKind::Request, "the prompt is empty"));
    }
    if prompt.max_output_tokens == 0 {
        return Err(fault(FaultKind::Request, "an answer of no tokens was asked for"));
    }
    let needed = tokens.len() as u64 + u64::from(prompt.max_output_tokens);
    if needed > u64::from(context_of_one) {
        return Err(fault(
            FaultKind::Context,
            format!(
                "the prompt has {} tokens and up to {} may be generated: {needed} do not fit the context of {}; \
                 use --context {needed} or a shorter answer",
                tokens.len(),
                prompt.max_output_tokens,
                context_of_one
            ),
        ));
    }
    let thought_opened = template.and_then(|_| thoughts::opened_by(text)).map(|marker| marker.open);
    Ok(Rendered { tokens, thought_opened })
}
