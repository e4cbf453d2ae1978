//! Looks on while a run goes: writes the journal, shows progress, keeps the spending cap.

use super::bars::Bars;
use super::journal::Journal;
use crate::app::bench::tally::Tally;
use crate::cli::error::CliError;
use crate::document::bench::Sample;
use crate::document::bench::build::Deciding;
use crate::measure::event::{Fault, FaultKind};
use crate::measure::load::Sent;
use crate::measure::run::{Record, Watch};
use crate::measure::schedule::Step;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::time::Duration;

/// Prompts that are answered before graders from outside are asked about them, where the run ends when its answer is
/// known: asking them may mean that a model is loaded.
const BATCH: usize = 20;

/// Looks on.
pub struct Watcher<'a> {
    pub tally: Tally<'a>,
    max_cost: Option<f64>,
    journal: Journal,
    pub bars: Bars<'a>,
    /// Requests of each target that are measured alone, for the bars.
    alone: Vec<u64>,
    warm: bool,
    /// The requests under way, and the most that each can cost.
    under_way: BTreeMap<Step, f64>,
    pub capped: bool,
    /// Where the run ends as soon as the verdicts are clear: what follows them, and how many requests of
    /// each prompt are still to come.
    deciding: Option<Deciding<'a>>,
    to_come: HashMap<usize, usize>,
    pub decided: bool,
    /// Where graders have to be asked before a prompt counts: the prompts that everybody has answered since they
    /// were asked last.
    waiting: Option<Vec<String>>,
    /// Enough of them wait: the run stops until they are graded.
    pub pause: bool,
    /// Steps that ended, where the run may pause.
    ended: BTreeSet<Step>,
    /// Failures under load that were shown, by target and kind.
    told: HashMap<(usize, FaultKind), u32>,
    pub broken: Option<CliError>,
}

impl<'a> Watcher<'a> {
    pub fn new(
        tally: Tally<'a>,
        steps: &[Step],
        max_cost: Option<f64>,
        journal: Journal,
        bars: Bars<'a>,
    ) -> Self {
        let count =
            |target, warmup| steps.iter().filter(|s| s.target == target && s.warmup == warmup).count() as u64;
        let targets = 0..tally.basis.targets.len();
        let warmups: Vec<_> = targets.clone().map(|t| (t, Some(count(t, true)))).collect();
        let mut watcher = Self {
            alone: targets.map(|t| count(t, false)).collect(),
            tally,
            max_cost,
            journal,
            bars,
            warm: false,
            under_way: BTreeMap::new(),
            capped: false,
            deciding: None,
            to_come: HashMap::new(),
            decided: false,
            waiting: None,
            pause: false,
            ended: BTreeSet::new(),
            told: HashMap::new(),
            broken: None,
        };
        watcher.follow(steps);
        // What an earlier part of the run left ungraded waits for the next whole prompt.
        watcher.pause = false;
        if steps.iter().any(|s| s.warmup) {
            watcher.bars.begin("Warming up", &warmups);
        }
        watcher
    }

    /// Where the run is to end early: what earlier parts of it say, and what is still to come.
    fn follow(&mut self, steps: &[Step]) {
        self.deciding = Deciding::of(self.tally.basis);
        let basis = self.tally.basis;
        let asks = (0..basis.prompts.len()).any(|n| !self.tally.grading.needs(n).is_empty());
        self.waiting = (self.deciding.is_some() && asks).then(Vec::new);
        for step in steps.iter().filter(|s| !s.warmup && s.load.is_none()) {
            *self.to_come.entry(step.prompt).or_default() += 1;
        }
        let mut done: Vec<String> = Vec::new();
        for sample in &self.tally.samples {
            if !done.contains(&sample.prompt_id) {
                done.push(sample.prompt_id.clone());
            }
        }
        let open: BTreeSet<&str> =
            self.to_come.keys().map(|n| self.tally.basis.prompts[*n].id.as_str()).collect();
        done.retain(|id| !open.contains(id.as_str()));
        for id in done {
            self.prompt_done(&id);
        }
    }

    /// Every target has answered a prompt, all repeats of it.
    fn prompt_done(&mut self, id: &str) {
        if let Some(waiting) = &mut self.waiting {
            waiting.push(id.to_owned());
            self.pause = waiting.len() >= BATCH;
        } else {
            self.count(id);
        }
    }

    /// Graders from outside have been asked about all that is answered: the prompts that waited for them count now.
    pub fn graded(&mut self) {
        self.pause = false;
        for id in self.waiting.as_mut().map(std::mem::take).unwrap_or_default() {
            self.count(&id);
        }
    }

    /// What is written down of the run, for whoever asks graders meanwhile.
    pub fn for_outside(&mut self) -> (&mut Tally<'a>, &mut Journal) {
        self.bars.end();
        (&mut self.tally, &mut self.journal)
    }

    /// Is a step still to be taken after a pause?
    pub fn is_left(&self, step: &Step) -> bool {
        !step.warmup && !self.ended.contains(step)
    }

    /// Go on after a pause with these steps.
    pub fn goes_on(&mut self, steps: &[Step]) {
        for (target, left) in self.alone.iter_mut().enumerate() {
            *left = steps.iter().filter(|s| s.target == target).count() as u64;
        }
        self.warm = false;
    }

    /// A prompt and its grades, as evidence.
    fn count(&mut self, id: &str) {
        if let Some(deciding) = &mut self.deciding {
            let of_prompt: Vec<&Sample> = self.tally.samples.iter().filter(|s| s.prompt_id == id).collect();
            self.decided |= deciding.prompt_done(&of_prompt);
        }
    }

    /// The journal, once nothing more is to come.
    pub fn close(mut self) -> Result<(Tally<'a>, Journal), CliError> {
        self.bars.end();
        match self.broken {
            Some(error) => {
                self.bars.note("The run stopped: what it measured could not be kept.");
                Err(error)
            }
            None => Ok((self.tally, self.journal)),
        }
    }

    /// Sent, and not known to have ended.
    pub fn under_way(&self) -> Vec<Step> {
        self.under_way.keys().copied().collect()
    }

    /// All of a phase under load was sent.
    pub fn phase_done(&mut self, phase: usize) {
        if let Err(e) = self.journal.phase(phase) {
            self.broken.get_or_insert(e);
        }
    }

    /// What was sent of a phase under load. Where that cannot be read, the run stops.
    pub fn sent_of(&mut self, phase: usize) -> Vec<Sent> {
        self.tally.load_samples.of_phase(phase).unwrap_or_else(|e| {
            self.broken.get_or_insert(e.into());
            Vec::new()
        })
    }

    /// Could the next request, with all that is under way, pass the cap?
    fn too_dear(&self, worst: f64) -> bool {
        let reserved: f64 = self.under_way.values().sum();
        self.max_cost.is_some_and(|cap| self.tally.at_most_spent() + reserved + worst > cap)
    }
}

impl Watch for Watcher<'_> {
    fn before(&mut self, step: &Step) -> ControlFlow<()> {
        if !step.warmup && step.load.is_none() && !self.warm {
            self.warm = true;
            let parts: Vec<_> = self.alone.iter().enumerate().map(|(t, n)| (t, Some(*n))).collect();
            self.bars.begin("Measuring", &parts);
        }
        let worst = self.tally.worst_case(step).unwrap_or(0.0);
        let facts = &self.tally.basis.targets[step.target];
        if (worst > 0.0 || (facts.origin.is_some() && !facts.stand_in)) && self.too_dear(worst) {
            self.capped = true;
            return ControlFlow::Break(());
        }
        if let Err(e) = self.journal.sent(step) {
            self.broken = Some(e);
            return ControlFlow::Break(());
        }
        self.under_way.insert(*step, worst);
        ControlFlow::Continue(())
    }

    fn after(&mut self, record: &Record) -> ControlFlow<()> {
        let step = &record.step;
        self.under_way.remove(step);
        if self.waiting.is_some() {
            self.ended.insert(*step);
        }
        let written = self.journal.sample(record);
        let cost = self.tally.note(record, self.journal.session());
        if let Some(fault) = &record.figures.error {
            let basis = self.tally.basis;
            let (target, prompt) = (&basis.targets[step.target].id, &basis.prompts[step.prompt].id);
            // Under load the same failure may come a thousand times: it is counted, not repeated.
            let seen = self.told.entry((step.target, fault.kind)).or_insert(0);
            *seen += u32::from(step.load.is_some());
            match *seen {
                0..=3 => self.bars.note(&format!("{target} · {prompt}: {}", fault.message)),
                4 => self.bars.note(&format!("{target}: more of these are counted, not shown")),
                _ => {}
            }
        }
        self.bars.ended(step.target, record.figures.error.is_some(), cost);
        if !step.warmup
            && step.load.is_none()
            && let Some(left) = self.to_come.get_mut(&step.prompt)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let id = self.tally.basis.prompts[step.prompt].id.clone();
                self.prompt_done(&id);
            }
        }
        match written {
            Ok(()) if self.decided || self.pause => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                self.broken = Some(e);
                ControlFlow::Break(())
            }
        }
    }

    fn retry(&mut self, step: &Step, fault: &Fault, wait: Duration) {
        let id = &self.tally.basis.targets[step.target].id;
        self.bars.note(&format!("{id}: {}; trying again in {:.1} s", fault.message, wait.as_secs_f64()));
    }
}
