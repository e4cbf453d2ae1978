//! Explains numbers of the whole result, of hybrids, and of uncertainty.

use super::Explainer;
use super::rule::{Rule, digits};

impl Explainer<'_> {
    /// A number at the top level of the result.
    pub(super) fn whole(&self, field: &str) -> Option<Rule> {
        if let Some(rule) = self.derived(field) {
            return Some(rule);
        }
        let r = &self.document.result;
        Some(match field {
            // Rankings keep no derivations.
            "usd_rate" => {
                Rule::new("usd_rate = units of the report's currency for one USD; 1 where that is USD")
                    .inputs("finance", &["currency", "usd_rate"])
            }
            "hours_per_month" | "horizon_months" => {
                Rule::new(&format!("{field} = need.{field}")).inputs("need", &[field])
            }
            "requests_per_month" => Rule::new("requests_per_month = requests of the first month")
                .inputs("need", &["requests_per_month", "tokens_per_month", "at_capacity", "volume_factor"]),
            "tokens_per_month" => {
                Rule::new("tokens_per_month = requests × (input + output + reasoning tokens)").inputs(
                    "need",
                    &[
                        "requests_per_month",
                        "tokens_per_month",
                        "input_tokens",
                        "output_tokens",
                        "reasoning_tokens",
                        "input_share",
                        "at_capacity",
                    ],
                )
            }
            "pairs" => Rule::new("pairs = every baseline against every other side it is compared with")
                .note(format!("{} of them are written down in comparisons [counted]", r.comparisons.len())),
            "pairs_local_cheaper" => {
                Rule::new("pairs_local_cheaper = comparisons with saving_usd above 0 [counted]")
                    .number("pairs")
            }
            "draws" => Rule::new("draws = --draws, for each row of a ranking").note("As given, or 10,000"),
            _ => return None,
        })
    }

    pub(super) fn hybrid(&self, kind: &str, field: &str) -> Option<Rule> {
        let h = self.document.result.hybrid.as_ref()?;
        if let Some(rule) = self.derived(&format!("hybrid.{kind}.{field}")) {
            return Some(rule);
        }
        let routed = h.routed.as_ref().filter(|_| kind == "routed")?;
        let never = routed.payback_months.is_none() && field == "payback_months";
        never.then(|| {
            Rule::new("payback_months: when the split's position against the cloud alone turns positive")
                .number("hybrid.routed.capex_usd")
                .number("hybrid.routed.monthly_usd")
                .number("comparisons[0].tco_cloud_usd")
                .note("It never turns")
        })
    }

    /// A figure of one of the numbers of units that were tried.
    pub(super) fn option(&self, n: usize, field: &str) -> Option<Rule> {
        let rule = self.column("hybrid.overflow.options", n, None, field)?;
        Some(rule.inputs("hybrid", &["profile"]).inputs("local", &["utilisation_ceiling"]))
    }

    pub(super) fn odds(&self, field: &str) -> Option<Rule> {
        let u = self.document.result.uncertainty.as_ref()?;
        let known =
            ["draws", "seed", "probability_local_cheaper", "payback_p10", "payback_p50", "payback_p90"];
        if !known.contains(&field) {
            return None;
        }
        let mut rule = self.derived(&format!("uncertainty.{field}")).unwrap_or_else(|| match field {
            "draws" => Rule::new("draws = --draws, or 10,000; 0 where no input is a range"),
            "seed" => Rule::new("seed = --seed, or 1: the same seed gives the same draws"),
            _ => Rule::new(&format!("{field}: of the draws"))
                .number("uncertainty.draws")
                .number("uncertainty.seed"),
        });
        for (name, _) in
            self.document.inputs.iter().filter(|(n, i)| i.value.is_object() && !n.starts_with("comparator."))
        {
            if let Some((table, key)) = name.rsplit_once('.') {
                rule = rule.inputs(table, &[key]);
            }
        }
        if u.draws == 0 {
            rule = rule.note("No input is a range, so nothing is drawn");
        }
        Some(rule)
    }

    /// A value at which the answer turns, or the input's likely value.
    pub(super) fn turning_point(&self, n: usize) -> Option<Rule> {
        let point = self.document.result.uncertainty.as_ref()?.turning_points.get(n)?;
        let (table, key) = point.input.rsplit_once('.')?;
        let rule = Rule::new("turning point: one input, the others at their likely values, moved away from its own until the totals over the horizon change places, found by halving and rounded away from it as far as it still turns them")
            .inputs(table, &[key])
            .number("comparisons[0].saving_usd");
        Some(rule.note(format!(
            "comparisons[0].saving_usd changes its sign with {} = {} [counted]",
            point.input,
            digits(point.value)
        )))
    }

    /// A figure of a bar of the tornado.
    pub(super) fn bar(&self, n: usize, field: &str) -> Option<Rule> {
        if let Some(rule) = self.derived(&format!("uncertainty.tornado[{n}].{field}")) {
            return Some(rule);
        }
        let bar = self.document.result.uncertainty.as_ref()?.tornado.get(n)?;
        let (table, key) = bar.input.rsplit_once('.')?;
        Some(self.column("uncertainty.tornado", n, None, field)?.inputs(table, &[key]))
    }
}
