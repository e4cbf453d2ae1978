//! Numbers of one offer, local or cloud.

use super::Explainer;
use super::rule::{Rule, digits};

/// The need's share in what a machine has to do.
const LOAD: [&str; 11] = [
    "requests_per_month",
    "tokens_per_month",
    "input_share",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "peak_to_mean",
    "peak_requests_per_second",
    "hours_per_month",
    "growth_per_month",
    "at_capacity",
];
const SPEED: [&str; 8] = [
    "prefill_tokens_per_second",
    "decode_tokens_per_second",
    "prefill_free",
    "charge_input_as_output",
    "tokeniser_ratio",
    "retry_share",
    "powered_hours_per_month",
    "billed_hours_per_month",
];
/// What the price of a request is made of.
const PRICES: [&str; 8] = [
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cache_read_usd_per_mtok",
    "cache_write_usd_per_mtok",
    "reasoning_usd_per_mtok",
    "batch_multiplier",
    "retry_share",
    "fixed_usd_per_month",
];

/// Tokens of one request.
pub(super) struct Request {
    pub input: f64,
    pub output: f64,
    pub reasoning: f64,
}

impl Request {
    pub(super) fn total(&self) -> f64 {
        self.input + self.output + self.reasoning
    }
}

impl Explainer<'_> {
    /// A request as given; where only totals are known, a thousand tokens.
    pub(super) fn request(&self) -> Option<Request> {
        if let Some(share) = self.value("need.input_share") {
            return Some(Request { input: 1000.0 * share, output: 1000.0 * (1.0 - share), reasoning: 0.0 });
        }
        Some(Request {
            input: self.value("need.input_tokens")?,
            output: self.value("need.output_tokens")?,
            reasoning: self.value("need.reasoning_tokens").unwrap_or(0.0),
        })
    }

    /// Requests of the first month; not where each machine sets its own.
    pub(super) fn requests(&self) -> Option<f64> {
        if self.has("need.at_capacity") {
            return None;
        }
        self.value("need.requests_per_month")
            .or_else(|| Some(self.value("need.tokens_per_month")? / self.request()?.total()))
    }

    pub(super) fn of(&self, table: &str, key: &str) -> Option<f64> {
        self.value(&format!("{table}.{key}"))
    }

    /// Seconds of a unit for one request: reading, writing.
    fn work(&self, table: &str) -> Option<(f64, f64)> {
        let request = self.request()?;
        let decode = self.of(table, "decode_tokens_per_second")?;
        let factor = self.of(table, "tokeniser_ratio").unwrap_or(1.0)
            * (1.0 + self.of(table, "retry_share").unwrap_or(0.0));
        let on = |key: &str| self.has(&format!("{table}.{key}"));
        let reading = if on("prefill_free") {
            0.0
        } else if on("charge_input_as_output") {
            request.input / decode
        } else if request.input == 0.0 {
            0.0
        } else {
            request.input / self.of(table, "prefill_tokens_per_second")?
        };
        Some((reading * factor, (request.output + request.reasoning) / decode * factor))
    }

    fn served_hours(&self, table: &str) -> Option<f64> {
        self.of(table, "powered_hours_per_month")
            .or_else(|| self.of(table, "billed_hours_per_month"))
            .or_else(|| self.value("need.hours_per_month"))
    }

    fn work_note(&self, table: &str) -> String {
        match self.work(table) {
            Some((reading, writing)) => format!(
                "Work of one request: reading {} s + writing {} s, local tokens and retries counted",
                digits(reading),
                digits(writing)
            ),
            None => "The speed of a unit is not known".to_owned(),
        }
    }

    fn units_rule(&self, table: &str) -> Rule {
        let rule = Rule::new(
            "units = peak requests per second × work seconds of a request ÷ ceiling, rounded up; or as given",
        )
        .inputs(table, &["units"])
        .inputs("need", &LOAD)
        .inputs(table, &SPEED)
        .inputs(table, &["utilisation_ceiling"]);
        if let Some(units) = self.of(table, "units") {
            return rule.computed("as given", Some(units));
        }
        let needed = || {
            let (reading, writing) = self.work(table)?;
            let requests = self.requests()?;
            let mean = |hours: f64| requests / hours / 3600.0;
            let hours = self.value("need.hours_per_month")?;
            let peak = self
                .value("need.peak_requests_per_second")
                .or_else(|| Some(mean(hours) * self.value("need.peak_to_mean")?))?
                .max(mean(self.served_hours(table)?));
            let ceiling = self.of(table, "utilisation_ceiling")?;
            let exact = peak * (reading + writing) / ceiling;
            Some((
                format!(
                    "{} /s × {} s ÷ {} = {}, rounded up",
                    digits(peak),
                    digits(reading + writing),
                    digits(ceiling),
                    digits(exact)
                ),
                (exact - 1e-9).ceil().max(1.0),
            ))
        };
        match needed() {
            Some((arithmetic, units)) => rule.note(self.work_note(table)).computed(arithmetic, Some(units)),
            None if self.has("need.at_capacity") => rule.computed("at capacity, one", Some(1.0)),
            None => rule.note(self.work_note(table)),
        }
    }

    pub(super) fn local(&self, n: usize, field: &str) -> Option<Rule> {
        let table = self.tables().1.get(n)?.clone();
        let at = |field: &str| format!("local[{n}].{field}");
        let get = |field: &str| self.get(&at(field));
        let offer = self.document.result.local.get(n)?;
        let horizon = f64::from(self.document.result.horizon_months);
        let rented = offer.kind == "rented";
        Some(match field {
            "tier" => Rule::new("tier = the catalogue's rating of the model, 1 the most capable")
                .inputs(&table, &["model", "hardware"])
                .note(format!("Rated model: {}", offer.model.as_deref().unwrap_or("none is named"))),
            "units" => self.units_rule(&table),
            "units_at_horizon" => {
                let last = self.months_of(&offer.name).last().map(|m| f64::from(m.local_units));
                Rule::new(
                    "units_at_horizon = units in the last month: the load has grown, what was bought stays",
                )
                .inputs("need", &["growth_per_month", "horizon_months"])
                .number(at("units"))
                .computed("last month of the cash flow", last.or_else(|| get("units")))
            }
            "capex_usd" => {
                let one = || {
                    let price = self.of(&table, "purchase_usd")?;
                    Some(price * (1.0 + self.of(&table, "spare_share")?) + self.of(&table, "install_usd")?)
                };
                let value = if rented { Some(0.0) } else { one().and_then(|one| Some(get("units")? * one)) };
                Rule::new(
                    "capex_usd = units × (price × (1 + spares) + installation); nothing where it is rented",
                )
                .inputs(&table, &["kind", "purchase_usd", "spare_share", "install_usd"])
                .number(at("units"))
                .computed("units × (price × (1 + spares) + installation)", value)
            }
            "monthly_usd" => Self::sum_of_parts(&format!("local[{n}]"), &offer.monthly_parts_usd),
            "amortised_usd_per_month" => {
                let value = || {
                    if rented {
                        return Some(0.0);
                    }
                    let rest =
                        self.of(&table, "purchase_usd")? * self.of(&table, "residual_share")? * get("units")?;
                    Some((get("capex_usd")? - rest) / self.of(&table, "life_months").unwrap_or(horizon))
                };
                Rule::new("amortised_usd_per_month = (capex − residual value) ÷ months of life (of the horizon where no life is given)")
                    .inputs(&table, &["purchase_usd", "residual_share", "life_months"])
                    .inputs("need", &["horizon_months"])
                    .number(at("capex_usd"))
                    .number(at("units"))
                    .computed("(capex − units × price × residual share) ÷ months", value())
            }
            "residual_usd" => {
                let value = || {
                    if rented {
                        return Some(0.0);
                    }
                    Some(
                        self.of(&table, "purchase_usd")?
                            * self.of(&table, "residual_share")?
                            * get("units_at_horizon")?,
                    )
                };
                Rule::new("residual_usd = price × residual share × units at the horizon, whatever their age; taken off the total")
                    .inputs(&table, &["purchase_usd", "residual_share"])
                    .number(at("units_at_horizon"))
                    .computed("price × residual share × units", value())
            }
            "still_owed_usd" => self.owed(&table, n, horizon),
            "tco_usd" => self.total_of_local(n, &offer.name),
            "capacity_tokens_per_month" => {
                let value = || {
                    let (reading, writing) = self.work(&table)?;
                    let seconds = self.served_hours(&table)? * 3600.0;
                    Some(self.request()?.total() * get("units")? * seconds / (reading + writing))
                };
                Rule::new("capacity_tokens_per_month = tokens of one request × units × hours × 3,600 ÷ work seconds, never idle")
                    .inputs("need", &["input_tokens", "output_tokens", "reasoning_tokens", "input_share", "hours_per_month"])
                    .inputs(&table, &SPEED)
                    .number(at("units"))
                    .note(self.work_note(&table))
                    .computed("tokens × units × seconds ÷ work", value())
            }
            "utilisation" => {
                let value = || {
                    let (reading, writing) = self.work(&table)?;
                    let seconds = self.served_hours(&table)? * 3600.0;
                    Some(self.requests()? * (reading + writing) / (get("units")? * seconds))
                };
                let at_capacity =
                    self.of(&table, "utilisation_ceiling").filter(|_| self.has("need.at_capacity"));
                Rule::new("utilisation = requests × work seconds ÷ (units × hours × 3,600), mean of the first month; at capacity it is the ceiling")
                    .inputs("need", &LOAD)
                    .inputs(&table, &SPEED)
                    .inputs(&table, &["utilisation_ceiling"])
                    .number(at("units"))
                    .note(self.work_note(&table))
                    .computed("requests × work ÷ (units × seconds)", value().or(at_capacity))
            }
            "usd_per_mtok_blended" | "usd_per_mtok_input" | "usd_per_mtok_output" => {
                self.local_price(n, &table, field)
            }
            "billed_hours_per_month" => self.same_as_input(&format!("{table}.billed_hours_per_month"), field),
            _ => return None,
        })
    }

    /// A number that is an input.
    pub(super) fn same_as_input(&self, name: &str, field: &str) -> Rule {
        let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
        Rule::new(&format!("{field} = {name}, as given, found or assumed"))
            .inputs(table, &[key])
            .computed(name, self.value(name))
    }

    fn sum_of_parts(base: &str, parts: &std::collections::BTreeMap<String, f64>) -> Rule {
        let rule =
            Rule::new("monthly_usd = the parts of the first month together; what is bought is not in it");
        let rule =
            parts.keys().fold(rule, |rule, part| rule.number(format!("{base}.monthly_parts_usd.{part}")));
        let names: Vec<&str> = parts.keys().map(String::as_str).collect();
        let arithmetic = if names.is_empty() { "no part".to_owned() } else { names.join(" + ") };
        rule.inputs("need", &["requests_per_month", "tokens_per_month"])
            .computed(arithmetic, Some(parts.values().sum()))
    }

    fn local_price(&self, n: usize, table: &str, field: &str) -> Rule {
        let get = |field: &str| self.get(&format!("local[{n}].{field}"));
        let monthly = || {
            let financed = get("monthly_parts_usd.loan").is_some_and(|l| l > 0.0);
            Some(get("monthly_usd")? + if financed { 0.0 } else { get("amortised_usd_per_month")? })
        };
        let value = || {
            let (request, requests) = (self.request()?, self.requests()?);
            let per_million = |usd: f64, tokens: f64| usd / (tokens * requests) * 1e6;
            if field == "usd_per_mtok_blended" {
                return Some(per_million(monthly()?, request.total()));
            }
            let (reading, writing) = self.work(table)?;
            let whole = reading + writing;
            Some(if field == "usd_per_mtok_input" {
                per_million(monthly()? * reading / whole, request.input)
            } else {
                per_million(monthly()? * writing / whole, request.output + request.reasoning)
            })
        };
        Rule::new(match field {
            "usd_per_mtok_blended" => "usd_per_mtok_blended = (running cost + purchase per month of life) ÷ tokens of the month, by the million; a loan is the purchase already",
            "usd_per_mtok_input" => "usd_per_mtok_input = the month's cost × share of the time spent reading ÷ input tokens, by the million",
            _ => "usd_per_mtok_output = the month's cost × share of the time spent writing ÷ output and reasoning tokens, by the million",
        })
        .inputs("need", &LOAD)
        .inputs(table, &SPEED)
        .number(format!("local[{n}].monthly_usd"))
        .number(format!("local[{n}].amortised_usd_per_month"))
        .note(self.work_note(table))
        .computed("cost of the month × share ÷ tokens × 1,000,000", value())
    }

    fn owed(&self, table: &str, n: usize, horizon: f64) -> Rule {
        let get = |field: &str| self.get(&format!("local[{n}].{field}"));
        let value = || {
            let Some(term) = self.of(table, "term_months") else { return Some(0.0) };
            let left = (term - horizon).max(0.0);
            if let Some(rent) = get("monthly_parts_usd.rent") {
                return Some(rent * left);
            }
            let r = self.of(table, "rate_per_year")? / 12.0;
            let factor = if r == 0.0 { left } else { (1.0 - (1.0 + r).powf(-left)) / r };
            Some(get("monthly_parts_usd.loan").unwrap_or(0.0) * factor)
        };
        Rule::new("still_owed_usd = what the instalments, or the months of rent, after the horizon are worth then: monthly × (1 − (1 + r)^−left) ÷ r, rent × months left")
            .inputs(table, &["term_months", "rate_per_year", "usd_per_hour", "billed_hours_per_month"])
            .inputs("need", &["horizon_months"])
            .number(format!("local[{n}].monthly_parts_usd.loan"))
            .number(format!("local[{n}].monthly_parts_usd.rent"))
            .computed("monthly × what is left of the term", value())
    }

    fn total_of_local(&self, n: usize, name: &str) -> Rule {
        let months = self.months_of(name);
        let (upfront, running) =
            months.iter().fold((0.0, 0.0), |(u, r), m| (u + m.local_upfront_usd, r + m.local_running_usd));
        let get = |field: &str| self.get(&format!("local[{n}].{field}")).unwrap_or(0.0);
        let value =
            (!months.is_empty()).then(|| upfront + running - get("residual_usd") + get("still_owed_usd"));
        Rule::new("tco_usd = purchases + running cost of every month − residual value + what is still owed")
            .inputs("need", &["horizon_months"])
            .number(format!("local[{n}].residual_usd"))
            .number(format!("local[{n}].still_owed_usd"))
            .note(format!(
                "Over {} months (cash_flow): purchases {}, running cost {}",
                months.len(),
                digits(upfront),
                digits(running)
            ))
            .computed("purchases + running − residual + owed", value)
    }

    pub(super) fn local_part(&self, n: usize, part: &str) -> Option<Rule> {
        let table = self.tables().1.get(n)?.clone();
        self.part(&table, &format!("local[{n}]"), part)
    }

    /// A part of a machine's month.
    fn part(&self, table: &str, base: &str, part: &str) -> Option<Rule> {
        let units = self.get(&format!("{base}.units"));
        let of = |key: &str| self.of(table, key);
        let per_unit = |key: &str| Some(units? * of(key)?);
        let rule = |formula: &str, keys: &[&str], value: Option<f64>| {
            Rule::new(formula).inputs(table, keys).number(format!("{base}.units")).computed(formula, value)
        };
        Some(match part {
            "rent" => rule(
                "rent = units × billed hours × rent of a unit; what stands idle costs the same",
                &["usd_per_hour", "billed_hours_per_month", "term_months"],
                per_unit("usd_per_hour").and_then(|rent| Some(rent * of("billed_hours_per_month")?)),
            ),
            "staff" => rule(
                "staff = hours for the whole deployment × rate",
                &["staff_hours_per_month", "staff_usd_per_hour"],
                of("staff_hours_per_month").and_then(|h| Some(h * of("staff_usd_per_hour")?)),
            ),
            "hosting" => rule(
                "hosting = units × hosting of a unit",
                &["hosting_usd_per_month"],
                per_unit("hosting_usd_per_month"),
            ),
            "licence" => rule(
                "licence = units × licences of a unit",
                &["licence_usd_per_month"],
                per_unit("licence_usd_per_month"),
            ),
            "other" => rule(
                "other = as given, for the whole deployment",
                &["other_usd_per_month"],
                of("other_usd_per_month"),
            ),
            "maintenance" => rule(
                "maintenance = units × price × share per year ÷ 12",
                &["purchase_usd", "maintenance_share_per_year"],
                per_unit("purchase_usd").and_then(|p| Some(p * of("maintenance_share_per_year")? / 12.0)),
            ),
            "loan" => {
                let value = || {
                    let principal = of("purchase_usd")? * (1.0 + of("spare_share")?) * units?;
                    let (r, n) = (of("rate_per_year")? / 12.0, of("term_months")?);
                    let factor = if r == 0.0 { n } else { (1.0 - (1.0 + r).powf(-n)) / r };
                    Some(principal / factor)
                };
                rule(
                    "loan = constant instalments: units × price × (1 + spares) × r ÷ (1 − (1 + r)^−term), r the yearly rate ÷ 12",
                    &["purchase_usd", "spare_share", "rate_per_year", "term_months"],
                    value(),
                )
            }
            "power" => {
                let value = || {
                    let hours = self.served_hours(table)?;
                    let on = units? * hours;
                    let busy = match self.work(table) {
                        Some((reading, writing)) => {
                            let requests = self.requests().or_else(|| {
                                let tokens = self.get("tokens_per_month")?;
                                Some(tokens / self.request()?.total())
                            })?;
                            (requests * (reading + writing) / 3600.0).min(on)
                        }
                        None => on,
                    };
                    let (idle, load) = (of("idle_watts")?, of("load_watts")?);
                    let kwh = (idle * on + (load - idle) * busy) / 1000.0;
                    Some((kwh, busy, kwh * of("pue")? * of("usd_per_kwh")?))
                };
                let known = value();
                let rule = rule(
                    "power = (idle watts × hours on + (load − idle) × hours busy) × PUE × tariff",
                    &["idle_watts", "load_watts", "powered_hours_per_month", "pue", "usd_per_kwh"],
                    known.map(|k| k.2),
                );
                let rule = rule
                    .number(format!("{base}.utilisation"))
                    .inputs("need", &LOAD)
                    .inputs(table, &SPEED[..6]);
                match known {
                    Some((kwh, busy, _)) => {
                        rule.note(format!("{} hours busy, {} kWh", digits(busy), digits(kwh)))
                    }
                    None => rule,
                }
            }
            _ => return None,
        })
    }

    pub(super) fn cloud(&self, n: usize, field: &str) -> Option<Rule> {
        let table = self.tables().0.get(n)?.clone();
        let offer = self.document.result.cloud.get(n)?;
        let base = format!("cloud[{n}]");
        let rented = offer.billed_hours_per_month.is_some();
        Some(match field {
            "tier" => Rule::new("tier = the catalogue's rating of the model, 1 the most capable")
                .inputs(&table, &["model", "name"])
                .note(format!("Rated model: {}", offer.id.as_deref().unwrap_or(&offer.name))),
            "monthly_usd" => Self::sum_of_parts(&base, &offer.monthly_parts_usd),
            "tco_usd" => {
                let months = self.months_against(&offer.name);
                let total = (!months.is_empty()).then(|| months.iter().map(|m| m.cloud_usd).sum::<f64>());
                Rule::new("tco_usd = what every month of the horizon costs, by its own volume and prices (cash_flow), less what is left")
                    .inputs("need", &["horizon_months", "growth_per_month"])
                    .inputs(&table, &["price_change_per_year", "change", "term_months"])
                    .number(format!("{base}.monthly_usd"))
                    .computed(format!("{} months of cash_flow added up", months.len()), total)
            }
            "usd_per_request" => {
                let value = self.requests().or(self.document.result.requests_per_month);
                Rule::new("usd_per_request = the first month's cost ÷ its requests")
                    .inputs("need", &["requests_per_month"])
                    .number("requests_per_month")
                    .number(format!("{base}.monthly_usd"))
                    .computed("month ÷ requests", value.map(|r| offer.monthly_usd / r))
            }
            "usd_per_mtok_input" | "usd_per_mtok_output" if !rented => {
                let key = if field.ends_with("input") { "input_usd_per_mtok" } else { "output_usd_per_mtok" };
                self.same_as_input(&format!("{table}.{key}"), field)
            }
            "usd_per_mtok_input" | "usd_per_mtok_output" => Rule::new(
                "cost of the month × share of the time spent reading (or writing) ÷ its tokens, by the million",
            )
            .inputs("need", &LOAD)
            .inputs(&table, &SPEED)
            .note(self.work_note(&table))
            .number(format!("{base}.monthly_usd")),
            "usd_per_mtok_blended" => {
                let value = || {
                    let fixed = self.of(&table, "fixed_usd_per_month").unwrap_or(0.0);
                    let tokens = self.requests()? * self.request()?.total();
                    Some((offer.monthly_usd - fixed) / tokens * 1e6)
                };
                Rule::new("usd_per_mtok_blended = the month's usage ÷ all its tokens, by the million: caching, batch, tiers and retries are in it")
                    .inputs("need", &LOAD)
                    .inputs(&table, &PRICES)
                    .number(format!("{base}.monthly_usd"))
                    .number("tokens_per_month")
                    .computed("(month − fixed) ÷ tokens × 1,000,000", value())
            }
            "billed_hours_per_month" => self.same_as_input(&format!("{table}.billed_hours_per_month"), field),
            "units" => self.units_rule(&table),
            _ => return None,
        })
    }

    pub(super) fn cloud_part(&self, n: usize, part: &str) -> Option<Rule> {
        let table = self.tables().0.get(n)?.clone();
        if part != "api" {
            return self.part(&table, &format!("cloud[{n}]"), part);
        }
        let of = |key: &str| self.of(&table, key);
        let need = |key: &str| self.value(&format!("need.{key}")).unwrap_or(0.0);
        let value = || {
            let request = self.request()?;
            let (input, output) = (of("input_usd_per_mtok")?, of("output_usd_per_mtok")?);
            let (cached, written) = (need("cached_input_share"), need("cache_write_input_share"));
            let price = request.input
                * ((1.0 - cached - written).max(0.0) * input
                    + cached * of("cache_read_usd_per_mtok").unwrap_or(input)
                    + written * of("cache_write_usd_per_mtok").unwrap_or(input))
                + request.output * output
                + request.reasoning * of("reasoning_usd_per_mtok").unwrap_or(output);
            let batch = need("batch_share");
            let batched = 1.0 - batch + batch * of("batch_multiplier").unwrap_or(1.0);
            let paid = price / 1e6 * batched * (1.0 + of("retry_share").unwrap_or(0.0));
            let requests =
                self.requests().or_else(|| Some(self.get("tokens_per_month")? / request.total()))?;
            Some(paid * requests + of("fixed_usd_per_month").unwrap_or(0.0))
        };
        Some(
            Rule::new("api = requests × (input, cached input, cache writes, output and reasoning tokens, each × its price) × batch × (1 + retries) + what is fixed, at the prices of the first day")
                .inputs("need", &LOAD)
                .inputs("need", &["cached_input_share", "cache_write_input_share", "batch_share"])
                .inputs(&table, &PRICES)
                .computed("requests × price of a request + fixed", value()),
        )
    }
}
