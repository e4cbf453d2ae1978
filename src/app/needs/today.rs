//! Compares today's bill with the same month under every option: seats, APIs, machines.

use crate::catalog::{Catalog, Subscription};
use crate::document::breakeven::BreakevenResult;
use crate::document::breakeven::today::{Today, TodayModel, TodayOption};
use crate::document::usage::UsageResult;
use std::collections::BTreeMap;

/// The provider whose seats replace a coding agent's API use, by the format of its sessions.
const AGENTS: [(&str, &str); 3] =
    [("claude-code", "anthropic"), ("codex-cli", "openai"), ("gemini-cli", "google")];

/// Today's use and bill, beside what the options cost and what `people` people would pay for seats.
pub(super) fn of(
    usage: &UsageResult,
    file: &str,
    result: &BreakevenResult,
    catalog: &Catalog,
    people: u32,
) -> Today {
    let tokens = usage.totals.prompt().saturating_add(usage.totals.output) as f64;
    let month = usage.need.tokens_per_month.map(|m| m.value / tokens).filter(|f| f.is_finite());
    let unpriced: Vec<String> = usage.repriced.unpriced.keys().cloned().collect();
    let scaled = |usd: Option<f64>, whole: bool| Some(usd.filter(|_| whole)? * month?);
    let monthly_bill_usd = scaled(usage.bill_usd, !usage.bill.partial);
    let monthly_repriced_usd = scaled(usage.repriced_usd, unpriced.is_empty());
    let today = monthly_bill_usd.or(monthly_repriced_usd).filter(|usd| *usd > 0.0);
    let option = |name: String, kind: &str, [monthly_usd, staff]: [f64; 2], note: Option<String>| {
        // Bills do not include staff.
        let bill_usd = monthly_usd - staff;
        let of_today = today.map(|today| bill_usd / today);
        TodayOption { name, kind: kind.to_owned(), monthly_usd, bill_usd, of_today, note }
    };
    let seats = seats(usage, catalog, people)
        .into_iter()
        .map(|seat| option(seat.name, "seat", [seat.monthly_usd, 0.0], Some(seat.note)));
    let cloud = result.cloud.iter().map(|c| {
        let kind = if c.units.is_some() { "rented" } else { "api" };
        option(c.name.clone(), kind, [c.monthly_usd, staff(&c.monthly_parts_usd)], None)
    });
    let local = result.local.iter().map(|l| {
        let month = l.monthly_usd + l.amortised_usd_per_month;
        option(l.name.clone(), &l.kind, [month, staff(&l.monthly_parts_usd)], None)
    });
    let models = usage.need.models.iter().map(|m| TodayModel {
        name: m.name.clone(),
        priced_as: usage.repriced.priced_as.get(&m.name).cloned(),
        share_of_tokens: m.share_of_tokens,
        requests_per_month: m.requests_per_month,
    });
    Today {
        usage: file.to_owned(),
        first: usage.coverage.as_ref().and_then(|c| c.first.clone()),
        last: usage.coverage.as_ref().and_then(|c| c.last.clone()),
        requests: usage.totals.requests,
        bill_usd: usage.bill_usd,
        bill_partial: usage.bill.partial,
        repriced_usd: usage.repriced_usd,
        unpriced,
        monthly_bill_usd,
        monthly_repriced_usd,
        models: models.collect(),
        options: seats.chain(cloud).chain(local).collect(),
    }
}

/// US dollars a month for the staff of an offer, from its parts.
fn staff(parts: &BTreeMap<String, f64>) -> f64 {
    parts.get("staff").copied().unwrap_or(0.0)
}

/// Seats for a number of people.
struct Seats {
    name: String,
    monthly_usd: f64,
    note: String,
}

/// The subscriptions of the providers whose agents wrote the records, cheapest first; none where any record
/// is of something else, since programs may not use a seat.
fn seats(usage: &UsageResult, catalog: &Catalog, people: u32) -> Vec<Seats> {
    let provider =
        |name: &str| AGENTS.iter().find(|(agent, _)| *agent == name).map(|(_, provider)| *provider);
    let providers: Option<Vec<&str>> = usage.sources.iter().map(|s| provider(&s.name)).collect();
    let Some(providers) = providers else { return Vec::new() };
    let mut found: Vec<Seats> = catalog
        .subscriptions
        .iter()
        .filter(|plan| providers.contains(&plan.provider.as_str()) && plan.currency == "USD")
        .filter_map(|plan| of_plan(plan, people))
        .collect();
    found.sort_by(|a, b| a.monthly_usd.total_cmp(&b.monthly_usd));
    found
}

fn of_plan(plan: &Subscription, people: u32) -> Option<Seats> {
    // Their fee does not cover any use.
    if plan.all_use_charged {
        return None;
    }
    let sold = people.max(plan.seats_from.unwrap_or(1));
    if plan.seats_to.is_some_and(|most| sold > most) {
        return None;
    }
    let each = plan.per_month.filter(|usd| *usd > 0.0)?;
    let count = if sold == 1 { "1 seat".to_owned() } else { format!("{sold} seats") };
    let limits = if plan.allowance.iter().any(|a| a.of.is_none()) {
        "its allowance has a number: see the catalogue"
    } else {
        "whether its limits hold this use is not published"
    };
    let note = format!("{limits} ({}, {})", plan.id, plan.as_of);
    Some(Seats { name: format!("{}, {count}", plan.name), monthly_usd: each * f64::from(sold), note })
}
