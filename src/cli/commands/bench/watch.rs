//! Follows a run: writes the journal and shows progress; [`Stopping`] decides whether it goes on.

use super::bars::Bars;
use super::journal::Journal;
use crate::app::bench::stopping::Stopping;
use crate::app::bench::tally::Tally;
use crate::cli::error::CliError;
use crate::measure::event::{Fault, FaultKind};
use crate::measure::load::Sent;
use crate::measure::run::{Record, RunObserver};
use crate::measure::schedule::Step;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

/// Writes the journal and shows progress while a run goes on.
pub struct Watcher<'a> {
    pub tally: Tally<'a>,
    pub stopping: Stopping<'a>,
    journal: Journal,
    pub bars: Bars<'a>,
    /// Requests of each target that are sent one at a time, for the bars.
    one_at_a_time: Vec<u64>,
    warm: bool,
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
            one_at_a_time: targets.map(|t| count(t, false)).collect(),
            stopping: Stopping::new(&tally, steps, max_cost),
            tally,
            journal,
            bars,
            warm: false,
            told: HashMap::new(),
            broken: None,
        };
        if steps.iter().any(|s| s.warmup) {
            watcher.bars.begin("Warming up", &warmups);
        }
        watcher
    }

    /// Tally and journal, for asking graders in the middle of the run.
    pub fn for_outside(&mut self) -> (&mut Tally<'a>, &mut Journal) {
        self.bars.end();
        (&mut self.tally, &mut self.journal)
    }

    /// Graders outside of this program have been asked about all answers so far.
    pub fn graded(&mut self) {
        self.stopping.graded(&self.tally.samples);
    }

    /// Continues after a pause with these steps.
    pub fn goes_on(&mut self, steps: &[Step]) {
        for (target, left) in self.one_at_a_time.iter_mut().enumerate() {
            *left = steps.iter().filter(|s| s.target == target).count() as u64;
        }
        self.warm = false;
    }

    /// Ends the bars and returns tally and journal; the error that stopped the run, if there was one.
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

    /// All of a phase under load was sent.
    pub fn phase_done(&mut self, phase: usize) {
        if let Err(e) = self.journal.phase(phase) {
            self.broken.get_or_insert(e);
        }
    }

    /// The requests that were sent in a phase under load. Where they cannot be read, the run stops.
    pub fn sent_of(&mut self, phase: usize) -> Vec<Sent> {
        self.tally.load_samples.of_phase(phase).unwrap_or_else(|e| {
            self.broken.get_or_insert(e.into());
            Vec::new()
        })
    }
}

impl RunObserver for Watcher<'_> {
    fn before(&mut self, step: &Step) -> ControlFlow<()> {
        if !step.warmup && step.load.is_none() && !self.warm {
            self.warm = true;
            let parts: Vec<_> = self.one_at_a_time.iter().enumerate().map(|(t, n)| (t, Some(*n))).collect();
            self.bars.begin("Measuring", &parts);
        }
        let worst = self.tally.worst_case(step).unwrap_or(0.0);
        if !self.stopping.may_send(step, worst, &self.tally) {
            return ControlFlow::Break(());
        }
        if let Err(e) = self.journal.sent(step) {
            self.broken = Some(e);
            return ControlFlow::Break(());
        }
        self.stopping.sent(*step, worst);
        ControlFlow::Continue(())
    }

    fn after(&mut self, record: &Record) -> ControlFlow<()> {
        let step = &record.step;
        self.stopping.ended(step);
        let written = self.journal.sample(record);
        let cost = self.tally.note(record, self.journal.session());
        if let Some(fault) = &record.figures.error {
            let basis = self.tally.basis;
            let (target, prompt) = (&basis.targets[step.target].id, &basis.prompts[step.prompt].id);
            // Under load the same failure may come thousands of times: it is counted, not repeated.
            let seen = self.told.entry((step.target, fault.kind)).or_insert(0);
            *seen += u32::from(step.load.is_some());
            match *seen {
                0..=3 => self.bars.note(&format!("{target} · {prompt}: {}", fault.message)),
                4 => self.bars.note(&format!("{target}: more of these are counted, not shown")),
                _ => {}
            }
        }
        self.bars.ended(step.target, record.figures.error.is_some(), cost);
        self.stopping.answered(step, &self.tally.samples);
        match written {
            Ok(()) if self.stopping.stops() => ControlFlow::Break(()),
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
