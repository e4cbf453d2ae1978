//! What each metric means: printed with the numbers, and by `--explain`.

use std::collections::BTreeMap;

/// The definitions printed with the numbers.
pub fn definitions() -> BTreeMap<String, String> {
    DEFINITIONS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const DEFINITIONS: &[(&str, &str)] = &[
    (
        "ttft_ms",
        "time to first token: from sending the request over an open connection (local: from handing it to the engine, \
         before chat template and tokenisation) to the first non-empty text, reasoning or tool delta; role-only, empty, \
         ping and usage events do not count",
    ),
    ("ttfo_ms", "time to first output: the same, to the first delta that is not reasoning"),
    ("ttfb_ms", "time to the response headers; informational"),
    (
        "tpot_ms",
        "time per output token after the first: (last content - first content) / (output tokens - tokens of the first \
         event); null below two tokens",
    ),
    ("decode_tps", "output tokens per second of one request: 1000 / tpot_ms"),
    (
        "prefill_tps",
        "prompt tokens per second: local inside the engine; API uncached input tokens / TTFT, a lower bound, since \
         queue and network are inside",
    ),
    ("e2e_ms", "from send to the last content event"),
    ("e2e_output_tps", "output tokens / e2e, first token included: not the decode rate"),
    ("icl_ms", "inter-chunk latency: median gap between content events; a chunk is not a token"),
    ("engine_decode_tps", "the decode rate the engine or server itself reports, to check our clock"),
    (
        "tokenize_ms",
        "local: from accepting the request over waiting for a place, chat template and tokenizer",
    ),
    ("prompt_ms", "local: the prompt into the cache, the engine's other sequences included"),
    ("first_sample_ms", "local: from there to the first text"),
    ("sample_ms", "local: choosing a token and turning it into text, mean per token"),
    ("energy_j", "local: energy of the device from a request's start to its end, idle power included"),
    ("cost_usd", "from the provider's usage and the price record in force"),
    (
        "output_tps_system",
        "output tokens per second of all requests together, from the first measured send of the load to the last; a \
         request's tokens are spread evenly from its first content to its last",
    ),
    (
        "goodput",
        "requests that kept every limit (TTFT, TPOT, end to end); a failed request keeps none, and in an open loop \
         the limits count from the instant the request was due",
    ),
    (
        "ttft_scheduled_ms",
        "open loop: time to first token from the instant the request was due, so that a request that could not be sent \
         in time is not better for it; ttft_ms counts from the instant it was sent",
    ),
    (
        "e2e_scheduled_ms",
        "open loop: end to end from the instant the request was due; e2e_ms counts from the send",
    ),
    ("send_lag_ms", "open loop: how much later than due a request was sent"),
    (
        "requests_per_s",
        "successful requests per second of all together: output_tps_system / mean output tokens; where nobody counts \
         tokens, answers that ended while the load was on, per second",
    ),
    ("in_flight_mean", "requests under way at once, mean over the time the load was on"),
    (
        "client_lag_ms",
        "how late this program itself was at worst while a request was under way; stamps may be as late",
    ),
];

/// The definition of a metric, by its name in the document or without its unit: `ttft_ms`, `ttft`.
pub fn definition(name: &str) -> Option<(&'static str, &'static str)> {
    let plain = |full: &str| {
        let end = ["_ms", "_tps", "_usd"].iter().find_map(|unit| full.strip_suffix(unit));
        end.unwrap_or(full).to_owned()
    };
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    let exact = DEFINITIONS.iter().find(|(full, _)| *full == wanted);
    exact.or_else(|| DEFINITIONS.iter().find(|(full, _)| plain(full) == plain(&wanted))).copied()
}
