//! Serving plans for one open model: every machine that carries the need, as an offer that the engine
//! can price.

use super::all::Skipped;
use super::blueprint::{Among, Weighing};
use super::{Basis, MissingKey, ResolveError, Resolver, Table};
use crate::cost::case::Case;
use crate::cost::hybrid;
use crate::cost::keys::hybrid as hybrid_keys;
use crate::cost::keys::{self, local};
use crate::cost::scenario::Scenario;
use crate::plan;
use crate::workload::Fields;
use crate::workload::keys::{Section, need};

/// A case whose offers are plans, and what was tried beside them.
#[derive(Debug, Clone)]
pub struct PlanCase {
    /// Its offers are plans, the cheapest first as the search weighs them; no pairs.
    pub case: Case,
    /// The last offers of the case: the best in four bits that the maker did not release, where plans
    /// without them exist.
    pub in_four_bits: Vec<usize>,
    /// Id of the model.
    pub model: String,
    /// What the plans must carry.
    pub need: plan::Need,
    /// What the user fixed.
    pub allowed: plan::Allowed,
    /// How machines are weighed against each other.
    pub weighing: Weighing,
    /// Every machine that was asked.
    pub machines: Vec<plan::Machine>,
    pub rejected: Vec<plan::Rejected>,
    /// Machines that cannot be ordered or priced.
    pub skipped: Vec<Skipped>,
}

/// Complete a scenario's need and its first `[[local]]` with plans: on the hardware that is named, on
/// rented machines where `kind` says so, else on whatever can be ordered.
pub fn resolve_plans(scenario: &Scenario, basis: Basis<'_>) -> Result<PlanCase, ResolveError> {
    let mut r = Resolver::new(basis);
    r.people = true;
    let finance = r.finance(&scenario.finance)?;
    let need = r.need(&scenario.need)?;
    let mut fields = scenario.local.first().cloned().unwrap_or_default();
    r.measured_model(&mut fields);
    if !fields.contains_key(local::MODEL.name) {
        r.missing.push(MissingKey {
            key: local::MODEL.path(),
            why: "the open model that a plan is wanted for".to_owned(),
        });
    }
    if !r.missing.is_empty() {
        return Err(ResolveError::Missing(r.missing));
    }
    let (mut offers, mut skipped) = (Vec::new(), Vec::new());
    let table = Table { section: Section::Local, fields: &fields, prefix: "local" };
    let asked = r.asked(table)?;
    let named = asked.open_model.clone();
    let Some(model) = named.as_deref().and_then(|id| basis.catalog.open_model(id)) else {
        return Err(ResolveError::Missing(vec![MissingKey {
            key: local::MODEL.path(),
            why: "the open model that a plan is wanted for".to_owned(),
        }]));
    };
    let rented = fields.get(local::KIND.name).and_then(|g| g.value.text()) == Some("rented");
    let among = match asked.hardware {
        Some(hardware) => Among::This(hardware, asked.gpus),
        None if rented => Among::Rentals,
        None => Among::Everything,
    };
    let hardware_is_named = asked.hardware.is_some();
    let searched = r.searched(table, &need, model, asked.format, among)?;
    let Some(mut wanted) = searched.need else {
        return Err(super::impossible(
            &local::MODEL.path(),
            format!("of `{}` the catalogue does not have the shape that a prediction needs", model.id),
        ));
    };
    if let Some(name) = scenario.need.get(need::NAME.name).and_then(|g| g.value.text()) {
        name.clone_into(&mut wanted.name);
    }
    // What several needs are added up by, and what says when owned machines are free.
    if let Some(given) = scenario.hybrid.get(hybrid_keys::PROFILE.name) {
        r.echo(hybrid_keys::PROFILE.path(), "", given.value.clone(), given.source.clone());
        let shares = hybrid::hours_of_week(&given.value);
        let times: Option<plan::need::HourOfWeek> =
            shares.iter().map(|share| share * 168.0).collect::<Vec<f64>>().try_into().ok();
        wanted.hours = times.map(Box::new);
    }
    if searched.plans.is_empty() && hardware_is_named {
        r.refuse_what_does_not_fit(table, &searched.rejected, model, &searched.machines)?;
    }
    if !hardware_is_named && !rented {
        skipped.extend(r.not_sold());
    }
    let plain: Fields = fields.clone();
    for plan in searched.plans {
        r.offer_of_plan(&plain, &need, plan, &mut offers, &mut skipped);
    }
    let first_of_four = offers.len();
    if let Some(plan) = searched.in_four_bits.into_iter().next() {
        r.offer_of_plan(&plain, &need, plan, &mut offers, &mut skipped);
    }
    // What was given for all stands in the table's own name.
    for (name, given) in &fields {
        let path = format!("local.{name}");
        if !r.inputs.iter().any(|i| i.name == path) {
            let unit = keys::find(Section::Local, name).map_or("", |k| k.unit);
            r.echo(path, unit, given.value.clone(), given.source.clone());
        }
    }
    let in_four_bits = (first_of_four..offers.len()).collect();
    let locals = (0..offers.len()).collect();
    let allowed = r.allowed(table, asked.format)?;
    let weighing = r.weighing(table, &need);
    let case = Case {
        need,
        finance,
        hybrid: None,
        offers,
        pairs: Vec::new(),
        local_offers: locals,
        ranges: r.ranges,
        slot_inputs: r.slot_inputs,
        inputs: r.inputs,
        notices: r.notices,
        uncertain: r.uncertain,
        user_ranges: r.user_ranges,
    };
    super::one_currency(&case)?;
    Ok(PlanCase {
        case,
        in_four_bits,
        model: model.id.clone(),
        need: wanted,
        allowed,
        weighing,
        machines: searched.machines,
        rejected: searched.rejected,
        skipped,
    })
}
