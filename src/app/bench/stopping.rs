//! When a run ends before all of it was asked: at its cap, or when the verdict on every pair of targets is clear.

use super::tally::Tally;
use crate::document::bench::Sample;
use crate::document::bench::build::{Basis, Deciding};
use crate::measure::run::Ended;
use crate::measure::schedule::Step;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Prompts that are answered before graders from outside are asked about them, where the run ends when its answer is
/// known: asking them may mean that a model is loaded.
const BATCH: usize = 20;

/// Follows a run, request by request.
#[derive(Debug)]
pub struct Stopping<'a> {
    basis: &'a Basis,
    max_cost: Option<f64>,
    /// The requests under way, and the most that each can cost.
    under_way: BTreeMap<Step, f64>,
    /// The next request could pass the cap.
    pub capped: bool,
    /// Where the run ends as soon as the verdicts are clear: what follows them, and how many requests of
    /// each prompt are still to come.
    deciding: Option<Deciding<'a>>,
    to_come: HashMap<usize, usize>,
    /// The verdicts are clear.
    pub decided: bool,
    /// Where graders have to be asked before a prompt counts: the prompts that everybody has answered since they
    /// were asked last.
    waiting: Option<Vec<String>>,
    /// Enough of them wait: the run stops until they are graded.
    pub pause: bool,
    /// Steps that ended, where the run may pause.
    ended: BTreeSet<Step>,
}

impl<'a> Stopping<'a> {
    /// `steps` are still to be taken. What an earlier part of the run has answered is evidence already.
    pub fn new(tally: &Tally<'a>, steps: &[Step], max_cost: Option<f64>) -> Self {
        let basis = tally.basis;
        let deciding = Deciding::of(basis);
        let asks = (0..basis.prompts.len()).any(|n| !tally.grading.needs(n).is_empty());
        let waiting = (deciding.is_some() && asks).then(Vec::new);
        let mut to_come = HashMap::new();
        for step in steps.iter().filter(|s| !s.warmup && s.load.is_none()) {
            *to_come.entry(step.prompt).or_default() += 1;
        }
        let mut stopping = Self {
            basis,
            max_cost,
            under_way: BTreeMap::new(),
            capped: false,
            deciding,
            to_come,
            decided: false,
            waiting,
            pause: false,
            ended: BTreeSet::new(),
        };
        let mut done: Vec<String> = Vec::new();
        for sample in &tally.samples {
            if !done.contains(&sample.prompt_id) {
                done.push(sample.prompt_id.clone());
            }
        }
        let open: BTreeSet<&str> = stopping.to_come.keys().map(|n| basis.prompts[*n].id.as_str()).collect();
        done.retain(|id| !open.contains(id.as_str()));
        for id in done {
            stopping.prompt_done(&id, &tally.samples);
        }
        // What an earlier part of the run left ungraded waits for the next whole prompt.
        stopping.pause = false;
        stopping
    }

    /// May a request be sent that costs so much at most? Not where it could, with all that is under way, pass the cap.
    pub fn may_send(&mut self, step: &Step, worst: f64, tally: &Tally<'_>) -> bool {
        let facts = &self.basis.targets[step.target];
        let paid = worst > 0.0 || (facts.origin.is_some() && !facts.stand_in);
        let reserved: f64 = self.under_way.values().sum();
        let too_dear = self.max_cost.is_some_and(|cap| tally.at_most_spent() + reserved + worst > cap);
        self.capped |= paid && too_dear;
        !(paid && too_dear)
    }

    /// It is sent.
    pub fn sent(&mut self, step: Step, worst: f64) {
        self.under_way.insert(step, worst);
    }

    /// It has ended.
    pub fn ended(&mut self, step: &Step) {
        self.under_way.remove(step);
        if self.waiting.is_some() {
            self.ended.insert(*step);
        }
    }

    /// Its answer is in `samples`.
    pub fn answered(&mut self, step: &Step, samples: &[Sample]) {
        if !step.warmup
            && step.load.is_none()
            && let Some(left) = self.to_come.get_mut(&step.prompt)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let id = self.basis.prompts[step.prompt].id.clone();
                self.prompt_done(&id, samples);
            }
        }
    }

    /// Does the run stop here, for good or for the graders?
    pub fn stops(&self) -> bool {
        self.decided || self.pause
    }

    /// Sent, and not known to have ended.
    pub fn under_way(&self) -> Vec<Step> {
        self.under_way.keys().copied().collect()
    }

    /// Graders from outside have been asked about all that is answered: the prompts that waited for them count now.
    pub fn graded(&mut self, samples: &[Sample]) {
        self.pause = false;
        for id in self.waiting.as_mut().map(std::mem::take).unwrap_or_default() {
            self.count(&id, samples);
        }
    }

    /// How a run ended whose verdicts are clear: the rest was not needed.
    pub fn settle(&self, ended: &mut Ended) {
        if self.decided {
            ended.complete = ended.stopped.iter().all(Option::is_none);
            ended.skipped.fill(0);
        }
    }

    /// Is a step still to be taken after a pause?
    pub fn is_left(&self, step: &Step) -> bool {
        !step.warmup && !self.ended.contains(step)
    }

    /// Every target has answered a prompt, all repeats of it.
    fn prompt_done(&mut self, id: &str, samples: &[Sample]) {
        if let Some(waiting) = &mut self.waiting {
            waiting.push(id.to_owned());
            self.pause = waiting.len() >= BATCH;
        } else {
            self.count(id, samples);
        }
    }

    /// A prompt and its grades, as evidence.
    fn count(&mut self, id: &str, samples: &[Sample]) {
        if let Some(deciding) = &mut self.deciding {
            let of_prompt: Vec<&Sample> = samples.iter().filter(|s| s.prompt_id == id).collect();
            self.decided |= deciding.prompt_done(&of_prompt);
        }
    }
}
