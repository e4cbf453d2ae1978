//! What the process knows about the world it runs in, read once: terminals, clock, environment.

use super::Cli;
use crate::document::Input;
use crate::provenance::{Source, Sourced};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// The world as commands see it. Tests build their own.
#[derive(Debug, Clone)]
pub struct Context {
    /// The day prices are taken for.
    pub today: Date,
    /// It was given by `--today`.
    pub today_given: bool,
    /// RFC 3339, UTC, for `created`.
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
    /// Downloads; `FREEHOLD_CACHE_DIR` overrides.
    pub cache_dir: PathBuf,
    /// The user's catalogue overlay; `FREEHOLD_DATA_DIR` overrides.
    pub data_dir: PathBuf,
    /// Further overlays, given by `--catalog`.
    pub catalog_files: Vec<PathBuf>,
    /// The user's profiles and settings; `FREEHOLD_CONFIG_DIR` overrides.
    pub config_dir: PathBuf,
}

impl Context {
    pub(super) fn from_process(cli: &Cli) -> Self {
        let now = jiff::Timestamp::now();
        // The clock says a time in UTC; prices change by day, so the UTC day is used everywhere.
        let today = cli.today.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
        let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
        let home = || var("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let dir = |own: &str, xdg: &str, fallback: &str| {
            var(own).map_or_else(
                || var(xdg).map_or_else(|| home().join(fallback), PathBuf::from).join("freehold"),
                PathBuf::from,
            )
        };
        let stdout_terminal = std::io::stdout().is_terminal();
        Self {
            today,
            today_given: cli.today.is_some(),
            now: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal,
            stderr_terminal: std::io::stderr().is_terminal(),
            width: terminal_width(stdout_terminal),
            quiet: cli.quiet,
            no_input: cli.no_input,
            ci: var("CI").is_some(),
            cache_dir: dir("FREEHOLD_CACHE_DIR", "XDG_CACHE_HOME", ".cache"),
            data_dir: dir("FREEHOLD_DATA_DIR", "XDG_DATA_HOME", ".local/share"),
            catalog_files: cli.catalog_files.clone(),
            config_dir: dir("FREEHOLD_CONFIG_DIR", "XDG_CONFIG_HOME", ".config"),
        }
    }
    /// What decided the whole run, for the inputs of its document: the day, and catalogue files.
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
    /// May we ask? Only with a terminal on stdin *and* stderr.
    pub fn can_ask(&self) -> bool {
        self.stdin_terminal && self.stderr_terminal && !self.no_input
    }
    /// A note for people on stderr.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            use std::io::Write as _;
            let _ = writeln!(anstream::stderr(), "{}", crate::sanitize::terminal(text));
        }
    }
}

fn terminal_width(is_terminal: bool) -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    if is_terminal {
        columns.unwrap_or_else(|| console_width().unwrap_or(100))
    } else {
        columns.unwrap_or(100)
    }
}

fn console_width() -> Option<u16> {
    dialoguer::console::Term::stdout().size_checked().map(|(_, columns)| columns)
}
