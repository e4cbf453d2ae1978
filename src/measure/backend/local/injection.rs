//! Workers that misbehave: shell scripts in the worker's place. Whatever they do, the parent gets a
//! fault that says what happened, soon, and keeps little of what they write.

use super::*;
use crate::gguf::sample;
use crate::measure::backend::protocol::{EmbeddingKind, Memory, encode};
use crate::measure::event::{Channel, Message, Role};
use std::fmt::Write as _;

/// A folder with a plausible model and a script that can `cat` prepared frames by name.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().expect("a folder") };
        let template = sample::valid().text("tokenizer.chat_template", "{{ messages[0].content }}");
        stage.write("model.gguf", &template.bytes());
        let build = EngineBuild {
            name: "fake".into(),
            version: "1".into(),
            source: String::new(),
            devices: Vec::new(),
            libraries: Vec::new(),
            left_out: Vec::new(),
        };
        stage.frame("hello", &Reply::Hello { version: VERSION, build: build.clone() });
        stage.frame("old", &Reply::Hello { version: VERSION + 1, build });
        stage.frame("loaded", &Reply::Loaded(Box::new(loaded())));
        stage.frame("beat", &Reply::Heartbeat { progress: 3 });
        let event = Event::Content { channel: Channel::Text, text: "x".into(), tokens: Some(1) };
        let fault = Fault { kind: FaultKind::Engine, message: "no backend is here".into() };
        stage.frame("unusable", &Reply::Unusable(fault.clone()));
        stage.frame("refused", &Reply::TaskFailed { id: 1, fault });
        for (name, id, vector) in
            [("vector", 1, vec![0.6, 0.8]), ("long", 1, vec![0.1; 3]), ("other", 9, vec![0.6, 0.8])]
        {
            stage.frame(name, &Reply::Embedded { id, tokens: 5, tokenize_ns: 1, ns: 2, vector });
        }
        stage.frame("word", &Reply::Events { id: 1, events: vec![Stamped { at: 1, event }] });
        stage
    }
    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).expect("written");
    }
    fn frame(&self, name: &str, reply: &Reply) {
        self.write(name, &encode(reply).expect("encodes"));
    }
    /// A backend whose worker is this script, with short time limits.
    fn config(&self, script: &str) -> LocalConfig {
        let folder = self.folder.path();
        let script = format!("ulimit -c 0; cd '{}'; {script}", folder.display());
        LocalConfig {
            plan: None,
            load: LoadRequest {
                raw: false,
                threads: Some(1),
                ..LoadRequest::new(folder.join("model.gguf"), 64)
            },
            worker: WorkerCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] },
            limits: Limits {
                start: Duration::from_secs(2),
                silence: Duration::from_secs(1),
                stall: Duration::from_millis(300),
            },
        }
    }
    /// Starts and asks for one answer: the fault that came of it, and the number of events before it.
    fn play(&self, script: &str) -> (Fault, usize) {
        let config = self.config(script);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let begun = Instant::now();
        let outcome = runtime.block_on(async {
            let mut backend = match LocalBackend::start(config, &mut |_| ()).await {
                Ok(backend) => backend,
                Err(fault) => return (fault, 0),
            };
            let request = Request {
                messages: vec![Message::text(Role::User, "hi")],
                max_output_tokens: 4,
                ..Request::default()
            };
            let mut words = 0;
            let mut failed = None;
            backend
                .generate(&request, &mut |e| match e.event {
                    Event::Failed(fault) => failed = Some(fault),
                    _ => words += 1,
                })
                .await;
            (failed.expect("this worker does not finish"), words)
        });
        assert!(begun.elapsed() < Duration::from_secs(15), "a fault comes soon");
        outcome
    }
}

fn loaded() -> Loaded {
    Loaded {
        description: "fake".into(),
        name: None,
        architecture: None,
        parameters: 1,
        size: 1,
        layers: 1,
        offloaded_layers: 0,
        devices: Vec::new(),
        threads: 1,
        context: 64,
        context_trained: 64,
        longest_doubtful: None,
        parallel: 1,
        batch: 1,
        ubatch: 1,
        vocabulary: 1,
        load_ns: 1,
        chat_template: true,
        sampling: String::new(),
        embedding: Some(EmbeddingKind { dimensions: 2, pooling: "mean".into(), pooling_named: true }),
        memory: Memory::default(),
    }
}

#[test]
fn every_misbehaviour_is_a_fault_that_says_so() {
    let stage = Stage::new();
    // What the worker does, and what the fault must mention.
    let cases = [
        ("echo 'GGML_ASSERT(n > 0) failed' >&2; kill -ABRT $$", "signal 6"),
        ("echo 'GGML_ASSERT(n > 0) failed' >&2; kill -ABRT $$", "GGML_ASSERT(n > 0) failed"),
        ("echo 'CUDA error: out of memory' >&2; kill -ABRT $$", "because memory ran out"),
        ("kill -SEGV $$", "signal 11"),
        ("kill -KILL $$", "memory ran out"),
        ("exit 7", "exit code 7"),
        ("echo \"thread 'main' panicked at src/x.rs:1:2:\" >&2; exit 101", "a defect of this program"),
        ("echo \"thread 'main' panicked at src/x.rs:1:2:\" >&2; exit 101", "panicked at src/x.rs"),
        ("exit 0", "ended before its work was done"),
        ("printf 'Segmentation fault, says a library'", "not its protocol"),
        ("exec yes", "not its protocol"),
        ("exec cat /dev/zero", "not its protocol"),
        ("exec cat old", "speaks version"),
        ("exec sleep 60", "no sign of life"),
        ("cat hello; exec sleep 60", "no sign of life"),
        ("cat hello; while :; do cat beat; sleep 0.05; done", "no progress"),
        ("cat hello loaded; head -c 5 word; kill -ABRT $$", "signal 6"),
        ("cat hello loaded; head -c 9 word; exit 0", "ended before its work was done"),
        ("cat hello loaded; while :; do cat word; done", "more than was asked for"),
        ("cat hello loaded hello; exec sleep 60", "unexpected hello"),
        ("cat hello loaded; exec 3>&1; exec yes error >&2", "no sign of life"),
        ("exec 1>&-; sleep 60", "closed its pipe"),
    ];
    let mut wrong = String::new();
    for (script, expected) in cases {
        let (fault, _) = stage.play(script);
        if fault.kind != FaultKind::Worker || !fault.message.contains(expected) {
            let _ = writeln!(wrong, "{script}\n    wanted: {expected}\n    got: {}", fault.message);
        }
        assert!(fault.message.len() < 2000, "a bounded message");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn an_engine_without_a_backend_says_so_itself() {
    let (fault, _) = Stage::new().play("exec cat unusable");
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Engine, "no backend is here"));
}

#[test]
fn a_vector_is_taken_only_as_it_was_announced() {
    let stage = Stage::new();
    let embed = |script: &str| {
        let config = stage.config(&format!("cat hello loaded; {script}; exec sleep 60"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut backend = LocalBackend::start(config, &mut |_| ()).await.expect("loads");
            let first = backend.embed("a text").await;
            (first, backend.process_id().is_some())
        })
    };
    let (made, _) = embed("cat beat vector");
    let made = made.expect("a vector");
    assert_eq!((made.tokens, made.vector), (5, vec![0.6, 0.8]));
    let (refused, lives) = embed("cat refused");
    assert_eq!((refused.expect_err("refused").message.as_str(), lives), ("no backend is here", true));
    // An embedding of another length than announced, one of another request, and none at all.
    for (script, expected) in [
        ("cat long", "unexpected embedded"),
        ("cat other", "unexpected embedded"),
        ("true", "no sign of life"),
    ] {
        let (fault, lives) = embed(script);
        let fault = fault.expect_err("not taken");
        assert!(fault.message.contains(expected) && !lives, "{script}: {}", fault.message);
    }
}

#[test]
fn what_was_said_before_the_end_is_kept() {
    let (fault, words) = Stage::new().play("cat hello loaded word word; sleep 0.2; kill -KILL $$");
    assert_eq!((fault.kind, words), (FaultKind::Worker, 2));
}

#[test]
fn a_worker_sees_no_key() {
    let stage = Stage::new();
    // The variable is in this process's environment only where the test runner's has such names;
    // what the worker sees is checked by name.
    let (fault, _) = stage.play("env | cut -d= -f1 | sort | tr '\\n' ' ' | sed 's/^/error: /' >&2; exit 1");
    assert!(fault.message.contains("GGML_NO_BACKTRACE"), "{}", fault.message);
    for word in ["KEY", "TOKEN", "SECRET", "CARGO"] {
        assert!(!fault.message.contains(word), "{}", fault.message);
    }
}

#[test]
fn a_model_without_a_chat_template_is_refused_before_anything_starts() {
    let stage = Stage::new();
    stage.write("model.gguf", &sample::valid().bytes());
    let (fault, _) = stage.play("exit 1");
    assert_eq!(fault.kind, FaultKind::Template);
    assert!(fault.message.contains("--raw"), "{}", fault.message);
}
