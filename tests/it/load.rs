//! `bench` under load, against a server whose answers leave at exact instants; and its journal,
//! under kills.

// Counts in a JSON document are compared, not measurements.
#![allow(clippy::float_cmp)]

use crate::deadline::{Pace, Server};
use crate::run::{Run, Sandbox, program};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

fn pace(ttft: u64, gap: u64) -> Pace {
    Pace { ttft: Duration::from_millis(ttft), gap: Duration::from_millis(gap), tokens: 10 }
}

/// A sandbox with `prompts` prompts, none of which is a part of another.
fn sandbox(prompts: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let line = |n| format!("{{\"id\":\"q{n}\",\"prompt\":\"question {n}.\",\"expect\":\"word\"}}\n");
    sandbox.write("prompts.jsonl", &(0..prompts).map(line).collect::<String>());
    sandbox
}
fn bench(sandbox: &Sandbox, server: &Server, more: &str) -> Run {
    sandbox.shell(&format!("freehold bench --api {} --prompts prompts.jsonl {more}", target(server)))
}
fn target(server: &Server) -> String {
    format!("openai:m@http://127.0.0.1:{}/v1", server.port)
}
fn json(sandbox: &Sandbox, name: &str) -> Value {
    let text = std::fs::read_to_string(sandbox.path(name)).expect("a document");
    serde_json::from_str(&text).expect("JSON")
}
fn number(value: &Value, place: &str) -> f64 {
    value.pointer(place).and_then(Value::as_f64).unwrap_or_else(|| panic!("{place}: {value}"))
}
fn list<'a>(value: &'a Value, place: &str) -> &'a Vec<Value> {
    value.pointer(place).and_then(Value::as_array).unwrap_or_else(|| panic!("{place}: {value}"))
}

#[test]
fn levels_beyond_broken_limits_are_left_out_and_named() {
    let levels = |slo: &str| {
        let (sandbox, server) = (sandbox(3), Server::start(pace(60, 5), 0));
        let run = bench(
            &sandbox,
            &server,
            &format!("--load-only --warmup 0 --concurrency 1,2,3 --requests 4 {slo} -o out.json"),
        );
        assert_eq!(run.code, Some(0), "{}", run.err);
        let document = json(&sandbox, "out.json");
        let levels = list(&document, "/result/targets/0/levels").len();
        let named = list(&document, "/warnings").iter().filter(|w| w["id"] == "remark").count();
        (levels, named, document["result"]["complete"] == true)
    };
    assert_eq!(levels("--slo ttft=10ms"), (1, 2, true), "nobody keeps 10 ms");
    assert_eq!(levels("--slo ttft=10s"), (3, 0, true));
    assert_eq!(levels(""), (3, 0, true), "the default limits stop nothing");
}

#[test]
fn levels_are_measured_beside_what_is_asked_alone() {
    let (sandbox, server) = (sandbox(3), Server::start(pace(30, 5), 0));
    let run = bench(
        &sandbox,
        &server,
        "--repeats 1 --concurrency 4,1 --requests 12 --max-output-tokens 8 -o out.json",
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    let document = json(&sandbox, "out.json");
    assert_eq!(list(&document, "/result/samples").len(), 3, "alone");
    assert_eq!(list(&document, "/result/load_samples").len(), 24, "warm-up is not among them");
    let levels = list(&document, "/result/targets/0/levels");
    assert_eq!([&levels[0]["concurrency"], &levels[1]["concurrency"]], [1, 4]);
    for (level, most) in levels.iter().zip([1.0, 4.0]) {
        assert_eq!((number(level, "/requests"), number(level, "/failures")), (12.0, 0.0));
        assert_eq!(number(level, "/detail/in_flight_max"), most);
        // 30 ms and 7 gaps of 5 ms: at most so many per second.
        assert!(number(level, "/requests_per_s") <= most / 0.065 * 1.05, "{level}");
        assert!(number(level, "/output_tps_system") > 0.0);
        assert_eq!(number(level, "/detail/goodput/met"), 12.0);
    }
    // One warm-up request alone, then one for each at once.
    assert_eq!(server.served().len(), 1 + 3 + 1 + 12 + 4 + 12);
    // Our clock against the server's own record of what it wrote.
    let mut written: Vec<f64> =
        server.served().iter().filter_map(|s| Some(s.tpot?.as_secs_f64() * 1000.0)).collect();
    written.sort_by(f64::total_cmp);
    let wrote = written[written.len() / 2];
    assert!((number(&levels[0], "/tpot_ms/median") - wrote).abs() < 1.0, "{wrote}: {}", levels[0]);
}

#[test]
fn an_open_loop_keeps_its_schedule_whatever_the_answers_do() {
    let (sandbox, server) = (sandbox(2), Server::start(pace(300, 5), 0));
    let load = "--load-only --rate 20/s --requests 20 --warmup 0 --seed 4 --slo ttft=100ms";
    for name in ["a.json", "b.json"] {
        assert_eq!(bench(&sandbox, &server, &format!("{load} -o {name}")).code, Some(0));
    }
    let (a, b) = (json(&sandbox, "a.json"), json(&sandbox, "b.json"));
    let due = |document: &Value| {
        let mut due: Vec<f64> =
            list(document, "/result/load_samples").iter().map(|s| number(s, "/scheduled_ms")).collect();
        due.sort_by(f64::total_cmp);
        due
    };
    assert_eq!(due(&a), due(&b), "the same seed gives the same arrivals");
    let rate = &list(&a, "/result/targets/0/rates")[0];
    assert_eq!((number(rate, "/rate_per_s"), number(rate, "/requests")), (20.0, 20.0));
    // A closed loop of one would have needed seven seconds.
    assert!(number(rate, "/detail/in_flight_max") > 2.0, "{rate}");
    assert!(number(rate, "/ttft_scheduled_ms/median") >= number(rate, "/ttft_ms/median"));
    assert_eq!(number(rate, "/detail/goodput/met"), 0.0, "nothing comes within 100 ms");
    assert!(list(&a, "/result/samples").is_empty(), "--load-only");
    let constant = bench(
        &sandbox,
        &server,
        "--load-only --rate 50/s --arrivals constant --duration 200ms --warmup 0 -o c.json",
    );
    assert_eq!(constant.code, Some(0), "{}", constant.err);
    let due = due(&json(&sandbox, "c.json"));
    assert_eq!(due.len(), 10);
    assert!(due.windows(2).all(|w| ((w[1] - w[0]) - 20.0).abs() < 0.001), "{due:?}");
}

/// Under load a refusal is not tried again, but the server is left alone for as long as it asked.
#[test]
fn a_refusal_under_load_counts_and_is_heeded() {
    let (sandbox, server) = (sandbox(1), Server::start(pace(5, 2), 0));
    let address = format!("openai:m@http://127.0.0.1:{}/refuse=2/v1", server.port);
    let begun = std::time::Instant::now();
    let run = sandbox.shell(&format!(
        "freehold bench --api {address} --prompts prompts.jsonl --load-only --concurrency 2 --requests 6 --warmup 0 -o out.json"
    ));
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(begun.elapsed() >= Duration::from_secs(1), "both places were kept back for the second");
    assert_eq!(server.served().len(), 6, "six requests, none of them twice");
    let document = json(&sandbox, "out.json");
    let level = &list(&document, "/result/targets/0/levels")[0];
    assert_eq!((number(level, "/failures"), number(level, "/detail/failure_kinds/rate")), (2.0, 2.0));
    assert_eq!(number(level, "/detail/goodput/requests"), 6.0, "who was refused was not served");
    assert_eq!(number(level, "/detail/goodput/met"), 4.0);
}

/// A server that nobody reaches ends its load. Resumed, what was refused is asked again; what a load
/// that was on to its end failed at stays its result.
#[test]
fn resume_asks_again_what_a_broken_off_load_failed_at() {
    let (sandbox, server) = (sandbox(1), Server::start(pace(5, 2), 0));
    let address = format!("openai:m@http://127.0.0.1:{}/refuse=20/v1", server.port);
    let run = sandbox.shell(&format!(
        "freehold bench --api {address} --prompts prompts.jsonl --load-only --concurrency 20 --requests 30 --warmup 0 -o out.json"
    ));
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(server.served().len(), 20, "all refused: {}", run.err);
    let run = sandbox.shell(&format!("freehold bench --resume out.json --api {address}"));
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(server.served().len(), 50);
    let document = json(&sandbox, "out.json");
    let level = &list(&document, "/result/targets/0/levels")[0];
    assert_eq!((number(level, "/requests"), number(level, "/failures")), (30.0, 0.0));
    assert_eq!(document["result"]["complete"], true);
    assert_eq!(list(&document, "/result/load_samples").len(), 30, "each once");
    assert!(document["warnings"].to_string().contains("asked-again"), "{}", document["warnings"]);
    assert_eq!(sandbox.shell("freehold bench --resume out.json").code, Some(2), "nothing is left");

    let address = format!("openai:m@http://127.0.0.1:{}/refuse=52/v1", server.port);
    let run = sandbox.shell(&format!(
        "freehold bench --api {address} --prompts prompts.jsonl --load-only --concurrency 2 --requests 6 --warmup 0 -o whole.json"
    ));
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(
        sandbox.shell("freehold bench --resume whole.json").code,
        Some(2),
        "two refusals are a result"
    );
}

/// More than can be sent in a run is refused before anything is planned, and takes no memory.
#[test]
fn loads_without_end_are_refused_at_once() {
    let sandbox = sandbox(1);
    let target = "openai:m@http://127.0.0.1:9/v1";
    for load in ["--rate 100000/s --duration 720h", "--rate 100000/s --warmup 1000 --requests 1"] {
        let run = sandbox.shell(&format!(
            "freehold bench --api {target} --prompts prompts.jsonl --load-only {load} --dry-run"
        ));
        assert_eq!(run.code, Some(2), "{}", run.err);
        assert!(run.err.contains("too many"), "{}", run.err);
    }
    let run = sandbox.shell(&format!(
        "freehold bench --api {target} --prompts prompts.jsonl --load-only --rate 1000/s --duration 2h --dry-run"
    ));
    assert_eq!(run.code, Some(0), "{}", run.err);
}

/// A level of 300 that one request is to make is a level of one, and has no rate.
#[test]
fn a_level_that_was_never_reached_is_said() {
    let (sandbox, server) = (sandbox(1), Server::start(pace(5, 2), 0));
    let run = bench(&sandbox, &server, "--load-only --warmup 0 --concurrency 300 --requests 1 -o out.json");
    assert_eq!(run.code, Some(0), "{}", run.err);
    let document = json(&sandbox, "out.json");
    let level = &list(&document, "/result/targets/0/levels")[0];
    assert!(level["requests_per_s"].is_null() && level["output_tps_system"].is_null(), "{level}");
    let warned = document["warnings"].to_string();
    assert!(warned.contains("fewer-at-once") && warned.contains("never more than 1"), "{warned}");
}

#[test]
fn metrics_are_explained() {
    let sandbox = sandbox(1);
    assert!(sandbox.run(&["bench", "--explain", "ttft"]).ok().contains("first non-empty text"));
    assert_eq!(sandbox.run(&["bench", "--explain"]).ok(), sandbox.run(&["help", "metrics"]).ok());
    sandbox.run(&["bench", "--explain", "speed"]).refused(&["speed", "ttft_ms"]);
}

/// The whole report from the journal alone: no server, no prompts, no key, the same bytes.
#[test]
fn a_replay_is_the_report_again() {
    let (sandbox, server) = (sandbox(7), Server::start(pace(5, 2), 0));
    let run = bench(&sandbox, &server, "--repeats 2 --concurrency 2 --rate 50/s --requests 10 -o out.json");
    assert_eq!(run.code, Some(0), "{}", run.err);
    let asked = server.served().len();
    std::fs::remove_file(sandbox.path("prompts.jsonl")).expect("removed");
    for of in ["out.json", "out.journal.jsonl"] {
        let again = sandbox.run(&["bench", "--replay", of, "--json"]).ok();
        let was = std::fs::read_to_string(sandbox.path("out.json")).expect("the report");
        assert!(again == was, "the replay of {of} differs");
    }
    // A changed definition needs no new bill.
    let other = sandbox.run(&["bench", "--replay", "out.json", "--slo", "e2e=1ms", "--json"]).json();
    assert_eq!(number(&other, "/result/targets/0/levels/0/detail/goodput/met"), 0.0);
    assert_eq!(number(&other, "/inputs/slo/value/e2e_ms"), 1.0);
    assert_eq!(
        other["result"]["targets"][0]["levels"][0]["ttft_ms"],
        json(&sandbox, "out.json")["result"]["targets"][0]["levels"][0]["ttft_ms"]
    );
    assert_eq!(server.served().len(), asked, "nobody was called");
    sandbox.run(&["bench", "--resume", "out.json"]).refused(&["complete", "--replay"]);
}

/// A journal of a killed run replays to what it has, and says what is missing.
#[test]
fn half_a_run_replays_to_half_a_report() {
    let (sandbox, server) = (sandbox(4), Server::start(pace(5, 2), 0));
    assert_eq!(
        bench(&sandbox, &server, "--repeats 1 --warmup 0 --concurrency 2 --requests 6 -o out.json").code,
        Some(0)
    );
    let journal = std::fs::read_to_string(sandbox.path("out.journal.jsonl")).expect("a journal");
    // The beginning, three answers, and one request under way; then half a line.
    let kept: Vec<&str> = journal.lines().take(8).collect();
    sandbox.write("half.journal.jsonl", &format!("{}\n{{\"line\":\"sam", kept.join("\n")));
    let half = sandbox.run(&["bench", "--replay", "half.json", "--json"]).json();
    assert_eq!(half["result"]["complete"], false);
    assert_eq!(list(&half, "/result/samples").len(), 3);
    assert_eq!(number(&half, "/result/targets/0/cut_in_flight"), 1.0);
    let warned = list(&half, "/warnings").iter().filter_map(|w| w["id"].as_str()).collect::<Vec<_>>();
    assert!(warned.contains(&"cut-in-flight") && warned.contains(&"requests-not-sent"), "{warned:?}");
    sandbox.write("broken.journal.jsonl", &journal.replacen("\"sent\"", "\"rubbish\"", 1));
    sandbox.run(&["bench", "--replay", "broken.json"]).refused(&["broken.journal.jsonl, line 2"]);
}

#[test]
fn an_unfinished_run_is_put_aside_not_overwritten() {
    let (sandbox, server) = (sandbox(2), Server::start(pace(5, 2), 0));
    assert_eq!(bench(&sandbox, &server, "--repeats 1 -o out.json").code, Some(0));
    let path = sandbox.path("out.journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("a journal");
    let unfinished = text.rsplit_once("{\"line\":\"end\"").expect("an end").0;
    std::fs::write(&path, unfinished).expect("written");
    let run = bench(&sandbox, &server, "--repeats 1 -o out.json");
    assert!(run.err.contains("out.unfinished-1.journal.jsonl"), "{}", run.err);
    assert_eq!(
        std::fs::read_to_string(sandbox.path("out.unfinished-1.journal.jsonl")).expect("kept"),
        unfinished
    );
}

#[test]
fn options_of_a_load_without_a_load_are_refused() {
    let sandbox = sandbox(1);
    let bench = |more: &str| {
        sandbox.shell(&format!(
            "freehold bench --api openai:m@http://127.0.0.1:9/v1 --prompts prompts.jsonl {more}"
        ))
    };
    bench("--duration 60s").refused(&["--duration", "--concurrency"]);
    bench("--load-only").refused(&["--load-only"]);
    bench("--concurrency 2 --arrivals constant").refused(&["--arrivals", "--rate"]);
    bench("--rate 2/fortnight").refused(&["fortnight"]);
    bench("--concurrency 2 --slo ttft=500").refused(&["500ms"]);
    let plan = bench("--concurrency 2,8 --requests 20 --rate 30/min --repeats 2 --dry-run");
    // 1 + 2 alone; 2 + 20 and 8 + 20, 1 + 20 at the rate; each load twice.
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    assert!(
        plan.err.contains("Load: 2, 8 at once and 0.5/s (Poisson arrivals), 20 requests each, 2 rounds"),
        "{}",
        plan.err
    );
    assert!(plan.err.contains(&format!("{} calls", 3 + 2 * (22 + 28 + 21))), "{}", plan.err);
}

/// Killed at random moments, alone and under load, and resumed each time: every planned request is
/// measured exactly once, none is sent again after its answer was noted, and what was under way at
/// a kill is counted. `FREEHOLD_KILLS=200` makes it as many as the project holds itself to.
#[test]
fn kills_lose_nothing_and_pay_nothing_twice() {
    let wanted: u32 = std::env::var("FREEHOLD_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(10);
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let mut kills = 0;
    while kills < wanted {
        kills += one_run(&mut rng, wanted - kills);
    }
}

/// One run with at most `most` kills; how many there were.
fn one_run(rng: &mut ChaCha8Rng, most: u32) -> u32 {
    const PROMPTS: usize = 8;
    let (sandbox, server) = (sandbox(PROMPTS), Server::start(pace(4, 2), 0));
    let child = |args: &[&str]| {
        let mut command: Command = sandbox.command(program());
        command.arg("bench").args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started")
    };
    let target = target(&server);
    let plan = "--prompts prompts.jsonl --repeats 1 --warmup 0 --concurrency 4 --rate 100/s --requests 16 -o out.json";
    let mut arguments = vec!["--api", &target];
    arguments.extend(plan.split(' '));
    let mut running = child(&arguments);
    let mut kills = 0;
    loop {
        let begun = sandbox.path("out.journal.jsonl").exists();
        std::thread::sleep(Duration::from_millis(rng.random_range(20..300)));
        if kills == most || running.try_wait().expect("known").is_some() {
            break;
        }
        running.kill().expect("killed");
        running.wait().expect("gone");
        if !begun && !sandbox.path("out.journal.jsonl").exists() {
            // Killed before it did anything.
            return kills + 1;
        }
        kills += 1;
        assert!(!sandbox.path("out.json").exists(), "no half a report");
        running = child(&["--resume", "out.json", "--api", &target]);
    }
    let output = running.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("the journal has no beginning") {
        // Killed between making the journal and its first line: nothing was sent.
        assert!(server.served().is_empty(), "{said}");
        return kills;
    }
    assert!(output.status.success(), "after {kills} kills: {said}");

    let journal = std::fs::read_to_string(sandbox.path("out.journal.jsonl")).expect("a journal");
    let (mut sent, mut answered): (BTreeMap<String, u32>, BTreeMap<String, u32>) = Default::default();
    let mut of_prompt: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    for line in journal.lines().map(|l| serde_json::from_str::<Value>(l).expect("a line")) {
        let step = line["step"].to_string();
        let prompt = line["step"]["prompt"].as_u64();
        match line["line"].as_str() {
            Some("sent") => {
                assert!(!answered.contains_key(&step), "sent again after its answer: {step}");
                *sent.entry(step).or_default() += 1;
                of_prompt.entry(prompt.expect("a prompt")).or_default().0 += 1;
            }
            Some("sample") => {
                *answered.entry(step).or_default() += 1;
                of_prompt.entry(prompt.expect("a prompt")).or_default().1 += 1;
            }
            _ => {}
        }
    }
    assert_eq!(answered.len(), PROMPTS + 16 + 16, "nothing is lost");
    assert!(answered.values().all(|n| *n == 1), "nothing is measured twice");
    let cut: u32 = sent.values().sum::<u32>() - u32::try_from(answered.len()).expect("small");
    let document = json(&sandbox, "out.json");
    assert_eq!(number(&document, "/result/targets/0/cut_in_flight"), f64::from(cut));
    assert_eq!(list(&document, "/result/samples").len(), PROMPTS);
    assert_eq!(list(&document, "/result/load_samples").len(), 32);
    // What the server saw: no prompt more often than the journal owns to.
    let served = server.served();
    for (prompt, (sent, answered)) in of_prompt {
        let text = format!("question {prompt}.");
        let seen = u32::try_from(served.iter().filter(|s| s.body.contains(&text)).count()).expect("small");
        assert!((answered..=sent).contains(&seen), "{text} {seen} of {answered}..={sent}");
    }
    let again = sandbox.run(&["bench", "--replay", "out.json", "--json"]).ok();
    let was = std::fs::read_to_string(sandbox.path("out.json")).expect("the report");
    assert!(again == was, "the replay of a resumed run differs");
    kills
}
