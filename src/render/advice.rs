//! The view of an advice document. It is made from the document alone, so that a saved one looks the same.

use super::view::{Block, Cell, Table, View};
use crate::advise::{Confidence, Placement};
use crate::document::advice::{ANSWER_REPLACED, AdviceResult, Models, Reason, RecipeStep, TierNote, text};
use crate::document::envelope::{Envelope, Warning};
use crate::money::Currency;
use crate::number;

impl Envelope<AdviceResult> {
    /// The document for people.
    pub fn view(&self) -> View {
        let result = &self.result;
        let mut view = self.verdict();
        self.flips(&mut view);
        self.first_steps(&mut view);
        reasons(&mut view, "What speaks for it", self.arguments());
        reasons(&mut view, "What speaks against it", result.against.iter());
        models(&mut view, &result.models);
        start(&mut view, result);
        view.heading("Answers and where they come from");
        view.push(Block::Table(self.inputs_table()));
        view
    }

    /// The verdict on one screen: the recommendation, what the options cost, and what would change it.
    pub fn brief(&self) -> View {
        let mut view = self.verdict();
        if self.result.options.is_empty() {
            reasons(&mut view, "What speaks for it", self.arguments());
            reasons(&mut view, "What speaks against it", self.result.against.iter());
        }
        self.flips_in_short(&mut view);
        self.first_steps(&mut view);
        view.paragraph(
            "Everything else (reasons, answers and their sources, recipes): the same command with `--format markdown`, or \
             `-o advice.json` and `freehold report advice.json`.",
        );
        view
    }

    fn arguments(&self) -> impl Iterator<Item = &Reason> {
        let rule = self.result.matrix.as_ref().map_or(self.result.rule.as_str(), |m| m.rule.as_str());
        self.result.reasons.iter().filter(move |r| r.id != rule)
    }

    /// The part that the view and the brief share: the sentence, the options, the matrix.
    fn verdict(&self) -> View {
        let result = &self.result;
        let mut view = View::new("Advice");
        view.paragraph(self.headline());
        if result.sentence.is_none()
            && let Some(first) = result.reasons.first()
        {
            view.paragraph(format!("{} (rule {})", first.text, result.rule));
        }
        self.replaced(&mut view);
        let warnings: Vec<_> = self.warnings_left().cloned().collect();
        if !warnings.is_empty() {
            view.push(Block::Warnings(warnings));
        }
        if !result.options.is_empty() {
            view.push(Block::Table(self.options_table()));
            let chosen = result.options.iter().find(|o| result.chosen.as_deref() == Some(&o.id));
            if let Some(chosen) = chosen {
                let said = |label: &str, list: &[String]| {
                    (!list.is_empty()).then(|| format!("{label}: {}.", list.join("; ")))
                };
                let lines = [said("It takes", &chosen.needs), said("Against it", &chosen.against)];
                let lines: Vec<String> = lines.into_iter().flatten().collect();
                if !lines.is_empty() {
                    view.paragraph(lines.join("\n"));
                }
            }
        }
        for group in &result.excluded {
            view.paragraph(format!(
                "Left out: {} {} ({}).",
                number::plain(group.count as f64),
                group.what,
                group.because
            ));
        }
        self.matrix_line(&mut view);
        for tension in &result.tensions {
            view.paragraph(format!("{} {}", tension.text, tension.way_out));
        }
        view
    }

    fn first_steps(&self, view: &mut View) {
        let steps = &self.result.first_steps;
        if !steps.is_empty() {
            view.heading("What to do first");
            let step = |s: &RecipeStep| match &s.code {
                Some(code) => format!("{} `{code}`", s.text),
                None => s.text.clone(),
            };
            view.push(Block::Numbered(steps.iter().map(step).collect()));
        }
    }

    /// Every option with its costs; the chosen one is first.
    pub(in crate::render) fn options_table(&self) -> Table {
        let result = &self.result;
        let months = result.horizon_months.map_or_else(|| "in all".to_owned(), |m| format!("{m} months"));
        let mut table = Table::new(&["option", "#to buy", "#a month", &format!("#{months}"), "#cheapest in"]);
        let money =
            |usd: Option<f64>| usd.map_or(Cell::None, |usd| Cell::Number(usd, Currency::usd().show(usd)));
        // The probability of being the cheapest means nothing if there is only one option.
        let alone = result.options.iter().filter(|o| o.probability_cheapest.is_some()).count() == 1;
        for option in result.worth_showing() {
            let chosen = result.chosen.as_deref() == Some(&option.id);
            let mark = if chosen { "> " } else { "" };
            let but = option.excluded_because.as_ref().filter(|_| !chosen);
            let but = but.map(|b| format!(" (not possible: {b})"));
            let odds = match option.probability_cheapest {
                Some(_) if alone => "no other".into(),
                Some(p) => Cell::Number(p, number::percent(p)),
                None => Cell::None,
            };
            table.row([
                format!("{mark}{}{}", option.name, but.unwrap_or_default()).into(),
                money(option.capex_usd),
                money(option.monthly_usd),
                money(option.tco_usd),
                odds,
            ]);
        }
        table
    }

    /// What the matrix says, and why the verdict differs from it where it does.
    fn matrix_line(&self, view: &mut View) {
        let (Some(matrix), true) = (&self.result.matrix, self.result.sentence.is_some()) else { return };
        let says = format!("The decision matrix says {} ({})", text::place(matrix.placement), matrix.cell);
        view.paragraph(match &matrix.differs_because {
            Some(because) => format!("{says}. The calculation decides otherwise: {because}."),
            None => format!("{says}, too."),
        });
    }

    /// The verdict and its confidence, in one sentence.
    pub fn headline(&self) -> String {
        let what = match self.result.placement {
            Placement::Cloud => "Use a cloud API.",
            Placement::Local => "Run the model yourself.",
            Placement::Hybrid => "Split the work: a part on your own hardware, the rest on a cloud API.",
        };
        let what = self.result.sentence.as_deref().unwrap_or(what);
        let sure = match self.result.confidence {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        };
        let because = &self.result.confidence_because;
        let because = if because.is_empty() { String::new() } else { format!(" ({})", because.join("; ")) };
        format!("{what} Placement: {}. Confidence: {sure}{because}.", text::place(self.result.placement))
    }

    /// The answers that were replaced because of evidence or a mandate: a reader of the verdict must see
    /// them beside it.
    pub(in crate::render) fn replaced(&self, view: &mut View) {
        for adjustment in &self.result.adjustments {
            view.paragraph(text::replaced(adjustment));
        }
    }

    /// The warnings, without those that [`Self::replaced`] shows.
    pub(in crate::render) fn warnings_left(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().filter(|w| w.id != ANSWER_REPLACED)
    }

    /// What the answer to a question was replaced by; `None` where it was not.
    pub(in crate::render) fn counted_as(&self, question: &str) -> Option<&str> {
        let adjustments = &self.result.adjustments;
        adjustments.iter().find(|a| a.question == question).map(|a| a.used.as_str())
    }

    /// What would change the verdict, and the day to look again, in short.
    fn flips_in_short(&self, view: &mut View) {
        let result = &self.result;
        view.heading("What would change it");
        let mut lines: Vec<String> = result.flips.iter().map(|f| f.text.clone()).collect();
        if lines.is_empty() {
            lines.push("No single answer would.".to_owned());
        }
        if let Some(again) = &result.look_again {
            lines.push(format!("Look again by {} ({}).", again.date, again.because));
        }
        view.push(Block::List(lines));
    }

    /// What would change the verdict, and when to look again.
    pub(in crate::render) fn flips(&self, view: &mut View) {
        let result = &self.result;
        view.heading("What would change it");
        let mut lines: Vec<String> = result.flips.iter().map(|f| f.text.clone()).collect();
        if lines.is_empty() {
            lines.push("No single answer would.".to_owned());
        }
        if let Some(again) = &result.look_again {
            view.push(Block::List(lines));
            view.paragraph(format!(
                "Look again by {} ({}), or as soon as {}.",
                again.date,
                again.because,
                again.triggers.join("; or ")
            ));
        } else {
            view.push(Block::List(lines));
        }
    }

    /// Every input with its source.
    pub(in crate::render) fn inputs_table(&self) -> Table {
        let mut table = Table::new(&["input", "value", "from"]);
        let order = ["privacy", "privacy_reason", "volume", "capability", "operations", "budget"];
        let named = order.iter().filter_map(|k| self.inputs.get_key_value(*k));
        let rest = self.inputs.iter().filter(|(k, _)| !order.contains(&k.as_str()));
        for (name, input) in named.chain(rest) {
            let value = match self.counted_as(name) {
                Some(used) => format!("{} (counts as {used})", input.shown()),
                None => input.shown(),
            };
            table.row([name.as_str().into(), value.into(), input.source.describe().into()]);
        }
        table
    }
}

fn reasons<'a>(view: &mut View, heading: &str, reasons: impl Iterator<Item = &'a Reason>) {
    let lines: Vec<String> = reasons.map(|r| r.text.clone()).collect();
    if !lines.is_empty() {
        view.heading(heading);
        view.push(Block::List(lines));
    }
}

fn models(view: &mut View, models: &Models) {
    let mut table = Table::new(&["side", "tier", "for example", "figures from"]);
    if let Some(tier) = &models.cloud_tier {
        let (example, from) = models.api.as_ref().map_or((Cell::None, Cell::None), |api| {
            let month = api
                .usd_per_month
                .map(|m| format!(", {} a month", Currency::usd().show(m)))
                .unwrap_or_default();
            let text = format!("{} ({} a request{month})", api.id, Currency::usd().show(api.usd_per_request));
            (text.into(), api.source.describe().into())
        });
        table.row(["rented".into(), tier_cell(tier), example, from]);
    }
    if let Some(tier) = &models.local_tier {
        let (example, from) = models.open.as_ref().map_or((Cell::None, Cell::None), |open| {
            let size = open.parameters.map(|p| format!(" ({} parameters)", number::short(p as f64)));
            (format!("{}{}", open.id, size.unwrap_or_default()).into(), open.source.describe().into())
        });
        table.row(["own".into(), tier_cell(tier), example, from]);
        if let Some(hardware) = &models.hardware {
            table.row([
                "hardware".into(),
                tier.hardware.as_str().into(),
                format!(
                    "{} × {} (about {} of {} GiB for the weights)",
                    hardware.count,
                    hardware.name,
                    number::plain(hardware.needed_gib.ceil()),
                    hardware.memory_gib.map_or_else(|| "unknown".to_owned(), number::plain)
                )
                .into(),
                hardware.source.describe().into(),
            ]);
        }
    }
    if !table.rows.is_empty() {
        view.heading("Which class of model");
        view.push(Block::Table(table));
        view.paragraph("Examples to start from, not recommendations: measure before you decide.");
    }
}

fn tier_cell(tier: &TierNote) -> Cell {
    format!("{}: {} ({})", tier.tier, tier.meaning.trim_end_matches('.'), tier.title).into()
}

fn start(view: &mut View, result: &AdviceResult) {
    for recipe in &result.recipes {
        view.heading(format!("{} ({})", recipe.title, recipe.time_to_first_result));
        for step in &recipe.steps {
            view.paragraph(step.text.clone());
            if let Some(code) = &step.code {
                view.push(Block::Code(code.clone()));
            }
        }
    }
    if let Some(migration) = &result.migration {
        view.heading(format!("If you move: {}", migration.title.to_lowercase()));
        view.push(Block::Numbered(migration.steps.clone()));
        for (label, list) in
            [("Measure after each step", &migration.measures), ("Go a step back if", &migration.stop_if)]
        {
            if !list.is_empty() {
                view.paragraph(format!("{label}: {}.", list.join("; ")));
            }
        }
    }
}
