//! The `usage` object that a provider's API returns, wherever a log keeps it.

use crate::usage::normal::{Convention, Counts, Side};
use crate::usage::record::Reason;
use crate::usage::row::Row;

/// For each count the fields that may have it, the preferred one first.
#[derive(Debug, Clone, Copy)]
pub struct Slots<'s> {
    pub input: &'s [usize],
    pub output: &'s [usize],
    /// Cache reads that are included in the input, as OpenAI states them.
    pub cached: &'s [usize],
    pub cached_writes: &'s [usize],
    /// Cache reads and writes that are not included in the input, as Anthropic states them.
    pub read: &'s [usize],
    pub write: &'s [usize],
    pub write_5m: &'s [usize],
    pub write_1h: &'s [usize],
    pub reasoning: &'s [usize],
    pub total: &'s [usize],
}

/// The counts of a `usage` object, and what they include.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    pub counts: Counts,
    pub cached: Side,
}

impl Slots<'_> {
    /// Read the `usage` object of a row.
    pub fn read(&self, row: &Row) -> Result<Answer, &'static Reason> {
        let inside = row.first_count(self.cached)?;
        let (read, write) = (row.first_count(self.read)?, row.first_count(self.write)?);
        let anthropic = inside.is_none() && (read.is_some() || write.is_some());
        let counts = Counts {
            input: row.first_count(self.input)?,
            output: row.first_count(self.output)?,
            cache_read: inside.or(read),
            cache_write: row.first_count(self.cached_writes)?.or(write),
            cache_write_5m: row.first_count(self.write_5m)?,
            cache_write_1h: row.first_count(self.write_1h)?,
            reasoning: row.first_count(self.reasoning)?,
            total: row.first_count(self.total)?,
        };
        Ok(Answer { counts, cached: if anthropic { Side::Beside } else { Side::Unsure(Convention::Inside) } })
    }
}
