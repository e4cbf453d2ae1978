//! The answers of APIs in every wire, as streams of frames: the first byte picks the wire. How they are
//! cut changes nothing, and an answer that has failed is not complete.

use freehold::measure::event::Event;
use freehold::measure::provider_error;
use freehold::measure::retry::{self, Wait};
use freehold::measure::sse::Decoder;
use freehold::measure::wire::WireKind;

fn read<'a>(wire: WireKind, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut reader = wire.reader();
    let mut events = Vec::new();
    let mut decoder = Decoder::new(1 << 20);
    let mut lines = Vec::new();
    for chunk in chunks {
        if wire.is_lines() {
            lines.extend_from_slice(chunk);
            continue;
        }
        let mut frames = Vec::new();
        if decoder.feed(chunk, &mut frames).is_err() {
            return events;
        }
        for frame in frames {
            reader.frame(&frame.name, &frame.data, &mut events);
        }
    }
    for line in String::from_utf8_lossy(&lines).lines().filter(|line| !line.trim().is_empty()) {
        reader.frame("", line, &mut events);
    }
    events
}

pub fn check(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let wire = match kind % 5 {
        0 => WireKind::OpenAiChat,
        1 => WireKind::OpenAiResponses,
        2 => WireKind::Anthropic,
        3 => WireKind::Gemini,
        _ => WireKind::Ollama,
    };
    let whole = format!("{:?}", read(wire, std::iter::once(data)));
    let pieces = format!("{:?}", read(wire, data.chunks(7)));
    assert_eq!(pieces, whole, "in pieces of seven bytes");
    // The same bytes as the body of a refusal, and as one of its headers.
    let text = String::from_utf8_lossy(data);
    for status in [200, 400, 401, 429, 529] {
        let _ = provider_error::in_answer(status, &text, Wait::Unsaid, Wait::Unsaid);
    }
    let _ = retry::retry_after(&text, 1_700_000_000);
}
