//! Where readers put records: repeats are dropped, what cannot be true is skipped, the rest is added up
//! as it comes. Memory grows with the number of ids, not with the size of the files.

use super::growth;
use super::ids::{IdSet, IdTable};
use super::record::{
    Class, Clock, Keep, ModelId, Reason, Record, Repeat, Skip, Stated, Tier, Tokens, When, reason,
};
use super::shape::{Grid, Size, Sketch};
use super::summary::{
    Bill, Bounds, Busiest, Coverage, Currency, Day, Distribution, Embeddings, Granularity, Missing, Model,
    Note, Peak, Place, Repriced, Skipped, Source, Totals, Usage, Usd,
};
use foldhash::fast::FixedState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// More tokens than this in one request cannot be: a thousand times today's largest context.
const MOST_IN_ONE_REQUEST: u64 = 1_000_000_000;
/// Model names are counted one by one up to here.
const MOST_MODELS: usize = 5000;
/// Models whose sizes are told apart.
const MODELS_WITH_SIZES: usize = 64;
/// Different minutes, or seconds, that are counted.
const MOST_BINS: usize = 1 << 19;
/// Different users that are counted.
const MOST_USERS: usize = 1 << 20;
/// Representative requests of a distribution.
const SIZES: usize = 32;
const DAY: i64 = 86_400;
const QUARTER: i64 = 900;

/// A record on its way to a price.
#[derive(Debug, Clone, Copy)]
pub struct Priced<'a> {
    /// The format it came from: says which provider's prices apply.
    pub source: &'static str,
    /// As the source writes it.
    pub model: &'a str,
    pub when: Option<When>,
    /// Absent where the source does not say. One record of several requests has no single context size.
    pub requests: Option<u64>,
    pub single: bool,
    pub tokens: &'a Tokens,
    pub tier: Tier,
    /// The requests were past the tier for long contexts, where a bucket says so.
    pub long_context: Option<bool>,
}

/// The charge in USD for a record at the prices of its day, or nothing where there is no price.
pub type Price<'p> = Box<dyn FnMut(&Priced) -> Option<f64> + 'p>;

/// Models by their names, in order of appearance.
#[derive(Debug, Default)]
pub struct Models {
    names: Vec<String>,
    ids: HashMap<String, ModelId, FixedState>,
    /// The name that was asked for last.
    last: ModelId,
}

impl Models {
    fn id(&mut self, name: &str) -> Option<ModelId> {
        if self.names.get(usize::from(self.last)).is_some_and(|last| last == name) {
            return Some(self.last);
        }
        if let Some(id) = self.ids.get(name) {
            self.last = *id;
            return Some(*id);
        }
        if self.names.len() >= MOST_MODELS {
            return None;
        }
        let id = ModelId::try_from(self.names.len()).ok()?;
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        self.last = id;
        Some(id)
    }
}

/// A request kept until the end, because a fuller version of it may follow.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// Below 2^24 each.
    counts: [u32; 7],
    /// Seconds since 1970; 0 is unknown.
    time: u32,
    request: u16,
    model: ModelId,
    source: u8,
    flags: u8,
}

/// The same without gaps: a log of a gigabyte has a million of them.
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
/// The tier stands above these.
const TIER: u8 = 4;

impl Held {
    /// The compact form, if the record fits.
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

/// The same for records that do not fit there: buckets, and requests with a cost.
#[derive(Debug, Clone, Copy)]
struct Spilled {
    record: Record,
    source: usize,
    request: u16,
    copy: bool,
}

/// What is kept of an id.
#[derive(Clone, Copy)]
struct Known {
    /// Larger is better: tokens, then not a copy, then more detail.
    rank: (u64, bool, bool, bool),
    request: u16,
    copy: bool,
    source: usize,
}

/// Requests by small bins of time: without and with those of batches.
#[derive(Debug, Default)]
struct Bins {
    counts: HashMap<u32, [u32; 2], FixedState>,
    /// The bin of the last record: logs are in order, mostly.
    open: u32,
    pending: [u32; 2],
    /// A record was too wide for a bin, or there were too many bins.
    unknown: bool,
}

impl Bins {
    fn add(&mut self, bin: i64, requests: u64, batch: bool) {
        if self.unknown {
            return;
        }
        let Ok(bin) = u32::try_from(bin) else { return self.give_up() };
        if bin != self.open {
            self.flush();
            self.open = bin;
        }
        let [waiting_left_out, all] = &mut self.pending;
        let requests = u32::try_from(requests).unwrap_or(u32::MAX);
        *all = all.saturating_add(requests);
        if !batch {
            *waiting_left_out = waiting_left_out.saturating_add(requests);
        }
    }
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending == [0, 0] || self.unknown {
            return;
        }
        let counts = self.counts.entry(self.open).or_default();
        for (sum, part) in counts.iter_mut().zip(pending) {
            *sum = sum.saturating_add(part);
        }
        if self.counts.len() > MOST_BINS {
            self.give_up();
        }
    }
    fn give_up(&mut self) {
        self.unknown = true;
        self.counts = HashMap::default();
    }
    fn busiest(&self, width: i64) -> Option<Busiest> {
        // The earliest of equals.
        let most = self.counts.iter().max_by_key(|(bin, [n, _])| (*n, std::cmp::Reverse(**bin)))?;
        Some(Busiest { start: i64::from(*most.0) * width, requests: u64::from(most.1[0]) })
            .filter(|b| b.requests > 0)
    }
}

/// What a model used, and how.
#[derive(Debug, Default)]
struct PerModel {
    totals: Totals,
    batch: Totals,
    sizes: Option<Box<Sizes>>,
    unpriced: Totals,
}

#[derive(Debug, Default)]
struct Sizes {
    grid: Grid,
    prompt: Sketch,
    input: Sketch,
    cache_read: Sketch,
    output: Sketch,
    reasoning: Sketch,
}

impl Sizes {
    fn merge(&mut self, other: &Self) {
        self.grid.merge(&other.grid);
        self.prompt.merge(&other.prompt);
        self.input.merge(&other.input);
        self.cache_read.merge(&other.cache_read);
        self.output.merge(&other.output);
        self.reasoning.merge(&other.reasoning);
    }
    fn add(&mut self, tokens: &Tokens) {
        self.grid.add(tokens);
        self.prompt.add(tokens.prompt());
        self.input.add(tokens.input);
        self.output.add(tokens.output);
        if tokens.stated.cache_read {
            self.cache_read.add(tokens.cache_read);
        }
        if tokens.stated.reasoning {
            self.reasoning.add(tokens.reasoning);
        }
    }
    fn distribution(&self) -> Option<Distribution> {
        Some(Distribution {
            requests: self.grid.requests(),
            prompt: self.prompt.spread()?,
            input: self.input.spread()?,
            cache_read: self.cache_read.spread(),
            output: self.output.spread()?,
            reasoning: self.reasoning.spread(),
            boundary: self.grid.boundary(),
            clusters: self.grid.clusters(),
            sizes: self.grid.sizes(SIZES),
        })
    }
}

/// What is known of a source.
#[derive(Debug)]
struct PerSource {
    name: &'static str,
    zero: &'static Reason,
    files: u32,
    totals: Totals,
    days: BTreeMap<i32, Totals>,
    first: i64,
    last: i64,
    relative: bool,
    granularity: Option<Granularity>,
    bill: Bill,
    duplicates: u64,
    fields: Vec<(String, u64)>,
    notes: BTreeMap<Note, u64>,
    kept_days: Option<i32>,
    sampling: Option<f64>,
}

/// Adds up what readers find.
pub struct Collector<'p> {
    now: Option<i64>,
    zone: TimeZone,
    price: Option<Price<'p>>,
    models: Models,
    sources: Vec<PerSource>,
    /// The source that is being read.
    source: usize,
    file: u32,
    line: u64,
    once: IdSet,
    held: IdTable<Packed>,
    spilled: HashMap<u64, Spilled, FixedState>,
    totals: Totals,
    batch: Totals,
    by_model: Vec<(ModelId, PerModel)>,
    /// Where a model stands in `by_model`, plus one; 0 where it does not yet.
    model_places: Vec<u16>,
    quarters: HashMap<i64, Totals, FixedState>,
    day_buckets: BTreeMap<i32, Totals>,
    undated: Totals,
    hours_of_day: Option<[u64; 24]>,
    has_requests_by_hour: bool,
    minutes: Bins,
    seconds: Bins,
    /// Of models beyond the first [`MODELS_WITH_SIZES`].
    other_sizes: Sizes,
    only_buckets: bool,
    mean: (u64, [u64; 7]),
    skipped: Vec<Skipped>,
    embeddings: Embeddings,
    users: HashSet<u64, FixedState>,
    repriced: Repriced,
    prompt_bounds: Option<Bounds>,
    output_bounds: Option<Bounds>,
}

impl fmt::Debug for Collector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("totals", &self.totals).finish_non_exhaustive()
    }
}

impl<'p> Collector<'p> {
    /// `now` in seconds since 1970: later records cannot be. `zone` is what days and hours are given in.
    pub fn new(now: Option<i64>, zone: TimeZone, price: Option<Price<'p>>) -> Self {
        Self {
            now,
            zone,
            price,
            models: Models::default(),
            sources: Vec::new(),
            source: 0,
            file: 0,
            line: 0,
            once: IdSet::default(),
            held: IdTable::default(),
            spilled: HashMap::default(),
            totals: Totals::default(),
            batch: Totals::default(),
            by_model: Vec::new(),
            model_places: Vec::new(),
            quarters: HashMap::default(),
            day_buckets: BTreeMap::new(),
            undated: Totals::default(),
            hours_of_day: None,
            has_requests_by_hour: false,
            minutes: Bins::default(),
            seconds: Bins::default(),
            other_sizes: Sizes::default(),
            only_buckets: false,
            mean: (0, [0; 7]),
            skipped: Vec::new(),
            embeddings: Embeddings::default(),
            users: HashSet::default(),
            repriced: Repriced::default(),
            prompt_bounds: None,
            output_bounds: None,
        }
    }

    /// From here on records come from this source; `zero` says what an empty row of it is called.
    pub fn enter(&mut self, name: &'static str, zero: &'static Reason) {
        let found = self.sources.iter().position(|s| s.name == name);
        self.source = found.unwrap_or_else(|| {
            self.sources.push(PerSource {
                name,
                zero,
                files: 0,
                totals: Totals::default(),
                days: BTreeMap::new(),
                first: i64::MAX,
                last: i64::MIN,
                relative: false,
                granularity: None,
                bill: Bill::default(),
                duplicates: 0,
                fields: Vec::new(),
                notes: BTreeMap::new(),
                kept_days: None,
                sampling: None,
            });
            self.sources.len() - 1
        });
    }
    fn current(&mut self) -> &mut PerSource {
        &mut self.sources[self.source]
    }
    /// A file of the current source begins.
    pub fn begin_file(&mut self, file: u32) {
        self.file = file;
        self.line = 0;
        self.current().files += 1;
    }
    /// The line that is being read, for the places of damage.
    pub const fn at_line(&mut self, line: u64) {
        self.line = line;
    }
    /// Files, counted from 1.
    pub const fn file(&self) -> u32 {
        self.file
    }

    /// The model of this name.
    pub fn model(&mut self, name: Option<&str>) -> Result<ModelId, &'static Reason> {
        let name = name.map(str::trim).filter(|n| !n.is_empty()).unwrap_or("unknown");
        self.models.id(name).ok_or(&reason::TOO_MANY_MODELS)
    }
    /// Its name.
    pub fn model_name(&self, id: ModelId) -> &str {
        self.models.names.get(usize::from(id)).map_or("", String::as_str)
    }
    /// Somebody used it; only counted.
    pub fn user(&mut self, hash: u64) {
        if hash != 0 && self.users.len() < MOST_USERS {
            self.users.insert(hash);
        }
    }
    /// Something that changes what the figures of the current source mean.
    pub fn note(&mut self, note: Note) {
        *self.current().notes.entry(note).or_default() += 1;
    }
    /// The source keeps its files so many days.
    pub fn kept_days(&mut self, days: i32) {
        self.current().kept_days = Some(days);
    }
    /// The log records this share of the requests.
    pub fn sampling(&mut self, share: f64) {
        if share > 0.0 && share < 1.0 {
            let source = self.current();
            source.sampling = Some(source.sampling.map_or(share, |s| s.min(share)));
            *source.notes.entry(Note::Sampled).or_default() += 1;
        }
    }
    /// Records of the current source are differences of counters, or sums over the life of a process.
    pub fn granularity(&mut self, granularity: Granularity) {
        let source = self.current();
        source.granularity = Some(source.granularity.map_or(granularity, |g| g.min(granularity)));
    }
    /// So many records with content in a field, for [`Source::fields`].
    pub fn field(&mut self, path: &str, records: u64) {
        let fields = &mut self.current().fields;
        match fields.iter_mut().find(|(known, _)| known == path) {
            Some((_, n)) => *n += records,
            None => fields.push((path.to_owned(), records)),
        }
    }
    /// A repeat was dropped.
    pub fn duplicate(&mut self) {
        self.current().duplicates += 1;
    }
    /// Histograms of a server.
    pub fn bounds(&mut self, prompt: Option<Bounds>, output: Option<Bounds>) {
        self.prompt_bounds = prompt.or(self.prompt_bounds.take());
        self.output_bounds = output.or(self.output_bounds.take());
    }

    /// Not counted, because.
    pub fn skip(&mut self, skip: impl Into<Skip>) {
        let skip = skip.into();
        if let Some(usd) = skip.usd {
            self.charge(usd, 0);
        }
        let source = self.sources[self.source].name;
        self.skip_of(source, skip);
    }
    fn skip_of(&mut self, source: &'static str, skip: Skip) {
        let known = self.skipped.iter_mut().find(|s| s.source == source && s.reason == skip.reason);
        let entry = if let Some(entry) = known {
            entry
        } else {
            self.skipped.push(Skipped {
                source,
                reason: skip.reason,
                records: 0,
                details: std::collections::BTreeSet::new(),
                requests: 0,
                tokens: 0,
                lines: Vec::new(),
            });
            let last = self.skipped.len() - 1;
            &mut self.skipped[last]
        };
        entry.records += 1;
        entry.requests = entry.requests.saturating_add(skip.requests);
        entry.tokens = entry.tokens.saturating_add(skip.tokens);
        if let Some(detail) = skip.detail.filter(|_| entry.details.len() < 8) {
            entry.details.insert(detail);
        }
        if skip.reason.class == Class::Damaged && entry.lines.len() < 3 && self.line > 0 {
            entry.lines.push(Place { file: self.file, line: self.line });
        }
        if skip.reason.class == Class::Embedding {
            self.embeddings.requests = self.embeddings.requests.saturating_add(skip.requests);
            self.embeddings.input = self.embeddings.input.saturating_add(skip.tokens);
        }
    }

    fn charge(&mut self, usd: f64, requests: u64) {
        let bill = &mut self.current().bill;
        *bill.usd.get_or_insert_default() += Usd::of(usd);
        bill.requests += requests;
    }
    /// A line of a cost report: what it says is the bill, apart from any record.
    pub fn cost(&mut self, amount: f64, currency: Option<&str>) {
        let code = currency.and_then(Currency::of);
        let bill = &mut self.current().bill;
        bill.from_report = true;
        match code {
            Some(code) if !code.is_usd() => *bill.other.entry(code).or_default() += Usd::of(amount),
            _ => {
                bill.currency_assumed |= code.is_none();
                *bill.usd.get_or_insert_default() += Usd::of(amount);
            }
        }
    }
    /// What a record cost in a currency that is not USD.
    pub fn cost_in(&mut self, amount: f64, currency: Currency) {
        *self.current().bill.other.entry(currency).or_default() += Usd::of(amount);
    }
    /// The source names no currency; it was taken for USD.
    pub fn assume_usd(&mut self) {
        self.current().bill.currency_assumed = true;
    }
    /// Paid to a provider directly.
    pub fn byok(&mut self, usd: f64) {
        if usd != 0.0 {
            *self.current().bill.byok_usd.get_or_insert_default() += Usd::of(usd);
        }
    }

    /// Whether an id of a source that counts each once was seen before; if not, it is now.
    pub fn seen(&mut self, id: u64) -> bool {
        !self.once.insert(id)
    }

    /// Count a record, unless it is a repeat or cannot be true.
    pub fn record(&mut self, record: Record, keep: Keep) {
        if let Err(reason) = self.possible(&record) {
            return self.skip(reason);
        }
        match keep {
            Keep::All => self.add(&record, self.source),
            Keep::First(id) => {
                let known = self.held.get(id).is_some() || self.spilled.contains_key(&id);
                if known || self.seen(id) {
                    self.duplicate();
                } else {
                    self.add(&record, self.source);
                }
            }
            Keep::Largest(repeat) => self.hold(record, repeat, false),
            Keep::Last(id) => self.hold(record, Repeat { id, request: 0, copy: false }, true),
        }
    }

    fn possible(&self, record: &Record) -> Result<(), &'static Reason> {
        let future = |when: When| {
            when.clock == Clock::Utc && self.now.is_some_and(|now| when.start > now.saturating_add(DAY))
        };
        if record.when.is_some_and(future) {
            return Err(&reason::FUTURE);
        }
        if record.single && record.tokens.all() > MOST_IN_ONE_REQUEST {
            return Err(&reason::ABSURD);
        }
        Ok(())
    }

    fn rank(record: &Record, copy: bool) -> (u64, bool, bool, bool) {
        let all = record.tokens.all().saturating_add(record.requests.unwrap_or(0));
        (all, !copy, record.tokens.stated.reasoning, record.usd.is_some())
    }

    fn known(&self, id: u64) -> Option<Known> {
        if let Some(held) = self.held.get(id).map(Held::from).filter(|held| held.source != u8::MAX) {
            let copy = held.flags & COPY != 0;
            let rank = Self::rank(&held.record(), copy);
            return Some(Known { rank, request: held.request, copy, source: usize::from(held.source) });
        }
        let spilled = self.spilled.get(&id)?;
        let rank = Self::rank(&spilled.record, spilled.copy);
        Some(Known { rank, request: spilled.request, copy: spilled.copy, source: spilled.source })
    }

    fn hold(&mut self, record: Record, repeat: Repeat, always: bool) {
        let mut id = repeat.id;
        let same = |known: Known| {
            known.request == repeat.request
                || known.request == 0
                || repeat.request == 0
                || known.copy
                || repeat.copy
        };
        let mut known = self.known(id);
        if known.is_some_and(|known| !same(known)) {
            // Another answer under the same id: both ids together tell it.
            id = super::ids::key("second", (repeat.id, repeat.request));
            known = self.known(id);
        }
        if self.once.contains(id) {
            return self.duplicate();
        }
        let mut repeat = repeat;
        let mut source = self.source;
        if let Some(known) = known {
            self.duplicate();
            if !always && Self::rank(&record, repeat.copy) <= known.rank {
                return;
            }
            // A first answer keeps the id that names it best.
            repeat.request = if repeat.request == 0 { known.request } else { repeat.request };
            source = known.source;
        }
        if let Some(held) = Held::of(&record, source, repeat) {
            self.held.insert(id, held.into());
            self.spilled.remove(&id);
        } else {
            if self.held.get(id).is_some() {
                // Its place stays, marked as empty.
                self.held.insert(id, Held { source: u8::MAX, ..Held::default() }.into());
            }
            let (request, copy) = (repeat.request, repeat.copy);
            self.spilled.insert(id, Spilled { record, source, request, copy });
        }
    }

    /// Add up what was held back.
    fn release(&mut self) {
        self.line = 0;
        let held = std::mem::take(&mut self.held).into_values().map(Held::from);
        for held in held.filter(|h| h.source != u8::MAX) {
            self.add(&held.record(), usize::from(held.source));
        }
        let mut spilled: Vec<_> = std::mem::take(&mut self.spilled).into_iter().collect();
        spilled.sort_unstable_by_key(|(id, _)| *id);
        for (_, spilled) in spilled {
            self.add(&spilled.record, spilled.source);
        }
    }

    fn add(&mut self, record: &Record, source: usize) {
        let name = self.sources[source].name;
        if record.is_empty() {
            return self.skip_of(name, Skip::of(self.sources[source].zero));
        }
        if !self.totals.has_room_for(&record.tokens) {
            return self.skip_of(name, Skip::of(&reason::ABSURD));
        }
        let batch = record.tier == Tier::Batch;
        self.totals.add(record);
        if batch {
            self.batch.add(record);
        }
        self.add_to_model(record, batch);
        self.add_to_source(record, source);
        self.add_to_time(record, batch);
        self.only_buckets |= !record.single;
        if let Some(requests) = record.requests {
            self.mean.0 = self.mean.0.saturating_add(requests);
            for (sum, part) in self.mean.1.iter_mut().zip(record.tokens.parts()) {
                *sum = sum.saturating_add(part);
            }
        }
        self.add_price(record, source);
    }

    fn place_of(&self, model: ModelId) -> Option<usize> {
        let place = self.model_places.get(usize::from(model)).copied().unwrap_or(0);
        usize::from(place).checked_sub(1)
    }

    fn add_to_model(&mut self, record: &Record, batch: bool) {
        let place = self.place_of(record.model).unwrap_or_else(|| {
            let next = self.by_model.len();
            let sizes = (next < MODELS_WITH_SIZES).then(Box::<Sizes>::default);
            self.by_model.push((record.model, PerModel { sizes, ..PerModel::default() }));
            let id = usize::from(record.model);
            if self.model_places.len() <= id {
                self.model_places.resize(id + 1, 0);
            }
            self.model_places[id] = u16::try_from(next + 1).unwrap_or(0);
            next
        });
        let model = &mut self.by_model[place].1;
        model.totals.add(record);
        if batch {
            model.batch.add(record);
        }
        if record.single {
            model.sizes.as_deref_mut().unwrap_or(&mut self.other_sizes).add(&record.tokens);
        }
    }

    fn add_to_source(&mut self, record: &Record, source: usize) {
        let source = &mut self.sources[source];
        source.totals.add(record);
        if let Some(usd) = record.usd {
            *source.bill.usd.get_or_insert_default() += Usd::of(usd);
            source.bill.requests = source.bill.requests.saturating_add(record.requests.unwrap_or(0));
        }
        let granularity = match record.when {
            _ if record.single => Some(Granularity::Request),
            Some(when) if when.span > 0 => Some(Granularity::Bucket(when.span)),
            _ => None,
        };
        if let (Some(granularity), true) = (
            granularity,
            !matches!(source.granularity, Some(Granularity::Difference(_) | Granularity::Lifetime)),
        ) {
            source.granularity = Some(source.granularity.map_or(granularity, |g| g.min(granularity)));
        }
        let Some(when) = record.when else { return };
        source.relative |= when.clock == Clock::DayOne;
        source.first = source.first.min(when.start);
        source.last = source.last.max(when.start.saturating_add(i64::from(when.span.max(1))));
        if i64::from(when.span) <= DAY {
            source.days.entry(day_of(when.start)).or_default().add(record);
        }
    }

    fn add_to_time(&mut self, record: &Record, batch: bool) {
        let Some(when) = record.when else {
            self.undated.add(record);
            self.minutes.unknown = true;
            self.seconds.unknown = true;
            return;
        };
        if when.clock == Clock::DayOne {
            let hour = usize::try_from(when.start.rem_euclid(DAY) / 3600).unwrap_or(0);
            let hours = self.hours_of_day.get_or_insert_default();
            hours[hour] = hours[hour].saturating_add(record.requests.unwrap_or(0));
            return;
        }
        let span = i64::from(when.span);
        match span.cmp(&DAY) {
            Ordering::Greater => self.undated.add(record),
            // A day's bucket has no hour; midnight would be invented.
            Ordering::Equal => self.day_buckets.entry(day_of(when.start)).or_default().add(record),
            Ordering::Less => {
                self.quarters.entry(when.start.div_euclid(QUARTER)).or_default().add(record);
                self.has_requests_by_hour |= record.requests.is_some();
            }
        }
        for (bins, width) in [(&mut self.minutes, 60), (&mut self.seconds, 1)] {
            match record.requests {
                Some(requests) if span <= width => bins.add(when.start.div_euclid(width), requests, batch),
                Some(0) => {}
                _ => bins.give_up(),
            }
        }
    }

    fn add_price(&mut self, record: &Record, source: usize) {
        let Some(price) = &mut self.price else { return };
        let usd = price(&Priced {
            source: self.sources[source].name,
            model: self.models.names.get(usize::from(record.model)).map_or("", String::as_str),
            when: record.when,
            requests: record.requests,
            single: record.single,
            tokens: &record.tokens,
            tier: record.tier,
            long_context: record.long_context,
        });
        match usd.filter(|usd| usd.is_finite()) {
            Some(usd) => {
                *self.repriced.usd.get_or_insert_default() += Usd::of(usd);
                if let Some(stated) = record.usd {
                    self.repriced.both_stated_usd += Usd::of(stated);
                    self.repriced.both_repriced_usd += Usd::of(usd);
                }
            }
            None if record.tokens.all() > 0 => {
                if let Some(place) = self.place_of(record.model) {
                    self.by_model[place].1.unpriced.add(record);
                }
            }
            None => {}
        }
    }

    /// Everything that was read.
    pub fn finish(mut self) -> Usage {
        self.release();
        self.minutes.flush();
        self.seconds.flush();
        let hours = self.hours_of_week(&TimeZone::UTC);
        let local = self.hours_of_week(&self.zone.clone());
        let coverage = self.coverage();
        let days = self.all_days();
        let whole = self.sources.iter().all(|s| s.totals.requests().is_some());
        let growth = match coverage {
            None if self.totals.records == 0 => Err(Missing::Nothing),
            None => Err(Missing::NoTimes),
            Some(_) => growth::growth(&days, |t| if whole { t.requests_stated } else { t.tokens() }),
        };
        let by_day = self.by_day();
        let peak = self.peak(coverage);
        let mut sizes = std::mem::take(&mut self.other_sizes);
        for (_, model) in &self.by_model {
            if let Some(part) = &model.sizes {
                sizes.merge(part);
            }
        }
        let distribution = match sizes.distribution() {
            Some(distribution) => Ok(distribution),
            None if self.only_buckets => Err(Missing::OnlyBuckets),
            None => Err(Missing::Nothing),
        };
        let mean = (self.mean.0 > 0 && self.mean.1.iter().any(|n| *n > 0)).then(|| {
            let of = |n: u64| n as f64 / self.mean.0 as f64;
            let [input, read, five, hour, other, output, reasoning] = self.mean.1;
            Size {
                share: 1.0,
                input: of(input),
                cache_read: of(read),
                cache_write_5m: of(five),
                cache_write_1h: of(hour),
                cache_write_other: of(other),
                output: of(output),
                reasoning: of(reasoning),
            }
        });
        if self.by_model.len() > MODELS_WITH_SIZES && !self.sources.is_empty() {
            self.note(Note::ManyModels);
        }
        let names = self.models.names;
        let name = |id: ModelId| names.get(usize::from(id)).cloned().unwrap_or_default();
        let mut repriced = self.repriced;
        let by_model = self
            .by_model
            .into_iter()
            .map(|(id, model)| {
                if model.unpriced.records > 0 {
                    repriced.unpriced.push((name(id), model.unpriced));
                }
                Model {
                    name: name(id),
                    totals: model.totals,
                    batch: model.batch,
                    distribution: model.sizes.and_then(|s| s.distribution()),
                }
            })
            .collect();
        let of_class =
            |class: Class| self.skipped.iter().filter(|s| s.class() == class).map(|s| s.records).sum::<u64>();
        let (failed, response_cache_hits, requests_without_usage) =
            (of_class(Class::Failed), of_class(Class::ResponseCache), of_class(Class::WithoutUsage));
        let sources: Vec<Source> = self.sources.into_iter().map(PerSource::finish).collect();
        Usage {
            totals: self.totals,
            batch: self.batch,
            by_model,
            by_day,
            requests_by_hour_of_week_utc: hours.clone().and_then(|h| h.0),
            tokens_by_hour_of_week_utc: hours.map(|h| h.1),
            requests_by_hour_of_week: local.clone().and_then(|h| h.0),
            tokens_by_hour_of_week: local.map(|h| h.1),
            requests_by_hour_of_day_local: self.hours_of_day.map(|hours| {
                let hours = (0u8..24).zip(hours);
                hours.filter(|(_, n)| *n > 0).collect()
            }),
            distribution,
            mean,
            prompt_bounds: self.prompt_bounds,
            output_bounds: self.output_bounds,
            peak,
            growth,
            coverage,
            duplicates_dropped: sources.iter().map(|s| s.duplicates_dropped).sum(),
            skipped: self.skipped,
            bill: whole_bill(&sources),
            repriced,
            embeddings: self.embeddings,
            failed,
            response_cache_hits,
            requests_without_usage,
            users: (!self.users.is_empty()).then_some(self.users.len() as u64),
            undated: self.undated,
            names,
            sources,
        }
    }

    /// Requests, and tokens, by hour of week; nothing where no record has an hour.
    #[allow(clippy::type_complexity)]
    fn hours_of_week(&self, zone: &TimeZone) -> Option<(Option<BTreeMap<u8, u64>>, BTreeMap<u8, u64>)> {
        let (mut requests, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        for (quarter, totals) in &self.quarters {
            let Some(hour) = hour_of_week(quarter * QUARTER, zone) else { continue };
            if totals.requests_stated > 0 {
                *requests.entry(hour).or_default() += totals.requests_stated;
            }
            if totals.tokens() > 0 {
                *tokens.entry(hour).or_default() += totals.tokens();
            }
        }
        (!self.quarters.is_empty()).then_some((self.has_requests_by_hour.then_some(requests), tokens))
    }

    fn by_day(&self) -> Vec<Day> {
        let mut days = self.day_buckets.clone();
        for (quarter, totals) in &self.quarters {
            let start = quarter * QUARTER;
            let local = Timestamp::from_second(start).map_or(0, |t| self.zone.to_offset(t).seconds());
            days.entry(day_of(start + i64::from(local))).or_default().merge(totals);
        }
        days.into_iter().map(|(date, totals)| Day { date, totals }).collect()
    }

    /// Days of all sources together, in UTC or relative.
    fn all_days(&self) -> BTreeMap<i32, Totals> {
        let mut days: BTreeMap<i32, Totals> = BTreeMap::new();
        let relative = self.sources.iter().all(|s| s.relative || s.days.is_empty());
        for source in self.sources.iter().filter(|s| s.relative == relative) {
            for (day, totals) in &source.days {
                days.entry(*day).or_default().merge(totals);
            }
        }
        days
    }

    fn coverage(&self) -> Option<Coverage> {
        let relative = self.sources.iter().all(|s| s.relative || s.first == i64::MAX);
        let dated = || self.sources.iter().filter(|s| s.first != i64::MAX && s.relative == relative);
        let first = dated().map(|s| s.first).min()?;
        let last = dated().map(|s| s.last).max()?;
        Some(covered(first, last, relative, &self.all_days()))
    }

    fn peak(&self, coverage: Option<Coverage>) -> Peak {
        if !self.has_requests_by_hour || self.totals.requests().is_none() {
            return Peak::default();
        }
        // Of the quarters, batches are known as a whole only; hours come from the minutes where those
        // are known, else from the quarters.
        let mut hours: HashMap<i64, u64> = HashMap::new();
        if self.minutes.unknown {
            for (quarter, totals) in &self.quarters {
                *hours.entry(quarter / 4).or_default() += totals.requests_stated;
            }
        } else {
            for (minute, [requests, _]) in &self.minutes.counts {
                *hours.entry(i64::from(*minute) / 60).or_default() += u64::from(*requests);
            }
        }
        let busiest = hours.iter().max_by_key(|(hour, n)| (**n, std::cmp::Reverse(**hour)));
        let hour =
            busiest.map(|(hour, n)| Busiest { start: hour * 3600, requests: *n }).filter(|b| b.requests > 0);
        let covered = coverage.map(|c| (c.last.div_euclid(3600) - c.first.div_euclid(3600) + 1).max(1));
        let all: u64 = hours.values().sum();
        let hour_to_mean =
            hour.zip(covered).map(|(hour, covered)| hour.requests as f64 / (all as f64 / covered as f64));
        Peak { hour, minute: self.minutes.busiest(60), second: self.seconds.busiest(1), hour_to_mean }
    }
}

/// The day, counted from 1970 (or from day one).
fn day_of(second: i64) -> i32 {
    i32::try_from(second.div_euclid(DAY)).unwrap_or(0)
}

/// 0 is Monday 00:00.
fn hour_of_week(second: i64, zone: &TimeZone) -> Option<u8> {
    let offset = zone.to_offset(Timestamp::from_second(second).ok()?).seconds();
    // 1970-01-01 was a Thursday.
    let hour = (second + i64::from(offset)).div_euclid(3600) + 3 * 24;
    u8::try_from(hour.rem_euclid(168)).ok()
}

fn covered(first: i64, last: i64, relative: bool, days: &BTreeMap<i32, Totals>) -> Coverage {
    // A bucket that ends at midnight does not reach into the next day.
    let last_day = day_of((last - 1).max(first));
    let gap = days.keys().zip(days.keys().skip(1)).map(|(a, b)| b - a - 1).max().unwrap_or(0);
    Coverage {
        first,
        last,
        days: u32::try_from(days.len()).unwrap_or(u32::MAX),
        span_days: u32::try_from(last_day - day_of(first) + 1).unwrap_or(0),
        longest_gap_days: u32::try_from(gap).unwrap_or(0),
        relative,
    }
}

fn whole_bill(sources: &[Source]) -> Bill {
    let mut bill = Bill::default();
    for source in sources {
        let part = &source.bill;
        if let Some(usd) = part.usd {
            *bill.usd.get_or_insert_default() += usd;
        }
        if let Some(usd) = part.byok_usd {
            *bill.byok_usd.get_or_insert_default() += usd;
        }
        for (currency, amount) in &part.other {
            *bill.other.entry(*currency).or_default() += *amount;
        }
        bill.requests = bill.requests.saturating_add(part.requests);
        bill.from_report |= part.from_report;
        bill.currency_assumed |= part.currency_assumed;
    }
    bill
}

impl PerSource {
    fn finish(self) -> Source {
        let coverage =
            (self.first != i64::MAX).then(|| covered(self.first, self.last, self.relative, &self.days));
        let last_day = self.days.keys().next_back().copied();
        // What is younger than the retention is whole; the day at its edge is not.
        let kept_from = self.kept_days.zip(last_day).map(|(days, last)| last - days + 2);
        let mut notes = self.notes;
        if let (Some(from), Some(first)) = (kept_from, self.days.keys().next())
            && *first < from
        {
            *notes.entry(Note::Retention).or_default() += 1;
        }
        Source {
            name: self.name,
            files: self.files,
            granularity: self.granularity,
            totals: self.totals,
            coverage,
            days: self.days,
            kept_from,
            bill: self.bill,
            duplicates_dropped: self.duplicates,
            fields: self.fields,
            notes,
            sampling: self.sampling,
        }
    }
}
