//! Decides when a run ends before everything was asked: at its spending cap, or when the verdict on every
//! pair of targets is clear.

use super::tally::Tally;
use crate::document::bench::Sample;
use crate::document::bench::build::{Basis, Deciding};
use crate::measure::run::Ended;
use crate::measure::schedule::Step;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// With `--until-decided`: prompts that are answered before graders outside of this program are asked about
/// them; not after each prompt, since a model may have to be loaded.
const BATCH: usize = 20;

/// Follows a run, request by request.
#[derive(Debug)]
pub struct Stopping<'a> {
    basis: &'a Basis,
    max_cost: Option<f64>,
    /// The requests under way, and the most US dollars that each can cost.
    under_way: BTreeMap<Step, f64>,
    /// It stopped because the next request could pass the cap.
    pub capped: bool,
    /// Where the run ends as soon as the verdicts are clear: what follows the verdicts, and how many
    /// requests of each prompt are still to come.
    deciding: Option<Deciding<'a>>,
    to_come: HashMap<usize, usize>,
    /// The verdicts are clear.
    pub decided: bool,
    /// Where a prompt counts only after graders were asked: the prompts that every target has answered
    /// since they were last asked.
    waiting: Option<Vec<String>>,
    /// Enough prompts wait: the run pauses until they are graded.
    pub pause: bool,
    /// Steps that ended, where the run may pause.
    ended: BTreeSet<Step>,
}

impl<'a> Stopping<'a> {
    /// `steps` are still to be taken. Answers of an earlier part of the run count as evidence already.
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
        // What an earlier part of the run left ungraded waits for the next complete prompt.
        stopping.pause = false;
        stopping
    }

    /// May a request be sent that costs at most `worst` US dollars? Not if it could, with all that is under
    /// way, pass the cap.
    pub fn may_send(&mut self, step: &Step, worst: f64, tally: &Tally<'_>) -> bool {
        let facts = &self.basis.targets[step.target];
        let paid = worst > 0.0 || (facts.origin.is_some() && !facts.stand_in);
        let reserved: f64 = self.under_way.values().sum();
        let too_dear = self.max_cost.is_some_and(|cap| tally.at_most_spent() + reserved + worst > cap);
        self.capped |= paid && too_dear;
        !(paid && too_dear)
    }

    /// Notes that a request is sent.
    pub fn sent(&mut self, step: Step, worst: f64) {
        self.under_way.insert(step, worst);
    }

    /// Notes that a request has ended.
    pub fn ended(&mut self, step: &Step) {
        self.under_way.remove(step);
        if self.waiting.is_some() {
            self.ended.insert(*step);
        }
    }

    /// Takes in an answer, which is in `samples`.
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

    /// Must the run stop here, for good or for the graders?
    pub fn stops(&self) -> bool {
        self.decided || self.pause
    }

    /// Requests that were sent and are not known to have ended.
    pub fn under_way(&self) -> Vec<Step> {
        self.under_way.keys().copied().collect()
    }

    /// Graders have been asked about all answers so far: the prompts that waited for them count now.
    pub fn graded(&mut self, samples: &[Sample]) {
        self.pause = false;
        for id in self.waiting.as_mut().map(std::mem::take).unwrap_or_default() {
            self.count(&id, samples);
        }
    }

    /// Where the verdicts are clear, marks the run as complete: the rest was not needed.
    pub fn settle(&self, ended: &mut Ended) {
        if self.decided {
            ended.complete = ended.stopped.iter().all(Option::is_none);
            ended.skipped.fill(0);
        }
    }

    /// Must a step still be taken after a pause?
    pub fn is_left(&self, step: &Step) -> bool {
        !step.warmup && !self.ended.contains(step)
    }

    /// Takes in a prompt that every target has answered, with all repeats.
    fn prompt_done(&mut self, id: &str, samples: &[Sample]) {
        if let Some(waiting) = &mut self.waiting {
            waiting.push(id.to_owned());
            self.pause = waiting.len() >= BATCH;
        } else {
            self.count(id, samples);
        }
    }

    /// Counts a prompt and its grades as evidence.
    fn count(&mut self, id: &str, samples: &[Sample]) {
        if let Some(deciding) = &mut self.deciding {
            let of_prompt: Vec<&Sample> = samples.iter().filter(|s| s.prompt_id == id).collect();
            self.decided |= deciding.prompt_done(&of_prompt);
        }
    }
}
