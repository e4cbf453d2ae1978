//! `--format`, `--json`, `-o`: the same on every command. Files are written beside themselves and
//! renamed, so that a report is never half a file.

use super::context::Context;
use super::error::CliError;
use crate::render::{Format, Page, View};
use std::io::Write as _;
use std::path::{Path, PathBuf};

// Where the result goes and in which format. (No doc comment: clap would take it for the
// description of every command that flattens this.)
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output options")]
pub struct OutputArgs {
    /// Format of the result (default: table; for -o by the file's ending).
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Write the result to FILE (`-` is stdout).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl OutputArgs {
    /// The format asked for, or the one the file's ending says.
    pub fn chosen(&self) -> Format {
        if self.json {
            return Format::Json;
        }
        if let Some(format) = self.format {
            return format;
        }
        match self.output.as_ref().and_then(|p| p.extension()).and_then(|e| e.to_str()) {
            Some("json") => Format::Json,
            Some("md") => Format::Markdown,
            Some("html") => Format::Html,
            Some("csv") => Format::Csv,
            _ => Format::Table,
        }
    }

    /// Write a document: `json` is its JSON, `view` how people read it, `csv` its own table where
    /// it has a natural one.
    pub fn write(
        &self,
        context: &Context,
        json: impl FnOnce() -> Result<String, serde_json::Error>,
        view: impl FnOnce() -> View,
        csv: Option<&dyn Fn() -> String>,
    ) -> Result<(), CliError> {
        let text = match self.chosen() {
            Format::Json => {
                let mut text = json().map_err(|e| CliError::failed(format!("cannot write JSON: {e}")))?;
                text.push('\n');
                text
            }
            Format::Table => view().to_terminal(context.width),
            Format::Markdown => view().to_markdown(),
            Format::Html => view().to_html(),
            Format::Csv => csv.map_or_else(|| view().to_csv(), |csv| csv()),
        };
        self.write_text(&text)
    }

    /// Write what a command gives, in the format that was asked for.
    pub fn show(&self, context: &Context, page: &dyn Page) -> Result<(), CliError> {
        let csv = || page.csv().unwrap_or_else(|| page.view().to_csv());
        let view = || if self.chosen() == Format::Table { page.brief() } else { page.view() };
        self.write(context, || page.json(), view, Some(&csv))
    }

    /// Write text that is already rendered.
    pub fn write_text(&self, text: &str) -> Result<(), CliError> {
        match self.output.as_deref() {
            Some(path) if path != Path::new("-") => write_atomic(path, text.as_bytes()),
            _ => print_bytes(text.as_bytes()),
        }
    }
}

/// Write to stdout. A reader that went away is not an error of ours.
pub fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Err(CliError::BrokenPipe),
        Err(e) => Err(CliError::failed(format!("cannot write the result to stdout: {e}"))),
    }
}

/// Temp file in the same folder, write, fsync, rename, fsync of the folder. The file that was there
/// stays whole if anything fails.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let written = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".freehold-").suffix(".tmp");
        #[cfg(unix)]
        {
            // The temp default is 0600; a report is an ordinary file, subject to the umask.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        #[cfg(unix)]
        std::fs::File::open(folder)?.sync_all()?;
        Ok(())
    };
    written().map_err(|e| CliError::file("write", path, &e))
}
