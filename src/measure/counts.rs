//! Checks a provider's or an engine's token counts: the one place where a count is believed, doubted or
//! refused.
//!
//! A count is *unknown* where it says 0 for something that was there, *suspicious* where the answer
//! or its limit speaks against it (it is kept and marked), and *impossible* where it contradicts
//! itself; that kind is refused where the record is read (see [`usage`](super::usage)).

use super::event::{FinishReason, Usage};
use super::trace::{Piece, Trace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who counts the tokens of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The provider, in its usage record.
    ByProvider,
    /// The local engine, token by token.
    ByEngine,
}

/// Who counted the tokens of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    Usage,
    LocalTokenizer,
    NotMeasured,
}

/// What a reader of one answer's figures must know beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The server counted 0 input tokens for a prompt: how many there were is not known.
    NoInputCount,
    /// The server counted 0 output tokens for an answer that has text: how many there were is not
    /// known.
    NoOutputCount,
    /// More output tokens than were asked for at most.
    OverLimit,
    /// Exactly as many output tokens as were asked for at most, although the server says that the
    /// model stopped by itself or called a tool: the answer was probably cut.
    ProbablyCut,
    /// The text came in so few pieces at once that there is no time per token.
    OneBurst,
    /// The time per token would be shorter than any system needs for one: the text was held back and
    /// let go at once.
    BeyondBelief,
    /// The answer ended inside a thought: there is no answer text.
    CutInThought,
    /// A key was taken out of the stored text, so what is stored is not what was graded.
    Redacted,
}

/// Output tokens per second of one stream above which a rate is taken for a fault of the measurement:
/// several times what the fastest services state (about 3,000 in 2026), and above what single products
/// promise (17,000).
pub const FASTEST_TPS: f64 = 20_000.0;
/// The same where the text comes in larger pieces, whose times say less about single tokens.
const FASTEST_IN_PIECES_TPS: f64 = 5_000.0;
/// From this many tokens a piece on, the tokens of the first piece are estimated from its share of the
/// text; below, the first piece is taken for one token.
const LARGE_PIECE: f64 = 2.0;

/// The counts of one answer, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    pub source: TokenSource,
    /// All input tokens, cached or not.
    pub input: Option<u64>,
    /// All output tokens, reasoning included.
    pub output: Option<u64>,
    /// Output tokens that are not reasoning.
    pub visible: Option<u64>,
    /// The provider's record, with what is unknown left out.
    pub usage: Usage,
    /// Reasoning was counted, but none of it was sent.
    pub hidden_reasoning: bool,
    pub doubts: Vec<Doubt>,
}

/// Checks the counts of an answer against everything else that is known of it.
pub fn judge(seen: &Trace, counted: Counted) -> Counts {
    let mut usage = seen.usage.clone().unwrap_or_default();
    let mut doubts = Vec::new();
    let no_cache = usage.cache_read.unwrap_or(0) + usage.cache_write.unwrap_or(0) == 0;
    if usage.input_uncached == Some(0) && no_cache {
        usage.input_uncached = None;
        doubts.push(Doubt::NoInputCount);
    }
    if counted == Counted::ByProvider && usage.output == Some(0) && !seen.content.is_empty() {
        usage.output = None;
        doubts.push(Doubt::NoOutputCount);
    }
    let (source, output) = match counted {
        Counted::ByEngine => {
            let engine = || Some(seen.engine_tokens).filter(|n| *n > 0);
            (TokenSource::LocalTokenizer, usage.output.or_else(engine))
        }
        Counted::ByProvider if usage.output.is_some() && !usage.inconsistent => {
            (TokenSource::Usage, usage.output)
        }
        Counted::ByProvider => (TokenSource::NotMeasured, None),
    };
    let sent_reasoning = seen.content.iter().any(|piece| piece.is_reasoning());
    if counted == Counted::ByEngine && sent_reasoning {
        usage.reasoning = Some(seen.engine_thought_tokens());
    }
    // Thoughts inside the text are part of the count, and were not counted separately.
    let apart = usage.reasoning.is_some_and(|n| n > 0) || !seen.thoughts_in_text;
    let visible = output.filter(|_| apart).and_then(|n| n.checked_sub(usage.reasoning.unwrap_or(0)));
    if let (Counted::ByProvider, Some(n), Some(limit)) = (counted, output, seen.limit.map(u64::from)) {
        if n > limit {
            doubts.push(Doubt::OverLimit);
        } else if n == limit
            && matches!(seen.finish, Some(FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other))
        {
            doubts.push(Doubt::ProbablyCut);
        }
    }
    if seen.inside_thought {
        doubts.push(Doubt::CutInThought);
    }
    if seen.redacted {
        doubts.push(Doubt::Redacted);
    }
    let input = seen.tokenized.map(|(_, n)| u64::from(n)).or_else(|| {
        let cached = usage.cache_read.unwrap_or(0) + usage.cache_write.unwrap_or(0);
        Some(usage.input_uncached? + cached)
    });
    let hidden_reasoning = usage.reasoning.unwrap_or(0) > 0 && !sent_reasoning;
    Counts { source, input, output, visible, usage, hidden_reasoning, doubts }
}

impl Counts {
    /// Milliseconds per output token after the first event, from the times and sizes of all events. `None`,
    /// with the doubt noted, where the events do not tell.
    ///
    /// The tokens of the first event were generated before it, so they do not count. Where events hold one
    /// token each, that is one token; where they hold many, the first event's share of the text is its
    /// share of the tokens, but each of the others has at least one.
    pub fn time_per_token_ms(&mut self, content: &[Piece], counted: Counted) -> Option<f64> {
        let (first, last) = (content.first()?, content.last()?);
        let between_ms = last.0.checked_sub(first.0).map(|ns| ns as f64 / 1e6)?;
        if counted == Counted::ByEngine && last.2 > 0 {
            let tokens = last.2 - first.2;
            return (tokens > 0 && between_ms > 0.0).then(|| between_ms / tokens as f64);
        }
        // Hidden reasoning was generated before the first event: only visible tokens lie between the
        // first and the last.
        let tokens = (if self.hidden_reasoning { self.visible } else { self.output })? as f64;
        if tokens < 2.0 {
            return None;
        }
        let events = content.len() as f64;
        let in_pieces = tokens / events > LARGE_PIECE;
        let in_first = if in_pieces {
            let bytes: f64 = content.iter().map(|p| f64::from(p.3)).sum();
            let share = f64::from(first.3) / bytes.max(1.0);
            (tokens * share).min(tokens - (events - 1.0)).max(1.0)
        } else {
            1.0
        };
        let after = tokens - in_first;
        if after < 1.0 || between_ms <= 0.0 {
            self.doubts.push(Doubt::OneBurst);
            return None;
        }
        let fastest = if in_pieces { FASTEST_IN_PIECES_TPS } else { FASTEST_TPS };
        if after * 1000.0 / between_ms > fastest {
            self.doubts.push(Doubt::BeyondBelief);
            return None;
        }
        Some(between_ms / after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::event::Channel;
    use proptest::prelude::*;

    fn pieces(at: &[(u64, u32)]) -> Vec<Piece> {
        at.iter().map(|(ms, bytes)| Piece(ms * 1_000_000, Channel::Text, 0, *bytes)).collect()
    }
    fn counted(output: u64, content: Vec<Piece>) -> (Counts, Option<f64>) {
        let usage = Usage { input_uncached: Some(9), output: Some(output), ..Usage::default() };
        let seen = Trace { usage: Some(usage), content, ..Trace::default() };
        let mut counts = judge(&seen, Counted::ByProvider);
        let tpot = counts.time_per_token_ms(&seen.content, Counted::ByProvider);
        (counts, tpot)
    }
    fn per_second(tpot: Option<f64>) -> f64 {
        1000.0 / tpot.expect("a rate")
    }

    #[test]
    fn the_first_of_few_events_takes_its_share_of_the_tokens_with_it() {
        let (_, tpot) = counted(125, pieces(&[(500, 560), (1000, 140)]));
        assert!((per_second(tpot) - 50.0).abs() < 1.0, "{tpot:?}");
        // One token an event: the first one's length says nothing.
        let each: Vec<(u64, u32)> = (0..100).map(|n| (200 + 20 * n, if n == 0 { 40 } else { 4 })).collect();
        assert_eq!(counted(100, pieces(&each)).1, Some(20.0));
    }

    #[test]
    fn one_burst_has_no_rate() {
        for content in [pieces(&[(500, 700)]), pieces(&[(500, 690), (500, 10)])] {
            let (counts, tpot) = counted(125, content.clone());
            assert_eq!(tpot, None);
            assert_eq!(counts.doubts.is_empty(), content.len() == 1 && tpot.is_some());
        }
        let (counts, tpot) = counted(3000, pieces(&[(500, 10), (501, 700), (502, 700)]));
        assert_eq!((counts.doubts, tpot), (vec![Doubt::BeyondBelief], None));
        assert!(counted(1, pieces(&[(500, 4)])).0.doubts.is_empty(), "one token has no rate and no fault");
    }

    #[test]
    fn a_count_of_nothing_for_something_is_no_count() {
        let usage = |input, output| Usage { input_uncached: input, output, ..Usage::default() };
        let judged = |usage: Usage| {
            let seen = Trace { usage: Some(usage), content: pieces(&[(1, 5)]), ..Trace::default() };
            judge(&seen, Counted::ByProvider)
        };
        let counts = judged(usage(Some(0), Some(2)));
        assert_eq!((counts.input, counts.output, counts.source), (None, Some(2), TokenSource::Usage));
        let counts = judged(usage(Some(9), Some(0)));
        assert_eq!((counts.input, counts.output, counts.source), (Some(9), None, TokenSource::NotMeasured));
        let cached = Usage { cache_read: Some(1500), ..usage(Some(0), Some(2)) };
        assert_eq!(judged(cached).input, Some(1500), "all of it came from a cache");
    }

    #[test]
    fn counts_beside_the_limit_are_marked() {
        let doubts = |output, finish| {
            let usage = Usage { input_uncached: Some(9), output: Some(output), ..Usage::default() };
            let seen =
                Trace { usage: Some(usage), finish: Some(finish), limit: Some(16), ..Trace::default() };
            judge(&seen, Counted::ByProvider).doubts
        };
        assert_eq!(doubts(900, FinishReason::Stop), [Doubt::OverLimit]);
        assert_eq!(doubts(16, FinishReason::Stop), [Doubt::ProbablyCut]);
        assert_eq!(doubts(16, FinishReason::Length), []);
        assert_eq!(doubts(15, FinishReason::Stop), []);
    }

    proptest! {
        /// The rate is never faster than all tokens in the time between, nor than anything is believed.
        #[test]
        fn no_rate_is_beyond_belief(
            output in 1u64..5000, events in proptest::collection::vec((0u64..5000, 0u32..500), 1..60),
        ) {
            let mut at: Vec<(u64, u32)> = events;
            at.sort_unstable();
            if let (_, Some(ms)) = counted(output, pieces(&at)) {
                prop_assert!(ms.is_finite() && ms > 0.0 && 1000.0 / ms <= FASTEST_TPS);
                let between = (at[at.len() - 1].0 - at[0].0) as f64;
                prop_assert!(ms * (output as f64 - 1.0) + 1e-6 >= between);
            }
        }
    }
}
