//! Codex CLI: `sessions/YYYY/MM/DD/rollout-*.jsonl` and `archived_sessions/`. Each `token_count` event
//! states the totals of the session so far and the last call.
//!
//! Events are repeated without a change, totals fall when a conversation is compacted, and a fork begins by
//! repeating the events of its parent with new times. A call is therefore identified by the sequence of
//! totals.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Class, Keep, ModelId, Reason, Record, Skip, When};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;
use std::collections::HashMap;

usage_fields! {
    TIMESTAMP = "timestamp",
    TYPE = "type",
    SESSION = "payload/id",
    FORKED_FROM = "payload/forked_from_id",
    PARENT = "payload/source/subagent/thread_spawn/parent_thread_id",
    KIND = "payload/type",
    MODEL = "payload/model",
    INFO = "payload/info",
    INPUT = "payload/info/total_token_usage/input_tokens",
    CACHED = "payload/info/total_token_usage/cached_input_tokens",
    WRITE = "payload/info/total_token_usage/cache_write_input_tokens",
    OUTPUT = "payload/info/total_token_usage/output_tokens",
    REASONING = "payload/info/total_token_usage/reasoning_output_tokens",
    LAST_INPUT = "payload/info/last_token_usage/input_tokens",
    LAST_CACHED = "payload/info/last_token_usage/cached_input_tokens",
    LAST_WRITE = "payload/info/last_token_usage/cache_write_input_tokens",
    LAST_OUTPUT = "payload/info/last_token_usage/output_tokens",
    LAST_REASONING = "payload/info/last_token_usage/reasoning_output_tokens",
}

static NO_INFO: Reason = Reason::new(Class::NotACall, "token_count with info null (rate limits only)");

pub static FORMAT: Format = Format {
    name: "codex-cli",
    about: "Codex CLI sessions (the folders sessions/ and archived_sessions/ under ~/.codex)",
    fields: FIELDS,
    marks: &[
        &["timestamp", "type", "payload/type", "payload/info/total_token_usage/input_tokens"],
        &["timestamp", "type", "payload/id", "payload/cli_version"],
        &["timestamp", "type", "payload/model", "payload/approval_policy"],
        &["timestamp", "type", "payload/originator", "payload/id"],
        &["timestamp", "type", "payload/type", "payload/rate_limits"],
    ],
    reader: || Box::<Codex>::default(),
    ..Format::PLAIN
};

/// Input, cached input, cache writes, output, reasoning.
type Sums = [u64; 5];

/// A call that is counted once its session's parent is known.
#[derive(Debug, Clone, Copy)]
struct Call {
    total: u64,
    sums: Sums,
    when: Option<When>,
    model: ModelId,
}

/// A session: hashes of its totals, one for each change.
#[derive(Debug, Default)]
struct Session {
    totals: Vec<u64>,
    read: bool,
}

#[derive(Debug, Default)]
struct Codex {
    sessions: HashMap<u64, Session>,
    /// The session of this file, and the session that it was forked from.
    session: Option<u64>,
    parent: Option<u64>,
    model: Option<ModelId>,
    before: Option<Sums>,
    /// Number of totals of this file that agree with those of the session or its parent so far; `None`
    /// after the first difference.
    along: Option<usize>,
    /// Calls of forks whose parent has not been read yet.
    waiting: Vec<(u64, u64, Vec<Call>)>,
    calls: Vec<Call>,
}

fn sums(row: &Row, slots: [usize; 5]) -> Result<Option<Sums>, Skip> {
    let mut sums = [0; 5];
    let mut any = false;
    for (sum, slot) in sums.iter_mut().zip(slots) {
        if let Some(n) = row.count(slot)? {
            *sum = n;
            any = true;
        }
    }
    Ok(any.then_some(sums))
}

fn record(sums: Sums, when: Option<When>, model: ModelId) -> Result<Record, Skip> {
    let [input, cached, write, output, reasoning] = sums.map(Some);
    let counts =
        Counts { input, cache_read: cached, cache_write: write, output, reasoning, ..Counts::default() };
    Ok(Record::request(model, when, counts.normal(Side::Inside, Side::Inside)?.tokens))
}

impl Codex {
    /// The totals that this file may repeat: those of another copy of the session, or else those of its
    /// parent.
    fn known(&self) -> Option<&[u64]> {
        let of = |id: Option<u64>| self.sessions.get(&id?).filter(|s| s.read).map(|s| s.totals.as_slice());
        of(self.session).or_else(|| of(self.parent))
    }

    /// Count a call, unless it repeats an earlier one.
    fn call(&mut self, call: Call, out: &mut Collector) -> Result<(), Skip> {
        if let Some(at) = self.along {
            match self.known() {
                Some(known) if known.get(at) == Some(&call.total) => {
                    self.along = Some(at + 1);
                    self.calls.push(Call { sums: [0; 5], ..call });
                    out.duplicate();
                    return Ok(());
                }
                Some(_) => self.along = None,
                None => {}
            }
        }
        let waits = self.parent.is_some() && self.known().is_none();
        self.calls.push(Call { sums: if waits { call.sums } else { [0; 5] }, ..call });
        if !waits {
            out.record(record(call.sums, call.when, call.model)?, Keep::All);
        }
        Ok(())
    }

    fn event(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let total = sums(row, [INPUT, CACHED, WRITE, OUTPUT, REASONING])?;
        let last = sums(row, [LAST_INPUT, LAST_CACHED, LAST_WRITE, LAST_OUTPUT, LAST_REASONING])?;
        let Some(total) = total.or(last) else { return Err(Skip::of(&NO_INFO)) };
        let this = match self.before {
            Some(before) if before == total => {
                out.duplicate();
                return Ok(());
            }
            Some(before) if total.iter().zip(&before).all(|(now, then)| now >= then) => {
                let mut grown = total;
                grown.iter_mut().zip(before).for_each(|(now, then)| *now -= then);
                grown
            }
            // The total fell because the conversation was compacted: the last call counts, or else the new
            // total. The first total of a file can include calls that are in other files.
            _ => last.unwrap_or(total),
        };
        self.before = Some(total);
        let model = match self.model {
            Some(model) => model,
            None => out.model(None)?,
        };
        let call = Call { total: ids::key("codex", total), sums: this, when: row.time(TIMESTAMP)?, model };
        self.call(call, out)
    }

    /// Count the calls that waited, without those that the parent has, too.
    fn resolve(&mut self, out: &mut Collector) {
        for (session, parent, calls) in std::mem::take(&mut self.waiting) {
            let (known, missing) = match self.sessions.get(&parent).filter(|s| s.read) {
                Some(parent) => (parent.totals.clone(), false),
                None => (Vec::new(), true),
            };
            let same = calls.iter().zip(&known).take_while(|(call, known)| call.total == **known).count();
            for _ in 0..same {
                out.duplicate();
            }
            for call in &calls[same..] {
                match record(call.sums, call.when, call.model) {
                    Ok(record) => out.record(record, Keep::All),
                    Err(skip) => out.skip(skip),
                }
            }
            let totals: Vec<u64> = calls.iter().map(|c| c.total).collect();
            if missing {
                // Other forks of this parent repeat the same calls.
                out.note(Note::ParentMissing);
                self.sessions.insert(parent, Session { totals: totals.clone(), read: true });
            }
            self.sessions.entry(session).or_insert(Session { totals, read: true });
        }
    }
}

impl Reader for Codex {
    fn open(&mut self, _: &mut Collector) {
        let sessions = std::mem::take(&mut self.sessions);
        let waiting = std::mem::take(&mut self.waiting);
        *self = Self { sessions, waiting, along: Some(0), ..Self::default() };
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        match row.text(TYPE) {
            // A fork repeats its parent's header after its own.
            Some("session_meta") if self.session.is_none() => {
                let id = |slot| Some(row.hash(slot)).filter(|hash| *hash != 0);
                self.session = id(SESSION);
                self.parent = id(FORKED_FROM).or(id(PARENT)).filter(|p| Some(*p) != self.session);
                Ok(())
            }
            Some("turn_context") => {
                if row.has(MODEL) {
                    self.model = Some(out.model(row.text(MODEL))?);
                }
                Ok(())
            }
            Some("event_msg") if row.is(KIND, "token_count") => {
                if !row.has(INFO) {
                    return Err(Skip::of(&NO_INFO));
                }
                self.event(row, out)
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self, _: &mut Collector) {
        let calls = std::mem::take(&mut self.calls);
        let Some(session) = self.session else { return };
        match self.parent {
            Some(parent) if self.known().is_none() && !calls.is_empty() => {
                self.waiting.push((session, parent, calls));
            }
            _ => {
                let known = self.sessions.entry(session).or_default();
                known.read = true;
                if calls.len() > known.totals.len() {
                    known.totals = calls.iter().map(|c| c.total).collect();
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Collector) {
        // Parents are counted before their forks, and forks before forks of them.
        let mut waiting = std::mem::take(&mut self.waiting);
        while !waiting.is_empty() {
            let names: Vec<u64> = waiting.iter().map(|(session, _, _)| *session).collect();
            let (later, now): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|(session, parent, _)| names.contains(parent) && parent != session);
            let stuck = now.is_empty();
            self.waiting = if stuck { later.clone() } else { now };
            self.resolve(out);
            waiting = if stuck { Vec::new() } else { later };
        }
    }
}
