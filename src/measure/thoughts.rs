//! Separates the thoughts of a reasoning model from its answer. Every name that servers use for them is
//! here, in one place.
//!
//! Thoughts come in three ways: in a field of their own ([`FIELDS`]), as typed parts of the content
//! ([`PARTS`]), or in the text itself between markers ([`MARKERS`]), where the server did not remove them.
//! The [`Splitter`] finds the last kind while the text streams in, wherever it is cut into pieces.

use serde_json::Value;

/// Keys of a message or delta that hold reasoning. The first that has text counts: some servers send the
/// same text under two names.
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

/// Keys of a part that hold its text.
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

/// Appends the text of a value: a string as it is, or the texts of an object or of a list of them, three
/// levels deep at most.
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
    /// What opens a thought, at the beginning of the answer or right after another thought.
    pub open: &'static str,
    /// What ends it: the first of these that comes.
    pub close: &'static [&'static str],
    /// Its end is unmistakable enough to end a thought that the prompt's template opened, so that no
    /// opening marker is in the text.
    pub unopened: bool,
    /// It may also open a thought later in the text, except inside quotations and code.
    pub anywhere: bool,
}

const fn tag(open: &'static str, close: &'static [&'static str]) -> Marker {
    Marker { open, close, unopened: true, anywhere: false }
}

const HARMONY: &[&str] = &["<|channel|>final<|message|>", "<|end|>", "<|return|>", "<|call|>"];

/// The markers in use; letters in them count in either case. Sources: the reasoning parsers of vLLM and `SGLang`, llama.cpp's chat formats,
/// and the models' own templates.
pub const MARKERS: &[Marker] = &[
    Marker { anywhere: true, ..tag("<think>", &["</think>"]) },
    tag("<thinking>", &["</thinking>"]),
    tag("<thought>", &["</thought>"]),
    tag("<reasoning>", &["</reasoning>"]),
    tag("<antThinking>", &["</antThinking>"]),
    // Phi's answers end in one of these.
    Marker { unopened: false, ..tag("<|think|>", &["<|/think|>", "<|end|>"]) },
    tag("<|thinking|>", &["<|/thinking|>"]),
    tag("<|begin_of_thinking|>", &["<|end_of_thinking|>"]),
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
    Marker { unopened: false, ..tag("<|channel|>commentary<|message|>", HARMONY) },
    Marker { unopened: false, ..tag("<|start|>assistant<|channel|>commentary<|message|>", HARMONY) },
    Marker {
        unopened: false,
        ..tag("Here is my thought process:", &["Here is my response:", "Here's my response:"])
    },
    Marker {
        unopened: false,
        ..tag("Here's my thought process:", &["Here is my response:", "Here's my response:"])
    },
];

/// Markers around the answer itself, which are no part of it.
struct Frame {
    open: &'static str,
    close: &'static str,
    /// The opening marker could be text of the answer, so it counts only right after a thought.
    after_thought: bool,
}

const FRAMES: &[Frame] = &[
    Frame {
        open: "<|start|>assistant<|channel|>final<|message|>",
        close: "<|return|>",
        after_thought: false,
    },
    Frame { open: "<|channel|>final<|message|>", close: "<|return|>", after_thought: false },
    // The same held to a form.
    Frame {
        open: "<|start|>assistant<|channel|>final <|constrain|>json<|message|>",
        close: "<|return|>",
        after_thought: false,
    },
    Frame {
        open: "<|start|>assistant<|channel|>final<|constrain|>json<|message|>",
        close: "<|return|>",
        after_thought: false,
    },
    Frame {
        open: "<|channel|>final <|constrain|>json<|message|>",
        close: "<|return|>",
        after_thought: false,
    },
    Frame { open: "<|channel|>final<|constrain|>json<|message|>", close: "<|return|>", after_thought: false },
    // GLM's models that see.
    Frame { open: "<|begin_of_box|>", close: "<|end_of_box|>", after_thought: false },
    Frame { open: "<|START_RESPONSE|>", close: "<|END_RESPONSE|>", after_thought: false },
    Frame { open: "<|begin_of_solution|>", close: "<|end_of_solution|>", after_thought: false },
    Frame { open: "<response>", close: "</response>", after_thought: true },
    Frame { open: "<answer>", close: "</answer>", after_thought: true },
];

/// What is left of gpt-oss's channels where a server takes its marks out and nothing else:
/// `analysisThe user asks.assistantfinalParis`.
const STRIPPED_OPEN: &str = "analysis";
const STRIPPED_CLOSE: &str = "assistantfinal";

/// The marker of the thought that a rendered prompt leaves open, so that the answer begins inside it;
/// `None`: it leaves none open.
pub fn opened_by(prompt: &str) -> Option<&'static Marker> {
    let end = prompt.trim_end();
    MARKERS.iter().find(|m| m.unopened && end.ends_with(m.open))
}

/// The marker whose opening is this text.
pub fn marker(open: &str) -> Option<&'static Marker> {
    MARKERS.iter().find(|m| m.open == open)
}

/// What a piece of text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Answer,
    Thought,
}

/// What one more piece of text contained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    pub answer: String,
    pub thought: String,
    /// What the text held back before has turned out to be, where that is known now.
    pub held: Option<Kind>,
    /// All answer text so far was a thought that the template had opened.
    pub all_was_thought: bool,
}

/// The state of the splitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the answer came yet: a marker may open a thought.
    Begin,
    Thought(&'static [&'static str]),
    Answer,
}

/// Separates thoughts from text that comes in pieces.
#[derive(Debug, Clone)]
pub struct Splitter {
    state: State,
    /// Text that may be the beginning of a marker.
    held: String,
    /// A thought was seen in the text, opened or closed.
    marked: bool,
    /// How the answer so far ends.
    ends: Ends,
    /// What ends the answer, where its beginning was marked.
    frame: Option<&'static str>,
    /// The thought under way began in the middle of the answer.
    midway: bool,
    /// An opening mark was quoted: its closing one is, too.
    quoted: bool,
    /// The answer begins with the name of a channel that lost its marks.
    stripped: bool,
}

/// How a text ends: whether it is inside a quotation or code, where a marker does not count.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    last: Option<char>,
    /// Backticks at the end.
    ticks: u8,
    /// Inside a block of code between lines of three backticks.
    fenced: bool,
}

impl Ends {
    fn note(&mut self, text: &str) {
        // Before the last character only backticks matter.
        if self.ticks == 0 && !text.contains('`') {
            self.last = text.chars().next_back().or(self.last);
            return;
        }
        for c in text.chars() {
            self.ticks = if c == '`' { self.ticks.saturating_add(1) } else { 0 };
            self.fenced ^= self.ticks == 3;
            self.last = Some(c);
        }
    }
    fn after(mut self, text: &str) -> Self {
        self.note(text);
        self
    }
    fn quotes(self) -> bool {
        self.fenced || matches!(self.last, Some('`' | '"' | '\''))
    }
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            state: State::Begin,
            held: String::new(),
            marked: false,
            ends: Ends::default(),
            frame: None,
            midway: false,
            quoted: false,
            stripped: false,
        }
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

    /// Did that thought begin in the middle of the answer? Then it was not a thought, since a real one
    /// ends.
    pub fn began_midway(&self) -> bool {
        self.is_inside() && self.midway
    }

    /// Is all of the next piece of text answer? Nearly every piece is, and needs no [`Split`]. If `false`,
    /// the piece must still be fed.
    pub fn passes(&mut self, text: &str) -> bool {
        let plain = self.state == State::Answer
            && self.held.is_empty()
            && !self.stripped
            && !text.bytes().any(may_mark);
        if plain {
            self.ends.note(text);
        }
        plain
    }

    /// Takes in one more piece of text.
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
                    self.ends.note(part);
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

    /// The text is over: decides about what was held back.
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

    /// What kind of text `rest` begins with, and how many bytes of it. `None`: it cannot be told yet.
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
        let opening = MARKERS.iter().find(|m| begins(after, m.open));
        if let Some(marker) = opening {
            (self.state, self.marked) = (State::Thought(marker.close), true);
            return (Some(Kind::Thought), space + marker.open.len());
        }
        // Some models close a thought twice.
        let closing = || MARKERS.iter().filter(|m| self.marked && m.unopened).flat_map(|m| m.close).copied();
        if let Some(again) = closing().find(|close| begins(after, close)) {
            return (Some(Kind::Thought), space + again.len());
        }
        let frames = || FRAMES.iter().filter(|f| self.marked || !f.after_thought);
        if let Some(frame) = frames().find(|f| begins(after, f.open)) {
            (self.state, self.marked, self.frame) = (State::Answer, true, Some(frame.close));
            return (Some(Kind::Thought), space + frame.open.len());
        }
        let opening = MARKERS.iter().map(|m| m.open).chain(frames().map(|f| f.open));
        let mut words = opening.chain(closing());
        if STRIPPED_OPEN.starts_with(after) || words.any(|word| begins(word, after)) {
            return (None, 0);
        }
        let stripped = |rest: &str| rest.strip_prefix(STRIPPED_OPEN)?.chars().next();
        self.stripped = !self.marked && stripped(after).is_some_and(char::is_uppercase);
        // White space after a thought belongs to neither; it is counted with the thought.
        self.state = State::Answer;
        if self.marked && space > 0 {
            return (Some(Kind::Thought), space);
        }
        self.answer(rest, split)
    }

    /// Within the answer: the text up to the next marker, or the marker.
    fn answer(&mut self, rest: &str, split: &mut Split) -> (Option<Kind>, usize) {
        let opening = MARKERS.iter().filter(|m| m.anywhere).map(|m| m.open);
        let unmarked = MARKERS.iter().filter(|m| m.unopened && !self.marked);
        let closing = unmarked.flat_map(|m| m.close.iter().copied());
        let words = opening.chain(closing).chain(self.frame).chain(self.stripped.then_some(STRIPPED_CLOSE));
        let mut from = 0;
        while let Some((at, word)) = earliest(&rest[from..], words.clone()) {
            let (at, end) = (from + at, from + at + word.len());
            let marker = MARKERS.iter().find(|m| m.anywhere && m.open == word);
            let closes = marker.is_none() && self.frame != Some(word) && word != STRIPPED_CLOSE;
            if self.ends.after(&rest[..at]).quotes() || closes && self.quoted {
                self.quoted = marker.is_some();
                from = end;
                continue;
            }
            // A mark that the template opened the thought: what was taken for answer was thought, too.
            if marker.is_none() && self.frame != Some(word) {
                (self.state, self.marked, self.stripped) = (State::Begin, true, false);
                // Nothing of the answer is left that could quote what comes.
                self.ends = Ends::default();
                split.all_was_thought = true;
                let before = std::mem::take(&mut split.answer);
                split.thought.insert_str(0, &before);
                return (Some(Kind::Thought), end);
            }
            if at > 0 {
                return (Some(Kind::Answer), at);
            }
            match marker {
                Some(marker) => {
                    (self.state, self.marked, self.midway) = (State::Thought(marker.close), true, true);
                }
                None => self.frame = None,
            }
            return (Some(Kind::Thought), end);
        }
        Self::all_but_a_beginning(rest, Kind::Answer, &words)
    }

    /// All of `rest` except an end that may be the beginning of one of these words.
    fn all_but_a_beginning(
        rest: &str,
        kind: Kind,
        words: &(impl Iterator<Item = &'static str> + Clone),
    ) -> (Option<Kind>, usize) {
        let longest = words.clone().map(str::len).max().unwrap_or(0);
        let from = rest.len().saturating_sub(longest);
        let held =
            rest.char_indices().map(|(at, _)| at).filter(|at| *at >= from).find(|at| {
                words.clone().any(|word| word.len() > rest.len() - at && begins(word, &rest[*at..]))
            });
        match held {
            Some(0) => (None, 0),
            Some(at) => (Some(kind), at),
            None => (Some(kind), rest.len()),
        }
    }
}

/// Bytes that a marker within an answer can begin with.
const fn may_mark(byte: u8) -> bool {
    matches!(byte, b'<' | b'[' | 0xe2)
}

/// Place of the first of these words in a text, and the word; of several at one place the longest.
fn earliest(text: &str, words: impl Iterator<Item = &'static str>) -> Option<(usize, &'static str)> {
    words
        .filter_map(|word| Some((find(text, word)?, word)))
        .min_by_key(|(at, word)| (*at, std::cmp::Reverse(word.len())))
}

/// Does a text begin with these words, ignoring ASCII case?
fn begins(text: &str, words: &str) -> bool {
    text.as_bytes().get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words.as_bytes()))
}

/// Place of these words in a text, ignoring ASCII case.
fn find(text: &str, words: &str) -> Option<usize> {
    let first = words.as_bytes().first()?;
    let mut from = 0;
    loop {
        // All of them begin with a character that is not a letter.
        let at = from + text.as_bytes()[from..].iter().position(|byte| byte.eq_ignore_ascii_case(first))?;
        if begins(&text[at..], words) {
            return Some(at);
        }
        from = at + 1;
        while !text.is_char_boundary(from) {
            from += 1;
        }
    }
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
        assert_eq!(answer("Well: <think>London</think>Paris"), "Well: Paris");
        assert_eq!(answer("<think>a</think>Par<think>b</think>is"), "Paris");
    }

    #[test]
    fn what_is_quoted_or_closed_twice_or_has_lost_its_marks() {
        let quotes = "Write \"<think>London</think>\" around it.";
        for (text, wanted) in [
            (quotes, quotes),
            ("<think>London?</think>\n</think>\nParis", "Paris"),
            ("analysisThe user asks. London?assistantfinalParis", "Paris"),
            ("analysis of London: a city", "analysis of London: a city"),
            ("Analysis: London", "Analysis: London"),
            ("A", "A"),
            ("London<|end|>", "London<|end|>"),
            (
                "<|channel|>analysis<|message|>London?<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>Paris<|return|>",
                "Paris",
            ),
            ("<think>London?</think><|begin_of_box|>Paris<|end_of_box|>", "Paris"),
        ] {
            for size in [1, 3, 4, 1000] {
                let letters: Vec<char> = text.chars().collect();
                let pieces: Vec<String> = letters.chunks(size).map(|part| part.iter().collect()).collect();
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                assert_eq!(
                    parts(Splitter::default(), &pieces).0.trim(),
                    wanted,
                    "{text} in pieces of {size}"
                );
            }
        }
    }

    #[test]
    fn the_frame_of_an_answer_is_no_part_of_it() {
        for text in [
            "<|START_THINKING|>London<|END_THINKING|><|START_RESPONSE|>Paris<|END_RESPONSE|>",
            "<|begin_of_thought|>London<|end_of_thought|>\n<|begin_of_solution|>Paris<|end_of_solution|>",
            "<think>London</think>\n<response>Paris</response>",
            "<think>\nLondon\n</think>\n<answer>Paris</answer>",
            "<|channel|>final<|message|>Paris<|return|>",
            "<Think>London</THINK>Paris",
        ] {
            assert_eq!(answer(text), "Paris", "{text}");
        }
        let own = "<answer>Paris</answer> and more";
        assert_eq!(answer(own), own, "nobody thought before");
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
            "```xml\n<think>London</think>\n```",
            "A file:\n```\nx</think>y\n```\nend",
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
        /// It makes no difference where a text is cut into pieces.
        #[test]
        fn any_split_gives_the_same_parts(
            words in proptest::collection::vec(prop_oneof![
                Just("<think>"), Just("</think>"), Just("\n"), Just("London "), Just("<"), Just("[THINK]"),
                Just("[/THINK]"), Just("`"), Just("```"), Just("\n<answer>"), Just("</answer>"), Just("</THINK>"), Just("◁think▷"), Just("◁/think▷"), Just("<|channel|>analysis<|message|>"),
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
