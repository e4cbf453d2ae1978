//! `--answers LOG`: answers that another program has recorded, as a target of their own.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::prompt_files;
use crate::document::bench::build::TargetFacts;
use crate::prompts::Prompt;
use crate::prompts::set::{self, Matched};
use std::path::PathBuf;

/// One log.
#[derive(Debug)]
pub struct Recorded {
    pub facts: TargetFacts,
    pub answers: Vec<Matched>,
}

/// Read the logs, and find the prompts of the run that their answers are to.
pub fn read(logs: &[PathBuf], prompts: &[Prompt], context: &Context) -> Result<Vec<Recorded>, CliError> {
    let mut all = Vec::new();
    for path in logs {
        let set = prompt_files::read_answers(path)?;
        let shown = path.display().to_string();
        let (answers, strangers, by_id) = set::matched(prompts, &set.answers);
        if answers.is_empty() {
            return Err(CliError::usage(format!("{shown}: none of its answers is to a prompt of this run"))
                .hint("The prompts have to read the same, or have the same ids."));
        }
        let said = |n: usize| format!("{n} answer{} of {shown}", if n == 1 { "" } else { "s" });
        if strangers > 0 {
            context.note(&format!("{} left out: to no prompt of this run.", said(strangers)));
        }
        if by_id > 0 {
            context.note(&format!(
                "{} found by the id alone: what was asked reads otherwise there (examples before the question, a \
                 template).",
                said(by_id)
            ));
        }
        let model = set.answers.iter().find_map(|a| a.model.as_deref());
        let name = path.file_name().map_or_else(|| shown.clone(), |n| n.to_string_lossy().into_owned());
        let mut facts = TargetFacts::recorded(&name, model);
        facts.recorded_in = Some(shown);
        all.push(Recorded { facts, answers });
    }
    Ok(all)
}
