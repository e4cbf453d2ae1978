//! Reads prompt files, the same way for every command, and reports what cannot be measured or graded before
//! anything is sent.

use super::beside::Beside;
use super::error::CliError;
use super::files::read_bytes;
use crate::measure::backend::local::hex;
use crate::prompts::set::{self, Set, Written};
use crate::prompts::{LARGEST_FILE, Prompt, PromptError};
use crate::quality::Graders;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// The prompts in a file, and a SHA-256: of the bytes read, or of the prompts where it is a configuration,
/// since files beside it count too.
pub fn read(path: &Path) -> Result<(Set, String), CliError> {
    let shown = path.display().to_string();
    let bytes = read_bytes(path, LARGEST_FILE)?;
    let set = set::read(&shown, &bytes, &Beside::of(path)).map_err(usage_error)?;
    check(&shown, &set.prompts)?;
    let sha256 = match set.written {
        Written::Promptfoo => hex(&Sha256::digest(serde_json::to_vec(&set.prompts).unwrap_or_default())),
        Written::Own(_) | Written::Log(_) => hex(&Sha256::digest(&bytes)),
    };
    Ok((set, sha256))
}

/// The finished answers of a log.
pub fn read_answers(path: &Path) -> Result<Set, CliError> {
    let shown = path.display().to_string();
    let bytes = read_bytes(path, LARGEST_FILE)?;
    let set = set::answers(&shown, &bytes).map_err(usage_error)?;
    if set.answers.is_empty() {
        return Err(CliError::usage(format!("{shown} holds prompts, and no answers"))
            .hint("Give it as --prompts, and ask a model."));
    }
    Ok(set)
}

fn usage_error(error: PromptError) -> CliError {
    let message = error.to_string();
    CliError::usage(message).hint(error.remedy)
}

/// Checks that the graders of every prompt are valid.
fn check(shown: &str, prompts: &[Prompt]) -> Result<(), CliError> {
    for prompt in prompts {
        let graders = Graders::new(&prompt.asserts, prompt.threshold);
        if let Some(problem) = graders.problems().iter().find(|p| !p.what.is_not_run()) {
            let line = problem.line.map_or_else(String::new, |l| format!(", line {l}"));
            return Err(
                CliError::usage(format!("{shown}{line}: {}", problem.what)).hint(problem.what.remedy())
            );
        }
    }
    Ok(())
}
