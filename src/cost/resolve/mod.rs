//! From what was given to a [`Case`]: user > measured > catalogue > declared default. A price or a
//! speed that is nowhere is an error that names the key, never 0.

mod all;
mod api;
mod blueprint;
mod hardware;
mod machine;
mod measured;
mod plans;
mod requests;
mod seats;
mod speed;
mod target;

use super::case::{
    Case, Elsewhere, Finance, Hybrid, InputRecord, Need, Notice, Offer, Pair, Quantity, Role, Slot, Supply,
    Values,
};
use super::defaults;
use super::keys::{self, finance, hybrid, local};
use super::scenario::Scenario;
use super::{compare, simulate};
use crate::catalog::{Catalog, RangeCase, RangeInput};
use crate::money::Currency;
use crate::provenance::{Cite, FileRole, Source, UserInput};
use crate::spelling::nearest;
use crate::workload::evidence::{Evidence, Figure, MeasuredTarget, TargetKind};
use crate::workload::keys::{Applies, Key, Section, find, need};
use crate::workload::{Fields, Range, Value};
use jiff::civil::Date;
use std::fmt;

pub use all::{Skipped, resolve_all};
pub use blueprint::Weighing;
pub use plans::{PlanCase, resolve_bills, resolve_plans};

/// What a scenario is completed from.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    pub catalog: &'a Catalog,
    pub evidence: Option<&'a Evidence>,
    pub today: Date,
    /// Add the comparators nobody asked for: the same open model by the token, the same GPU rented.
    pub comparators: bool,
}

/// Why a scenario cannot be computed.
#[derive(Debug, Clone, PartialEq)]
pub enum ResolveError {
    /// Keys without a value, each with the reason.
    Missing(Vec<MissingKey>),
    /// Two keys that cannot both hold, or a value that cannot be.
    Impossible { key: String, why: String },
    /// The model is too large for the hardware.
    DoesNotFit { key: String, error: Box<crate::capacity::CannotPredict> },
    /// A name that is in no list.
    Unknown { key: String, id: String, near: Vec<String>, why: Option<String> },
}

/// A key that must be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingKey {
    /// As in a scenario file: `local.purchase_usd`.
    pub key: String,
    pub why: String,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(keys) => {
                write!(f, "the cost cannot be computed without:")?;
                for MissingKey { key, why } in keys {
                    write!(f, "\n  {key} ({}): {why}", flag_of(key))?;
                }
                Ok(())
            }
            Self::DoesNotFit { key, error } => match error.as_ref() {
                crate::capacity::CannotPredict::DoesNotFit { model, hardware, format, needed, usable } => {
                    write!(
                        f,
                        "{key}: {hardware} cannot hold {model} at {format}: it needs {:.1} GB and {:.1} GB are usable",
                        needed / 1e9,
                        usable / 1e9
                    )
                }
                other @ crate::capacity::CannotPredict::Unknown(_) => write!(f, "{key}: {other}"),
            },
            Self::Impossible { key, why } => write!(f, "{key}: {why}"),
            Self::Unknown { key, id, near, why } => {
                write!(f, "{key}: `{id}` is not in the catalogue")?;
                if let Some(why) = why {
                    write!(f, " ({why})")?;
                }
                if near.is_empty() { Ok(()) } else { write!(f, "; did you mean {}?", near.join(" or ")) }
            }
        }
    }
}
impl std::error::Error for ResolveError {}

/// The flag of a key; that of a later offer is given again.
fn flag_of(key: &str) -> String {
    let flag = |key: &str| format!("--{}", key.replace('_', "-"));
    match key.split('.').collect::<Vec<_>>()[..] {
        [section, n, name] if n.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{} given for offer {n}", flag(&format!("{section}.{name}")))
        }
        _ => flag(key),
    }
}

/// A value found somewhere.
type Found = (Range, Source);

/// Complete a scenario.
pub fn resolve(scenario: &Scenario, basis: Basis<'_>) -> Result<Case, ResolveError> {
    let mut r = Resolver::new(basis);
    r.people = scenario.local.is_empty()
        || scenario.local.iter().any(|fields| {
            let by_hand = [local::PURCHASE, local::USD_PER_HOUR, local::UNITS]
                .iter()
                .any(|k| fields.contains_key(k.name));
            fields.contains_key(local::HARDWARE_ID.name)
                || fields.contains_key(local::STAFF_HOURS.name)
                || (fields.contains_key(local::MODEL.name) && !by_hand)
        });
    let finance = r.finance(&scenario.finance)?;
    let need = r.need(&scenario.need)?;
    let table = Table { section: Section::Need, fields: &scenario.need, prefix: "need" };
    let tier = r.whole(table, need::TIER, None);
    let hybrid = r.hybrid(&scenario.hybrid, &scenario.local);
    let hours_of_week = hybrid.as_ref().and_then(|h| h.profile.as_deref());

    let mut clouds = scenario.cloud.clone();
    let mut locals = Vec::with_capacity(scenario.local.len());
    for (n, fields) in scenario.local.iter().enumerate() {
        locals.push(owned(n, fields, basis.catalog)?);
    }
    if clouds.is_empty()
        && let Some(target) = r.target(TargetKind::Api)
    {
        clouds.push(target::fields_of_target(
            basis.evidence.map_or("", |e| e.file.as_str()),
            target,
            basis.catalog,
        ));
    }
    if locals.is_empty() && clouds.len() < 2 && r.target(TargetKind::Local).is_some() {
        locals.push(Fields::new());
    }
    let mut offers = Vec::new();
    for (n, fields) in clouds.iter().enumerate() {
        let offer = r.cloud(n, fields, &need, hours_of_week, &locals)?;
        offers.push(offer);
    }
    let asked_clouds = offers.len();
    for (n, fields) in locals.iter().enumerate() {
        let names = [local::HARDWARE_ID, local::NAME, local::PURCHASE, local::USD_PER_HOUR]
            .iter()
            .any(|k| fields.contains_key(k.name));
        // A model, and whether to buy or to rent for it: then the plan names the hardware.
        let planned = fields.contains_key(local::MODEL.name) && fields.contains_key(local::KIND.name);
        if names || planned || r.target(TargetKind::Local).is_some() {
            let offer = r.local(n, fields, &need, Role::Asked)?;
            offers.push(offer);
        } else {
            r.miss(&local_prefix(n, local::HARDWARE_ID.name), NO_HARDWARE);
        }
    }
    for offer in &offers {
        if let (Some(wanted), Some(has)) = (tier, offer.tier)
            && u32::from(has) > wanted
        {
            r.notices.push(Notice::BelowNeed { offer: offer.name.clone(), has, wanted });
        }
    }
    for target in basis.evidence.iter().flat_map(|e| e.stand_ins()) {
        r.notices.push(Notice::StandIn { target: target.id.clone() });
    }
    let asked = offers.len();
    if r.missing.is_empty() && basis.comparators {
        r.same_models(&mut offers, asked_clouds..asked, &need, hours_of_week);
        r.rented_gpus(&mut offers, &locals, asked_clouds..asked, &need);
    }
    let pairs = pairs(&offers, asked_clouds, asked);
    if pairs.is_empty() {
        if asked_clouds == asked && asked_clouds < 2 {
            r.miss("local.hardware", NO_HARDWARE);
        }
        if asked_clouds == 0 {
            r.miss("cloud.model", "what it is compared with (or cloud.name with its prices)");
        }
    }
    if !r.missing.is_empty() {
        return Err(ResolveError::Missing(r.missing));
    }
    Resolver::make_names_unique(&mut offers);
    let mut case = Case {
        need,
        finance,
        hybrid,
        offers,
        pairs,
        local_offers: (asked_clouds..asked).collect(),
        ranges: r.ranges,
        slot_inputs: r.slot_inputs,
        inputs: r.inputs,
        notices: r.notices,
        uncertain: r.uncertain,
        user_ranges: r.user_ranges,
    };
    one_currency(&case)?;
    check(&mut case)?;
    age(&mut case, basis.today);
    Ok(case)
}

/// What is owned already (`local.hosts`) as hardware that costs nothing to buy and of which there is so much.
fn owned(n: usize, fields: &Fields, catalog: &Catalog) -> Result<Fields, ResolveError> {
    let mut fields = fields.clone();
    let Some(given) = fields.get(local::HOSTS.name).cloned() else { return Ok(fields) };
    let key = local_prefix(n, local::HOSTS.name);
    let Value::Texts(texts) = &given.value else { return Ok(fields) };
    let [text] = texts.as_slice() else {
        return Err(impossible(
            &key,
            "machines of one kind are one offer: give each kind a [[local]] of its own",
        ));
    };
    let Some(named) = crate::plan::Named::parse(text) else {
        return Err(impossible(&key, format!("`{text}`: the number is 1 to {}", crate::plan::Named::MOST)));
    };
    if let (Some(place), Some(card)) = (named.place, catalog.accelerator(named.id)) {
        inside(place, card, named.number, catalog)
            .map_err(|why| impossible(&key, format!("`{text}`: {why}")))?;
    }
    let said = |value| crate::workload::Given { value, source: given.source.clone() };
    let number = |n: u32| said(Value::Number(Range::exactly(f64::from(n))));
    let id = named.id;
    if catalog.machine(id).is_some() {
        fields.entry(local::UNITS.name).or_insert_with(|| number(named.number));
    } else if catalog.accelerator(id).is_some() {
        fields.entry(local::GPUS_PER_UNIT.name).or_insert_with(|| number(named.number));
        fields.entry(local::UNITS.name).or_insert_with(|| number(1));
    } else {
        let ids = catalog.accelerators.iter().map(|a| a.id.as_str());
        let near = near_ids(id, ids.chain(catalog.machines.iter().map(|m| m.id.as_str())));
        return Err(ResolveError::Unknown { key, id: id.to_owned(), near, why: None });
    }
    fields.entry(local::HARDWARE_ID.name).or_insert_with(|| said(Value::Text(id.to_owned())));
    fields.entry(local::PURCHASE.name).or_insert_with(|| number(0));
    Ok(fields)
}

/// Does a computer like the one that was named take so many of the cards? The first reason why not.
fn inside(
    place: &str,
    card: &crate::catalog::Accelerator,
    number: u32,
    catalog: &Catalog,
) -> Result<(), String> {
    let complete = |m: &crate::catalog::Machine| {
        m.id.contains(place) && m.accelerator.as_deref() == Some(card.id.as_str())
    };
    if catalog.machines.iter().any(complete) {
        return Ok(());
    }
    let mut why = format!("no host like `{place}` takes {}", card.id);
    for (n, host) in catalog.hosts.iter().filter(|h| h.id.contains(place)).enumerate() {
        let slots = host.slots.number;
        let each = if host.slots.always_full() { slots } else { number.min(slots) };
        match host.carries(card, each) {
            Ok(()) => return Ok(()),
            Err(misfit) if n == 0 => {
                let at = crate::catalog::line_of("host", &host.id);
                let at = at.map_or_else(String::new, |at| format!(" ({at})"));
                why = format!("`{}`{at} takes no {}: {misfit}", host.id, card.id);
            }
            Err(_) => {}
        }
    }
    Err(why)
}

/// Without a rate every amount must be the user's, in the currency of the report: a price of the
/// catalogue or a default is in US dollars.
fn one_currency(case: &Case) -> Result<(), ResolveError> {
    let unrated = |n: &Notice| matches!(n, Notice::CurrencyWithoutRate { .. });
    if !case.notices.iter().any(unrated) {
        return Ok(());
    }
    let currency = case.finance.currency.code();
    let in_dollars = |i: &&InputRecord| {
        let ours = matches!(i.source, Source::Database { .. } | Source::Assumed { .. });
        i.unit.starts_with("USD") && ours && i.value.range().is_some_and(|r| r.high != 0.0)
    };
    match case.inputs.iter().find(in_dollars) {
        Some(input) => Err(impossible(
            "finance.usd_rate",
            format!(
                "no rate is known for {currency}, and {} is in US dollars; say how many {currency} one dollar buys",
                input.name
            ),
        )),
        None => Ok(()),
    }
}

const NO_HARDWARE: &str =
    "what would run the model (or local.purchase_usd or local.usd_per_hour, and its speed)";

/// `local.units`, or `local.2.units` for the second offer.
fn local_prefix(n: usize, key: &str) -> String {
    if n == 0 { format!("local.{key}") } else { format!("local.{}.{key}", n + 1) }
}

/// What is compared with what; what was asked for first.
fn pairs(offers: &[Offer], asked_clouds: usize, asked: usize) -> Vec<Pair> {
    let rented = |i: &usize| matches!(&offers[*i].supply, Supply::Machine(m) if m.is_rented());
    let mut pairs = Vec::new();
    let mut cross = |clouds: &mut dyn Iterator<Item = usize>, locals: &[usize]| {
        for cloud in clouds {
            pairs.extend(locals.iter().map(|&local| Pair { cloud, local }));
        }
    };
    let locals: Vec<usize> = (asked_clouds..asked).collect();
    if locals.is_empty() {
        let others: Vec<usize> = (1..asked_clouds).collect();
        cross(&mut (0..asked_clouds.min(1)), &others);
        return pairs;
    }
    cross(&mut (0..asked_clouds), &locals);
    // Hardware of one's own against the same work on rented hardware.
    let owned: Vec<usize> = locals.iter().copied().filter(|i| !rented(i)).collect();
    cross(&mut locals.iter().copied().filter(rented), &owned);
    let added = |role: Role| (asked..offers.len()).filter(move |&i| offers[i].role == role);
    cross(&mut added(Role::SameModel), &locals);
    cross(&mut added(Role::AsCapable), &locals);
    let gpus: Vec<usize> = added(Role::RentedGpu).collect();
    cross(&mut (0..asked_clouds), &gpus);
    pairs
}

/// What can only be seen once everything is known.
fn check(case: &mut Case) -> Result<(), ResolveError> {
    let likely = case.likely();
    let v = Values::of(&likely);
    let tokens = case.need.tokens(v);
    if tokens.total().get() <= 0.0 {
        return Err(impossible("need.output_tokens", "a request needs at least one token, in or out"));
    }
    if v.get(case.need.cached) + v.get(case.need.cache_write) > 1.0 + 1e-12 {
        return Err(impossible(
            "need.cache_write_input_share",
            "read and written shares add up to more than all input",
        ));
    }
    let mut notices = Vec::new();
    let mut seen = Vec::new();
    for pair in &case.pairs {
        let flow = compare::flow(case, *pair, v);
        if let super::case::Peak::Rate(slot) = case.need.peak {
            let hours: crate::units::Hours = v.get(case.need.hours);
            let mean = flow.requests.get() / (hours.get() * 3600.0);
            let peak: crate::units::RequestsPerSec = v.get(slot);
            if peak.get() < mean * (1.0 - 1e-9) {
                return Err(impossible(
                    "need.peak_requests_per_second",
                    format!("the peak of {} requests/s is below the mean of {mean:.4}", peak.get()),
                ));
            }
        }
        for index in [pair.local, pair.cloud] {
            let offer = &case.offers[index];
            let Supply::Machine(machine) = &offer.supply else { continue };
            if seen.contains(&index) {
                continue;
            }
            seen.push(index);
            match machine.units {
                Some(units) => notices.extend(load_notices(case, offer, machine, units, v, flow)?),
                None => notices.extend(tip_notice(case, offer, machine, v, flow)),
            }
        }
    }
    case.notices.extend(notices);
    Ok(())
}

fn load_notices(
    case: &Case,
    offer: &Offer,
    machine: &super::case::Machine,
    units: u32,
    v: Values<'_>,
    flow: simulate::Flow,
) -> Result<Option<Notice>, ResolveError> {
    let Some(utilisation) = compare::utilisation(case, machine, v, flow) else { return Ok(None) };
    let ceiling = v.get(machine.ceiling);
    if utilisation > 1.0 + 1e-9 {
        let needed = compare::needed_units(case, machine, v, flow).unwrap_or(units);
        return Err(impossible(
            "local.units",
            format!(
                "{units} unit(s) of {} would have to be busy {:.0} % of the time; the peak needs {needed}",
                offer.name,
                utilisation * 100.0
            ),
        ));
    }
    if utilisation > ceiling + 1e-9 {
        return Ok(Some(Notice::UtilisationAboveCeiling { offer: offer.name.clone(), utilisation, ceiling }));
    }
    let needed = compare::needed_units(case, machine, v, flow).unwrap_or(units);
    Ok((needed > units).then(|| Notice::PeakAboveCapacity { offer: offer.name.clone(), units, needed }))
}

/// A case this near below the step to one unit less says so: the speeds and the peak are not known to
/// the last tenth.
const TIP: f64 = 1.15;

fn tip_notice(
    case: &Case,
    offer: &Offer,
    machine: &super::case::Machine,
    v: Values<'_>,
    flow: simulate::Flow,
) -> Option<Notice> {
    // Copies that are staffed by the load have no ceiling to be just above of.
    if matches!(&machine.serving, Some(super::case::Serving::Copies(c)) if c.ceiling.is_none()) {
        return None;
    }
    let units = compare::needed_units(case, machine, v, flow).filter(|units| *units > 1)?;
    let work = machine.work(&case.need, v)?;
    let peak = machine.peak(&case.need, v, flow.requests, 1.0, flow.scale);
    let utilisation = peak.get() * work.get() / f64::from(units - 1);
    let ceiling = v.get(machine.ceiling);
    (utilisation <= ceiling * TIP).then(|| Notice::UnitForTheTip {
        offer: offer.name.clone(),
        units,
        utilisation,
        ceiling,
    })
}

/// Warn where a price is older than 90 days.
fn age(case: &mut Case, today: Date) {
    let money = |i: &&InputRecord| i.unit.starts_with("USD");
    let oldest = case
        .inputs
        .iter()
        .filter(money)
        .filter_map(|i| match &i.source {
            Source::Database { entry, as_of, .. } => Some((*as_of, entry.clone())),
            _ => None,
        })
        .min();
    if let Some((oldest, entry)) = oldest {
        let days = i64::from((today - oldest).get_days());
        if days > 90 {
            case.notices.push(Notice::OldPrices { oldest, days, entry });
        }
    }
}

pub(super) fn impossible(key: &str, why: impl Into<String>) -> ResolveError {
    ResolveError::Impossible { key: key.to_owned(), why: why.into() }
}

/// One table of the scenario while it is read.
#[derive(Clone, Copy)]
struct Table<'a> {
    section: Section,
    fields: &'a Fields,
    /// `local`, or `local.2` for the second offer.
    prefix: &'a str,
}

impl Table<'_> {
    fn text(&self, key: &Key) -> Option<&str> {
        self.fields.get(key.name).and_then(|g| g.value.text())
    }
    fn flag(&self, key: &Key) -> bool {
        self.fields.get(key.name).is_some_and(|g| g.value == Value::Flag(true))
    }
    fn has(&self, key: &Key) -> bool {
        self.fields.contains_key(key.name)
    }
    fn path(&self, key: &Key) -> String {
        format!("{}.{}", self.prefix, key.name)
    }
}

/// Collects slots and inputs as they are found.
struct Resolver<'a> {
    basis: Basis<'a>,
    ranges: Vec<Range>,
    slot_inputs: Vec<usize>,
    inputs: Vec<InputRecord>,
    notices: Vec<Notice>,
    missing: Vec<MissingKey>,
    uncertain: bool,
    user_ranges: bool,
    currency: String,
    usd_rate: Option<f64>,
    /// Somebody looks after the local side; so somebody looks after an API.
    people: bool,
    /// Why the measurement is not the current offer's.
    elsewhere: Option<Elsewhere>,
}

impl<'a> Resolver<'a> {
    fn new(basis: Basis<'a>) -> Self {
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

    /// Note a missing key once.
    fn miss(&mut self, key: &str, why: &str) {
        if !self.missing.iter().any(|m| m.key == key) {
            self.missing.push(MissingKey { key: key.to_owned(), why: why.to_owned() });
        }
    }

    /// Tokens of one request at the likely values, or at the highest. The need's slots come first,
    /// so that the many of a catalogue need not be looked at.
    fn likely_request(&self, need: &Need) -> simulate::RequestTokens {
        self.request(need, |r| r.likely)
    }
    fn largest_request(&self, need: &Need) -> simulate::RequestTokens {
        self.request(need, |r| r.high)
    }
    fn request(&self, need: &Need, of: impl Fn(&Range) -> f64) -> simulate::RequestTokens {
        let values: Vec<f64> = self.ranges.iter().take(need.hours.index() + 1).map(of).collect();
        need.tokens(Values::of(&values))
    }

    /// Echo an input that is no number of the simulation.
    fn echo(&mut self, name: String, unit: &'static str, value: Value, source: Source) {
        self.inputs.push(InputRecord { name, unit, value, source });
    }

    /// A slot for a value that was found.
    fn slot<Q: Quantity>(&mut self, name: String, unit: &'static str, found: Found) -> Slot<Q> {
        self.uncertain |= found.0.is_wide();
        self.inputs.push(InputRecord { name, unit, value: Value::Number(found.0), source: found.1 });
        self.slot_inputs.push(self.inputs.len() - 1);
        self.ranges.push(found.0);
        Slot::at(self.ranges.len() - 1)
    }

    /// The value of a key: as given, else as found, else its declared default; else it is missing.
    fn number<Q: Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        found: Option<Found>,
        missing: &str,
    ) -> Slot<Q> {
        let fallback = found.or_else(|| self.assumed(key));
        self.number_or(table, key, fallback, missing)
    }

    /// What is assumed of a key that nobody gave: the range of inputs that are never known exactly, else
    /// the declared default.
    fn assumed(&self, key: &Key) -> Option<Found> {
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

    /// A range of the catalogue, as it stands.
    fn range_of(&self, input: RangeInput, case: RangeCase) -> Option<Found> {
        let r = self.basis.catalog.range(input, case)?;
        let range = Range { low: r.low, likely: r.likely, high: r.high };
        Some((range, Source::assumed(r.id.clone(), r.reason.clone())))
    }

    /// A figure of the catalogue with the range such figures have; its source stays the figure's.
    fn spread(&self, found: Option<Found>, input: RangeInput, case: RangeCase) -> Option<Found> {
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

    /// As [`Self::number`], without looking for a default.
    fn number_or<Q: Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        found: Option<Found>,
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
    fn given(&mut self, table: Table<'_>, key: &Key) -> Option<Found> {
        let given = table.fields.get(key.name)?;
        let range = given.value.range()?;
        self.user_ranges |= matches!(given.value, Value::Uncertain(_));
        self.uncertain |= self.user_ranges;
        Some((range, given.source.clone()))
    }

    /// A whole number that shapes the calculation rather than taking part in it.
    fn whole(&mut self, table: Table<'_>, key: &'static Key, fallback: Option<(u32, Source)>) -> Option<u32> {
        let given = self.given(table, key).map(|(r, source)| {
            // Checked to be a whole number up to 1e9 when it was read.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let whole = r.likely as u32;
            (whole, source)
        });
        let (value, source) = given.or(fallback)?;
        self.echo(table.path(key), key.unit, Value::Number(Range::exactly(f64::from(value))), source);
        Some(value)
    }

    /// A key that changes nothing about this kind of offer is refused: echoed and dropped, it would
    /// look as if it counted. In a ranking the keys are meant for whichever offers they concern.
    fn refuse_without_effect(table: Table<'_>, kind: Applies, what: &str) -> Result<(), ResolveError> {
        if table.prefix.starts_with("all.") || table.prefix.starts_with("comparator") {
            return Ok(());
        }
        let keys = keys::of(table.section);
        // A document echoes what was assumed for any offer; read back, it asks for nothing.
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

    /// Text the user gave, echoed.
    fn text(&mut self, table: Table<'_>, key: &'static Key) -> Option<String> {
        let given = table.fields.get(key.name)?;
        let text = given.value.text()?.to_owned();
        self.echo(table.path(key), "", given.value.clone(), given.source.clone());
        Some(text)
    }

    /// An amount in USD, where the rate is known.
    fn to_usd(&self, amount: f64, currency: &str) -> Option<f64> {
        if currency == "USD" {
            return Some(amount);
        }
        if let Some(rate) = self.usd_rate.filter(|_| currency == self.currency) {
            return Some(amount / rate);
        }
        self.basis.catalog.currencies.iter().find(|c| c.id == currency).map(|c| amount * c.usd)
    }

    fn target(&self, kind: TargetKind) -> Option<&'a MeasuredTarget> {
        self.basis.evidence.and_then(|e| e.targets.iter().find(|t| t.kind == kind))
    }

    /// A measured value and where it stands.
    fn measured(&self, figure: Option<&Figure>) -> Option<Found> {
        let file = &self.basis.evidence?.file;
        figure.filter(|f| f.value.is_finite()).map(|f| (Range::exactly(f.value), f.source(file)))
    }

    /// Share of a target's answers that passed, and where it stands.
    fn passes(&self, target: Option<&MeasuredTarget>) -> Option<(f64, Source)> {
        let (rate, source) = self.measured(target?.pass_rate.as_ref())?;
        Some((rate.likely, source))
    }

    fn finance(&mut self, fields: &Fields) -> Result<Finance, ResolveError> {
        let table = Table { section: Section::Finance, fields, prefix: "finance" };
        let discount = self.number(table, finance::DISCOUNT_RATE, None, "");
        if let Some(currency) = self.text(table, finance::CURRENCY) {
            if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(impossible(
                    "finance.currency",
                    format!("`{currency}` is no ISO 4217 code, such as EUR"),
                ));
            }
            self.currency = currency;
        }
        let listed = self
            .basis
            .catalog
            .currencies
            .iter()
            .find(|c| c.id == self.currency && c.usd > 0.0)
            .map(|c| database(1.0 / c.usd, "currency", &c.id, &c.cite("usd")));
        let given = self.given(table, finance::USD_RATE);
        if let Some((rate, _)) = &given {
            if self.currency == "USD" && (rate.likely - 1.0).abs() > 1e-9 {
                return Err(impossible(
                    "finance.usd_rate",
                    "a rate needs the currency it is of: set finance.currency, such as EUR",
                ));
            }
            // Written the wrong supply round it is nearer to the reciprocal of the known rate.
            if let Some((known, _)) = &listed {
                let off = (rate.likely / known.likely).ln().abs();
                if (rate.likely * known.likely).ln().abs() < off.min(0.1) {
                    let (currency, given, known) = (self.currency.clone(), rate.likely, known.likely);
                    self.notices.push(Notice::RateLooksInverted { currency, given, known });
                }
            }
        }
        if let Some((rate, source)) = given.or(listed) {
            self.usd_rate = Some(rate.likely);
            self.echo(finance::USD_RATE.path(), finance::USD_RATE.unit, Value::Number(rate), source);
        } else if self.currency != "USD" {
            self.notices.push(Notice::CurrencyWithoutRate { currency: self.currency.clone() });
        }
        let currency = Currency::new(&self.currency, self.usd_rate.unwrap_or(1.0));
        Ok(Finance { discount, currency })
    }

    fn hybrid(&mut self, fields: &Fields, locals: &[Fields]) -> Option<Hybrid> {
        if fields.is_empty() {
            return None;
        }
        let table = Table { section: Section::Hybrid, fields, prefix: "hybrid" };
        // Which kinds of work the local model was shown to take over, and how many of their answers fail.
        let quality = self
            .basis
            .evidence
            .filter(|_| self.measured_model_is_of(locals))
            .and_then(|e| e.quality.as_ref());
        let moved = self.measured(quality.and_then(|q| q.moved_share.as_ref()));
        let fails = self.measured(quality.and_then(|q| q.escalation_share.as_ref()));
        let local_share = self.number(table, hybrid::LOCAL_SHARE, moved, "");
        let escalation = self.number(table, hybrid::ESCALATION_SHARE, fails, "");
        let profile = fields.get(hybrid::PROFILE.name).map(|g| {
            self.echo("hybrid.profile".to_owned(), "", g.value.clone(), g.source.clone());
            super::hybrid::hours_of_week(&g.value)
        });
        let routed = table.has(hybrid::LOCAL_SHARE) || table.has(hybrid::ESCALATION_SHARE);
        Some(Hybrid { local_share, escalation, profile, routed })
    }

    fn make_names_unique(offers: &mut [Offer]) {
        for n in 1..offers.len() {
            let (before, rest) = offers.split_at_mut(n);
            let taken = |name: &str| before.iter().any(|o| o.name == name);
            if !taken(&rest[0].name) {
                continue;
            }
            // The same cards in another computer.
            if let Some(plan) = rest[0].plan.as_deref().filter(|p| p.machine.in_host) {
                rest[0].name = format!("{} in {}", rest[0].name, plan.machine.name);
            }
            let base = rest[0].name.clone();
            let mut count = 2;
            while before.iter().any(|o| o.name == rest[0].name) {
                rest[0].name = format!("{base} ({count})");
                count += 1;
            }
        }
    }
}

/// Fills the slot of a missing value: the case is refused before anything reads it.
fn unknown() -> Found {
    (Range::exactly(1.0), Source::assumed("missing", "not known"))
}

/// A catalogue figure.
fn database(value: f64, kind: &str, id: &str, cite: &Cite) -> Found {
    let source =
        Source::Database { entry: format!("{kind} {id}"), source: cite.source.clone(), as_of: cite.as_of };
    (Range::exactly(value), source)
}

/// The declared default for a dotted key.
fn default_of(key: &str) -> Option<Found> {
    defaults::of(key).map(|d| (Range::exactly(d.number()), d.source()))
}

/// Names in the catalogue most like an id.
fn near_ids<'b>(id: &str, ids: impl Iterator<Item = &'b str>) -> Vec<String> {
    nearest(id, ids, 3)
}
