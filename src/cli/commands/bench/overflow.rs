//! A temporary file without a name for the samples of a long load.

use crate::app::Refusal;
use crate::app::bench::load_samples::{LoadSamples, Overflow};
use crate::measure::load::Sent;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, Write as _};

/// An empty store of samples; those that do not stay in memory go to a temporary file.
pub fn load_samples() -> LoadSamples {
    LoadSamples::new(Box::<TemporaryFile>::default())
}

/// A file with one JSON line for each sample. `None`: nothing was written yet.
#[derive(Debug, Default)]
struct TemporaryFile(Option<File>);

impl TemporaryFile {
    /// Appends samples, all of them or none.
    fn write(&mut self, samples: &[Sent]) -> io::Result<()> {
        let file = match &mut self.0 {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let end = file.seek(io::SeekFrom::End(0))?;
        let mut lines = Vec::new();
        for sample in samples {
            serde_json::to_writer(&mut lines, sample)?;
            lines.push(b'\n');
        }
        if let Err(e) = file.write_all(&lines) {
            file.set_len(end)?;
            return Err(e);
        }
        Ok(())
    }

    fn read(&mut self, see: &mut dyn FnMut(Sent)) -> io::Result<()> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        file.rewind()?;
        for line in BufReader::new(&mut *file).lines() {
            see(serde_json::from_str(&line?)?);
        }
        Ok(())
    }
}

impl Overflow for TemporaryFile {
    fn add(&mut self, samples: &[Sent]) -> bool {
        self.write(samples).is_ok()
    }

    fn each(&mut self, see: &mut dyn FnMut(Sent)) -> Result<(), Refusal> {
        self.read(see).map_err(|e| {
            Refusal::failed(format!("the temporary file with the requests so far cannot be read: {e}"))
                .hint("`freehold bench --replay` makes the report from the journal.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::schedule::{Place, Step};

    #[test]
    fn samples_are_read_as_they_were_written_between_writes() {
        let place = Place { phase: 0, index: 0 };
        let sample = |n: u32| Sent {
            step: Step { target: 0, prompt: 0, repeat: n, warmup: false, load: Some(place), turn: 0 },
            session: 0,
            scheduled_ms: None,
            // Thirds have no short decimal form.
            sent_ms: f64::from(n) / 3.0,
            took_ms: 1.0 / f64::from(n + 1),
            error: None,
            ttft_ms: Some(0.1 + f64::from(n)),
            tpot_ms: None,
            e2e_ms: None,
            input_tokens: Some(5),
            cached_input_tokens: None,
            output_tokens: Some(u64::from(n)),
            content_events: 3,
            client_lag_ms: None,
            connection_reused: Some(true),
            cost_usd: None,
            pass: None,
            meter_j: None,
            doubts: Vec::new(),
        };
        let given: Vec<Sent> = (0..100).map(sample).collect();
        let mut file = TemporaryFile::default();
        for part in given.chunks(30) {
            assert!(file.add(part));
            let mut read = Vec::new();
            file.each(&mut |sample| read.push(sample)).expect("read");
            assert_eq!(read, given[..read.len()]);
        }
        let mut count = 0;
        file.each(&mut |_| count += 1).expect("read");
        assert_eq!(count, 100);
    }
}
