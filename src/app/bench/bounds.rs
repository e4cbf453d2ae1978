//! Upper bounds of the tokens of a request, before it is sent.

use crate::measure::conversation;
use crate::prompts::Prompt;

/// Most tokens of a chat template and of the cache marker.
pub const OVERHEAD_TOKENS: u64 = 64;
/// Most tokens that a chat template puts around each further message.
const OVERHEAD_OF_A_MESSAGE: u64 = 16;
/// Bytes per token assumed for the size of a context; the worst-case cost assumes one.
const BYTES_PER_TOKEN: u64 = 2;

/// The most input and output tokens that one request can be billed for: a token has at least one byte,
/// whatever the language, and an answer that is sent again as history has at most as many tokens as its
/// limit allows.
pub fn billed(prompt: &Prompt, turn: u32, max_output_tokens: u32) -> (u64, u64) {
    upper_bound(prompt, turn, max_output_tokens, 1)
}

/// The most input and output tokens that one pass of a prompt can be billed for: all turns of its
/// conversation.
pub fn billed_for_all_turns(prompt: &Prompt, max_output_tokens: u32) -> (u64, u64) {
    let each = (0..conversation::turns(prompt)).map(|turn| billed(prompt, turn, max_output_tokens));
    each.fold((0, 0), |(input, output), (i, o)| (input + i, output + o))
}

/// The input and output tokens that a context must have room for: those of the longest request of a prompt,
/// its last turn.
pub fn in_context(prompt: &Prompt, max_output_tokens: u32) -> (u64, u64) {
    let last = conversation::turns(prompt).saturating_sub(1);
    upper_bound(prompt, last, max_output_tokens, BYTES_PER_TOKEN)
}

fn upper_bound(prompt: &Prompt, turn: u32, max_output_tokens: u32, bytes_per_token: u64) -> (u64, u64) {
    let (bytes, live) = conversation::size(prompt, turn);
    let output = u64::from(prompt.max_output_tokens.unwrap_or(max_output_tokens));
    let said = prompt.conversation.as_ref().map_or(1, |talk| talk.messages.len() as u64);
    let around = OVERHEAD_TOKENS + said.saturating_sub(1) * OVERHEAD_OF_A_MESSAGE;
    ((bytes as u64).div_ceil(bytes_per_token) + u64::from(live) * output + around, output)
}
