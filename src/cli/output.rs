//! `--format`, `--json`, `-o`: the same on every command. A file is written beside itself and renamed, so
//! that a report is never half a file; a device or pipe is written to directly.

use super::context::Context;
use super::environment;
use super::error::{CliError, Exit};
use crate::document::Document;
use crate::document::gates::{Checked, Gate, Outcome};
use crate::render::chart::Picture;
use crate::render::{Format, Page, View, gates};
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
    /// Format of the pictures of charts beside a Markdown file.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Picture::Svg)]
    pub charts: Picture,
    /// Exit with 3 unless this holds of the result, as in `payback_months<=18` (repeatable; see `help
    /// metrics`).
    #[arg(long, value_name = "METRIC<=VALUE", value_parser = Gate::parse, help_heading = "Gates")]
    pub require: Vec<Gate>,
    /// How a gate counts that the measurement cannot decide: its interval has the bound inside.
    #[arg(long, value_enum, default_value_t = Inconclusive::Fail, help_heading = "Gates")]
    pub inconclusive: Inconclusive,
    /// Add the result and its gates as Markdown to the workflow's summary (`$GITHUB_STEP_SUMMARY`), or
    /// print them where there is none. Nothing is posted.
    #[arg(long, help_heading = "Gates")]
    pub github_summary: bool,
}

/// What an undecided gate counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Inconclusive {
    /// Not met: it was not shown.
    Fail,
    /// Not a reason to stop.
    Pass,
}

/// Most bytes of a workflow summary: GitHub allows a megabyte.
const SUMMARY_BYTES: usize = 900_000;

impl OutputArgs {
    /// Arguments for output to stdout, without gates.
    pub const fn plain(format: Option<Format>, json: bool) -> Self {
        Self {
            format,
            json,
            output: None,
            charts: Picture::Svg,
            require: Vec::new(),
            inconclusive: Inconclusive::Fail,
            github_summary: false,
        }
    }

    /// The format asked for, or the one of the file's ending.
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
            Some("xml") => Format::Junit,
            _ => Format::Table,
        }
    }

    /// The picture format of the file's ending, where no format is asked for.
    pub fn picture(&self) -> Option<Picture> {
        if self.json || self.format.is_some() {
            return None;
        }
        match self.output.as_ref()?.extension()?.to_str()? {
            "png" => Some(Picture::Png),
            "svg" => Some(Picture::Svg),
            _ => None,
        }
    }

    /// Writes a document: `json` makes its JSON, `view` the page that people read, `csv` its own table
    /// where it has a natural one. Where a gate asks for a figure that the document lacks, nothing is
    /// written, and an existing file stays.
    pub fn write(
        &self,
        context: &Context,
        json: impl FnOnce() -> Result<String, serde_json::Error>,
        view: impl FnOnce() -> View,
        csv: Option<&dyn Fn() -> String>,
    ) -> Result<(), CliError> {
        self.write_checked(context, false, json, view, csv)
    }

    /// The same for what took time or money to measure: it is written whatever the gates ask for.
    pub fn write_measured(
        &self,
        context: &Context,
        json: impl FnOnce() -> Result<String, serde_json::Error>,
        view: impl FnOnce() -> View,
        csv: Option<&dyn Fn() -> String>,
    ) -> Result<(), CliError> {
        self.write_checked(context, true, json, view, csv)
    }

    fn write_checked(
        &self,
        context: &Context,
        keep: bool,
        json: impl FnOnce() -> Result<String, serde_json::Error>,
        view: impl FnOnce() -> View,
        csv: Option<&dyn Fn() -> String>,
    ) -> Result<(), CliError> {
        let format = self.chosen();
        if matches!(format, Format::Junit | Format::CodeQuality) && self.require.is_empty() {
            let name = if format == Format::Junit { "junit" } else { "code-quality" };
            return Err(CliError::usage(format!(
                "--format {name} is about the gates; give some with --require"
            )));
        }
        if let Some(ending) = self.picture() {
            return Err(CliError::usage(format!(
                "a page is no .{} file; `freehold report FILE --chart NAME -o CHART.{0}` draws one of its charts",
                ending.ending()
            )));
        }
        let asked = !self.require.is_empty();
        let json = if asked || format == Format::Json {
            Some(json().map_err(|e| CliError::failed(format!("cannot write JSON: {e}")))?)
        } else {
            None
        };
        let mut checked = json.as_deref().filter(|_| asked).map(|text| self.check(text));
        if !keep && let Some(error) = checked.take_if(|checked| checked.is_err()).and_then(Result::err) {
            return Err(error);
        }
        let gates_only = matches!(format, Format::Json | Format::Junit | Format::CodeQuality);
        let view = if gates_only && !self.github_summary { View::new("") } else { view() };
        let text = match format {
            Format::Json => {
                let mut json = json.unwrap_or_default();
                json.push('\n');
                json
            }
            Format::Table => view.to_terminal(context.width),
            Format::Markdown => self.markdown(&view)?,
            Format::Html => view.to_html(),
            Format::Csv => csv.map_or_else(|| view.to_csv(), |csv| csv()),
            Format::Junit => match &checked {
                Some(Ok(checked)) => gates::junit(checked, self.inconclusive == Inconclusive::Fail)
                    .map_err(|e| CliError::failed(format!("cannot write JUnit: {e}")))?,
                _ => String::new(),
            },
            Format::CodeQuality => match &checked {
                Some(Ok(checked)) => gates::code_quality(checked, self.inconclusive == Inconclusive::Fail),
                _ => String::new(),
            },
        };
        // The result comes first: it is kept whether the gates hold or not.
        if !text.is_empty() || !matches!(checked, Some(Err(_))) {
            self.write_text(&text)?;
        }
        let checked = checked.transpose()?.unwrap_or_default();
        if self.github_summary {
            summarise(&view, &checked)?;
        }
        self.judge(context, &checked)
    }

    /// The page as Markdown; where it goes to a file, its charts are written as pictures beside that.
    fn markdown(&self, view: &View) -> Result<String, CliError> {
        let Some(path) = self.output.as_deref().filter(|path| has_a_folder(path)) else {
            return Ok(view.to_markdown());
        };
        let stem = path.file_stem().map_or_else(|| "memo".into(), |s| s.to_string_lossy().into_owned());
        let (text, charts) = view.to_markdown_with_charts(&stem, self.charts);
        for (name, bytes) in charts {
            write_atomic(&path.with_file_name(name), &bytes)?;
        }
        Ok(text)
    }

    /// Checks every gate against the documents of the result.
    fn check(&self, json: &str) -> Result<Vec<Checked>, CliError> {
        let documents = documents(json)
            .map_err(|_| CliError::usage("--require needs a document, and this result is none"))?;
        self.require.iter().map(|gate| gate.check(&documents).map_err(CliError::usage)).collect()
    }

    /// Prints how the gates ended; exit 3 where one does not hold.
    fn judge(&self, context: &Context, checked: &[Checked]) -> Result<(), CliError> {
        let fails = self.inconclusive == Inconclusive::Fail;
        if environment::GITHUB_ACTIONS.os().is_some() {
            for line in gates::annotations(checked, fails) {
                let _ = writeln!(anstream::stderr(), "{line}");
            }
        }
        let bad = |c: &&Checked| c.outcome == Outcome::Missed || (c.outcome == Outcome::Undecided && fails);
        let failed: Vec<String> = checked.iter().filter(bad).map(Checked::line).collect();
        for good in checked.iter().filter(|c| !bad(c)) {
            context.note(&format!("gate {}", good.line()));
        }
        if failed.is_empty() {
            return Ok(());
        }
        let gates = if checked.len() == 1 { "gate" } else { "gates" };
        let count = format!("{} of {} {gates} not met", failed.len(), checked.len());
        Err(CliError::new(Exit::Gate, format!("{count}\n\n{}", failed.join("\n"))))
    }

    /// Writes the page of a command in the format that was asked for.
    pub fn show(&self, context: &Context, page: &dyn Page) -> Result<(), CliError> {
        let csv = || page.csv().unwrap_or_else(|| page.view().to_csv());
        let view = || if self.chosen() == Format::Table { page.brief() } else { page.view() };
        self.write(context, || page.json(), view, Some(&csv))
    }

    /// Write text that is already rendered.
    pub fn write_text(&self, text: &str) -> Result<(), CliError> {
        self.write_bytes(text.as_bytes())
    }

    /// Writes bytes that are already rendered.
    pub fn write_bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        match self.output.as_deref() {
            Some(path) if path != Path::new("-") => write_atomic(path, bytes),
            _ => print_bytes(bytes),
        }
    }
}

/// The documents in a result: one, or a list of them.
fn documents(json: &str) -> Result<Vec<(String, Document)>, String> {
    // A single document is parsed directly: a tree of JSON values beside it would be several times its
    // size.
    if json.trim_start().starts_with('{') {
        return Ok(vec![("result".to_owned(), Document::parse("result", json)?)]);
    }
    let value: serde_json::Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
    let list = match value {
        serde_json::Value::Array(list) => list,
        one => vec![one],
    };
    list.iter().map(|d| Ok(("result".to_owned(), Document::parse("result", &d.to_string())?))).collect()
}

/// Adds the page and its gates to the summary of a workflow.
fn summarise(view: &View, checked: &[Checked]) -> Result<(), CliError> {
    let mut text = String::new();
    if !checked.is_empty() {
        text.push_str(gates::view(checked).to_markdown().trim_start());
        text.push('\n');
    }
    text.push_str(&view.to_markdown());
    if text.len() > SUMMARY_BYTES {
        let end = (0..=SUMMARY_BYTES).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n\nThe rest is in the result.\n");
    }
    let Some(path) = environment::GITHUB_STEP_SUMMARY.os().map(PathBuf::from) else {
        return print_bytes(text.as_bytes());
    };
    let add =
        || std::fs::OpenOptions::new().append(true).create(true).open(&path)?.write_all(text.as_bytes());
    add().map_err(|e| CliError::file("add to", &path, &e))
}

/// Writes to stdout. A reader that has gone away is [`CliError::BrokenPipe`].
pub fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Err(CliError::BrokenPipe),
        Err(e) => Err(CliError::failed(format!("cannot write the result to stdout: {e}"))),
    }
}

/// What there is under a name that is to be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A regular file, or nothing yet: it is replaced as a whole. The path is that after following links.
    File(PathBuf),
    /// A device, a pipe or one of the process's open files: it is written to directly.
    Stream(PathBuf),
}

/// Most links that are followed, as in Linux.
const MOST_LINKS: usize = 40;

impl Place {
    fn of(path: &Path) -> Result<Self, CliError> {
        let mut at = path.to_owned();
        for _ in 0..MOST_LINKS {
            if is_open_file(&at) {
                return Ok(Self::Stream(at));
            }
            let kind = match std::fs::symlink_metadata(&at) {
                Ok(meta) => meta.file_type(),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::File(at)),
                Err(e) => return Err(CliError::file("write", path, &e)),
            };
            if kind.is_symlink() {
                // A file of a process, such as the program it runs, is not replaced.
                if at.starts_with("/proc") {
                    return Ok(Self::Stream(at));
                }
                let target = std::fs::read_link(&at).map_err(|e| CliError::file("write", path, &e))?;
                at = at.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
            } else if kind.is_dir() {
                return Err(CliError::usage(format!("{} is a folder, not a file", path.display())));
            } else if is_block_device(kind) {
                return Err(CliError::usage(format!(
                    "{} is a disk; nothing is written over what is on it",
                    path.display()
                )));
            } else if kind.is_file() {
                return Ok(Self::File(at));
            } else {
                return Ok(Self::Stream(at));
            }
        }
        Err(CliError::usage(format!("{}: too many links lead on from it", path.display())))
    }
}

/// Is this `/dev/fd/N`, `/proc/self/fd/N` or the like: a name for a file that a process has open?
pub(super) fn is_open_file(path: &Path) -> bool {
    let Some(folder) = path.parent().filter(|_| cfg!(unix)) else { return false };
    folder == Path::new("/dev/fd") || (folder.starts_with("/proc") && folder.ends_with("fd"))
}

#[cfg(unix)]
fn is_block_device(kind: std::fs::FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&kind)
}

#[cfg(not(unix))]
fn is_block_device(_: std::fs::FileType) -> bool {
    false
}

/// May further files be put beside a result of this name? Not beside a device or a pipe, or `/dev/stdout`.
pub fn has_a_folder(path: &Path) -> bool {
    path != Path::new("-") && !matches!(Place::of(path), Ok(Place::Stream(_)))
}

/// Opens a file for writing that only the user may read, and creates it if it is not there; its content
/// stays. Never a device or a pipe.
pub fn open_private(path: &Path) -> Result<std::fs::File, CliError> {
    let failed = |e: std::io::Error| CliError::file("write", path, &e);
    let mut options = std::fs::File::options();
    options.create(true).read(true).write(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Opening a pipe that nobody reads would wait.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(CliError::usage(format!("{} is not an ordinary file", path.display())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // It may have been created with other permissions by an earlier version.
        file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    }
    Ok(file)
}

/// Writes a file. A regular or new one is written beside itself and renamed, so that it is never half
/// written and the old one stays if anything fails; its permissions and owner stay, and a link to it stays
/// a link. A device, a pipe or an open file is written to directly.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    match Place::of(path)? {
        Place::File(file) => replace(&file, bytes).map_err(|e| CliError::file("write", path, &e)),
        Place::Stream(stream) => write_into(&stream, path, bytes),
    }
}

/// Replaces a file: temporary file in the same folder, write, fsync, rename, fsync of the folder.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let before = std::fs::metadata(path).ok();
    #[cfg(unix)]
    if before.is_some() {
        // A rename needs rights on the folder only; a write-protected file must not be replaced.
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?;
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".freehold-").suffix(".tmp");
    #[cfg(unix)]
    {
        // Temporary files are 0600 by default; a report is an ordinary file, subject to the umask.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = match builder.tempfile_in(folder) {
        Ok(file) => file,
        Err(e) if before.is_some() && is_of_the_folder(&e) => return overwrite(path, bytes),
        Err(e) => return Err(e),
    };
    file.write_all(bytes)?;
    if let Some(before) = &before {
        keep_owner(file.as_file(), before);
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    match file.persist(path) {
        Ok(_) => {}
        Err(e) if before.is_some() && is_of_the_folder(&e.error) => return overwrite(path, bytes),
        Err(e) => return Err(e.error),
    }
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// May the file be written, but nothing put beside it or in its place? That is so in folders of others, and
/// for a single file mounted into a container.
fn is_of_the_folder(e: &std::io::Error) -> bool {
    use std::io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(e.kind(), PermissionDenied | ReadOnlyFilesystem | ResourceBusy | CrossesDevices)
}

fn overwrite(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::options().write(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn keep_owner(file: &std::fs::File, before: &std::fs::Metadata) {
    use std::os::unix::fs::MetadataExt as _;
    // Only root can change the owner; for other users the file is theirs already, or becomes theirs now.
    let _ = std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &std::fs::File, _: &std::fs::Metadata) {}

/// Writes into a device, pipe or open file. The process's own stdout and stderr continue at their position.
fn write_into(stream: &Path, path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let own = if stream.starts_with("/proc/self") || stream.starts_with("/dev/fd") {
        stream.file_name().and_then(|n| n.to_str())
    } else {
        None
    };
    let written = match own {
        Some("1") => return print_bytes(bytes),
        Some("2") => {
            let mut err = std::io::stderr().lock();
            err.write_all(bytes).and_then(|()| err.flush())
        }
        _ => std::fs::File::options()
            .write(true)
            .append(own.is_some())
            .open(stream)
            .and_then(|mut file| file.write_all(bytes)),
    };
    match written {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Err(CliError::BrokenPipe),
        written => written.map_err(|e| CliError::file("write", path, &e)),
    }
}
