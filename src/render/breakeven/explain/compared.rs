//! Numbers of a comparison, and the months behind it.

use super::Explainer;
use super::rule::{Rule, digits};
use crate::document::breakeven::Comparison;

impl Explainer<'_> {
    /// Where the offers of a comparison stand in the result.
    fn sides(&self, c: &Comparison) -> [String; 2] {
        let r = &self.document.result;
        let local = |name: &str| r.local.iter().position(|l| l.name == name).map(|n| format!("local[{n}]"));
        let cloud = |name: &str| r.cloud.iter().position(|o| o.name == name).map(|n| format!("cloud[{n}]"));
        [
            cloud(&c.cloud).or_else(|| local(&c.cloud)).unwrap_or_default(),
            local(&c.local).or_else(|| cloud(&c.local)).unwrap_or_default(),
        ]
    }

    /// A figure of a comparison: as the engine wrote it down; where there is none, why.
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
            // Rankings keep no derivations: thousands of them.
            "tco_cloud_usd" | "tco_local_usd" | "saving_usd" | "npv_saving_usd" => {
                totals(horizon(Rule::new(&format!("{field}: of the simulation, month by month"))))
            }
            _ => return None,
        })
    }

    /// A figure of one month. The two positions are sums of what stands beside them.
    pub(super) fn month(&self, n: usize, field: &str) -> Option<Rule> {
        let flow = &self.document.result.cash_flow;
        let m = flow.get(n)?;
        let c = self.document.result.comparisons.iter().find(|c| c.cloud == m.cloud && c.local == m.local)?;
        let [cloud, local] = self.sides(c);
        let before = n.checked_sub(1).and_then(|p| flow.get(p)).filter(|_| m.month > 1);
        let rate = self.value("finance.discount_rate_per_year").unwrap_or(0.0);
        let worth = |months: u32| (1.0 + rate).powf(-f64::from(months) / 12.0);
        let path = |p: usize, field: &str| format!("cash_flow[{p}].{field}");
        Some(match field {
            "month" => Rule::new("month = months counted from the first one")
                .inputs("need", &["start"])
                .computed("months since the start + 1", Some(f64::from(m.month))),
            "requests" => Rule::new("requests of the month: those of the first, grown")
                .inputs("need", &["requests_per_month", "tokens_per_month", "growth_per_month", "at_capacity"])
                .number(path(n, "month")),
            "cloud_usd" => Rule::new("cloud_usd = what the baseline charges in the month: its requests at the prices of its days")
                .inputs("need", &["growth_per_month"])
                .number(format!("{cloud}.monthly_usd"))
                .number(path(n, "requests")),
            "local_units" => Rule::new("local_units = as many as the month's peak needs; what was bought stays")
                .inputs("need", &["growth_per_month"])
                .number(format!("{local}.units"))
                .number(path(n, "requests")),
            "local_upfront_usd" => Rule::new("local_upfront_usd = what is bought at the beginning of the month − what replaced units fetch; a loan pays for the purchase itself")
                .number(format!("{local}.capex_usd"))
                .number(path(n, "local_units")),
            "local_running_usd" => Rule::new("local_running_usd = all parts of the month: power by the month's load, the rest by its units")
                .number(format!("{local}.monthly_usd"))
                .number(path(n, "local_units"))
                .number(path(n, "requests")),
            "position_usd" => Rule::new("position_usd = position of the month before + what the baseline costs − what is bought − what running costs")
                .number(path(n.saturating_sub(1), "position_usd"))
                .number(path(n, "cloud_usd"))
                .number(path(n, "local_upfront_usd"))
                .number(path(n, "local_running_usd"))
                .computed(
                    format!(
                        "{} + {} − {} − {}",
                        digits(before.map_or(0.0, |b| b.position_usd)),
                        digits(m.cloud_usd),
                        digits(m.local_upfront_usd),
                        digits(m.local_running_usd)
                    ),
                    Some(before.map_or(0.0, |b| b.position_usd) + m.cloud_usd - m.local_upfront_usd - m.local_running_usd),
                ),
            "discounted_position_usd" => Rule::new("discounted_position_usd = that of the month before + (baseline − running) × (1 + rate)^−(month ÷ 12) − upfront × (1 + rate)^−((month − 1) ÷ 12)")
                .inputs("finance", &["discount_rate_per_year"])
                .number(path(n.saturating_sub(1), "discounted_position_usd"))
                .number(path(n, "cloud_usd"))
                .number(path(n, "local_upfront_usd"))
                .number(path(n, "local_running_usd"))
                .computed(
                    "before + saving × its worth − upfront × its worth",
                    Some(
                        before.map_or(0.0, |b| b.discounted_position_usd)
                            + (m.cloud_usd - m.local_running_usd) * worth(m.month)
                            - m.local_upfront_usd * worth(m.month - 1),
                    ),
                ),
            _ => return None,
        })
    }
}
