//! Recorded streams of real providers and the public event-stream suites, fed whole, byte by byte
//! and at random splits. The cases are made by others and kept beside the project.

use crate::needs::shared;
use crate::run::base64;
use freehold::measure::ending::{Ending, StreamEnd};
use freehold::measure::event::{Channel, Event, Usage};
use freehold::measure::retry::{self, Wait};
use freehold::measure::sse::{Decoder, SseEvent};
use freehold::measure::wire::WireKind;
use serde_json::Value;

#[track_caller]
fn cases(file: &str) -> Option<Value> {
    let text = shared(&format!("testdata/{file}"))?;
    Some(serde_json::from_str(&text).expect("test data is JSON"))
}

/// A small generator: splits must be the same each time.
fn split_at_random(bytes: &[u8], mut seed: u64) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (part, after) = rest.split_at(rest.len().min(1 + (seed >> 33) as usize % 97));
        parts.push(part);
        rest = after;
    }
    parts
}

fn sse(chunks: &[&[u8]]) -> (Vec<SseEvent>, Option<u64>) {
    let mut decoder = Decoder::new(16 << 20);
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk, &mut events).expect("below the limit");
    }
    (events, decoder.retry_ms())
}

#[test]
fn event_streams_are_decoded_by_the_standard() {
    for file in ["sse_wpt.json", "sse_extra.json"] {
        let Some(data) = cases(file) else { return };
        for case in data["parse_cases"].as_array().expect("cases") {
            let name = case["name"].as_str().expect("a name");
            let bytes = base64(case["input_b64"].as_str().expect("input"));
            let (whole, retry) = sse(&[&bytes]);
            let wanted: Vec<SseEvent> = case["expected_events"]
                .as_array()
                .expect("events")
                .iter()
                .map(|e| SseEvent {
                    name: e["type"].as_str().expect("type").to_owned(),
                    data: e["data"].as_str().expect("data").to_owned(),
                    last_event_id: e["last_event_id"].as_str().expect("id").to_owned(),
                })
                .collect();
            assert_eq!(whole, wanted, "{name}");
            assert_eq!(retry, case["expected_retry_ms"].as_u64(), "{name}");
            assert_eq!(sse(&bytes.chunks(1).collect::<Vec<_>>()).0, wanted, "{name}, byte by byte");
            for at in 0..=bytes.len().min(4000) {
                assert_eq!(sse(&[&bytes[..at], &bytes[at..]]).0, wanted, "{name}, split at {at}");
            }
        }
    }
}

/// What a stream says, in the terms of the expectations.
#[derive(Debug, Default, PartialEq)]
struct Read {
    text: String,
    reasoning_chars: usize,
    finished: bool,
    failed: bool,
    usage: Option<Usage>,
}

fn read(wire: WireKind, chunks: &[&[u8]]) -> Read {
    read_to_the_end(wire, chunks).0
}

/// The same, and what is known of the answer's end.
fn read_to_the_end(wire: WireKind, chunks: &[&[u8]]) -> (Read, Ending) {
    let mut reader = wire.reader();
    let mut decoder = Decoder::new(16 << 20);
    let mut read = Read::default();
    let mut ending = Ending::new(wire.has_terminator());
    for chunk in chunks {
        let mut frames = Vec::new();
        decoder.feed(chunk, &mut frames).expect("below the limit");
        let mut events = Vec::new();
        for frame in frames {
            let before = events.len();
            reader.frame(&frame.name, &frame.data, &mut events);
            ending.frame(&events[before..]);
        }
        for event in events {
            match event {
                Event::Content { channel: Channel::Text, text, .. } => read.text.push_str(&text),
                Event::Content { channel: Channel::Reasoning, text, .. } => {
                    read.reasoning_chars += text.chars().count();
                }
                Event::Usage(usage) => read.usage = Some(usage),
                Event::Finished { .. } => read.finished = true,
                Event::Failed(_) | Event::Refused { .. } => read.failed = true,
                _ => {}
            }
        }
    }
    (read, ending)
}

/// The recorded answers that are whole: name, wire and bytes.
fn whole_answers(data: &Value) -> Vec<(String, WireKind, Vec<u8>)> {
    let mut found = Vec::new();
    for case in data["cases"].as_array().expect("cases") {
        let wire = match case["shape"].as_str().expect("a shape") {
            "openai-chat-sse" => WireKind::OpenAiChat,
            "openai-responses-sse" => WireKind::OpenAiResponses,
            "anthropic-sse" => WireKind::Anthropic,
            "gemini-sse" => WireKind::Gemini,
            _ => continue,
        };
        if case["expected"].get("error").is_none() {
            let name = case["name"].as_str().expect("a name").to_owned();
            found.push((name, wire, base64(case["input_b64"].as_str().expect("input"))));
        }
    }
    found
}

/// Places to cut a stream: around the end of each event, and some in between.
fn cuts(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.windows(2).enumerate().filter(|(_, w)| *w == b"\n\n" || *w == b"\n\r").map(|(at, _)| at);
    let around: Vec<usize> = ends.flat_map(|at| [at, at + 1, at + 2]).collect();
    let some = (0..=bytes.len()).step_by(1 + bytes.len() / 40);
    let mut places: Vec<usize> =
        around.iter().copied().step_by(1 + around.len() / 120).chain(some).chain([bytes.len()]).collect();
    places.retain(|at| *at <= bytes.len());
    places
}

/// The state machine of the end, over what providers really sent: wherever a stream is broken off, the
/// answer is called whole only where all of it has come, and where it was cut into pieces on its way
/// changes nothing.
#[test]
fn the_end_of_a_recorded_answer_is_known_at_every_cut() {
    let Some(data) = cases("provider_streams.json") else { return };
    for (name, wire, bytes) in whole_answers(&data) {
        let (all, ending) = read_to_the_end(wire, &[&bytes]);
        let reason = ending.whole(StreamEnd::Complete);
        assert!(reason.is_some(), "{name}: whole at its end");
        assert_eq!(ending.whole(StreamEnd::Closed), reason, "{name}: closed in order");
        for at in cuts(&bytes) {
            let (part, ending) = read_to_the_end(wire, &[&bytes[..at]]);
            for end in [StreamEnd::Complete, StreamEnd::Closed, StreamEnd::Broken] {
                if ending.whole(end).is_some() {
                    assert_eq!(part.text, all.text, "{name}: cut at {at}, taken for whole ({end:?})");
                    assert_eq!(part.reasoning_chars, all.reasoning_chars, "{name}: cut at {at}");
                }
            }
            let (again, ending) = read_to_the_end(wire, &[&bytes[..at], &bytes[at..]]);
            assert_eq!(
                (&again, ending.whole(StreamEnd::Closed)),
                (&all, reason),
                "{name}: in two pieces at {at}"
            );
        }
    }
}

/// The same answers from a server that states a reason with every piece, as some do: broken off
/// anywhere before the terminator none of them is whole, and at the terminator each is.
#[test]
fn a_reason_in_every_chunk_ends_nothing() {
    let Some(data) = cases("provider_streams.json") else { return };
    let mut tried = 0;
    for (name, wire, bytes) in whole_answers(&data) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if wire != WireKind::OpenAiChat || !text.contains("[DONE]") {
            continue;
        }
        let eager = text.replace("\"finish_reason\":null", "\"finish_reason\":\"stop\"");
        let pieces = eager.matches("\"finish_reason\":\"stop\"").count();
        let (all, ending) = read_to_the_end(wire, &[eager.as_bytes()]);
        assert!(ending.is_over() && ending.whole(StreamEnd::Broken).is_some(), "{name}");
        let done = eager.find("[DONE]").expect("there");
        if pieces < 4 || all.text.is_empty() {
            continue;
        }
        tried += 1;
        for at in cuts(&eager.as_bytes()[..done]) {
            let (part, ending) = read_to_the_end(wire, &[&eager.as_bytes()[..at]]);
            if part.text.len() < all.text.len() && part.text.chars().count() > 8 {
                assert_eq!(ending.whole(StreamEnd::Broken), None, "{name}: cut at {at}");
            }
        }
    }
    assert!(tried > 10, "{tried} answers");
}

#[test]
fn recorded_answers_are_read_as_their_providers_sdks_read_them() {
    let Some(data) = cases("provider_streams.json") else { return };
    let mut tried = 0;
    for case in data["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let wire = match case["shape"].as_str().expect("a shape") {
            "openai-chat-sse" => WireKind::OpenAiChat,
            "openai-responses-sse" => WireKind::OpenAiResponses,
            "anthropic-sse" => WireKind::Anthropic,
            "gemini-sse" => WireKind::Gemini,
            _ => continue, // Bedrock's binary framing is not spoken.
        };
        let bytes = base64(case["input_b64"].as_str().expect("input"));
        let expected = &case["expected"];
        let whole = read(wire, &[&bytes]);
        assert_eq!(whole.text, expected["text"].as_str().expect("text"), "{name}");
        // The SDK that made the expectation does not know `reasoning_details`; we read them.
        if !String::from_utf8_lossy(&bytes).contains("reasoning_details") {
            assert_eq!(Some(whole.reasoning_chars as u64), expected["reasoning_chars"].as_u64(), "{name}");
        }
        assert_eq!(whole.failed, expected.get("error").is_some(), "{name}: failed");
        if whole.failed {
            continue;
        }
        assert!(whole.finished, "{name}: complete");
        check_usage(name, wire, whole.usage.as_ref(), &expected["usage"], !whole.text.is_empty());
        assert_eq!(read(wire, &bytes.chunks(1).collect::<Vec<_>>()), whole, "{name}, byte by byte");
        for seed in 0..5 {
            assert_eq!(read(wire, &split_at_random(&bytes, seed)), whole, "{name}, seed {seed}");
        }
        tried += 1;
    }
    assert!(tried > 60, "{tried} cases");
}

fn check_usage(name: &str, wire: WireKind, usage: Option<&Usage>, expected: &Value, text: bool) {
    let number = |field: &str| expected.get(field).and_then(Value::as_u64);
    let Some(usage) = usage else {
        assert!(expected.is_null() || number("input").is_none(), "{name}: usage is missing");
        return;
    };
    let (read, write) = (usage.cache_read.unwrap_or(0), usage.cache_write.unwrap_or(0));
    let input = match wire {
        WireKind::Anthropic => usage.input_uncached,
        WireKind::Gemini => usage.input_uncached.map(|n| n + read - number("tool_prompt").unwrap_or(0)),
        _ => usage.input_uncached.map(|n| n + read + write),
    };
    assert_eq!(input, number("input"), "{name}: input");
    assert_eq!(usage.cache_read, number("cached_input"), "{name}: cached");
    assert_eq!(usage.reasoning, number("reasoning"), "{name}: reasoning");
    assert!(!usage.inconsistent, "{name}: adds up");
    if wire == WireKind::Gemini {
        let thoughts = usage.reasoning.unwrap_or(0);
        let visible = number("output_visible").or(if text { None } else { Some(0) });
        assert_eq!(usage.output, visible.map(|v| v + thoughts), "{name}: output");
        return;
    }
    // xAI leaves reasoning out of its count; the total tells.
    let (output, total) = (number("output"), number("total"));
    let outside = output.zip(total).is_some_and(|(o, t)| number("input").unwrap_or(0) + o < t);
    let wanted = if outside { output.map(|o| o + number("reasoning").unwrap_or(0)) } else { output };
    assert_eq!(usage.output, wanted, "{name}: output");
}

/// Cut anywhere before the end, no recorded answer is taken for a whole one.
#[test]
fn a_recorded_answer_that_is_cut_is_not_complete() {
    let Some(data) = cases("provider_streams.json") else { return };
    for case in data["cases"].as_array().expect("cases") {
        let (wire, end): (_, &[u8]) = match case["shape"].as_str().expect("a shape") {
            "openai-chat-sse" => (WireKind::OpenAiChat, b"\"finish_reason\":"),
            "openai-responses-sse" => (WireKind::OpenAiResponses, b"response.completed"),
            "anthropic-sse" => (WireKind::Anthropic, b"message_delta"),
            "gemini-sse" => (WireKind::Gemini, b"\"finishReason\""),
            _ => continue,
        };
        let bytes = base64(case["input_b64"].as_str().expect("input"));
        // The first frame in which the terminal condition can stand begins before this.
        let Some(first) = bytes.windows(end.len()).position(|w| w == end) else { continue };
        for at in (0..first).step_by(1 + first / 50) {
            let read = read(wire, &[&bytes[..at]]);
            assert!(!read.finished, "{}: complete after {at} bytes", case["name"]);
        }
    }
}

#[test]
fn retry_after_is_read_in_all_its_forms() {
    let Some(data) = cases("retry_after.json") else { return };
    let now = data["clock_unix"].as_i64().expect("a clock");
    for case in data["cases"].as_array().expect("cases") {
        let header = case["header"].as_str().expect("a header");
        let wanted = match &case["seconds"] {
            Value::Null => Wait::Unsaid,
            Value::String(_) => Wait::TooLong,
            seconds => Wait::For(std::time::Duration::from_secs_f64(seconds.as_f64().expect("seconds"))),
        };
        assert_eq!(retry::retry_after(header, now), wanted, "{header:?}");
    }
}
