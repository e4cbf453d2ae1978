//! Looks on while a run goes: writes the journal, shows progress, keeps the spending cap.

use super::journal::{Done, Journal};
use super::spending;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::measure::event::Fault;
use crate::measure::plan::Step;
use crate::measure::prompts::Prompt;
use crate::measure::run::{Go, Record, Watch};
use crate::report::bench::Sample;
use crate::report::bench::build::{self, TargetFacts};
use std::path::PathBuf;
use std::time::Duration;

/// What was seen.
pub struct Watched {
    /// Without warm-up.
    pub samples: Vec<Sample>,
    /// USD, by usage and prices.
    pub spent: Option<f64>,
    /// The cap ended the run.
    pub capped: bool,
    pub journal: PathBuf,
}

pub struct Watcher<'a> {
    facts: &'a [TargetFacts],
    prompts: &'a [Prompt],
    max_output_tokens: u32,
    max_cost: Option<f64>,
    journal: Journal,
    progress: Progress<'a>,
    measured: u64,
    warm: bool,
    samples: Vec<Sample>,
    spent: f64,
    unknown: bool,
    capped: bool,
    broken: Option<CliError>,
}

impl<'a> Watcher<'a> {
    pub fn new(
        facts: &'a [TargetFacts],
        prompts: &'a [Prompt],
        max_output_tokens: u32,
        steps: &[Step],
        max_cost: Option<f64>,
        journal: Journal,
        progress: Progress<'a>,
    ) -> Self {
        let measured = steps.iter().filter(|s| !s.warmup).count() as u64;
        let mut watcher = Self {
            facts,
            prompts,
            max_output_tokens,
            max_cost,
            journal,
            progress,
            measured,
            warm: false,
            samples: Vec::new(),
            spent: 0.0,
            unknown: false,
            capped: false,
            broken: None,
        };
        let warmups = steps.len() as u64 - measured;
        if warmups > 0 {
            watcher.progress.phase("Warming up", warmups);
        }
        watcher
    }

    /// What an earlier part of this run already measured and spent.
    pub fn resumed(&mut self, earlier: Vec<Done>) {
        for done in earlier {
            self.spent += done.sample.cost_usd.unwrap_or(0.0);
            if !done.warmup {
                self.samples.push(done.sample);
            }
        }
    }

    pub fn end(mut self, complete: bool) -> Result<Watched, CliError> {
        self.progress.done();
        if let Some(error) = self.broken {
            self.progress.note("The journal could not be written; the run stopped.");
            return Err(error);
        }
        Ok(Watched {
            journal: self.journal.end(complete)?,
            samples: self.samples,
            spent: (!self.unknown).then_some(self.spent),
            capped: self.capped,
        })
    }

    /// Could the next request pass the cap?
    fn too_dear(&self, step: &Step) -> bool {
        let Some(cap) = self.max_cost else { return false };
        let Some(price) = &self.facts[step.target].price else { return false };
        let (input, output) = spending::bounds(&self.prompts[step.prompt], self.max_output_tokens);
        price.worst_case(input, output).is_some_and(|usd| self.spent + usd > cap)
    }
}

impl Watch for Watcher<'_> {
    fn before(&mut self, step: &Step) -> Go {
        if !step.warmup && !self.warm {
            self.warm = true;
            self.progress.phase("Measuring", self.measured);
        }
        if self.too_dear(step) {
            self.capped = true;
            return Go::Stop;
        }
        self.progress.doing(&format!("{} · {}", self.facts[step.target].id, self.prompts[step.prompt].id));
        Go::On
    }

    fn after(&mut self, record: &Record) -> Go {
        let facts = &self.facts[record.step.target];
        match build::cost(record, facts) {
            Some(usd) => self.spent += usd,
            // A failed request may be billed, and its usage is not known: count its worst case.
            None if facts.price.is_some() => {
                let (input, output) =
                    spending::bounds(&self.prompts[record.step.prompt], self.max_output_tokens);
                self.spent += facts.price.as_ref().and_then(|p| p.worst_case(input, output)).unwrap_or(0.0);
            }
            None => self.unknown |= facts.origin.is_some() && !facts.stand_in,
        }
        if let Some(fault) = &record.figures.error {
            let prompt = &self.prompts[record.step.prompt].id;
            self.progress.note(&format!("{} · {prompt}: {}", facts.id, fault.message));
        }
        let sample = build::sample(record, facts, self.prompts);
        let written = self.journal.sample(Done {
            warmup: record.step.warmup,
            sample: sample.clone(),
            icl_ms: record.figures.icl_ms.clone(),
        });
        self.progress.step();
        if !record.step.warmup {
            self.samples.push(sample);
        }
        match written {
            Ok(()) => Go::On,
            Err(e) => {
                self.broken = Some(e);
                Go::Stop
            }
        }
    }

    fn retry(&mut self, step: &Step, fault: &Fault, wait: Duration) {
        let id = &self.facts[step.target].id;
        self.progress.note(&format!("{id}: {}; trying again in {:.1} s", fault.message, wait.as_secs_f64()));
    }
}
