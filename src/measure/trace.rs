//! The trace of one answer, from its events: what came and when, before any figure is computed.
//!
//! Thoughts inside the text are separated here, for APIs and local models alike, so that every clock, count
//! and grade sees the same answer.

use super::event::{Channel, Event, Fault, FinishReason, Nanos, Stamped, ToolCall, Usage};
use super::thoughts::{Kind, Marker, Split, Splitter};
use serde::{Deserialize, Serialize};

/// Most bytes of reasoning that are kept.
pub const LONGEST_THOUGHTS: usize = 16 << 10;

/// What the events of one answer say, before any figure is computed. It is what a journal keeps:
/// every definition can be applied to it again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    pub headers: Option<Nanos>,
    pub status: Option<u16>,
    pub connection_reused: Option<bool>,
    #[serde(default)]
    pub http2: Option<bool>,
    /// The wall clock when the headers came, seconds since 1970.
    #[serde(default)]
    pub unix: Option<i64>,
    pub request_id: Option<String>,
    /// Local: when the prompt was tokenised, and its tokens.
    pub tokenized: Option<(Nanos, u32)>,
    pub prefilled: Option<Nanos>,
    /// Every non-empty delta.
    pub content: Vec<Piece>,
    /// Tokens the local engine counted.
    pub engine_tokens: u64,
    /// The last usage record seen.
    pub usage: Option<Usage>,
    /// The engine's own counters: prompt tokens and ms, output tokens and ms.
    pub engine: Option<(u32, f64, u32, f64)>,
    /// Local: tokens that were sampled and made into text, and the milliseconds that took.
    #[serde(default)]
    pub sampling: Option<(u32, f64)>,
    /// Local: joules that the device used, and over how many milliseconds.
    #[serde(default)]
    pub energy: Option<(f64, f64)>,
    pub finish: Option<FinishReason>,
    pub fault: Option<Fault>,
    /// The answer: text and refusal, without reasoning and tool calls.
    pub text: String,
    /// The tools that the answer calls, with their arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The reasoning that was sent, at most its first [`LONGEST_THOUGHTS`] bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thoughts: String,
    /// Characters of all reasoning that was sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub thought_chars: u64,
    /// The reasoning was in the text, between markers, so its tokens were not counted separately.
    #[serde(default, skip_serializing_if = "is_false")]
    pub thoughts_in_text: bool,
    /// The text ended inside a thought.
    #[serde(default, skip_serializing_if = "is_false")]
    pub inside_thought: bool,
    /// API: the model that answered, in the server's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The limit on output tokens in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// A key was removed from the answer: what is kept is not what came.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redacted: bool,
    pub unknown: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_gap_ms: Option<f64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(b: &bool) -> bool {
    !*b
}

/// One non-empty delta: its time, its channel, the engine's tokens up to and including it, and its bytes of
/// text. A delta that ends a thought and begins the answer belongs to the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece(pub Nanos, pub Channel, pub u64, pub u32);

impl Piece {
    pub const fn is_reasoning(self) -> bool {
        matches!(self.1, Channel::Reasoning)
    }
}

impl Trace {
    /// The trace of these events.
    pub fn of(events: &[Stamped]) -> Self {
        let mut recorder = Recorder::default();
        events.iter().cloned().for_each(|event| recorder.note(event));
        recorder.finish()
    }

    /// Tokens of the reasoning that the local engine sent.
    pub fn engine_thought_tokens(&self) -> u64 {
        let mut before = 0;
        let mut tokens = 0;
        for piece in &self.content {
            if piece.is_reasoning() {
                tokens += piece.2 - before;
            }
            before = piece.2;
        }
        tokens
    }
}

/// Makes a trace from the events of one answer, as they come.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    trace: Trace,
    splitter: Splitter,
    /// Indices of pieces of which it is not known yet whether they are answer or thought.
    undecided: Vec<usize>,
    /// Where a thought in the middle of the answer began: byte of `thoughts`, and index of `content`.
    midway: Option<(usize, usize)>,
}

impl Recorder {
    /// A recorder for an answer of at most so many tokens.
    pub fn new(max_output_tokens: u32) -> Self {
        let trace = Trace { limit: Some(max_output_tokens), ..Trace::default() };
        Self { trace, ..Self::default() }
    }

    /// The prompt's template opened a thought, so the answer begins inside it.
    fn inside(&mut self, marker: &'static Marker) {
        self.splitter = Splitter::inside(marker);
    }

    /// Takes in one more event.
    pub fn note(&mut self, Stamped { at, event }: Stamped) {
        let trace = &mut self.trace;
        match event {
            Event::Headers { status, connection_reused, request_id, http2, unix } => {
                trace.headers = Some(at);
                trace.status = Some(status);
                trace.connection_reused = connection_reused;
                trace.http2 = http2;
                trace.unix = unix;
                trace.request_id = request_id;
            }
            Event::Tokenized { prompt_tokens, thought_opened } => {
                trace.tokenized = Some((at, prompt_tokens));
                if let Some(marker) = thought_opened.and_then(|open| super::thoughts::marker(&open)) {
                    self.inside(marker);
                }
            }
            Event::PrefillDone => trace.prefilled = Some(at),
            Event::Content { channel, text, tokens } => {
                trace.engine_tokens += u64::from(tokens.unwrap_or(0));
                if !text.is_empty() {
                    // Content after a finish reason withdraws the reason.
                    trace.finish = None;
                    self.content(at, channel, &text);
                }
            }
            Event::ToolCall { id, name } => {
                let id = id.unwrap_or_else(|| format!("call_{}", trace.tool_calls.len() + 1));
                trace.tool_calls.push(ToolCall { id, name, arguments: String::new() });
            }
            Event::Usage(usage) => trace.usage = Some(usage),
            Event::Finished { reason } => trace.finish = Some(reason),
            Event::Failed(fault) => trace.fault = trace.fault.take().or(Some(fault)),
            Event::EngineTimings { prompt_tokens, prompt_ms, output_tokens, output_ms } => {
                trace.engine = Some((prompt_tokens, prompt_ms, output_tokens, output_ms));
            }
            Event::Sampling { tokens, ms } => trace.sampling = Some((tokens, ms)),
            Event::Energy { joules, over_ms } => trace.energy = Some((joules, over_ms)),
            Event::Model { name } => trace.model = Some(name),
            Event::RunsElsewhere { .. } | Event::End | Event::Refused { .. } => {}
            Event::Unknown => trace.unknown += 1,
        }
    }

    fn content(&mut self, at: Nanos, channel: Channel, text: &str) {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let trace = &mut self.trace;
        let place = trace.content.len();
        trace.content.push(Piece(at, channel, trace.engine_tokens, bytes));
        match channel {
            Channel::Text if self.splitter.passes(text) => trace.text.push_str(text),
            Channel::Text => {
                let was_inside = self.splitter.is_inside();
                let split = self.splitter.feed(text);
                if self.splitter.began_midway() && !was_inside {
                    let opened = split.thought.rfind('<').unwrap_or(0);
                    self.midway = Some((trace.thoughts.len() + opened, place));
                }
                if split.answer.is_empty() {
                    trace.content[place].1 = Channel::Reasoning;
                    if split.thought.is_empty() {
                        self.undecided.push(place);
                    }
                }
                self.apply(&split, place);
            }
            Channel::Refusal => trace.text.push_str(text),
            Channel::Reasoning => self.think(text),
            Channel::Tool => {
                if let Some(call) = trace.tool_calls.last_mut() {
                    call.arguments.push_str(text);
                }
            }
        }
    }

    /// Takes in what the splitter made of the text; `place` is the index of the piece that brought the last
    /// of it.
    fn apply(&mut self, split: &Split, place: usize) {
        let trace = &mut self.trace;
        if let Some(kind) = split.held {
            let channel = if kind == Kind::Answer { Channel::Text } else { Channel::Reasoning };
            for held in self.undecided.drain(..).filter(|held| *held < place) {
                trace.content[held].1 = channel;
            }
        }
        if split.all_was_thought {
            let earlier = trace.content[..place].iter_mut();
            earlier.filter(|p| p.1 == Channel::Text).for_each(|p| p.1 = Channel::Reasoning);
            let text = std::mem::take(&mut trace.text);
            self.think(&text);
        }
        self.trace.text.push_str(&split.answer);
        self.think(&split.thought);
    }

    fn think(&mut self, text: &str) {
        self.trace.thought_chars += text.chars().count() as u64;
        self.trace.thoughts.push_str(text);
    }

    /// The trace of everything that came.
    pub fn finish(mut self) -> Trace {
        let split = self.splitter.finish();
        let places = self.trace.content.len();
        self.apply(&split, places);
        let trace = &mut self.trace;
        if let Some((from, place)) = self.midway.filter(|_| self.splitter.began_midway()) {
            // The answer only mentioned a tag, which nothing closes.
            let text = trace.thoughts.split_off(from.min(trace.thoughts.len()));
            trace.thought_chars -= text.chars().count() as u64;
            trace.text.push_str(&text);
            trace.content[place..].iter_mut().for_each(|p| p.1 = Channel::Text);
        } else {
            trace.inside_thought = self.splitter.is_inside();
        }
        trace.thoughts_in_text = self.splitter.marked() && trace.thought_chars > 0;
        let mut end = LONGEST_THOUGHTS.min(trace.thoughts.len());
        while !trace.thoughts.is_char_boundary(end) {
            end -= 1;
        }
        trace.thoughts.truncate(end);
        self.trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(at: Nanos, text: &str) -> Stamped {
        Stamped { at, event: Event::Content { channel: Channel::Text, text: text.into(), tokens: Some(1) } }
    }
    fn channels(trace: &Trace) -> Vec<(Nanos, Channel)> {
        trace.content.iter().map(|p| (p.0, p.1)).collect()
    }

    #[test]
    fn a_thought_in_the_text_moves_the_clock_of_the_answer_and_not_the_first_one() {
        use Channel::{Reasoning, Text};
        let trace = Trace::of(&[
            content(1, "<thi"),
            content(2, "nk>London?"),
            content(3, "</think>"),
            content(4, "\n\n"),
            content(5, "Paris"),
        ]);
        assert_eq!(
            channels(&trace),
            [(1, Reasoning), (2, Reasoning), (3, Reasoning), (4, Reasoning), (5, Text)]
        );
        assert_eq!((trace.text.as_str(), trace.thoughts_in_text), ("Paris", true));
        assert_eq!(trace.engine_thought_tokens(), 4);
    }

    #[test]
    fn a_thought_that_the_template_opened_is_known_at_its_end() {
        let trace = Trace::of(&[content(1, "London? "), content(2, "No.\n</think>\n\nParis")]);
        assert_eq!(channels(&trace), [(1, Channel::Reasoning), (2, Channel::Text)]);
        assert_eq!(trace.text, "Paris");
        assert!(trace.thoughts.starts_with("London? No."));
    }

    #[test]
    fn what_looked_like_a_marker_and_was_none_keeps_its_time() {
        let trace = Trace::of(&[content(1, "<"), content(2, "thin ice>")]);
        assert_eq!(channels(&trace), [(1, Channel::Text), (2, Channel::Text)]);
        assert_eq!((trace.text.as_str(), trace.thoughts_in_text), ("<thin ice>", false));
        let open = Trace::of(&[content(1, "A tag:\n"), content(2, "<think>"), content(3, " opens")]);
        assert_eq!((open.text.as_str(), open.inside_thought), ("A tag:\n<think> opens", false));
        assert!(open.content.iter().all(|p| !p.is_reasoning()));
    }

    #[test]
    fn an_answer_cut_inside_a_thought_has_no_text() {
        let trace = Trace::of(&[content(1, "<think>"), content(2, "Lon")]);
        assert_eq!((trace.text.as_str(), trace.inside_thought), ("", true));
        let opened = Event::Tokenized { prompt_tokens: 9, thought_opened: Some("<think>".into()) };
        let trace = Trace::of(&[Stamped { at: 0, event: opened }, content(1, "London?"), content(2, " No")]);
        assert_eq!((trace.text.as_str(), trace.inside_thought), ("", true));
    }

    #[test]
    fn content_withdraws_a_reason() {
        let stop = |at| Stamped { at, event: Event::Finished { reason: FinishReason::Stop } };
        assert_eq!(Trace::of(&[content(1, "a"), stop(1), content(2, "b")]).finish, None);
        assert_eq!(Trace::of(&[content(1, "a"), stop(1)]).finish, Some(FinishReason::Stop));
    }
}
