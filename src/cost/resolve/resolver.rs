//! Finds the value of each key, and keeps it with its source: user > measurement > catalogue > declared
//! default.

use super::error::{MissingKey, ResolveError, impossible};
use crate::catalog::{Catalog, RangeCase, RangeInput};
use crate::cost::case::{Elsewhere, InputRecord, Need, Notice, Quantity, Slot, Values};
use crate::cost::keys::{hybrid, local};
use crate::cost::{defaults, keys, simulate};
use crate::provenance::{Cite, FileRole, Source, UserInput};
use crate::spelling::nearest;
use crate::workload::evidence::{Evidence, Figure, MeasuredTarget, TargetKind};
use crate::workload::keys::{Applies, Key, Section, find, need};
use crate::workload::{Fields, Range, Value};
use jiff::civil::Date;

/// What a scenario is completed from, beside itself.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    pub catalog: &'a Catalog,
    pub evidence: Option<&'a Evidence>,
    pub today: Date,
    /// Add comparators that nobody asked for: the same open model by the token, and the same GPU rented.
    pub comparators: bool,
}

/// A value that was found, with its source.
pub(super) type SourcedRange = (Range, Source);

/// One table of the scenario, with its path.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub section: Section,
    pub fields: &'a Fields,
    /// Path of the table: `local`, or `local.2` for the second offer.
    pub prefix: &'a str,
}

impl Table<'_> {
    pub(super) fn text(&self, key: &Key) -> Option<&str> {
        self.fields.get(key.name).and_then(|g| g.value.text())
    }
    pub(super) fn flag(&self, key: &Key) -> bool {
        self.fields.get(key.name).is_some_and(|g| g.value == Value::Flag(true))
    }
    pub(super) fn has(&self, key: &Key) -> bool {
        self.fields.contains_key(key.name)
    }
    pub(super) fn path(&self, key: &Key) -> String {
        format!("{}.{}", self.prefix, key.name)
    }
}

/// Collects slots, inputs and notices while keys are looked up.
pub(super) struct Resolver<'a> {
    pub basis: Basis<'a>,
    pub ranges: Vec<Range>,
    pub slot_inputs: Vec<usize>,
    pub inputs: Vec<InputRecord>,
    pub notices: Vec<Notice>,
    pub missing: Vec<MissingKey>,
    pub uncertain: bool,
    pub user_ranges: bool,
    pub currency: String,
    pub usd_rate: Option<f64>,
    /// People look after the local side, so people are counted for an API, too.
    pub people: bool,
    /// Why the measurement does not apply to the offer that is being read.
    pub elsewhere: Option<Elsewhere>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(basis: Basis<'a>) -> Self {
        Self {
            basis,
            ranges: Vec::with_capacity(64),
            slot_inputs: Vec::with_capacity(64),
            inputs: Vec::with_capacity(64),
            notices: Vec::new(),
            missing: Vec::new(),
            uncertain: false,
            user_ranges: false,
            currency: "USD".to_owned(),
            usd_rate: None,
            people: false,
            elsewhere: None,
        }
    }

    /// Report a missing key, once.
    pub(super) fn miss(&mut self, key: &str, why: &str) {
        if !self.missing.iter().any(|m| m.key == key) {
            self.missing.push(MissingKey { key: key.to_owned(), why: why.to_owned() });
        }
    }

    /// Tokens of one request at the likely values. The need's slots come first, so that the many slots of a
    /// whole catalogue need not be searched.
    pub(super) fn likely_request(&self, need: &Need) -> simulate::RequestTokens {
        self.request(need, |r| r.likely)
    }
    pub(super) fn largest_request(&self, need: &Need) -> simulate::RequestTokens {
        self.request(need, |r| r.high)
    }
    pub(super) fn request(&self, need: &Need, of: impl Fn(&Range) -> f64) -> simulate::RequestTokens {
        let values: Vec<f64> = self.ranges.iter().take(need.hours.index() + 1).map(of).collect();
        need.tokens(Values::of(&values))
    }

    /// List an input that is not a number of the simulation.
    pub(super) fn echo(&mut self, name: String, unit: &'static str, value: Value, source: Source) {
        self.inputs.push(InputRecord { name, unit, value, source });
    }

    /// A slot for a value that was found.
    pub(super) fn slot<Q: Quantity>(
        &mut self,
        name: String,
        unit: &'static str,
        found: SourcedRange,
    ) -> Slot<Q> {
        self.uncertain |= found.0.is_wide();
        self.inputs.push(InputRecord { name, unit, value: Value::Number(found.0), source: found.1 });
        self.slot_inputs.push(self.inputs.len() - 1);
        self.ranges.push(found.0);
        Slot::at(self.ranges.len() - 1)
    }

    /// The value of a key: as given, or else as found, or else its declared default; otherwise it is
    /// reported as missing.
    pub(super) fn number<Q: Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        found: Option<SourcedRange>,
        missing: &str,
    ) -> Slot<Q> {
        let fallback = found.or_else(|| self.assumed(key));
        self.number_or(table, key, fallback, missing)
    }

    /// The assumption for a key that nobody gave: the catalogue's range for values that are never known
    /// exactly, or else the declared default.
    pub(super) fn assumed(&self, key: &Key) -> Option<SourcedRange> {
        let (input, case) = match key {
            k if k == need::VOLUME_FACTOR => (RangeInput::Volume, RangeCase::Any),
            k if k == need::PEAK_TO_MEAN => (RangeInput::PeakToMean, RangeCase::Any),
            k if k == keys::cloud::PRICE_CHANGE => (RangeInput::ApiPriceChange, RangeCase::SameModel),
            k if k == keys::cloud::STAFF_HOURS && self.people => (RangeInput::StaffHours, RangeCase::Api),
            k if k == hybrid::ESCALATION_SHARE => (RangeInput::Escalation, RangeCase::Any),
            k if k == local::CEILING => (RangeInput::Ceiling, RangeCase::Any),
            _ => return default_of(&key.path()),
        };
        self.range_of(input, case).or_else(|| default_of(&key.path()))
    }

    /// A range of the catalogue, unchanged.
    pub(super) fn range_of(&self, input: RangeInput, case: RangeCase) -> Option<SourcedRange> {
        let r = self.basis.catalog.range(input, case)?;
        let range = Range { low: r.low, likely: r.likely, high: r.high };
        Some((range, Source::assumed(r.id.clone(), r.reason.clone())))
    }

    /// A figure of the catalogue, widened to the range that such figures have; its source stays that of the
    /// figure.
    pub(super) fn spread(
        &self,
        found: Option<SourcedRange>,
        input: RangeInput,
        case: RangeCase,
    ) -> Option<SourcedRange> {
        let (range, source) = found?;
        let wide =
            self.basis.catalog.range(input, case).filter(|_| matches!(source, Source::Database { .. }));
        Some(match wide {
            Some(r) if !range.is_wide() => (
                Range {
                    low: range.likely * r.low,
                    likely: range.likely * r.likely,
                    high: range.likely * r.high,
                },
                source,
            ),
            _ => (range, source),
        })
    }

    /// Like [`Self::number`], but with the caller's alternative in place of a declared default.
    pub(super) fn number_or<Q: Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        found: Option<SourcedRange>,
        missing: &str,
    ) -> Slot<Q> {
        let path = table.path(key);
        if let Some(found) = self.given(table, key).or(found) {
            return self.slot(path, key.unit, found);
        }
        self.miss(&path, missing);
        self.slot(path, key.unit, unknown())
    }

    /// A number the user gave.
    pub(super) fn given(&mut self, table: Table<'_>, key: &Key) -> Option<SourcedRange> {
        let given = table.fields.get(key.name)?;
        let range = given.value.range()?;
        self.user_ranges |= matches!(given.value, Value::Uncertain(_));
        self.uncertain |= self.user_ranges;
        Some((range, given.source.clone()))
    }

    /// A whole number that shapes the calculation instead of taking part in it.
    pub(super) fn whole(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        fallback: Option<(u32, Source)>,
    ) -> Option<u32> {
        let given = self.given(table, key).map(|(r, source)| {
            // A whole number of at most 1e9, as checked when it was read.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let whole = r.likely as u32;
            (whole, source)
        });
        let (value, source) = given.or(fallback)?;
        self.echo(table.path(key), key.unit, Value::Number(Range::exactly(f64::from(value))), source);
        Some(value)
    }

    /// Refuse keys that have no effect on this kind of offer: if they were listed and ignored, they would
    /// seem to count. In a ranking a key is meant for the offers that it concerns.
    pub(super) fn refuse_without_effect(
        table: Table<'_>,
        kind: Applies,
        what: &str,
    ) -> Result<(), ResolveError> {
        if table.prefix.starts_with("all.") || table.prefix.starts_with("comparator") {
            return Ok(());
        }
        let keys = keys::of(table.section);
        // A document also lists assumptions made for other kinds of offers; when it is read back, these are
        // no demands.
        let given = table.fields.iter().filter(|(_, given)| {
            !matches!(&given.source, Source::User(UserInput::File { role: FileRole::Document, .. }))
        });
        match given.filter_map(|(name, _)| find(keys, name)).find(|key| !key.applies.to(kind)) {
            Some(key) => Err(impossible(
                &table.path(key),
                format!("has no effect on {what}; leave it out, so that nothing looks counted that is not"),
            )),
            None => Ok(()),
        }
    }

    /// A text that the user gave, listed as an input.
    pub(super) fn text(&mut self, table: Table<'_>, key: &'static Key) -> Option<String> {
        let given = table.fields.get(key.name)?;
        let text = given.value.text()?.to_owned();
        self.echo(table.path(key), "", given.value.clone(), given.source.clone());
        Some(text)
    }

    /// An amount in US dollars; `None` where the exchange rate is not known.
    pub(super) fn to_usd(&self, amount: f64, currency: &str) -> Option<f64> {
        if currency == "USD" {
            return Some(amount);
        }
        if let Some(rate) = self.usd_rate.filter(|_| currency == self.currency) {
            return Some(amount / rate);
        }
        self.basis.catalog.currencies.iter().find(|c| c.id == currency).map(|c| amount * c.usd)
    }

    pub(super) fn target(&self, kind: TargetKind) -> Option<&'a MeasuredTarget> {
        self.basis.evidence.and_then(|e| e.targets.iter().find(|t| t.kind == kind))
    }

    /// A measured value, with the place of the figure in its document.
    pub(super) fn measured(&self, figure: Option<&Figure>) -> Option<SourcedRange> {
        let file = &self.basis.evidence?.file;
        figure.filter(|f| f.value.is_finite()).map(|f| (Range::exactly(f.value), f.source(file)))
    }

    /// Share of a target's answers that passed, with the place of the figure in its document.
    pub(super) fn passes(&self, target: Option<&MeasuredTarget>) -> Option<(f64, Source)> {
        let (rate, source) = self.measured(target?.pass_rate.as_ref())?;
        Some((rate.likely, source))
    }
}

/// A placeholder for a missing value: the case is refused before anything reads it.
pub(super) fn unknown() -> SourcedRange {
    (Range::exactly(1.0), Source::assumed("missing", "not known"))
}

/// A figure of the catalogue, with its source.
pub(super) fn database(value: f64, kind: &str, id: &str, cite: &Cite) -> SourcedRange {
    let source =
        Source::Database { entry: format!("{kind} {id}"), source: cite.source.clone(), as_of: cite.as_of };
    (Range::exactly(value), source)
}

/// The declared default for a key, by its dotted name.
pub(super) fn default_of(key: &str) -> Option<SourcedRange> {
    defaults::of(key).map(|d| (Range::exactly(d.number()), d.source()))
}

/// Names in the catalogue that are most like an id.
pub(super) fn near_ids<'b>(id: &str, ids: impl Iterator<Item = &'b str>) -> Vec<String> {
    nearest(id, ids, 3)
}
