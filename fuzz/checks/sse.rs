//! Event streams: what is decoded does not depend on where the network cut them.

use freehold::measure::sse::{Decoder, SseEvent};

const LIMIT: usize = 1 << 12;

/// The events, and whether all of it was taken.
fn decode<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<SseEvent>, bool) {
    let mut decoder = Decoder::new(LIMIT);
    let mut events = Vec::new();
    let taken = chunks.into_iter().all(|chunk| decoder.feed(chunk, &mut events).is_ok());
    (events, taken)
}

pub fn check(data: &[u8]) {
    let whole = decode(std::iter::once(data));
    for event in &whole.0 {
        assert!(event.data.len() <= 3 * LIMIT, "an event beyond the limit");
    }
    assert_eq!(decode(data.chunks(1)), whole, "byte by byte");
    let at = data.first().map_or(0, |n| usize::from(*n)).min(data.len());
    assert_eq!(decode([&data[..at], &data[at..]].into_iter()), whole, "cut at {at}");
}
