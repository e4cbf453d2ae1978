//! Thoughts of a reasoning model, apart from its answer: every name that servers give them, in one
//! place.
//!
//! Thoughts come in three ways: in a field of their own ([`FIELDS`]), as typed parts of the content
//! ([`PARTS`]), or in the text itself between markers ([`MARKERS`]), where nobody took them out. The
//! [`Splitter`] finds the last kind while the text comes in, at whatever places it is cut.

use serde_json::Value;

/// Members of a message or delta that hold reasoning. The first that says something counts: some
/// servers send the same text under two names.
pub const FIELDS: &[&str] = &[
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "thinking_content",
    "reasoning_details",
    "thinking_blocks",
    "thought",
    "thoughts",
    "reasoning_summary",
];

/// Types of content parts, and of blocks, that hold reasoning.
pub const PARTS: &[&str] = &[
    "thinking",
    "thinking_delta",
    "reasoning",
    "reasoning_content",
    "reasoning_text",
    "reasoning.text",
    "reasoning.summary",
    "summary_text",
    "thought",
];

/// Members of a part that hold its text.
const TEXTS: &[&str] = &["text", "thinking", "reasoning", "content", "summary", "thought"];

/// The reasoning in a message or delta, under whichever name; empty where there is none.
pub fn in_fields(delta: &Value) -> String {
    let mut out = String::new();
    for field in FIELDS {
        if let Some(value) = delta.get(field) {
            gather(value, &mut out, 0);
            if !out.is_empty() {
                break;
            }
        }
    }
    out
}

/// Is this the type of a part that holds reasoning?
pub fn is_part(kind: &str) -> bool {
    PARTS.contains(&kind)
}

/// The text of a part of reasoning, or of a list of such parts.
pub fn of_part(part: &Value) -> String {
    let mut out = String::new();
    gather(part, &mut out, 0);
    out
}

/// Text as it is, or the text members of an object or of a list of them.
fn gather(value: &Value, out: &mut String, depth: u8) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(parts) if depth < 3 => parts.iter().for_each(|part| gather(part, out, depth + 1)),
        Value::Object(part) if depth < 3 => {
            if let Some(inner) = TEXTS.iter().find_map(|name| part.get(*name)) {
                gather(inner, out, depth + 1);
            }
        }
        _ => {}
    }
}

/// How one family of models marks its thoughts in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// What opens a thought: at the beginning of the answer, or right after another thought.
    pub open: &'static str,
    /// What ends it; the first that comes.
    pub close: &'static [&'static str],
    /// Clear enough to end a thought that the prompt's template opened, so that no opening mark is in
    /// the text.
    pub unopened: bool,
    /// It may also open a thought at the beginning of a later line.
    pub anywhere: bool,
}

const fn tag(open: &'static str, close: &'static [&'static str]) -> Marker {
    Marker { open, close, unopened: true, anywhere: false }
}

const HARMONY: &[&str] = &["<|channel|>final<|message|>", "<|end|>", "<|return|>", "<|call|>"];

/// The markers in use. Sources: the reasoning parsers of vLLM and `SGLang`, llama.cpp's chat formats,
/// and the models' own templates.
pub const MARKERS: &[Marker] = &[
    Marker { anywhere: true, ..tag("<think>", &["</think>"]) },
    tag("<thinking>", &["</thinking>"]),
    tag("<thought>", &["</thought>"]),
    tag("<reasoning>", &["</reasoning>"]),
    tag("[THINK]", &["[/THINK]"]),
    tag("<seed:think>", &["</seed:think>"]),
    tag("<mm:think>", &["</mm:think>"]),
    tag("<longcat_think>", &["</longcat_think>"]),
    tag("◁think▷", &["◁/think▷"]),
    tag("<|START_THINKING|>", &["<|END_THINKING|>"]),
    tag("<|begin_of_thought|>", &["<|end_of_thought|>"]),
    tag("<|inner_prefix|>", &["<|inner_suffix|>"]),
    tag("<|channel>thought", &["<channel|>"]),
    tag("<unused94>thought", &["<unused95>"]),
    Marker { unopened: false, ..tag("<|channel|>analysis<|message|>", HARMONY) },
    Marker { unopened: false, ..tag("<|start|>assistant<|channel|>analysis<|message|>", HARMONY) },
    Marker {
        unopened: false,
        ..tag("Here is my thought process:", &["Here is my response:", "Here's my response:"])
    },
    Marker {
        unopened: false,
        ..tag("Here's my thought process:", &["Here is my response:", "Here's my response:"])
    },
];

/// Control words that say that the answer begins: they are no part of it.
const ANSWER_BEGINS: &[&str] = &[
    "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>final<|message|>",
    "<|START_RESPONSE|>",
    "<|begin_of_solution|>",
];

/// Does a rendered prompt leave a thought open, so that the answer begins inside it?
pub fn opened_by(prompt: &str) -> Option<&'static Marker> {
    let end = prompt.trim_end();
    MARKERS.iter().find(|m| m.unopened && end.ends_with(m.open))
}

/// The marker that opens a thought in these words.
pub fn marker(open: &str) -> Option<&'static Marker> {
    MARKERS.iter().find(|m| m.open == open)
}

/// What a piece of text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Answer,
    Thought,
}

/// What one more piece of text brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    pub answer: String,
    pub thought: String,
    /// What the text held back before turned out to be, where that is known now.
    pub held: Option<Kind>,
    /// All answer text so far was a thought that the template had opened.
    pub all_was_thought: bool,
}

/// Where the splitter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the answer came yet: a marker may open a thought.
    Begin,
    Thought(&'static [&'static str]),
    Answer,
}

/// Takes thoughts out of text that comes in pieces.
#[derive(Debug, Clone)]
pub struct Splitter {
    state: State,
    /// Text that may be the beginning of a marker.
    held: String,
    /// A thought was seen in the text, opened or closed.
    marked: bool,
    /// The last character of the answer so far.
    last: Option<char>,
    /// The thought under way began in the middle of the answer.
    midway: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self { state: State::Begin, held: String::new(), marked: false, last: None, midway: false }
    }
}

impl Splitter {
    /// For an answer that begins inside a thought.
    pub fn inside(marker: &'static Marker) -> Self {
        Self { state: State::Thought(marker.close), marked: true, ..Self::default() }
    }

    /// Did any thought come in the text?
    pub fn marked(&self) -> bool {
        self.marked
    }

    /// Did the text end inside a thought?
    pub fn is_inside(&self) -> bool {
        matches!(self.state, State::Thought(_))
    }

    /// Did that thought begin in the middle of the answer? Then it was no thought: one that is meant
    /// ends.
    pub fn began_midway(&self) -> bool {
        self.is_inside() && self.midway
    }

    /// One more piece of text: is all of it answer? Nearly every piece is, and needs no [`Split`]. If
    /// not, it is still to be fed.
    pub fn passes(&mut self, text: &str) -> bool {
        let plain = self.state == State::Answer && self.held.is_empty() && !text.bytes().any(may_mark);
        if plain {
            self.last = text.chars().next_back().or(self.last);
        }
        plain
    }

    /// One more piece of text.
    pub fn feed(&mut self, text: &str) -> Split {
        if self.passes(text) {
            return Split { answer: text.to_owned(), ..Split::default() };
        }
        let had_held = !self.held.is_empty();
        let mut buffer = std::mem::take(&mut self.held);
        buffer.push_str(text);
        let mut split = Split::default();
        let mut rest = buffer.as_str();
        let mut first = None;
        while !rest.is_empty() {
            let (kind, length) = self.next(rest, &mut split);
            let Some(kind) = kind else { break };
            first.get_or_insert(kind);
            let (part, after) = rest.split_at(length);
            match kind {
                Kind::Answer => {
                    split.answer.push_str(part);
                    self.last = part.chars().next_back();
                }
                Kind::Thought => split.thought.push_str(part),
            }
            rest = after;
        }
        rest.clone_into(&mut self.held);
        if split.all_was_thought {
            first = Some(Kind::Thought);
        }
        split.held = first.filter(|_| had_held);
        split
    }

    /// The text is over: what was held back is what it seems to be.
    pub fn finish(&mut self) -> Split {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Split::default();
        }
        match self.state {
            State::Thought(_) => Split { thought: held, held: Some(Kind::Thought), ..Split::default() },
            State::Begin if held.trim().is_empty() && self.marked => {
                Split { thought: held, held: Some(Kind::Thought), ..Split::default() }
            }
            _ => Split { answer: held, held: Some(Kind::Answer), ..Split::default() },
        }
    }

    /// What the beginning of the text is, and how much of it. `None`: it cannot be told yet.
    fn next(&mut self, rest: &str, split: &mut Split) -> (Option<Kind>, usize) {
        match self.state {
            State::Begin => self.begin(rest, split),
            State::Thought(close) => {
                if let Some((at, mark)) = earliest(rest, close.iter().copied()) {
                    self.state = if self.midway { State::Answer } else { State::Begin };
                    self.midway = false;
                    return (Some(Kind::Thought), at + mark.len());
                }
                Self::all_but_a_beginning(rest, Kind::Thought, &close.iter().copied())
            }
            State::Answer => self.answer(rest, split),
        }
    }

    /// Before the answer: white space, an opening marker, or the answer itself.
    fn begin(&mut self, rest: &str, split: &mut Split) -> (Option<Kind>, usize) {
        let space = rest.len() - rest.trim_start().len();
        let after = &rest[space..];
        let opening = MARKERS.iter().find(|m| after.starts_with(m.open));
        if let Some(marker) = opening {
            (self.state, self.marked) = (State::Thought(marker.close), true);
            return (Some(Kind::Thought), space + marker.open.len());
        }
        if let Some(word) = ANSWER_BEGINS.iter().find(|word| after.starts_with(**word)) {
            (self.state, self.marked) = (State::Answer, true);
            return (Some(Kind::Thought), space + word.len());
        }
        let words = || MARKERS.iter().map(|m| m.open).chain(ANSWER_BEGINS.iter().copied());
        if after.is_empty() || words().any(|word| word.starts_with(after)) {
            return (None, 0);
        }
        // White space after a thought belongs to neither; it is counted with the thought.
        self.state = State::Answer;
        if self.marked && space > 0 {
            return (Some(Kind::Thought), space);
        }
        self.answer(rest, split)
    }

    fn answer(&mut self, rest: &str, split: &mut Split) -> (Option<Kind>, usize) {
        let line_begins = self.last == Some('\n');
        if line_begins && let Some(marker) = MARKERS.iter().find(|m| m.anywhere && rest.starts_with(m.open)) {
            (self.state, self.marked, self.midway) = (State::Thought(marker.close), true, true);
            return (Some(Kind::Thought), marker.open.len());
        }
        // Up to the end of the line, behind which a marker may stand.
        let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
        if !self.marked {
            let closing = MARKERS.iter().filter(|m| m.unopened).flat_map(|m| m.close.iter().copied());
            let mut from = 0;
            while let Some((at, mark)) = earliest(&rest[from..line], closing.clone()) {
                let (at, end) = (from + at, from + at + mark.len());
                let before = rest[..at].chars().next_back().or(self.last);
                if !matches!(before, Some('`' | '"' | '\'')) {
                    (self.state, self.marked) = (State::Begin, true);
                    split.all_was_thought = true;
                    // What was taken for answer in this very piece was thought, too.
                    let before = std::mem::take(&mut split.answer);
                    split.thought.insert_str(0, &before);
                    return (Some(Kind::Thought), end);
                }
                from = end;
            }
            if line == rest.len() && !rest.ends_with('\n') {
                let beginning = Self::all_but_a_beginning(rest, Kind::Answer, &closing);
                if beginning.1 < rest.len() {
                    return beginning;
                }
            }
        }
        let opening = || MARKERS.iter().filter(|m| m.anywhere).map(|m| m.open);
        if line_begins && opening().any(|open| open.starts_with(rest)) {
            return (None, 0);
        }
        (Some(Kind::Answer), line)
    }

    /// Everything but what may be the beginning of one of these words.
    fn all_but_a_beginning(
        rest: &str,
        kind: Kind,
        words: &(impl Iterator<Item = &'static str> + Clone),
    ) -> (Option<Kind>, usize) {
        let longest = words.clone().map(str::len).max().unwrap_or(0);
        let from = rest.len().saturating_sub(longest);
        let held = rest
            .char_indices()
            .map(|(at, _)| at)
            .filter(|at| *at >= from)
            .find(|at| words.clone().any(|word| word.starts_with(&rest[*at..])));
        match held {
            Some(0) => (None, 0),
            Some(at) => (Some(kind), at),
            None => (Some(kind), rest.len()),
        }
    }
}

/// Bytes that a marker within an answer can begin with.
const fn may_mark(byte: u8) -> bool {
    matches!(byte, b'<' | b'[' | 0xe2 | b'\n')
}

/// The first of these words in a text, the longest of those at one place.
fn earliest(text: &str, words: impl Iterator<Item = &'static str>) -> Option<(usize, &'static str)> {
    words
        .filter_map(|word| Some((text.find(word)?, word)))
        .min_by_key(|(at, word)| (*at, std::cmp::Reverse(word.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn add(answer: &mut String, thought: &mut String, split: &Split) {
        if split.all_was_thought {
            thought.push_str(&std::mem::take(answer));
        }
        answer.push_str(&split.answer);
        thought.push_str(&split.thought);
    }
    /// Answer and thought of a text in these pieces.
    fn parts(mut splitter: Splitter, pieces: &[&str]) -> (String, String) {
        let (mut answer, mut thought) = (String::new(), String::new());
        for piece in pieces {
            let split = splitter.feed(piece);
            add(&mut answer, &mut thought, &split);
        }
        let split = splitter.finish();
        add(&mut answer, &mut thought, &split);
        (answer, thought)
    }
    fn answer(text: &str) -> String {
        parts(Splitter::default(), &[text]).0
    }

    #[test]
    fn every_marker_is_taken_out_with_what_stands_between() {
        for marker in MARKERS {
            for close in marker.close {
                let text = format!("\n{} London? {close}\n\nParis", marker.open);
                assert_eq!(answer(&text), "Paris", "{text}");
            }
            if marker.unopened {
                let close = marker.close[0];
                assert_eq!(answer(&format!("London? No.\n{close}\n\nParis")), "Paris", "{close}");
                assert_eq!(parts(Splitter::inside(marker), &["London?", close, " Paris"]).0, "Paris");
            }
        }
    }

    #[test]
    fn two_thoughts_and_one_in_the_middle() {
        assert_eq!(answer("<think>a</think>\n<think>b</think>\nParis"), "Paris");
        assert_eq!(answer("Well.\n<think>London</think>\nParis"), "Well.\n\nParis");
    }

    #[test]
    fn the_channels_of_harmony_are_told_apart() {
        let text =
            "<|channel|>analysis<|message|>London?<|end|><|start|>assistant<|channel|>final<|message|>Paris";
        assert_eq!(answer(text), "Paris");
        assert_eq!(answer("<|channel|>final<|message|>Paris"), "Paris");
    }

    #[test]
    fn words_about_markers_are_no_markers() {
        for text in [
            "Use `<think>` to open and `</think>` to close.",
            "a < b, c[0] and \"</think>\"",
            "[1] Paris",
            "  Paris\n",
            "<thin ice>",
            "Here is my answer.",
            "",
            "\n\n",
        ] {
            assert_eq!(parts(Splitter::default(), &[text]), (text.to_owned(), String::new()));
        }
    }

    #[test]
    fn a_prompt_may_open_the_thought() {
        assert_eq!(opened_by("<|im_start|>assistant\n<think>\n").map(|m| m.open), Some("<think>"));
        assert_eq!(opened_by("<|im_start|>assistant\n<think>\n\n</think>\n\n"), None);
        assert_eq!(opened_by("<|im_start|>assistant\n"), None);
    }

    #[test]
    fn a_cut_thought_is_known_as_one() {
        let mut splitter = Splitter::default();
        let split = splitter.feed("<think>hm, Lon");
        assert_eq!((split.answer.as_str(), splitter.is_inside()), ("", true));
        assert!(!splitter.began_midway());
        let mut splitter = Splitter::default();
        splitter.feed("A tag\n<think>is");
        assert!(splitter.began_midway());
    }

    #[test]
    fn reasoning_has_many_names_and_one_text() {
        #[allow(clippy::needless_pass_by_value, reason = "shorter to call")]
        let says = |delta: Value| in_fields(&delta);
        for name in FIELDS {
            assert_eq!(says(json!({ *name: "hm" })), "hm", "{name}");
            assert_eq!(
                says(json!({ *name: [{"type": "x", "text": "h"}, {"thinking": "m"}] })),
                "hm",
                "{name}"
            );
        }
        assert_eq!(says(json!({"reasoning_content": "hm", "reasoning": "hm"})), "hm");
        assert_eq!(says(json!({"reasoning_content": null, "reasoning": ""})), "");
        assert_eq!(says(json!({"content": "text"})), "");
    }

    proptest! {
        /// Where a text is cut into pieces changes nothing.
        #[test]
        fn any_split_gives_the_same_parts(
            words in proptest::collection::vec(prop_oneof![
                Just("<think>"), Just("</think>"), Just("\n"), Just("London "), Just("<"), Just("[THINK]"),
                Just("[/THINK]"), Just("`"), Just("◁think▷"), Just("◁/think▷"), Just("<|channel|>analysis<|message|>"),
                Just("<|end|>"), Just("<|start|>assistant<|channel|>final<|message|>"), Just("Paris"), Just("é "),
                Just("Here is my thought process:"), Just("Here is my response:"),
            ], 0..8),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let text = words.concat();
            let whole = parts(Splitter::default(), &[&text]);
            let mut places: Vec<usize> = cuts.iter().map(|c| c.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.retain(|at| text.is_char_boundary(*at));
            places.sort_unstable();
            let pieces: Vec<&str> = places.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            prop_assert_eq!(&parts(Splitter::default(), &pieces), &whole);
            let single: Vec<String> = text.chars().map(String::from).collect();
            let single: Vec<&str> = single.iter().map(String::as_str).collect();
            prop_assert_eq!(&parts(Splitter::default(), &single), &whole);
            prop_assert_eq!(whole.0.len() + whole.1.len(), text.len(), "nothing is lost");
        }
    }
}
