//! Reading files of people: bounded, UTF-8, errors that name the place.

use super::error::CliError;
use std::path::Path;

/// No text file that is read whole is larger than this.
pub const MAX_BYTES: u64 = 256 << 20;

/// Text of a file.
pub fn read_text(path: &Path) -> Result<String, CliError> {
    let failed = |e: &std::io::Error| CliError::file("read", path, e);
    let size = std::fs::metadata(path).map_err(|e| failed(&e))?;
    if size.is_dir() {
        return Err(CliError::usage(format!("{} is a folder, not a file", path.display())));
    }
    if size.len() > MAX_BYTES {
        return Err(CliError::usage(format!("{} is larger than {} MiB", path.display(), MAX_BYTES >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].split(|b| *b == b'\n').count();
        CliError::usage(format!("{}: line {line} is not UTF-8 text", path.display()))
    })
}

/// Each request under way has a socket of its own: allow as many as the system lets us.
pub fn raise_open_files_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        if limit.current != limit.maximum {
            // Where it is refused the soft limit stays, and connections beyond it fail by name.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        }
    }
}
