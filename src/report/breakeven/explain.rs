//! The derivation of a number of the document, step by step, from the document alone.

use super::convert::source_words;
use super::text::{Money, grouped, months};
use super::view::plain;
use super::{BreakevenDocument, CloudOffer, Comparison, LocalOffer};
use std::fmt::Write as _;

/// Numbers that can be explained, besides every input by its dotted name.
pub fn explainable() -> &'static [&'static str] {
    &[
        "payback_months",
        "discounted_payback_months",
        "tco_cloud_usd",
        "tco_local_usd",
        "npv_saving_usd",
        "cloud_monthly_usd",
        "local_monthly_usd",
        "power",
        "units",
        "utilisation",
        "capex_usd",
        "capacity_tokens_per_month",
        "usd_per_mtok_blended",
        "usd_per_mtok_output",
        "breakeven_requests_per_month",
        "breakeven_blended_usd_per_mtok",
    ]
}

/// The steps that lead to a number of the headline comparison, or where an input comes from.
/// `None`: there is no such number.
pub fn explain(document: &BreakevenDocument, name: &str) -> Option<Vec<String>> {
    if let Some(input) = document.inputs.get(name) {
        let unit = input.unit.as_deref().unwrap_or("");
        let mut steps = vec![format!("{name} = {} {unit}", shown(&input.value)).trim_end().to_owned()];
        steps.push(source_words(&input.source));
        match &input.source {
            crate::provenance::Source::Assumed { reason, .. } => steps.push(format!("Why: {reason}.")),
            crate::provenance::Source::Database { source, .. } => steps.push(format!("Read from: {source}.")),
            _ => {}
        }
        return Some(steps);
    }
    let result = &document.result;
    let comparison = result.comparisons.first()?;
    let local = result.local.iter().find(|l| l.name == comparison.local);
    let cloud = result.cloud.iter().find(|c| c.name == comparison.cloud);
    let e = Explainer { document, money: Money::of_result(result), comparison, local, cloud };
    e.steps(name)
}

struct Explainer<'a> {
    document: &'a BreakevenDocument,
    money: Money<'a>,
    comparison: &'a Comparison,
    local: Option<&'a LocalOffer>,
    cloud: Option<&'a CloudOffer>,
}

impl Explainer<'_> {
    fn steps(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "payback_months" => Some(self.payback()),
            "discounted_payback_months" => Some(self.discounted()),
            "tco_cloud_usd" => Some(self.total("cloud", self.comparison.tco_cloud_usd)),
            "tco_local_usd" => Some(self.total("local", self.comparison.tco_local_usd)),
            "npv_saving_usd" => Some(self.present_value()),
            "cloud_monthly_usd" => self.cloud_monthly(),
            "local_monthly_usd" => self.local_monthly(),
            "power" => self.power(),
            "units" => self.units(),
            "utilisation" => self.utilisation(),
            "capex_usd" => self.capex(),
            "capacity_tokens_per_month" => self.capacity(),
            "usd_per_mtok_blended" | "usd_per_mtok_output" => self.unit_price(),
            "breakeven_requests_per_month" => Some(self.volume()),
            "breakeven_blended_usd_per_mtok" => Some(self.price()),
            _ => None,
        }
    }

    /// An input with its value and origin, or that it is not there.
    fn input(&self, name: &str) -> String {
        match self.document.inputs.get(name) {
            Some(input) => {
                let unit = input.unit.as_deref().unwrap_or("");
                format!("{name} = {} {unit} [{}]", shown(&input.value), source_words(&input.source))
            }
            None => format!("{name}: not part of this calculation"),
        }
    }

    fn value(&self, name: &str) -> Option<f64> {
        let value = &self.document.inputs.get(name)?.value;
        value.as_f64().or_else(|| value.get("likely").and_then(serde_json::Value::as_f64))
    }

    fn cloud_now(&self) -> f64 {
        self.document.result.cash_flow.iter().find(|m| self.is_headline(m)).map_or(0.0, |m| m.cloud_usd)
    }

    fn is_headline(&self, m: &super::CashFlowMonth) -> bool {
        m.cloud == self.comparison.cloud && m.local == self.comparison.local
    }

    fn payback(&self) -> Vec<String> {
        let c = self.comparison;
        let mut steps = vec![format!("payback_months: {} instead of {}", c.local, c.cloud)];
        if let Some(l) = self.local {
            let cloud = self.cloud_now();
            steps.push(format!(
                "To buy at the beginning: {} (--explain capex_usd)",
                self.money.show(l.capex_usd)
            ));
            steps.push(format!(
                "First month: cloud {} - local {} = saving {}",
                self.money.show(cloud),
                self.money.show(l.monthly_usd),
                self.money.show(cloud - l.monthly_usd)
            ));
        }
        steps.push(
            "The position begins at minus the purchase and grows by each month's saving; growth, price changes, replacements and loans are in it month by month (--format csv)."
                .to_owned(),
        );
        match (c.payback_months, &c.never_because) {
            (Some(m), _) => {
                let inside = self.document.result.cash_flow.iter().filter(|x| self.is_headline(x));
                let turn = inside.filter(|x| f64::from(x.month) >= m).map(|x| x.month).next();
                if let Some(month) = turn {
                    steps.push(format!(
                        "It turns positive during month {month}; interpolated within it: {m:.3} months."
                    ));
                } else {
                    steps.push(format!("It turns positive after {m:.3} months, past the horizon."));
                }
            }
            (None, Some(why)) => steps.push(format!("It never turns positive: {why}.")),
            (None, None) => {}
        }
        steps
    }

    fn discounted(&self) -> Vec<String> {
        let when = self.comparison.discounted_payback_months.map_or_else(|| "never".to_owned(), months);
        vec![
            "discounted_payback_months: as payback_months, each amount worth less the later it comes".to_owned(),
            self.input("finance.discount_rate_per_year"),
            "An amount at the end of month m counts 1 / (1 + rate)^(m / 12) of itself; purchases at the beginning of a month.".to_owned(),
            format!("Result: {when}"),
        ]
    }

    fn total(&self, side: &str, total: f64) -> Vec<String> {
        let months = self.document.result.horizon_months;
        let mut steps = vec![format!("tco_{side}_usd: everything paid in {months} months")];
        let flow = self.document.result.cash_flow.iter().filter(|m| self.is_headline(m));
        let (mut upfront, mut running) = (0.0, 0.0);
        for m in flow {
            if side == "cloud" {
                running += m.cloud_usd;
            } else {
                upfront += m.local_upfront_usd;
                running += m.local_running_usd;
            }
        }
        steps.push(self.input("need.horizon_months"));
        if upfront != 0.0 {
            steps.push(format!("Purchases: {}", self.money.show(upfront)));
        }
        steps.push(format!(
            "Running cost, month by month: {} (--explain {side}_monthly_usd)",
            self.money.show(running)
        ));
        if let Some(l) = self.local.filter(|_| side == "local") {
            if l.residual_usd > 0.005 {
                steps.push(format!("Less what the units still fetch: {}", self.money.show(l.residual_usd)));
            }
            if l.still_owed_usd > 0.005 {
                steps.push(format!("Loan or rent still owed then: {}", self.money.show(l.still_owed_usd)));
            }
        }
        steps.push(format!("Total: {}", self.money.show(total)));
        steps
    }

    fn present_value(&self) -> Vec<String> {
        vec![
            "npv_saving_usd: what local saves by the horizon, each amount discounted to the first day"
                .to_owned(),
            self.input("finance.discount_rate_per_year"),
            format!("Undiscounted: {}", self.money.show(self.comparison.saving_usd)),
            format!("Present value: {}", self.money.show(self.comparison.npv_saving_usd)),
        ]
    }

    fn cloud_monthly(&self) -> Option<Vec<String>> {
        let c = self.cloud?;
        let mut steps = vec![format!("cloud_monthly_usd: {}", c.name)];
        for name in [
            "need.requests_per_month",
            "need.tokens_per_month",
            "need.input_share",
            "need.input_tokens",
            "need.output_tokens",
            "need.reasoning_tokens",
            "need.cached_input_share",
            "need.batch_share",
            "cloud.input_usd_per_mtok",
            "cloud.output_usd_per_mtok",
            "cloud.cache_read_usd_per_mtok",
            "cloud.batch_multiplier",
            "cloud.retry_share",
            "cloud.fixed_usd_per_month",
            "cloud.usd_per_hour",
            "cloud.billed_hours_per_month",
        ] {
            if self.document.inputs.contains_key(name) {
                steps.push(self.input(name));
            }
        }
        if let Some(price) = c.usd_per_request {
            let requests = self.document.result.requests_per_month.unwrap_or(0.0);
            steps.push(format!(
                "One request: input × price + output × price, after caching, batch and retries = {}; × {} requests",
                self.money.show(price),
                grouped(requests.round(), 0)
            ));
        }
        steps.push(format!("A month at the first day's prices: {}", self.money.show(c.monthly_usd)));
        Some(steps)
    }

    fn local_monthly(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let mut steps = vec![format!("local_monthly_usd: {}, {} unit(s)", l.name, l.units)];
        for (part, usd) in &l.monthly_parts_usd {
            steps.push(format!("{part}: {}", self.money.show(*usd)));
        }
        for name in [
            "local.staff_hours_per_month",
            "local.staff_usd_per_hour",
            "local.usd_per_hour",
            "local.billed_hours_per_month",
        ] {
            if self.document.inputs.contains_key(name) {
                steps.push(self.input(name));
            }
        }
        if l.monthly_parts_usd.get("power").is_some_and(|p| *p > 0.0) {
            steps.push("For power: --explain power".to_owned());
        }
        steps.push(format!("Together: {}", self.money.show(l.monthly_usd)));
        Some(steps)
    }

    fn power(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let usd = l.monthly_parts_usd.get("power")?;
        let mut steps =
            vec!["power = units × (idle + busy share × (load − idle)) × hours × PUE × tariff".to_owned()];
        for name in [
            "local.idle_watts",
            "local.load_watts",
            "local.powered_hours_per_month",
            "local.pue",
            "local.usd_per_kwh",
        ] {
            steps.push(self.input(name));
        }
        if let (Some(idle), Some(load), Some(hours)) = (
            self.value("local.idle_watts"),
            self.value("local.load_watts"),
            self.value("local.powered_hours_per_month"),
        ) {
            let busy = l.utilisation.unwrap_or(1.0).min(1.0);
            let watts = idle + busy * (load - idle);
            steps.push(format!(
                "{} unit(s) × {watts:.1} W (busy {:.2} %) × {hours:.0} h = {:.1} kWh",
                l.units,
                busy * 100.0,
                f64::from(l.units) * watts * hours / 1000.0
            ));
        }
        steps.push(format!("A month: {}", self.money.show(*usd)));
        Some(steps)
    }

    fn units(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let mut steps =
            vec!["units = peak requests/s × work seconds per request ÷ ceiling, rounded up".to_owned()];
        for name in [
            "local.units",
            "need.requests_per_month",
            "need.peak_to_mean",
            "need.peak_requests_per_second",
            "need.hours_per_month",
            "need.input_tokens",
            "need.output_tokens",
            "local.prefill_tokens_per_second",
            "local.decode_tokens_per_second",
            "local.tokeniser_ratio",
            "local.retry_share",
            "local.utilisation_ceiling",
        ] {
            if self.document.inputs.contains_key(name) {
                steps.push(self.input(name));
            }
        }
        if let (Some(u), Some(requests), Some(hours)) =
            (l.utilisation, self.document.result.requests_per_month, self.value("need.hours_per_month"))
        {
            let served =
                self.value("local.powered_hours_per_month").or(l.billed_hours_per_month).unwrap_or(hours);
            let work = u * f64::from(l.units) * served * 3600.0 / requests;
            steps.push(format!("Work: input ÷ prefill + output ÷ decode = {work:.3} s a request"));
            let peak = self
                .value("need.peak_requests_per_second")
                .or_else(|| Some(requests / hours / 3600.0 * self.value("need.peak_to_mean")?));
            if let Some(peak) = peak {
                let ceiling = self.value("local.utilisation_ceiling").unwrap_or(1.0);
                steps.push(format!(
                    "Peak: {peak:.4} requests/s × {work:.3} s ÷ {ceiling} = {:.3}",
                    peak * work / ceiling
                ));
            }
        }
        steps.push(format!("Units: {}", l.units));
        Some(steps)
    }

    fn utilisation(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let u = l.utilisation?;
        Some(vec![
            "utilisation = requests × work seconds ÷ (units × hours × 3,600), mean of the first month"
                .to_owned(),
            format!("Units: {} (--explain units)", l.units),
            format!("Result: {:.3} %", u * 100.0),
            self.input("local.utilisation_ceiling"),
        ])
    }

    fn capex(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let mut steps = vec!["capex_usd = units × (price × (1 + spares) + installation)".to_owned()];
        for name in ["local.purchase_usd", "local.spare_share", "local.install_usd"] {
            steps.push(self.input(name));
        }
        steps.push(format!("Units: {} (--explain units)", l.units));
        steps.push(format!("Result: {}", self.money.show(l.capex_usd)));
        Some(steps)
    }

    fn capacity(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let tokens = l.capacity_tokens_per_month?;
        Some(vec![
            "capacity_tokens_per_month = tokens of one request × units × hours × 3,600 ÷ work seconds, never idle".to_owned(),
            self.input("local.prefill_tokens_per_second"),
            self.input("local.decode_tokens_per_second"),
            format!("Result: {} tokens", grouped(tokens.round(), 0)),
        ])
    }

    fn unit_price(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let show = |p: Option<f64>| p.map_or_else(|| "not known".to_owned(), |p| self.money.show(p));
        let mut steps = vec!["Price of a million local tokens = (running cost + purchase per month of life) ÷ tokens of the month".to_owned()];
        steps.push(format!(
            "Running cost: {} a month (--explain local_monthly_usd)",
            self.money.show(l.monthly_usd)
        ));
        steps.push(format!(
            "Purchase less residual value, per month of life: {}",
            self.money.show(l.amortised_usd_per_month)
        ));
        if self.document.inputs.contains_key("local.life_months") {
            steps.push(self.input("local.life_months"));
        }
        steps.push(format!("Tokens: {}", grouped(self.document.result.tokens_per_month.round(), 0)));
        steps.push(format!("In and out together: {}", show(l.usd_per_mtok_blended)));
        let mut split = String::from("Split by the time a unit spends reading and writing: ");
        let _ = write!(split, "in {}, out {}", show(l.usd_per_mtok_input), show(l.usd_per_mtok_output));
        steps.push(split);
        Some(steps)
    }

    fn volume(&self) -> Vec<String> {
        let c = self.comparison;
        let result = c
            .breakeven_tokens_per_month
            .map_or_else(|| "none".to_owned(), |t| format!("{} tokens a month", grouped(t.round(), 0)));
        vec![
            format!(
                "The volume at which both sides cost the same over {} months: same request, same growth, units bought as the peak needs them.",
                self.document.result.horizon_months
            ),
            "Found by search over the simulation: the smallest volume at which local costs no more."
                .to_owned(),
            format!("Result: {result}"),
        ]
    }

    fn price(&self) -> Vec<String> {
        let c = self.comparison;
        let result =
            c.breakeven_blended_usd_per_mtok.map_or_else(|| "none".to_owned(), |p| self.money.show(p));
        vec![
            "The API's price per million tokens at which it costs the same over the horizon, all its prices scaled alike.".to_owned(),
            format!("Local over the horizon: {}; cloud: {}", self.money.show(c.tco_local_usd), self.money.show(c.tco_cloud_usd)),
            format!("Result: {result}"),
        ]
    }
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Number(n) => n.as_f64().map_or_else(String::new, plain),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(range) => {
            let part =
                |k: &str| range.get(k).and_then(serde_json::Value::as_f64).map(plain).unwrap_or_default();
            format!("{} ({} to {})", part("likely"), part("low"), part("high"))
        }
        other => other.to_string(),
    }
}
