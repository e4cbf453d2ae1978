//! Numbers of a comparison, and the months behind it.

use super::Explainer;
use super::rule::{Rule, digits};
use crate::document::breakeven::{CashFlowMonth, Comparison};

impl Explainer<'_> {
    fn months(&self, of: impl Fn(&CashFlowMonth) -> bool) -> Vec<&CashFlowMonth> {
        let flow = &self.document.result.cash_flow;
        let Some(first) = flow.iter().find(|m| of(m)) else { return Vec::new() };
        flow.iter().filter(|m| m.cloud == first.cloud && m.local == first.local).collect()
    }
    fn pair(&self, c: &Comparison) -> Vec<&CashFlowMonth> {
        self.months(|m| m.cloud == c.cloud && m.local == c.local)
    }

    /// Where the offers of a comparison stand in the result, and the tables of their inputs.
    fn sides(&self, c: &Comparison) -> Sides {
        let r = &self.document.result;
        let (clouds, locals) = self.tables();
        let place = |name: &str| {
            let local = r.local.iter().position(|l| l.name == name);
            let cloud = r.cloud.iter().position(|o| o.name == name);
            (local, cloud)
        };
        let find = |name: &str, cloud_first: bool| match place(name) {
            (_, Some(n)) if cloud_first => (format!("cloud[{n}]"), clouds[n].clone()),
            (Some(n), _) => (format!("local[{n}]"), locals[n].clone()),
            (None, Some(n)) => (format!("cloud[{n}]"), clouds[n].clone()),
            (None, None) => (String::new(), String::new()),
        };
        Sides { cloud: find(&c.cloud, true), local: find(&c.local, false) }
    }

    pub(super) fn compared(&self, n: usize, field: &str) -> Option<Rule> {
        let c = self.document.result.comparisons.get(n)?;
        let at = |field: &str| format!("comparisons[{n}].{field}");
        let months = self.pair(c);
        let sides = self.sides(c);
        let horizon = self.document.result.horizon_months;
        Some(match field {
            "payback_months" => self.payback(c, &months, &sides, false),
            "discounted_payback_months" => self.payback(c, &months, &sides, true),
            "tco_cloud_usd" => Rule::new("tco_cloud_usd = everything the baseline costs up to the horizon")
                .inputs("need", &["horizon_months"])
                .number(format!("{}.tco_usd", sides.cloud.0))
                .computed("the offer's own total", self.get(&format!("{}.tco_usd", sides.cloud.0))),
            "tco_local_usd" => Rule::new("tco_local_usd = everything the other side costs up to the horizon")
                .inputs("need", &["horizon_months"])
                .number(format!("{}.tco_usd", sides.local.0))
                .computed("the offer's own total", self.get(&format!("{}.tco_usd", sides.local.0))),
            "saving_usd" => Rule::new("saving_usd = what the other side costs less over the horizon, not discounted")
                .number(at("tco_cloud_usd"))
                .number(at("tco_local_usd"))
                .computed(
                    format!("{} − {}", digits(c.tco_cloud_usd), digits(c.tco_local_usd)),
                    Some(c.tco_cloud_usd - c.tco_local_usd),
                ),
            "npv_saving_usd" => self.present_value(&months, &sides),
            "breakeven_requests_per_month" | "breakeven_tokens_per_month" | "breakeven_utilisation" => {
                self.volume(n, c, field, &sides)
            }
            "breakeven_blended_usd_per_mtok" => {
                let fixed = self.of(&sides.cloud.1, "fixed_usd_per_month").unwrap_or(0.0) * f64::from(horizon);
                let price = self.get(&format!("{}.usd_per_mtok_blended", sides.cloud.0));
                let factor = (c.tco_local_usd - fixed) / (c.tco_cloud_usd - fixed);
                Rule::new("breakeven_blended_usd_per_mtok = the baseline's price × what the other side costs ÷ what the baseline costs: all its prices scaled alike")
                    .inputs(&sides.cloud.1, &["fixed_usd_per_month"])
                    .number(format!("{}.usd_per_mtok_blended", sides.cloud.0))
                    .number(at("tco_local_usd"))
                    .number(at("tco_cloud_usd"))
                    .computed(format!("price × {}", digits(factor)), price.map(|p| p * factor))
            }
            "best_point_months" | "best_point_usd" => best(field, &months, &sides),
            "probability_local_cheaper" => Rule::new("probability_local_cheaper = share of the draws in which the hardware costs less; only a ranking has it here")
                .number("uncertainty.probability_local_cheaper"),
            _ => return None,
        })
    }

    /// The month in which the position turns, and where within it.
    fn payback(&self, c: &Comparison, months: &[&CashFlowMonth], sides: &Sides, discounted: bool) -> Rule {
        let rate = self.value("finance.discount_rate_per_year").filter(|_| discounted).unwrap_or(0.0);
        let turn = turning(months, rate);
        let rule = Rule::new(if discounted {
            "discounted_payback_months = when the discounted position turns positive: each amount worth 1 ÷ (1 + rate)^(months ÷ 12), purchases at the beginning of a month"
        } else {
            "payback_months = when the position turns positive: it starts at minus what is bought and grows by each month's saving"
        })
        .inputs("finance", if discounted { &["discount_rate_per_year"] } else { &[] })
        .inputs("need", &["growth_per_month", "horizon_months"])
        .inputs(&sides.cloud.1, &["price_change_per_year"])
        .number(format!("{}.capex_usd", sides.local.0))
        .number(format!("{}.monthly_usd", sides.cloud.0))
        .number(format!("{}.monthly_usd", sides.local.0));
        match (turn, months.last()) {
            (Some(turn), _) => rule.note(turn.words()).computed(turn.arithmetic(), Some(turn.at)),
            (None, Some(last)) => {
                let (position, saving) = (last.position_usd, last.cloud_usd - last.local_running_usd);
                let rule = rule.note(format!(
                    "At the horizon the position is {} and grows by {} a month; from there on the months go on as they were",
                    digits(if discounted { last.discounted_position_usd } else { position }),
                    digits(saving)
                ));
                let straight = f64::from(last.month) - position / saving;
                let rule = match &c.never_because {
                    Some(why) => rule.note(format!("It never turns: {why}")),
                    None => rule,
                };
                rule.computed("horizon − position ÷ saving", (!discounted).then_some(straight))
            }
            (None, None) => rule,
        }
    }

    fn present_value(&self, months: &[&CashFlowMonth], sides: &Sides) -> Rule {
        let rate = self.value("finance.discount_rate_per_year").unwrap_or(0.0);
        let left = |path: &str| self.get(path).unwrap_or(0.0);
        let closing = left(&format!("{}.residual_usd", sides.local.0))
            - left(&format!("{}.still_owed_usd", sides.local.0));
        let value = months
            .last()
            .map(|m| m.discounted_position_usd + closing * (1.0 + rate).powf(-f64::from(m.month) / 12.0));
        Rule::new("npv_saving_usd = the discounted position at the horizon + what is left then, discounted: residual value − what is owed")
            .inputs("finance", &["discount_rate_per_year"])
            .inputs("need", &["horizon_months"])
            .number(format!("{}.residual_usd", sides.local.0))
            .number(format!("{}.still_owed_usd", sides.local.0))
            .note(months.last().map_or_else(String::new, |m| {
                format!("Discounted position after month {}: {}", m.month, digits(m.discounted_position_usd))
            }))
            .computed("position + (residual − owed) × (1 + rate)^−(months ÷ 12)", value)
    }

    fn volume(&self, n: usize, c: &Comparison, field: &str, sides: &Sides) -> Rule {
        let at = |field: &str| format!("comparisons[{n}].{field}");
        let table = &sides.local.1;
        let rule = Rule::new(match field {
            "breakeven_tokens_per_month" => "breakeven_tokens_per_month = break-even requests × tokens of one request",
            "breakeven_utilisation" => "breakeven_utilisation = break-even requests × work seconds ÷ (units they need × hours × 3,600)",
            _ => "breakeven_requests_per_month = the smallest volume at which the other side costs no more over the horizon: same request, same growth, units bought as the peak needs them; found by halving an interval over the simulation",
        })
        .inputs("need", &["horizon_months", "input_tokens", "output_tokens", "reasoning_tokens", "input_share", "peak_to_mean"])
        .inputs(table, &["units", "prefill_tokens_per_second", "decode_tokens_per_second", "utilisation_ceiling"]);
        match field {
            "breakeven_tokens_per_month" => {
                let value = || Some(c.breakeven_requests_per_month? * self.request()?.total());
                rule.number(at("breakeven_requests_per_month")).computed("requests × tokens", value())
            }
            "breakeven_utilisation" => {
                let local = |field: &str| self.get(&format!("{}.{field}", sides.local.0));
                let value = || {
                    let scale = c.breakeven_tokens_per_month? / self.get("tokens_per_month")?;
                    Some(local("utilisation")? * scale)
                };
                rule.number(at("breakeven_tokens_per_month"))
                    .number(format!("{}.utilisation", sides.local.0))
                    .number(format!("{}.units", sides.local.0))
                    .computed(
                        "utilisation now × break-even volume ÷ volume now, where the units stay",
                        value(),
                    )
            }
            _ => rule
                .note(format!(
                    "At the volume of the plan the baseline costs {} and the other side {}",
                    digits(c.tco_cloud_usd),
                    digits(c.tco_local_usd)
                ))
                .number(at("tco_cloud_usd"))
                .number(at("tco_local_usd"))
                .number("requests_per_month"),
        }
    }

    pub(super) fn month(&self, n: usize, field: &str) -> Option<Rule> {
        let flow = &self.document.result.cash_flow;
        let m = flow.get(n)?;
        let c = self.document.result.comparisons.iter().find(|c| c.cloud == m.cloud && c.local == m.local)?;
        let sides = self.sides(c);
        let before = n.checked_sub(1).and_then(|p| flow.get(p)).filter(|_| m.month > 1);
        let growth = self.value("need.growth_per_month").unwrap_or(0.0);
        let grown = (1.0 + growth).powi(i32::try_from(m.month).unwrap_or(1) - 1);
        let first = flow.get(n + 1 - m.month as usize)?;
        let offer = |side: &str, field: &str| self.get(&format!("{side}.{field}"));
        let rate = self.value("finance.discount_rate_per_year").unwrap_or(0.0);
        let worth = |months: u32| (1.0 + rate).powf(-f64::from(months) / 12.0);
        let path = |p: usize, field: &str| format!("cash_flow[{p}].{field}");
        Some(match field {
            "month" => Rule::new("month = months counted from the first one")
                .inputs("need", &["start"])
                .computed("months since the start + 1", Some(f64::from(m.month))),
            "requests" => Rule::new("requests = those of the first month × (1 + growth)^(month − 1)")
                .inputs("need", &["requests_per_month", "tokens_per_month", "growth_per_month", "at_capacity"])
                .number(path(n, "month"))
                .computed(format!("{} × {}", digits(first.requests), digits(grown)), Some(first.requests * grown)),
            "cloud_usd" => self.month_of_baseline(m, &sides, first),
            "local_units" => Rule::new("local_units = as many as the month's peak needs; what was bought stays")
                .inputs("need", &["growth_per_month"])
                .number(format!("{}.units", sides.local.0))
                .number(path(n, "requests"))
                .computed(
                    "units of the first month, where the load is the same",
                    offer(&sides.local.0, "units").or(Some(f64::from(m.local_units))),
                ),
            "local_upfront_usd" => {
                let bought = if m.month == 1 { offer(&sides.local.0, "capex_usd").or(Some(0.0)) } else { Some(0.0) };
                Rule::new("local_upfront_usd = what is bought at the beginning of the month − what replaced units fetch; a loan pays for the purchase itself")
                    .inputs(&sides.local.1, &["purchase_usd", "install_usd", "spare_share", "life_months", "residual_share", "rate_per_year"])
                    .number(format!("{}.capex_usd", sides.local.0))
                    .number(path(n, "local_units"))
                    .computed(if m.month == 1 { "the first units" } else { "nothing is bought" }, bought)
            }
            "local_running_usd" => Rule::new("local_running_usd = all parts of the month: power by the month's load, the rest by its units")
                .number(format!("{}.monthly_usd", sides.local.0))
                .number(path(n, "local_units"))
                .number(path(n, "requests"))
                .computed("as in the first month", offer(&sides.local.0, "monthly_usd")),
            "position_usd" => Rule::new("position_usd = position of the month before + what the baseline costs − what is bought − what running costs")
                .number(path(n.saturating_sub(1), "position_usd"))
                .number(path(n, "cloud_usd"))
                .number(path(n, "local_upfront_usd"))
                .number(path(n, "local_running_usd"))
                .computed(
                    "before + baseline − upfront − running",
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

    /// The first month's bill, by the month's volume and the drift of its prices.
    fn month_of_baseline(&self, m: &CashFlowMonth, sides: &Sides, first: &CashFlowMonth) -> Rule {
        let table = &sides.cloud.1;
        let drift = self.of(table, "price_change_per_year").unwrap_or(0.0);
        let q = (1.0 + drift).powf(1.0 / 12.0);
        let mean = if (q - 1.0).abs() < 1e-12 { 1.0 } else { (q - 1.0) / q.ln() };
        let months = i32::try_from(m.month).unwrap_or(1) - 1;
        let value = || {
            let fixed = self.of(table, "fixed_usd_per_month").unwrap_or(0.0);
            let monthly = self.get(&format!("{}.monthly_usd", sides.cloud.0))?;
            Some((monthly - fixed) * m.requests / first.requests * mean * q.powi(months) + fixed)
        };
        Rule::new("cloud_usd = the first day's monthly bill × requests of the month ÷ of the first × the mean drift of its days, q^(month − 1) × (q − 1) ÷ ln q with q = (1 + change per year)^(1 ÷ 12); what is fixed stays; dated changes and windows by their dates")
            .inputs(table, &["price_change_per_year", "change", "fixed_usd_per_month", "usd_per_hour", "billed_hours_per_month"])
            .inputs("need", &["growth_per_month"])
            .number(format!("{}.monthly_usd", sides.cloud.0))
            .computed("bill × volume × drift", value())
    }
}

/// Path in the result and table of the inputs, of each side.
struct Sides {
    cloud: (String, String),
    local: (String, String),
}

/// The month in which a position turns positive.
struct Turn {
    month: u32,
    /// Position when the month begins, purchases of the month taken off.
    begins: f64,
    gain: f64,
    at: f64,
}

impl Turn {
    fn words(&self) -> String {
        format!("Month {} begins at {} and gains {}", self.month, digits(self.begins), digits(self.gain))
    }
    fn arithmetic(&self) -> String {
        format!("{} + {} ÷ {}", self.month - 1, digits(-self.begins.min(0.0)), digits(self.gain))
    }
}

fn turning(months: &[&CashFlowMonth], rate: f64) -> Option<Turn> {
    let mut before = 0.0;
    for m in months {
        let worth = |months: u32| (1.0 + rate).powf(-f64::from(months) / 12.0);
        let begins = before - m.local_upfront_usd * worth(m.month - 1);
        let gain = (m.cloud_usd - m.local_running_usd) * worth(m.month);
        if begins >= 0.0 && (m.month > 1 || gain >= 0.0) {
            return Some(Turn { month: m.month, begins, gain, at: f64::from(m.month - 1) });
        }
        if begins < 0.0 && begins + gain >= 0.0 && gain > 0.0 {
            return Some(Turn { month: m.month, begins, gain, at: f64::from(m.month - 1) - begins / gain });
        }
        before = begins + gain;
    }
    None
}

/// Where the monthly saving ends.
fn best(field: &str, months: &[&CashFlowMonth], sides: &Sides) -> Rule {
    let saving = |m: &CashFlowMonth| m.cloud_usd - m.local_running_usd;
    let end = months.windows(2).find(|w| saving(w[0]) > 0.0 && saving(w[1]) <= 0.0);
    let rule = Rule::new("best_point = where falling or changing prices end the monthly saving: between the middles of the last month that saves and the first that does not; the position at the end of the former. From there on the lead shrinks")
        .inputs(&sides.cloud.1, &["price_change_per_year", "change"])
        .number(format!("{}.monthly_usd", sides.cloud.0))
        .number(format!("{}.monthly_usd", sides.local.0));
    let Some([last, next]) = end.map(|w| [w[0], w[1]]) else {
        return rule.note("It is not within the horizon: the saving goes on shrinking after it");
    };
    let (a, b) = (saving(last), saving(next));
    let rule =
        rule.note(format!("Month {} saves {}, month {} {}", last.month, digits(a), next.month, digits(b)));
    if field == "best_point_usd" {
        rule.computed(format!("position after month {}", last.month), Some(last.position_usd))
    } else {
        rule.computed(
            format!("{} − 0.5 + {} ÷ {}", last.month, digits(a), digits(a - b)),
            Some(f64::from(last.month) - 0.5 + a / (a - b)),
        )
    }
}
