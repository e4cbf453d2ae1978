//! Own servers: counters of vLLM, SGLang and llama-server, and llama-server's log.

use super::{requests, skipped, source, tokens, usage_of};
use freehold::usage::summary::{Granularity, Note};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

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

/// What a server has counted since it started, for one model on one of its engines.
#[derive(Clone, Default)]
struct Counted {
    prompt: u64,
    cached: u64,
    generated: u64,
    finished: u64,
    aborted: u64,
}

/// A server that answers requests, restarts, and says on `/metrics` what it counted.
struct Scripted {
    of: &'static str,
    start: Option<u64>,
    engines: Vec<(&'static str, &'static str, Counted)>,
    /// Everything it ever did, whatever was lost in a restart.
    truth: Counted,
}

impl Scripted {
    fn answer(&mut self, engine: usize, prompt: u64, cached: u64, generated: u64) {
        for counted in [&mut self.engines[engine].2, &mut self.truth] {
            counted.prompt += prompt;
            counted.cached += cached;
            counted.generated += generated;
            counted.finished += 1;
        }
    }
    fn abort(&mut self, engine: usize) {
        self.engines[engine].2.aborted += 1;
    }
    fn restart(&mut self) {
        self.start = self.start.map(|start| start + 90_000);
        self.engines.iter_mut().for_each(|(_, _, counted)| *counted = Counted::default());
    }
    /// As the server writes it: help, types, times of creation, numbers as floats, other metrics between.
    fn page(&self) -> String {
        let mut text = String::from("# HELP python_gc_objects_collected_total Objects collected\n");
        text += "# TYPE python_gc_objects_collected_total counter\n";
        text += "python_gc_objects_collected_total{generation=\"0\"} 9001.0\n";
        if let Some(start) = self.start {
            let _ = writeln!(
                text,
                "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {start}.25"
            );
        }
        let mut add = |name: &str, more: &str, of: fn(&Counted) -> u64| {
            let _ = writeln!(text, "# HELP {name} Number of them.\n# TYPE {name} counter");
            for (model, engine, counted) in &self.engines {
                let labels = match self.of {
                    "llamacpp" => String::new(),
                    "sglang" => format!(
                        "{{{more}engine_type=\"unified\",model_name=\"{model}\",tp_rank=\"{engine}\"}}"
                    ),
                    _ => format!("{{engine=\"{engine}\",{more}model_name=\"{model}\"}}"),
                };
                let _ = writeln!(text, "{name}{labels} {}.0", of(counted));
            }
        };
        match self.of {
            "vllm" => {
                add("vllm:num_requests_running", "", |_| 3);
                add("vllm:prompt_tokens_total", "", |c| c.prompt);
                add("vllm:prompt_tokens_created", "", |_| 1_788_000_000);
                add("vllm:prompt_tokens_cached_total", "", |c| c.cached);
                add("vllm:generation_tokens_total", "", |c| c.generated);
                add("vllm:request_success_total", "finished_reason=\"stop\",", |c| c.finished / 2);
                add("vllm:request_success_total", "finished_reason=\"length\",", |c| c.finished.div_ceil(2));
                add("vllm:request_success_total", "finished_reason=\"abort\",", |c| c.aborted);
            }
            "sglang" => {
                add("sglang:num_running_reqs", "", |_| 2);
                add("sglang:prompt_tokens_total", "", |c| c.prompt);
                add("sglang:cached_tokens_total", "cache_source=\"device\",", |c| c.cached / 3);
                add("sglang:cached_tokens_total", "cache_source=\"host\",", |c| c.cached - c.cached / 3);
                add("sglang:generation_tokens_total", "", |c| c.generated);
                add("sglang:num_requests_total", "", |c| c.finished);
            }
            _ => {
                add("llamacpp:prompt_tokens_total", "", |c| c.prompt - c.cached);
                add("llamacpp:prompt_tokens_seconds", "", |_| 7);
                add("llamacpp:tokens_predicted_total", "", |c| c.generated);
                add("llamacpp:requests_processing", "", |_| 1);
            }
        }
        text
    }
}

/// Ask a server for its metrics, as a scraper does.
fn scrape(port: u16) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("connects");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("asks");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answers");
    text.split_once("\r\n\r\n").expect("a body").1.to_owned()
}

/// A day of scrapes, saved one by one as a scraper saves them, across a restart, read back: nothing that the
/// server counted is lost, and nothing is counted twice.
#[test]
fn scrapes_of_a_running_server_give_what_it_served() {
    use crate::bench::server::{Do, Server};
    let models = [("vllm", Some(1_788_000_000)), ("vllm", None), ("sglang", None), ("llamacpp", None)];
    for (of, start) in models {
        let engines = match of {
            "llamacpp" => vec![("", "", Counted::default())],
            _ => [("qwen3-8b", "0"), ("qwen3-8b", "1"), ("llama-3.1-8b", "0")]
                .map(|(model, engine)| (model, engine, Counted::default()))
                .to_vec(),
        };
        let mut server = Scripted { of, start, engines, truth: Counted::default() };
        let mut pages = vec![server.page()];
        for hour in 0..6u64 {
            for n in 0..20 {
                let engine = usize::try_from(hour + n).expect("small") % server.engines.len();
                // Less to do after the restart, so that every counter has fallen then.
                let more = if hour >= 3 { 1 } else { 7 };
                server.answer(engine, (1000 + 10 * n) * more, 250 * more, (50 + n) * more);
            }
            server.abort(0);
            pages.push(server.page());
            if hour == 2 {
                server.restart();
            }
        }
        let scripts = pages
            .iter()
            .map(|page| {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
                    page.len()
                );
                vec![Do::Send((head + page).into_bytes()), Do::Close]
            })
            .collect();
        let served = Server::start(scripts);
        let folder = tempfile::tempdir().expect("a folder");
        let count = pages.len();
        for n in 0..count {
            std::fs::write(folder.path().join(format!("{n:03}.prom")), scrape(served.port)).expect("saved");
        }
        let truth = &server.truth;
        let (answered, input, cached) = match of {
            "llamacpp" => (Value::Null, truth.prompt - truth.cached, 0),
            _ => (json!(truth.finished), truth.prompt - truth.cached, truth.cached),
        };
        let wanted = [answered, json!(input), json!(cached), json!(truth.generated)];
        // One file a scrape, all in one file, and one of them twice.
        let whole = folder.path().join("whole");
        std::fs::create_dir(&whole).expect("a folder");
        let all: String = (0..count)
            .map(|n| std::fs::read_to_string(folder.path().join(format!("{n:03}.prom"))).expect("saved"))
            .collect();
        std::fs::write(whole.join("all.prom"), all).expect("saved");
        let files: Vec<String> =
            (0..count).map(|n| folder.path().join(format!("{n:03}.prom")).display().to_string()).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let one = whole.display().to_string();
        for args in [&files[..], &[one.as_str()]] {
            let totals = &super::command::json(args)["result"]["totals"];
            let ours = ["requests", "input", "cache_read", "output"].map(|key| totals[key].clone());
            assert_eq!(ours, wanted, "{of} {start:?}: {args:?}");
        }
        // The same as Prometheus gives it for a range: by the hour, and the same sum.
        if of == "vllm" {
            let at = |n: usize| T + 3600 * n as u64;
            let mut series_of: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
            for (n, page) in pages.iter().enumerate() {
                for line in page.lines().filter(|l| l.starts_with("vllm:")) {
                    let (name, value) = line.rsplit_once(' ').expect("a value");
                    series_of.entry(name.to_owned()).or_default().push((at(n), value.to_owned()));
                }
            }
            let result: Vec<Value> = series_of
                .iter()
                .map(|(name, values)| {
                    let (metric, labels) = name.split_once('{').expect("labels");
                    let mut metric: Value =
                        json!({"__name__": metric, "job": "vllm", "instance": "gpu-box:8000"});
                    for label in labels.trim_end_matches('}').split(',').filter(|l| !l.is_empty()) {
                        let (key, value) = label.split_once('=').expect("a label");
                        metric[key] = json!(value.trim_matches('"'));
                    }
                    let values: Vec<(u64, &str)> = values.iter().map(|(t, v)| (*t, v.as_str())).collect();
                    series(metric, &values)
                })
                .collect();
            let usage = usage_of(&[&range(&result)]);
            let [input, read, _, output, _] = tokens(&usage);
            let ours = [json!(requests(&usage)), json!(input), json!(read), json!(output)];
            assert_eq!(ours, wanted, "query_range");
            let hours = usage.requests_by_hour_of_week_utc.expect("hours");
            assert_eq!(hours.values().copied().collect::<Vec<_>>(), [20; 6], "{hours:?}");
        }
    }
}
