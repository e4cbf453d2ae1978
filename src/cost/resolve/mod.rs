//! Completes a scenario to a [`Case`]. Values come from the user, or else from a measurement, the
//! catalogue, or a declared default, in this order. A price or a speed that none of them has is an error
//! that names the key, never 0.

mod all;
mod already_owned;
mod api;
mod blueprint;
mod checks;
mod error;
mod finance;
mod hardware;
mod hybrid;
mod machine;
mod machine_class;
mod measured;
mod names;
mod offer_inputs;
mod payment;
mod plans;
mod requests;
mod resolver;
mod seats;
mod speed;
mod target;

pub use all::{Skipped, resolve_all};
pub use blueprint::Weighing;
pub use error::{MissingKey, ResolveError};
pub use plans::{PlanCase, resolve_bills, resolve_plans};
pub use resolver::Basis;

use super::case::{Case, Notice, Offer, Pair, Role, Supply};
use super::keys::local;
use super::scenario::Scenario;
use crate::workload::Fields;
use crate::workload::evidence::TargetKind;
use crate::workload::keys::{Section, need};
use already_owned::{local_prefix, owned};
use checks::{age, check, one_currency};
use names::make_names_unique;
use resolver::{Resolver, Table};

/// Complete a scenario.
///
/// # Errors
///
/// Where a value is missing, contradicts another one, or names something that the catalogue does not have.
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
        // With a model and a way to pay for hardware, the plan chooses the hardware.
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
    make_names_unique(&mut offers);
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

const NO_HARDWARE: &str =
    "what would run the model (or local.purchase_usd or local.usd_per_hour, and its speed)";

/// The pairs to compare; those that were asked for come first.
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
    // One's own hardware is also compared with rented hardware for the same load.
    let owned: Vec<usize> = locals.iter().copied().filter(|i| !rented(i)).collect();
    cross(&mut locals.iter().copied().filter(rented), &owned);
    let added = |role: Role| (asked..offers.len()).filter(move |&i| offers[i].role == role);
    cross(&mut added(Role::SameModel), &locals);
    cross(&mut added(Role::AsCapable), &locals);
    let gpus: Vec<usize> = added(Role::RentedGpu).collect();
    cross(&mut (0..asked_clouds), &gpus);
    pairs
}
