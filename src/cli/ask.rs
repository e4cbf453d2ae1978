//! Questions to a person. Commands ask through [`Ask`]; the terminal answers through dialoguer, a
//! test through a script.
//!
//! dialoguer checks only that *stderr* is a terminal and reads keys from the controlling one, so a
//! caller asks [`super::context::Context::can_ask`] first, which looks at stdin too. On Ctrl-C it
//! leaves the cursor hidden; [`Terminal`] shows it again, says how to go on, and ends with 130.

use super::error::{CliError, Exit};
use dialoguer::console::Term;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Asks one question at a time.
pub trait Ask {
    /// One of the items.
    fn choose(&mut self, question: &str, items: &[String], default: usize) -> Result<usize, AskError>;
    /// Any number of the items.
    fn choose_many(&mut self, question: &str, items: &[String]) -> Result<Vec<usize>, AskError>;
    /// A line of text that `check` accepts; it says what is wrong otherwise.
    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, AskError>;
    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, AskError>;
    /// What to tell the person who interrupts from here on, so that nothing said is lost.
    fn remember(&mut self, so_far: &str);
}

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskError {
    /// Ctrl-C. The text says how to go on.
    Interrupted(String),
    /// The terminal failed.
    Failed(String),
}

impl From<AskError> for CliError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Interrupted(so_far) => Self::new(Exit::Interrupted, interrupted(&so_far)),
            AskError::Failed(why) => Self::failed(format!("cannot ask on this terminal: {why}"))
                .hint("answer with flags instead; `--no-input` lists those that are missing"),
        }
    }
}

fn interrupted(so_far: &str) -> String {
    if so_far.is_empty() { "interrupted".to_owned() } else { format!("interrupted. {so_far}") }
}

/// The real terminal, on stderr.
pub struct Terminal {
    term: Term,
    theme: Box<dyn Theme>,
    so_far: Arc<Mutex<String>>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("so_far", &self.so_far).finish_non_exhaustive()
    }
}

impl Terminal {
    /// Take over the terminal: from now on SIGINT restores it before the process ends.
    pub fn new() -> Self {
        let so_far = Arc::new(Mutex::new(String::new()));
        watch_interrupts(Arc::clone(&so_far));
        let theme: Box<dyn Theme> = if dialoguer::console::colors_enabled_stderr() {
            Box::new(ColorfulTheme::default())
        } else {
            Box::new(SimpleTheme)
        };
        Self { term: Term::stderr(), theme, so_far }
    }

    fn failed(&self, error: dialoguer::Error) -> AskError {
        let dialoguer::Error::IO(error) = error;
        let _ = self.term.show_cursor();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return AskError::Failed(error.to_string());
        }
        let _ = self.term.write_line("");
        // Held for good: the watcher waits for it and so cannot speak a second time.
        let guard = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        let text = guard.clone();
        std::mem::forget(guard);
        AskError::Interrupted(text)
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

/// A Ctrl-C that is typed at a prompt comes back as an error from the prompt; one that is sent to
/// the process (`kill -INT`) comes only here, with the terminal still in raw mode.
fn watch_interrupts(so_far: Arc<Mutex<String>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    let settings = stty(&["-g"]);
    // The handler must stand before the first prompt: it is installed when the stream is made.
    let signal = {
        let _inside = runtime.enter();
        interrupts()
    };
    let Ok(mut signal) = signal else { return };
    std::thread::spawn(move || {
        runtime.block_on(signal.recv());
        let so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settings) = settings {
            stty(&[settings.trim()]);
        }
        let term = Term::stderr();
        let _ = term.show_cursor();
        let _ = writeln!(&term, "\nerror: {}", interrupted(&so_far));
        std::process::exit(Exit::Interrupted as i32);
    });
}

#[cfg(unix)]
fn interrupts() -> std::io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn interrupts() -> std::io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}

/// The terminal's settings, read or set by the tool that every Unix has; there is no safe call.
fn stty(args: &[&str]) -> Option<String> {
    let output = std::process::Command::new("stty")
        .args(args)
        .stdin(std::process::Stdio::inherit())
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Ask for Terminal {
    fn choose(&mut self, question: &str, items: &[String], default: usize) -> Result<usize, AskError> {
        dialoguer::Select::with_theme(self.theme.as_ref())
            .with_prompt(question)
            .items(items)
            .default(default)
            .interact_on(&self.term)
            .map_err(|e| self.failed(e))
    }
    fn choose_many(&mut self, question: &str, items: &[String]) -> Result<Vec<usize>, AskError> {
        dialoguer::MultiSelect::with_theme(self.theme.as_ref())
            .with_prompt(question)
            .items(items)
            .interact_on(&self.term)
            .map_err(|e| self.failed(e))
    }
    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, AskError> {
        dialoguer::Input::<String>::with_theme(self.theme.as_ref())
            .with_prompt(question)
            .allow_empty(true)
            .default(default.to_owned())
            .show_default(!default.is_empty())
            .validate_with(|text: &String| check(text))
            .interact_text_on(&self.term)
            .map_err(|e| self.failed(e))
    }
    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, AskError> {
        dialoguer::Confirm::with_theme(self.theme.as_ref())
            .with_prompt(question)
            .default(default)
            .interact_on(&self.term)
            .map_err(|e| self.failed(e))
    }
    fn remember(&mut self, so_far: &str) {
        so_far.clone_into(&mut self.so_far.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Answers from a list, for tests; an empty list interrupts.
#[derive(Debug, Clone, Default)]
pub struct Script {
    answers: std::collections::VecDeque<Answer>,
    /// Every question that was asked, in order.
    pub asked: Vec<String>,
    so_far: String,
}

/// One scripted answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The first item that starts with this.
    Item(&'static str),
    /// The items that start with these.
    Items(&'static [&'static str]),
    Text(&'static str),
    Yes(bool),
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: answers.into_iter().collect(), ..Self::default() }
    }
    /// Answers nobody asked for.
    pub fn left(&self) -> usize {
        self.answers.len()
    }
    fn next(&mut self, question: &str) -> Result<Answer, AskError> {
        self.asked.push(question.to_owned());
        self.answers.pop_front().ok_or_else(|| AskError::Interrupted(self.so_far.clone()))
    }
    fn wrong(question: &str, answer: &Answer) -> AskError {
        AskError::Failed(format!("{answer:?} does not answer {question:?}"))
    }
}

fn find(items: &[String], start: &str) -> Option<usize> {
    items.iter().position(|item| item.starts_with(start))
}

impl Ask for Script {
    fn choose(&mut self, question: &str, items: &[String], _default: usize) -> Result<usize, AskError> {
        let answer = self.next(question)?;
        match answer {
            Answer::Item(start) => find(items, start).ok_or_else(|| Self::wrong(question, &answer)),
            _ => Err(Self::wrong(question, &answer)),
        }
    }
    fn choose_many(&mut self, question: &str, items: &[String]) -> Result<Vec<usize>, AskError> {
        let answer = self.next(question)?;
        match answer {
            Answer::Items(starts) => starts
                .iter()
                .map(|start| find(items, start).ok_or_else(|| Self::wrong(question, &answer)))
                .collect(),
            _ => Err(Self::wrong(question, &answer)),
        }
    }
    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, AskError> {
        let answer = self.next(question)?;
        match answer {
            Answer::Text(text) => {
                let text = if text.is_empty() { default } else { text };
                check(text).map_err(AskError::Failed)?;
                Ok(text.to_owned())
            }
            _ => Err(Self::wrong(question, &answer)),
        }
    }
    fn confirm(&mut self, question: &str, _default: bool) -> Result<bool, AskError> {
        let answer = self.next(question)?;
        match answer {
            Answer::Yes(yes) => Ok(yes),
            _ => Err(Self::wrong(question, &answer)),
        }
    }
    fn remember(&mut self, so_far: &str) {
        so_far.clone_into(&mut self.so_far);
    }
}
