//! The local engine on a real model: runs where `FREEHOLD_TEST_MODEL` names a GGUF file with a chat
//! template and the engine is built in; prints that it was skipped elsewhere.

use crate::needs;
use freehold::measure::backend::local::{LocalBackend, LocalConfig, Timed, Update, WorkerCommand};
use freehold::measure::backend::protocol::{Prompt, Sampling};
use freehold::measure::event::{Event, FaultKind, FinishReason, Message, Request, Role, Stamped};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One engine at a time: two would share the cores, and times are compared here.
pub static ENGINE: Mutex<()> = Mutex::new(());

/// The model under test and the machine, or a printed skip.
#[track_caller]
fn model() -> Option<(PathBuf, MutexGuard<'static, ()>)> {
    if !needs::engine() {
        return None;
    }
    let path = needs::path("FREEHOLD_TEST_MODEL")?;
    Some((path, ENGINE.lock().unwrap_or_else(PoisonError::into_inner)))
}

fn config(model: PathBuf, context: u32) -> LocalConfig {
    let mut config = LocalConfig::new(model, context).expect("the engine is built in");
    config.worker =
        WorkerCommand { program: env!("CARGO_BIN_EXE_freehold").into(), args: vec!["worker".into()] };
    config
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn ask(content: &str, max_output_tokens: u32) -> Request {
    let messages = vec![Message::text(Role::User, content)];
    Request { messages, max_output_tokens, ..Request::default() }
}

async fn start(config: LocalConfig) -> LocalBackend {
    LocalBackend::start(config, &mut |_| ()).await.unwrap_or_else(|f| panic!("{}", f.message))
}

async fn answer(backend: &mut LocalBackend, request: &Request) -> Vec<Stamped> {
    let mut events = Vec::new();
    backend.generate(request, &mut |e| events.push(e)).await;
    events
}

fn text(events: &[Stamped]) -> String {
    events
        .iter()
        .filter_map(|e| match &e.event {
            Event::Content { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn content_times(events: &[Stamped]) -> Vec<u64> {
    events.iter().filter(|e| matches!(e.event, Event::Content { .. })).map(|e| e.at).collect()
}

#[test]
fn a_real_model_answers_and_its_clock_agrees_with_its_counters() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut shares = Vec::new();
        let mut backend =
            LocalBackend::start(config(model, 512), &mut |share| shares.push(share)).await.expect("starts");
        assert!(shares.is_sorted() && shares.last().is_some_and(|s| *s > 0.9), "{shares:?}");
        let loaded = &backend.info().loaded;
        assert!(loaded.layers > 0 && loaded.threads > 0 && loaded.chat_template && loaded.load_ns > 0);
        assert!(loaded.context >= 512 && !loaded.devices.is_empty() && loaded.memory.weights > Some(1 << 20));

        let request = ask("Tell a long story about a lighthouse keeper.", 96);
        let events = answer(&mut backend, &request).await;
        assert!(events.is_sorted_by_key(|e| e.at), "time runs forward");
        let kinds: Vec<&str> = events
            .iter()
            .map(|e| match e.event {
                Event::Tokenized { .. } => "tokenized",
                Event::PrefillDone => "prefill-done",
                Event::Content { .. } => "content",
                Event::Sampling { .. } => "sampling",
                Event::EngineTimings { .. } => "timings",
                Event::Usage(_) => "usage",
                Event::Finished { .. } => "finished",
                _ => "other",
            })
            .collect();
        let mut order = kinds.clone();
        order.dedup();
        assert_eq!(
            order,
            ["tokenized", "prefill-done", "content", "sampling", "timings", "usage", "finished"]
        );

        let times = content_times(&events);
        let gaps = (times.len() - 1) as f64;
        let our_rate = gaps / ((times[times.len() - 1] - times[0]) as f64 / 1e9);
        let Some((steps, engine_ms)) = events.iter().find_map(|e| match e.event {
            Event::EngineTimings { output_tokens, output_ms, .. } => Some((output_tokens, output_ms)),
            _ => None,
        }) else {
            panic!("no timings")
        };
        let engine_rate = f64::from(steps) / (engine_ms / 1e3);
        assert!((our_rate / engine_rate - 1.0).abs() < 0.03, "{our_rate} against {engine_rate} tok/s");

        let again = answer(&mut backend, &request).await;
        assert_eq!(text(&events), text(&again), "greedy answers repeat");
        backend.shutdown().await;
    });
}

#[test]
fn requests_that_overlap_share_one_context() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut config = config(model, 256);
        config.load.parallel = 3;
        let mut backend = start(config).await;
        let mut finished = BTreeMap::new();
        let mut contents: BTreeMap<u32, usize> = BTreeMap::new();
        // Five requests for three sequences: two wait their turn.
        for word in ["one", "two", "three", "four", "five"] {
            backend.submit(&ask(word, 12), true).await.expect("accepted");
        }
        while finished.len() < 5 {
            if let Update::Events { id, events } = backend.next().await.expect("the worker lives") {
                for event in events {
                    match event.event {
                        Event::Content { .. } => *contents.entry(id).or_default() += 1,
                        Event::Finished { reason } => {
                            finished.insert(id, reason);
                        }
                        Event::Failed(fault) => panic!("{}", fault.message),
                        _ => {}
                    }
                }
            }
        }
        assert!(finished.values().all(|r| *r == FinishReason::Length));
        assert!(contents.len() == 5 && contents.values().all(|n| *n == 12), "{contents:?}");
    });
}

#[test]
fn what_cannot_be_generated_is_refused_and_the_worker_goes_on() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut backend = start(config(model, 256)).await;
        let failure = |events: &[Stamped]| match events.last().map(|e| e.event.clone()) {
            Some(Event::Failed(fault)) => fault,
            other => panic!("{other:?}"),
        };
        let long = failure(&answer(&mut backend, &ask("hello", 4000)).await);
        assert_eq!(long.kind, FaultKind::Context);
        assert!(long.message.contains("4000") && long.message.contains("--context"), "{}", long.message);
        let nul = failure(&answer(&mut backend, &ask("a\0b", 5)).await);
        assert_eq!(nul.kind, FaultKind::Request);
        let events = answer(&mut backend, &ask("hello", 5)).await;
        assert!(matches!(events.last(), Some(Stamped { event: Event::Finished { .. }, .. })));
    });
}

#[test]
fn a_dropped_request_does_not_disturb_the_next() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut backend = start(config(model, 512)).await;
        let expected = text(&answer(&mut backend, &ask("Count to ten.", 16)).await);
        let long = ask("Tell a very long story.", 400);
        let cut = tokio::time::timeout(Duration::from_millis(60), answer(&mut backend, &long));
        assert!(cut.await.is_err(), "the story takes longer");
        assert_eq!(text(&answer(&mut backend, &ask("Count to ten.", 16)).await), expected);
    });
}

#[test]
fn the_engine_alone_is_timed_in_rounds() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut backend = start(config(model, 512)).await;
        let prefill = backend.synthetic(128, 0, 0, 3).await.expect("runs");
        let decode = backend.synthetic(0, 16, 64, 2).await.expect("runs");
        assert_eq!((prefill.len(), decode.len()), (3, 2));
        let per_token = |times: &[Timed], tokens: u32| times[0].took.as_secs_f64() / f64::from(tokens);
        assert!(per_token(&prefill, 128) < per_token(&decode, 16), "a prompt is faster per token");
        let fault = backend.synthetic(1 << 20, 0, 0, 1).await.expect_err("too long");
        assert_eq!(fault.kind, FaultKind::Context);
    });
}

#[cfg(unix)]
#[test]
fn a_worker_that_is_killed_fails_the_request_and_nothing_else() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut backend = start(config(model, 1024)).await;
        let pid = backend.process_id().and_then(|p| i32::try_from(p).ok()).expect("it runs");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process");
        let mut events = Vec::new();
        backend
            .generate(&ask("Tell a very long story.", 900), &mut |e| {
                if matches!(e.event, Event::Content { .. }) {
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
                events.push(e);
            })
            .await;
        let Some(Event::Failed(fault)) = events.last().map(|e| &e.event) else { panic!("{events:?}") };
        assert_eq!(fault.kind, FaultKind::Worker);
        assert!(fault.message.contains("signal 9"), "{}", fault.message);
        // What it said before its end was kept, and later requests say why they cannot run.
        assert!(events.len() > 1);
        let later = answer(&mut backend, &ask("hello", 5)).await;
        assert!(
            matches!(&later[..], [Stamped { event: Event::Failed(f), .. }] if f.kind == FaultKind::Worker)
        );
    });
}

#[cfg(not(feature = "llama"))]
#[test]
fn a_build_without_the_engine_says_how_to_get_it() {
    let run =
        crate::run::Sandbox::new().run(&["bench", "--model", "model.gguf", "--prompts", "prompts.jsonl"]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains("built without it") && run.err.contains("cargo build --release"), "{}", run.err);
    assert!(run.out.is_empty());
}

#[test]
fn a_prompt_beyond_the_context_is_refused_before_the_weights_are_read() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut config = config(model, 256);
        let messages = vec![Message::text(Role::User, "word ".repeat(400))];
        config.load.doubtful = vec![Prompt { messages, max_output_tokens: 16, ..Prompt::default() }];
        let mut loaded = 0.0;
        let fault = LocalBackend::start(config, &mut |share| loaded = share).await.expect_err("too long");
        assert_eq!((fault.kind, loaded), (FaultKind::Context, 0.0), "{}", fault.message);
        assert!(fault.message.contains("--context"), "{}", fault.message);
    });
}

#[test]
fn an_answer_can_be_held_to_a_schema() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut config = config(model.clone(), 512);
        let schema = r#"{"type": "object", "required": ["city", "people"], "additionalProperties": false,
            "properties": {"city": {"enum": ["Paris", "Rome"]}, "people": {"type": "integer", "maximum": 9}}}"#;
        config.load.json_schema = Some(schema.to_owned());
        let mut backend = start(config).await;
        assert!(backend.info().loaded.sampling.contains("JSON schema"));
        let events = answer(&mut backend, &ask("Tell a story about a lighthouse.", 64)).await;
        let value: serde_json::Value = serde_json::from_str(&text(&events)).expect("JSON and nothing else");
        assert!(["Paris", "Rome"].contains(&value["city"].as_str().expect("a city")), "{value}");
        assert!(value["people"].is_i64(), "{value}");
        backend.shutdown().await;

        let mut config = self::config(model, 512);
        config.load.json_schema = Some(r##"{"$ref": "#/nowhere"}"##.to_owned());
        let fault = LocalBackend::start(config, &mut |_| ()).await.expect_err("no such definition");
        assert_eq!(fault.kind, FaultKind::Request, "{}", fault.message);
    });
}

#[test]
fn drawn_answers_repeat_with_their_seed() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut texts = Vec::new();
        for seed in [1, 1, 2] {
            let mut config = config(model.clone(), 512);
            let sampling = Sampling {
                temperature: 1.5,
                top_k: None,
                top_p: None,
                min_p: None,
                seed,
                recommended: false,
            };
            config.load.sampling = Some(sampling);
            let mut backend = start(config).await;
            texts.push(text(&answer(&mut backend, &ask("Tell a story.", 24)).await));
            backend.shutdown().await;
        }
        assert_eq!(texts[0], texts[1]);
        assert_ne!(texts[0], texts[2]);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_may_not_have_the_memory_says_so() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut config = config(model, 512);
        config.load.memory_limit = Some(8 << 20);
        let fault = LocalBackend::start(config, &mut |_| ()).await.expect_err("8 MiB");
        assert!(fault.message.contains("memory"), "{}", fault.message);
    });
}

#[cfg(not(any(feature = "cuda", feature = "vulkan", feature = "metal", feature = "rocm")))]
#[test]
fn the_command_refuses_what_cannot_be_before_it_loads() {
    let Some((model, _alone)) = model() else { return };
    let sandbox = crate::run::Sandbox::new();
    sandbox.write("prompts.jsonl", r#"{"prompt": "Tell a story."}"#);
    let model = model.to_str().expect("UTF-8").to_owned();
    let bench = |more: &[&str]| {
        let mut args =
            vec!["bench", "--model", &model, "--prompts", "prompts.jsonl", "--yes", "-o", "out.json"];
        args.extend(more);
        sandbox.run(&args)
    };
    let gate = bench(&["--require-gpu"]);
    assert_eq!(gate.code, Some(3), "{}", gate.err);
    assert!(gate.err.contains("no layer of the model is on a GPU"), "{}", gate.err);
    bench(&["--context", "4000000000"]).refused(&["would fit", "GiB"]);
    bench(&["--context", "200", "--max-output-tokens", "300"]).refused(&["300", "context of 200"]);
    bench(&["--device", "CUDA7"]);
    sandbox.write("schema.json", "[1]");
    bench(&["--json-schema", "schema.json"]).refused(&["schema.json", "no object"]);
    assert!(!sandbox.path("out.json").exists(), "nothing was measured");
}

#[test]
fn a_prompt_longer_than_a_batch_goes_in_parts_and_changes_nothing() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let request = ask(&"The keeper climbs the stairs of the lighthouse. ".repeat(12), 16);
        let mut texts = Vec::new();
        for batch in [None, Some(32)] {
            let mut config = config(model.clone(), 512);
            config.load.batch = batch;
            let mut backend = start(config).await;
            let events = answer(&mut backend, &request).await;
            assert!(
                matches!(events.last(), Some(Stamped { event: Event::Finished { .. }, .. })),
                "{events:?}"
            );
            texts.push(text(&events));
            backend.shutdown().await;
        }
        assert!(!texts[0].is_empty() && !texts[1].is_empty());
    });
}

#[test]
fn an_architecture_this_build_does_not_know_is_named() {
    let Some((model, _alone)) = model() else { return };
    let mut bytes = std::fs::read(&model).expect("the model is read");
    let key = b"general.architecture";
    let at = bytes.windows(key.len()).position(|w| w == key).expect("every model has one") + key.len();
    // After the key: the type and the length of the text.
    bytes[at + 12] = b'z';
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.gguf");
    std::fs::write(&path, bytes).expect("written");
    run(async {
        let fault = LocalBackend::start(config(path, 256), &mut |_| ()).await.expect_err("unknown");
        assert_eq!(fault.kind, FaultKind::Model);
        assert!(fault.message.contains("does not know the model's architecture"), "{}", fault.message);
    });
}

/// A vocabulary that its tokenizer cannot be built from (llama.cpp #25969, #26511: `PLaMo` 2).
#[test]
fn a_vocabulary_the_loader_chokes_on_is_an_error() {
    let Some((model, _alone)) = model() else { return };
    let mut bytes = std::fs::read(&model).expect("the model is read");
    // Both together are 32 bytes longer, so that the data stays where it is aligned.
    let mut replace = |key: &str, longer: usize, with: &dyn Fn(&[u8]) -> Vec<u8>| {
        let at = bytes.windows(key.len()).position(|w| w == key.as_bytes()).expect("a key") + key.len() + 4;
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let length = usize::try_from(length).expect("short");
        let text = with(&bytes[at + 8..at + 8 + length]);
        assert_eq!(text.len(), length + longer, "{key}");
        bytes.splice(at..at + 8 + length, [&(text.len() as u64).to_le_bytes()[..], &text].concat());
    };
    replace("tokenizer.ggml.model", 2, &|_| b"plamo2".to_vec());
    replace("general.name", 30, &|name| [name, &[b' '; 30]].concat());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plamo2.gguf");
    std::fs::write(&path, bytes).expect("written");
    run(async {
        let fault = LocalBackend::start(config(path, 256), &mut |_| ()).await.expect_err("no byte tokens");
        assert!(fault.message.contains("Byte token"), "{}", fault.message);
    });
}

#[test]
fn texts_of_one_meaning_have_nearer_vectors_than_others() {
    let Some((model, _alone)) = model() else { return };
    run(async {
        let mut config = config(model, 256);
        (config.load.embed, config.load.raw) = (true, true);
        let mut backend = start(config).await;
        let kind = backend.info().loaded.embedding.clone().expect("said");
        let mut vectors = Vec::new();
        for text in [
            "The cat sleeps on the sofa.",
            "A kitten is napping on the couch.",
            "Quarterly revenue grew by nine percent.",
            "The cat sleeps on the sofa.",
        ] {
            let made = backend.embed(text).await.expect("a vector");
            assert!(made.tokens > 4 && made.computing <= made.total, "{made:?}");
            assert_eq!(made.vector.len(), kind.dimensions as usize);
            vectors.push(made.vector);
        }
        let product =
            |a: usize, b: usize| -> f32 { vectors[a].iter().zip(&vectors[b]).map(|(x, y)| x * y).sum() };
        assert!((product(0, 0) - 1.0).abs() < 1e-4, "length 1");
        assert!((product(0, 3) - 1.0).abs() < 1e-4, "the same text");
        assert!(product(0, 1) > product(0, 2), "{} and {}", product(0, 1), product(0, 2));
        let fault = backend.embed(&"word ".repeat(400)).await.expect_err("too long");
        assert_eq!(fault.kind, FaultKind::Context);
        assert!(fault.message.contains("--context"), "{}", fault.message);
        backend.embed("and it goes on").await.expect("a vector");
        backend.shutdown().await;
    });
}

/// Ctrl-C in the middle of an answer: what is measured is kept, and no worker is left.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_local_run_keeps_what_it_has() {
    let Some((model, _alone)) = model() else { return };
    let sandbox = crate::run::Sandbox::new();
    let lines: Vec<String> =
        (0..500).map(|n| format!("{{\"id\": \"q{n}\", \"prompt\": \"Tell the story of {n}.\"}}\n")).collect();
    sandbox.write("prompts.jsonl", &lines.concat());
    let mut child = sandbox
        .command(crate::run::program())
        .args(["bench", "--prompts", "prompts.jsonl", "--warmup", "0", "--repeats", "1", "--yes"])
        .args(["--max-output-tokens", "40", "-o", "out.json", "--model"])
        .arg(&model)
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("started");
    let journal = sandbox.path("out.journal.jsonl");
    let first_is_there =
        || std::fs::read_to_string(&journal).is_ok_and(|text| text.contains("\"line\":\"sample\""));
    while !first_is_there() {
        assert!(child.try_wait().expect("asked").is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).expect("read");
    let worker = children.split_whitespace().next().expect("a worker runs").to_owned();
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    assert_eq!(child.wait().expect("ended").code(), Some(130));
    let text = std::fs::read_to_string(sandbox.path("out.json")).expect("a report");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["result"]["complete"], false);
    let samples = document["result"]["samples"].as_array().expect("samples");
    assert!((1..500).contains(&samples.len()), "{} samples", samples.len());
    assert!(samples[0]["error"].is_null() && samples[0]["decode_tps"].is_f64(), "{}", samples[0]);
    // Dead at once; that somebody has collected it is for the system's first process to do.
    let ended = std::time::Instant::now();
    let lives = || {
        let status = std::fs::read_to_string(format!("/proc/{worker}/status")).unwrap_or_default();
        status.contains("State:") && !status.contains("State:\tZ")
    };
    while lives() {
        assert!(ended.elapsed() < Duration::from_secs(2), "the worker outlives the program");
        std::thread::yield_now();
    }
}

#[test]
fn a_model_that_is_not_there_is_said_before_anything_is_sent() {
    if !needs::engine() {
        return;
    }
    let sandbox = crate::run::Sandbox::new();
    sandbox.write("prompts.jsonl", "{\"prompt\": \"Hello\"}\n");
    for more in [&["--dry-run"][..], &["--api", "openai:m@http://127.0.0.1:9/v1"]] {
        let said = sandbox
            .run(&[&["bench", "--prompts", "prompts.jsonl", "--model", "missing.gguf"], more].concat());
        said.refused(&["there is no model file missing.gguf"]);
        assert!(!sandbox.path("bench.json").exists());
    }
}
