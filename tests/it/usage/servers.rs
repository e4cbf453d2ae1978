//! Own servers: counters of vLLM, SGLang and llama-server, and llama-server's log.

use super::{requests, skipped, source, tokens, usage_of};
use freehold::usage::summary::{Granularity, Note};
use serde_json::{Value, json};

fn series(labels: Value, values: &[(u64, &str)]) -> Value {
    json!({"metric": labels, "values": values.iter().map(|(t, v)| json!([t, v])).collect::<Vec<_>>()})
}
fn range(result: &[Value]) -> String {
    json!({"status": "success", "data": {"resultType": "matrix", "result": result}}).to_string()
}
const T: u64 = 1_788_771_600;

#[test]
fn engines_add_up_and_a_restart_counts_from_zero() {
    let name = "vllm:prompt_tokens_total";
    let of = |engine: &str, values: &[(u64, &str)]| {
        series(json!({"__name__": name, "model_name": "q", "engine": engine}), values)
    };
    let usage = usage_of(&[&range(&[
        of("0", &[(T, "100"), (T + 3600, "150"), (T + 7200, "20")]),
        of("1", &[(T, "1000"), (T + 3600, "1005"), (T + 7200, "1006")]),
    ])]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("prometheus-vllm", None, [76, 0, 0, 0, 0])
    );
    assert_eq!(usage.sources[0].granularity, Some(Granularity::Difference(3600)));
    let tokens = usage.tokens_by_hour_of_week_utc.expect("hours");
    assert_eq!(tokens.into_iter().collect::<Vec<_>>(), [(9, 55), (10, 21)]);
}

#[test]
fn one_query_for_each_metric_is_one_server() {
    let of = |name: &str, a: &str, b: &str| {
        range(&[series(json!({"__name__": name, "model_name": "q"}), &[(T, a), (T + 60, b)])])
    };
    let files = [
        of("vllm:prompt_tokens_total", "0", "100"),
        of("vllm:prefix_cache_hits_total", "0", "60"),
        of("vllm:generation_tokens_total", "5", "15"),
        of("vllm:request_success_total", "1", "3"),
    ];
    let texts: Vec<&str> = files.iter().map(String::as_str).collect();
    let usage = usage_of(&texts);
    assert_eq!((requests(&usage), tokens(&usage)), (Some(2), [40, 60, 0, 10, 0]));
    // The same answer twice is the same.
    assert_eq!(tokens(&usage_of(&[texts.clone(), texts].concat())), [40, 60, 0, 10, 0]);
}

#[test]
fn cached_prompt_tokens_beat_the_older_hits() {
    let scrape = "vllm:prompt_tokens_total{model_name=\"q\"} 100\nvllm:prefix_cache_hits_total{model_name=\"q\"} 70\n\
                  vllm:prompt_tokens_cached_total{model_name=\"q\"} 60\nvllm:prompt_tokens_created{model_name=\"q\"} 1.7e9\n";
    assert_eq!(tokens(&usage_of(&[scrape])), [40, 60, 0, 0, 0]);
    let older = "vllm:prompt_tokens_total{model_name=\"q\"} 100\nvllm:gpu_prefix_cache_hits_total{model_name=\"q\"} 70\n";
    assert_eq!(tokens(&usage_of(&[older])), [30, 70, 0, 0, 0]);
}

#[test]
fn hits_that_come_before_their_prompt_are_not_lost() {
    let of =
        |name: &str, values: &[(u64, &str)]| series(json!({"__name__": name, "model_name": "q"}), values);
    let usage = usage_of(&[&range(&[
        of("vllm:prompt_tokens_total", &[(T, "0"), (T + 60, "10"), (T + 120, "100")]),
        of("vllm:prompt_tokens_cached_total", &[(T, "0"), (T + 60, "30"), (T + 120, "60")]),
    ])]);
    assert_eq!(tokens(&usage), [40, 60, 0, 0, 0]);
}

#[test]
fn scrapes_of_one_process_are_one_count_and_of_two_add_up() {
    let scrape = |start: &str, tokens: u32| {
        format!(
            "# HELP x\nvllm:generation_tokens_total{{model_name=\"q\"}} {tokens}\nprocess_start_time_seconds {start}\n"
        )
    };
    let usage = usage_of(&[&(scrape("1.7e9", 10) + &scrape("1.7e9", 50)), &scrape("1.7e9", 30)]);
    assert_eq!(tokens(&usage)[3], 50);
    assert_eq!(tokens(&usage_of(&[&scrape("1.7e9", 50), &scrape("1.8e9", 7)]))[3], 57);
    // Without a known start, a fall is a restart.
    let plain = |n: u32| format!("vllm:generation_tokens_total{{model_name=\"q\"}} {n}\n");
    assert_eq!(tokens(&usage_of(&[&(plain(50) + &plain(60) + &plain(7))]))[3], 67);
    assert_eq!(
        (usage.requests_by_hour_of_week_utc, usage.sources[0].granularity),
        (None, Some(Granularity::Lifetime))
    );
    assert!(usage.sources[0].notes.contains_key(&Note::NoHours));
}

#[test]
fn aborted_requests_are_no_requests_and_histograms_are_bounds() {
    let scrape = "vllm:request_success_total{finished_reason=\"stop\",model_name=\"q\"} 9\n\
        vllm:request_success_total{finished_reason=\"abort\",model_name=\"q\"} 2\n\
        vllm:request_prompt_tokens_bucket{le=\"1000.0\",model_name=\"q\"} 7\n\
        vllm:request_prompt_tokens_bucket{le=\"5000.0\",model_name=\"q\"} 9\n\
        vllm:request_prompt_tokens_bucket{le=\"+Inf\",model_name=\"q\"} 10\n";
    let usage = usage_of(&[scrape]);
    assert_eq!((requests(&usage), skipped(&usage)), (Some(9), vec![("aborted requests: 2".into(), 1)]));
    let bounds = usage.prompt_bounds.expect("a histogram");
    assert_eq!(
        (bounds.at_most(0.5), bounds.at_most(0.9), bounds.at_most(0.95)),
        (Some(1000.0), Some(5000.0), None)
    );
    assert!(usage.distribution.is_err());
}

#[test]
fn sglang_and_llama_server_have_counters_of_their_own() {
    let sglang = "sglang:prompt_tokens_total{model_name=\"q\"} 100\nsglang:cached_tokens_total{model_name=\"q\",cache_source=\"device\"} 40\n\
        sglang:cached_tokens_total{model_name=\"q\",cache_source=\"host\"} 20\nsglang:generation_tokens_total{model_name=\"q\"} 9\n\
        sglang:num_requests_total{model_name=\"q\"} 3\n";
    let usage = usage_of(&[sglang]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("prometheus-sglang", Some(3), [40, 60, 0, 9, 0])
    );
    // llama-server counts only what it processed, and no requests.
    let llama = "# TYPE llamacpp:prompt_tokens_total counter\nllamacpp:prompt_tokens_total 100\nllamacpp:tokens_predicted_total 9\n";
    let usage = usage_of(&[llama]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("prometheus-llama-server", None, [100, 0, 0, 9, 0])
    );
    assert_eq!(usage.totals.records_stating_cache_read, 0);
}

#[test]
fn results_of_rate_are_named_as_what_they_are() {
    let rate = range(&[series(json!({"model_name": "q"}), &[(T, "0.5"), (T + 60, "0.6")])]);
    let usage = usage_of(&[&rate]);
    assert_eq!(usage.totals.records, 0);
    assert!(skipped(&usage)[0].0.contains("rate()"));
}

#[test]
fn llama_servers_log_says_what_was_cached() {
    let log = "main: server is listening\n\
        slot launch_slot_: id  0 | task 1 | processing task\n\
        slot launch_slot_: id  1 | task 2 | processing task\n\
        slot print_timing: id  0 | task 1 | \n\
        prompt eval time =      50.00 ms /    40 tokens (    1.25 ms per token,   800.00 tokens per second)\n\
        eval time =     100.00 ms /    10 tokens (   10.00 ms per token,   100.00 tokens per second)\n\
        total time =     150.00 ms /    50 tokens\n\
        slot      release: id  0 | task 1 | stop processing: n_tokens = 150, truncated = 0\n\
        slot print_timing: id  1 | task 2 | \n\
        prompt eval time =      50.00 ms /    7 tokens (\n\
        eval time =     100.00 ms /    3 tokens (\n";
    let usage = usage_of(&[log]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("llama-server-log", Some(2), [47, 100, 0, 13, 0])
    );
}
