//! `--answers LOG`: answers that another program has recorded, as a target of their own.

use crate::app::bench::recorded::Recorded;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::prompt_files;
use crate::prompts::Prompt;
use std::path::PathBuf;

/// Reads the logs, and matches their answers to the prompts of the run.
pub fn read(logs: &[PathBuf], prompts: &[Prompt], context: &Context) -> Result<Vec<Recorded>, CliError> {
    let mut all = Vec::new();
    for path in logs {
        let set = prompt_files::read_answers(path)?;
        let shown = path.display().to_string();
        let name = path.file_name().map_or_else(|| shown.clone(), |n| n.to_string_lossy().into_owned());
        let (recorded, notes) = Recorded::of(&set, &shown, &name, prompts)?;
        for text in notes {
            context.note(&text);
        }
        all.push(recorded);
    }
    Ok(all)
}
