//! Explains numbers of comparisons, and of their months.

use super::Explainer;
use super::rule::{Rule, digits};
use crate::document::breakeven::Comparison;

impl Explainer<'_> {
    /// Paths of the two offers of a comparison in the result.
    fn sides(&self, c: &Comparison) -> [String; 2] {
        let r = &self.document.result;
        let local = |name: &str| r.local.iter().position(|l| l.name == name).map(|n| format!("local[{n}]"));
        let cloud = |name: &str| r.cloud.iter().position(|o| o.name == name).map(|n| format!("cloud[{n}]"));
        [
            cloud(&c.cloud).or_else(|| local(&c.cloud)).unwrap_or_default(),
            local(&c.local).or_else(|| cloud(&c.local)).unwrap_or_default(),
        ]
    }

    /// A figure of a comparison: the engine's derivation, or else the reason why there is none.
    pub(super) fn compared(&self, n: usize, field: &str) -> Option<Rule> {
        let c = self.document.result.comparisons.get(n)?;
        if let Some(rule) = self.derived(&format!("comparisons[{n}].{field}")) {
            return Some(rule);
        }
        let at = |field: &str| format!("comparisons[{n}].{field}");
        let totals = |rule: Rule| rule.number(at("tco_cloud_usd")).number(at("tco_local_usd"));
        let horizon = |rule: Rule| rule.inputs("need", &["horizon_months", "growth_per_month"]);
        Some(match field {
            "payback_months" | "discounted_payback_months" => {
                let rule = Rule::new(&format!(
                    "{field}: when the position turns positive, which starts at minus what is bought and grows by what each month saves"
                ));
                let why = c.never_because.as_ref().map_or_else(
                    || "It never turns".to_owned(),
                    |why| format!("It never turns: {why}"),
                );
                totals(horizon(rule)).note(why)
            }
            "probability_local_cheaper" => Rule::new("probability_local_cheaper = share of the draws in which the hardware costs less; only a ranking has it here")
                .number("uncertainty.probability_local_cheaper"),
            "breakeven_requests_per_month"
            | "breakeven_tokens_per_month"
            | "breakeven_utilisation"
            | "breakeven_blended_usd_per_mtok" => {
                let rule = Rule::new(&format!("{field}: where both sides cost the same over the horizon"));
                totals(horizon(rule)).note("No such point was found")
            }
            "best_point_months" | "best_point_usd" => {
                let rule = Rule::new(&format!("{field}: where falling or changing prices end the monthly saving"));
                totals(horizon(rule)).note("No month ends it")
            }
            // Rankings have thousands of comparisons and keep no derivations.
            "tco_cloud_usd" | "tco_local_usd" | "saving_usd" | "npv_saving_usd" => {
                totals(horizon(Rule::new(&format!("{field}: of the simulation, month by month"))))
            }
            _ => return None,
        })
    }

    /// A figure of one month: the derivation for this month, or for the last earlier month with a different
    /// one; otherwise the rule for all months.
    pub(super) fn month(&self, n: usize, field: &str) -> Option<Rule> {
        let flow = &self.document.result.cash_flow;
        let row = flow.get(n)?;
        // Derivations by month are kept for the first comparison only.
        let recorded = (n + 1 == row.month as usize).then(|| (0..=n).rev()).into_iter().flatten();
        for of in recorded {
            let path = |n: usize| format!("cash_flow[{n}].{field}");
            let Some(d) = self.derivation(&path(of)) else { continue };
            if self.get(&path(n)).is_some_and(|is| (is - d.value).abs() <= 1e-9 * is.abs()) {
                let rule = Self::printed(d, field);
                return Some(if of == n { rule } else { rule.note(format!("As since month {}", of + 1)) });
            }
            // The same derivation, with the figures of this row.
            let mut here = d.clone();
            here.formula.clear();
            let (was, is) = (format!("result.cash_flow[{of}]."), format!("result.cash_flow[{n}]."));
            for term in &mut here.terms {
                if let Some(figure) = term.figure.as_mut().filter(|f| f.starts_with(&was)) {
                    *figure = figure.replace(&was, &is);
                    let path = figure.strip_prefix("result.").unwrap_or(figure);
                    term.value = self.get(path).unwrap_or(0.0);
                }
            }
            let rule = Self::terms(Rule::new(&format!("{field} = {}", d.formula)), &here);
            return Some(rule.note(format!("As since month {}", of + 1)));
        }
        let column = field.split_once('.').map_or(field, |(list, _)| list);
        let before = n.checked_sub(1).filter(|_| row.month > 1);
        let rule = self.column("cash_flow", n, before, column)?;
        let Some((list, part)) = field.split_once('.') else { return Some(rule) };
        let c =
            self.document.result.comparisons.iter().find(|c| c.cloud == row.cloud && c.local == row.local)?;
        let [cloud, local] = self.sides(c);
        let place = if list == "cloud_parts_usd" { cloud } else { local };
        Some(rule.number(format!("{place}.monthly_parts_usd.{part}")))
    }

    /// The rule of a column, applied to one row. `before` is the row that it continues from.
    pub(super) fn column(&self, list: &str, n: usize, before: Option<usize>, field: &str) -> Option<Rule> {
        let figure = format!("result.{list}[].{field}");
        let column = self.document.result.columns.iter().find(|c| c.figure == figure)?;
        if let Some(first) = column.first.as_ref().filter(|_| before.is_none()) {
            let path = first.strip_prefix("result.").unwrap_or(first);
            let rule = Rule::new(&format!("{field} = {path}, in the first month"));
            return Some(rule.number(path).note("The months after it grow from there [counted]"));
        }
        let formula = if column.formula.is_empty() { column.note.clone() } else { column.formula.clone() };
        let mut rule = Rule::new(&format!("{field} = {formula}"));
        if !column.formula.is_empty() && !column.note.is_empty() {
            rule = rule.note(column.note.clone());
        }
        if column.terms.is_empty() {
            rule = rule.note("Of the simulation, month by month [counted]");
        }
        for term in &column.terms {
            if let Some(input) = &term.input {
                rule = rule.input_as(&term.name, input);
            }
            let Some(figure) = &term.figure else { continue };
            let path = figure.strip_prefix("result.").unwrap_or(figure);
            let path = match (path.contains("[-]"), before) {
                (true, None) => {
                    rule = rule.note(format!("{} = 0: nothing stands before the first row", term.name));
                    continue;
                }
                (true, Some(before)) => path.replace("[-]", &format!("[{before}]")),
                (false, _) => path.replace("[]", &format!("[{n}]")),
            };
            let value = self.get(&path).unwrap_or(0.0);
            rule = rule.note(format!("{} = {} [computed: --explain {path}]", term.name, digits(value)));
        }
        Some(rule)
    }
}
