//! Bytes → frames: server-sent events, or one JSON object a line.

use crate::measure::event::Event;
use crate::measure::sse;
use crate::measure::wire::{Wire, WireKind};

/// A byte order mark is only ever at the very start, where no text begins with one by itself.
fn without_bom(line: &str) -> &str {
    line.strip_prefix('\u{feff}').unwrap_or(line)
}

/// The framing of a wire: server-sent events, or one JSON object a line.
pub(super) struct Frames {
    decoder: sse::Decoder,
    lines: Option<Vec<u8>>,
    limit: usize,
    /// Any frame came at all.
    pub(super) any: bool,
    /// A frame other than `[DONE]` came.
    pub(super) meaningful: bool,
}

impl Frames {
    pub(super) fn new(wire: WireKind, limit: usize) -> Self {
        Self {
            decoder: sse::Decoder::new(limit),
            lines: wire.is_lines().then(Vec::new),
            limit,
            any: false,
            meaningful: false,
        }
    }

    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        reader: &mut dyn Wire,
        out: &mut Vec<Event>,
    ) -> Result<(), sse::TooLarge> {
        let Some(line) = &mut self.lines else {
            let (any, meaningful) = (&mut self.any, &mut self.meaningful);
            return self.decoder.feed_each(bytes, &mut |event| {
                *any = true;
                *meaningful = *meaningful || !matches!(event.data.trim(), "" | "[DONE]");
                reader.frame(event.name, event.data, out);
            });
        };
        for &byte in bytes {
            if byte == b'\n' {
                self.any = true;
                self.meaningful |= !line.is_empty();
                reader.frame("", without_bom(&String::from_utf8_lossy(line)), out);
                line.clear();
            } else if line.len() >= self.limit {
                return Err(sse::TooLarge(self.limit));
            } else {
                line.push(byte);
            }
        }
        Ok(())
    }

    /// A last line without its line end is complete where its JSON is.
    pub(super) fn end(&mut self, reader: &mut dyn Wire, out: &mut Vec<Event>) {
        let Some(line) = self.lines.take() else { return };
        let text = String::from_utf8_lossy(&line);
        let text = without_bom(&text);
        if serde_json::from_str::<serde_json::Value>(text).is_ok() {
            self.any = true;
            reader.frame("", text, out);
        } else {
            self.lines = Some(line);
        }
    }

    pub(super) fn pending(&self) -> Option<String> {
        match &self.lines {
            Some(line) => (!line.is_empty()).then(|| String::from_utf8_lossy(line).into_owned()),
            None => self.decoder.pending(),
        }
    }
}
