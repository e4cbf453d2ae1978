//! Explains numbers of one offer, from the derivations that the engine recorded.

use super::Explainer;
use super::rule::{Rule, digits};
use crate::number::plain;
use crate::terms::Derivation;

impl Explainer<'_> {
    /// The derivation of a figure, by its path below the result.
    pub(super) fn derivation(&self, path: &str) -> Option<&Derivation> {
        let wanted = format!("result.{path}");
        self.document.result.derivations.iter().find(|d| d.figure == wanted)
    }

    /// The rule for a figure, from its derivation.
    pub(super) fn derived(&self, path: &str) -> Option<Rule> {
        let leaf = path.rsplit('.').next().unwrap_or(path);
        self.derivation(path).map(|d| Self::printed(d, leaf))
    }

    /// The rule for a derivation, under the figure's own name.
    pub(super) fn printed(d: &Derivation, leaf: &str) -> Rule {
        let formula = if d.formula.is_empty() { "found by a search" } else { d.formula.as_str() };
        let rule = Self::terms(Rule::new(&format!("{leaf} = {formula}")), d);
        if d.formula.is_empty() { rule } else { rule.computed(d.formula.clone(), Some(d.value)) }
    }

    /// Add the terms and the note of a derivation to a rule.
    pub(super) fn terms(mut rule: Rule, d: &Derivation) -> Rule {
        for term in &d.terms {
            let unit = if term.unit.is_empty() { String::new() } else { format!(" {}", term.unit) };
            rule = match (&term.input, &term.figure) {
                (Some(input), _) => rule.input_as(&term.name, input),
                (None, Some(figure)) => {
                    let path = figure.strip_prefix("result.").unwrap_or(figure);
                    rule.note(format!(
                        "{} = {}{unit} [computed: --explain {path}]",
                        term.name,
                        digits(term.value)
                    ))
                }
                (None, None) => {
                    rule.note(format!("{} = {}{unit} [computed on the way]", term.name, digits(term.value)))
                }
            };
        }
        if d.note.is_empty() { rule } else { rule.note(d.note.clone()) }
    }

    pub(super) fn local(&self, n: usize, field: &str) -> Option<Rule> {
        let path = format!("local[{n}].{field}");
        if let Some(rule) = self.derived(&path) {
            return Some(rule);
        }
        let table = self.tables().1.get(n)?.clone();
        let offer = self.document.result.local.get(n)?;
        Some(match field {
            "tier" => Rule::new("tier = the catalogue's rating of the model, 1 the most capable")
                .inputs(&table, &["model", "hardware"])
                .note(format!("Rated model: {}", offer.model.as_deref().unwrap_or("none is named"))),
            "units_at_horizon" => Rule::new(
                "units_at_horizon = units in the last month: the load has grown, what was bought stays",
            )
            .inputs("need", &["growth_per_month", "horizon_months"])
            .number(format!("local[{n}].units")),
            "total_upfront_usd" => Rule::new(
                "total_upfront_usd = everything paid at the beginning of months: purchases, replacements and one-off sums, less what replaced units fetch",
            )
            .number(format!("local[{n}].capex_usd")),
            "billed_hours_per_month" => self.same_as_input(&format!("{table}.billed_hours_per_month"), field),
            "units" => Rule::new("units = as given, or what the load needs").inputs(&table, &["units", "hardware"]),
            "usd_per_mtok_input" | "usd_per_mtok_output" | "usd_per_mtok_blended" | "monthly_usd" | "tco_usd"
            | "capex_usd" | "amortised_usd_per_month" | "residual_usd" | "still_owed_usd" | "utilisation"
            | "capacity_tokens_per_month" => Self::nothing(&table, field),
            "pass_rate" => Rule::new("pass_rate = share of its answers that passed on the user's prompts, as measured"),
            "usd_per_successful_request" => Self::successful(&format!("local[{n}]")),
            _ => return None,
        })
    }

    /// A figure that does not exist for this kind of offer: rented hardware is not bought, and what is paid
    /// at once is not owed.
    fn nothing(table: &str, field: &str) -> Rule {
        Rule::new(&format!("{field} = 0, or not known, for an offer of this kind"))
            .inputs(table, &["kind", "hardware", "purchase_usd", "usd_per_hour", "name"])
            .note("Nothing is bought, owed or measured here [computed: the offer has no such part, counted as nothing]")
    }

    pub(super) fn local_part(&self, n: usize, part: &str) -> Option<Rule> {
        let path = format!("local[{n}].monthly_parts_usd.{part}");
        self.derived(&path).or_else(|| {
            let table = self.tables().1.get(n)?.clone();
            Some(Self::nothing(&table, part))
        })
    }

    /// A part of the cost over the horizon: the sum over the months.
    pub(super) fn total_part(n: usize, part: &str) -> Rule {
        Rule::new(&format!(
            "{part} of every month of the horizon, added up: the load, prices and units of each"
        ))
        .inputs("need", &["horizon_months", "growth_per_month"])
        .number(format!("local[{n}].monthly_parts_usd.{part}"))
        .note("Month by month in --format csv [counted]")
    }

    pub(super) fn same_as_input(&self, name: &str, field: &str) -> Rule {
        let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
        Rule::new(&format!("{field} = {name}"))
            .inputs(table, &[key])
            .computed(name.to_owned(), self.value(name))
    }

    pub(super) fn cloud(&self, n: usize, field: &str) -> Option<Rule> {
        let path = format!("cloud[{n}].{field}");
        if let Some(rule) = self.derived(&path) {
            return Some(rule);
        }
        let table = self.tables().0.get(n)?.clone();
        let offer = self.document.result.cloud.get(n)?;
        Some(match field {
            "tier" => Rule::new("tier = the catalogue's rating of the model, 1 the most capable")
                .inputs(&table, &["model", "name"])
                .note(format!("Rated model: {}", offer.id.as_deref().unwrap_or(&offer.name))),
            "usd_per_request" => Rule::new("usd_per_request = the first month's cost ÷ its requests")
                .inputs("need", &["requests_per_month"])
                .number(format!("cloud[{n}].monthly_usd")),
            "billed_hours_per_month" => self.same_as_input(&format!("{table}.billed_hours_per_month"), field),
            "units" => {
                Rule::new("units = as given, or what the load needs").inputs(&table, &["units", "hardware"])
            }
            "monthly_usd"
            | "tco_usd"
            | "usd_per_mtok_input"
            | "usd_per_mtok_output"
            | "usd_per_mtok_blended" => Self::nothing(&table, field),
            "pass_rate" => {
                Rule::new("pass_rate = share of its answers that passed on the user's prompts, as measured")
            }
            "usd_per_successful_request" => Self::successful(&format!("cloud[{n}]")),
            _ => return None,
        })
    }

    /// For documents without derivations.
    fn successful(place: &str) -> Rule {
        Rule::new("usd_per_successful_request = the first month's cost, with amortisation, ÷ its requests ÷ the share that passes")
            .inputs("need", &["requests_per_month"])
            .number(format!("{place}.monthly_usd"))
            .number(format!("{place}.pass_rate"))
    }

    pub(super) fn cloud_part(&self, n: usize, part: &str) -> Option<Rule> {
        self.derived(&format!("cloud[{n}].monthly_parts_usd.{part}"))
    }

    /// A figure of the plan: one of its terms, or a statement of the plan.
    pub(super) fn planned(&self, n: usize, fields: &[&str]) -> Option<Rule> {
        let plan = self.document.result.local.get(n)?.plan.as_deref()?;
        let field = fields.first()?;
        let rule = Rule::new(&format!(
            "{} of the plan: found by trying every machine, engine, format, split and number of requests at once; docs/plan.md has the steps",
            fields.join(".")
        ))
        .inputs("need", &["use", "requests_per_month", "input_tokens", "output_tokens", "peak_to_mean"]);
        let related = match *field {
            "ttft_ms" | "ttft_p95_ms" => "ttft",
            "tpot_ms" | "tpot_p95_ms" => "tpot",
            "concurrency" | "requests_per_second" | "requests_per_second_at_most" => "replica.r",
            "hosts" | "spare_hosts" | "replicas" | "replicas_per_host" | "accelerators" => "plan.",
            "watts" | "full_watts" => "host.",
            _ => "replica.",
        };
        let terms = plan.terms.iter().filter(|t| t.name.starts_with(related)).take(6);
        Some(terms.fold(rule, |rule, t| {
            rule.note(format!("{} = {} {} [{}]", t.name, plain(t.value), t.unit, t.source.describe()))
        }))
    }
}
