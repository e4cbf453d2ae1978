//! The memo: one page from any set of documents, for people who must agree and were not there. It has the
//! decision, the numbers that support it, the options, what would change it, cost over time, measurements,
//! what to buy, risks, next steps, what it is based on, and how to repeat it.

mod bill;
mod case;
mod decision;
mod measured;
mod rests;

pub use case::Named;

use super::charts;
use super::names::capital;
use super::view::{Block, View};
use crate::document::advice::AdviceDocument;
use crate::document::breakeven::{BreakevenDocument, BreakevenResult};
use crate::document::joined::Difference;
use crate::document::{Document, repeat};
use crate::number::percent;
use case::Case;

/// The memo of these documents. `differences` says where they do not describe the same case, which is
/// printed before everything else.
pub fn memo(documents: &[Named], differences: &[Difference]) -> View {
    let case = Case::of(documents);
    let mut view = View::new(match (case.plans.first(), case.ranking()) {
        (Some(plan), _) if case.advice.is_empty() && case.cost.is_empty() => {
            format!("A plan for {}", plan.result.model)
        }
        (_, Some(_)) if case.advice.is_empty() => "Every API model against every hardware".to_owned(),
        _ => "Cloud or local: the decision".to_owned(),
    });
    decision::sentence(&mut view, &case);
    decision::figures(&mut view, &case);
    if case.advice.is_empty()
        && let Some(ranking) = case.ranking()
    {
        super::breakeven::ranking(&ranking.result, &mut view);
    } else {
        decision::options(&mut view, &case);
    }
    decision::flips(&mut view, &case);
    over_time(&mut view, &case);
    measured::section(&mut view, &case);
    for (file, document) in documents {
        match document {
            Document::Advice(_) | Document::Bench(_) | Document::Breakeven(_) | Document::Plan(_) => {}
            _ => beside(&mut view, file, &document.view()),
        }
    }
    bill::section(&mut view, &case);
    risks(&mut view, &case);
    next_steps(&mut view, &case);
    rests::warnings(&mut view, &case, differences);
    rests::assumptions(&mut view, &case);
    repetition(&mut view, documents, !differences.is_empty());
    view
}

/// A document that is shown by itself: what fits, or what the machine is. Its warnings are listed with all
/// others.
fn beside(view: &mut View, file: &str, document: &View) {
    view.heading(format!("{} ({file})", document.title));
    let own = document.blocks.iter().filter(|b| !matches!(b, Block::Warnings(_)));
    view.blocks.extend(own.cloned());
}

fn over_time(view: &mut View, case: &Case<'_>) {
    if case.cost.is_empty() {
        let charts: Vec<_> = case.advice.iter().flat_map(|a| charts::advice::all(a, &case.money)).collect();
        if !charts.is_empty() {
            view.heading("Cost over time");
            view.charts(charts);
        }
        return;
    }
    view.heading(if case.cost.iter().all(|c| c.result.ranking) {
        "Price against speed"
    } else {
        "Cost over time"
    });
    for cost in &case.cost {
        let mut charts = charts::cost::all(cost);
        // The tornado is shown with the inputs that it is about.
        charts.retain(|chart| chart.id != "tornado");
        if charts.is_empty() {
            view.push(Block::List(cost.result.summary.clone()));
        }
        view.charts(charts);
    }
}

fn risks(view: &mut View, case: &Case<'_>) {
    let mut lines: Vec<String> =
        case.advice.iter().flat_map(|a| &a.result.against).map(|r| r.text.clone()).collect();
    for cost in &case.cost {
        lines.extend(cost_risks(&cost.result));
    }
    lines.dedup();
    if !lines.is_empty() {
        view.heading("What speaks for another place");
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
            // In a ranking the first pair is one of hundreds of thousands; tiers are in the table.
            .filter(|_| !r.ranking)
            .and_then(|c| c.quality_note.clone())
            .map(|note| capital(&format!("{note}.").replace("..", "."))),
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

fn repetition(view: &mut View, documents: &[Named], mismatch: bool) {
    view.heading("How to repeat it");
    let mut lines: Vec<String> = documents
        .iter()
        .map(|(file, d)| {
            // Documents of the first versions do not say on which day prices were looked up.
            let day = match d.inputs().get("today") {
                Some(_) => String::new(),
                None => format!(" --today {}", repeat::quoted(d.created().get(..10).unwrap_or_default())),
            };
            format!("{}{day} -o {}", repeat::command(d.kind(), d.inputs()), repeat::quoted(file))
        })
        .collect();
    let files: Vec<String> = documents.iter().map(|(file, _)| repeat::quoted(file)).collect();
    let allowed = if mismatch { " --allow-mismatch" } else { "" };
    lines.push(format!("freehold report {}{allowed} --format markdown -o memo.md", files.join(" ")));
    view.push(Block::Code(lines.join("\n")));
    if documents.iter().any(|(_, d)| repeat::from_stdin(d.inputs())) {
        view.paragraph("A scenario came in by standard input; its keys are given as flags here.");
    }
    let mut versions: Vec<&str> = documents.iter().map(|(_, d)| d.tool_version()).collect();
    versions.sort_unstable();
    versions.dedup();
    view.paragraph(format!("Made by freehold {}.", versions.join(" and ")));
}

impl AdviceDocument {
    /// The memo of this document alone.
    pub fn memo(&self) -> View {
        memo(&[("advice.json".to_owned(), Document::Advice(Box::new(self.clone())))], &[])
    }
}

impl BreakevenDocument {
    /// The memo of this document alone.
    pub fn memo(&self) -> View {
        memo(&[("cost.json".to_owned(), Document::Breakeven(Box::new(self.clone())))], &[])
    }
}
