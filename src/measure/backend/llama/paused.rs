//! The cache of a conversation between two of its turns.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

/// A conversation that waits for its next turn: its sequence keeps what was computed.
#[derive(Debug)]
pub(super) struct Paused {
    pub(super) conversation: u64,
    pub(super) sequence: i32,
    /// The tokens whose keys and values are in the cache.
    pub(super) tokens: Vec<LlamaToken>,
}

/// Keeps the tokens that a prompt has in common with the turn before it, and drops the rest from the cache.
/// Returns how many tokens need not be computed again; the last token always must be, since the answer
/// begins from its logits. `window`: see [`window`].
///
/// Layers with a sliding window keep only the window, and layers with a recurrent state only the last
/// state. A turn that does not simply continue (a template that drops earlier thoughts, text that is split
/// into other tokens) may then find nothing to continue from, and is computed from its beginning.
pub(super) fn reuse(
    context: &mut LlamaContext<'_>,
    window: Option<i64>,
    paused: &Paused,
    prompt: &[LlamaToken],
) -> usize {
    let same = paused.tokens.iter().zip(prompt).take_while(|(was, is)| was == is).count();
    let common = same.min(prompt.len().saturating_sub(1));
    if common > 0 && keep(context, window, paused, common) {
        return common;
    }
    clear(context, paused.sequence);
    0
}

/// Drops what follows the first `common` tokens of a sequence. `false`: what those need is not in the cache
/// any more.
fn keep(context: &mut LlamaContext<'_>, window: Option<i64>, paused: &Paused, common: usize) -> bool {
    let (Ok(next), Ok(length)) = (u32::try_from(common), u32::try_from(paused.tokens.len())) else {
        return false;
    };
    let first = i64::from(context.kv_cache_seq_pos_min(paused.sequence));
    let last = i64::from(context.kv_cache_seq_pos_max(paused.sequence));
    if last + 1 != i64::from(length) {
        return false;
    }
    if next == length {
        return true;
    }
    let there = first == 0 || window.is_some_and(|window| first <= (i64::from(next) - window).max(0));
    there && context.clear_kv_cache_seq(u32::try_from(paused.sequence).ok(), Some(next), None) == Ok(true)
}

/// Clears the cache of one sequence.
pub(super) fn clear(context: &mut LlamaContext<'_>, sequence: i32) {
    let _ = context.clear_kv_cache_seq(u32::try_from(sequence).ok(), None, None);
}

/// How many tokens a model's sliding window reaches back, by its file; `None`: it has none, or does not
/// say.
pub(super) fn window(model: &LlamaModel) -> Option<i64> {
    let architecture = model.meta_val_str("general.architecture").ok()?;
    let window = model.meta_val_str(&format!("{architecture}.attention.sliding_window")).ok()?;
    window.parse().ok().filter(|window| *window > 0)
}
