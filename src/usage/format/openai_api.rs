//! OpenAI's organisation usage: saved pages of `/v1/organization/usage/completions`, `…/embeddings` and
//! `/v1/organization/costs`.
//!
//! Input counts include tokens read from and written to caches. Pages can overlap: a row is identified by
//! its bucket and group, and of two equal ones the fuller one counts.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Occurrences, Reader, is_embedding};
use crate::usage::record::{Class, Detail, Keep, Reason, Record, Repeat, Skip, Tier, When};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    START = "start_time",
    END = "end_time",
    MORE = "has_more",
    OBJECT = "results*/object",
    INPUT = "results*/input_tokens",
    OUTPUT = "results*/output_tokens",
    CACHED = "results*/input_cached_tokens",
    WRITE = "results*/input_cache_write_tokens",
    WRITE_30M = "results*/input_cache_write_30m_tokens",
    WRITE_12H = "results*/input_cache_write_12h_tokens",
    REQUESTS = "results*/num_model_requests",
    MODEL = "results*/model",
    BATCH = "results*/batch",
    TIER = "results*/service_tier",
    PROJECT = "results*/project_id",
    USER = "results*/user_id",
    KEY = "results*/api_key_id",
    AMOUNT = "results*/amount/value",
    CURRENCY = "results*/amount/currency",
    LINE_ITEM = "results*/line_item",
}

static EMBEDDINGS: Reason = Reason::new(
    Class::Embedding,
    "embeddings result: not a chat request; report apart ({requests}, {tokens} input tokens, {detail})",
);
static OTHER_RESULT: Reason =
    Reason::new(Class::NotACall, "result of another kind (images, audio, moderations, storage)");
static ZERO_RESULT: Reason = Reason::new(Class::NotACall, "zero result row");

pub static FORMAT: Format = Format {
    name: "openai-usage-api",
    about: "OpenAI's organisation usage and costs API, pages as JSON",
    fields: FIELDS,
    rows: &["data[]"],
    marks: &[
        &["data[]/start_time", "data[]/end_time", "data[]/results"],
        &["start_time", "end_time", "results", "object"],
    ],
    zero: &ZERO_RESULT,
    reader: || Box::<OpenAiApi>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct OpenAiApi {
    /// Counts rows of a page that are identical otherwise; starts anew with each page.
    occurrences: Occurrences,
    /// Which parts of the group the rows state: rows that are grouped differently may be the same traffic.
    grouping: Option<[bool; 6]>,
    /// The kind of page that is being read, and whether the last page of each kind says that more follow.
    kind: usize,
    more: [bool; 3],
}

const COMPLETIONS: usize = 0;
const EMBEDDINGS_PAGE: usize = 1;
const COSTS: usize = 2;

impl OpenAiApi {
    fn result(&mut self, when: When, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if row.has(AMOUNT) {
            self.kind = COSTS;
            let place = (when.start, when.span, row.hash(LINE_ITEM), row.hash(PROJECT));
            let id = self.occurrences.next(ids::key("openai-costs", place));
            if out.seen(id) {
                out.duplicate();
            } else if let Some(amount) = row.amount(AMOUNT)? {
                out.cost(amount, row.text(CURRENCY));
            }
            return Ok(());
        }
        let group = [PROJECT, USER, KEY, MODEL, BATCH, TIER];
        let id = ids::key(
            FORMAT.name,
            (when.start, when.span, row.hash(OBJECT), group.map(|slot| row.hash(slot))),
        );
        let id = self.occurrences.next(id);
        let kind = row.text(OBJECT).unwrap_or_default();
        let input = row.count(INPUT)?;
        let requests = row.count(REQUESTS)?;
        let model = out.model(row.text(MODEL))?;
        if kind.contains("embeddings") || is_embedding(row.text(MODEL).unwrap_or_default()) {
            self.kind = EMBEDDINGS_PAGE;
            if out.seen(id) {
                out.duplicate();
                return Ok(());
            }
            let skip = Skip::of(&EMBEDDINGS).detail(Detail::Model(model));
            return Err(skip.counting(requests.unwrap_or(0), input.unwrap_or(0)));
        }
        if input.is_none() && !row.has(OUTPUT) {
            return Err(Skip::of(&OTHER_RESULT));
        }
        self.kind = COMPLETIONS;
        let grouping = group.map(|slot| row.has(slot));
        // Batch and service tier may be missing from single rows.
        if self.grouping.is_some_and(|before| before[..4] != grouping[..4]) {
            out.note(Note::GroupedDifferently);
        }
        self.grouping = Some(grouping);
        let by_lifetime =
            row.count(WRITE_30M)?.unwrap_or(0).saturating_add(row.count(WRITE_12H)?.unwrap_or(0));
        let write = row.count(WRITE)?;
        let counts = Counts {
            input,
            cache_read: row.count(CACHED)?,
            cache_write: if by_lifetime > 0 { Some(by_lifetime.max(write.unwrap_or(0))) } else { write },
            output: row.count(OUTPUT)?,
            ..Counts::default()
        };
        let tokens = counts.normal(Side::Inside, Side::Inside)?.tokens;
        let mut record = Record::bucket(model, Some(when), requests, tokens);
        record.tier =
            if row.is_true(BATCH) { Tier::Batch } else { row.text(TIER).map_or(Tier::Standard, Tier::of) };
        out.user(row.hash(USER));
        out.record(record, Keep::Largest(Repeat { id, request: 0, copy: false }));
        Ok(())
    }
}

impl Reader for OpenAiApi {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if row.has(MORE) {
            // The page itself is complete after its buckets.
            self.occurrences.clear();
            self.more[self.kind] = row.is_true(MORE);
            return Ok(());
        }
        let (Some(start), Some(end)) = (row.time(START)?, row.time(END)?) else { return Ok(()) };
        let when = When::between(start.start, end.start);
        for result in row.children() {
            if let Err(skip) = self.result(when, result, out) {
                out.skip(skip);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Collector) {
        if self.more.contains(&true) {
            out.note(Note::CutOff);
        }
    }
}
