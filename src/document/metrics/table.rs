//! The table of metrics. A new metric of single requests is one entry under `per_request`, any other is one
//! entry under `figures`.

use super::metric::{Better, Metric, Place, Shape, Shown};
use super::unit::Unit;
use crate::measure::run::Record;
use crate::measure::stats;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A metric that is measured of each request.
#[derive(Debug)]
pub struct OfRequest {
    pub metric: &'static Metric,
    pub shown: Shown,
    /// Its index among the metrics of single requests.
    index: usize,
    /// Reads its value from a measured request; `None` where it was not measured.
    pub read: fn(&Measured<'_>) -> Option<f64>,
}

impl OfRequest {
    /// The value of this metric in a set of all of them.
    pub fn of<'t, T>(&self, all: &'t PerRequest<T>) -> &'t T {
        all.get(self.index)
    }
}

/// One request, as metrics are read from it.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    pub record: &'a Record,
    /// Cost by the price record in force, or else as the provider states it, US dollars; `None` where it is
    /// not known.
    pub cost_usd: Option<f64>,
}

/// Makes [`METRICS`], [`PER_REQUEST`], [`PerRequest`] and `definition!(id)` from the entries.
macro_rules! metrics {
    (
        per_request {$(
            $(#[$attribute:meta])*
            $field:ident: $field_short:literal, $field_name:literal, $field_unit:ident, $field_better:ident, $shown:ident,
                $read:expr,
                $([$($more_document:ident $more_path:literal $more_shape:expr),*])?
                $field_definition:literal;
        )*}
        figures {$(
            $id:ident: $short:literal, $name:literal, $unit:ident, $better:ident,
                [$($document:ident $path:literal $shape:expr),* $(,)?]
                $definition:literal;
        )*}
    ) => {
        /// Every metric; those of single requests come first.
        pub static METRICS: &[Metric] = &[
            $(Metric {
                id: stringify!($field),
                short: $field_short,
                name: $field_name,
                unit: Unit::$field_unit,
                better: Better::$field_better,
                definition: $field_definition,
                places: &[
                    Place {
                        document: "bench",
                        path: concat!("targets[].metrics.", stringify!($field)),
                        shape: Shape::Summary,
                    },
                    $($(Place {
                        document: stringify!($more_document),
                        path: $more_path,
                        shape: $more_shape,
                    },)*)?
                ],
            },)*
            $(Metric {
                id: stringify!($id),
                short: $short,
                name: $name,
                unit: Unit::$unit,
                better: Better::$better,
                definition: $definition,
                places: &[$(Place { document: stringify!($document), path: $path, shape: $shape }),*],
            },)*
        ];

        /// One value for every metric of single requests. For a sample it is what was measured (`None`
        /// where it was not); for a target it is the summary over its samples.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "Metrics", bound = "T: JsonSchema + Default + Serialize")]
        pub struct PerRequest<T> {$(
            #[doc = $field_definition]
            $(#[$attribute])*
            pub $field: T,
        )*}

        /// The metrics of single requests, in the order of the fields of [`PerRequest`].
        pub static PER_REQUEST: &[OfRequest] = &{
            // Entries of single requests come first in `METRICS`.
            let mut at = 0;
            [$(OfRequest {
                metric: &METRICS[at],
                index: {
                    at += 1;
                    at - 1
                },
                shown: Shown::$shown,
                read: $read,
            }),*]
        };

        impl<T> PerRequest<T> {
            /// Make a value for each metric.
            pub fn from_each(mut make: impl FnMut(&'static OfRequest) -> T) -> Self {
                let mut each = PER_REQUEST.iter();
                // There are as many entries as fields, so the fallback is never used.
                let mut next = || make(each.next().unwrap_or(&PER_REQUEST[0]));
                Self { $($field: next(),)* }
            }

            /// Every metric with its value.
            pub fn iter(&self) -> impl Iterator<Item = (&'static OfRequest, &T)> {
                PER_REQUEST.iter().zip([$(&self.$field),*])
            }

            /// The value of the metric at this index.
            pub(super) fn get(&self, index: usize) -> &T {
                [$(&self.$field),*][index]
            }
        }

        /// The definition of a metric, for the doc comment of a field that contains it.
        macro_rules! definition {
            $(($field) => { $field_definition };)*
            $(($id) => { $definition };)*
        }
        pub(crate) use definition;
    };
}

impl PerRequest<Option<f64>> {
    /// The metrics of one measured request.
    pub fn of(measured: &Measured<'_>) -> Self {
        Self::from_each(|metric| (metric.read)(measured))
    }
}

use Shape::{Band, Counted, Interval, Plain, Share, Summary};

metrics! {
    per_request {
        ttft_ms: "TTFT", "time to first token", Milliseconds, Lower, Headline,
            |m| m.record.figures.ttft_ms,
            [
                bench "targets[].levels[].ttft_ms" Summary, bench "targets[].rates[].ttft_ms" Summary,
                bench "targets[].turns[].ttft_ms" Summary
            ]
            "time to first token: from sending the request over an open connection (local: from handing it \
             to the engine, before chat template and tokenisation) to the first non-empty text, reasoning \
             or tool delta; role-only, empty, ping and usage events do not count";

        #[serde(default)]
        ttfo_ms: "TTFO", "time to first output", Milliseconds, Lower, Row,
            |m| m.record.figures.ttfo_ms,
            "time to first output: from the same start to the first delta that is not reasoning; thoughts between \
             markers in the text (`<think>` and the like) are reasoning, too";

        #[serde(default)]
        ttfb_ms: "TTFB", "time to the response headers", Milliseconds, Lower, Detail,
            |m| m.record.figures.ttfb_ms,
            "time to the response headers; informational";

        tpot_ms: "TPOT", "time per output token", Milliseconds, Lower, Compared,
            |m| m.record.figures.tpot_ms,
            [
                bench "targets[].levels[].tpot_ms" Summary, bench "targets[].rates[].tpot_ms" Summary,
                bench "targets[].turns[].tpot_ms" Summary
            ]
            "time per output token after the first: (last content - first content) / (output tokens - \
             tokens of the first event); those are one, or that event's share of the text where events \
             hold several tokens; null below two tokens, and where the text came so much at once that no \
             rate can be told";

        decode_tps: "decode", "decode rate", TokensPerSecond, Higher, Headline,
            |m| m.record.figures.decode_tps,
            "output tokens per second of one request: 1000 / TPOT";

        prefill_tps: "prefill", "prefill rate", TokensPerSecond, Higher, Row,
            |m| m.record.figures.prefill_tps,
            "prompt tokens per second: local inside the engine; API uncached input tokens / TTFT, a lower \
             bound, since queue and network are inside";

        e2e_ms: "end to end", "whole answer", Milliseconds, Lower, Headline,
            |m| m.record.figures.e2e_ms,
            [
                bench "targets[].levels[].e2e_ms" Summary, bench "targets[].rates[].e2e_ms" Summary,
                bench "targets[].turns[].e2e_ms" Summary
            ]
            "from send to the last content event";

        #[serde(default)]
        e2e_output_tps: "output", "output rate, first token included", TokensPerSecond, Higher, Detail,
            |m| m.record.figures.e2e_output_tps,
            "output tokens / e2e, first token included: not the decode rate";

        #[serde(default)]
        output_chars_per_s: "answer", "characters of the answer per second", CharactersPerSecond, Higher, Compared,
            |m| {
                let characters = Some(m.record.answer().chars().count()).filter(|n| *n > 0)?;
                m.record.figures.e2e_ms.filter(|ms| *ms > 0.0).map(|ms| characters as f64 * 1000.0 / ms)
            },
            "characters of the answer per second, from the send to the last content event; does not depend on how a \
             model cuts text into tokens, so that models with different tokenizers can be compared; reasoning is not \
             counted, its time is";

        #[serde(default)]
        icl_ms: "inter-chunk latency", "inter-chunk latency", Milliseconds, Lower, Detail,
            |m| stats::median(&m.record.figures.icl_ms),
            "inter-chunk latency: median gap between content events; a chunk is not a token";

        #[serde(default)]
        cost_usd: "cost per request", "cost per request", Usd, Lower, Headline,
            |m| m.cost_usd,
            "from the provider's usage and the price record in force";

        #[serde(default)]
        engine_decode_tps: "engine's decode", "decode rate by the engine's own count", TokensPerSecond, Higher, Detail,
            |m| m.record.figures.engine_decode_tps,
            "the decode rate the engine or server itself reports, to check our clock";

        #[serde(default)]
        tokenize_ms: "template and tokenizer", "template and tokenizer", Milliseconds, Lower, Detail,
            |m| m.record.figures.tokenize_ms,
            "local: from accepting the request to the end of tokenisation; waiting for a free place and the chat \
             template are included";

        #[serde(default)]
        prompt_ms: "prefill", "the prompt into the cache", Milliseconds, Lower, Detail,
            |m| m.record.figures.prompt_ms,
            "local: time to read the prompt into the KV cache, while the engine also serves its other sequences";

        #[serde(default)]
        first_sample_ms: "first sample", "first sample", Milliseconds, Lower, Detail,
            |m| m.record.figures.first_sample_ms,
            "local: from the end of prefill to the first text";

        #[serde(default)]
        sample_ms: "sampling", "sampling and detokenising one token", Milliseconds, Lower, Detail,
            |m| m.record.figures.sample_ms,
            "local: time to choose a token and turn it into text, mean per token";
    }

    figures {
        // bench: a target under load.
        ttft_scheduled_ms: "TTFT, from when due", "time to first token, from when due", Milliseconds, Lower,
            [bench "targets[].rates[].ttft_scheduled_ms" Summary]
            "open loop: time to first token from the instant the request was due, so that a request that \
             could not be sent in time is not better for it; ttft_ms counts from the instant it was sent";

        e2e_scheduled_ms: "end to end, from when due", "whole answer, from when due", Milliseconds, Lower,
            [bench "targets[].rates[].e2e_scheduled_ms" Summary]
            "open loop: end to end from the instant the request was due; without that it counts from the send";

        send_lag_ms: "sent late by", "lag of the send", Milliseconds, Lower,
            [bench "targets[].rates[].send_lag_ms" Summary]
            "open loop: how much later than due a request was sent";

        output_tps_system: "together", "output rate of all requests together", TokensPerSecond, Higher,
            [
                bench "targets[].levels[].output_tps_system" Plain,
                bench "targets[].rates[].output_tps_system" Plain,
            ]
            "output tokens per second of all requests together, from the first measured send of the load \
             to the last; a request's tokens are spread evenly from its first content to its last";

        requests_per_s: "answered", "requests answered per second", RequestsPerSecond, Higher,
            [
                bench "targets[].levels[].requests_per_s" Plain,
                bench "targets[].rates[].requests_per_s" Plain,
            ]
            "successful requests per second of all together: output_tps_system / mean output tokens; where \
             nobody counts tokens, answers that ended while the load was on, per second";

        sent_per_s: "sent", "requests sent per second", RequestsPerSecond, Neither,
            [bench "targets[].rates[].sent_per_s" Plain]
            "requests sent per second: below the offered rate where the sender was late";

        goodput: "good", "requests within the limits", Share, Higher,
            [
                bench "targets[].levels[].detail.goodput.share" Share("requests"),
                bench "targets[].rates[].detail.goodput.share" Share("requests"),
            ]
            "requests that kept every limit (TTFT, TPOT, end to end); a failed request keeps none, and in \
             an open loop the limits count from the instant the request was due";

        goodput_requests_per_s: "good", "requests within the limits per second", RequestsPerSecond, Higher,
            [
                bench "targets[].levels[].detail.goodput.requests_per_s" Plain,
                bench "targets[].rates[].detail.goodput.requests_per_s" Plain,
            ]
            "requests per second that kept every limit";

        in_flight_mean: "under way, mean", "requests under way at once, mean", Requests, Neither,
            [
                bench "targets[].levels[].detail.in_flight_mean" Plain,
                bench "targets[].rates[].detail.in_flight_mean" Plain,
            ]
            "requests under way at once, mean over the time the load was on";

        client_lag_ms: "client lag", "lag of this program", Milliseconds, Lower,
            [
                bench "targets[].levels[].detail.client_lag_ms" Summary,
                bench "targets[].rates[].detail.client_lag_ms" Summary,
            ]
            "how late this program itself was at worst while a request was under way; stamps may be as late";

        // bench: a target.
        pass_rate: "pass rate", "share of prompts passed", Share, Higher,
            [bench "targets[].pass_rate.rate" Share("n")]
            "share of a prompt's answers that met what it expects, in the mean over the prompts that say what they \
             expect";

        requests: "requests", "requests started", Requests, Neither,
            [bench "targets[].requests" Plain]
            "requests started, warm-up not counted";

        failures: "requests failed", "requests failed", Requests, Lower,
            [bench "targets[].failures" Counted("requests")]
            "requests that failed after all attempts";

        retried: "retried", "requests asked more than once", Requests, Lower,
            [bench "targets[].retried" Counted("requests")]
            "requests that needed more than one attempt; they count for reliability, not for speed";

        input_tokens: "input tokens", "input tokens of a request, mean", Tokens, Neither,
            [bench "targets[].tokens.input" Plain]
            "input tokens of a successful request, cached or not, mean";

        cached_input_tokens: "cached input tokens", "input tokens from a cache, mean", Tokens, Neither,
            [bench "targets[].tokens.cached_input" Plain]
            "input tokens of a successful request that were read from a prompt cache, mean";

        output_tokens: "output tokens", "output tokens of a request, mean", Tokens, Neither,
            [bench "targets[].tokens.output" Plain]
            "generated tokens of a successful request, reasoning included, mean";

        reasoning_tokens: "reasoning tokens", "reasoning tokens of a request, mean", Tokens, Neither,
            [bench "targets[].tokens.reasoning" Plain]
            "reasoning tokens of a successful request, mean";

        cost_usd_total: "cost", "cost of all requests", Usd, Lower,
            [
                bench "targets[].cost_usd_total" Plain,
                bench "targets[].levels[].detail.cost_usd_total" Plain,
                bench "targets[].rates[].detail.cost_usd_total" Plain,
            ]
            "what all measured requests cost together, where a price and usage are known";

        connection_reused_share: "connections reused", "share of reused connections", Share, Higher,
            [bench "targets[].connection_reused_share" Plain]
            "share of requests that went over an already open connection";

        // bench: a local target.
        energy_j: "energy", "energy of a request", Joules, Lower,
            [bench "targets[].energy.request_j" Summary]
            "local: energy of the device from a request's start to its end, idle power included";

        request_net_j: "net energy", "energy of a request, idle power taken off", Joules, Lower,
            [bench "targets[].energy.request_net_j" Summary]
            "local: energy of the device from a request's start to its end, less its idle power over that \
             time";

        output_token_j: "energy per output token", "energy per output token", Joules, Lower,
            [
                bench "targets[].energy.output_token_j" Summary,
                bench "targets[].levels[].detail.output_token_j" Plain,
                bench "targets[].rates[].detail.output_token_j" Plain,
            ]
            "local: energy of the device over the output tokens; prompts are inside";

        idle_watts: "idle", "power when idle", Watts, Lower,
            [bench "targets[].energy.idle_watts" Plain]
            "local: power of the device with the model loaded and nothing running";

        busy_watts: "busy", "power when busy", Watts, Lower,
            [
                bench "targets[].energy.busy_watts" Plain,
                bench "targets[].levels[].detail.busy_watts" Plain,
                bench "targets[].rates[].detail.busy_watts" Plain,
                bench "targets[].synthetic[].busy_watts" Plain,
                bench "targets[].embedding.busy_watts" Plain,
            ]
            "local: mean power of the device while it worked, idle power included";

        load_ms: "load time", "time to load the model", Milliseconds, Lower,
            [bench "targets[].engine.load_ms" Plain]
            "local: from asking for the model to its being ready";

        resident_peak_bytes: "memory at most", "resident memory at most", Bytes, Lower,
            [bench "targets[].engine.resident_peak_bytes" Plain]
            "local: the most memory the engine's process had resident during the run";

        synthetic_tps: "the engine alone", "rate of the engine alone", TokensPerSecond, Higher,
            [bench "targets[].synthetic[].tps" Summary]
            "tokens per second of the engine without chat template, tokenizer and sampling, over the \
             rounds of one of llama-bench's tests";

        synthetic_token_j: "energy per token", "energy per token of the engine alone", Joules, Lower,
            [bench "targets[].synthetic[].token_j" Summary]
            "energy of the device per token in one of llama-bench's tests, over its rounds";

        embedding_tps: "embedding", "rate of embedding", TokensPerSecond, Higher,
            [bench "targets[].embedding.tps" Summary]
            "input tokens per second of each round of texts made into vectors: all its texts over all \
             their time";

        embedding_text_ms: "embedding of a text", "time to embed a text", Milliseconds, Lower,
            [bench "targets[].embedding.text_ms" Summary]
            "time to make one text into a vector, tokenizer and way to the engine inside";

        // bench: local against API.
        ratio: "ratio", "local over API", Ratio, Neither,
            [bench "comparisons[].ratio" Interval("low", "high")]
            "median of the local target over median of the API's, paired by prompt, with its 95 % interval \
             by bootstrap; below 1 the local side has the smaller value";

        pass_rate_difference: "difference of pass rates", "local pass rate less the API's", Share, Higher,
            [bench "quality[].difference" Interval("difference_low", "difference_high")]
            "pass rate of the local target less the API's on the same prompts, with a 95 % interval for \
             paired shares";

        local_pass_rate: "local pass rate", "local pass rate on common prompts", Share, Higher,
            [
                bench "quality[].local_pass_rate" Counted("prompts"),
                advice "quality.local_pass_rate" Counted("prompts"),
            ]
            "share of the prompts that both sides answered which the local target passed";

        api_pass_rate: "API pass rate", "API pass rate on common prompts", Share, Higher,
            [
                bench "quality[].api_pass_rate" Counted("prompts"),
                advice "quality.api_pass_rate" Counted("prompts"),
            ]
            "share of the prompts that both sides answered which the API passed";

        non_inferior: "good enough", "local is good enough", Word, Neither,
            [bench "quality[].non_inferior" Counted("prompts")]
            "is the local target's pass rate not worse than the API's by more than the accepted margin: \
             true, false, or null where so few prompts cannot decide it";

        prompts_needed: "prompts needed", "prompts needed to decide", Prompts, Lower,
            [bench "quality[].prompts_needed" Plain]
            "about how many prompts are needed to decide whether the local target is good enough; null \
             where that is decided";

        pair_difference: "difference of pass rates", "pass rate of a target less that of the one beside it", Share, Higher,
            [bench "pairs[].quality.difference" Interval("difference_low", "difference_high")]
            "pass rate of A less that of B on the prompts that both answered, averaged over prompts, with a 95 % \
             interval (of paired counts, of shares of repeats, or one that holds however often one looks)";

        pair_finding: "good enough", "a target is good enough beside another", Word, Neither,
            [bench "pairs[].quality.finding" Counted("prompts")]
            "is A not worse than B by more than the accepted margin: non-inferior, inferior, or undecided where so few \
             prompts cannot say it";

        moved_share: "share that can move", "share of the prompts that can move", Share, Higher,
            [bench "pairs[].quality.split.moved_share" Plain]
            "share of the prompts whose kinds of work A was shown to take over from B, corrected for all kinds by Holm";

        equal_text: "same text", "share of equal answers", Share, Neither,
            [bench "pairs[].agreement.equal.rate" Interval("low", "high")]
            "share of the prompts on which the first answers of both targets are the same text, white space at the \
             ends aside. Agreement is not quality: both can be wrong alike";

        token_ratio: "ratio of tokens", "output tokens of a target ÷ those of the one beside it", Ratio, Neither,
            [bench "pairs[].tokens.ratio" Interval("ratio_low", "ratio_high")]
            "mean output tokens of A's answers ÷ mean of B's on the same prompts, each counted by its own tokenizer, \
             reasoning included, with a 95 % interval";

        judge_flips: "flipped verdicts", "share of pairs on which a judge contradicts itself", Share, Lower,
            [bench "pairs[].judged[].flips.rate" Interval("low", "high")]
            "share of the pairs of answers on which the judge says something else when they are shown the other way \
             round; above 20 % its word is doubtful";

        spent_usd: "spent", "spent on the run", Usd, Lower,
            [bench "spending.spent_usd" Plain]
            "what the run cost by usage and prices, warm-up included; null where a target has no price";

        // breakeven, and advice where it repeats them: local against cloud.
        payback_months: "payback", "payback", Months, Lower,
            [
                breakeven "comparisons[].payback_months" Plain,
                breakeven "hybrid.routed.payback_months" Plain,
                advice "cost.payback_months" Plain,
            ]
            "months until cumulative local cost falls below cumulative cloud cost, interpolated within the \
             month; null when never, 0 when cheaper from the first day";

        discounted_payback_months: "discounted payback", "payback, discounted", Months, Lower,
            [breakeven "comparisons[].discounted_payback_months" Plain]
            "months until payback when later payments are discounted at the discount rate; null when never";

        payback_p10: "payback P10", "payback of the best tenth", Months, Lower,
            [breakeven "uncertainty.payback_p10" Counted("draws")]
            "a tenth of the draws from the ranges of the inputs pay back by then; null: never";

        payback_p50: "payback P50", "payback of the better half", Months, Lower,
            [breakeven "uncertainty.payback_p50" Counted("draws")]
            "half of the draws from the ranges of the inputs pay back by then; null: never";

        payback_p90: "payback P90", "payback of nine tenths", Months, Lower,
            [breakeven "uncertainty.payback_p90" Counted("draws")]
            "nine tenths of the draws from the ranges of the inputs pay back by then; null: never";

        probability_local_cheaper: "P(local cheaper)", "probability that local is cheaper", Share, Neither,
            [
                breakeven "uncertainty.probability_local_cheaper" Counted("draws"),
                breakeven "comparisons[].probability_local_cheaper" Plain,
            ]
            "share of the draws from the ranges of the inputs in which local costs less by the horizon";

        p_cheapest: "P(cheapest)", "probability of being the cheapest", Share, Higher,
            [advice "options[].probability_cheapest" Plain]
            "share of the draws from the ranges of the inputs in which this option costs the least by the \
             horizon";

        tco_cloud_usd: "cloud, total", "total cost of the cloud", Usd, Lower,
            [breakeven "comparisons[].tco_cloud_usd" Plain, advice "cost.tco_cloud_usd" Plain]
            "total cost of ownership of the cloud side to the horizon";

        tco_local_usd: "own, total", "total cost of local", Usd, Lower,
            [breakeven "comparisons[].tco_local_usd" Plain, advice "cost.tco_local_usd" Plain]
            "total cost of ownership of the local side to the horizon";

        saving_usd: "saving", "saving of local", Usd, Higher,
            [breakeven "comparisons[].saving_usd" Plain]
            "cloud less local over the horizon";

        npv_saving_usd: "NPV of the saving", "present value of the saving", Usd, Higher,
            [breakeven "comparisons[].npv_saving_usd" Plain]
            "present value of the saving at the horizon";

        breakeven_requests_per_month: "break-even volume", "break-even volume", RequestsPerMonth, Lower,
            [breakeven "comparisons[].breakeven_requests_per_month" Plain]
            "volume at which both cost the same over the horizon; null where there is none, or no requests \
             are known";

        breakeven_tokens_per_month: "break-even tokens", "break-even volume in tokens", TokensPerMonth, Lower,
            [breakeven "comparisons[].breakeven_tokens_per_month" Plain]
            "tokens a month at which both cost the same over the horizon; null where there are none";

        breakeven_utilisation: "break-even utilisation", "break-even utilisation", Share, Lower,
            [breakeven "comparisons[].breakeven_utilisation" Plain]
            "busy share of the units at which both cost the same over the horizon; null where there is none";

        breakeven_blended_usd_per_mtok: "break-even price", "break-even API price", UsdPerMtok, Neither,
            [breakeven "comparisons[].breakeven_blended_usd_per_mtok" Plain]
            "price per million tokens, in and out together, at which the API costs the same over the horizon";

        best_point_months: "best point", "best point of the position", Months, Neither,
            [breakeven "comparisons[].best_point_months" Plain]
            "months until the saving stops growing because prices fall; null where it does not";

        best_point_usd: "saving at the best point", "saving at the best point", Usd, Higher,
            [breakeven "comparisons[].best_point_usd" Plain]
            "the cumulative saving at the best point";

        // breakeven: an offer.
        capex_usd: "up front", "purchase", Usd, Lower,
            [
                breakeven "local[].capex_usd" Plain,
                breakeven "hybrid.routed.capex_usd" Plain,
                advice "options[].capex_usd" Plain,
                plan "plans[].capex_usd" Plain,
            ]
            "purchase, installation and spares of the first month's units, also where a loan pays for them";

        monthly_usd: "a month", "cost of the first month", UsdPerMonth, Lower,
            [
                breakeven "local[].monthly_usd" Plain,
                breakeven "cloud[].monthly_usd" Plain,
                breakeven "hybrid.routed.monthly_usd" Plain,
                advice "options[].monthly_usd" Plain,
                plan "plans[].monthly_usd" Plain,
            ]
            "running cost of the first month, all parts, without a purchase; of an API at that month's \
             volume and the prices of its first day";

        tco_usd: "total", "total cost of ownership", Usd, Lower,
            [
                breakeven "local[].tco_usd" Plain,
                breakeven "cloud[].tco_usd" Plain,
                breakeven "hybrid.routed.tco_usd" Plain,
                breakeven "hybrid.overflow.tco_usd" Plain,
                advice "options[].tco_usd" Plain,
            ]
            "total cost of ownership to the horizon: purchases, running cost and what is still owed, less \
             what the units would fetch";

        amortised_usd_per_month: "amortisation", "amortisation a month", UsdPerMonth, Lower,
            [breakeven "local[].amortised_usd_per_month" Plain]
            "capex less residual value, per month of life (of the horizon where no life is given)";

        residual_usd: "residual value", "residual value", Usd, Higher,
            [breakeven "local[].residual_usd" Plain]
            "what the units would fetch at the horizon; taken off the total";

        still_owed_usd: "still owed", "still owed at the horizon", Usd, Lower,
            [breakeven "local[].still_owed_usd" Plain]
            "balance of loans, and rent of commitments that go on, at the horizon; added to the total";

        capacity_tokens_per_month: "capacity", "tokens a month at most", TokensPerMonth, Higher,
            [breakeven "local[].capacity_tokens_per_month" Plain]
            "tokens of whole requests the units can serve when never idle; null where no speed is known";

        utilisation: "utilisation", "busy share", Share, Neither,
            [breakeven "local[].utilisation" Plain]
            "mean busy share of the units in the first month";

        units: "units", "units in the first month", Count, Lower,
            [
                breakeven "local[].units" Plain,
                breakeven "cloud[].units" Plain,
                breakeven "hybrid.routed.units" Plain,
            ]
            "machines or GPU sets in the first month, whole ones";

        units_at_horizon: "units at the horizon", "units at the horizon", Count, Lower,
            [breakeven "local[].units_at_horizon" Plain]
            "machines or GPU sets at the horizon";

        billed_hours_per_month: "hours of rent", "hours of rent a month", HoursPerMonth, Lower,
            [breakeven "local[].billed_hours_per_month" Plain, breakeven "cloud[].billed_hours_per_month" Plain]
            "hours of rent that are billed in a month; null for what is not rented";

        usd_per_request: "a request", "cost of a request", Usd, Lower,
            [breakeven "cloud[].usd_per_request" Plain, advice "models.api.usd_per_request" Plain]
            "what one request costs at the prices of the first month";

        usd_per_successful_request: "a request that passes", "cost of a request whose answer passes", Usd, Lower,
            [breakeven "cloud[].usd_per_successful_request" Plain, breakeven "local[].usd_per_successful_request" Plain]
            "cost of the first month (of own units with amortisation) ÷ its requests ÷ the share of answers that passed \
             on the user's prompts: an answer that fails costs the same and is worth nothing. Null where quality was not \
             measured";

        usd_per_mtok_input: "input", "cost of a million input tokens", UsdPerMtok, Lower,
            [breakeven "local[].usd_per_mtok_input" Plain, breakeven "cloud[].usd_per_mtok_input" Plain]
            "cost of a million input tokens: of an API its list price in the first month; of own units \
             running cost and amortisation, split by the time spent reading and writing";

        usd_per_mtok_output: "output", "cost of a million output tokens", UsdPerMtok, Lower,
            [breakeven "local[].usd_per_mtok_output" Plain, breakeven "cloud[].usd_per_mtok_output" Plain]
            "cost of a million output tokens: of an API its list price in the first month; of own units \
             running cost and amortisation, split by the time spent reading and writing";

        usd_per_mtok_blended: "blended", "cost of a million tokens, in and out together", UsdPerMtok, Lower,
            [breakeven "local[].usd_per_mtok_blended" Plain, breakeven "cloud[].usd_per_mtok_blended" Plain]
            "cost of a million tokens of the request as it is, in and out together: caching, batch, tiers \
             and retries included";

        requests_per_month: "requests a month", "requests of the first month", RequestsPerMonth, Neither,
            [breakeven "requests_per_month" Plain]
            "requests of the first month; null where only token totals are known";

        tokens_per_month: "tokens a month", "tokens of the first month", TokensPerMonth, Neither,
            [breakeven "tokens_per_month" Plain]
            "tokens of the first month, in and out together";

        // advice: the verdict.
        placement: "placement", "placement", Word, Neither,
            [advice "placement" Plain]
            "where the workload should run: cloud, hybrid or local";

        confidence: "confidence", "confidence", Word, Neither,
            [advice "confidence" Plain]
            "how firm the verdict is: low, medium or high";

        rule: "rule", "the rule that fired", Word, Neither,
            [advice "rule" Plain]
            "id of the rule that decided";

        needed_gib: "needed memory", "memory that the example model needs", Count, Neither,
            [advice "models.hardware.needed_gib" Plain]
            "GiB that the example model needs: weights in the smallest of the usual formats, cache of one \
             sequence, buffers and a margin";

        // fit and plan: predicted, before anything is bought.
        predicted_decode_tps: "decode", "predicted decode rate", TokensPerSecond, Higher,
            [fit "rows[].decode_tps" Band]
            "predicted output tokens per second of all sequences together, with the band that holds four \
             measurements of five";

        predicted_decode_tps_per_stream: "decode of one", "predicted decode rate of one sequence", TokensPerSecond, Higher,
            [fit "rows[].decode_tps_per_stream" Band]
            "predicted output tokens per second of one of the sequences, with the band that holds four \
             measurements of five";

        predicted_prefill_tps: "prefill", "predicted prefill rate", TokensPerSecond, Higher,
            [fit "rows[].prefill_tps" Band]
            "predicted prompt tokens per second, with the band that holds four measurements of five";

        decode_roof_tps: "decode at most", "decode rate at most", TokensPerSecond, Higher,
            [fit "rows[].decode_roof_tps" Plain]
            "what the hardware's peaks allow at most";

        needed_bytes: "needed memory", "memory needed", Bytes, Lower,
            [fit "rows[].memory.needed_bytes" Plain]
            "memory needed over all devices: weights, KV cache, buffers and a margin";

        usable_bytes: "usable memory", "memory usable", Bytes, Higher,
            [fit "rows[].memory.usable_bytes" Plain]
            "memory that the system lets a program use, over all devices";

        weights_bytes: "weights", "memory of the weights", Bytes, Lower,
            [fit "rows[].memory.weights_bytes" Plain, bench "targets[].engine.weights_bytes" Plain]
            "memory of the weights over all devices";

        kv_cache_bytes: "KV cache", "memory of the KV cache", Bytes, Lower,
            [fit "rows[].memory.kv_cache_bytes" Plain, bench "targets[].engine.kv_bytes" Plain]
            "memory of keys and values of all sequences over all devices";

        predicted_ttft_ms: "TTFT", "predicted time to first token", Milliseconds, Lower,
            [plan "plans[].ttft_ms" Band]
            "predicted time to first token under the plan's load, with the band that holds four \
             measurements of five";

        predicted_tpot_ms: "TPOT", "predicted time per output token", Milliseconds, Lower,
            [plan "plans[].tpot_ms" Band]
            "predicted time per output token after the first under the plan's load, with the band that \
             holds four measurements of five";

        requests_per_second: "requests", "predicted requests per second", RequestsPerSecond, Higher,
            [plan "plans[].requests_per_second" Plain]
            "requests per second that the plan serves within the limits";

        hosts: "hosts", "hosts of the plan", Count, Lower,
            [plan "plans[].hosts" Plain]
            "computers to buy or rent, spares included";

        accelerators: "accelerators", "accelerators of the plan", Count, Lower,
            [plan "plans[].accelerators" Plain]
            "accelerators over all hosts";

        plan_watts: "power", "power of the plan", Watts, Lower,
            [plan "plans[].watts" Plain]
            "power that the plan's hosts draw at its load";
    }
}
