//! The requests under load that have ended, for the report. The newest are in memory and the older ones
//! where the caller puts them, so that a long run takes no more memory than a short one until its report is
//! made.

use crate::app::Refusal;
use crate::measure::load::Sent;
use crate::measure::schedule::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Samples that are kept in memory; about 300 bytes each.
const RECENT: usize = 2048;

/// Stores the samples that do not stay in memory.
pub trait Overflow: Debug + Send + Sync {
    /// Appends samples, all of them or none; `false`: it cannot store them.
    fn add(&mut self, samples: &[Sent]) -> bool;
    /// Calls `see` with all samples, in the order in which they were added.
    fn each(&mut self, see: &mut dyn FnMut(Sent)) -> Result<(), Refusal>;
}

/// The samples in the order in which they ended.
#[derive(Debug)]
pub struct LoadSamples {
    recent: Vec<Sent>,
    older: Box<dyn Overflow>,
    /// The overflow cannot store more: everything stays in memory.
    in_memory: bool,
    phases: BTreeSet<usize>,
    /// Steps that were sent once more: the last of their samples counts.
    again: BTreeSet<Step>,
}

impl LoadSamples {
    pub fn new(older: Box<dyn Overflow>) -> Self {
        Self { recent: Vec::new(), older, in_memory: false, phases: BTreeSet::new(), again: BTreeSet::new() }
    }

    /// Adds a sample.
    pub fn push(&mut self, sample: Sent) {
        self.phases.extend(sample.step.load.map(|place| place.phase));
        self.recent.push(sample);
        if self.recent.len() >= RECENT && !self.in_memory {
            self.in_memory = !self.older.add(&self.recent);
            if !self.in_memory {
                self.recent.clear();
            }
        }
    }

    /// A failed request is sent again: its sample no longer counts.
    pub fn forget(&mut self, step: Step) {
        self.again.insert(step);
    }

    /// The samples of one phase.
    pub fn of_phase(&mut self, phase: usize) -> Result<Vec<Sent>, Refusal> {
        if !self.phases.contains(&phase) {
            return Ok(Vec::new());
        }
        self.read(|sample| sample.step.load.is_some_and(|place| place.phase == phase))
    }

    /// All samples.
    pub fn all(&mut self) -> Result<Vec<Sent>, Refusal> {
        self.read(|_| true)
    }

    fn read(&mut self, wanted: impl Fn(&Sent) -> bool) -> Result<Vec<Sent>, Refusal> {
        let mut found = Vec::new();
        self.older.each(&mut |sample| {
            if wanted(&sample) {
                found.push(sample);
            }
        })?;
        found.extend(self.recent.iter().filter(|sample| wanted(sample)).cloned());
        if !self.again.is_empty() {
            let last: BTreeMap<Step, usize> = found.iter().enumerate().map(|(n, s)| (s.step, n)).collect();
            let mut number = 0..;
            found.retain(|sample| {
                let n = number.next();
                !self.again.contains(&sample.step) || n == last.get(&sample.step).copied()
            });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::event::{Fault, FaultKind};
    use crate::measure::schedule::Place;

    /// Stands in for a file.
    #[derive(Debug, Default)]
    struct InMemory(Vec<Sent>);

    impl Overflow for InMemory {
        fn add(&mut self, samples: &[Sent]) -> bool {
            self.0.extend_from_slice(samples);
            true
        }
        fn each(&mut self, see: &mut dyn FnMut(Sent)) -> Result<(), Refusal> {
            self.0.iter().cloned().for_each(see);
            Ok(())
        }
    }

    fn row(phase: usize, index: u32) -> Sent {
        let place = Place { phase, index };
        let step = Step { target: 0, prompt: 0, repeat: 0, warmup: false, load: Some(place), turn: 0 };
        Sent {
            step,
            session: 0,
            scheduled_ms: None,
            // Thirds have no short decimal form.
            sent_ms: f64::from(index) / 3.0,
            took_ms: 1.0 / f64::from(index + 1),
            error: None,
            ttft_ms: Some(0.1 + f64::from(index)),
            tpot_ms: None,
            e2e_ms: None,
            input_tokens: Some(5),
            cached_input_tokens: None,
            output_tokens: Some(u64::from(index)),
            content_events: 3,
            client_lag_ms: None,
            connection_reused: Some(true),
            cost_usd: None,
            pass: None,
            meter_j: None,
            doubts: Vec::new(),
        }
    }

    #[test]
    fn rows_come_back_as_they_went_and_few_stay_in_memory() {
        let given: Vec<Sent> = (0..10_000).map(|n| row(usize::from(n >= 6000), n)).collect();
        let mut rows = LoadSamples::new(Box::<InMemory>::default());
        for one in &given {
            rows.push(one.clone());
            assert!(rows.recent.len() < RECENT);
        }
        assert_eq!(rows.of_phase(1).expect("read"), given[6000..]);
        assert_eq!(rows.of_phase(2).expect("read"), []);
        // Reading does not end writing.
        rows.push(row(2, 1));
        assert_eq!(rows.all().expect("read")[..10_000], given);
        assert_eq!(rows.all().expect("read").len(), 10_001);
    }

    #[test]
    fn of_a_request_asked_again_the_last_row_counts() {
        let mut rows = LoadSamples::new(Box::<InMemory>::default());
        let failure = Fault { kind: FaultKind::Rate, message: "429".into() };
        rows.push(Sent { error: Some(failure), ..row(0, 5) });
        (0..3000).filter(|n| *n != 5).for_each(|n| rows.push(row(0, n)));
        rows.forget(row(0, 5).step);
        rows.push(row(0, 5));
        let all = rows.all().expect("read");
        assert_eq!(all.len(), 3000);
        assert_eq!(all.last(), Some(&row(0, 5)));
    }
}
