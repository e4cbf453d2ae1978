//! Splits bytes into frames: server-sent events, one JSON object a line, or a body that is neither. The
//! first byte of an answer decides which it is, since its content type is often wrong.

use crate::measure::ending::Ending;
use crate::measure::event::Event;
use crate::measure::sse;
use crate::measure::wire::{Wire, WireKind};
use serde_json::Value;

const BOM: &[u8] = b"\xef\xbb\xbf";
/// Bytes of the body that are kept of an answer that is no stream.
const LONGEST_BODY: usize = 64 << 10;

/// Longest line without its end that is looked at, bytes.
const LONGEST_LOOKED_AT: usize = 16 << 10;

/// How an answer is framed.
enum Framing {
    /// Nothing but white space came so far.
    Unknown,
    Events(sse::Decoder),
    Lines(Vec<u8>),
    /// No stream: an error, an HTML page, or an answer in one piece.
    Body(Vec<u8>),
}

/// Splits the bytes of one answer into frames.
pub(super) struct Frames {
    framing: Framing,
    wire: WireKind,
    limit: usize,
    /// Bytes that came before the framing was known.
    begin: Vec<u8>,
    /// Any frame came at all.
    pub(super) any: bool,
    /// A frame came that is neither empty nor `[DONE]`.
    pub(super) meaningful: bool,
}

/// Where frames go.
pub(super) struct Readers<'a> {
    pub(super) wire: &'a mut dyn Wire,
    pub(super) ending: &'a mut Ending,
    pub(super) out: &'a mut Vec<Event>,
}

impl Readers<'_> {
    fn frame(&mut self, name: &str, data: &str) {
        // What follows the terminator is not part of the answer.
        if self.ending.is_over() {
            return;
        }
        let before = self.out.len();
        self.wire.frame(name, data, self.out);
        self.ending.frame(&self.out[before..]);
    }
}

impl Frames {
    pub(super) fn new(wire: WireKind, limit: usize) -> Self {
        Self { framing: Framing::Unknown, wire, limit, begin: Vec::new(), any: false, meaningful: false }
    }

    /// The next bytes of the answer.
    pub(super) fn feed(&mut self, bytes: &[u8], to: &mut Readers<'_>) -> Result<(), sse::TooLarge> {
        if let Framing::Unknown = self.framing {
            self.begin.extend_from_slice(bytes);
            let Some(first) = first_byte(&self.begin) else {
                if self.begin.len() > BOM.len() {
                    // Leading white space does not tell the framing.
                    self.begin.clear();
                }
                return Ok(());
            };
            self.framing = self.framing_of(first);
            let begin = std::mem::take(&mut self.begin);
            return self.framed(&begin, to);
        }
        self.framed(bytes, to)
    }

    fn framing_of(&self, first: u8) -> Framing {
        match first {
            b'{' if self.wire.is_lines() => Framing::Lines(Vec::new()),
            b'{' | b'[' | b'<' => Framing::Body(Vec::new()),
            _ => Framing::Events(sse::Decoder::new(self.limit).splitting()),
        }
    }

    fn framed(&mut self, bytes: &[u8], to: &mut Readers<'_>) -> Result<(), sse::TooLarge> {
        let (any, meaningful) = (&mut self.any, &mut self.meaningful);
        match &mut self.framing {
            Framing::Unknown => {}
            Framing::Events(decoder) => {
                let fed = decoder.feed_each(bytes, &mut |event| {
                    *any = true;
                    *meaningful = *meaningful || !matches!(event.data.trim(), "" | "[DONE]" | "\"[DONE]\"");
                    to.frame(event.name, event.data);
                });
                if let Some(stray) = decoder.take_stray_document() {
                    (*any, *meaningful) = (true, true);
                    to.frame("", &stray);
                }
                fed?;
                // The terminator needs no blank line behind it.
                if matches!(decoder.unfinished(), "[DONE]") {
                    *any = true;
                    to.frame("", "[DONE]");
                }
            }
            Framing::Lines(line) => {
                for &byte in bytes {
                    if byte == b'\n' {
                        *any = true;
                        *meaningful |= !line.is_empty();
                        to.frame("", without_bom(&String::from_utf8_lossy(line)));
                        line.clear();
                    } else if line.len() >= self.limit {
                        return Err(sse::TooLarge(self.limit));
                    } else {
                        line.push(byte);
                    }
                }
                // A whole object needs no line end behind it: none may come while the connection stays open.
                if line.len() <= LONGEST_LOOKED_AT && line.ends_with(b"}") {
                    let text = String::from_utf8_lossy(line).into_owned();
                    if is_json(without_bom(&text)) {
                        line.clear();
                        (*any, *meaningful) = (true, true);
                        to.frame("", without_bom(&text));
                    }
                }
            }
            Framing::Body(body) => {
                let room = LONGEST_BODY.saturating_sub(body.len());
                body.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
        }
        Ok(())
    }

    /// The stream is over. A last line without its line end is complete where its JSON is.
    pub(super) fn end(&mut self, to: &mut Readers<'_>) {
        let Framing::Lines(line) = &mut self.framing else { return };
        let text = String::from_utf8_lossy(line).into_owned();
        if is_json(without_bom(&text)) {
            line.clear();
            self.any = true;
            to.frame("", without_bom(&text));
        }
    }

    /// The body of an answer that is no stream.
    pub(super) fn body(&self) -> Option<String> {
        match &self.framing {
            Framing::Body(body) => Some(without_bom(&String::from_utf8_lossy(body)).to_owned()),
            _ => None,
        }
    }

    /// Is all of that body there, whether or not the connection ends?
    pub(super) fn body_is_whole(&self) -> bool {
        match &self.framing {
            Framing::Body(body) => {
                let ends = body.trim_ascii_end().last().is_some_and(|b| matches!(b, b'}' | b']'));
                body.len() == LONGEST_BODY || ends && self.body().is_some_and(|body| is_json(&body))
            }
            _ => false,
        }
    }

    /// The unfinished frame at the end, if there is one.
    pub(super) fn pending(&self) -> Option<String> {
        match &self.framing {
            Framing::Unknown => None,
            Framing::Lines(line) | Framing::Body(line) => {
                (!line.is_empty()).then(|| String::from_utf8_lossy(line).into_owned())
            }
            Framing::Events(decoder) => decoder.pending(),
        }
    }
}

/// The first byte that is neither white space nor part of a byte order mark.
fn first_byte(bytes: &[u8]) -> Option<u8> {
    let bytes = match bytes.strip_prefix(BOM) {
        Some(rest) => rest,
        None if BOM.starts_with(bytes) => return None,
        None => bytes,
    };
    bytes.iter().copied().find(|b| !b.is_ascii_whitespace())
}

/// Text without a byte order mark at its start.
fn without_bom(line: &str) -> &str {
    line.strip_prefix('\u{feff}').unwrap_or(line)
}

fn is_json(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(['{', '[']) && serde_json::from_str::<Value>(text).is_ok()
}
