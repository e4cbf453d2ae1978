//! From what was given to a [`Plan`]: user > measured > catalogue > declared default. A price or a
//! speed that is nowhere is an error that names the key, never 0.

mod all;
mod cloud;
mod hardware;
mod local;
mod measured;
mod need;
mod speed;

use super::defaults;
use super::keys::{self, Key, Section};
use super::plan::{
    Elsewhere, Finance, Hybrid, InputRecord, Need, Notice, Offer, Pair, Plan, Quantity, Role, Slot, Values,
    Way,
};
use super::scenario::{Fields, Range, Scenario, Value};
use super::{compare, simulate};
use crate::catalog::Catalog;
use crate::provenance::{Cite, Source};
use crate::spelling::nearest;
use crate::workload::{Evidence, MeasuredTarget, TargetKind};
use jiff::civil::Date;
use std::fmt;

pub use all::{Skipped, resolve_all};

/// What a scenario is completed from.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
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
pub fn resolve(scenario: &Scenario, known: Known<'_>) -> Result<Plan, ResolveError> {
    let mut r = Resolver::new(known);
    let finance = r.finance(&scenario.finance)?;
    let need = r.need(&scenario.need)?;
    let table = Table { section: Section::Need, fields: &scenario.need, prefix: "need" };
    let tier = r.whole(table, "tier", None);
    let hybrid = r.hybrid(&scenario.hybrid);
    let hours_of_week = hybrid.as_ref().and_then(|h| h.profile.as_deref());

    let mut clouds = scenario.cloud.clone();
    let mut locals = scenario.local.clone();
    if clouds.is_empty()
        && let Some(target) = r.target(TargetKind::Api)
    {
        clouds.push(cloud::fields_of_target(target, known.catalog));
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
        let names =
            ["hardware", "name", "purchase_usd", "usd_per_hour"].iter().any(|k| fields.contains_key(k));
        if names || r.target(TargetKind::Local).is_some() {
            let offer = r.local(n, fields, &need, Role::Asked)?;
            offers.push(offer);
        } else {
            r.miss(&local_prefix(n, "hardware"), NO_HARDWARE);
        }
    }
    for offer in &offers {
        if let (Some(wanted), Some(has)) = (tier, offer.tier)
            && u32::from(has) > wanted
        {
            r.notices.push(Notice::BelowNeed { offer: offer.name.clone(), has, wanted });
        }
    }
    for target in known.evidence.iter().flat_map(|e| e.stand_ins()) {
        r.notices.push(Notice::StandIn { target: target.id.clone() });
    }
    let asked = offers.len();
    if r.missing.is_empty() && known.comparators {
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
    let mut plan = Plan {
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
    check(&mut plan)?;
    age(&mut plan, known.today);
    Ok(plan)
}

const NO_HARDWARE: &str =
    "what would run the model (or local.purchase_usd or local.usd_per_hour, and its speed)";

/// `local.units`, or `local.2.units` for the second offer.
fn local_prefix(n: usize, key: &str) -> String {
    if n == 0 { format!("local.{key}") } else { format!("local.{}.{key}", n + 1) }
}

/// What is compared with what; what was asked for first.
fn pairs(offers: &[Offer], asked_clouds: usize, asked: usize) -> Vec<Pair> {
    let rented = |i: &usize| matches!(&offers[*i].way, Way::Machine(m) if m.is_rented());
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
    let gpus: Vec<usize> = added(Role::RentedGpu).collect();
    cross(&mut (0..asked_clouds), &gpus);
    pairs
}

/// What can only be seen once everything is known.
fn check(plan: &mut Plan) -> Result<(), ResolveError> {
    let likely = plan.likely();
    let v = Values(&likely);
    let tokens = plan.need.tokens(v);
    if tokens.total().get() <= 0.0 {
        return Err(impossible("need.output_tokens", "a request needs at least one token, in or out"));
    }
    if v.get(plan.need.cached) + v.get(plan.need.cache_write) > 1.0 + 1e-12 {
        return Err(impossible(
            "need.cache_write_input_share",
            "read and written shares add up to more than all input",
        ));
    }
    let mut notices = Vec::new();
    let mut seen = Vec::new();
    for pair in &plan.pairs {
        let flow = compare::flow(plan, *pair, v);
        if let super::plan::Peak::Rate(slot) = plan.need.peak {
            let hours: crate::units::Hours = v.get(plan.need.hours);
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
            let offer = &plan.offers[index];
            let Way::Machine(machine) = &offer.way else { continue };
            if seen.contains(&index) {
                continue;
            }
            seen.push(index);
            match machine.units {
                Some(units) => notices.extend(load_notices(plan, offer, machine, units, v, flow)?),
                None => notices.extend(tip_notice(plan, offer, machine, v, flow)),
            }
        }
    }
    plan.notices.extend(notices);
    Ok(())
}

fn load_notices(
    plan: &Plan,
    offer: &Offer,
    machine: &super::plan::Machine,
    units: u32,
    v: Values<'_>,
    flow: simulate::Flow,
) -> Result<Option<Notice>, ResolveError> {
    let Some(utilisation) = compare::utilisation(plan, machine, v, flow) else { return Ok(None) };
    let ceiling = v.get(machine.ceiling);
    if utilisation > 1.0 + 1e-9 {
        let needed = compare::needed_units(plan, machine, v, flow).unwrap_or(units);
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
    let needed = compare::needed_units(plan, machine, v, flow).unwrap_or(units);
    Ok((needed > units).then(|| Notice::PeakAboveCapacity { offer: offer.name.clone(), units, needed }))
}

/// A plan this near below the step to one unit less says so: the speeds and the peak are not known to
/// the last tenth.
const TIP: f64 = 1.15;

fn tip_notice(
    plan: &Plan,
    offer: &Offer,
    machine: &super::plan::Machine,
    v: Values<'_>,
    flow: simulate::Flow,
) -> Option<Notice> {
    let units = compare::needed_units(plan, machine, v, flow).filter(|units| *units > 1)?;
    let work = machine.work(&plan.need, v)?;
    let peak = machine.peak(&plan.need, v, flow.requests, 1.0, flow.scale);
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
fn age(plan: &mut Plan, today: Date) {
    let money = |i: &&InputRecord| i.unit.starts_with("USD");
    let oldest = plan
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
            plan.notices.push(Notice::OldPrices { oldest, days, entry });
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
    fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key).and_then(|g| g.value.text())
    }
    fn flag(&self, key: &str) -> bool {
        self.fields.get(key).is_some_and(|g| g.value == Value::Flag(true))
    }
    fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }
    fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }
}

/// Collects slots and inputs as they are found.
struct Resolver<'a> {
    known: Known<'a>,
    ranges: Vec<Range>,
    slot_inputs: Vec<usize>,
    inputs: Vec<InputRecord>,
    notices: Vec<Notice>,
    missing: Vec<MissingKey>,
    uncertain: bool,
    user_ranges: bool,
    currency: String,
    usd_rate: Option<f64>,
    /// Why the measurement is not the current offer's.
    elsewhere: Option<Elsewhere>,
}

impl<'a> Resolver<'a> {
    fn new(known: Known<'a>) -> Self {
        Self {
            known,
            ranges: Vec::with_capacity(64),
            slot_inputs: Vec::with_capacity(64),
            inputs: Vec::with_capacity(64),
            notices: Vec::new(),
            missing: Vec::new(),
            uncertain: false,
            user_ranges: false,
            currency: "USD".to_owned(),
            usd_rate: None,
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
        need.tokens(Values(&values))
    }

    /// Echo an input that is no number of the simulation.
    fn echo(&mut self, name: String, unit: &'static str, value: Value, source: Source) {
        self.inputs.push(InputRecord { name, unit, value, source });
    }

    /// A slot for a value that was found.
    fn slot<Q: Quantity>(&mut self, name: String, unit: &'static str, found: Found) -> Slot<Q> {
        self.inputs.push(InputRecord { name, unit, value: Value::Number(found.0), source: found.1 });
        self.slot_inputs.push(self.inputs.len() - 1);
        self.ranges.push(found.0);
        Slot::at(self.ranges.len() - 1)
    }

    /// The value of a key: as given, else as found, else its declared default; else it is missing.
    fn number<Q: Quantity>(
        &mut self,
        table: Table<'_>,
        name: &'static str,
        found: Option<Found>,
        missing: &str,
    ) -> Slot<Q> {
        let default = defaults::of(&format!("{}.{name}", table.section.name()));
        let fallback = found.or_else(|| default.map(|d| (Range::exactly(d.number()), d.source())));
        self.number_or(table, name, fallback, missing)
    }

    /// As [`Self::number`], without looking for a default.
    fn number_or<Q: Quantity>(
        &mut self,
        table: Table<'_>,
        name: &'static str,
        found: Option<Found>,
        missing: &str,
    ) -> Slot<Q> {
        let unit = keys::find(table.section, name).map_or("", |k: &Key| k.unit);
        let path = table.path(name);
        if let Some(found) = self.given(table, name).or(found) {
            return self.slot(path, unit, found);
        }
        self.miss(&path, missing);
        self.slot(path, unit, (Range::exactly(1.0), Source::User { via: String::new() }))
    }

    /// A number the user gave.
    fn given(&mut self, table: Table<'_>, name: &str) -> Option<Found> {
        let given = table.fields.get(name)?;
        let range = given.value.range()?;
        self.user_ranges |= matches!(given.value, Value::Uncertain(_));
        self.uncertain |= self.user_ranges;
        Some((range, Source::User { via: given.via.clone() }))
    }

    /// A whole number that shapes the calculation rather than taking part in it.
    fn whole(
        &mut self,
        table: Table<'_>,
        name: &'static str,
        fallback: Option<(u32, Source)>,
    ) -> Option<u32> {
        let unit = keys::find(table.section, name).map_or("", |k| k.unit);
        let given = self.given(table, name).map(|(r, source)| {
            // Checked to be a whole number up to 1e9 when it was read.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let whole = r.likely as u32;
            (whole, source)
        });
        let (value, source) = given.or(fallback)?;
        self.echo(table.path(name), unit, Value::Number(Range::exactly(f64::from(value))), source);
        Some(value)
    }

    /// Text the user gave, echoed.
    fn text(&mut self, table: Table<'_>, name: &'static str) -> Option<String> {
        let given = table.fields.get(name)?;
        let text = given.value.text()?.to_owned();
        self.echo(table.path(name), "", given.value.clone(), Source::User { via: given.via.clone() });
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
        self.known.catalog.currencies.iter().find(|c| c.id == currency).map(|c| amount * c.usd)
    }

    fn target(&self, kind: TargetKind) -> Option<&'a MeasuredTarget> {
        self.known.evidence.and_then(|e| e.targets.iter().find(|t| t.kind == kind))
    }

    /// A measured value and where it stands.
    fn measured(&self, target: &MeasuredTarget, field: &str, value: Option<f64>) -> Option<Found> {
        let file = self.known.evidence.map_or_else(String::new, |e| e.file.clone());
        let source = Source::Measured { file, path: format!("{}.{field}", target.path) };
        value.filter(|v| v.is_finite()).map(|v| (Range::exactly(v), source))
    }

    fn finance(&mut self, fields: &Fields) -> Result<Finance, ResolveError> {
        let table = Table { section: Section::Finance, fields, prefix: "finance" };
        let discount = self.number(table, "discount_rate_per_year", None, "");
        if let Some(currency) = self.text(table, "currency") {
            if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(impossible(
                    "finance.currency",
                    format!("`{currency}` is no ISO 4217 code, such as EUR"),
                ));
            }
            self.currency = currency;
        }
        if let Some((rate, source)) = self.given(table, "usd_rate") {
            self.usd_rate = Some(rate.likely);
            self.echo("finance.usd_rate".to_owned(), "per USD", Value::Number(rate), source);
        } else if let Some(c) =
            self.known.catalog.currencies.iter().find(|c| c.id == self.currency && c.usd > 0.0)
        {
            let (rate, source) = database(1.0 / c.usd, "currency", &c.id, &c.cite("usd"));
            self.usd_rate = Some(rate.likely);
            self.echo("finance.usd_rate".to_owned(), "per USD", Value::Number(rate), source);
        } else if self.currency != "USD" {
            self.notices.push(Notice::CurrencyWithoutRate { currency: self.currency.clone() });
        }
        Ok(Finance { discount, currency: self.currency.clone(), usd_rate: self.usd_rate.unwrap_or(1.0) })
    }

    fn hybrid(&mut self, fields: &Fields) -> Option<Hybrid> {
        if fields.is_empty() {
            return None;
        }
        let table = Table { section: Section::Hybrid, fields, prefix: "hybrid" };
        let local_share = self.number(table, "local_share", None, "");
        let escalation = self.number(table, "escalation_share", None, "");
        let profile = fields.get("profile").map(|g| {
            self.echo("hybrid.profile".to_owned(), "", g.value.clone(), Source::User { via: g.via.clone() });
            super::hybrid::hours_of_week(&g.value)
        });
        let routed = table.has("local_share") || table.has("escalation_share");
        Some(Hybrid { local_share, escalation, profile, routed })
    }

    fn make_names_unique(offers: &mut [Offer]) {
        for n in 1..offers.len() {
            let (before, rest) = offers.split_at_mut(n);
            let base = rest[0].name.clone();
            let mut count = 2;
            while before.iter().any(|o| o.name == rest[0].name) {
                rest[0].name = format!("{base} ({count})");
                count += 1;
            }
        }
    }
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
