//! Embeddings: one pass over the weights for each text, with the vectors of its tokens pooled as the
//! model's file says.

use super::common::engine_fault;
use super::slots::Slots;
use crate::measure::backend::decode::unit;
use crate::measure::backend::engine::Embedded;
use crate::measure::backend::protocol::EmbeddingKind;
use crate::measure::event::{Fault, FaultKind};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaPoolingType;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use std::time::Instant;

/// How the vectors of tokens are pooled, by the model's file; `mean` where it does not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pooling {
    pub kind: LlamaPoolingType,
    name: &'static str,
    named: bool,
}

impl Pooling {
    pub(super) fn of(model: &LlamaModel) -> Result<Self, Fault> {
        let architecture = model.meta_val_str("general.architecture").unwrap_or_default();
        let said = model.meta_val_str(&format!("{architecture}.pooling_type")).ok();
        let (kind, name) = match said.as_deref() {
            Some("2") => (LlamaPoolingType::Cls, "cls"),
            Some("3") => (LlamaPoolingType::Last, "last"),
            Some("4") => {
                return Err(Fault {
                    kind: FaultKind::Model,
                    message: "the model ranks pairs of texts and makes no vectors of them".into(),
                });
            }
            _ => (LlamaPoolingType::Mean, "mean"),
        };
        Ok(Self { kind, name, named: matches!(said.as_deref(), Some("1" | "2" | "3")) })
    }

    pub(super) fn describe(self, model: &LlamaModel) -> EmbeddingKind {
        let dimensions = u32::try_from(model.n_embd_out()).unwrap_or(0);
        EmbeddingKind { dimensions, pooling: self.name.into(), pooling_named: self.named }
    }
}

impl Slots {
    /// The embedding of a text as it is, without the chat template.
    pub(super) fn embed(&mut self, text: &str) -> Result<Embedded, Fault> {
        if text.contains('\0') {
            let message = "the text contains a NUL character, which no model reads".into();
            return Err(Fault { kind: FaultKind::Request, message });
        }
        let begun = Instant::now();
        let tokens = self.model.vocab().tokenize(text.as_bytes(), true, false);
        let tokenizing = begun.elapsed();
        let refused = |message: String| Fault { kind: FaultKind::Context, message };
        if tokens.is_empty() {
            return Err(Fault { kind: FaultKind::Request, message: "the text is empty".into() });
        }
        if tokens.len() > self.batch_size {
            return Err(refused(format!(
                "the text has {} tokens, and the context holds {}; use --context {}",
                tokens.len(),
                self.batch_size,
                tokens.len()
            )));
        }
        let begun = Instant::now();
        let vector = self.vector(&tokens)?;
        let computing = begun.elapsed();
        let tokens = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        Ok(Embedded { tokens, tokenizing, computing, vector })
    }

    /// The pooled vector of these tokens, of length 1.
    fn vector(&mut self, tokens: &[LlamaToken]) -> Result<Vec<f32>, Fault> {
        self.context.clear_kv_cache();
        self.batch.clear();
        for (position, token) in (0..).zip(tokens) {
            self.batch.add(*token, position, &[0], true).map_err(|_| engine_fault("a batch overflowed"))?;
        }
        self.decode()?;
        let found = pooled(&self.context)?;
        unit(found).ok_or_else(|| engine_fault("the model computed no usable vector"))
    }
}

fn pooled<'a>(context: &'a LlamaContext<'_>) -> Result<&'a [f32], Fault> {
    context.synchronize();
    context.embeddings_seq_ith(0).map_err(|e| engine_fault(format!("the model gave no vector ({e})")))
}
