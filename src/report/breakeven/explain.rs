//! The derivation of a number of the document, step by step, from the document alone.

mod local;

use super::convert::source_words;
use super::text::{Money, grouped, months};
use super::view::plain;
use super::{BreakevenDocument, CloudOffer, Comparison, LocalOffer};

/// Numbers that can be explained, besides every input by its dotted name.
pub fn explainable() -> &'static [&'static str] {
    &[
        "payback_months",
        "discounted_payback_months",
        "tco_cloud_usd",
        "tco_local_usd",
        "saving_usd",
        "npv_saving_usd",
        "cloud_monthly_usd",
        "local_monthly_usd",
        "power",
        "staff",
        "rent",
        "loan",
        "maintenance",
        "units",
        "utilisation",
        "capex_usd",
        "amortised_usd_per_month",
        "still_owed_usd",
        "capacity_tokens_per_month",
        "tokens_per_month",
        "usd_per_mtok_blended",
        "usd_per_mtok_input",
        "usd_per_mtok_output",
        "breakeven_requests_per_month",
        "breakeven_tokens_per_month",
        "breakeven_utilisation",
        "breakeven_blended_usd_per_mtok",
        "best_point_months",
        "probability_local_cheaper",
        "payback_p50",
        "hybrid",
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
            "saving_usd" => Some(self.saving()),
            "npv_saving_usd" => Some(self.present_value()),
            "cloud_monthly_usd" => self.cloud_monthly(),
            "local_monthly_usd" => self.local_monthly(),
            "power" => self.power(),
            "staff" => {
                self.part(name, "staff hours × rate", &["staff_hours_per_month", "staff_usd_per_hour"])
            }
            "rent" => self.part(
                name,
                "units × billed hours × rent of a unit; what stands idle costs the same",
                &["usd_per_hour", "billed_hours_per_month", "term_months", "units"],
            ),
            "loan" => self.part(
                name,
                "constant instalments: price × r ÷ (1 − (1 + r)^−term), r the yearly rate ÷ 12",
                &["purchase_usd", "spare_share", "rate_per_year", "term_months"],
            ),
            "maintenance" => self.part(
                name,
                "units × price × share per year ÷ 12",
                &["purchase_usd", "maintenance_share_per_year"],
            ),
            "units" => self.units(),
            "utilisation" => self.utilisation(),
            "capex_usd" => self.capex(),
            "amortised_usd_per_month" => self.amortised(),
            "still_owed_usd" => self.still_owed(),
            "capacity_tokens_per_month" => self.capacity(),
            "tokens_per_month" => Some(self.tokens()),
            "usd_per_mtok_blended" | "usd_per_mtok_input" | "usd_per_mtok_output" => self.unit_price(),
            "breakeven_requests_per_month" | "breakeven_tokens_per_month" | "breakeven_utilisation" => {
                Some(self.volume())
            }
            "best_point_months" => Some(self.best_point()),
            "probability_local_cheaper" | "payback_p50" => Some(self.odds()),
            "hybrid" => Some(self.hybrid()),
            "breakeven_blended_usd_per_mtok" => Some(self.price()),
            _ => None,
        }
    }

    fn saving(&self) -> Vec<String> {
        let c = self.comparison;
        vec![
            format!(
                "saving_usd: what local saves over {} months, not discounted",
                self.document.result.horizon_months
            ),
            format!("Cloud: {} (--explain tco_cloud_usd)", self.money.show(c.tco_cloud_usd)),
            format!("Local: {} (--explain tco_local_usd)", self.money.show(c.tco_local_usd)),
            format!("Result: {}", self.money.show(c.saving_usd)),
        ]
    }

    fn tokens(&self) -> Vec<String> {
        let mut steps = vec!["tokens_per_month = requests × (input + output + reasoning tokens)".to_owned()];
        for name in [
            "need.tokens_per_month",
            "need.requests_per_month",
            "need.input_tokens",
            "need.output_tokens",
            "need.reasoning_tokens",
            "need.at_capacity",
        ] {
            if self.document.inputs.contains_key(name) {
                steps.push(self.input(name));
            }
        }
        steps.push(format!(
            "Result: {} tokens in the first month",
            grouped(self.document.result.tokens_per_month.round(), 0)
        ));
        steps
    }

    fn best_point(&self) -> Vec<String> {
        let c = self.comparison;
        let result = match (c.best_point_months, c.best_point_usd) {
            (Some(m), Some(usd)) => format!("Result: month {m:.1}, {} ahead", self.money.show(usd)),
            _ => "Result: none; the lead goes on growing, or there never is one".to_owned(),
        };
        vec![
            "best_point_months: where falling or changing prices end the monthly saving; from then on the lead shrinks".to_owned(),
            self.input("cloud.price_change_per_year"),
            result,
        ]
    }

    fn odds(&self) -> Vec<String> {
        let Some(u) = &self.document.result.uncertainty else { return Vec::new() };
        let when = |m: Option<f64>| m.map_or_else(|| "never".to_owned(), months);
        let mut steps = vec![format!(
            "Each range is drawn {} times from a triangle (low, likely, high), independently, seed {}; each draw runs the whole simulation",
            grouped(f64::from(u.draws), 0),
            u.seed
        )];
        let ranges = self
            .document
            .inputs
            .iter()
            .filter(|(name, i)| i.value.is_object() && !name.starts_with("comparator."));
        steps.extend(ranges.map(|(name, _)| self.input(name)));
        steps.push(match u.probability_local_cheaper {
            Some(p) => format!("Local costs less by the horizon in {:.2} % of the draws", p * 100.0),
            None => "No input is a range, so nothing is drawn".to_owned(),
        });
        steps.push(format!(
            "Payback: {} in a tenth of the draws, {} in half, {} in nine tenths",
            when(u.payback_p10),
            when(u.payback_p50),
            when(u.payback_p90)
        ));
        steps
    }

    fn hybrid(&self) -> Vec<String> {
        let mut steps = vec!["hybrid: both at once, against cloud only and local only".to_owned()];
        let Some(h) = &self.document.result.hybrid else {
            steps.push("None was asked for: set hybrid.local_share, or hybrid.profile".to_owned());
            steps.push("A share is routed to the local side, and what it cannot do is paid twice; with a profile, what exceeds the local capacity in an hour overflows to the cloud".to_owned());
            return steps;
        };
        if let Some(r) = &h.routed {
            steps.push(format!(
                "Routed: {:.1} % of the requests go to local first; the cloud gets the rest and {:.1} % of those again = {:.1} % of all",
                r.local_share * 100.0,
                r.escalation_share * 100.0,
                (1.0 - r.local_share + r.local_share * r.escalation_share) * 100.0
            ));
            steps.push(format!(
                "Routed, over the horizon: {}, {} unit(s)",
                self.money.show(r.tco_usd),
                r.units
            ));
        }
        if let Some(o) = &h.overflow {
            steps.push(format!(
                "Overflow: {} numbers of units were tried; {} cost least, {}",
                o.options.len(),
                o.best_units,
                self.money.show(o.tco_usd)
            ));
        }
        steps.push(format!("Cheapest: {}", h.cheapest));
        steps
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
            let steady = c.payback_months.filter(|m| {
                let straight = l.capex_usd / (cloud - l.monthly_usd);
                (m - straight).abs() < 1e-6 * straight.max(1.0)
            });
            if let Some(m) = steady {
                steps.push(format!(
                    "Nothing changes from month to month: {} ÷ {} = {m:.3} months",
                    self.money.show(l.capex_usd),
                    self.money.show(cloud - l.monthly_usd)
                ));
            }
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

    /// `1,800 × 0.75 + 250 × 3.75, by the million`, where nothing but those two is paid.
    fn request_arithmetic(&self, c: &CloudOffer) -> Option<String> {
        let none = |name: &str| self.value(name).is_none_or(|v| v == 0.0);
        let plain = ["need.cached_input_share", "need.cache_write_input_share", "need.batch_share"];
        if !plain.iter().all(|name| none(name)) || !none("need.reasoning_tokens") {
            return None;
        }
        let (input, output) = (self.value("need.input_tokens")?, self.value("need.output_tokens")?);
        let (price_in, price_out) = (c.usd_per_mtok_input?, c.usd_per_mtok_output?);
        Some(format!(
            "{} × {} + {} × {} for a million requests = {}",
            grouped(input, 0),
            self.money.show(price_in),
            grouped(output, 0),
            self.money.show(price_out),
            self.money.show(input * price_in + output * price_out)
        ))
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
            "need.cache_write_input_share",
            "need.batch_share",
            "cloud.input_usd_per_mtok",
            "cloud.output_usd_per_mtok",
            "cloud.cache_read_usd_per_mtok",
            "cloud.cache_write_usd_per_mtok",
            "cloud.reasoning_usd_per_mtok",
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
            steps.extend(self.request_arithmetic(c));
            steps.push(format!(
                "One request: input × price + output × price, after caching, batch and retries = {}; × {} requests",
                self.money.show(price),
                grouped(requests.round(), 0)
            ));
        }
        steps.push(format!("A month at the first day's prices: {}", self.money.show(c.monthly_usd)));
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
