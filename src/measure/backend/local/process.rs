//! The worker process: its environment, its pipes, its log, and what its end means.

use super::fault::fault;
use crate::measure::backend::libraries;
use crate::measure::backend::protocol::{self, Command, FrameError, Reply};
use crate::measure::event::{Fault, FaultKind};
use crate::measure::text::one_line;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;

/// What to run as the worker.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    pub program: PathBuf,
    pub args: Vec<OsString>,
}

impl WorkerCommand {
    /// The worker subcommand of this program; an error where the engine is not built in.
    pub fn this_program() -> Result<Self, Fault> {
        if !cfg!(feature = "llama") {
            return Err(fault(
                FaultKind::Engine,
                "this freehold was built without the local engine; build it with `cargo build --release` \
                 (the default features include it), or measure an API only",
            ));
        }
        let program = std::env::current_exe()
            .map_err(|e| fault(FaultKind::Worker, format!("cannot find this program's own file: {e}")))?;
        Ok(Self { program, args: vec!["worker".into()] })
    }
}

/// How the communication with a worker ended, before it is known what became of the process.
#[derive(Debug)]
pub(super) enum Ending {
    /// Its pipe was closed.
    Closed(Option<FrameError>),
    /// It sent something outside the protocol.
    Nonsense(FrameError),
    /// It sent nothing for so long.
    Silent(Duration),
    /// It lives but made no progress for so long.
    Stalled(Duration),
    /// It sent more events than were asked for.
    Flood,
}

/// A running worker and its three pipes.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    replies: mpsc::Receiver<Result<Reply, FrameError>>,
    log: Arc<Mutex<LogTail>>,
}

impl Worker {
    /// Starts the process. Needs a tokio runtime.
    pub(super) fn spawn(command: &WorkerCommand) -> Result<Self, Fault> {
        let mut child = tokio::process::Command::new(&command.program)
            .args(&command.args)
            .env_clear()
            .envs(environment(std::env::vars_os()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| {
                fault(
                    FaultKind::Worker,
                    format!("cannot start the local engine's process {}: {e}", command.program.display()),
                )
            })?;
        // A full channel makes the reader wait, the pipe fill and the worker block: memory is bounded
        // by frames in the channel, whatever the worker sends.
        let (sender, replies) = mpsc::channel(16);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(read_replies(stdout, sender));
        }
        let log = Arc::new(Mutex::new(LogTail::default()));
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(read_log(stderr, log.clone()));
        }
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, replies, log })
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) async fn send(&mut self, command: &Command) -> Result<(), FrameError> {
        let frame = protocol::encode(command)?;
        let stdin = self.stdin.as_mut().ok_or(FrameError::Cut)?;
        stdin.write_all(&frame).await?;
        Ok(stdin.flush().await?)
    }

    pub(super) async fn receive(&mut self) -> Option<Result<Reply, FrameError>> {
        self.replies.recv().await
    }

    /// Closes its stdin, on which it should end; kills it where it does not within two seconds.
    pub(super) async fn close(&mut self) {
        self.stdin = None;
        if tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    /// Makes sure that the process is over, and says what happened.
    pub(super) async fn ended(&mut self, ending: Ending) -> Fault {
        self.stdin = None;
        let closed = matches!(ending, Ending::Closed(_) | Ending::Nonsense(FrameError::Cut));
        let mut status = None;
        if closed {
            // It is ending by itself: its exit status is worth waiting for.
            status = tokio::time::timeout(Duration::from_secs(3), self.child.wait())
                .await
                .ok()
                .and_then(Result::ok);
        }
        if status.is_none() {
            let _ = self.child.kill().await;
        }
        // The last lines may still be on their way through the pipe.
        for _ in 0..20 {
            if self.log.lock().unwrap_or_else(PoisonError::into_inner).ended {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let log = self.last_lines();
        let what = match (ending, status) {
            (Ending::Silent(limit), _) => {
                format!("gave no sign of life for {} s and was ended", limit.as_secs_f32())
            }
            (Ending::Stalled(limit), _) => {
                format!("made no progress for {} s and was ended", limit.as_secs_f32())
            }
            (Ending::Flood, _) => "sent more than was asked for and was ended".into(),
            (_, Some(status)) => explain(status, &log),
            (Ending::Nonsense(error), None) => {
                format!("sent what is not its protocol and was ended ({})", one_line(&error.to_string(), 200))
            }
            (Ending::Closed(error), None) => format!(
                "closed its pipe and was ended{}",
                error.map(|e| format!(" ({})", one_line(&e.to_string(), 200))).unwrap_or_default()
            ),
        };
        fault(FaultKind::Worker, with_lines(format!("the local engine's process {what}"), &log))
    }

    /// A failure that the worker reported itself, with what the engine logged about it.
    pub(super) fn with_log(&self, failure: Fault) -> Fault {
        Fault { message: with_lines(failure.message, &self.last_lines()), ..failure }
    }

    fn last_lines(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).telling()
    }
}

async fn read_replies(mut stdout: ChildStdout, sender: mpsc::Sender<Result<Reply, FrameError>>) {
    loop {
        let reply = match protocol::read_async(&mut stdout).await {
            Ok(None) => return,
            Ok(Some(reply)) => Ok(reply),
            Err(e) => Err(e),
        };
        let stop = reply.is_err();
        if sender.send(reply).await.is_err() || stop {
            return;
        }
    }
}

async fn read_log(mut stderr: ChildStderr, log: Arc<Mutex<LogTail>>) {
    let mut buffer = vec![0; 8192];
    loop {
        let read = stderr.read(&mut buffer).await.unwrap_or(0);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if read == 0 {
            log.ended = true;
            return;
        }
        log.push(&buffer[..read]);
    }
}

/// The last lines of a log, limited in number and in length.
#[derive(Debug, Default)]
struct LogTail {
    lines: VecDeque<String>,
    partial: Vec<u8>,
    ended: bool,
}

impl LogTail {
    const LINES: usize = 40;
    const LINE_BYTES: usize = 1024;

    fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end_line();
            } else if self.partial.len() < Self::LINE_BYTES {
                self.partial.push(byte);
            }
        }
    }
    fn end_line(&mut self) {
        let line = one_line(&String::from_utf8_lossy(&self.partial), 300);
        self.partial.clear();
        if line.is_empty() {
            return;
        }
        if self.lines.len() == Self::LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
    /// The lines that say most about a failure: the last three that mention one, else the last three.
    fn telling(&self) -> Vec<String> {
        let names_failure = |line: &&String| {
            let line = line.to_ascii_lowercase();
            ["error", "fail", "abort", "assert", "panic", "unable", "out of memory", "unknown", "not found"]
                .iter()
                .any(|word| line.contains(word))
        };
        let all: Vec<&String> = self.lines.iter().collect();
        let named: Vec<&String> = self.lines.iter().filter(names_failure).collect();
        let chosen = if named.is_empty() { all } else { named };
        let mut lines: Vec<String> =
            chosen[chosen.len().saturating_sub(3)..].iter().map(ToString::to_string).collect();
        let rest = String::from_utf8_lossy(&self.partial);
        if lines.is_empty() && !rest.trim().is_empty() {
            lines.push(one_line(&rest, 300));
        }
        lines
    }
}

fn with_lines(mut message: String, lines: &[String]) -> String {
    if !lines.is_empty() {
        message.push_str("; the engine's last words: ");
        message.push_str(&lines.join(" | "));
    }
    message
}

/// The exit status of a Rust program whose main thread panicked.
const PANIC: i32 = 101;

/// What an exit status of the worker probably means.
fn explain(status: ExitStatus, log: &[String]) -> String {
    let log = log.join(" ").to_ascii_lowercase();
    let memory = ["out of memory", "unable to allocate", "failed to allocate", "bad_alloc", "cudamalloc"]
        .iter()
        .any(|sign| log.contains(sign));
    let device = ["cuda", "vulkan", "metal", "hip", "rocm"].iter().any(|sign| log.contains(sign));
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    match (signal, status.code()) {
        (Some(9), _) => "was killed (signal 9), most likely because memory ran out: try a smaller model or \
                         context, or fewer layers on the GPU"
            .into(),
        (Some(6), _) if memory => {
            "aborted (signal 6) because memory ran out: try a smaller model or context".into()
        }
        (Some(6), _) if device => "aborted (signal 6): the GPU or its driver failed".into(),
        (Some(6), _) => "aborted (signal 6): the engine or the model file failed".into(),
        (Some(11), _) => "crashed (signal 11) inside the engine: the model file may be damaged".into(),
        (Some(7), _) => {
            "crashed (signal 7): the model file changed or its disk failed while it was read".into()
        }
        (Some(4), _) => "crashed (signal 4): it was built for another processor than this one".into(),
        (Some(15), _) => "was ended from outside (signal 15)".into(),
        (Some(other), _) => format!("was ended by signal {other}"),
        (None, Some(0)) => "ended before its work was done".into(),
        (None, Some(PANIC)) => "panicked: that is a defect of this program, please report it".into(),
        (None, Some(code)) => format!("failed (exit code {code})"),
        (None, None) => "ended in an unknown way".into(),
    }
}

/// The environment of the worker: what it needs to find libraries, devices and threads, and nothing that
/// could be a key. It is an allow-list, minus every name that looks like a secret's.
fn environment(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    let own = [(OsString::from("GGML_NO_BACKTRACE"), OsString::from("1"))];
    all.filter(|(name, _)| is_passed_on(name)).chain(own)
}

/// Names of the variables that the worker gets, to show to people; `*` stands for any ending.
pub fn passed_on() -> Vec<String> {
    let prefixes = PREFIXES.iter().map(|prefix| format!("{prefix}*"));
    NAMES.iter().map(|name| (*name).to_owned()).chain(prefixes).collect()
}

const NAMES: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    libraries::VARIABLE,
];
const PREFIXES: &[&str] = &[
    "LC_",
    "LD_LIBRARY_",
    "DYLD_",
    "CUDA_",
    "NVIDIA_",
    "GGML_",
    "LLAMA_",
    "OMP_",
    "GOMP_",
    "KMP_",
    "VK_",
    "MESA_",
    "LP_",
    "GALLIUM_",
    "HIP_",
    "ROCR_",
    "ROCM_",
    "HSA_",
    "GPU_",
    "MTL_",
    "METAL_",
    "ZE_",
    "SYCL_",
];
/// Parts of variable names that suggest a secret.
const SECRETS: &[&str] = &["KEY", "TOKEN", "SECRET", "PASS", "PWD", "CRED", "AUTH", "PRIVATE", "COOKIE"];

fn is_passed_on(name: &OsStr) -> bool {
    let Some(name) = name.to_str().map(str::to_ascii_uppercase) else { return false };
    let wanted = NAMES.contains(&name.as_str()) || PREFIXES.iter().any(|p| name.starts_with(p));
    wanted && !SECRETS.iter().any(|s| name.contains(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_with_the_parent() {
        let pair = |n: &str| (OsString::from(n), OsString::from("canary"));
        let given = [
            "PATH",
            "HOME",
            "OPENAI_API_KEY",
            "HF_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "LLAMA_API_KEY",
            "GGML_TOKEN",
            "CUDA_VISIBLE_DEVICES",
            "FREEHOLD_BACKENDS",
            "MY_OWN",
            "SSH_AUTH_SOCK",
            "CUDA_DB_PASSWD",
            "LLAMA_PASSPHRASE",
            "GGML_PASS",
            "OMP_PWD",
            "llama_pwd_x",
            "VK_PRIVATE",
            "MESA_COOKIE",
            "PGPASSWORD",
        ];
        let passed: Vec<String> =
            environment(given.iter().map(|n| pair(n))).map(|(n, _)| n.into_string().expect("text")).collect();
        assert_eq!(
            passed,
            ["PATH", "HOME", "CUDA_VISIBLE_DEVICES", "FREEHOLD_BACKENDS", "GGML_NO_BACKTRACE"]
        );
    }

    #[test]
    fn a_log_without_end_stays_small() {
        let mut tail = LogTail::default();
        for i in 0..10_000 {
            tail.push(format!("line {i} \u{1b}[2J").as_bytes());
            tail.push(&[b'x'; 5000]);
            tail.push(b"\n");
        }
        tail.push(b"GGML_ASSERT failed here\nafterwards\nand more\nand more\nand more");
        assert!(tail.lines.len() <= LogTail::LINES && tail.lines.iter().all(|l| l.chars().count() <= 301));
        assert_eq!(tail.telling(), ["GGML_ASSERT failed here"]);
        assert!(tail.lines.iter().all(|l| !l.contains('\u{1b}')));
    }

    #[cfg(unix)]
    #[test]
    fn an_ending_is_explained() {
        use std::os::unix::process::ExitStatusExt as _;
        let say = |raw: i32, log: &str| explain(ExitStatus::from_raw(raw), &[log.to_owned()]);
        assert!(say(9, "").contains("memory ran out"));
        assert!(say(6, "CUDA error: out of memory").contains("memory ran out"));
        assert!(say(6, "CUDA error: an illegal instruction").contains("GPU or its driver"));
        assert!(say(6, "GGML_ASSERT(x)").contains("engine or the model file"));
        assert!(say(101 << 8, "").contains("panicked"));
        assert!(say(3 << 8, "").contains("exit code 3"));
    }
}
