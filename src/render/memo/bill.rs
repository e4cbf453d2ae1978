//! The bill of materials: what is bought, rented or paid for.

use super::case::Case;
use super::decision::decided_name;
use crate::document::advice::OptionRow;
use crate::document::breakeven::{BreakevenResult, LocalOffer};
use crate::document::plan::{PlanDocument, PlanRow};
use crate::money::Currency;
use crate::number::{grouped, percent, short};
use crate::render::names::capital;
use crate::render::view::{Block, Cell, Table, View};
use std::collections::BTreeMap;

/// The bill of the chosen option, if its parts are known, or else of the first calculation; and of each
/// plan.
pub(super) fn section(view: &mut View, case: &Case<'_>) {
    let chosen = case.advice.iter().find_map(|a| {
        let id = a.result.chosen.as_deref()?;
        a.result.options.iter().find(|o| o.id == id)
    });
    let calculated = case.cost.first().map(|c| &c.result).filter(|r| !r.ranking).and_then(head);
    let chosen = chosen.filter(|o| o.plan.is_some() || !o.monthly_parts_usd.is_empty());
    match (chosen, calculated) {
        (Some(option), Some((_, local))) if option.name == local.name => {}
        (Some(option), _) => of_option(view, option, &case.money),
        (None, _) => {}
    }
    if let Some((result, local)) = calculated
        && chosen.is_none_or(|option| option.name == local.name)
    {
        let decided = decided_name(case).is_none_or(|name| name == local.name);
        of_offer(view, result, local, decided, &case.money);
    }
    for plan in &case.plans {
        of_plan(view, plan, &case.money);
    }
}

/// The hardware of the first comparison.
fn head(result: &BreakevenResult) -> Option<(&BreakevenResult, &LocalOffer)> {
    let head = result.comparisons.first()?;
    Some((result, result.local.iter().find(|l| l.name == head.local)?))
}

fn empty() -> Table {
    Table::new(&["item", "#number", "#once", "#first month"])
}

fn amount(usd: f64, money: &Currency) -> Cell {
    Cell::Number(money.convert(usd), money.show(usd))
}

fn once(usd: f64, money: &Currency) -> Cell {
    if usd > 0.0 { amount(usd, money) } else { Cell::None }
}

fn number(n: u32) -> Cell {
    Cell::Number(f64::from(n), grouped(f64::from(n), 0))
}

/// The name of a part of the running cost.
fn part(name: &str) -> String {
    match name {
        "api" => "Requests".to_owned(),
        "staff" => "People".to_owned(),
        "power" => "Electricity".to_owned(),
        "uplift" => "Support and tax".to_owned(),
        other => capital(other),
    }
}

fn parts(table: &mut Table, parts: &BTreeMap<String, f64>, without: &[&str], money: &Currency) {
    for (name, usd) in parts.iter().filter(|(name, usd)| !without.contains(&name.as_str()) && **usd != 0.0) {
        table.row([part(name).into(), Cell::None, Cell::None, amount(*usd, money)]);
    }
}

fn together(table: &mut Table, capex: f64, monthly: f64, money: &Currency) {
    table.row(["Together".into(), Cell::None, once(capex, money), amount(monthly, money)]);
}

/// The bill of an option: its plan, or the requests that are paid for.
fn of_option(view: &mut View, option: &OptionRow, money: &Currency) {
    let Some(monthly) = option.monthly_usd else { return };
    let capex = option.capex_usd.unwrap_or(0.0);
    view.heading(match (&option.plan, capex > 0.0) {
        (Some(_), true) => "What to buy",
        (Some(_), false) => "What to rent",
        (None, _) => "What to pay for",
    });
    let mut table = empty();
    if let Some(plan) = &option.plan {
        machines(&mut table, plan, option.monthly_parts_usd.get("rent").copied(), money);
        parts(&mut table, &option.monthly_parts_usd, &["rent"], money);
    } else if let Some(api) = &option.api_model {
        let requests = option.monthly_parts_usd.get("api").copied();
        let requests = requests.map_or(Cell::None, |usd| amount(usd, money));
        table.row([format!("Requests to {api}").into(), Cell::None, Cell::None, requests]);
        parts(&mut table, &option.monthly_parts_usd, &["api"], money);
    } else {
        parts(&mut table, &option.monthly_parts_usd, &[], money);
    }
    together(&mut table, capex, monthly, money);
    view.push(Block::Table(table));
    if let Some(plan) = &option.plan {
        view.paragraph(how(plan));
    }
}

/// The bill of the cheapest plan in a document; other plans are folded.
fn of_plan(view: &mut View, document: &PlanDocument, money: &Currency) {
    let r = &document.result;
    let own = document.view();
    let blocks: Vec<Block> = own.blocks.into_iter().filter(|b| !matches!(b, Block::Warnings(_))).collect();
    let Some(plan) = r.best().filter(|p| p.misses.is_empty()) else {
        view.heading(own.title);
        view.blocks.extend(blocks);
        return;
    };
    let what = if plan.capex_usd > 0.0 { "buy" } else { "rent" };
    view.heading(format!("What to {what} for {}", r.model));
    let mut table = empty();
    machines(&mut table, plan, None, money);
    let people = plan.staff_hours_per_month.likely;
    table.row([
        format!("People, {} hours a month", short(people)).into(),
        Cell::None,
        Cell::None,
        Cell::None,
    ]);
    if let Some(watts) = plan.watts {
        let power = format!("Electricity, {} W on average", grouped(watts, 0));
        table.row([power.into(), Cell::None, Cell::None, Cell::None]);
    }
    together(&mut table, plan.capex_usd, plan.monthly_usd, money);
    view.push(Block::Table(table));
    view.paragraph(how(plan));
    view.push(Block::More("Other plans, and what was left out".to_owned(), blocks));
}

fn machines(table: &mut Table, plan: &PlanRow, rent: Option<f64>, money: &Currency) {
    let rent = rent.map_or(Cell::None, |usd| amount(usd, money));
    table.row([plan.host_name.clone().into(), number(plan.hosts), once(plan.capex_usd, money), rent]);
    if plan.accelerator_name != plan.host_name {
        let cards = format!("in it: {}", plan.accelerator_name);
        table.row([cards.into(), number(plan.accelerators), Cell::None, Cell::None]);
    }
    if plan.spare_hosts > 0 {
        table.row(["of them in reserve".into(), number(plan.spare_hosts), Cell::None, Cell::None]);
    }
}

/// How the plan is run, and how busy it is.
fn how(plan: &PlanRow) -> String {
    let copies = if plan.replicas == 1 {
        "One copy of the model".to_owned()
    } else {
        format!("{} copies of the model", plan.replicas)
    };
    format!(
        "{copies} under {} with {} weights, up to {} requests at once{}. First token after {} ms and {} ms for each further one at the peak, 95 of 100 requests ({}). Busy {} of the time at the peak, {} on average.",
        plan.engine,
        plan.quantisation,
        plan.concurrency,
        if plan.replicas == 1 { "" } else { " each" },
        crate::number::measured(plan.ttft_p95_ms),
        crate::number::measured(plan.tpot_p95_ms),
        "predicted, not measured",
        percent(plan.busy_peak),
        percent(plan.busy_mean),
    )
}

/// The bill of the hardware in a calculation. `decided` says that the memo's first sentence recommends it.
fn of_offer(view: &mut View, result: &BreakevenResult, local: &LocalOffer, decided: bool, money: &Currency) {
    let what = if local.kind == "rented" { "rent" } else { "buy" };
    view.heading(if decided {
        format!("What to {what}")
    } else {
        format!("What to {what} to run it yourself instead")
    });
    let mut table = empty();
    let rent = local.monthly_parts_usd.get("rent").copied();
    table.row([
        local.name.clone().into(),
        number(local.units),
        once(local.capex_usd, money),
        rent.map_or(Cell::None, |usd| amount(usd, money)),
    ]);
    parts(&mut table, &local.monthly_parts_usd, &["rent"], money);
    together(&mut table, local.capex_usd, local.monthly_usd, money);
    view.push(Block::Table(table));
    let mut notes = Vec::new();
    if local.units_at_horizon != local.units {
        let units = if local.units_at_horizon == 1 {
            "1 unit".to_owned()
        } else {
            format!("{} units", grouped(f64::from(local.units_at_horizon), 0))
        };
        notes
            .push(format!("{units} at the end of the {} months, as the volume grows", result.horizon_months));
    }
    notes.extend(local.utilisation.map(|u| format!("busy {} of the time in the first month", percent(u))));
    notes.extend(local.capacity_tokens_per_month.map(|t| format!("room for {} tokens a month", short(t))));
    if local.residual_usd > 0.0 {
        notes.push(format!("still worth {} at the end", money.show(local.residual_usd)));
    }
    if !notes.is_empty() {
        view.paragraph(format!("{}.", capital(&notes.join("; "))));
    }
}
