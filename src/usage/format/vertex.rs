//! Vertex AI's request-response log, exported from `BigQuery` as JSON lines or CSV. The prompt count
//! includes cached tokens; reasoning and results of tools are counted separately; numbers are strings.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Reader, is_embedding};
use crate::usage::record::{Class, Keep, Reason, Record, Skip, reason};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    TIME = "logging_time",
    MODEL = "model",
    ID = "request_id",
    SAMPLING = "samplingRate",
    SAMPLING_SNAKE = "sampling_rate",
    VERSION = "full_response/modelVersion",
    PROMPT = "full_response/usageMetadata/promptTokenCount",
    CACHED = "full_response/usageMetadata/cachedContentTokenCount",
    CANDIDATES = "full_response/usageMetadata/candidatesTokenCount",
    THOUGHTS = "full_response/usageMetadata/thoughtsTokenCount",
    TOOLS = "full_response/usageMetadata/toolUsePromptTokenCount",
    TOTAL = "full_response/usageMetadata/totalTokenCount",
}

static EMBEDDING: Reason =
    Reason::new(Class::Embedding, "embedding model: report apart ({requests}, {tokens} tokens)");

pub static FORMAT: Format = Format {
    name: "vertex-request-log",
    about: "Vertex AI's request-response log (a BigQuery table, as JSON lines or CSV)",
    fields: FIELDS,
    marks: &[
        &["logging_time", "full_response", "model"],
        &["logging_time", "full_response/usageMetadata/promptTokenCount"],
        &["logging_time", "full_request", "request_id"],
    ],
    reader: || Box::new(Vertex),
    ..Format::PLAIN
};

struct Vertex;

/// Google's counts, also as the Gemini API has them.
#[derive(Debug, Clone, Copy)]
pub struct Google {
    pub prompt: usize,
    pub cached: usize,
    pub candidates: usize,
    pub thoughts: usize,
    pub tools: usize,
    pub total: usize,
}

impl Google {
    /// The counts of a row, and whether they contradict the stated total.
    pub fn read(&self, row: &Row) -> Result<(Counts, bool), Skip> {
        let prompt = row.count(self.prompt)?;
        let tools = row.count(self.tools)?.unwrap_or(0);
        let output = row.count(self.candidates)?;
        let thoughts = row.count(self.thoughts)?;
        let total = row.count(self.total)?;
        // An answer without candidates has only reasoning in its output.
        let output = output.or(prompt.map(|_| 0));
        let sum = [prompt.unwrap_or(0), tools, output.unwrap_or(0), thoughts.unwrap_or(0)]
            .iter()
            .fold(0u64, |sum, part| sum.saturating_add(*part));
        let counts = Counts {
            input: prompt.map(|p| p.saturating_add(tools)),
            cache_read: row.count(self.cached)?,
            output,
            reasoning: thoughts,
            ..Counts::default()
        };
        Ok((counts, total.is_some_and(|total| total != sum)))
    }
}

impl Reader for Vertex {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let id = row.text(ID).map(|id| ids::id(FORMAT.name, id)).or(match row.hash(ID) {
            0 => None,
            hash => Some(ids::key(FORMAT.name, hash)),
        });
        let once = |out: &mut Collector, skip: Skip| {
            if id.is_some_and(|id| out.seen(id)) {
                out.duplicate();
                return Ok(());
            }
            Err(skip)
        };
        let google = Google {
            prompt: PROMPT,
            cached: CACHED,
            candidates: CANDIDATES,
            thoughts: THOUGHTS,
            tools: TOOLS,
            total: TOTAL,
        };
        let (counts, contradicts) = google.read(row)?;
        if counts.is_empty() {
            return once(out, Skip::of(&reason::NO_COUNTS));
        }
        let name = row.text(MODEL).or(row.text(VERSION));
        if is_embedding(name.unwrap_or_default()) {
            return once(out, Skip::of(&EMBEDDING).counting(1, counts.input.unwrap_or(0)));
        }
        if contradicts {
            out.note(Note::TotalContradicts);
        }
        for slot in [SAMPLING, SAMPLING_SNAKE] {
            if let Some(share) = row.amount(slot)? {
                out.sampling(share);
            }
        }
        let tokens = counts.normal(Side::Inside, Side::Beside)?.tokens;
        let record = Record::request(out.model(name)?, row.time(TIME)?, tokens);
        out.record(record, id.map_or(Keep::All, Keep::First));
        Ok(())
    }
}
