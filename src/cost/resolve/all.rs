//! Rankings: every API model that meets the need against every piece of hardware that can carry the model.

use super::blueprint::{Among, Built};
use super::checks::age;
use super::error::{MissingKey, ResolveError, impossible};
use super::names::make_names_unique;
use super::resolver::{Basis, Resolver, Table};
use crate::catalog::ApiModel;
use crate::catalog::device::model_of_file;
use crate::cost::case::{Blueprint, Case, Elsewhere, Need, Notice, Offer, Pair, Role};
use crate::cost::keys::{self, local};
use crate::cost::scenario::Scenario;
use crate::plan;
use crate::provenance::Source;
use crate::workload::Range;
use crate::workload::TargetKind;
use crate::workload::keys::{Key, Section, need};
use crate::workload::{Fields, Given, Value};

/// An entry of the catalogue that was left out, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub id: String,
    pub why: String,
}

/// Keys of `[[local]]` that describe a single machine and so cannot apply to all hardware.
pub(super) const OF_ONE: [&Key; 12] = [
    local::HARDWARE_ID,
    local::HOSTS,
    local::NAME,
    local::KIND,
    local::PURCHASE,
    local::USD_PER_HOUR,
    local::IDLE_WATTS,
    local::LOAD_WATTS,
    local::PREFILL,
    local::DECODE,
    local::UNITS,
    local::SAME_AS_MEASURED,
];

/// Complete a scenario with the whole catalogue on both sides. If the scenario names offers for a side,
/// these are the only ones. `need.tier` keeps API models that are at least so capable (1 is the highest
/// tier).
pub fn resolve_all(scenario: &Scenario, basis: Basis<'_>) -> Result<(Case, Vec<Skipped>), ResolveError> {
    let mut r = Resolver::new(basis);
    r.people = true;
    let finance = r.finance(&scenario.finance)?;
    if scenario.need.get(need::AT_CAPACITY.name).is_some_and(|g| g.value == Value::Flag(true)) {
        return Err(impossible(
            "need.at_capacity",
            "a ranking compares at one volume; at capacity each piece of hardware has its own",
        ));
    }
    let need = r.need(&scenario.need)?;
    if !r.missing.is_empty() {
        return Err(ResolveError::Missing(r.missing));
    }
    let own = |(n, fields)| super::owned(n, fields, basis.catalog);
    let locals: Vec<Fields> = scenario.local.iter().enumerate().map(own).collect::<Result<_, _>>()?;
    let mut template = locals.first().cloned().unwrap_or_default();
    r.measured_model(&mut template);
    let tier = r.needed_tier(&scenario.need, &template);
    let mut offers = Vec::new();
    let mut skipped = Vec::new();
    if scenario.cloud.is_empty() {
        r.every_api_model(&need, tier, &mut offers, &mut skipped);
    } else {
        for (n, fields) in scenario.cloud.iter().enumerate() {
            offers.push(r.cloud(n, fields, &need, None, &locals)?);
        }
    }
    let clouds = offers.len();
    let named = |f: &Fields| f.contains_key(local::HARDWARE_ID.name) || f.contains_key(local::NAME.name);
    if locals.iter().any(named) {
        for (n, fields) in locals.iter().enumerate() {
            offers.push(r.local(n, fields, &need, Role::Asked)?);
        }
    } else {
        if !template.contains_key(local::MODEL.name) {
            let why = "the open model whose hardware is wanted".to_owned();
            return Err(ResolveError::Missing(vec![MissingKey { key: "local.model".to_owned(), why }]));
        }
        r.every_plan(&template, &need, &mut offers, &mut skipped)?;
    }
    if !r.missing.is_empty() {
        return Err(ResolveError::Missing(r.missing));
    }
    make_names_unique(&mut offers);
    let locals = clouds..offers.len();
    let pairs =
        (0..clouds).flat_map(|cloud| locals.clone().map(move |local| Pair { cloud, local })).collect();
    let mut case = Case {
        need,
        finance,
        hybrid: None,
        offers,
        pairs,
        local_offers: locals.collect(),
        ranges: r.ranges,
        slot_inputs: r.slot_inputs,
        inputs: r.inputs,
        notices: r.notices,
        uncertain: r.uncertain,
        user_ranges: r.user_ranges,
    };
    super::one_currency(&case)?;
    gather(&mut case.notices);
    age(&mut case, basis.today);
    Ok((case, skipped))
}

/// Where hundreds of offers share a warning, keep one of each kind.
fn gather(notices: &mut Vec<Notice>) {
    let count = |kind: fn(&Notice) -> bool| notices.iter().filter(|n| kind(n)).count();
    let predicted = count(|n| matches!(n, Notice::PredictedSpeed { .. }));
    let bare = count(|n| matches!(n, Notice::HostNotIncluded { .. }));
    let elsewhere = notices.iter().find(|n| matches!(n, Notice::MeasuredElsewhere { .. })).cloned();
    let others = count(|n| matches!(n, Notice::MeasuredElsewhere { .. }));
    notices.retain(|n| {
        matches!(
            n,
            Notice::CurrencyWithoutRate { .. }
                | Notice::RateLooksInverted { .. }
                | Notice::RentBelowMarket { .. }
        )
    });
    if predicted > 0 {
        notices.push(Notice::PredictedSpeed { offer: format!("{predicted} local offers") });
    }
    if let Some(Notice::MeasuredElsewhere { file, elsewhere, .. }) = elsewhere {
        let offer = format!("{others} local offers");
        let elsewhere = match elsewhere {
            Elsewhere::Hardware { measured, .. } | Elsewhere::PerhapsHardware { measured, .. } => {
                Elsewhere::Hardware { measured, wanted: "that hardware".to_owned() }
            }
            of_model => of_model,
        };
        notices.push(Notice::MeasuredElsewhere { offer, file, elsewhere });
    }
    if bare > 0 {
        notices.push(Notice::HostNotIncluded { offer: format!("{bare} local offers") });
    }
}

/// The capability tier that an API model must have.
#[derive(Debug, Clone, Copy)]
enum Rating {
    /// At least this tier, because the user said so.
    AtLeast(u8),
    /// At least the tier of the local model; API models without a tier are ranked apart.
    LikeLocal(u8),
}

impl Resolver<'_> {
    /// The model of the bench document, where the scenario names none.
    pub(super) fn measured_model(&self, template: &mut Fields) {
        let Some(target) = self.target(TargetKind::Local) else { return };
        if let Some(model) = model_of_file(self.basis.catalog, &target.model) {
            let file = self.basis.evidence.map_or("", |e| e.file.as_str());
            let source = Source::measured(file, format!("{}.model", target.path));
            template
                .entry(local::MODEL.name)
                .or_insert(Given { value: Value::Text(model.id.clone()), source });
        }
    }

    /// The tier that the user asked for, or else that of the local model.
    fn needed_tier(&mut self, need: &Fields, local: &Fields) -> Option<Rating> {
        let table = Table { section: Section::Need, fields: need, prefix: "need" };
        let tier = |n: u32| u8::try_from(n).ok();
        if let Some(given) = self.whole(table, need::TIER, None) {
            return tier(given).map(Rating::AtLeast);
        }
        let model = local.get(local::MODEL.name).and_then(|g| g.value.text());
        let own = model.and_then(|id| self.basis.catalog.open_model(id))?.tier?;
        let source = Source::Assumed {
            rule: "as-capable-as-the-local-model".to_owned(),
            reason: "what the local model can do is enough, so API models rated below it are no alternative"
                .to_owned(),
        };
        self.whole(table, need::TIER, Some((own.into(), source)));
        Some(Rating::LikeLocal(own))
    }

    fn every_api_model(
        &mut self,
        need: &Need,
        tier: Option<Rating>,
        offers: &mut Vec<Offer>,
        skipped: &mut Vec<Skipped>,
    ) {
        let tokens = self.likely_request(need);
        for model in &self.basis.catalog.api_models {
            if let Some(why) = unfit(model, need, tokens, tier) {
                skipped.push(Skipped { id: model.id.clone(), why });
                continue;
            }
            let fields = Fields::from([(
                local::MODEL.name,
                Given::chosen(Value::Text(model.id.clone()), "all", "every API model is asked about"),
            )]);
            let prefix = format!("all.{}", model.id);
            let table = Table { section: Section::Cloud, fields: &fields, prefix: &prefix };
            self.try_offer(&model.id, offers, skipped, |r| r.api(table, need, None, Role::Asked));
        }
    }

    /// Offers for every machine that can be ordered and every GPU that is rented on demand, as planned for
    /// the need. Accelerators without a computer are included only inside a host.
    fn every_plan(
        &mut self,
        template: &Fields,
        need: &Need,
        offers: &mut Vec<Offer>,
        skipped: &mut Vec<Skipped>,
    ) -> Result<(), ResolveError> {
        let of_one = |name: &str| OF_ONE.iter().any(|k| k.name == name);
        for (name, given) in template.iter().filter(|(name, _)| !of_one(name)) {
            let unit = keys::find(Section::Local, name).map_or("", |k| k.unit);
            self.echo(format!("local.{name}"), unit, given.value.clone(), given.source.clone());
        }
        let mut fields = template.clone();
        fields.retain(|key, _| !of_one(key));
        let prefix = "all";
        let table = Table { section: Section::Local, fields: &fields, prefix };
        let (inputs, notices) = (self.inputs.len(), self.notices.len());
        let asked = self.asked(table)?;
        self.known_tariff(Table { prefix: "local", ..table })?;
        let Some(model) = asked.open_model.as_deref().and_then(|id| self.basis.catalog.open_model(id)) else {
            return Ok(());
        };
        let mut plans = self.blueprints(table, need, model, asked.format, Among::Everything, false)?;
        plans.extend(self.blueprints(table, need, model, asked.format, Among::Rentals, false)?);
        // What was asked of all offers is listed under the table's own name.
        self.inputs.truncate(inputs);
        self.notices.truncate(notices);
        skipped.extend(self.not_sold());
        for plan in plans {
            if !plan.missed.is_empty() {
                let why = "no plan on it keeps the limits of the need".to_owned();
                skipped.push(Skipped { id: id_of(&plan.machine), why });
                continue;
            }
            self.offer_of_plan(&fields, need, plan, offers, skipped);
        }
        Ok(())
    }

    /// Machines that cannot be ordered, each with the reason.
    pub(super) fn not_sold(&self) -> impl Iterator<Item = Skipped> + use<> {
        plan::machines(self.basis.catalog).1.into_iter().map(|left| {
            let id = match &left.accelerator {
                Some(card) if *card != left.id => format!("{} with {card}", left.id),
                _ => left.id.clone(),
            };
            Skipped { id, why: left.why.to_string() }
        })
    }

    /// The offer for a plan, named by what would be ordered.
    pub(super) fn offer_of_plan(
        &mut self,
        fields: &Fields,
        need: &Need,
        plan: Blueprint,
        offers: &mut Vec<Offer>,
        skipped: &mut Vec<Skipped>,
    ) {
        let machine = &plan.machine;
        let id = id_of(machine);
        let mut own = fields.clone();
        self.named(&mut own, machine);
        let prefix = format!("all.{id}");
        let table = Table { section: Section::Local, fields: &own, prefix: &prefix };
        self.try_offer(&id, offers, skipped, |r| {
            let asked = r.asked(table)?;
            let mut built = Built::from(plan);
            if asked.speed_is_measured() {
                built.plan = None;
            }
            r.offer_of(table, need, Role::Asked, &asked, Some(&built))
        });
    }

    /// The offer for machines whose number and power are already known, whatever runs on them.
    pub(super) fn offer_of_bill(
        &mut self,
        fields: &Fields,
        need: &Need,
        bill: &plan::Bill<'_>,
        offers: &mut Vec<Offer>,
        skipped: &mut Vec<Skipped>,
    ) {
        let id = id_of(bill.machine);
        let mut own = fields.clone();
        let said = |value| Given::chosen(value, "all", "one of the plans for the needs");
        let number = |n: f64| said(Value::Number(Range::exactly(n)));
        let watts = bill.mean_watts / f64::from(bill.hosts.max(1));
        own.insert(local::UNITS.name, number(f64::from(bill.hosts)));
        own.insert(local::IDLE_WATTS.name, number(watts));
        own.insert(local::LOAD_WATTS.name, number(watts));
        self.named(&mut own, bill.machine);
        let prefix = format!("all.{id}");
        let table = Table { section: Section::Local, fields: &own, prefix: &prefix };
        let stands = plan::stands(bill.machine.stands, bill.hosts);
        let machine = plan::Machine { stands, ..bill.machine.clone() };
        let built = Built { machine, bare: false, plan: None };
        self.try_offer(&id, offers, skipped, |r| {
            let asked = r.asked(table)?;
            r.offer_of(table, need, Role::Asked, &asked, Some(&built))
        });
    }

    /// Write the hardware of a machine into the fields of an offer.
    fn named(&self, fields: &mut Fields, machine: &plan::Machine) {
        let chosen = |value| Given::chosen(value, "all", "one of the plans for the need");
        let catalog = self.basis.catalog;
        if catalog.rental(&machine.id).is_some() || catalog.machine(&machine.id).is_some() {
            fields.insert(local::HARDWARE_ID.name, chosen(Value::Text(machine.id.clone())));
        } else {
            let cards = Value::Number(Range::exactly(f64::from(machine.accelerators)));
            fields.insert(local::HARDWARE_ID.name, chosen(Value::Text(machine.accelerator.clone())));
            fields.insert(local::GPUS_PER_UNIT.name, chosen(cards));
        }
    }

    /// Keep an offer if it can be completed, otherwise note why not.
    fn try_offer(
        &mut self,
        id: &str,
        offers: &mut Vec<Offer>,
        skipped: &mut Vec<Skipped>,
        make: impl FnOnce(&mut Self) -> Result<Offer, ResolveError>,
    ) {
        let mut why = String::new();
        let made = self.attempt(
            |r| match make(r) {
                Ok(offer) if r.missing.is_empty() => Some(offer),
                Ok(_) => {
                    why = r.missing.first().map_or_else(String::new, |m| {
                        format!("not known: {}", m.key.rsplit('.').next().unwrap_or(""))
                    });
                    None
                }
                Err(e) => {
                    why = e.to_string();
                    None
                }
            },
            true,
        );
        match made {
            Some(offer) => offers.push(offer),
            None => skipped.push(Skipped { id: id.to_owned(), why }),
        }
    }
}

/// Id of a machine in a ranking: `8xnvidia-h100-sxm-80gb@hgx-8`.
fn id_of(machine: &plan::Machine) -> String {
    format!("{}x{}@{}", machine.accelerators, machine.accelerator, machine.id)
}

/// Why an API model does not meet the need; `None` where it does.
fn unfit(
    model: &ApiModel,
    need: &Need,
    tokens: crate::cost::simulate::RequestTokens,
    tier: Option<Rating>,
) -> Option<String> {
    let too_long = |limit: Option<u64>, tokens: f64| limit.is_some_and(|l| tokens > l as f64);
    if too_long(model.context_tokens, tokens.total().get()) {
        return Some("its context is shorter than a request".to_owned());
    }
    if too_long(model.max_output_tokens, tokens.written().get()) {
        return Some("it writes fewer tokens than an answer needs".to_owned());
    }
    if model.retires.is_some_and(|day| day <= need.start) {
        return Some("it is no longer served at the start".to_owned());
    }
    match (tier, model.tier) {
        (Some(Rating::AtLeast(wanted) | Rating::LikeLocal(wanted)), Some(has)) if has > wanted => {
            Some(format!("it is tier {has}"))
        }
        (Some(_), None) => Some("nobody has rated what it can do".to_owned()),
        _ => None,
    }
}
