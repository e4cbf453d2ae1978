//! `deploy`: the chosen option of an advice, or a plan, as files that run.

use crate::app::deploy::{self as app, Deployed, LIST, Listed};
use crate::cli::catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files::{MAX_BYTES, read_stdin, read_text};
use crate::cli::output::{OutputArgs, write_atomic};
use crate::deploy::read::Asked;
use crate::render::Format;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Write recipes for a plan: API snippets, llama-server, Ollama, Compose, Kubernetes, a router, …
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold deploy advice.json -o deployment          recipes for the chosen option
  freehold deploy advice.json -o cloud --option api  for another of its options
  freehold deploy plan.json -o deployment --plan 2   for the second plan of a plan document
  freehold deploy plan.json -o deployment --weights OWNER/REPO
                                                     with weights in the plan's format that you know of

Each folder has a README with the steps and with the `freehold bench` command that accepts the result.
Files that were not written by this command are never written over.")]
pub struct Args {
    /// An advice or a plan document (`-` is stdin).
    #[arg(value_name = "FILE")]
    pub document: PathBuf,
    /// The folder to write into.
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,
    /// Id of another option of the advice than the chosen one.
    #[arg(long, value_name = "ID")]
    pub option: Option<String>,
    /// Number of another plan of the plan document than the first.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub plan: Option<u32>,
    /// Id of another model of a plan for several needs than that of the first need.
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Weights in the plan's format on the Hugging Face Hub, for llama.cpp also a file of it.
    #[arg(long, value_name = "OWNER/REPO[/FILE.gguf]")]
    pub weights: Option<String>,
    /// Most tokens of a request, input and output (default: twice the 95th percentile, as far as memory
    /// allows).
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub context: Option<u64>,
    /// Format of the list of files that is printed.
    #[arg(long, value_enum, help_heading = "Output options")]
    pub format: Option<Format>,
    /// Short for --format json.
    #[arg(long, conflicts_with = "format", help_heading = "Output options")]
    pub json: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = catalog::load(context)?;
    let (name, text) = read(&args.document)?;
    let asked = Asked {
        option: args.option.clone(),
        plan: args.plan.and_then(|n| usize::try_from(n).ok()),
        model: args.model.clone(),
        weights: args.weights.clone(),
        context: args.context,
    };
    let made = app::deploy(&name, &text, &catalog, &asked)?;
    let place = &args.output;
    let listed = list(place)?;
    let files = &made.files;
    let mut there = BTreeMap::new();
    for path in files.iter().map(|f| f.path.as_str()).chain(listed.paths()) {
        if let Some(digest) = digest(place, path)? {
            there.insert(path.to_owned(), digest);
        }
    }
    let changes = app::changes(&place.display().to_string(), files, &listed, &there)?;
    for file in files {
        write(place, &file.path, &file.text, file.executable)?;
    }
    for path in &changes.remove {
        let file = place.join(path);
        std::fs::remove_file(&file).map_err(|e| CliError::file("remove", &file, &e))?;
    }
    write(place, LIST, &Listed::of(files).to_json(), false)?;
    let deployed = Deployed {
        folder: place.display().to_string(),
        files: files.iter().map(|f| f.path.clone()).collect(),
        removed: changes.remove,
        left_out: made.left_out,
    };
    OutputArgs::plain(args.format, args.json).show(context, &deployed)
}

fn read(path: &Path) -> Result<(String, String), CliError> {
    if path != Path::new("-") {
        return Ok((path.display().to_string(), read_text(path)?));
    }
    Ok(("stdin".to_owned(), read_stdin(MAX_BYTES)?))
}

/// The list of files that an earlier run wrote; without one nothing in the folder is ours.
fn list(place: &Path) -> Result<Listed, CliError> {
    match std::fs::symlink_metadata(place) {
        Ok(found) if !found.is_dir() && !place.is_dir() => {
            return Err(CliError::usage(format!("{} exists and is not a folder", place.display())));
        }
        _ => {}
    }
    let path = place.join(LIST);
    match std::fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() && found.len() < 1 << 20 => {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            Ok(Listed::parse(&text).unwrap_or_default())
        }
        Ok(found) if found.is_file() => Ok(Listed::default()),
        Ok(_) => Err(CliError::usage(format!("{} exists and is not an ordinary file", path.display()))),
        Err(_) => Ok(Listed::default()),
    }
}

/// The digest of a file below the folder; `None` where there is none. Only ordinary files in ordinary
/// folders are accepted: anything else may lead elsewhere.
fn digest(place: &Path, path: &str) -> Result<Option<String>, CliError> {
    let mut at = place.to_owned();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        let last = parts.peek().is_none();
        match std::fs::symlink_metadata(&at) {
            Ok(found) if last && found.is_file() => {}
            Ok(found) if !last && found.is_dir() => {}
            Ok(_) => {
                let wanted = if last { "file" } else { "folder" };
                return Err(CliError::usage(format!(
                    "{} exists and is not an ordinary {wanted}; nothing was written",
                    at.display()
                )));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(CliError::file("read", &at, &e)),
        }
    }
    let bytes = std::fs::read(&at).map_err(|e| CliError::file("read", &at, &e))?;
    Ok(Some(app::digest(&bytes)))
}

fn write(place: &Path, path: &str, text: &str, executable: bool) -> Result<(), CliError> {
    let file = place.join(path);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| CliError::file("make the folder", folder, &e))?;
    }
    write_atomic(&file, text.as_bytes())?;
    #[cfg(unix)]
    if executable {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = std::fs::metadata(&file).map_err(|e| CliError::file("read", &file, &e))?;
        // Whoever may read it may execute it.
        let mode = meta.permissions().mode();
        let mode = mode | (mode & 0o444) >> 2;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode))
            .map_err(|e| CliError::file("make executable", &file, &e))?;
    }
    #[cfg(not(unix))]
    let _ = executable;
    Ok(())
}
