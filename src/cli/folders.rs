//! The user's own folders. Only absolute ones count: with `HOME` unset or empty there are none, and
//! nothing is ever taken from the current folder, which may be a project of somebody else's.

use super::environment::{self, Variable};
use super::error::CliError;
use etcetera::BaseStrategy;
use std::path::{Path, PathBuf};

/// The user's folders for this program; `None` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// Downloads, journals, locks.
    pub cache: Option<PathBuf>,
    /// The user's catalogue overlay.
    pub data: Option<PathBuf>,
    /// The user's profiles and settings.
    pub config: Option<PathBuf>,
}

impl Folders {
    /// The folders by this program's own variables, else by the XDG base directories (on Windows the
    /// system's).
    pub fn of_process() -> Result<Self, CliError> {
        let base = etcetera::choose_base_strategy().ok();
        Ok(Self {
            cache: folder(
                environment::CACHE_DIR,
                environment::XDG_CACHE_HOME,
                base.as_ref().map(BaseStrategy::cache_dir),
            )?,
            data: folder(
                environment::DATA_DIR,
                environment::XDG_DATA_HOME,
                base.as_ref().map(BaseStrategy::data_dir),
            )?,
            config: folder(
                environment::CONFIG_DIR,
                environment::XDG_CONFIG_HOME,
                base.as_ref().map(BaseStrategy::config_dir),
            )?,
        })
    }

    /// The cache folder, for what can do without one; it is created as by [`Self::needed_cache`].
    pub fn cache(&self) -> Option<&Path> {
        self.cache.as_deref().filter(|cache| make(cache).is_ok())
    }

    /// The cache folder, for what needs one; it is created so that only the user can read it.
    pub fn needed_cache(&self) -> Result<&Path, CliError> {
        let cache =
            self.cache.as_deref().ok_or_else(|| none("downloads and journals", environment::CACHE_DIR))?;
        make(cache)?;
        Ok(cache)
    }

    /// The folder of the journals of runs without an output file, created if it is not there. They hold
    /// prompts and answers: only the user may read it, whatever its permissions were.
    pub fn needed_runs(&self) -> Result<PathBuf, CliError> {
        let runs = self.needed_cache()?.join(RUNS);
        make(&runs)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&runs, std::fs::Permissions::from_mode(0o700))
                .map_err(|e| CliError::file("protect", &runs, &e))?;
        }
        Ok(runs)
    }
}

/// Folder below the cache with the journals of runs without an output file.
pub const RUNS: &str = "runs";

/// Creates a folder and its parents; only the user may read new ones.
fn make(folder: &Path) -> Result<(), CliError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| CliError::file("create", folder, &e))
}

/// The error where there is no folder for something that needs one.
pub fn none(what: &str, variable: Variable) -> CliError {
    CliError::usage(format!("there is no folder for {what}: HOME is not set, or is no absolute path"))
        .hint(format!("set HOME, or {}, to an absolute path", variable.name))
}

fn folder(own: Variable, xdg: Variable, of_system: Option<PathBuf>) -> Result<Option<PathBuf>, CliError> {
    if let Some(folder) = own.os().map(PathBuf::from) {
        if !folder.is_absolute() {
            return Err(CliError::usage(format!(
                "{} is {}, which is no absolute path",
                own.name,
                folder.display()
            ))
            .hint(format!("give the whole path, or unset {}", own.name)));
        }
        return Ok(Some(folder));
    }
    // Without HOME the system's user database would be asked; whoever has unset HOME wants no folder.
    let named = |variable: Variable| variable.os().is_some_and(|path| Path::new(&path).is_absolute());
    let is_known = cfg!(windows) || named(environment::HOME) || named(xdg);
    Ok(of_system.filter(|folder| is_known && folder.is_absolute()).map(|folder| folder.join("freehold")))
}
