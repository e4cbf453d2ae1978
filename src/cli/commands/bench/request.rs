//! What is asked: the prompts of the file, and the request of each step.

use super::settings::Settings;
use crate::cli::error::CliError;
use crate::document::bench::build::{Basis, TargetFacts};
use crate::measure::backend::local::hex;
use crate::measure::event::{Message, Request, Role};
use crate::measure::plan::Step;
use crate::prompts::{self, FileFormat, Prompt};
use crate::quality::Graders;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// The prompts of a file, and its SHA-256.
pub fn read_prompts(path: &Path) -> Result<(Vec<Prompt>, String), CliError> {
    let shown = path.display().to_string();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let format = FileFormat::of(extension).ok_or_else(|| {
        CliError::usage(format!("{shown}: a prompt file ends in .jsonl, .csv, .toml or .txt"))
            .hint("Rename it after what it contains.")
    })?;
    let meta = std::fs::metadata(path).map_err(|e| CliError::file("read", path, &e))?;
    if !meta.is_file() {
        return Err(CliError::usage(format!("{shown} is not an ordinary file"))
            .hint("Give the path of a .jsonl, .csv, .toml or .txt file with prompts."));
    }
    if meta.len() > prompts::LARGEST_FILE {
        return Err(CliError::usage(format!(
            "{shown} has {} bytes; at most {} are read",
            meta.len(),
            prompts::LARGEST_FILE
        )));
    }
    let bytes = std::fs::read(path).map_err(|e| CliError::file("read", path, &e))?;
    let prompts = prompts::parse(&shown, format, &bytes).map_err(|e| {
        let remedy = e.remedy.clone();
        CliError::usage(e.to_string()).hint(remedy)
    })?;
    check_prompts(&shown, &prompts)?;
    Ok((prompts, hex(&Sha256::digest(&bytes))))
}

/// What cannot be measured or graded is told before anything is sent.
fn check_prompts(shown: &str, prompts: &[Prompt]) -> Result<(), CliError> {
    for prompt in prompts {
        if prompt.conversation.is_some() {
            let message =
                format!("{shown}: {:?} is a conversation, which bench does not measure yet", prompt.id);
            return Err(CliError::usage(message).hint("Write its last turn as `prompt`."));
        }
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

/// What each step asks.
pub struct Asker<'a> {
    prompts: &'a [Prompt],
    settings: &'a Settings,
    run_id: &'a str,
    session: u32,
    /// Per target.
    nth_of_origin: Vec<usize>,
}

impl<'a> Asker<'a> {
    /// `session`: which part of an interrupted run this is.
    pub fn new(basis: &'a Basis, settings: &'a Settings, run_id: &'a str, session: u32) -> Self {
        let nth_of_origin = shared_origins(&basis.targets);
        Self { prompts: &basis.prompts, settings, run_id, session, nth_of_origin }
    }

    pub fn request(&self, step: &Step) -> Request {
        let prompt = &self.prompts[step.prompt];
        let message = |role, content: &String| Message { role, content: content.clone() };
        let mut messages: Vec<Message> = prompt.system.iter().map(|s| message(Role::System, s)).collect();
        messages.push(message(Role::User, &prompt.prompt));
        Request {
            messages,
            max_output_tokens: prompt.max_output_tokens.unwrap_or(self.settings.max_output_tokens),
            cache_marker: self.settings.bust.then(|| self.marker(step)),
        }
    }

    fn marker(&self, step: &Step) -> String {
        // A request that a kill cut off is sent again: the provider may have kept its prompt.
        let place = step.load.map_or((usize::MAX, 0), |p| (p.phase, p.index));
        let parts = format!(
            "{} {} {} {} {} {place:?} {}",
            self.run_id, self.session, step.prompt, step.repeat, step.warmup, self.nth_of_origin[step.target]
        );
        format!("[{}]\n", &hex(&Sha256::digest(parts))[..12])
    }
}

/// Targets behind one origin share its prompt cache, so each needs markers of its own there; all
/// others get the same text, so that answers can be compared.
fn shared_origins(facts: &[TargetFacts]) -> Vec<usize> {
    facts
        .iter()
        .enumerate()
        .map(|(n, f)| facts[..n].iter().filter(|o| o.origin.is_some() && o.origin == f.origin).count())
        .collect()
}
