//! Serving plans for one open model: an offer for every machine that carries the need, which the cost
//! engine can price.

use super::all::Skipped;
use super::blueprint::{Among, Weighing};
use super::error::{MissingKey, ResolveError, impossible};
use super::hardware::Hardware;
use super::resolver::{Basis, Resolver, Table};
use crate::catalog::{self, Catalog};
use crate::cost::case::Case;
use crate::cost::hybrid;
use crate::cost::keys::hybrid as hybrid_keys;
use crate::cost::keys::{self, local};
use crate::cost::scenario::Scenario;
use crate::plan::{self, NotBuyable};
use crate::workload::Fields;
use crate::workload::keys::{Key, Section, need};

/// A case whose offers are plans, and what was rejected.
#[derive(Debug, Clone)]
pub struct PlanCase {
    /// Its offers are the plans, in the order of the cost that the search estimated; there are no pairs.
    pub case: Case,
    /// Indices of the last offers: the best plans with weights of four bits that the model's maker did not
    /// release, where there are also plans without such weights.
    pub in_four_bits: Vec<usize>,
    /// Id of the open model.
    pub model: String,
    /// The load that the plans must carry.
    pub need: plan::Need,
    /// What the user has fixed.
    pub allowed: plan::Allowed,
    /// How the search estimates costs.
    pub weighing: Weighing,
    /// Every machine that was considered.
    pub machines: Vec<plan::Machine>,
    pub rejected: Vec<plan::Rejected>,
    /// Machines that cannot be ordered or priced.
    pub skipped: Vec<Skipped>,
}

/// Complete a scenario's need and its first `[[local]]` with plans: for the hardware that is named, for
/// rented machines if `kind` says so, or else for everything that can be ordered.
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
    r.known_tariff(table)?;
    let named = asked.open_model.clone();
    let Some(model) = named.as_deref().and_then(|id| basis.catalog.open_model(id)) else {
        return Err(ResolveError::Missing(vec![MissingKey {
            key: local::MODEL.path(),
            why: "the open model that a plan is wanted for".to_owned(),
        }]));
    };
    let rented = fields.get(local::KIND.name).and_then(|g| g.value.text()) == Some("rented");
    if let Some(Hardware::Machine(machine)) = asked.hardware
        && let Err(why) = plan::machine::from_machine(basis.catalog, machine)
        && !(why == NotBuyable::NoPrice && fields.contains_key(local::PURCHASE.name))
    {
        let at = catalog::line_of("machine", &machine.id).map_or_else(String::new, |at| format!(" ({at})"));
        return Err(impossible(
            &local::HARDWARE_ID.path(),
            format!(
                "`{}`{at} cannot be ordered: {why}. Say what one costs (local.purchase_usd), or that it is there (local.hosts, --have)",
                machine.id
            ),
        ));
    }
    let among = match asked.hardware {
        Some(hardware) => Among::This(hardware, asked.number()),
        None if rented => Among::Rentals,
        None => Among::Everything,
    };
    let hardware_is_named = asked.hardware.is_some();
    let searched = r.searched(table, &need, model, asked.format, among)?;
    let Some(mut wanted) = searched.need else {
        return Err(impossible(
            &local::MODEL.path(),
            format!("of `{}` the catalogue does not have the shape that a prediction needs", model.id),
        ));
    };
    if let Some(name) = scenario.need.get(need::NAME.name).and_then(|g| g.value.text()) {
        name.clone_into(&mut wanted.name);
    }
    // The hours of the week: the loads of several needs are added up by them, and they tell when owned
    // machines are free.
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
    // A user who says how many requests one accelerator serves at once asks about the accelerator, not
    // about an order.
    let described = [local::PURCHASE, local::HOSTS, local::UNITS, local::CONCURRENCY];
    let described = described.iter().any(|key| fields.contains_key(key.name));
    if hardware_is_named && !rented && !described && searched.plans.iter().any(|p| p.bare) {
        let card = &searched.plans[0].machine.accelerator;
        return Err(impossible(&local::HARDWARE_ID.path(), not_ordered(card, basis.catalog)));
    }
    if !hardware_is_named && !rented {
        skipped.extend(r.not_sold());
    }
    if let Some(first) = searched.plans.first() {
        r.note_guessed_rate(&first.machine.label(), first);
    }
    let plain: Fields = fields.clone();
    for plan in searched.plans {
        r.offer_of_plan(&plain, &need, plan, &mut offers, &mut skipped);
    }
    let first_of_four = offers.len();
    if let Some(plan) = searched.in_four_bits.into_iter().next() {
        r.offer_of_plan(&plain, &need, plan, &mut offers, &mut skipped);
    }
    // Values given for all offers are listed under the table's own name.
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

/// Why no computer with this accelerator can be ordered, by the records of those that would hold it.
fn not_ordered(card: &str, catalog: &Catalog) -> String {
    let orders = catalog.orders().filter(|(_, c, ..)| c.id == card);
    let mut lines: Vec<String> = orders
        .filter_map(|(host, _, _, order)| {
            let at = catalog::line_of("host", &host.id).map_or_else(String::new, |at| format!(" ({at})"));
            Some(format!("`{}`{at}: {}", host.id, order.err()?))
        })
        .collect();
    lines.dedup();
    let more = lines.len().saturating_sub(3);
    lines.truncate(3);
    let why = match (lines.is_empty(), more) {
        (true, _) => "no host of the catalogue takes it".to_owned(),
        (false, 0) => lines.join("; "),
        (false, n) => format!("{}; and {n} more", lines.join("; ")),
    };
    format!(
        "no computer with {card} can be ordered, and a card alone runs nothing: {why}. Say what a machine with it costs (local.purchase_usd), or that it is there (local.hosts, --have)"
    )
}

/// Offers for machines whose use is already known, for several needs on the same machines. Returns the
/// case, and the index of each machine's offer in it; `None` where one cannot be priced. The scenario's
/// costs (power, people, place) are used, not what it says about the models.
pub fn resolve_bills(
    scenario: &Scenario,
    basis: Basis<'_>,
    bills: &[plan::Bill<'_>],
) -> Result<(Case, Vec<Option<usize>>), ResolveError> {
    /// Keys that say what runs on a machine.
    const RUNS: [&Key; 8] = [
        local::MODEL,
        local::QUANTISATION,
        local::BACKEND,
        local::KV_TYPE,
        local::TENSOR_PARALLEL,
        local::CONCURRENCY,
        local::CEILING,
        local::CACHED_INPUT_SHARE,
    ];
    let mut r = Resolver::new(Basis { evidence: None, ..basis });
    r.people = true;
    let finance = r.finance(&scenario.finance)?;
    let need = r.need(&scenario.need)?;
    if !r.missing.is_empty() {
        return Err(ResolveError::Missing(r.missing));
    }
    let mut fields = scenario.local.first().cloned().unwrap_or_default();
    for key in RUNS.into_iter().chain(super::all::OF_ONE) {
        fields.remove(key.name);
    }
    let (mut offers, mut skipped) = (Vec::new(), Vec::new());
    let mut places = Vec::with_capacity(bills.len());
    for bill in bills {
        let before = offers.len();
        r.offer_of_bill(&fields, &need, bill, &mut offers, &mut skipped);
        places.push((offers.len() > before).then_some(before));
    }
    let local_offers = (0..offers.len()).collect();
    let case = Case {
        need,
        finance,
        hybrid: None,
        offers,
        pairs: Vec::new(),
        local_offers,
        ranges: r.ranges,
        slot_inputs: r.slot_inputs,
        inputs: r.inputs,
        notices: r.notices,
        uncertain: r.uncertain,
        user_ranges: r.user_ranges,
    };
    super::one_currency(&case)?;
    Ok((case, places))
}
