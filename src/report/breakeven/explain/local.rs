//! How the numbers of the local side come about.

use super::Explainer;
use crate::report::breakeven::text::grouped;
use std::fmt::Write as _;

impl Explainer<'_> {
    /// A part of the local side's month: the rule, its inputs, the amount.
    pub(super) fn part(&self, name: &str, rule: &str, keys: &[&str]) -> Option<Vec<String>> {
        let l = self.local?;
        let mut steps = vec![format!("{name}: {rule}")];
        steps.extend(self.local_inputs(keys));
        let usd = l.monthly_parts_usd.get(name).copied().unwrap_or(0.0);
        steps.push(format!("Units in the first month: {} (--explain units)", l.units));
        steps.push(format!("A month: {}", self.money.show(usd)));
        Some(steps)
    }

    /// Those of the local side's inputs that are part of this calculation.
    fn local_inputs(&self, keys: &[&str]) -> Vec<String> {
        let names = keys.iter().map(|key| format!("local.{key}"));
        names.filter(|n| self.document.inputs.contains_key(n)).map(|n| self.input(&n)).collect()
    }

    pub(super) fn amortised(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let mut steps = vec![
            "amortised_usd_per_month = (capex − residual value) ÷ months of life (of the horizon where no life is given)".to_owned(),
        ];
        steps.push(format!("Capex: {} (--explain capex_usd)", self.money.show(l.capex_usd)));
        steps.extend(self.local_inputs(&["residual_share", "life_months"]));
        steps.push(format!("Result: {}", self.money.show(l.amortised_usd_per_month)));
        Some(steps)
    }

    pub(super) fn still_owed(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let mut steps = vec![
            "still_owed_usd: balance of loans, and rent of commitments that go on, when the comparison ends"
                .to_owned(),
            self.input("need.horizon_months"),
        ];
        steps.extend(self.local_inputs(&["term_months", "rate_per_year", "usd_per_hour"]));
        steps.push(format!("Result: {}, part of tco_local_usd", self.money.show(l.still_owed_usd)));
        Some(steps)
    }

    pub(super) fn local_monthly(&self) -> Option<Vec<String>> {
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

    pub(super) fn power(&self) -> Option<Vec<String>> {
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

    pub(super) fn units(&self) -> Option<Vec<String>> {
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

    pub(super) fn utilisation(&self) -> Option<Vec<String>> {
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

    pub(super) fn capex(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let mut steps = vec!["capex_usd = units × (price × (1 + spares) + installation)".to_owned()];
        for name in ["local.purchase_usd", "local.spare_share", "local.install_usd"] {
            steps.push(self.input(name));
        }
        steps.push(format!("Units: {} (--explain units)", l.units));
        steps.push(format!("Result: {}", self.money.show(l.capex_usd)));
        Some(steps)
    }

    pub(super) fn capacity(&self) -> Option<Vec<String>> {
        let l = self.local?;
        let tokens = l.capacity_tokens_per_month?;
        Some(vec![
            "capacity_tokens_per_month = tokens of one request × units × hours × 3,600 ÷ work seconds, never idle".to_owned(),
            self.input("local.prefill_tokens_per_second"),
            self.input("local.decode_tokens_per_second"),
            format!("Result: {} tokens", grouped(tokens.round(), 0)),
        ])
    }

    pub(super) fn unit_price(&self) -> Option<Vec<String>> {
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
}
