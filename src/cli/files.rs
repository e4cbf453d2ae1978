//! Reads files that the user names: ordinary files, or the pipe that a shell opens for `<(…)`; never more
//! than is allowed for this kind of file, never a device, never a pipe that nobody writes to. Text is
//! UTF-8, with or without a byte order mark; errors name the place.

use super::error::CliError;
use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::Path;

/// Most bytes of a text file that is read whole: more than a bench document with its samples has.
pub const MAX_BYTES: u64 = 256 << 20;
/// Most bytes of a profile or scenario: more than a person writes.
pub const MAX_SETTINGS: u64 = 1 << 20;

/// Text of a file, up to [`MAX_BYTES`].
pub fn read_text(path: &Path) -> Result<String, CliError> {
    read_capped(path, MAX_BYTES)
}

/// Text of a file, up to `most` bytes.
pub fn read_capped(path: &Path, most: u64) -> Result<String, CliError> {
    text(&path.display().to_string(), read_bytes(path, most)?)
}

/// A whole file, up to `most` bytes.
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    let file = open(path)?;
    let size = file.metadata().map_err(|e| CliError::file("read", path, &e))?.len();
    check_size(&path.display().to_string(), size, most)?;
    take(file, &path.display().to_string(), most, |e| CliError::file("read", path, &e))
}

/// The text on stdin, up to `most` bytes.
pub fn read_stdin(most: u64) -> Result<String, CliError> {
    let failed = |e| CliError::failed(format!("cannot read stdin: {e}"));
    text("stdin", take(std::io::stdin().lock(), "stdin", most, failed)?)
}

/// Opens an ordinary file, or a pipe that a shell has opened for us (`<(…)`, `/dev/stdin`), without ever
/// waiting.
pub fn open(path: &Path) -> Result<File, CliError> {
    let failed = |e: std::io::Error| CliError::file("read", path, &e);
    let shown = path.display();
    let mut options = File::options();
    options.read(true);
    let of_shell = super::output::is_open_file(path) || path == Path::new("/dev/stdin");
    #[cfg(unix)]
    if !of_shell {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Opening a pipe without a writer, or a terminal, would wait.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(CliError::usage(format!("{shown} is a folder, not a file")));
    }
    let file = options.open(path).map_err(failed)?;
    let kind = file.metadata().map_err(failed)?.file_type();
    if kind.is_file() || (of_shell && (is_pipe(kind) || file.is_terminal())) {
        return Ok(file);
    }
    Err(CliError::usage(format!("{shown} is not an ordinary file"))
        .hint("What another program writes can be given as <(PROGRAM …), or kept in a file first."))
}

#[cfg(unix)]
fn is_pipe(kind: std::fs::FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: std::fs::FileType) -> bool {
    false
}

fn take(
    from: impl Read,
    name: &str,
    most: u64,
    failed: impl Fn(std::io::Error) -> CliError,
) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    check_size(name, bytes.len() as u64, most)?;
    Ok(bytes)
}

/// An error that says how large a file may be, where it is larger than `most` bytes.
pub fn check_size(name: &str, size: u64, most: u64) -> Result<(), CliError> {
    if size <= most {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "{name} is larger than {} MiB, the most that is read of such a file",
        most >> 20
    )))
}

/// Bytes as text, without a byte order mark. The error names the line and shows what is there.
fn text(name: &str, mut bytes: Vec<u8>) -> Result<String, CliError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|e| {
        let (good, bytes) = (e.utf8_error().valid_up_to(), e.as_bytes());
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return CliError::usage(format!("{name} is in UTF-16")).hint("Save it as UTF-8.");
        }
        let line = bytes[..good].split(|b| *b == b'\n').count();
        let begin = bytes[..good].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let shown = String::from_utf8_lossy(&bytes[begin.max(good.saturating_sub(60))..good]);
        let after = if shown.trim().is_empty() { String::new() } else { format!(", after \"{shown}\"") };
        CliError::usage(format!("{name}: line {line} is not UTF-8 text{after}")).hint("Save it as UTF-8.")
    })
}

/// Raises the limit of open files to what the system allows: each request under way has a socket of its
/// own.
pub fn raise_open_files_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        if limit.current != limit.maximum {
            // If that is refused, the limit stays, and connections beyond it fail with an error that says
            // so.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        }
    }
}
