//! Numbers of the whole, of hybrids and of uncertainty.

use super::Explainer;
use super::rule::{Rule, digits};

impl Explainer<'_> {
    /// A number at the top of the result.
    pub(super) fn whole(&self, field: &str) -> Option<Rule> {
        let r = &self.document.result;
        Some(match field {
            "usd_rate" => {
                Rule::new("usd_rate = units of the report's currency for one USD; 1 where that is USD")
                    .inputs("finance", &["currency", "usd_rate"])
                    .note(format!(
                        "Currency: {} [assumed: USD where finance.currency is not given]",
                        r.currency
                    ))
                    .computed("finance.usd_rate, or 1", self.value("finance.usd_rate").or(Some(1.0)))
            }
            "hours_per_month" => self.same_as_input("need.hours_per_month", field),
            "horizon_months" => self.same_as_input("need.horizon_months", field),
            "requests_per_month" => Rule::new("requests_per_month = requests of the first month")
                .inputs("need", &["requests_per_month", "tokens_per_month", "at_capacity", "volume_factor"])
                .computed("requests of the first month", r.requests_per_month),
            "tokens_per_month" => {
                Rule::new("tokens_per_month = requests × (input + output + reasoning tokens)")
                    .inputs(
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
                    .computed(
                        "requests × tokens of a request",
                        r.requests_per_month.zip(self.request()).map(|(n, t)| n * t.total()),
                    )
            }
            "pairs" => Rule::new("pairs = every baseline against every other side it is compared with")
                .note(format!("{} rows in comparisons", r.comparisons.len()))
                .computed("comparisons counted", Some(r.comparisons.len() as f64)),
            "pairs_local_cheaper" => {
                let saving = r.comparisons.iter().filter(|c| c.saving_usd > 0.0).count();
                Rule::new("pairs_local_cheaper = comparisons with saving_usd above 0")
                    .number("pairs")
                    .computed("comparisons counted", Some(saving as f64))
            }
            "draws" => Rule::new("draws = --draws, for each row of a ranking").note("As given, or 10,000"),
            _ => return None,
        })
    }

    pub(super) fn hybrid(&self, kind: &str, field: &str) -> Option<Rule> {
        let h = self.document.result.hybrid.as_ref()?;
        if kind == "overflow" {
            let o = h.overflow.as_ref()?;
            let best = o.options.iter().min_by(|a, b| a.tco_usd.total_cmp(&b.tco_usd))?;
            let rule = Rule::new("overflow: in each hour of the week the units serve what they can below the ceiling and the cloud the rest; of all numbers of units tried the cheapest is taken")
                .inputs("hybrid", &["profile"])
                .inputs("local", &["utilisation_ceiling", "prefill_tokens_per_second", "decode_tokens_per_second"])
                .note(format!("{} numbers of units were tried (hybrid.overflow.options)", o.options.len()));
            return Some(match field {
                "best_units" => rule.computed("units of the lowest total", Some(f64::from(best.units))),
                "tco_usd" => rule.computed("the lowest total", Some(best.tco_usd)),
                _ => return None,
            });
        }
        let routed = h.routed.as_ref().filter(|_| kind == "routed")?;
        if let Some(rule) = self.derived(&format!("hybrid.routed.{field}")) {
            return Some(rule);
        }
        let never = routed.payback_months.is_none() && field == "payback_months";
        never.then(|| {
            Rule::new("payback_months: when the split's position against the cloud alone turns positive")
                .number("hybrid.routed.capex_usd")
                .number("hybrid.routed.monthly_usd")
                .number("comparisons[0].tco_cloud_usd")
                .note("It never turns")
        })
    }

    /// One number of units that was tried.
    pub(super) fn option(&self, n: usize, field: &str) -> Option<Rule> {
        let tried = self.document.result.hybrid.as_ref()?.overflow.as_ref()?.options.get(n)?;
        let rule = Rule::new("overflow, one number of units: the load of each hour of the week (profile × requests) up to units × hourly capacity × ceiling is served locally, the rest by the cloud; the simulation adds up both sides")
            .inputs("hybrid", &["profile"])
            .inputs("need", &["requests_per_month", "tokens_per_month", "hours_per_month", "horizon_months"])
            .inputs("local", &["prefill_tokens_per_second", "decode_tokens_per_second", "utilisation_ceiling", "purchase_usd"]);
        let alone = self.get("comparisons[0].tco_cloud_usd").filter(|_| tried.units == 0);
        Some(match field {
            "units" => rule.computed("the number tried", Some(f64::from(tried.units))),
            "local_share" => rule
                .number(format!("hybrid.overflow.options[{n}].units"))
                .computed("no unit serves nothing", (tried.units == 0).then_some(0.0)),
            "tco_usd" => rule
                .number(format!("hybrid.overflow.options[{n}].units"))
                .number(format!("hybrid.overflow.options[{n}].local_share"))
                .computed("the cloud alone", alone),
            _ => return None,
        })
    }

    pub(super) fn odds(&self, field: &str) -> Option<Rule> {
        let u = self.document.result.uncertainty.as_ref()?;
        let known =
            ["draws", "seed", "probability_local_cheaper", "payback_p10", "payback_p50", "payback_p90"];
        if !known.contains(&field) {
            return None;
        }
        let mut rule = Rule::new(
            "Each range is drawn from a triangle (low, likely, high), independently; each draw runs the whole simulation: the share that costs less by the horizon, and the months by which 10, 50 and 90 % have paid back",
        );
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
        Some(match field {
            "draws" => rule.note("--draws, or 10,000; 0 where no input is a range"),
            "seed" => rule.note("--seed, or 1: the same seed gives the same draws"),
            "probability_local_cheaper" => {
                rule.number("uncertainty.draws").number("uncertainty.seed").note(format!(
                    "{} of {} draws",
                    digits((u.probability_local_cheaper.unwrap_or(0.0) * f64::from(u.draws)).round()),
                    u.draws
                ))
            }
            _ => rule.number("uncertainty.draws").number("uncertainty.seed").note(format!(
                "The paybacks of the draws in order; the one at {} % of them, by nearest rank",
                field.trim_start_matches("payback_p")
            )),
        })
    }

    /// A value at which the comparison turns, or what was taken for the input.
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

    /// A bar of the tornado.
    pub(super) fn bar(&self, n: usize, field: &str) -> Option<Rule> {
        let bar = self.document.result.uncertainty.as_ref()?.tornado.get(n)?;
        let (table, key) = bar.input.rsplit_once('.')?;
        let likely = self.value(&bar.input);
        let unit = self.document.inputs.get(&bar.input).and_then(|i| i.unit.as_deref());
        let end = |share: f64| {
            let value = likely.filter(|_| bar.assumed)? * share;
            // A share ends at 1, a factor begins there.
            Some(match unit {
                Some("share") => value.min(1.0),
                Some("x") if likely >= Some(1.0) => value.max(1.0),
                _ => value,
            })
        };
        let given = |part: &str| {
            let value = &self.document.inputs.get(&bar.input)?.value;
            value.get(part)?.as_f64()
        };
        let rule = Rule::new("tornado: one input from low to high, the others at their likely values, the whole simulation run at both ends; a fifth down and up where it has no range, within what the key allows")
            .inputs(table, &[key]);
        let path = |field: &str| format!("uncertainty.tornado[{n}].{field}");
        Some(match field {
            "low" => {
                rule.computed(if bar.assumed { "likely × 0.8" } else { "low end" }, given("low").or(end(0.8)))
            }
            "high" => rule
                .computed(if bar.assumed { "likely × 1.2" } else { "high end" }, given("high").or(end(1.2))),
            "saving_at_low_usd" => rule.number(path("low")).number("comparisons[0].saving_usd").note(
                format!("comparisons[0].saving_usd, computed again with {} = {}", bar.input, digits(bar.low)),
            ),
            "saving_at_high_usd" => {
                rule.number(path("high")).number("comparisons[0].saving_usd").note(format!(
                    "comparisons[0].saving_usd, computed again with {} = {}",
                    bar.input,
                    digits(bar.high)
                ))
            }
            "swing_usd" => {
                rule.number(path("saving_at_low_usd")).number(path("saving_at_high_usd")).computed(
                    format!("|{} − {}|", digits(bar.saving_at_high_usd), digits(bar.saving_at_low_usd)),
                    Some((bar.saving_at_high_usd - bar.saving_at_low_usd).abs()),
                )
            }
            _ => return None,
        })
    }
}
