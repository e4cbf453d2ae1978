//! The log of llama-server: three lines with times for each request. The line for the prompt counts only
//! the tokens that were processed; the rest of the whole length came from the cache.

use crate::usage::collect::Collector;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Keep, Record, Skip};
use crate::usage::row::Row;
use crate::usage::summary::Note;
use std::collections::HashMap;

pub static FORMAT: Format = Format {
    name: "llama-server-log",
    about: "llama-server's log (lines `prompt eval time = …`)",
    lines: true,
    words: &["prompt eval time ="],
    reader: || Box::<LlamaLog>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct LlamaLog {
    /// By slot: lines of requests in several slots are interleaved.
    open: HashMap<u64, Slot>,
    noted: bool,
    /// The slot that was named last; the lines with times that follow may not name one.
    slot: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    prompt: Option<u64>,
    output: Option<u64>,
    all: Option<u64>,
}

/// The number after `before`, as in `/  512 tokens`.
fn number_after(line: &str, before: &str) -> Option<u64> {
    let rest = line.split_once(before)?.1.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

impl LlamaLog {
    fn close_slot(&mut self, slot: u64, out: &mut Collector) -> Result<(), Skip> {
        let Some(Slot { prompt: Some(prompt), output: Some(output), all }) = self.open.remove(&slot) else {
            return Ok(());
        };
        let cached = all.map(|all| all.saturating_sub(prompt).saturating_sub(output));
        let counts =
            Counts { input: Some(prompt), cache_read: cached, output: Some(output), ..Counts::default() };
        let tokens = counts.normal(Side::Beside, Side::Inside)?.tokens;
        if !self.noted {
            self.noted = true;
            out.note(Note::NoHours);
        }
        let model = out.model(None)?;
        out.record(Record::request(model, None, tokens), Keep::All);
        Ok(())
    }
}

impl Reader for LlamaLog {
    fn row(&mut self, _: &Row, _: &mut Collector) -> Result<(), Skip> {
        Ok(())
    }

    fn line(&mut self, line: &str, out: &mut Collector) -> Result<(), Skip> {
        if let Some(slot) = line.contains("slot ").then(|| number_after(line, "id ")).flatten() {
            self.slot = slot;
        }
        let slot = self.slot;
        if line.contains("prompt eval time =") {
            // The end of the earlier request in this slot was not logged.
            self.close_slot(slot, out)?;
            self.open.entry(slot).or_default().prompt = number_after(line, " / ");
        } else if line.contains("eval time =") {
            self.open.entry(slot).or_default().output = number_after(line, " / ");
        } else if line.contains("stop processing:") {
            let all = number_after(line, "n_tokens = ").or_else(|| number_after(line, "n_past = "));
            if let Some(open) = self.open.get_mut(&slot) {
                open.all = all;
            }
            self.close_slot(slot, out)?;
        }
        Ok(())
    }

    fn close(&mut self, out: &mut Collector) {
        let mut open: Vec<u64> = self.open.keys().copied().collect();
        open.sort_unstable();
        for slot in open {
            if let Err(skip) = self.close_slot(slot, out) {
                out.skip(skip);
            }
        }
    }
}
