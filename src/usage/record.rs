//! The normal form that every reader converts to: the use of one request, or of one bucket of requests.
//!
//! The size of a prompt is `input + cache_read + cache_write_*`; these parts never overlap. Reasoning is
//! part of `output`. Sources count differently, so each reader states which counts include which, and
//! `super::normal` converts them, once.

/// A model's number: its place among the names of models, in order of appearance.
pub type ModelId = u16;

/// Token counts of a record. A count that the source does not state is 0 here and false in [`Stated`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input: u64,
    pub cache_read: u64,
    /// Prompt tokens written to a cache that lives for five minutes.
    pub cache_write_5m: u64,
    /// Prompt tokens written to a cache that lives for an hour.
    pub cache_write_1h: u64,
    /// Prompt tokens written to a cache of another or unknown lifetime.
    pub cache_write_other: u64,
    /// Everything generated, reasoning included.
    pub output: u64,
    /// The part of `output` that was generated before the visible answer.
    pub reasoning: u64,
    pub stated: Stated,
}

/// Which counts the source states at all, so that an absent one is not taken for 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stated {
    pub cache_read: bool,
    pub cache_write: bool,
    pub reasoning: bool,
}

impl Tokens {
    /// All cache writes, whatever their lifetime.
    pub const fn cache_write(&self) -> u64 {
        self.cache_write_5m.saturating_add(self.cache_write_1h).saturating_add(self.cache_write_other)
    }
    /// All prompt tokens, cached or not.
    pub const fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write())
    }
    /// Prompt and output.
    pub const fn all(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
    /// The seven counts, in the order of the fields.
    pub const fn parts(&self) -> [u64; 7] {
        [
            self.input,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.cache_write_other,
            self.output,
            self.reasoning,
        ]
    }
}

/// The origin of a source's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// `start` is in seconds since 1970-01-01 UTC.
    #[default]
    Utc,
    /// `start` is in seconds since midnight of the first day of the trace, in local time; the date is not
    /// known.
    DayOne,
}

/// Time of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Start in seconds, from the origin that `clock` names.
    pub start: i64,
    /// Width of the bucket in seconds; 0 for an instant.
    pub span: u32,
    pub clock: Clock,
}

impl When {
    /// An instant, in seconds since 1970.
    pub const fn at(start: i64) -> Self {
        Self { start, span: 0, clock: Clock::Utc }
    }
    /// A bucket from `start` to `end`, both in seconds since 1970; `end` is not part of it.
    pub fn between(start: i64, end: i64) -> Self {
        Self { start, span: u32::try_from(end.saturating_sub(start)).unwrap_or(0), clock: Clock::Utc }
    }
}

/// The service tier of a request, as far as prices depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    #[default]
    Standard,
    /// Answered within hours, at a lower price; batch requests do not count for the peak.
    Batch,
    Priority,
    Flex,
    /// Faster output at a higher price.
    Fast,
}

impl Tier {
    /// The tier that a source's word stands for.
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "batch" => Self::Batch,
            "priority" => Self::Priority,
            "flex" => Self::Flex,
            "fast" => Self::Fast,
            _ => Self::Standard,
        }
    }
}

/// The use of one request, or of one bucket of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    pub when: Option<When>,
    pub model: ModelId,
    /// Number of requests; `None` where the source does not say.
    pub requests: Option<u64>,
    /// The record is a single request, so that it says how large requests are.
    pub single: bool,
    pub tokens: Tokens,
    /// Cost as the source states it, US dollars.
    pub usd: Option<f64>,
    pub tier: Tier,
    /// Were the prompts in the price tier for long contexts? `None` where the bucket does not say.
    pub long_context: Option<bool>,
}

impl Record {
    /// One request.
    pub const fn request(model: ModelId, when: Option<When>, tokens: Tokens) -> Self {
        Self {
            when,
            model,
            requests: Some(1),
            single: true,
            tokens,
            usd: None,
            tier: Tier::Standard,
            long_context: None,
        }
    }
    /// A bucket of requests; `requests` is `None` where the source does not count them.
    pub const fn bucket(model: ModelId, when: Option<When>, requests: Option<u64>, tokens: Tokens) -> Self {
        Self {
            when,
            model,
            requests,
            single: false,
            tokens,
            usd: None,
            tier: Tier::Standard,
            long_context: None,
        }
    }
    /// Was nothing used and nothing paid?
    pub fn is_empty(&self) -> bool {
        let requests = if self.single { 0 } else { self.requests.unwrap_or(0) };
        self.tokens.all() == 0 && requests == 0 && self.usd.is_none_or(|usd| usd == 0.0)
    }
}

/// How repeats of a record are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// There is no id: equal records are different requests.
    All,
    /// The first record with this id counts.
    First(u64),
    /// The record with the most tokens counts: answers are written while they stream, and an open bucket
    /// grows.
    Largest(Repeat),
    /// The last record with this id counts: the source rewrites its rows.
    Last(u64),
}

/// Identifies an answer that a source may write several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    pub id: u64,
    /// A second id, which tells two answers with the same first id apart; 0 where there is none.
    pub request: u16,
    /// It is a copy that another conversation keeps, and never counts as a second answer.
    pub copy: bool,
}

/// What skipping a record means for the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Not a model call, or a row without counts: nothing is missing.
    NotACall,
    /// A call that failed or was cancelled without tokens.
    Failed,
    /// A call whose tokens the source does not state: the totals are a lower bound.
    WithoutUsage,
    /// A call to an embedding model, which is counted separately.
    Embedding,
    /// Answered from a cache of the gateway: no model was called.
    ResponseCache,
    /// It cannot be read or cannot be true; the first few are reported with their line.
    Damaged,
}

/// Why records were skipped. The text may contain `{detail}`, `{requests}` and `{tokens}`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason {
    pub text: &'static str,
    pub class: Class,
}

impl Reason {
    pub const fn new(class: Class, text: &'static str) -> Self {
        Self { text, class }
    }
}

/// Reasons that occur with any source.
pub mod reason {
    use super::{Class, Reason};

    pub static ZERO_ROW: Reason = Reason::new(Class::NotACall, "zero row");
    pub static UNREADABLE_TIME: Reason = Reason::new(Class::Damaged, "unreadable time");
    pub static AMBIGUOUS_TIME: Reason =
        Reason::new(Class::Damaged, "ambiguous date: day or month first? (state its format with --map)");
    pub static FUTURE: Reason = Reason::new(Class::Damaged, "time in the future");
    pub static NEGATIVE: Reason = Reason::new(Class::Damaged, "negative count");
    pub static ABSURD: Reason = Reason::new(Class::Damaged, "absurd count");
    pub static NOT_A_NUMBER: Reason = Reason::new(Class::Damaged, "unreadable count");
    pub static AMBIGUOUS_NUMBER: Reason = Reason::new(
        Class::Damaged,
        "ambiguous number: thousands or decimals? (state which with a mapping file)",
    );
    pub static DAMAGED: Reason = Reason::new(Class::Damaged, "damaged line");
    pub static TORN: Reason = Reason::new(Class::Damaged, "torn JSON line (file still being written)");
    pub static TORN_ROW: Reason = Reason::new(Class::Damaged, "torn row (file still being written)");
    pub static TOO_LONG: Reason = Reason::new(Class::Damaged, "line longer than 32 MiB");
    pub static NEVER_CLOSED: Reason =
        Reason::new(Class::Damaged, "a quotation mark that is never closed: the rest could not be read");
    pub static NO_COUNTS: Reason = Reason::new(Class::WithoutUsage, "record without token counts");
    pub static TOO_MANY_MODELS: Reason =
        Reason::new(Class::Damaged, "more than 5,000 different model names in one import");
}

/// A record that is skipped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skip {
    pub reason: &'static Reason,
    /// Its kind, from a fixed list: text of a file never gets here.
    pub detail: Option<Detail>,
    /// Requests of what is counted separately, such as embeddings.
    pub requests: u64,
    pub tokens: u64,
    /// Its cost, US dollars: the bill includes everything that was paid.
    pub usd: Option<f64>,
}

impl Skip {
    pub const fn of(reason: &'static Reason) -> Self {
        Self { reason, detail: None, requests: 0, tokens: 0, usd: None }
    }
    #[must_use]
    pub const fn detail(mut self, detail: Detail) -> Self {
        self.detail = Some(detail);
        self
    }
    #[must_use]
    pub const fn counting(mut self, requests: u64, tokens: u64) -> Self {
        self.requests = requests;
        self.tokens = tokens;
        self
    }
    #[must_use]
    pub const fn costing(mut self, usd: Option<f64>) -> Self {
        self.usd = usd;
        self
    }
}

impl From<&'static Reason> for Skip {
    fn from(reason: &'static Reason) -> Self {
        Self::of(reason)
    }
}

/// A detail of a skipped record, which contains no text of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detail {
    /// A word of a fixed list.
    Word(&'static str),
    /// A status code or a number of requests.
    Number(i64),
    Model(ModelId),
}

impl Detail {
    /// `word`, if it is one of `known`; otherwise "other", because it could be a text of the file.
    pub fn of(word: Option<&str>, known: &[&'static str]) -> Self {
        let found = word.and_then(|word| known.iter().find(|k| k.eq_ignore_ascii_case(word)));
        Self::Word(found.unwrap_or(&"other"))
    }
}
