//! The request of each step.

use super::asked::{Asked, Cache};
use super::questions;
use super::settings::Settings;
use crate::document::bench::build::{Basis, TargetFacts};
use crate::measure::backend::local::hex;
use crate::measure::conversation::{self, Answered};
use crate::measure::event::Request;
use crate::measure::run;
use crate::measure::schedule::Step;
use crate::prompts::Prompt;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::time::Duration;

/// Changes prompts to what is sent: with the rubric of the command line, and system messages where they
/// belong.
pub fn prepare(asked: &Asked, prompts: &mut [Prompt]) {
    if let Some(rubric) = &asked.judging.rubric {
        questions::add_rubric(prompts, rubric);
    }
    if asked.local.system_as_user {
        prompts.iter_mut().for_each(conversation::system_as_user);
    }
}

/// Makes the request of each step.
#[derive(Debug)]
pub struct Asker<'a> {
    prompts: &'a [Prompt],
    settings: &'a Settings,
    run_id: &'a str,
    session: u32,
    /// For each target, its number among those behind the same origin.
    nth_of_origin: Vec<usize>,
}

impl<'a> Asker<'a> {
    /// `session`: which part of an interrupted run this is.
    pub fn new(basis: &'a Basis, settings: &'a Settings, run_id: &'a str, session: u32) -> Self {
        let nth_of_origin = shared_origins(&basis.targets);
        Self { prompts: &basis.prompts, settings, run_id, session, nth_of_origin }
    }

    /// The cache marker of a step. The turns of one pass of a conversation share it, as they share their
    /// beginning, unless each must be cold.
    fn marker(&self, step: &Step) -> String {
        // A request that was cut off by a kill is sent again, and the provider may have cached its prompt:
        // the session makes the marker new.
        let place = step.load.map_or((usize::MAX, 0), |p| (p.phase, p.index));
        let mut parts = format!(
            "{} {} {} {} {} {place:?} {}",
            self.run_id, self.session, step.prompt, step.repeat, step.warmup, self.nth_of_origin[step.target]
        );
        if self.settings.cache == Cache::Cold && step.turn > 0 {
            let _ = write!(parts, " turn {}", step.turn);
        }
        format!("[{}]\n", &hex(&Sha256::digest(parts))[..12])
    }

    /// A number for one pass of a conversation, as unlikely to come twice as 64 bits allow.
    fn pass(&self, step: &Step) -> u64 {
        let digest = Sha256::digest(format!("{} pass", self.marker(step)));
        digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl run::Asker for Asker<'_> {
    fn turns(&self, prompt: usize) -> u32 {
        conversation::turns(&self.prompts[prompt])
    }

    fn pause(&self, step: &Step) -> Duration {
        conversation::pause(&self.prompts[step.prompt], step.turn)
    }

    fn request(&self, step: &Step, said: &[Answered]) -> Request {
        let prompt = &self.prompts[step.prompt];
        Request {
            messages: conversation::messages(prompt, step.turn, said),
            tools: conversation::tools(prompt).to_vec(),
            max_output_tokens: prompt.max_output_tokens.unwrap_or(self.settings.max_output_tokens),
            cache_marker: self.settings.cache.marks().then(|| self.marker(step)),
            // Warm-up asks the first turn only, and nothing goes on from it.
            conversation: (self.turns(step.prompt) > 1 && !step.warmup && self.settings.cache != Cache::Cold)
                .then(|| self.pass(step)),
            json_schema: None,
        }
    }
}

/// Numbers the targets behind each origin. They share its prompt cache, so each needs markers of its own
/// there; targets of different origins get the same text, so that answers can be compared.
fn shared_origins(facts: &[TargetFacts]) -> Vec<usize> {
    facts
        .iter()
        .enumerate()
        .map(|(n, f)| facts[..n].iter().filter(|o| o.origin.is_some() && o.origin == f.origin).count())
        .collect()
}
