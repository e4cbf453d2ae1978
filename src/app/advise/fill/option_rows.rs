//! The options as rows: what each is called, costs and needs, and what speaks against it.

use super::decided::{Decided, usd};
use crate::advise::QualityStanding;
use crate::advise::options::{Kind, Terms};
use crate::app::advise::pricing::{Behind, Pricing, SIMPLE_SHARE};
use crate::cost::Supply;
use crate::document::advice::{OptionRow, text};
use crate::document::plan::PlanRow;
use crate::number;
use crate::workload::{Modifier, Privacy};
use std::collections::BTreeMap;

/// The options as rows: first those that may be taken, each group by its total.
pub(super) fn rows(decided: &Decided<'_>) -> Vec<OptionRow> {
    order(decided).into_iter().map(|n| row(decided, n)).collect()
}

/// The options by index, in the order of the rows.
pub(super) fn order(decided: &Decided<'_>) -> Vec<usize> {
    let Decided { pricing, choice, .. } = decided;
    let mut order: Vec<usize> = (0..pricing.options.len()).collect();
    order.sort_by(|a, b| {
        let key = |n: usize| {
            let tco = pricing.options[n].cost.map_or(f64::INFINITY, |c| c.tco);
            (n != choice.chosen, choice.excluded[n].is_some(), tco)
        };
        let (a, b) = (key(*a), key(*b));
        a.0.cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    order
}

/// The id of an option: that of its kind, with `-rented` for a split with a rented machine.
pub(super) fn id(pricing: &Pricing<'_>, n: usize) -> String {
    let kind = pricing.options[n].kind;
    let split = matches!(pricing.behind[n], Behind::Split { .. });
    if split && is_rented(pricing, n) { format!("{}-rented", kind.id()) } else { kind.id().to_owned() }
}

/// Are the machines of an option rented?
pub(super) fn is_rented(pricing: &Pricing<'_>, n: usize) -> bool {
    let own = match pricing.behind[n] {
        Behind::Offer(offer) => offer,
        Behind::Split { pair, .. } => pair.local,
        Behind::Nothing => return false,
    };
    matches!(&pricing.case.offers[own].supply, Supply::Machine(m) if m.is_rented())
}

pub(super) fn row(decided: &Decided<'_>, n: usize) -> OptionRow {
    let Decided { pricing, choice, .. } = decided;
    let option = &pricing.options[n];
    let kind = option.kind;
    let excluded = choice.excluded[n];
    let split = match pricing.behind[n] {
        Behind::Offer(_) | Behind::Nothing => None,
        Behind::Split { local_share, .. } => Some(local_share),
    };
    OptionRow {
        id: id(pricing, n),
        placement: kind.placement(),
        name: name(decided, n),
        api_model: api_model(pricing, n),
        open_model: pricing.open.filter(|_| option.open_model).map(|m| m.id.clone()),
        tier: option.tier,
        monthly_usd: option.cost.map(|c| c.monthly),
        monthly_parts_usd: parts(pricing, n),
        tco_usd: option.cost.map(|c| c.tco),
        capex_usd: option.cost.map(|c| c.capex),
        probability_cheapest: choice.chances[n],
        expected_tco_usd: option.way.map(|way| pricing.totals.mean(way)),
        excluded_because: excluded.map(text::limit),
        excluded_by: excluded.map(|l| l.id().to_owned()),
        needs: needs(decided, n),
        against: against(decided, n),
        local_share: split,
        plan: plan(decided, n),
    }
}

/// The plan of an option; of a split, that of its own side for the whole load.
pub(super) fn plan(decided: &Decided<'_>, n: usize) -> Option<PlanRow> {
    let pricing = &decided.pricing;
    let offer = match pricing.behind[n] {
        Behind::Offer(offer) => offer,
        Behind::Split { pair, .. } => pair.local,
        Behind::Nothing => return None,
    };
    let o = &pricing.case.offers[offer];
    let (plan, model) = (o.plan.as_deref()?, o.open_model.as_deref()?);
    Some(PlanRow::of(&o.name, plan, model, pricing.context_tokens, &pricing.offers[offer]))
}

/// The monthly cost of a single offer, part by part, US dollars.
pub(super) fn parts(pricing: &Pricing<'_>, n: usize) -> BTreeMap<String, f64> {
    let Behind::Offer(offer) = pricing.behind[n] else { return BTreeMap::new() };
    let named = pricing.offers[offer].parts.named().into_iter();
    named.filter(|(_, usd)| usd.get() != 0.0).map(|(name, usd)| (name.to_owned(), usd.get())).collect()
}

pub(super) fn api_model(pricing: &Pricing<'_>, n: usize) -> Option<String> {
    let offer = match pricing.behind[n] {
        Behind::Offer(offer) => offer,
        Behind::Split { pair, .. } => pair.cloud,
        Behind::Nothing => return None,
    };
    let offer = &pricing.case.offers[offer];
    let by_token = matches!(offer.supply, Supply::Api(_)) && pricing.options[n].kind != Kind::Seats;
    by_token.then(|| offer.id.clone()).flatten()
}

/// The name of an option for people.
pub(super) fn name(decided: &Decided<'_>, n: usize) -> String {
    let pricing = &decided.pricing;
    let kind = pricing.options[n].kind;
    match pricing.behind[n] {
        Behind::Offer(offer) => {
            let machines = pricing.offers[offer].units.unwrap_or(1);
            let own = machine(pricing, offer, machines);
            match kind {
                Kind::Have => format!("{own}, yours already"),
                Kind::Rented => format!("{own}, rented"),
                Kind::Owned => format!("{own}, bought"),
                _ => own,
            }
        }
        Behind::Split { pair, units, local_share } => {
            let percent = (local_share * 100.0).round();
            let (own, api) = (machine(pricing, pair.local, units), &pricing.case.offers[pair.cloud].name);
            let own = if id(pricing, n).ends_with("rented") { format!("{own}, rented") } else { own };
            format!("{percent} % of the requests on {own}, the others to {api}")
        }
        Behind::Nothing => "the hardware that is there".to_owned(),
    }
}

/// A model and the machine it runs on: `gpt-oss-20b on 2 × RTX 3090`.
pub(super) fn machine(pricing: &Pricing<'_>, offer: usize, units: u32) -> String {
    let offer = &pricing.case.offers[offer];
    let (Some(plan), Some(model)) = (&offer.plan, &offer.open_model) else { return offer.name.clone() };
    let machine = &plan.machine;
    let each = if machine.accelerators > 1 { format!("{} × ", machine.accelerators) } else { String::new() };
    let hosts = if units > 1 { format!("{units} machines with ") } else { String::new() };
    format!("{model} on {hosts}{each}{}", machine.accelerator_name)
}

/// What an option needs: machines, people, accounts.
pub(super) fn needs(decided: &Decided<'_>, n: usize) -> Vec<String> {
    let pricing = &decided.pricing;
    let mut found = Vec::new();
    let mut machines = |offer: usize, units: u32| {
        let Some(plan) = &pricing.case.offers[offer].plan else { return };
        let each = units.max(1);
        // Cards without a host have their number in the name.
        let what = match (&plan.machine.name, each) {
            (name, 1) if name.starts_with(|c: char| c.is_ascii_digit()) => name.clone(),
            (name, _) => format!("{each} × {name}"),
        };
        found.push(format!(
            "{what}, {} with {} weights",
            plan.replica.backend.engine().label(),
            plan.replica.format.id
        ));
    };
    match pricing.behind[n] {
        Behind::Offer(offer) => machines(offer, pricing.offers[offer].units.unwrap_or(1)),
        Behind::Split { pair, units, .. } => {
            machines(pair.local, units);
            found.push("a router between the two".to_owned());
            found.push("people who look after both".to_owned());
        }
        Behind::Nothing => {}
    }
    if let Some(staff) = parts(pricing, n).get("staff") {
        found.push(format!("{} a month of working time to look after it", usd(*staff)));
    }
    if let Some(second) = second_provider(decided, n) {
        found.push(format!("a second provider behind a router, to take over when the first fails: {second}"));
    }
    found.extend(agreement(pricing.options[n].kind, &decided.terms).map(str::to_owned));
    found
}

/// The agreement that sensitive data needs where it goes to somebody else's computer: a provider's, or one
/// that is rented.
pub(in crate::app::advise) fn agreement(kind: Kind, terms: &Terms) -> Option<&'static str> {
    (kind.leaves() && terms.answers.privacy == Privacy::Sensitive).then_some(match kind {
        Kind::Rented => {
            "an agreement with the provider of the machine: nobody else reads it, what is deleted, region"
        }
        _ => "an agreement with the provider: no training, no retention, region",
    })
}

/// Where a second system must be able to take over: the other API, for an option that is an API.
pub(super) fn second_provider(decided: &Decided<'_>, n: usize) -> Option<String> {
    if !decided.terms.modifiers.contains(Modifier::Redundancy) {
        return None;
    }
    let other = match decided.pricing.options[n].kind {
        Kind::Api => Kind::SameModel,
        Kind::SameModel => Kind::Api,
        _ => return None,
    };
    let options = &decided.pricing.options;
    let second = options.iter().position(|o| o.kind == other && o.cost.is_some())?;
    decided.choice.excluded[second].is_none().then(|| name(decided, second))
}

/// What speaks against an option.
pub(super) fn against(decided: &Decided<'_>, n: usize) -> Vec<String> {
    let pricing = &decided.pricing;
    let option = &pricing.options[n];
    let mut found = Vec::new();
    if let Behind::Offer(offer) = pricing.behind[n] {
        let o = &pricing.case.offers[offer];
        let idle = o.plan.as_ref().map(|p| p.busy_mean).filter(|b| *b < 0.25);
        if let Some(busy) = idle {
            found.push(format!("idle {} of the time", number::percent(1.0 - busy)));
        }
        if let Supply::Machine(_) = &o.supply
            && let Some(plan) = &o.plan
            && !plan.missed.is_empty()
        {
            found.push("misses the limit on latency".to_owned());
        }
    }
    if let Behind::Offer(offer) = pricing.behind[n]
        && let Some(plan) = &pricing.case.offers[offer].plan
        && pricing.offers[offer].units.is_none_or(|u| u <= plan.hosts)
        && plan.hosts == 1
        && plan.spare_hosts == 0
    {
        found.push("one machine: while it is repaired nothing answers".to_owned());
    }
    if option.kind == Kind::Routed && decided.split_assumed {
        found.push(format!(
            "that {} of the requests are simple is assumed: count yours (`--simple-share`)",
            number::percent(SIMPLE_SHARE)
        ));
    }
    if option.predicted {
        found.push("speed predicted, not measured".to_owned());
    }
    let good = decided.terms.quality == Some(QualityStanding::NonInferior);
    if option.open_model && !good {
        found.push("quality on your prompts not measured".to_owned());
    }
    if option.kind == Kind::Seats {
        found.push("for people only; how much a seat may ask is not published, so use beyond its price is counted at API prices".to_owned());
    }
    found
}
