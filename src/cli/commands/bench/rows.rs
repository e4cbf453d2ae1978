//! The requests under load that have ended, for the report. The newest are in memory and older ones
//! in a temporary file without a name, so that a long run takes no more memory than a short one
//! until its report is made.

use crate::cli::error::CliError;
use crate::measure::load::Sent;
use crate::measure::schedule::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, Write as _};

/// Rows in memory; about 300 bytes each.
const RECENT: usize = 2048;

/// In the order they ended.
#[derive(Debug, Default)]
pub struct Rows {
    recent: Vec<Sent>,
    /// One JSON line each.
    older: Option<File>,
    /// No file could be made or written: everything stays in memory.
    no_file: bool,
    phases: BTreeSet<usize>,
    /// Asked once more: of their rows the last counts.
    again: BTreeSet<Step>,
}

impl Rows {
    pub fn push(&mut self, row: Sent) {
        self.phases.extend(row.step.load.map(|place| place.phase));
        self.recent.push(row);
        if self.recent.len() >= RECENT && !self.no_file {
            self.no_file = self.move_out().is_err();
        }
    }

    /// A failed request was asked again: the row that is there no longer counts.
    pub fn forget(&mut self, step: Step) {
        self.again.insert(step);
    }

    /// Those of one phase.
    pub fn of_phase(&mut self, phase: usize) -> Result<Vec<Sent>, CliError> {
        if !self.phases.contains(&phase) {
            return Ok(Vec::new());
        }
        self.read(|row| row.step.load.is_some_and(|place| place.phase == phase))
    }

    /// All of them.
    pub fn all(&mut self) -> Result<Vec<Sent>, CliError> {
        self.read(|_| true)
    }

    /// The rows in memory to the end of the file, whole or not at all.
    fn move_out(&mut self) -> io::Result<()> {
        let file = match &mut self.older {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let end = file.seek(io::SeekFrom::End(0))?;
        let mut lines = Vec::new();
        for row in &self.recent {
            serde_json::to_writer(&mut lines, row)?;
            lines.push(b'\n');
        }
        if let Err(e) = file.write_all(&lines) {
            file.set_len(end)?;
            return Err(e);
        }
        self.recent.clear();
        Ok(())
    }

    fn read(&mut self, wanted: impl Fn(&Sent) -> bool) -> Result<Vec<Sent>, CliError> {
        let mut rows = Vec::new();
        if let Some(file) = &mut self.older {
            let mut read = || -> io::Result<()> {
                file.rewind()?;
                for line in BufReader::new(&mut *file).lines() {
                    let row: Sent = serde_json::from_str(&line?)?;
                    if wanted(&row) {
                        rows.push(row);
                    }
                }
                Ok(())
            };
            read().map_err(|e| {
                CliError::failed(format!("the temporary file with the requests so far cannot be read: {e}"))
                    .hint("`freehold bench --replay` makes the report from the journal.")
            })?;
        }
        rows.extend(self.recent.iter().filter(|row| wanted(row)).cloned());
        if !self.again.is_empty() {
            let last: BTreeMap<Step, usize> = rows.iter().enumerate().map(|(n, row)| (row.step, n)).collect();
            let mut number = 0..;
            rows.retain(|row| {
                let n = number.next();
                !self.again.contains(&row.step) || n == last.get(&row.step).copied()
            });
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::event::{Fault, FaultKind};
    use crate::measure::schedule::Place;

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
        let mut rows = Rows::default();
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
        let mut rows = Rows::default();
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
