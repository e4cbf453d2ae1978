//! What the files of the engine share: its failures, and the text of a single token.

use crate::measure::event::{Fault, FaultKind};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

pub(super) fn fault(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault { kind, message: message.into() }
}

pub(super) fn engine_fault(message: impl Into<String>) -> Fault {
    fault(FaultKind::Engine, message)
}

/// The text of a special token; empty where the model has none.
pub(super) fn piece(model: &LlamaModel, token: LlamaToken) -> String {
    if token.0 < 0 {
        return String::new();
    }
    String::from_utf8_lossy(&model.vocab().token_to_piece(token, true, None)).into_owned()
}
