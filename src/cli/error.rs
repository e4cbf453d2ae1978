//! Errors as the user sees them: one paragraph that says what, where and what to do, and a documented exit
//! code.

use crate::app::{Refusal, RefusalKind};
use crate::measure::event::{Fault, FaultKind};
use crate::sanitize;
use std::io::Write as _;
use std::process::ExitCode;

/// Exit codes (`freehold help exit-codes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    /// Bad usage or a bad input file.
    Usage = 2,
    /// A `--require` gate was not met.
    Gate = 3,
    /// A credential is missing or was refused.
    Credential = 4,
    Interrupted = 130,
    /// The terminal went away (SIGHUP).
    HungUp = 129,
    /// Asked to end by SIGTERM.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What ends a command.
#[derive(Debug)]
pub enum CliError {
    /// The reader of our output stopped reading: the command ends silently, as a success.
    BrokenPipe,
    /// Any other error.
    Stop { exit: Exit, message: String, hint: Option<String> },
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        let exit = match refusal.kind {
            RefusalKind::Input => Exit::Usage,
            RefusalKind::Failed => Exit::Failed,
        };
        Self::refused(refusal, exit)
    }
}

impl CliError {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Stop { exit, message: message.into(), hint: None }
    }
    /// A refusal with an exit code of its own.
    pub fn refused(refusal: Refusal, exit: Exit) -> Self {
        Self::Stop { exit, message: refusal.message, hint: refusal.hint }
    }
    /// Bad usage or bad input: exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
    /// The error for a fault of a model or a connection; its kind decides the exit code.
    pub fn of_fault(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Privacy
            | FaultKind::Model
            | FaultKind::Template
            | FaultKind::Context
            | FaultKind::NotFound
            | FaultKind::Request => Self::usage(fault.message),
            FaultKind::Auth => Self::new(Exit::Credential, fault.message),
            _ => Self::failed(fault.message),
        }
    }
    /// Something could not be done: exit 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }
    /// The same error with a sentence on what to do about it.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Stop { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }
    /// An I/O error on a named file: exit 2 where it does not exist, else 1.
    pub fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::Usage } else { Exit::Failed };
        Self::new(exit, format!("cannot {action} {}: {error}", path.display()))
    }
    /// The message, without the hint.
    pub fn message(&self) -> &str {
        match self {
            Self::BrokenPipe => "the other end was closed",
            Self::Stop { message, .. } => message,
        }
    }
    pub fn exit(&self) -> Exit {
        match self {
            Self::BrokenPipe => Exit::Done,
            Self::Stop { exit, .. } => *exit,
        }
    }
    pub(super) fn print(&self) {
        let Self::Stop { message, hint, .. } = self else { return };
        let mut err = anstream::stderr();
        let _ = writeln!(err, "error: {}", sanitize::terminal(&sanitize::brief(message)).trim_end());
        if let Some(hint) = hint {
            let _ = writeln!(err, "\nhint: {}", sanitize::terminal(&sanitize::brief(hint)).trim_end());
        }
    }
}
