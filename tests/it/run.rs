//! Running the built program, as a user would.

use crate::needs::shared;
#[cfg(unix)]
use rexpect::session::{PtySession, spawn_command};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program in a folder of its own: no settings, no catalogue of the person who runs the tests.
pub struct Sandbox {
    pub folder: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("FREEHOLD_CONFIG_DIR", self.path("config"))
            .env("FREEHOLD_DATA_DIR", self.path("data"))
            .env("FREEHOLD_CACHE_DIR", self.path("cache"))
            .env("COLUMNS", "100")
            .env_remove("CI")
            .stdin(Stdio::null());
        command
    }
    pub fn run(&self, args: &[&str]) -> Run {
        let output = self.command(program()).args(args).output().expect("the program starts");
        Run::from(output)
    }
    /// A line as a shell would run it, with `freehold` on the path.
    pub fn shell(&self, line: &str) -> Run {
        let folder = Path::new(program()).parent().expect("a folder").to_owned();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let output = self.command("sh").env("PATH", path).args(["-c", line]).output().expect("sh starts");
        Run::from(output)
    }
}

pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_freehold")
}

/// What came out.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

impl Run {
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out
    }
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).expect("stdout is JSON")
    }
    /// It refused: exit 2, nothing on stdout, and these words on stderr.
    #[track_caller]
    pub fn refused(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{}", self.err);
        assert!(self.out.is_empty(), "{}", self.out);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in: {}", self.err);
        }
    }
}

/// The texts of a test suite in `shared/testdata`, decoded; those that are not UTF-8 are left out.
#[track_caller]
pub fn suite(name: &str) -> Option<Vec<String>> {
    let suite: serde_json::Value = serde_json::from_str(&shared(name)?).expect("JSON");
    let cases = suite["cases"].as_array().expect("cases");
    let text = |case: &serde_json::Value| String::from_utf8(base64(case["input_b64"].as_str()?)).ok();
    let texts: Vec<String> = cases.iter().filter_map(text).collect();
    assert!(texts.len() > 250, "{name}: {} texts", texts.len());
    Some(texts)
}

/// What a base64 text stands for.
pub fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits =
            chunk.iter().fold(0_u32, |bits, c| bits << 6 | u32::from(value(*c))) << (6 * (4 - chunk.len()));
        bytes.extend(&bits.to_be_bytes()[1..chunk.len()]);
    }
    bytes
}

/// The program in a pseudo-terminal, with a person before it.
#[cfg(unix)]
pub fn in_terminal(sandbox: &Sandbox, columns: u16, args: &str) -> PtySession {
    let mut command = sandbox.command("sh");
    command.args(["-c", &format!("stty cols {columns} rows 40; exec {} {args}", program())]);
    command.stdin(Stdio::inherit());
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1").env_remove("COLUMNS");
    spawn_command(command, Some(30_000)).expect("a terminal")
}

/// Wait for a question, then answer it.
#[cfg(unix)]
#[track_caller]
pub fn answer(session: &mut PtySession, question: &str, keys: &str) {
    session.exp_string(question).unwrap_or_else(|e| panic!("{question}: {e}"));
    session.send(keys).expect("sent");
    session.flush().expect("flushed");
}
