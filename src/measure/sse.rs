//! Server-sent events by the WHATWG rules, incrementally: bytes in, events out, at any split.
//!
//! This is our own, because `eventsource-stream` 0.2.3 lacks what a measurement needs: it holds back a line
//! that ends in a lone CR until the next byte comes, scans a line from its beginning with every chunk, ends
//! the stream on invalid UTF-8, has no size limit, and forgets what was pending when the stream ends (which
//! tells a truncated answer from a complete one).

use std::borrow::Cow;

/// One dispatched event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// The event's name, `message` where it has none.
    pub name: String,
    pub data: String,
    pub last_event_id: String,
}

/// An event at the moment it is dispatched, borrowed from the decoder.
#[derive(Debug, Clone, Copy)]
pub struct Dispatched<'a> {
    pub name: &'a str,
    pub data: &'a str,
    pub last_event_id: &'a str,
}

/// An event or line is larger than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one event of the stream is larger than {0} bytes")]
pub struct TooLarge(pub usize);

/// Is this one whole JSON object?
fn is_object(data: &str) -> bool {
    data.starts_with('{')
        && data.ends_with('}')
        && serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok()
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The decoder's state between two chunks.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// Bytes of a BOM seen at the very start; `None` once the start is over.
    bom: Option<usize>,
    /// The last byte was a CR that already ended its line: a LF now belongs to it.
    after_cr: bool,
    line: Vec<u8>,
    name: String,
    data: String,
    has_data: bool,
    last_event_id: String,
    retry_ms: Option<u64>,
    /// A whole document in `data` ends its event, whether or not a blank line does.
    splits: bool,
    /// Lines outside any field, and how many of their bytes have been examined.
    stray: String,
    stray_seen: usize,
}

/// Most bytes of text outside any field that are kept.
const LONGEST_STRAY: usize = 64 << 10;

impl Decoder {
    /// A decoder that refuses events larger than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bom: Some(0),
            after_cr: false,
            line: Vec::new(),
            name: String::new(),
            data: String::new(),
            has_data: false,
            last_event_id: String::new(),
            retry_ms: None,
            splits: false,
            stray: String::new(),
            stray_seen: 0,
        }
    }

    /// Against the standard: a `data` line behind a whole JSON object begins an event of its own, for
    /// servers that leave the blank lines out.
    #[must_use]
    pub fn splitting(self) -> Self {
        Self { splits: true, ..self }
    }

    /// The data of an event whose blank line did not come yet.
    pub fn unfinished(&self) -> &str {
        &self.data
    }

    /// Decodes the next bytes; complete events are appended to `out`.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<SseEvent>) -> Result<(), TooLarge> {
        self.feed_each(bytes, &mut |event| {
            out.push(SseEvent {
                name: event.name.to_owned(),
                data: event.data.to_owned(),
                last_event_id: event.last_event_id.to_owned(),
            });
        })
    }

    /// Decodes the next bytes; `each` is called with every complete event, without allocating for it.
    pub fn feed_each(
        &mut self,
        mut bytes: &[u8],
        each: &mut dyn FnMut(Dispatched<'_>),
    ) -> Result<(), TooLarge> {
        while let Some(seen) = self.bom {
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            if byte == BOM[seen] {
                bytes = rest;
                self.bom = (seen + 1 < BOM.len()).then_some(seen + 1);
            } else {
                // Not a BOM after all: what looked like one is content.
                self.line.extend_from_slice(&BOM[..seen]);
                self.bom = None;
            }
        }
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + part.len() + self.data.len() > self.limit {
                return Err(TooLarge(self.limit));
            }
            let Some(end) = end else {
                self.line.extend_from_slice(part);
                break;
            };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if self.line.is_empty() {
                self.end_line(part, each);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(part);
                self.end_line(&line, each);
                line.clear();
                self.line = line;
            }
        }
        Ok(())
    }

    /// Text of an unfinished event, and text outside any field. The standard discards both, but they tell
    /// why an answer broke off.
    pub fn pending(&self) -> Option<String> {
        let line = String::from_utf8_lossy(&self.line);
        let text = format!("{}{}{line}", self.stray, self.data);
        (!text.trim().is_empty()).then_some(text)
    }

    /// Lines outside any field that together are a JSON document: some servers write an error into a stream
    /// without `data:` before it. Each document is returned once.
    pub fn take_stray_document(&mut self) -> Option<String> {
        if self.stray.len() == self.stray_seen {
            return None;
        }
        self.stray_seen = self.stray.len();
        let text = self.stray.trim();
        // Earlier servers of llama.cpp use a field named `error`.
        let error = text.strip_prefix("error:").map(str::trim_start);
        let text = error.unwrap_or(text);
        let may_be = text.starts_with(['{', '[']) && text.ends_with(['}', ']']);
        if !may_be || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return None;
        }
        let document = error.map(|error| format!("{{\"error\":{error}}}"));
        self.stray_seen = 0;
        let stray = std::mem::take(&mut self.stray);
        Some(document.unwrap_or(stray))
    }

    /// The reconnection time in milliseconds that the server asked for.
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    fn end_line(&mut self, bytes: &[u8], each: &mut dyn FnMut(Dispatched<'_>)) {
        // Line ends are ASCII, so decoding by line gives what decoding the whole stream would.
        let line = match std::str::from_utf8(bytes) {
            Ok(line) => Cow::Borrowed(line),
            Err(_) => String::from_utf8_lossy(bytes),
        };
        if line.is_empty() {
            self.dispatch(each);
        } else {
            if self.splits && self.has_data && line.starts_with("data:") && is_object(&self.data) {
                self.dispatch(each);
            }
            self.field(&line);
        }
    }

    fn field(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.name),
            "id" if !value.contains('\0') => value.clone_into(&mut self.last_event_id),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                self.retry_ms = value.parse().ok().or(self.retry_ms);
            }
            // A comment, and what the standard ignores by name.
            "" | "id" | "retry" => {}
            _ => {
                if self.stray.len() + line.len() < LONGEST_STRAY {
                    self.stray.push_str(line);
                    self.stray.push('\n');
                }
            }
        }
    }

    fn dispatch(&mut self, each: &mut dyn FnMut(Dispatched<'_>)) {
        if std::mem::take(&mut self.has_data) {
            let name = if self.name.is_empty() { "message" } else { &self.name };
            each(Dispatched { name, data: &self.data, last_event_id: &self.last_event_id });
        }
        self.name.clear();
        self.data.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(chunks: &[&[u8]]) -> Vec<SseEvent> {
        let mut decoder = Decoder::new(1 << 20);
        let mut out = Vec::new();
        for chunk in chunks {
            decoder.feed(chunk, &mut out).expect("small");
        }
        out
    }

    #[test]
    fn a_lone_cr_dispatches_without_waiting() {
        assert_eq!(decode(&[b"data: a\r\r"]).len(), 1);
        assert_eq!(decode(&[b"data: a\r", b"\n\r\n", b"data: b\r\n\r\n"]).len(), 2);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut decoder = Decoder::new(1000);
        let mut out = Vec::new();
        let outcome = (0..100).try_for_each(|_| decoder.feed(b"data: aaaaaaaaaaaaaaaaaaaa\n", &mut out));
        assert_eq!(outcome, Err(TooLarge(1000)));
        assert!(out.is_empty());
        let mut decoder = Decoder::new(1000);
        assert!((0..100).try_for_each(|_| decoder.feed(&[b'x'; 100], &mut out)).is_err());
    }

    #[test]
    fn what_stands_outside_any_field_is_kept_and_changes_nothing() {
        let mut decoder = Decoder::new(1000);
        let mut out = Vec::new();
        decoder.feed(b"{\"error\":\n \"x\"}\n\ndata: a\n\n", &mut out).expect("small");
        assert_eq!(out.len(), 1);
        assert_eq!(decoder.take_stray_document().as_deref(), Some("{\"error\":\n \"x\"}\n"));
        assert_eq!((decoder.take_stray_document(), decoder.pending()), (None, None));
    }

    #[test]
    fn what_is_pending_at_the_end_is_known() {
        let mut decoder = Decoder::new(1000);
        decoder.feed(b"data: {\"a\"\ndata", &mut Vec::new()).expect("small");
        assert_eq!(decoder.pending().as_deref(), Some("{\"a\"data"));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), Just(0xef), Just(0xbb), Just(0xbf), any::<u8>()], 0..200),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = decode(&[&bytes]);
            let at = cut.index(bytes.len() + 1);
            prop_assert_eq!(&whole, &decode(&[&bytes[..at], &bytes[at..]]));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&whole, &decode(&single));
        }
    }
}
