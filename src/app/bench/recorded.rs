//! Answers that another program has recorded, as a target of their own.

use crate::app::Refusal;
use crate::document::bench::build::TargetFacts;
use crate::measure::conversation;
use crate::measure::schedule::Step;
use crate::prompts::Prompt;
use crate::prompts::set::{Matched, Set, matched};

/// The answers of one log.
#[derive(Debug)]
pub struct Recorded {
    pub facts: TargetFacts,
    pub answers: Vec<Matched>,
}

impl Recorded {
    /// Matches the answers of a log to the prompts of the run, with notes on those that are left out.
    /// `shown`: the log's path, `name`: its file name.
    pub fn of(
        set: &Set,
        shown: &str,
        name: &str,
        prompts: &[Prompt],
    ) -> Result<(Self, Vec<String>), Refusal> {
        let (answers, strangers, by_id) = matched(prompts, &set.answers);
        if answers.is_empty() {
            return Err(Refusal::input(format!("{shown}: none of its answers is to a prompt of this run"))
                .hint("The prompts have to read the same, or have the same ids."));
        }
        let said = |n: usize| format!("{n} answer{} of {shown}", if n == 1 { "" } else { "s" });
        let mut notes = Vec::new();
        if strangers > 0 {
            notes.push(format!("{} left out: to no prompt of this run.", said(strangers)));
        }
        if by_id > 0 {
            notes.push(format!(
                "{} found by the id alone: what was asked reads otherwise there (examples before the question, a \
                 template).",
                said(by_id)
            ));
        }
        let model = set.answers.iter().find_map(|a| a.model.as_deref());
        let mut facts = TargetFacts::recorded(name, model);
        facts.recorded_in = Some(shown.to_owned());
        Ok((Self { facts, answers }, notes))
    }

    /// Each answer as the step of a target.
    pub fn steps<'s>(
        &'s self,
        target: usize,
        prompts: &'s [Prompt],
    ) -> impl Iterator<Item = (Step, &'s str)> {
        self.answers.iter().map(move |answer| {
            let turn = conversation::turns(&prompts[answer.prompt]).saturating_sub(1);
            let (prompt, repeat) = (answer.prompt, answer.repeat);
            (Step { target, prompt, repeat, warmup: false, load: None, turn }, answer.text.as_str())
        })
    }
}
