//! What the requests of a run have added up to so far: grades, samples, money.

use super::bounds;
use super::journal::Earlier;
use super::load_samples::LoadSamples;
use crate::document::bench::Sample;
use crate::document::bench::build::{
    self, Answers, Asking, Basis, Bill, Graded, Grading, Kept, Replies, TargetFacts,
};
use crate::measure::run::Record;
use crate::measure::schedule::Step;
use crate::threads::in_order;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the requests have added up to so far; the same whether they have just been answered or are read
/// from a journal.
#[derive(Debug)]
pub struct Tally<'a> {
    pub basis: &'a Basis,
    /// Requests that were sent one at a time, without warm-up.
    pub samples: Vec<Sample>,
    /// For each target: answers whose tool calls fit the tools that were offered, and answers with tool
    /// calls.
    pub calls_fit: Vec<[u32; 2]>,
    pub grading: Grading,
    /// Complete answers, for graders outside of this program.
    answers: Answers,
    /// What those graders said.
    pub told: Replies,
    /// Requests under load, with warm-up.
    pub load_samples: LoadSamples,
    spent: f64,
    /// Most output tokens of one answer, for each target: some servers do not keep the limit.
    longest: Vec<u64>,
    /// US dollars that requests of unknown cost can have cost at most.
    unsettled: f64,
    unknown: bool,
    /// Failures that were not billed: a resumed run sends these again, except those of a load that ran to
    /// its end, where a failure is a result.
    failed: BTreeSet<Step>,
    pub asked_again: u32,
}

/// A single answer, as far as grading goes.
struct Answered {
    /// The answer; `None` where there is none to grade.
    kept: Option<Kept>,
    graded: Graded,
    /// Do its tool calls fit the tools that were offered? `None` where it has none.
    calls_fit: Option<bool>,
}

impl<'a> Tally<'a> {
    pub fn new(basis: &'a Basis, load_samples: LoadSamples) -> Self {
        Self {
            basis,
            samples: Vec::new(),
            calls_fit: vec![[0; 2]; basis.targets.len()],
            grading: Grading::new(&basis.prompts),
            answers: Answers::new(),
            told: Replies::default(),
            load_samples,
            spent: 0.0,
            longest: vec![0; basis.targets.len()],
            unsettled: 0.0,
            unknown: false,
            failed: BTreeSet::new(),
            asked_again: 0,
        }
    }

    /// The tally of an earlier part of the run, or of a complete run.
    pub fn of(basis: &'a Basis, earlier: &Earlier, load_samples: LoadSamples) -> Self {
        let mut tally = Self::new(basis, load_samples);
        let graded = tally.graded(&earlier.records);
        for ((session, record), graded) in earlier.records.iter().zip(graded) {
            tally.note_graded(record, *session, graded);
        }
        // Requests that were sent and never seen to end may have been billed.
        for step in &earlier.cut {
            tally.unsettled += tally.worst_case(step).unwrap_or(0.0);
        }
        let graded = tally.graded_recorded(&earlier.recorded);
        for ((step, text), answered) in earlier.recorded.iter().zip(graded) {
            tally.keep_recorded(*step, text, answered);
        }
        tally.told.clone_from(&earlier.told);
        for (key, about, record) in &earlier.judged {
            if let Some(facts) = earlier.judge_facts.get(key) {
                tally.judged(key, about, record, facts, None);
            }
        }
        tally.unsettled += earlier.judging_cut.values().flatten().sum::<f64>();
        tally.grade_again(&earlier.header.run_id);
        tally.failed.retain(|step| step.load.is_none_or(|place| !earlier.phases.contains(&place.phase)));
        tally
    }

    /// Grades stored answers, on all processors: thousands of them, with many graders each, take seconds on
    /// one. `None` for those that are not graded one by one.
    fn graded(&self, records: &[(u32, Record)]) -> Vec<Option<Answered>> {
        let of = |(_, record): &(u32, Record)| {
            let alone = record.step.load.is_none() && !record.step.warmup;
            alone.then(|| self.answered(record))
        };
        in_order(records, of)
    }

    /// The same for answers that another program has recorded.
    fn graded_recorded(&self, recorded: &[(Step, String)]) -> Vec<(Kept, Graded)> {
        in_order(recorded, |(step, text)| self.answered_elsewhere(*step, text))
    }

    fn answered_elsewhere(&self, step: Step, text: &str) -> (Kept, Graded) {
        let kept = Kept::recorded(text.to_owned());
        let graded = self.grading.grade(step.prompt, step.turn, Some(&kept), &BTreeMap::new());
        (kept, graded)
    }

    /// Grades an answer.
    fn answered(&self, record: &Record) -> Answered {
        let step = record.step;
        let kept = Kept::of(record, &self.basis.targets[step.target]);
        Answered {
            calls_fit: kept.as_ref().and_then(|kept| self.grading.calls_fit(step.prompt, kept)),
            graded: self.grading.grade(step.prompt, step.turn, kept.as_ref(), &BTreeMap::new()),
            kept,
        }
    }

    /// Adds a request that ended; returns its cost in US dollars, where that is known.
    pub fn note(&mut self, record: &Record, session: u32) -> Option<f64> {
        self.note_graded(record, session, None)
    }

    fn note_graded(&mut self, record: &Record, session: u32, answered: Option<Answered>) -> Option<f64> {
        let facts = &self.basis.targets[record.step.target];
        let longest = &mut self.longest[record.step.target];
        *longest = (*longest).max(record.figures.output_tokens.unwrap_or(0));
        let (cost, bill) = self.charge(record, facts, self.worst_case(&record.step));
        if self.failed.remove(&record.step) {
            self.asked_again += 1;
            self.forget(&record.step);
        }
        if record.figures.error.is_some() && bill == Bill::Nothing {
            self.failed.insert(record.step);
        }
        if record.step.load.is_some() {
            self.load_samples.push(build::sent(record, session, facts, &self.grading));
        } else if !record.step.warmup {
            let answered = answered.unwrap_or_else(|| self.answered(record));
            self.keep(record, facts, answered);
        }
        cost
    }

    /// Adds what a request cost, or can have cost: `worst` is the most for one attempt.
    fn charge(&mut self, record: &Record, facts: &TargetFacts, worst: Option<f64>) -> (Option<f64>, Bill) {
        let cost = build::cost(record, facts);
        let bill = build::bill(record, facts);
        match bill {
            Bill::Known(usd) => self.spent += usd,
            Bill::Nothing => {}
            Bill::Open(attempts) => {
                self.spent += cost.unwrap_or(0.0);
                let open = attempts - u32::from(cost.is_some());
                match worst {
                    Some(worst) => self.unsettled += worst * f64::from(open),
                    None => self.unknown |= facts.origin.is_some() && !facts.stand_in,
                }
            }
        }
        (cost, bill)
    }

    /// Adds an answer of a judge.
    pub fn judged(
        &mut self,
        key: &str,
        about: &str,
        record: &Record,
        facts: &TargetFacts,
        worst: Option<f64>,
    ) {
        let (cost, bill) = self.charge(record, facts, worst);
        let spent = self.told.spent.entry(key.to_owned()).or_insert(Some(0.0));
        *spent = match bill {
            Bill::Nothing => *spent,
            Bill::Known(_) | Bill::Open(_) => spent.zip(cost).map(|(a, b)| a + b),
        };
        if record.figures.error.is_none() {
            let said = self.told.said.entry(key.to_owned()).or_default();
            said.insert(about.to_owned(), record.answer().to_owned());
        }
    }

    /// The questions about the answers.
    pub fn asking<'s>(&'s self, run_id: &'s str) -> Asking<'s> {
        Asking { basis: self.basis, grading: &self.grading, answers: &self.answers, run_id }
    }

    /// Grades again the answers whose graders are outside of this program, with what these said.
    pub fn grade_again(&mut self, run_id: &str) {
        let asking = Asking { basis: self.basis, grading: &self.grading, answers: &self.answers, run_id };
        let mut places = HashMap::new();
        for (n, s) in self.samples.iter().enumerate() {
            places.insert((s.target.as_str(), s.prompt_id.as_str(), s.repeat, s.turn), n);
        }
        let mut graded = Vec::new();
        for (step, kept) in &self.answers {
            if self.grading.needs(step.prompt).is_empty() {
                continue;
            }
            let target = self.basis.targets[step.target].id.as_str();
            let prompt = self.basis.prompts[step.prompt].id.as_str();
            let Some(n) = places.get(&(target, prompt, step.repeat, step.turn)) else { continue };
            let given = asking.given(step, kept, &self.told);
            graded.push((*n, self.grading.grade(step.prompt, step.turn, Some(kept), &given)));
        }
        for (n, grade) in graded {
            let sample = &mut self.samples[n];
            sample.pass = grade.pass;
            sample.score = grade.score;
            sample.failed_graders = grade.failed;
            sample.not_graded = grade.missing;
        }
    }

    /// The most that can have been spent so far, USD.
    pub fn at_most_spent(&self) -> f64 {
        self.spent + self.unsettled
    }

    /// Stores an answer to a request that was sent alone.
    fn keep(&mut self, record: &Record, facts: &TargetFacts, answered: Answered) {
        let step = record.step;
        if let Some(fits) = answered.calls_fit {
            let [fit, of] = &mut self.calls_fit[step.target];
            *fit += u32::from(fits);
            *of += 1;
        }
        self.samples.push(build::sample(record, facts, &self.basis.prompts, answered.graded));
        if let Some(kept) = answered.kept.filter(|_| self.grading.is_last(step.prompt, step.turn)) {
            self.answers.insert(step, kept);
        }
    }

    /// Adds an answer that another program has recorded.
    pub fn recorded(&mut self, step: Step, text: &str) {
        let answered = self.answered_elsewhere(step, text);
        self.keep_recorded(step, text, answered);
    }

    fn keep_recorded(&mut self, step: Step, text: &str, (kept, graded): (Kept, Graded)) {
        let facts = &self.basis.targets[step.target];
        self.samples.push(build::recorded(text, &step, facts, &self.basis.prompts, graded));
        self.answers.insert(step, kept);
    }

    /// A failed request is sent again: its first outcome no longer counts.
    fn forget(&mut self, step: &Step) {
        let target = &self.basis.targets[step.target].id;
        let prompt = &self.basis.prompts[step.prompt].id;
        if step.load.is_some() {
            self.load_samples.forget(*step);
        } else {
            self.samples.retain(|s| {
                s.error.is_none()
                    || s.target != *target
                    || (s.repeat, s.turn) != (step.repeat, step.turn)
                    || s.prompt_id != *prompt
            });
        }
    }

    /// The most US dollars that one request can cost, where it has a price.
    pub fn worst_case(&self, step: &Step) -> Option<f64> {
        let price = self.basis.targets[step.target].price.as_ref()?;
        let prompt = &self.basis.prompts[step.prompt];
        let (input, output) = bounds::billed(prompt, step.turn, self.basis.max_output_tokens);
        price.worst_case(input, output.max(self.longest[step.target]), input)
    }

    /// Steps to send again: they failed, and nothing was billed.
    pub fn unanswered(&self) -> &BTreeSet<Step> {
        &self.failed
    }

    /// US dollars that requests of unknown cost can have cost at most; `None` where a price is missing.
    pub fn unsettled_usd(&self) -> Option<f64> {
        (!self.unknown).then_some(self.unsettled)
    }

    /// US dollars spent, by usage and prices; `None` where a price is missing.
    pub fn spent_usd(&self) -> Option<f64> {
        (!self.unknown).then_some(self.spent)
    }
}
