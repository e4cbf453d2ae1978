//! What the process knows about its surroundings, read once: terminals, clock, environment.

use super::environment;
use super::error::CliError;
use super::folders::Folders;
use crate::document::Input;
use crate::provenance::{Source, Sourced};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

// What every command takes. (No doc comment: clap would take it for the program's description.)
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Global {
    /// The day the prices are taken for (default: today).
    #[arg(long, global = true, value_name = "YYYY-MM-DD", help_heading = "Global options")]
    pub today: Option<Date>,
    /// Records that replace or add to the catalogue's, for this run (repeatable; see `db path`).
    #[arg(long = "catalog", global = true, value_name = "FILE", help_heading = "Global options")]
    pub catalog_files: Vec<PathBuf>,
    /// Never ask; a missing answer is an error.
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_input: bool,
    /// No progress, no notes on stderr.
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub quiet: bool,
}

/// The surroundings of a command. Tests build their own.
#[derive(Debug, Clone)]
pub struct Context {
    /// The day prices are taken for.
    pub today: Date,
    /// `today` was given by `--today`.
    pub today_given: bool,
    /// The time now in UTC (RFC 3339), for `created` in documents.
    pub now: String,
    pub stdin_terminal: bool,
    pub stdout_terminal: bool,
    pub stderr_terminal: bool,
    /// Columns of stdout, or 100 where it is no terminal.
    pub width: u16,
    pub quiet: bool,
    pub no_input: bool,
    /// `CI` is set: progress as plain lines.
    pub ci: bool,
    /// The user's own folders.
    pub folders: Folders,
    /// Further overlays, given by `--catalog`.
    pub catalog_files: Vec<PathBuf>,
}

impl Context {
    /// Reads them. An error names the variable or folder that cannot be used.
    pub(super) fn from_process(asked: &Global) -> Result<Self, CliError> {
        let now = match environment::SOURCE_DATE_EPOCH.text() {
            None => jiff::Timestamp::now(),
            Some(text) => text.parse().ok().and_then(|s| jiff::Timestamp::from_second(s).ok()).ok_or_else(|| {
                CliError::usage(format!(
                    "SOURCE_DATE_EPOCH is `{text}`; it has to be a number of seconds since 1970, or not set"
                ))
            })?,
        };
        // Prices change by day, and the clock is in UTC: the UTC day is used everywhere.
        let today = asked.today.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
        let stdout_terminal = std::io::stdout().is_terminal();
        Ok(Self {
            today,
            today_given: asked.today.is_some(),
            now: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal,
            stderr_terminal: std::io::stderr().is_terminal(),
            width: terminal_width(stdout_terminal),
            quiet: asked.quiet,
            no_input: asked.no_input,
            ci: environment::CI.os().is_some(),
            folders: Folders::of_process()?,
            catalog_files: asked.catalog_files.clone(),
        })
    }
    /// Adds the day and the catalogue files to the inputs of a document, since they decide the whole run.
    pub fn record(&self, inputs: &mut BTreeMap<String, Input>) {
        let source = if self.today_given {
            Source::flag("--today")
        } else {
            Source::assumed("clock", "the day of the run, UTC")
        };
        inputs.insert("today".to_owned(), Input::plain(&Sourced::new(self.today.to_string(), source)));
        if !self.catalog_files.is_empty() {
            let files: Vec<String> = self.catalog_files.iter().map(|f| f.display().to_string()).collect();
            inputs.insert("catalog_files".to_owned(), Input::plain(&Sourced::flag(files, "--catalog")));
        }
    }
    /// May the user be asked? Only with a terminal on stdin *and* stderr, and without `--no-input`.
    pub fn can_ask(&self) -> bool {
        self.stdin_terminal && self.stderr_terminal && !self.no_input
    }
    /// Prints a note for people on stderr, unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            use std::io::Write as _;
            let _ = writeln!(anstream::stderr(), "{}", crate::sanitize::terminal(text));
        }
    }
}

fn terminal_width(is_terminal: bool) -> u16 {
    let columns = environment::COLUMNS.text().and_then(|c| c.parse().ok());
    if is_terminal {
        columns.unwrap_or_else(|| console_width().unwrap_or(100))
    } else {
        columns.unwrap_or(100)
    }
}

fn console_width() -> Option<u16> {
    dialoguer::console::Term::stdout().size_checked().map(|(_, columns)| columns)
}
