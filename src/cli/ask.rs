//! Questions to a person. Commands ask through [`Ask`]; the terminal answers through dialoguer, a
//! test through a script.
//!
//! Keys are read from the controlling terminal, so a caller first asks
//! [`super::context::Context::can_ask`], which checks stdin too. Ctrl-C shows the cursor again, says how to
//! continue, and ends with exit code 130. The first line of a question is the question itself; the lines
//! below it help with the answer.

use super::error::{CliError, Exit};
use dialoguer::console::{Key, Term, style};
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Asks one question at a time.
pub trait Ask {
    /// Index of the item that the person chooses; `default` is marked first.
    fn choose(&mut self, question: &str, items: &[String], default: usize) -> Result<usize, AskError>;
    /// Indices of the items that the person chooses, any number of them.
    fn choose_many(&mut self, question: &str, items: &[String]) -> Result<Vec<usize>, AskError>;
    /// A line of text that `check` accepts; its error is shown otherwise. An empty line is `default`.
    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, AskError>;
    /// A yes or no; an empty answer is `default`.
    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, AskError>;
    /// Sets what an interruption from here on prints, so that no answer is lost.
    fn remember(&mut self, so_far: &str);
}

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskError {
    /// Ctrl-C. The text says how to continue.
    Interrupted(String),
    /// The terminal failed.
    Failed(String),
    /// The person wants to go back to the question before.
    Back,
    /// The person wants no more questions. The text says how to continue later.
    Quit(String),
}

impl From<AskError> for CliError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Interrupted(so_far) => Self::new(Exit::Interrupted, interrupted(&so_far)),
            AskError::Back => Self::new(Exit::Interrupted, interrupted("")),
            AskError::Quit(so_far) => Self::new(Exit::Interrupted, format!("ended. {so_far}").trim_end()),
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
    /// The lines of each answered question on the screen; the last one is just above the cursor.
    answered: Vec<Vec<String>>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("so_far", &self.so_far).finish_non_exhaustive()
    }
}

impl Terminal {
    /// Takes over the terminal: from now on SIGINT restores it before the process ends.
    pub fn new() -> Self {
        let so_far = Arc::new(Mutex::new(String::new()));
        watch_interrupts(Arc::clone(&so_far));
        let theme: Box<dyn Theme> = if dialoguer::console::colors_enabled_stderr() {
            Box::new(ColorfulTheme::default())
        } else {
            Box::new(SimpleTheme)
        };
        Self { term: Term::stderr(), theme, so_far, answered: Vec::new() }
    }

    fn failed(&self, error: dialoguer::Error) -> AskError {
        let dialoguer::Error::IO(error) = error;
        self.broken(&error)
    }

    fn broken(&self, error: &std::io::Error) -> AskError {
        let _ = self.term.show_cursor();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return AskError::Failed(error.to_string());
        }
        let _ = self.term.write_line("");
        // The lock is never released: the thread that watches for signals waits for it and so cannot print
        // a second time.
        let guard = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        let text = guard.clone();
        std::mem::forget(guard);
        AskError::Interrupted(text)
    }

    fn quit(&self) -> AskError {
        AskError::Quit(self.so_far.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Columns that may be written to without a line wrapping.
    fn columns(&self) -> usize {
        let (_, columns) = self.term.size_checked().unwrap_or((24, 80));
        usize::from(columns.clamp(20, 120)) - 1
    }

    /// Writes lines to the screen, the first one as a title.
    fn draw(&self, lines: &[String]) -> Result<(), AskError> {
        let bold = dialoguer::console::colors_enabled_stderr();
        let text: String = lines
            .iter()
            .enumerate()
            .map(
                |(n, line)| {
                    if n == 0 && bold { format!("{}\n", style(line).bold()) } else { format!("{line}\n") }
                },
            )
            .collect();
        self.term.write_str(&text).map_err(|e| self.broken(&e))
    }

    /// Removes lines from the screen, even if it has become narrower since.
    fn wipe(&self, lines: &[String]) -> Result<(), AskError> {
        use unicode_width::UnicodeWidthStr as _;
        let columns = self.columns() + 1;
        let rows = lines.iter().map(|l| l.width().div_ceil(columns).max(1)).sum();
        self.term.clear_last_lines(rows).map_err(|e| self.broken(&e))
    }

    /// Writes the question with its answer in place of the question.
    fn settle(&mut self, question: &str, answer: &str) -> Result<(), AskError> {
        let lines = wrapped(&format!("{}  {answer}", title(question)), self.columns(), "", "  ");
        self.draw(&lines)?;
        self.answered.push(lines);
        Ok(())
    }

    /// Takes back the answer before, and removes its lines.
    fn back(&mut self) -> AskError {
        match self.answered.pop().map(|lines| self.wipe(&lines)) {
            Some(Err(error)) => error,
            _ => AskError::Back,
        }
    }

    fn key(&self) -> Result<Key, AskError> {
        self.term.read_key().map_err(|e| self.broken(&e))
    }

    /// Shows a list to choose from. `marks`: which items are chosen, where several can be.
    fn list(
        &mut self,
        question: &str,
        items: &[String],
        mut at: usize,
        mut marks: Option<Vec<bool>>,
    ) -> Result<Vec<usize>, AskError> {
        let _ = self.term.hide_cursor();
        let last = items.len().saturating_sub(1);
        let ended = loop {
            let lines = screen(question, items, at, marks.as_deref(), self.columns());
            self.draw(&lines)?;
            let key = self.key()?;
            self.wipe(&lines)?;
            match (key, &mut marks) {
                (Key::ArrowUp | Key::BackTab | Key::Char('k'), _) => at = at.checked_sub(1).unwrap_or(last),
                (Key::ArrowDown | Key::Tab | Key::Char('j'), _) => at = if at < last { at + 1 } else { 0 },
                (Key::Home, _) => at = 0,
                (Key::End, _) => at = last,
                (Key::Char(' '), Some(marks)) => marks[at] = !marks[at],
                (Key::Char(digit @ '1'..='9'), _) => {
                    let n = digit as usize - '1' as usize;
                    at = if n <= last { n } else { at };
                }
                (Key::Enter | Key::Char(' '), _) => break Ok(()),
                (Key::ArrowLeft | Key::Escape | Key::Char('b') | Key::Backspace, _) => {
                    break Err(AskError::Back);
                }
                (Key::Char('q'), _) => break Err(self.quit()),
                _ => {}
            }
        };
        let _ = self.term.show_cursor();
        match ended {
            Err(AskError::Back) => return Err(self.back()),
            other => other?,
        }
        let chosen: Vec<usize> = match marks {
            Some(marks) => (0..items.len()).filter(|n| marks[*n]).collect(),
            None => vec![at],
        };
        let names = |n: &usize| items[*n].split(':').next().unwrap_or_default().to_owned();
        let said = chosen.iter().map(names).collect::<Vec<_>>().join(", ");
        self.settle(question, if said.is_empty() { "none" } else { &said })?;
        Ok(chosen)
    }
}

/// The keys that a line of text takes.
const TEXT_KEYS: &str = "Enter goes on; Esc, or Left on an empty line: back; Ctrl-C: stop";

/// The question itself, without the lines that help.
fn title(question: &str) -> &str {
    question.lines().next().unwrap_or_default()
}

/// The lines of a list: the question, help, the items with a mark at the current one, the keys.
fn screen(
    question: &str,
    items: &[String],
    at: usize,
    marks: Option<&[bool]>,
    columns: usize,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, line) in question.lines().enumerate() {
        let indent = if n == 0 { "" } else { "  " };
        lines.extend(wrapped(line, columns, indent, "  "));
    }
    for (n, item) in items.iter().enumerate() {
        let here = if n == at { ">" } else { " " };
        let mark = marks.map_or("", |m| if m[n] { "[x] " } else { "[ ] " });
        lines.extend(wrapped(item, columns, &format!("{here} {mark}"), "    "));
    }
    let keys = if marks.is_some() {
        "Space marks, Enter goes on; Left or Esc: back; q: quit"
    } else {
        "Up and Down, Enter chooses; Left or Esc: back; q: quit"
    };
    lines.extend(wrapped(keys, columns, "  ", "  "));
    lines
}

/// Text wrapped to lines of at most `columns`; `first` and `rest` are put before the first line and the
/// others.
fn wrapped(text: &str, columns: usize, first: &str, rest: &str) -> Vec<String> {
    use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
    let mut lines = vec![first.to_owned()];
    let mut empty = true;
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |l| l.width());
        if !empty && line + 1 + word.width() > columns {
            lines.push(rest.to_owned());
            empty = true;
        }
        for (n, c) in word.chars().enumerate() {
            if lines.last().map_or(0, |l| l.width()) + c.width().unwrap_or(0) > columns {
                lines.push(rest.to_owned());
            } else if n == 0
                && !empty
                && let Some(line) = lines.last_mut()
            {
                line.push(' ');
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
        }
        empty = false;
    }
    lines
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

/// Watches for SIGINT. A Ctrl-C that is typed at a prompt comes back as an error from the prompt; one that
/// is sent to the process (`kill -INT`) arrives only here, with the terminal still in raw mode.
fn watch_interrupts(so_far: Arc<Mutex<String>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    let settings = stty(&["-g"]);
    // The handler must be installed before the first prompt, which making the stream does.
    let signal = {
        let _inside = runtime.enter();
        interrupts()
    };
    let Ok(mut signal) = signal else { return };
    // If the thread cannot be started, an interrupt ends the process as usual.
    let _ = std::thread::Builder::new().spawn(move || {
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

/// Reads or sets the terminal's settings with the `stty` that every Unix has; there is no safe call.
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
        Ok(self.list(question, items, default, None)?.first().copied().unwrap_or(default))
    }
    fn choose_many(&mut self, question: &str, items: &[String]) -> Result<Vec<usize>, AskError> {
        self.list(question, items, 0, Some(vec![false; items.len()]))
    }
    fn text(
        &mut self,
        question: &str,
        default: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, AskError> {
        use unicode_width::UnicodeWidthChar as _;
        let mut lines = Vec::new();
        for (n, line) in question.lines().chain([TEXT_KEYS]).enumerate() {
            lines.extend(wrapped(line, self.columns(), if n == 0 { "" } else { "  " }, "  "));
        }
        self.draw(&lines)?;
        loop {
            let shown = if default.is_empty() { "> ".to_owned() } else { format!("[{default}] > ") };
            self.term.write_str(&shown).map_err(|e| self.broken(&e))?;
            let mut typed = String::new();
            let back = loop {
                match self.key()? {
                    Key::Enter => break false,
                    Key::Escape => break true,
                    Key::ArrowLeft if typed.is_empty() => break true,
                    Key::Backspace => {
                        if let Some(c) = typed.pop() {
                            let back = "\u{8} \u{8}".repeat(c.width().unwrap_or(0));
                            let _ = self.term.write_str(&back);
                        }
                    }
                    Key::Char(c) if !c.is_control() => {
                        typed.push(c);
                        let _ = self.term.write_str(c.encode_utf8(&mut [0; 4]));
                    }
                    _ => {}
                }
            };
            let _ = self.term.write_line("");
            lines.push(format!("{shown}{typed}"));
            let text = if typed.trim().is_empty() { default } else { typed.trim() };
            let checked = check(text);
            match checked {
                _ if back => {}
                Ok(()) => {
                    self.wipe(&lines)?;
                    self.settle(question, if text.is_empty() { "none" } else { text })?;
                    return Ok(text.to_owned());
                }
                Err(_) if text == "b" => {}
                Err(_) if text == "q" => return Err(self.quit()),
                Err(why) => {
                    let why = wrapped(&why, self.columns(), "  ", "  ");
                    self.draw(&why)?;
                    lines.extend(why);
                    continue;
                }
            }
            self.wipe(&lines)?;
            return Err(self.back());
        }
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

/// Answers questions from a list, for tests; an empty list interrupts.
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
    /// The question before.
    Back,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: answers.into_iter().collect(), ..Self::default() }
    }
    /// How many answers were not asked for.
    pub fn left(&self) -> usize {
        self.answers.len()
    }
    fn next(&mut self, question: &str) -> Result<Answer, AskError> {
        self.asked.push(title(question).to_owned());
        match self.answers.pop_front() {
            Some(Answer::Back) => Err(AskError::Back),
            Some(answer) => Ok(answer),
            None => Err(AskError::Interrupted(self.so_far.clone())),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn a_list_fits_and_shows_its_choice_without_colour() {
        let items = ["low: little, or not known yet", "high: much, every month"].map(str::to_owned);
        for columns in [19, 59, 79, 119] {
            let lines = screen("2/5 How much?\nSay it in requests.", &items, 1, None, columns);
            assert!(lines.iter().all(|l| l.width() <= columns), "{lines:#?}");
            assert!(lines.iter().any(|l| l.starts_with("> high")), "{lines:#?}");
            assert_eq!(lines[0], "2/5 How much?");
        }
    }

    #[test]
    fn a_word_longer_than_the_line_is_cut() {
        let lines = wrapped("short incomprehensibilities", 10, "", "  ");
        assert!(lines.iter().all(|l| l.width() <= 10), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), "shortincomprehensibilities");
    }
}
