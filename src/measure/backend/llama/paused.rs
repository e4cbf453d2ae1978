//! What a conversation's turn has computed, kept for its next turn.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

/// A conversation whose next turn has not come: its sequence keeps what was computed.
#[derive(Debug)]
pub(super) struct Paused {
    pub(super) conversation: u64,
    pub(super) sequence: i32,
    /// The tokens whose keys and values are in the cache.
    pub(super) tokens: Vec<LlamaToken>,
}

/// Keep what a prompt has in common with the turn before it, and drop the rest: the number of tokens that need
/// not be computed again. The last token always is: the answer begins from its logits. `window`: see [`window`].
///
/// Layers with a sliding window keep no more than that, and layers with a state keep their last one only:
/// there a turn that does not simply go on (a template that drops earlier thoughts, text that is cut into
/// other tokens) may have nothing to begin from, and all of it is computed again.
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

/// Drop what follows the first `common` tokens of a sequence. `false`: what those need is not there any more.
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

/// Forget what a sequence has computed.
pub(super) fn clear(context: &mut LlamaContext<'_>, sequence: i32) {
    let _ = context.clear_kv_cache_seq(u32::try_from(sequence).ok(), None, None);
}

/// How many tokens the sliding windows of a model reach back, by its file; `None`: it has none, or does not say.
pub(super) fn window(model: &LlamaModel) -> Option<i64> {
    let architecture = model.meta_val_str("general.architecture").ok()?;
    let window = model.meta_val_str(&format!("{architecture}.attention.sliding_window")).ok()?;
    window.parse().ok().filter(|window| *window > 0)
}
