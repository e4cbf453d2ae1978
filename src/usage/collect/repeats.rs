//! Finds repeats by their ids. Of several records with one id the fullest, the first or the last counts.
//! Records that a later one may replace are held back until the end, in as few bytes as possible.

use crate::usage::ids::{IdSet, IdTable, key};
use crate::usage::record::{Clock, ModelId, Record, Repeat, Stated, Tier, Tokens, When};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// Ids that were seen, and records that are held back.
#[derive(Default)]
pub(super) struct Repeats {
    /// Ids of records that were counted at once.
    once: IdSet,
    held: IdTable<Packed>,
    spilled: HashMap<u64, Spilled, FixedState>,
}

impl Repeats {
    /// Was a record with this id counted before? From now on it counts as seen.
    pub(super) fn seen(&mut self, id: u64) -> bool {
        !self.once.insert(id)
    }

    /// Was a record with this id seen, counted or held back? If not, it is now marked as counted.
    pub(super) fn seen_or_held(&mut self, id: u64) -> bool {
        self.held.get(id).is_some() || self.spilled.contains_key(&id) || self.seen(id)
    }

    /// Hold back a record. Of an earlier one with the same id the fuller is kept, or with `always` the new
    /// one. Returns whether it repeats another.
    pub(super) fn hold(&mut self, record: Record, source: usize, repeat: Repeat, always: bool) -> bool {
        let mut id = repeat.id;
        let same = |known: Kept| {
            known.request == repeat.request
                || known.request == 0
                || repeat.request == 0
                || known.copy
                || repeat.copy
        };
        let mut known = self.known(id);
        if known.is_some_and(|known| !same(known)) {
            // Another answer under the same id; both of its ids together identify it.
            id = key("second", (repeat.id, repeat.request));
            known = self.known(id);
        }
        if self.once.contains(id) {
            return true;
        }
        let mut repeat = repeat;
        let mut source = source;
        if let Some(known) = known {
            if !always && rank(&record, repeat.copy) <= known.rank {
                return true;
            }
            // A record without a second id takes over that of the earlier one.
            repeat.request = if repeat.request == 0 { known.request } else { repeat.request };
            source = known.source;
        }
        if let Some(held) = Held::of(&record, source, repeat) {
            self.held.insert(id, held.into());
            self.spilled.remove(&id);
        } else {
            if self.held.get(id).is_some() {
                // Its entry stays in the table, marked as empty.
                self.held.insert(id, Held { source: u8::MAX, ..Held::default() }.into());
            }
            let (request, copy) = (repeat.request, repeat.copy);
            self.spilled.insert(id, Spilled { record, source, request, copy });
        }
        known.is_some()
    }

    /// The record that is held back under this id.
    fn known(&self, id: u64) -> Option<Kept> {
        if let Some(held) = self.held.get(id).map(Held::from).filter(|held| held.source != u8::MAX) {
            let copy = held.flags & COPY != 0;
            let rank = rank(&held.record(), copy);
            return Some(Kept { rank, request: held.request, copy, source: usize::from(held.source) });
        }
        let spilled = self.spilled.get(&id)?;
        let rank = rank(&spilled.record, spilled.copy);
        Some(Kept { rank, request: spilled.request, copy: spilled.copy, source: spilled.source })
    }

    /// All records that were held back, each with its source.
    pub(super) fn into_records(self) -> impl Iterator<Item = (Record, usize)> {
        let held = self.held.into_values().map(Held::from).filter(|h| h.source != u8::MAX);
        let mut spilled: Vec<_> = self.spilled.into_iter().collect();
        spilled.sort_unstable_by_key(|(id, _)| *id);
        let held = held.map(|held| (held.record(), usize::from(held.source)));
        held.chain(spilled.into_iter().map(|(_, spilled)| (spilled.record, spilled.source)))
    }
}

/// Rank of a version of a record; the larger one is kept: more tokens, then not a copy, then more detail.
type Rank = (u64, bool, bool, bool);

fn rank(record: &Record, copy: bool) -> Rank {
    let all = record.tokens.all().saturating_add(record.requests.unwrap_or(0));
    (all, !copy, record.tokens.stated.reasoning, record.usd.is_some())
}

/// A record that is held back, with its rank.
#[derive(Clone, Copy)]
struct Kept {
    rank: Rank,
    request: u16,
    copy: bool,
    source: usize,
}

/// A request that is held back until the end, in compact form.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// Token counts, each below 2^24.
    counts: [u32; 7],
    /// Seconds since 1970; 0 means unknown.
    time: u32,
    request: u16,
    model: ModelId,
    source: u8,
    flags: u8,
}

/// The same as bytes without padding: a log of a gigabyte has a million of them.
type Packed = [u8; 31];

impl From<Held> for Packed {
    fn from(held: Held) -> Self {
        let mut packed = [0; 31];
        for (place, count) in packed[..21].chunks_exact_mut(3).zip(held.counts) {
            place.copy_from_slice(&count.to_le_bytes()[..3]);
        }
        packed[21..25].copy_from_slice(&held.time.to_le_bytes());
        packed[25..27].copy_from_slice(&held.request.to_le_bytes());
        packed[27..29].copy_from_slice(&held.model.to_le_bytes());
        packed[29] = held.source;
        packed[30] = held.flags;
        packed
    }
}

impl From<Packed> for Held {
    fn from(packed: Packed) -> Self {
        let mut counts = [0; 7];
        for (count, place) in counts.iter_mut().zip(packed[..21].chunks_exact(3)) {
            *count = u32::from_le_bytes([place[0], place[1], place[2], 0]);
        }
        let [.., t0, t1, t2, t3, r0, r1, m0, m1, source, flags] = packed;
        Self {
            counts,
            time: u32::from_le_bytes([t0, t1, t2, t3]),
            request: u16::from_le_bytes([r0, r1]),
            model: ModelId::from_le_bytes([m0, m1]),
            source,
            flags,
        }
    }
}

const COPY: u8 = 1;
const READ: u8 = 2;
const WRITE: u8 = 4;
const REASONING: u8 = 8;
/// Number of bits below the tier.
const TIER: u8 = 4;

impl Held {
    /// The compact form, if the record fits into it.
    fn of(record: &Record, source: usize, repeat: Repeat) -> Option<Self> {
        let time = match record.when {
            None => 0,
            Some(When { start, span: 0, clock: Clock::Utc }) if start > 0 => u32::try_from(start).ok()?,
            Some(_) => return None,
        };
        if record.requests != Some(1)
            || !record.single
            || record.usd.is_some()
            || record.long_context.is_some()
        {
            return None;
        }
        let mut counts = [0; 7];
        for (small, large) in counts.iter_mut().zip(record.tokens.parts()) {
            *small = u32::try_from(large).ok().filter(|n| *n < 1 << 24)?;
        }
        let stated = record.tokens.stated;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        Some(Self {
            counts,
            time,
            request: repeat.request,
            model: record.model,
            source: u8::try_from(source).ok()?,
            flags: flag(repeat.copy, COPY)
                | flag(stated.cache_read, READ)
                | flag(stated.cache_write, WRITE)
                | flag(stated.reasoning, REASONING)
                | (record.tier as u8) << TIER,
        })
    }
    fn record(&self) -> Record {
        let [input, cache_read, cache_write_5m, cache_write_1h, cache_write_other, output, reasoning] =
            self.counts.map(u64::from);
        let tokens = Tokens {
            input,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            cache_write_other,
            output,
            reasoning,
            stated: Stated {
                cache_read: self.flags & READ != 0,
                cache_write: self.flags & WRITE != 0,
                reasoning: self.flags & REASONING != 0,
            },
        };
        let when = (self.time > 0).then(|| When::at(i64::from(self.time)));
        let mut record = Record::request(self.model, when, tokens);
        record.tier = match self.flags >> TIER {
            1 => Tier::Batch,
            2 => Tier::Priority,
            3 => Tier::Flex,
            4 => Tier::Fast,
            _ => Tier::Standard,
        };
        record
    }
}

/// A record that does not fit into the compact form: a bucket, or a request with a cost.
#[derive(Debug, Clone, Copy)]
struct Spilled {
    record: Record,
    source: usize,
    request: u16,
    copy: bool,
}
