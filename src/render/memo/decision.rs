//! The decision, the numbers that support it, the options, and what would change it.

use super::case::Case;
use crate::advise::{Confidence, Placement};
use crate::document::advice::{AdviceDocument, text};
use crate::document::breakeven::text::months;
use crate::document::breakeven::{BreakevenResult, Comparator, Comparison};
use crate::money::Currency;
use crate::number::{grouped, percent, short};
use crate::render::charts::cost::{role, volume};
use crate::render::names::capital;
use crate::render::view::{Block, Cell, Figure, Table, View};
use std::fmt::Write as _;

/// The most options on the page.
const MOST: usize = 8;

/// One way to serve the need, from whichever document has it.
struct Choice {
    name: String,
    placement: String,
    capex_usd: Option<f64>,
    monthly_usd: Option<f64>,
    tco_usd: Option<f64>,
    probability: Option<f64>,
    /// The part of the first month's cost that pays people.
    staff_usd: Option<f64>,
    note: Option<String>,
    chosen: bool,
    excluded: bool,
}

/// The options of an advice document that computes them.
fn of_advice(advice: &AdviceDocument) -> Vec<Choice> {
    let chosen = advice.result.chosen.as_deref();
    advice
        .result
        .worth_showing()
        .map(|o| {
            let said: Vec<&str> = o.needs.iter().chain(&o.against).map(String::as_str).collect();
            let note = o
                .excluded_because
                .as_ref()
                .map_or_else(|| said.join("; "), |why| format!("not possible: {why}"));
            Choice {
                name: o.name.clone(),
                placement: text::place(o.placement).to_owned(),
                capex_usd: o.capex_usd.filter(|usd| *usd > 0.0),
                monthly_usd: o.monthly_usd,
                tco_usd: o.tco_usd,
                probability: o.probability_cheapest,
                staff_usd: o.monthly_parts_usd.get("staff").copied(),
                note: Some(note).filter(|n| !n.is_empty()),
                chosen: chosen == Some(o.id.as_str()),
                excluded: o.excluded_because.is_some(),
            }
        })
        .collect()
}

fn of_cost(r: &BreakevenResult) -> Vec<Choice> {
    let choice =
        |name: &str, placement: &str, capex: Option<f64>, monthly: f64, tco: f64, note: String| Choice {
            name: name.to_owned(),
            placement: placement.to_owned(),
            capex_usd: capex,
            monthly_usd: Some(monthly),
            tco_usd: Some(tco),
            probability: None,
            staff_usd: None,
            note: Some(note).filter(|n| !n.is_empty()),
            chosen: false,
            excluded: false,
        };
    let mut all: Vec<Choice> = r
        .cloud
        .iter()
        .map(|c| {
            let what = if c.billed_hours_per_month.is_some() { "rented" } else { "API" };
            let note = match c.comparator {
                Comparator::Asked => "what was asked about".to_owned(),
                other => role(other).to_owned(),
            };
            choice(&c.name, what, None, c.monthly_usd, c.tco_usd, note)
        })
        .collect();
    for l in &r.local {
        let against = r.comparisons.iter().find(|c| c.local == l.name);
        let payback = against.map(|c| match (c.payback_months, &c.never_because) {
            (Some(m), _) if m < 0.05 => format!("costs less than {} from the first month", c.cloud),
            (Some(m), _) => format!("pays back against {} after {}", c.cloud, months(m)),
            (None, _) => format!("never pays back against {}", c.cloud),
        });
        let meanwhile = Some(r.meanwhile_usd(l)).filter(|usd| *usd != 0.0);
        let meanwhile =
            meanwhile.map(|usd| format!("with {} for the API until it works", r.money().show(usd)));
        let note = [Some(role(l.comparator).to_owned()).filter(|r| !r.is_empty()), payback, meanwhile];
        let note = note.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let capex = Some(l.capex_usd).filter(|c| *c > 0.0);
        all.push(choice(&l.name, &l.kind, capex, l.monthly_usd, r.total_usd(l), note));
    }
    if let Some(h) = &r.hybrid
        && let Some(routed) = &h.routed
    {
        let name = format!(
            "{} of the requests on {}, the rest on {}",
            percent(routed.local_share),
            h.local,
            h.cloud
        );
        let note = format!("{} of those are asked again", percent(routed.escalation_share));
        all.push(choice(
            &name,
            "hybrid",
            Some(routed.capex_usd).filter(|c| *c > 0.0),
            routed.monthly_usd,
            routed.tco_usd,
            note,
        ));
    }
    all.sort_by(|a, b| a.tco_usd.unwrap_or(f64::MAX).total_cmp(&b.tco_usd.unwrap_or(f64::MAX)));
    all
}

fn choices(case: &Case<'_>) -> Vec<Choice> {
    let advised: Vec<Choice> = case.advice.iter().flat_map(|a| of_advice(a)).collect();
    if !advised.is_empty() {
        return advised;
    }
    // A ranking has thousands of offers, which are no options to choose from; it has tables of its own.
    case.cost.iter().filter(|c| !c.result.ranking).flat_map(|c| of_cost(&c.result)).collect()
}

/// What the memo is about: `for 300,000 requests a month`.
fn subject(case: &Case<'_>) -> String {
    let of_input = |name: &str| {
        case.all.iter().find_map(|(_, d)| {
            let value = &d.inputs().get(name)?.value;
            value.as_f64().or_else(|| value.get("likely")?.as_f64())
        })
    };
    if let Some(requests) = of_input("need.requests_per_month") {
        return format!(" for {}", volume(requests));
    }
    of_input("need.tokens_per_month")
        .or_else(|| case.cost.first().map(|c| c.result.tokens_per_month).filter(|t| *t > 0.0))
        .map_or_else(String::new, |tokens| format!(" for {} tokens a month", short(tokens)))
}

pub(super) fn sentence(view: &mut View, case: &Case<'_>) {
    let subject = subject(case);
    for advice in &case.advice {
        let result = &advice.result;
        let what = match result.placement {
            Placement::Cloud => "Use a cloud API",
            Placement::Local => "Run the model yourself",
            Placement::Hybrid => "Split the work: a part on your own hardware, the rest on a cloud API",
        };
        let lead = result.sentence.clone().unwrap_or_else(|| format!("{what}{subject}."));
        view.push(Block::Lead(lead));
        let sure = match result.confidence {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        };
        let where_ = match result.placement {
            Placement::Cloud => "the cloud is the right place",
            Placement::Local => "you should run it yourself",
            Placement::Hybrid => "the work should be split",
        };
        let mut confidence = vec![format!("Confidence that {where_}: {sure}.")];
        confidence.extend(result.confidence_because.iter().map(|why| format!("{}.", capital(why))));
        view.paragraph(confidence.join(" "));
        advice.replaced(view);
        if let Some(matrix) = &result.matrix
            && let Some(because) = &matrix.differs_because
        {
            let place = text::place(matrix.placement);
            view.paragraph(format!(
                "The decision matrix says {place} ({}). The calculation decides otherwise: {because}.",
                matrix.cell
            ));
        }
        for tension in &result.tensions {
            view.paragraph(format!("{} {}", tension.text, tension.way_out));
        }
        let mut lines: Vec<String> = result.reasons.iter().map(|r| r.text.clone()).collect();
        for note in result.quality.iter().map(|q| &q.text).chain(result.cost.iter().map(|c| &c.text)) {
            if lines.iter().chain(result.against.iter().map(|r| &r.text)).all(|l| l != note) {
                lines.push(note.clone());
            }
        }
        view.push(Block::List(lines));
    }
    if !case.advice.is_empty() {
        return;
    }
    if let Some(plan) = case.plans.first().filter(|_| case.cost.is_empty())
        && let Some(sentence) = plan.result.sentence()
    {
        view.push(Block::Lead(sentence));
        view.paragraph(plan.result.purpose());
        view.paragraph("A plan alone: no calculation against an API and no verdict is among the files.");
        return;
    }
    let Some(r) = case.cost.first().map(|c| &c.result) else {
        view.push(Block::Lead(format!(
            "What was found{subject}; no calculation and no verdict is among the files."
        )));
        return;
    };
    if r.ranking {
        let less = |a: &(f64, &str), b: &(f64, &str)| a.0.total_cmp(&b.0);
        let api = r.cloud.iter().map(|c| (c.tco_usd, c.name.as_str())).min_by(less);
        let own = r.local.iter().map(|l| (r.total_usd(l), l.name.as_str())).min_by(less);
        let money = &case.money;
        let lead = match (api, own) {
            (Some((api_usd, api)), Some((own_usd, own))) => {
                let (first, second) = if api_usd <= own_usd {
                    ((api_usd, format!("the API {api}")), (own_usd, format!("hardware, {own},")))
                } else {
                    ((own_usd, own.to_owned()), (api_usd, format!("API, {api},")))
                };
                format!(
                    "Cheapest{subject}: {} with {} over {} months; the cheapest {} costs {}.",
                    first.1,
                    money.show(first.0),
                    r.horizon_months,
                    second.1,
                    money.show(second.0)
                )
            }
            _ => format!("Every API model against every hardware{subject}."),
        };
        view.push(Block::Lead(lead));
    } else if let Some(best) = choices(case).first()
        && let Some(tco) = best.tco_usd
    {
        let verb = match best.placement.as_str() {
            "API" => "Use",
            "owned" => "Buy",
            "financed" => "Finance",
            "hybrid" => "Split the work:",
            _ => "Rent",
        };
        let money = &case.money;
        let more = choices(case).get(1).and_then(|second| {
            Some(format!(", {} less than {}", money.show(second.tco_usd? - tco), second.name))
        });
        view.push(Block::Lead(format!(
            "{verb} {}{subject}: it costs {} over {} months{}.",
            best.name,
            money.show(tco),
            r.horizon_months,
            more.unwrap_or_default()
        )));
    }
    view.paragraph("By cost alone: no advice document is among the files, so privacy, people and quality are not weighed.");
    // The first two lines are repeated by the sentence above or the numbers below, if those are about the
    // same two offers; otherwise the second is in the table.
    let told = if r.summary.len() < 3 {
        0..0
    } else if r.ranking || is_of_head(case) {
        0..2
    } else {
        1..2
    };
    let said = r.summary.iter().enumerate().filter(|(n, _)| !told.contains(n));
    view.push(Block::List(said.map(|(_, line)| line.clone()).collect()));
}

fn add(all: &mut Vec<Figure>, label: &str, value: String, note: String) {
    all.push(Figure { label: label.to_owned(), value, note });
}

/// The few numbers that support the decision.
pub(super) fn figures(view: &mut View, case: &Case<'_>) {
    let money = &case.money;
    let mut all: Vec<Figure> = Vec::new();
    // Numbers about two offers that the first sentence does not name would contradict it.
    if let Some(r) = case.cost.first().map(|c| &c.result)
        && let Some(head) = r.comparisons.first()
        && !r.ranking
        && is_of_head(case)
    {
        let (word, usd) =
            if head.saving_usd >= 0.0 { ("less", head.saving_usd) } else { ("more", -head.saving_usd) };
        add(
            &mut all,
            &format!(
                "{} over {} months",
                if head.saving_usd >= 0.0 { "Saved by local" } else { "Extra cost of local" },
                r.horizon_months
            ),
            money.show(usd),
            format!(
                "{} {word} than {}: {} against {}",
                head.local,
                head.cloud,
                money.show(head.tco_local_usd),
                money.show(head.tco_cloud_usd)
            ),
        );
        let range =
            r.uncertainty.as_ref().filter(|u| u.draws > 0).map(|u| match (u.payback_p10, u.payback_p90) {
                (Some(a), Some(b)) => format!("{a:.0} to {b:.0} months in four of five simulated futures"),
                (Some(a), None) => format!("from {a:.0} months to never in four of five simulated futures"),
                _ => "in few or none of the simulated futures".to_owned(),
            });
        let why = head.never_because.clone();
        add(
            &mut all,
            "Payback",
            head.payback_months.map_or_else(|| "never".to_owned(), months),
            why.or(range).unwrap_or_default(),
        );
        match (
            r.uncertainty.as_ref().and_then(|u| u.probability_local_cheaper),
            head.breakeven_requests_per_month,
        ) {
            (Some(p), _) => add(
                &mut all,
                "Chance that local costs less",
                percent(p),
                format!(
                    "of {} simulated futures",
                    r.uncertainty.as_ref().map_or_else(String::new, |u| grouped(f64::from(u.draws), 0))
                ),
            ),
            (None, Some(requests)) if requests < 1.0 => {
                add(&mut all, "Local costs less", "at every volume".to_owned(), String::new());
            }
            (None, Some(requests)) => add(&mut all, "Both cost the same at", volume(requests), String::new()),
            (None, None) => add(&mut all, "Both cost the same at", "no volume".to_owned(), String::new()),
        }
    }
    if all.is_empty() {
        all.extend(of_chosen(case));
    }
    if all.is_empty() {
        all.extend(of_cheapest(case));
    }
    if all.is_empty() && case.cost.is_empty() {
        all.extend(of_plan(case));
    }
    if all.is_empty() {
        for (_, bench) in case.bench.iter().take(1) {
            for target in bench.result.targets.iter().take(3) {
                if let Some(ms) = target.metrics.ttft_ms.median {
                    let speed = target.metrics.decode_tps.median.map_or_else(String::new, |t| {
                        format!("then {} tokens/s", crate::number::measured(t))
                    });
                    add(
                        &mut all,
                        &format!("First token of {}", target.id),
                        format!("{} ms", crate::number::measured(ms)),
                        speed,
                    );
                }
            }
        }
    }
    if !all.is_empty() {
        view.push(Block::Figures(all));
    }
}

/// The option that the first sentence recommends: the chosen one, or else the cheapest.
fn decided(all: &[Choice]) -> Option<&Choice> {
    all.iter().find(|c| c.chosen).or_else(|| all.first().filter(|_| all.iter().all(|c| !c.chosen)))
}

/// The name of the recommended option; `None` where there are no options.
pub(super) fn decided_name(case: &Case<'_>) -> Option<String> {
    decided(&choices(case)).map(|c| c.name.clone())
}

/// Is the first comparison of the first calculation about the recommended option?
fn is_of_head(case: &Case<'_>) -> bool {
    let head = case.cost.first().and_then(|c| c.result.comparisons.first());
    let all = choices(case);
    let (Some(head), Some(best)) = (head, decided(&all)) else { return true };
    // With another API until the hardware works, its total in the comparison is another one, too.
    let told =
        |c: &Choice| c.name == head.local && c.tco_usd.is_some_and(|usd| usd < head.tco_local_usd - 0.005);
    if case.advice.is_empty() && all.iter().any(told) {
        return false;
    }
    // A hybrid has no comparison of its own.
    best.name == head.local || best.name == head.cloud || best.placement == "hybrid"
}

/// Numbers of the cheapest offer, if it is not part of the first comparison: its cost, when owning pays
/// back against it, and what it saves against what was asked about.
fn of_cheapest(case: &Case<'_>) -> Vec<Figure> {
    let Some(r) = case.cost.first().map(|c| &c.result).filter(|r| !r.ranking) else { return Vec::new() };
    let all = choices(case);
    let (Some(best), Some(head)) = (all.first(), r.comparisons.first()) else { return Vec::new() };
    let Some(tco) = best.tco_usd else { return Vec::new() };
    let money = &case.money;
    let mut found = Vec::new();
    let next = all.get(1).and_then(|c| Some(beside(&c.name, c.tco_usd?, tco, money)));
    add(
        &mut found,
        &format!("Cost over {} months", r.horizon_months),
        money.show(tco),
        next.unwrap_or_default(),
    );
    if let Some(pair) = r.comparisons.iter().find(|c| c.cloud == best.name || c.local == best.name) {
        let note = format!("{} against {}", pair.local, pair.cloud);
        let why = pair.never_because.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let value = match pair.payback_months {
            Some(m) if m < 0.05 => "from the first month".to_owned(),
            Some(m) => months(m),
            None => "never".to_owned(),
        };
        add(&mut found, "Payback", value, format!("{note}{why}"));
    }
    if let Some(asked) = r.cloud.iter().find(|c| c.name == head.cloud && c.tco_usd > tco) {
        let note = format!("{} over {} months", money.show(asked.tco_usd), r.horizon_months);
        add(&mut found, &format!("Less than {}", asked.name), money.show(asked.tco_usd - tco), note);
    }
    found
}

/// Another option and its cost: the next one, or one that costs less than this and is not taken.
fn beside(name: &str, usd: f64, this: f64, money: &Currency) -> String {
    let word = if usd < this { "beside it" } else { "next" };
    format!("{word}: {name} with {}", money.show(usd))
}

/// Numbers of the first plan: its cost, and how fast it answers.
fn of_plan(case: &Case<'_>) -> Vec<Figure> {
    let Some(r) = case.plans.first().map(|p| &p.result) else { return Vec::new() };
    let Some(plan) = r.best().filter(|p| p.misses.is_empty()) else { return Vec::new() };
    let money = &case.money;
    let mut found = Vec::new();
    let parts =
        format!("{} up front and {} a month", money.show(plan.capex_usd), money.show(plan.monthly_usd));
    add(&mut found, &format!("Cost over {} months", r.horizon_months), money.show(plan.tco_usd), parts);
    let limit = |ms: Option<f64>| ms.map_or_else(String::new, |ms| format!("limit: {} ms", grouped(ms, 0)));
    let ms = |ms: f64| format!("{} ms", crate::number::measured(ms));
    add(&mut found, "First token, 95 of 100 requests", ms(plan.ttft_p95_ms), limit(r.need.ttft_limit_ms));
    add(&mut found, "Each further token", ms(plan.tpot_p95_ms), limit(r.need.tpot_limit_ms));
    found
}

/// Numbers of the chosen option: its cost, compared with what, and how sure that is.
fn of_chosen(case: &Case<'_>) -> Vec<Figure> {
    let all = choices(case);
    let Some(chosen) = all.iter().find(|c| c.chosen) else { return Vec::new() };
    let money = &case.money;
    let months = case.advice.iter().find_map(|a| a.result.horizon_months);
    let months = months.map_or_else(|| "in all".to_owned(), |m| format!("over {m} months"));
    let mut found = Vec::new();
    let mut add = |label: String, value: String, note: String| found.push(Figure { label, value, note });
    if let Some(tco) = chosen.tco_usd {
        let others = all.iter().filter(|c| !c.chosen && !c.excluded);
        let next = others.filter_map(|c| Some((c.tco_usd?, &c.name))).min_by(|a, b| a.0.total_cmp(&b.0));
        let note = next.map_or_else(String::new, |(usd, name)| beside(name, usd, tco, money));
        add(format!("Cost {months}"), money.show(tco), note);
    }
    if let Some(usd) = chosen.monthly_usd {
        let mut first = chosen
            .capex_usd
            .map_or_else(|| "nothing to buy".to_owned(), |c| format!("and {} up front", money.show(c)));
        // Much of a small bill can be working time, for which no provider sends an invoice.
        if let Some(staff) = chosen.staff_usd.filter(|staff| *staff > usd * 0.2) {
            let _ = write!(first, "; {} of it is working time", money.show(staff));
        }
        add("Cost of the first month".to_owned(), money.show(usd), first);
    }
    if let Some(p) = chosen.probability {
        add("Chance of costing least".to_owned(), percent(p), "of the options that may be taken".to_owned());
    }
    found
}

pub(super) fn options(view: &mut View, case: &Case<'_>) {
    let all = choices(case);
    if all.is_empty() {
        return;
    }
    let money: &Currency = &case.money;
    let horizon = case
        .cost
        .first()
        .map_or_else(|| "#in all".to_owned(), |c| format!("#{} months", c.result.horizon_months));
    let horizon =
        case.advice.iter().find_map(|a| a.result.horizon_months).map_or(horizon, |m| format!("#{m} months"));
    let odds = all.iter().any(|c| c.probability.is_some());
    let mut columns = vec!["!option", "kind", "#up front", "#first month", horizon.as_str()];
    if odds {
        columns.push("#chance of costing least");
    }
    columns.push("to know");
    let mut table = Table::new(&columns);
    let amount =
        |usd: Option<f64>| usd.map_or(Cell::None, |usd| Cell::Number(money.convert(usd), money.show(usd)));
    let (open, closed): (Vec<&Choice>, Vec<&Choice>) = all.iter().partition(|c| !c.excluded);
    for c in open.iter().take(MOST).chain(closed.iter().take(MOST.saturating_sub(open.len()))) {
        let name = if c.chosen { format!("→ {}", c.name) } else { c.name.clone() };
        let mut row = vec![
            name.into(),
            c.placement.clone().into(),
            amount(c.capex_usd),
            amount(c.monthly_usd),
            amount(c.tco_usd),
        ];
        if odds {
            row.push(c.probability.map_or(Cell::None, |p| Cell::Number(p, percent(p))));
        }
        row.push(c.note.clone().into());
        table.row_of(row);
    }
    view.heading("Options");
    let left = all.len() - table.rows.len();
    view.push(Block::Table(table));
    if left > 0 {
        view.paragraph(format!("{} more are in the documents.", grouped(left as f64, 0)));
    }
    for group in case.advice.iter().flat_map(|a| &a.result.excluded) {
        view.paragraph(format!(
            "Left out: {} {} ({}).",
            grouped(group.count as f64, 0),
            group.what,
            group.because
        ));
    }
}

/// The most inputs that are listed as turning the answer, beside volume and price.
const TURNS: usize = 3;

/// The comparison of the recommended option with the cheapest of those that it is compared with.
fn against_next<'a>(case: &Case<'_>, r: &'a BreakevenResult) -> Option<&'a Comparison> {
    let all = choices(case);
    let best = decided(&all)?;
    let total = |name: &str| all.iter().find(|c| c.name == name && !c.excluded)?.tco_usd;
    let other = |c: &Comparison| {
        let other = if c.local == best.name { &c.cloud } else { &c.local };
        (best.name == c.local || best.name == c.cloud).then(|| total(other))?
    };
    let with: Vec<(f64, &Comparison)> = r.comparisons.iter().filter_map(|c| Some((other(c)?, c))).collect();
    with.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, c)| c)
}

/// Values of volume, price and answers at which the decision would be another one.
pub(super) fn flips(view: &mut View, case: &Case<'_>) {
    let mut lines: Vec<String> =
        case.advice.iter().flat_map(|a| &a.result.flips).map(|f| f.text.clone()).collect();
    if let Some(r) = case.cost.first().map(|c| &c.result).filter(|r| !r.ranking)
        && let Some(head) = against_next(case, r)
    {
        let money = &case.money;
        match head.breakeven_requests_per_month {
            Some(requests) if requests < 1.0 => {
                lines.push(format!(
                    "Volume: none; {} costs less than {} at every volume.",
                    head.local, head.cloud
                ));
            }
            Some(requests) => {
                let now = r
                    .requests_per_month
                    .map_or_else(String::new, |now| format!(" (now {})", grouped(now, 0)));
                lines.push(format!(
                    "Volume: {} and {} cost the same at {}{now}.",
                    head.local,
                    head.cloud,
                    volume(requests)
                ));
            }
            None => {}
        }
        if let Some(price) = head.breakeven_blended_usd_per_mtok {
            let now = r.cloud.iter().find(|c| c.name == head.cloud).and_then(|c| c.usd_per_mtok_blended);
            let now = now.map_or_else(String::new, |now| format!(" (now {})", money.show(now)));
            lines.push(format!(
                "Price: they cost the same if {} charges {} per million tokens{now}.",
                head.cloud,
                money.show(price),
            ));
        }
        let other = if head.saving_usd > 0.0 { &head.cloud } else { &head.local };
        // These were searched for the first comparison alone.
        let searched = r.comparisons.first().is_some_and(|first| std::ptr::eq(first, head));
        let turns = r.uncertainty.iter().filter(|_| searched).flat_map(|u| &u.turning_points);
        for turn in turns.take(TURNS) {
            let value = |v: f64| crate::render::names::in_unit(v, &turn.unit, money);
            let side = if turn.value > turn.likely { "more" } else { "less" };
            let taken = match (turn.high > turn.low, turn.in_range) {
                (true, true) => format!("; taken: {} to {}", value(turn.low), value(turn.high)),
                (true, false) => "; beyond what was taken".to_owned(),
                (false, _) => String::new(),
            };
            lines.push(format!(
                "{}: at {} or {side}, {other} costs less (now {}{taken}).",
                crate::render::names::of_input_and_side(&turn.input),
                value(turn.value),
                value(turn.likely),
            ));
        }
    }
    if !lines.is_empty() {
        view.heading("What would change it");
        view.push(Block::List(lines));
    }
}
