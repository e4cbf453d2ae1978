//! The comparison tables of `advise --table`, filled from the matrix, the profiles and today's catalogue.

use super::view::{Block, Cell, Table, View};
use crate::advise::matrix::Matrix;
use crate::advise::{Guide, candidate};
use crate::catalog::{ApiModel, Catalog, OpenModel};
use crate::money::Currency;
use crate::number;
use crate::workload::{
    Answers, Budget, Capability, Modifiers, NeedDraft, Operations, Privacy, RequestShape, Volume,
};
use jiff::civil::Date;

/// The names of all tables, in the order in which `all` prints them.
pub const NAMES: &[&str] = &[
    "summary",
    "capability",
    "strengths",
    "cloud-cost",
    "hardware-cost",
    "privacy",
    "operations",
    "use-cases",
    "latency",
    "throughput",
    "tiers",
    "matrix",
    "migration",
];

/// What the tables are made from.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    pub matrix: &'a Matrix,
    pub guide: &'a Guide,
    pub catalog: &'a Catalog,
    pub today: Date,
    pub need: &'a NeedDraft,
}

impl Tables<'_> {
    /// One table, or all of them.
    pub fn view(&self, name: &str) -> View {
        let mut view = View::new(if name == "all" { "Cloud or local: the comparisons" } else { "" });
        for table in NAMES.iter().filter(|n| name == "all" || **n == name) {
            self.push(&mut view, table);
        }
        view
    }

    fn push(&self, view: &mut View, name: &str) {
        match name {
            "capability" => self.capability(view),
            "cloud-cost" => self.cloud_cost(view),
            "hardware-cost" => self.hardware_cost(view),
            "use-cases" => self.use_cases(view),
            "tiers" => self.tiers(view),
            "matrix" => self.decision(view),
            "migration" => {
                for migration in &self.guide.migrations {
                    view.heading(migration.title.clone());
                    view.push(Block::Numbered(migration.steps.clone()));
                }
            }
            name => self.words(view, name),
        }
    }

    fn words(&self, view: &mut View, name: &str) {
        for words in self.guide.tables.iter().filter(|t| t.id == name) {
            let columns: Vec<&str> = words.columns.iter().map(String::as_str).collect();
            let mut table = Table::new(&columns);
            table.rows =
                words.rows.iter().map(|row| row.iter().map(|c| c.as_str().into()).collect()).collect();
            view.heading(words.title.clone());
            view.push(Block::Table(table));
            if let Some(note) = &words.note {
                view.paragraph(note.clone());
            }
        }
    }

    /// The newest API model of the tier from each maker, cheapest first.
    fn rented(&self, tier: u8) -> Vec<&ApiModel> {
        candidate::current(self.catalog, &self.guide.makers, tier, self.today)
    }

    fn own(&self, tier: u8) -> Vec<&OpenModel> {
        let mut found: Vec<&OpenModel> =
            self.catalog.open_models.iter().filter(|m| m.tier == Some(tier)).collect();
        found.sort_by(|a, b| b.released.cmp(&a.released));
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|m| seen.insert(m.family.as_deref().unwrap_or(&m.id)));
        found
    }

    fn capability(&self, view: &mut View) {
        let names = |list: Vec<String>| {
            if list.is_empty() {
                Cell::None
            } else {
                list.into_iter().take(3).collect::<Vec<_>>().join(", ").into()
            }
        };
        let mut table = Table::new(&["task", "rented", "best local", "note"]);
        for task in &self.guide.tasks {
            table.row([
                task.task.as_str().into(),
                names(self.rented(task.cloud_tier).iter().map(|m| label(m)).collect()),
                names(self.own(task.local_tier).iter().map(|m| m.name.clone()).collect()),
                task.note.as_deref().into(),
            ]);
        }
        view.heading("Capability by task");
        view.push(Block::Table(table));
        view.paragraph(
            "Examples from the catalogue: the newest of the tier at each maker, cheapest first; the newest of each open family. Rented models still lead on complex tasks; the gap is narrowing. \
             `freehold bench` says what holds for your prompts.",
        );
    }

    fn tiers(&self, view: &mut View) {
        let mut table = Table::new(&["tier", "meaning", "rented", "own", "hardware"]);
        let names = |list: Vec<String>| {
            if list.is_empty() {
                Cell::None
            } else {
                list.into_iter().take(3).collect::<Vec<_>>().join(", ").into()
            }
        };
        for tier in &self.matrix.tiers {
            table.row([
                format!("{} ({})", tier.tier, tier.title).into(),
                tier.meaning.as_str().into(),
                names(self.rented(tier.tier).iter().map(|m| label(m)).collect()),
                names(self.own(tier.tier).iter().map(|m| m.name.clone()).collect()),
                tier.hardware.as_str().into(),
            ]);
        }
        view.heading("Capability tiers");
        view.push(Block::Table(table));
    }

    /// Cost of a month at list prices, from one million to one billion tokens.
    fn cloud_cost(&self, view: &mut View) {
        let (shape, mix) = self.shape();
        let mut table = Table::new(&["model", "#1M tokens/month", "#10M", "#100M", "#1B", "price read on"]);
        let mut models: Vec<&ApiModel> = (1..=4).flat_map(|t| self.rented(t).into_iter().take(2)).collect();
        models.dedup_by(|a, b| a.id == b.id);
        for model in models {
            let Some(request) = candidate::list_price(model, &shape, self.today) else { continue };
            let per_token = request / shape.total_tokens();
            let cell =
                |tokens: f64| Cell::Number(per_token * tokens, Currency::usd().show(per_token * tokens));
            table.row([
                model.id.as_str().into(),
                cell(1e6),
                cell(1e7),
                cell(1e8),
                cell(1e9),
                model.cite("price").as_of.to_string().into(),
            ]);
        }
        view.heading("What the cloud costs in a month");
        if table.rows.is_empty() {
            view.paragraph("The catalogue has no priced API models.");
            return;
        }
        view.push(Block::Table(table));
        view.paragraph(format!(
            "List price without cache or batch, at {} tokens in to {} out ({mix}). It grows with every token; \
             `freehold breakeven` holds it against hardware.",
            number::plain(shape.input_tokens),
            number::plain(shape.output_tokens + shape.reasoning_tokens),
        ));
    }

    fn hardware_cost(&self, view: &mut View) {
        let mut table =
            Table::new(&["hardware", "#memory GiB", "#asked for", "condition", "seen on", "#power W"]);
        let mut list: Vec<_> = self.catalog.accelerators.iter().filter(|a| !a.price.is_empty()).collect();
        list.sort_by(|a, b| a.class.cmp(&b.class).then(a.name.cmp(&b.name)));
        for accelerator in list {
            let Some(price) = accelerator.price.iter().max_by_key(|p| p.as_of) else { continue };
            let number = |v: Option<f64>| v.map_or(Cell::None, |v| Cell::Number(v, number::plain(v)));
            table.row([
                accelerator.name.as_str().into(),
                number(accelerator.memory_gib),
                Cell::Number(price.amount, format!("{} {}", number::plain(price.amount), price.currency)),
                condition(price.condition).into(),
                price.as_of.to_string().into(),
                number(accelerator.board_watts),
            ]);
        }
        view.heading("What hardware costs");
        if table.rows.is_empty() {
            view.paragraph("The catalogue has no priced hardware.");
            return;
        }
        view.push(Block::Table(table));
        view.paragraph(
            "Once, for the card alone. Electricity, the machine around it, people and life span are in \
             `freehold breakeven`, with the payback at your own volume.",
        );
    }

    fn use_cases(&self, view: &mut View) {
        let mut table = Table::new(&["situation", "why", "brief", "profile"]);
        for case in &self.guide.use_cases {
            table.row([
                case.situation.as_str().into(),
                case.reasoning.as_str().into(),
                case.placement.key().into(),
                case.profile.as_str().into(),
            ]);
        }
        view.heading("Use cases");
        view.push(Block::Table(table));
        view.paragraph("Each is a profile: `freehold advise --profile NAME`.");
    }

    /// The decision matrix, computed by the rules themselves.
    fn decision(&self, view: &mut View) {
        let mut table = Table::new(&["need", "low or varying volume", "high, steady volume"]);
        let row = |privacy: Privacy, capability: Capability, volume: Volume| {
            let mut found: Vec<&str> = Vec::new();
            for operations in Operations::ALL {
                for budget in Budget::ALL {
                    let answers =
                        Answers { privacy, capability, volume, operations: *operations, budget: *budget };
                    let placement = self.matrix.rule(answers, Modifiers::default()).placement.key();
                    if !found.contains(&placement) {
                        found.push(placement);
                    }
                }
            }
            found.sort_unstable();
            Cell::from(found.join(" or "))
        };
        let rows = [
            ("Highest capability", Privacy::Standard, Capability::Maximum),
            ("Highest capability, sensitive data", Privacy::Sensitive, Capability::Maximum),
            ("Moderate capability", Privacy::Standard, Capability::Moderate),
            ("Moderate capability, sensitive data", Privacy::Sensitive, Capability::Moderate),
            ("Basic capability", Privacy::Standard, Capability::Basic),
            ("Privacy required", Privacy::Strict, Capability::Moderate),
        ];
        for (need, privacy, capability) in rows {
            table.row([
                need.into(),
                row(privacy, capability, Volume::Low),
                row(privacy, capability, Volume::High),
            ]);
        }
        view.heading("Decision matrix");
        view.push(Block::Table(table));
        view.paragraph(
            "Where two stand in a cell, operations and budget choose. Without a reason for local, the cloud is the default.",
        );
    }

    /// The request shape of the need, or else three input tokens for each output token.
    fn shape(&self) -> (RequestShape, String) {
        match self.need.shape() {
            Some(shape) if shape.total_tokens() > 0.0 => {
                (RequestShape { cached_input_share: 0.0, ..shape }, "yours".to_owned())
            }
            _ => (MIX, "assumed: say yours with --input-tokens and --output-tokens".to_owned()),
        }
    }
}

/// Three input tokens for each output token.
const MIX: RequestShape = RequestShape {
    input_tokens: 750.0,
    cached_input_share: 0.0,
    output_tokens: 250.0,
    reasoning_tokens: 0.0,
    input_tokens_p95: None,
    output_tokens_p95: None,
};

fn label(model: &ApiModel) -> String {
    model.name.clone().unwrap_or_else(|| model.model.clone())
}

const fn condition(condition: crate::catalog::Condition) -> &'static str {
    use crate::catalog::Condition;
    match condition {
        Condition::Msrp => "list price",
        Condition::New => "new",
        Condition::Used => "used",
        Condition::Refurbished => "refurbished",
    }
}
