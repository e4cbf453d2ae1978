//! LiteLLM's daily tables, `LiteLLM_DailyUserSpend` and its siblings: one row for each day, model and
//! entity.

use super::litellm::EMBEDDING;
use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Convention, Counts, Side};
use crate::usage::reader::{Format, Occurrences, Reader, is_embedding};
use crate::usage::record::{Keep, Record, Repeat, Skip};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    DATE = "date",
    MODEL = "model",
    GROUP = "model_group",
    PROVIDER = "custom_llm_provider",
    PROMPT = "prompt_tokens",
    COMPLETION = "completion_tokens",
    READ = "cache_read_input_tokens",
    WRITE = "cache_creation_input_tokens",
    SPEND = "spend",
    REQUESTS = "api_requests",
    SUCCESSFUL = "successful_requests",
    KEY = "api_key",
    USER = "user_id",
    TEAM = "team_id",
    TAG = "tag",
    ORGANISATION = "organization_id",
    END_USER = "end_user_id",
}
pub static FORMAT: Format = Format {
    name: "litellm-daily-spend",
    about: "one of LiteLLM's daily tables (LiteLLM_DailyUserSpend and its kin)",
    fields: FIELDS,
    rows: &["data[]", "results[]"],
    marks: &[&["date", "api_requests", "prompt_tokens", "spend", "model"]],
    reader: || Box::<Daily>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct Daily {
    occurrences: Occurrences,
    /// The kind of entity that the table is for; the tables for other kinds repeat the same traffic.
    entity: Option<usize>,
}

impl Reader for Daily {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let entity = [TAG, TEAM, ORGANISATION, END_USER, USER].into_iter().find(|slot| row.has(*slot));
        if self.entity.is_some() && entity.is_some() && self.entity != entity {
            out.note(Note::GroupedDifferently);
        }
        self.entity = self.entity.or(entity);
        let when = row.time(DATE)?;
        let group = [MODEL, GROUP, PROVIDER, KEY, USER, TEAM, TAG, ORGANISATION, END_USER];
        let group = group.map(|slot| row.hash(slot));
        let id = self.occurrences.next(ids::key(FORMAT.name, (when.map(|w| w.start), group)));
        let input = row.count(PROMPT)?;
        let requests = row.first_count(&[SUCCESSFUL, REQUESTS])?;
        let spend = row.amount(SPEND)?;
        if is_embedding(row.text(MODEL).unwrap_or_default()) {
            if out.seen(id) {
                out.duplicate();
                return Ok(());
            }
            let skip = Skip::of(&EMBEDDING).counting(requests.unwrap_or(0), input.unwrap_or(0));
            return Err(skip.costing(spend));
        }
        let counts = Counts {
            input,
            cache_read: row.count(READ)?,
            cache_write: row.count(WRITE)?,
            output: row.count(COMPLETION)?,
            ..Counts::default()
        };
        let normal = counts.normal(Side::Unsure(Convention::Inside), Side::Inside)?;
        if normal.uncertain {
            out.note(Note::CacheSideUnknown);
        }
        let mut record = Record::bucket(out.model(row.text(MODEL))?, when, requests, normal.tokens);
        record.usd = spend;
        out.user(row.hash(USER));
        out.record(record, Keep::Largest(Repeat { id, request: 0, copy: false }));
        Ok(())
    }
}
