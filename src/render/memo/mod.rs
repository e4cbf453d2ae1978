//! The memo: one page from any set of documents, for whoever has to agree and was not there. The decision,
//! the numbers that carry it, the options, what would change it, cost over time, what was measured, what
//! to buy, risks, next steps, what it rests on, and how to repeat it.

mod case;
mod decision;
mod measured;
mod rests;

pub use case::Named;

use super::charts;
use super::view::{Block, Cell, Table, View};
use crate::document::advice::AdviceDocument;
use crate::document::breakeven::{BreakevenDocument, BreakevenResult};
use crate::document::joined::Difference;
use crate::document::{Document, repeat};
use crate::number::{grouped, percent};
use case::Case;

/// The page. `differences`: where its documents are not of one case, which it says before all else that
/// one should know.
pub fn memo(documents: &[Named], differences: &[Difference]) -> View {
    let case = Case::of(documents);
    let mut view = View::new("Cloud or local: the decision");
    decision::sentence(&mut view, &case);
    decision::figures(&mut view, &case);
    decision::options(&mut view, &case);
    decision::flips(&mut view, &case);
    over_time(&mut view, &case);
    measured::section(&mut view, &case);
    for (file, document) in documents {
        if !matches!(document, Document::Advice(_) | Document::Bench(_) | Document::Breakeven(_)) {
            beside(&mut view, file, &document.view());
        }
    }
    purchase(&mut view, &case);
    risks(&mut view, &case);
    next_steps(&mut view, &case);
    rests::warnings(&mut view, &case, differences);
    rests::assumptions(&mut view, &case);
    repetition(&mut view, documents);
    view
}

/// A document that stands by itself: what fits and how fast, what the machine is. Its warnings stand
/// with all others.
fn beside(view: &mut View, file: &str, document: &View) {
    view.heading(format!("{} ({file})", document.title));
    let own = document.blocks.iter().filter(|b| !matches!(b, Block::Warnings(_)));
    view.blocks.extend(own.cloned());
}

fn over_time(view: &mut View, case: &Case<'_>) {
    if case.cost.is_empty() {
        return;
    }
    view.heading("Cost over time");
    for cost in &case.cost {
        let mut charts = charts::cost::all(cost);
        // That one stands with the inputs it weighs.
        charts.retain(|chart| chart.id != "tornado");
        if charts.is_empty() {
            view.push(Block::List(cost.result.summary.clone()));
        }
        view.charts(charts);
    }
}

/// What a part of the running cost is called.
fn part(name: &str) -> String {
    match name {
        "api" => "Requests".to_owned(),
        "staff" => "People".to_owned(),
        "power" => "Electricity".to_owned(),
        "uplift" => "Support and tax".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
        }
    }
}

/// The plan as a list of what is paid for.
fn purchase(view: &mut View, case: &Case<'_>) {
    let Some(result) = case.cost.first().map(|c| &c.result).filter(|r| !r.ranking) else { return };
    let Some(head) = result.comparisons.first() else { return };
    let Some(local) = result.local.iter().find(|l| l.name == head.local) else { return };
    let money = &case.money;
    let amount = |usd: f64| Cell::Number(money.convert(usd), money.show(usd));
    view.heading(if local.kind == "rented" { "What to rent" } else { "What to buy" });
    let mut table = Table::new(&["item", "#number", "#once", "#a month"]);
    let units = Cell::Number(f64::from(local.units), local.units.to_string());
    let rent = local.monthly_parts_usd.get("rent").copied();
    table.row([
        local.name.clone().into(),
        units,
        if local.capex_usd > 0.0 { amount(local.capex_usd) } else { Cell::None },
        rent.map_or(Cell::None, amount),
    ]);
    for (name, usd) in local.monthly_parts_usd.iter().filter(|(name, usd)| *name != "rent" && **usd != 0.0) {
        table.row([part(name).into(), Cell::None, Cell::None, amount(*usd)]);
    }
    table.row([
        "Together".into(),
        Cell::None,
        if local.capex_usd > 0.0 { amount(local.capex_usd) } else { Cell::None },
        amount(local.monthly_usd),
    ]);
    view.push(Block::Table(table));
    let mut notes = Vec::new();
    if local.units_at_horizon != local.units {
        notes.push(format!(
            "{} at the end of the {} months, as the volume grows",
            units_words(local.units_at_horizon),
            result.horizon_months
        ));
    }
    notes.extend(local.utilisation.map(|u| format!("busy {} of the time in the first month", percent(u))));
    notes.extend(
        local
            .capacity_tokens_per_month
            .map(|t| format!("room for {} tokens a month", crate::number::short(t))),
    );
    if local.residual_usd > 0.0 {
        notes.push(format!("still worth {} at the end", money.show(local.residual_usd)));
    }
    if !notes.is_empty() {
        let text = notes.join("; ");
        let mut letters = text.chars();
        let text: String =
            letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect());
        view.paragraph(format!("{text}."));
    }
}

fn units_words(units: u32) -> String {
    if units == 1 { "1 unit".to_owned() } else { format!("{} units", grouped(f64::from(units), 0)) }
}

fn risks(view: &mut View, case: &Case<'_>) {
    let mut lines: Vec<String> =
        case.advice.iter().flat_map(|a| &a.result.against).map(|r| r.text.clone()).collect();
    for cost in &case.cost {
        lines.extend(cost_risks(&cost.result));
    }
    lines.dedup();
    if !lines.is_empty() {
        view.heading("Risks");
        view.push(Block::List(lines));
    }
}

fn cost_risks(r: &BreakevenResult) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(p) = r.uncertainty.as_ref().and_then(|u| u.probability_local_cheaper) {
        let (odds, who) = if p >= 0.5 { (1.0 - p, "the cloud") } else { (p, "local") };
        if odds >= 0.005 {
            lines.push(format!("In {} of the simulated futures {who} costs less after all.", percent(odds)));
        }
    }
    lines.extend(
        r.comparisons
            .first()
            .and_then(|c| c.quality_note.clone())
            .map(|note| format!("{note}.").replace("..", ".")),
    );
    lines
}

fn next_steps(view: &mut View, case: &Case<'_>) {
    let mut started = false;
    let mut begin = |view: &mut View| {
        if !started {
            view.heading("Next steps");
            started = true;
        }
    };
    for advice in &case.advice {
        if !advice.result.first_steps.is_empty() {
            begin(view);
            let step = |s: &crate::document::advice::RecipeStep| match &s.code {
                Some(code) => format!("{} {code}", s.text),
                None => s.text.clone(),
            };
            view.push(Block::Numbered(advice.result.first_steps.iter().map(step).collect()));
        }
        if let Some(migration) = &advice.result.migration {
            begin(view);
            view.push(Block::Numbered(migration.steps.clone()));
        }
        for recipe in &advice.result.recipes {
            begin(view);
            let mut blocks = Vec::new();
            for step in &recipe.steps {
                blocks.push(Block::Paragraph(step.text.clone()));
                blocks.extend(step.code.clone().map(Block::Code));
            }
            view.push(Block::More(format!("{} ({})", recipe.title, recipe.time_to_first_result), blocks));
        }
        if let Some(again) = &advice.result.look_again {
            begin(view);
            view.paragraph(format!(
                "Look again by {} ({}), or as soon as {}.",
                again.date,
                again.because,
                again.triggers.join("; or ")
            ));
        }
    }
    if case.advice.is_empty() && !case.cost.is_empty() {
        let mut steps = Vec::new();
        if case.bench.is_empty() {
            steps.push("Measure speed and quality on your own prompts (freehold bench), then run the calculation again with what was measured.".to_owned());
        }
        steps.push(
            "Put the need to the decision (freehold advise): it adds the options that are not on this page."
                .to_owned(),
        );
        begin(view);
        view.push(Block::Numbered(steps));
    }
}

fn repetition(view: &mut View, documents: &[Named]) {
    view.heading("How to repeat it");
    let mut lines: Vec<String> = documents
        .iter()
        .map(|(file, d)| {
            // Documents of the first versions do not say for which day prices were taken.
            let day = match d.inputs().get("today") {
                Some(_) => String::new(),
                None => format!(" --today {}", repeat::quoted(d.created().get(..10).unwrap_or_default())),
            };
            format!("{}{day} -o {}", repeat::command(d.kind(), d.inputs()), repeat::quoted(file))
        })
        .collect();
    let files: Vec<String> = documents.iter().map(|(file, _)| repeat::quoted(file)).collect();
    lines.push(format!("freehold report {} --format markdown -o memo.md", files.join(" ")));
    view.push(Block::Code(lines.join("\n")));
    let mut versions: Vec<&str> = documents.iter().map(|(_, d)| d.tool_version()).collect();
    versions.sort_unstable();
    versions.dedup();
    view.paragraph(format!("Made by freehold {}.", versions.join(" and ")));
}

impl AdviceDocument {
    /// The page of this document alone.
    pub fn memo(&self) -> View {
        memo(&[("advice.json".to_owned(), Document::Advice(Box::new(self.clone())))], &[])
    }
}

impl BreakevenDocument {
    /// The page of this document alone; a ranking is shown as it is.
    pub fn memo(&self) -> View {
        if self.result.ranking {
            return self.view();
        }
        memo(&[("cost.json".to_owned(), Document::Breakeven(Box::new(self.clone())))], &[])
    }
}
