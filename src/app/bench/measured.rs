//! Makes the report of a run that is over.

use super::journal::End;
use super::tally::Tally;
use crate::app::Refusal;
use crate::document::bench::build::{self, Basis, HumanGrade, JudgedPair, Run};
use crate::document::bench::judge::Judge;
use crate::document::bench::{BenchDocument, Sample};
use crate::measure::load::Sent;
use crate::measure::schedule::Step;

/// What a run has measured, just now or long ago.
#[derive(Debug)]
pub struct MeasuredRun {
    pub basis: Basis,
    pub samples: Vec<Sample>,
    calls_fit: Vec<[u32; 2]>,
    /// What judges prefer.
    judged: Vec<JudgedPair>,
    judges: Vec<Judge>,
    sent: Vec<Sent>,
    cut: Vec<u32>,
    spent_usd: Option<f64>,
    unsettled_usd: Option<f64>,
    asked_again: u32,
    pub end: End,
}

impl MeasuredRun {
    /// `cut`: requests that were sent and never seen to end; `people`: a person's grades of some answers.
    pub fn new(
        mut tally: Tally<'_>,
        basis: &Basis,
        end: End,
        cut: &[Step],
        (run_id, people): (&str, &[HumanGrade]),
    ) -> Result<Self, Refusal> {
        let asking = tally.asking(run_id);
        let (judged, judges) = (asking.preferences(&tally.told), asking.judges(&tally.told, people));
        let cut_of = |target| cut.iter().filter(|s| s.target == target).count();
        Ok(Self {
            cut: (0..end.targets.len()).map(|t| u32::try_from(cut_of(t)).unwrap_or(u32::MAX)).collect(),
            spent_usd: tally.spent_usd(),
            unsettled_usd: tally.unsettled_usd(),
            asked_again: tally.asked_again,
            samples: tally.samples,
            calls_fit: tally.calls_fit,
            judged,
            judges,
            sent: tally.load_samples.all()?,
            basis: Basis { targets: end.targets.clone(), ..basis.clone() },
            end,
        })
    }

    /// The report.
    pub fn document(&self) -> BenchDocument {
        build::document(Run {
            basis: &self.basis,
            samples: self.samples.clone(),
            sent: &self.sent,
            cut: &self.cut,
            calls_fit: &self.calls_fit,
            judged: &self.judged,
            judges: &self.judges,
            ended: &self.end.ended,
            spent_usd: self.spent_usd,
            unsettled_usd: self.unsettled_usd,
            asked_again: self.asked_again,
        })
    }
}
