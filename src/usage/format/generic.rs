//! Reads any table or JSON log by a mapping of its columns.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::mapping::{Counted, Mapping, Named};
use crate::usage::normal::{Convention, Counts, Side};
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Keep, Reason, Record, Skip, Tier, reason};
use crate::usage::row::{Layout, Row};
use crate::usage::summary::Note;

pub static FORMAT: Format =
    Format { name: "generic", about: "any CSV or JSON log, with --map", ..Format::PLAIN };

/// The fields of a mapping, with the places where each may be: under a key that contains dots, or under
/// nested keys.
#[derive(Debug)]
pub struct Fields {
    paths: Vec<Path>,
    rows: Option<String>,
}

#[derive(Debug)]
struct Path {
    /// The name as the user wrote it.
    name: String,
    /// Index of its nested form, if its dots can separate keys.
    nested: Option<usize>,
}

impl Fields {
    /// The fields of a mapping.
    pub fn of(mapping: &Mapping) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for column in mapping.columns() {
            if !names.contains(&column) {
                names.push(column);
            }
        }
        let mut next = names.len()..;
        let paths = names.iter().map(|name| Path {
            name: (*name).to_owned(),
            nested: name.contains('.').then(|| next.next()).flatten(),
        });
        Self { paths: paths.collect(), rows: mapping.rows.clone() }
    }
    /// The places of the fields in a row: first the names as they are, then those with dots as paths.
    pub fn layout(&self) -> Layout {
        let plain = self.paths.iter().map(|path| vec![path.name.as_str()]);
        let dotted = self.paths.iter().filter(|path| path.nested.is_some());
        let nested = dotted.map(|path| path.name.split('.').collect());
        let rows: Vec<&str> = self.rows.as_deref().into_iter().chain(["data"]).collect();
        Layout::of_keys(plain.chain(nested), &rows)
    }
    /// The user's name for each field of a row.
    pub fn names(&self) -> Vec<String> {
        let dotted = self.paths.iter().filter(|path| path.nested.is_some());
        self.paths.iter().chain(dotted).map(|path| path.name.clone()).collect()
    }
}

/// Reads rows by a mapping.
#[derive(Debug)]
pub struct Generic {
    mapping: Mapping,
    fields: Fields,
}

impl Generic {
    pub fn new(mapping: Mapping) -> Self {
        Self { fields: Fields::of(&mapping), mapping }
    }

    fn slot(&self, row: &Row, column: &str) -> Option<usize> {
        let plain = self.fields.paths.iter().position(|path| path.name == column)?;
        Some(if row.has(plain) { plain } else { self.fields.paths[plain].nested.unwrap_or(plain) })
    }

    fn count(&self, row: &Row, field: Option<&Counted>) -> Result<Option<u64>, &'static Reason> {
        let Some(field) = field else { return Ok(None) };
        let Some(slot) = self.slot(row, &field.column) else { return Ok(None) };
        row.styled_count(slot, field.style)
    }

    fn text<'r>(&self, row: &'r Row, column: &str) -> Option<&'r str> {
        row.text(self.slot(row, column)?)
    }
}

impl Reader for Generic {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let mapping = &self.mapping;
        let mut when = match &mapping.time {
            Some((column, style)) => match self.slot(row, column) {
                Some(slot) => row.styled_time(slot, style)?,
                None => None,
            },
            None => None,
        };
        if let (Some(when), Some(span)) = (&mut when, mapping.span) {
            when.span = span;
        }
        let counts = Counts {
            input: self.count(row, mapping.input.as_ref())?,
            cache_read: self.count(row, mapping.cache_read.as_ref())?,
            cache_write: self.count(row, mapping.cache_write.as_ref())?,
            cache_write_5m: self.count(row, mapping.cache_write_5m.as_ref())?,
            cache_write_1h: self.count(row, mapping.cache_write_1h.as_ref())?,
            output: self.count(row, mapping.output.as_ref())?,
            reasoning: self.count(row, mapping.reasoning.as_ref())?,
            total: self.count(row, mapping.total.as_ref())?,
        };
        if counts.is_empty() {
            return Err(Skip::of(&reason::NO_COUNTS));
        }
        let cached = match mapping.includes_cached {
            Some(true) => Side::Inside,
            Some(false) => Side::Beside,
            None => Side::Unsure(Convention::Inside),
        };
        let reasoning = if mapping.reasoning_within { Side::Inside } else { Side::Beside };
        let normal = counts.normal(cached, reasoning)?;
        if normal.uncertain {
            out.note(Note::CacheSideUnknown);
        }
        let model = match &mapping.model {
            Some(Named::Column(column)) => out.model(self.text(row, column))?,
            Some(Named::Value(name)) => out.model(Some(name))?,
            None => out.model(None)?,
        };
        let mut record = match &mapping.requests {
            None if when.is_some_and(|w| w.span > 0) && mapping.span.is_some() => {
                Record::bucket(model, when, None, normal.tokens)
            }
            None => Record::request(model, when, normal.tokens),
            Some(field) => Record::bucket(model, when, self.count(row, Some(field))?, normal.tokens),
        };
        record.tier = match &mapping.tier {
            Some(Named::Column(column)) => self.text(row, column).map_or(Tier::Standard, Tier::of),
            Some(Named::Value(word)) => Tier::of(word),
            None => Tier::Standard,
        };
        let cost = match &mapping.cost {
            Some(field) => match self.slot(row, &field.column) {
                Some(slot) => row.styled_amount(slot, field.style)?,
                None => None,
            },
            None => None,
        };
        let id = mapping.id.as_deref().and_then(|column| {
            let slot = self.slot(row, column)?;
            match row.text(slot) {
                Some(id) => Some(ids::id(FORMAT.name, id)),
                None => {
                    Some(row.hash(slot)).filter(|hash| *hash != 0).map(|hash| ids::key(FORMAT.name, hash))
                }
            }
        });
        if let Some(column) = &mapping.user
            && let Some(slot) = self.slot(row, column)
        {
            out.user(row.hash(slot));
        }
        match (cost, mapping.currency) {
            (Some(amount), Some(currency)) if !currency.is_usd() => {
                // Repeats are dropped here, because the amount is not part of the record.
                if id.is_some_and(|id| out.seen(id)) {
                    out.duplicate();
                    return Ok(());
                }
                out.cost_in(amount, currency);
                out.record(record, Keep::All);
            }
            (cost, currency) => {
                record.usd = cost;
                if cost.is_some() && currency.is_none() {
                    out.assume_usd();
                }
                out.record(record, id.map_or(Keep::All, Keep::First));
            }
        }
        Ok(())
    }
}
