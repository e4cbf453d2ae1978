//! Computes the figures of one answer from its trace. Every definition of a metric is here and nowhere
//! else.
//!
//! | figure | from | to |
//! |---|---|---|
//! | `ttfb_ms` | send | response headers |
//! | `ttft_ms` | send | first non-empty text, reasoning or tool delta |
//! | `ttfo_ms` | send | first non-empty delta that is not reasoning |
//! | `e2e_ms` | send | last non-empty delta |
//! | `tokenize_ms` | request accepted (local) | prompt rendered and tokenised; waiting for a place is inside |
//! | `prompt_ms` | tokenised | prompt in the cache |
//! | `first_sample_ms` | prompt in the cache | first non-empty delta |
//! | `tpot_ms` | first delta | last delta, ÷ (tokens − tokens of the first delta) |
//!
//! Role-only, empty, ping, usage and envelope events carry no content and move none of these times. A
//! failed answer has no latency at all. Token counts are checked in [`counts`].

use super::counts::{self, Counted, Doubt, TokenSource};
use super::ending;
use super::event::{Fault, FaultKind, FinishReason, Nanos, Usage};
use super::trace::Trace;

/// The figures of one answer. Times in milliseconds, rates in tokens per second.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub error: Option<Fault>,
    pub finish: Option<FinishReason>,
    pub ttfb_ms: Option<f64>,
    pub ttft_ms: Option<f64>,
    pub ttfo_ms: Option<f64>,
    pub tpot_ms: Option<f64>,
    pub decode_tps: Option<f64>,
    pub prefill_tps: Option<f64>,
    pub e2e_ms: Option<f64>,
    pub e2e_output_tps: Option<f64>,
    /// Gaps between content events: inter-chunk latency, not time per token.
    pub icl_ms: Vec<f64>,
    pub content_events: u32,
    pub token_source: TokenSource,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub visible_output_tokens: Option<u64>,
    /// The provider's normalised record, with what is unknown left out.
    pub usage: Usage,
    /// What a reader of these figures must know beside them.
    pub doubts: Vec<Doubt>,
    /// Reasoning was counted but none of it was sent: the time to the first token contains it.
    pub hidden_reasoning: bool,
    /// The parts of a local TTFT.
    pub tokenize_ms: Option<f64>,
    pub prompt_ms: Option<f64>,
    pub first_sample_ms: Option<f64>,
    /// Milliseconds to choose a token and make text of it, mean per token.
    pub sample_ms: Option<f64>,
    /// Joules of the device while the request ran, and for how many milliseconds that was.
    pub energy_j: Option<f64>,
    pub energy_over_ms: Option<f64>,
    pub engine_prompt_tps: Option<f64>,
    pub engine_decode_tps: Option<f64>,
    pub connection_reused: Option<bool>,
    pub http2: Option<bool>,
    pub request_id: Option<String>,
    pub status: Option<u16>,
    pub unknown_events: u32,
    /// Milliseconds by which the wall clock moved against the monotonic one while the request was under way
    /// (the machine slept, or the clock was set), or for which this process was stopped.
    pub clock_gap_ms: Option<f64>,
}

/// Milliseconds of a number of nanoseconds.
fn ms(nanos: Nanos) -> f64 {
    nanos as f64 / 1e6
}

/// The figures of one answer.
pub fn figures(seen: &Trace, counted: Counted) -> Figures {
    let error = seen.fault.clone().or_else(|| match seen.finish {
        None => Some(truncated(seen)),
        Some(reason) if seen.content.is_empty() && seen.tool_calls.is_empty() => {
            ending::without_content(reason)
        }
        Some(_) => None,
    });
    let mut counts = counts::judge(seen, counted);

    let ok = error.is_none();
    let first = seen.content.first().copied().filter(|_| ok);
    let last = seen.content.last().copied().filter(|_| ok);
    let ttft_ms = first.map(|piece| ms(piece.0));
    let e2e_ms = last.map(|piece| ms(piece.0));
    let tpot_ms = if ok { counts.time_per_token_ms(&seen.content, counted) } else { None };
    let usage = &counts.usage;
    let between = |from: Option<Nanos>, to: Option<Nanos>| Some(ms(to?.checked_sub(from?)?)).filter(|_| ok);
    let tokenized = seen.tokenized.map(|(at, _)| at);
    let per_second = |tokens: f64, ms: f64| (tokens > 0.0 && ms > 0.0).then(|| tokens * 1000.0 / ms);
    let engine_prompt_tps = seen.engine.and_then(|(n, ms, ..)| per_second(f64::from(n), ms));
    let prefill_tps = match counted {
        Counted::ByEngine => engine_prompt_tps.or_else(|| {
            let ((start, tokens), end) = seen.tokenized.zip(seen.prefilled)?;
            per_second(f64::from(tokens), ms(end.checked_sub(start)?))
        }),
        Counted::ByProvider => usage
            .input_uncached
            .filter(|_| !usage.inconsistent)
            .zip(ttft_ms)
            .and_then(|(tokens, ms)| per_second(tokens as f64, ms)),
    };
    Figures {
        finish: seen.finish.filter(|_| ok),
        ttfb_ms: seen.headers.filter(|_| ok).map(ms),
        ttft_ms,
        ttfo_ms: seen
            .content
            .iter()
            .find(|piece| !piece.is_reasoning())
            .filter(|_| ok)
            .map(|piece| ms(piece.0)),
        tpot_ms,
        decode_tps: tpot_ms.map(|t| 1000.0 / t),
        prefill_tps: prefill_tps.filter(|_| ok),
        e2e_ms,
        e2e_output_tps: counts.output.zip(e2e_ms).and_then(|(n, ms)| per_second(n as f64, ms)),
        icl_ms: if ok {
            seen.content.windows(2).map(|w| ms(w[1].0.saturating_sub(w[0].0))).collect()
        } else {
            Vec::new()
        },
        content_events: u32::try_from(seen.content.len()).unwrap_or(u32::MAX),
        token_source: counts.source,
        input_tokens: counts.input,
        output_tokens: counts.output,
        visible_output_tokens: counts.visible,
        hidden_reasoning: counts.hidden_reasoning,
        tokenize_ms: between(Some(0), tokenized),
        prompt_ms: between(tokenized, seen.prefilled),
        first_sample_ms: between(seen.prefilled, first.map(|piece| piece.0)),
        sample_ms: seen.sampling.filter(|(tokens, _)| ok && *tokens > 0).map(|(n, ms)| ms / f64::from(n)),
        energy_j: seen.energy.filter(|_| ok).map(|(joules, _)| joules),
        energy_over_ms: seen.energy.filter(|_| ok).map(|(_, over)| over),
        engine_prompt_tps: engine_prompt_tps.filter(|_| ok),
        engine_decode_tps: seen.engine.filter(|_| ok).and_then(|(_, _, n, ms)| per_second(f64::from(n), ms)),
        connection_reused: seen.connection_reused,
        http2: seen.http2,
        request_id: seen.request_id.clone(),
        status: seen.status,
        unknown_events: seen.unknown,
        clock_gap_ms: seen.clock_gap_ms,
        doubts: counts.doubts,
        usage: counts.usage,
        error,
    }
}

/// The failure of an answer without a terminal condition: it is not complete, whatever the HTTP status
/// said.
fn truncated(seen: &Trace) -> Fault {
    let (kind, message) = if seen.content.is_empty() && seen.usage.is_none() {
        (FaultKind::Empty, "the stream ended without any answer")
    } else {
        (FaultKind::Truncated, "the stream ended before the answer was complete")
    };
    Fault { kind, message: message.to_owned() }
}
