//! Every number of a cost document has a derivation: its rule, its inputs with their sources, and
//! the number itself at the end.

use freehold::catalog::Catalog;
use freehold::cost::{self, Basis, Drawing, Scenario};
use freehold::document::breakeven::BreakevenDocument;
use freehold::render::breakeven::explain;
use serde_json::Value;
use std::path::Path;

fn document(text: &str) -> BreakevenDocument {
    let catalog = Catalog::embedded();
    let today = "2026-11-22".parse().expect("a date");
    let known = Basis { catalog: &catalog, evidence: None, today, comparators: true };
    let scenario = Scenario::parse(text, "test.toml").expect("valid");
    let plan = cost::resolve(&scenario, known).expect("complete");
    let evaluation = cost::evaluate(&plan, Drawing { count: 50, seed: 1 });
    BreakevenDocument::new(&plan, &evaluation, "")
}

/// Every number below a value, with its path.
fn numbers(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Number(_) => found.push((path.to_owned(), value.clone())),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                numbers(&format!("{path}[{n}]"), item, found);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                numbers(&format!("{path}.{name}"), item, found);
            }
        }
        _ => {}
    }
}

const API: &str = "[[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 2\noutput_usd_per_mtok = 8\n";
const BOX: &str = "[[local]]\nname = \"box\"\npurchase_usd = 5000\nusd_per_kwh = 0.3\nidle_watts = 100\nload_watts = 600\n\
    prefill_tokens_per_second = 4000\ndecode_tokens_per_second = 400\nstaff_hours_per_month = 4\nstaff_usd_per_hour = 50\n\
    hosting_usd_per_month = 20\nlicence_usd_per_month = 5\nother_usd_per_month = 3\nmaintenance_share_per_year = 0.05\n\
    spare_share = 0.1\nresidual_share = 0.1\n";

fn scenarios() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut all: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("examples")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .map(|p| (p.display().to_string(), std::fs::read_to_string(&p).expect("readable")))
        .collect();
    all.sort();
    let need = "[need]\nrequests_per_month = 200_000\ninput_tokens = 1200\noutput_tokens = 300\n";
    let mut add = |name: &str, text: String| all.push((name.to_owned(), text));
    add("plain", format!("{need}{API}{BOX}"));
    add(
        "grows",
        format!(
            "{need}growth_per_month = 0.03\nhorizon_months = 60\n{API}price_change_per_year = -0.2\n{BOX}life_months = 24\n"
        ),
    );
    add("loan", format!("{need}{API}{BOX}kind = \"financed\"\nterm_months = 48\nrate_per_year = 0.06\n"));
    add("at capacity", format!("[need]\nat_capacity = true\ninput_share = 0.8\n{API}{BOX}"));
    add("totals", format!("[need]\ntokens_per_month = 300e6\ninput_share = 0.8\n{API}{BOX}"));
    add(
        "both",
        format!(
            "{need}{API}{BOX}units = 1\n[hybrid]\nlocal_share = 0.6\nescalation_share = 0.1\nprofile = \"office-hours\"\n"
        ),
    );
    add(
        "rented baseline",
        format!("{need}[[cloud]]\nkind = \"rented\"\nname = \"gpu\"\nusd_per_hour = 2\nunits = 1\n{BOX}"),
    );
    all
}

#[test]
fn every_number_of_the_document_has_a_derivation() {
    let (mut all, mut computed, mut without) = (0, 0, Vec::new());
    for (name, text) in scenarios() {
        let d = document(&text);
        let value = serde_json::to_value(&d).expect("JSON");
        let mut leaves = Vec::new();
        numbers("result", &value["result"], &mut leaves);
        numbers("inputs", &value["inputs"], &mut leaves);
        assert!(leaves.len() > 300, "{name}");
        // A later month is derived as an early one; a year of them is enough.
        let early = |path: &str| {
            let n = path.strip_prefix("result.cash_flow[").and_then(|rest| rest.split_once(']'));
            n.is_none_or(|(n, _)| n.parse::<u32>().is_ok_and(|n| n < 40 || n % 17 == 0))
        };
        for (path, leaf) in leaves.iter().filter(|(path, _)| {
            // Derivations and terms are explanations themselves.
            let explains = path.starts_with("result.derivations") || path.contains(".terms[");
            early(path) && !path.contains("source.") && !explains
        }) {
            let steps = explain(&d, path).unwrap_or_else(|| panic!("{name}: nothing explains {path}"));
            let last = steps.last().expect("a step");
            let is = last.starts_with(path.as_str()) && last.contains(&format!(" = {leaf}"));
            assert!(is, "{name}: {last} is not {leaf}");
            assert!(steps.len() >= 3, "{name}: {path}: {steps:#?}");
            if path.starts_with("inputs.") {
                continue;
            }
            let sources = [
                "[user",
                "[database",
                "[measured",
                "[assumed",
                "--explain",
                "--draws",
                "--seed",
                "Rated",
                "counted",
                "the number tried",
                "[computed on the way]",
            ];
            if !steps.iter().any(|s| sources.iter().any(|w| s.contains(w))) {
                without.push(format!("{name}: {path}: {steps:#?}"));
            }
            // Points of curves and figures of a plan are found, not computed by one formula.
            let found = ["cumulative", "by_volume", ".plan."];
            if found.iter().any(|part| path.contains(part)) {
                continue;
            }
            all += 1;
            let arithmetic = steps.iter().find(|s| s.starts_with("Computed: "));
            let Some((_, number)) = arithmetic.and_then(|line| line.rsplit_once(" = ")) else { continue };
            computed += 1;
            let (number, is): (f64, f64) =
                (number.parse().expect("a number"), leaf.as_f64().expect("a number"));
            assert!((number - is).abs() <= 2e-6 * is.abs() + 1e-8, "{name}: {path}: {steps:#?}");
        }
    }
    assert!(without.is_empty(), "{} numbers name no source, such as {}", without.len(), without[0]);
    println!("{computed} of {all} numbers have their arithmetic in closed form");
    // Months print what they are made of; their parts are in the CSV.
    assert!(computed * 10 > all * 4, "{computed} of {all}");
}

#[test]
fn names_stand_for_the_headline() {
    let d = document(&scenarios()[5].1);
    let last = |name: &str| explain(&d, name).and_then(|s| s.last().cloned()).unwrap_or_default();
    assert!(last("payback_months").starts_with("result.comparisons[0].payback_months = "));
    assert!(last("power").starts_with("result.local[0].monthly_parts_usd.power = "));
    assert!(last("local_monthly_usd").starts_with("result.local[0].monthly_usd = "));
    assert!(last("cloud_monthly_usd").starts_with("result.cloud[0].monthly_usd = "));
    assert!(last("local.usd_per_kwh").starts_with("local.usd_per_kwh = 0.3"));
    assert!(explain(&d, "nonsense").is_none() && explain(&d, "result.local[9].units").is_none());
    // The steps are arithmetic a reader can follow: 5,000 + 10 % spares.
    let steps = explain(&d, "capex_usd").expect("explained").join("\n");
    assert!(
        steps.contains("local.purchase_usd = 5,000 USD [user: test.toml") && steps.contains("= 5500"),
        "{steps}"
    );
}

/// What stands in a formula, computed with its terms.
fn formula(text: &str, terms: &[freehold::terms::Term]) -> Option<f64> {
    let mut p = Parser { rest: text, terms };
    let value = p.sum()?;
    p.rest.trim().is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
    terms: &'a [freehold::terms::Term],
}

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        loop {
            if self.eat("+") {
                value += self.product()?;
            } else if self.eat("−") {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }
    fn product(&mut self) -> Option<f64> {
        let mut value = self.power()?;
        loop {
            if self.eat("×") {
                value *= self.power()?;
            } else if self.eat("÷") {
                value /= self.power()?;
            } else {
                return Some(value);
            }
        }
    }
    fn power(&mut self) -> Option<f64> {
        let base = self.atom()?;
        if self.eat("^") { Some(base.powf(self.power()?)) } else { Some(base) }
    }
    fn arguments(&mut self) -> Option<Vec<f64>> {
        let mut found = vec![self.sum()?];
        while self.eat(",") {
            found.push(self.sum()?);
        }
        self.eat(")").then_some(found)
    }
    fn atom(&mut self) -> Option<f64> {
        for (name, of) in [
            ("ceil(", (|a: &[f64]| (a[0] - 1e-9 * a[0].abs()).ceil()) as fn(&[f64]) -> f64),
            ("sqrt(", |a| a[0].sqrt()),
            ("min(", |a| a.iter().copied().fold(f64::INFINITY, f64::min)),
            ("max(", |a| a.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        ] {
            if self.eat(name) {
                return Some(of(&self.arguments()?));
            }
        }
        if self.eat("√") {
            return Some(self.atom()?.sqrt());
        }
        if self.eat("−") {
            return Some(-self.power()?);
        }
        if self.eat("(") {
            let value = self.sum()?;
            return self.eat(")").then_some(value);
        }
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        self.rest = after;
        word.parse().ok().or_else(|| self.terms.iter().find(|t| t.name == word).map(|t| t.value))
    }
}

/// The engine's own words hold: every formula, with its terms, gives the figure; and the figure is the
/// one in the document.
#[test]
fn every_formula_gives_its_figure() {
    let mut checked = 0;
    for (name, text) in scenarios() {
        let d = document(&text);
        let value = serde_json::to_value(&d).expect("JSON");
        for derived in &d.result.derivations {
            if !derived.formula.is_empty() {
                let is = formula(&derived.formula, &derived.terms)
                    .unwrap_or_else(|| panic!("{name}: {} cannot be read: {derived:#?}", derived.formula));
                let near = (is - derived.value).abs() <= 1e-6 * derived.value.abs() + 1e-6;
                assert!(near, "{name}: {} gives {is}: {derived:#?}", derived.figure);
                checked += 1;
            }
            let pointer = derived.figure.replace(['.', '['], "/").replace(']', "");
            if let Some(written) = value.pointer(&format!("/{pointer}")).and_then(Value::as_f64) {
                let near = (written - derived.value).abs() <= 1e-9 * written.abs() + 1e-9;
                assert!(near, "{name}: {} is {written}, derived as {}", derived.figure, derived.value);
            }
        }
    }
    assert!(checked > 200, "{checked}");
}

/// The rules of lists hold for every row: the months add up, the tornado and the units tried too.
#[test]
fn every_column_gives_its_rows() {
    use freehold::terms::Term;
    let mut checked = 0;
    for (name, text) in scenarios() {
        let d = document(&text);
        let value = serde_json::to_value(&d).expect("JSON");
        let at = |path: &str| {
            let pointer = path.replace(['.', '['], "/").replace(']', "");
            value.pointer(&format!("/{pointer}")).and_then(Value::as_f64)
        };
        for column in d.result.columns.iter().filter(|c| !c.formula.is_empty()) {
            let (list, _) = column.figure.split_once("[]").expect("a list");
            let rows = value.pointer(&format!("/{}", list.replace('.', "/"))).and_then(Value::as_array);
            for n in 0..rows.expect("rows").len() {
                let first = at(&format!("{list}[{n}].month")) == Some(1.0) || n == 0;
                let is = at(&column.figure.replace("[]", &format!("[{n}]"))).expect("a figure");
                if let Some(figure) = column.first.as_ref().filter(|_| first) {
                    if let Some(first) = at(figure) {
                        assert!(
                            (is - first).abs() <= 1e-9 * is.abs(),
                            "{name}: {figure} is {first}, not {is}"
                        );
                    }
                    continue;
                }
                let term = |t: &freehold::terms::ColumnTerm| {
                    let of_input = |name: &String| {
                        let input = d.inputs.get(name)?;
                        input.value.as_f64().or_else(|| input.value["likely"].as_f64())
                    };
                    let of_row = |figure: &String| {
                        if figure.contains("[-]") {
                            let before = n.checked_sub(1).filter(|_| !first)?;
                            return at(&figure.replace("[-]", &format!("[{before}]")));
                        }
                        at(&figure.replace("[]", &format!("[{n}]")))
                    };
                    let value =
                        t.input.as_ref().and_then(of_input).or_else(|| t.figure.as_ref().and_then(of_row));
                    Term::plain(&t.name, value.unwrap_or(0.0), "")
                };
                let terms: Vec<Term> = column.terms.iter().map(term).collect();
                let gives = formula(&column.formula, &terms)
                    .unwrap_or_else(|| panic!("{name}: {} cannot be read", column.formula));
                let near = (gives - is).abs() <= 1e-7 * is.abs() + 1e-6;
                assert!(
                    near,
                    "{name}: {} row {n} is {is}, its formula gives {gives}: {terms:#?}",
                    column.figure
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 2000, "{checked}");
}

/// What is written down for a month holds until something else is: with the figures of its own row, each
/// month of the headline comes out.
#[test]
fn what_is_written_down_for_a_month_says_the_later_ones() {
    let mut checked = 0;
    for (name, text) in scenarios() {
        let d = document(&text);
        let value = serde_json::to_value(&d).expect("JSON");
        let at = |path: &str| {
            let pointer = path.replace(['.', '['], "/").replace(']', "");
            value.pointer(&format!("/{pointer}")).and_then(Value::as_f64)
        };
        let months = d.result.cash_flow.iter().take_while({
            let mut last = 0;
            move |m| std::mem::replace(&mut last, m.month) < m.month
        });
        for (n, row) in months.enumerate() {
            for (list, parts) in
                [("cloud_parts_usd", &row.cloud_parts_usd), ("local_parts_usd", &row.local_parts_usd)]
            {
                for (part, is) in parts {
                    let of = (0..=n).rev().find_map(|n| {
                        let figure = format!("result.cash_flow[{n}].{list}.{part}");
                        d.result.derivations.iter().find(|d| d.figure == figure).map(|d| (n, d))
                    });
                    let (of, derived) = of.unwrap_or_else(|| panic!("{name}: month {n}: {list}.{part}"));
                    if (derived.value - is).abs() <= 1e-9 * is.abs() {
                        continue;
                    }
                    let (was, here) = (format!("result.cash_flow[{of}]."), format!("result.cash_flow[{n}]."));
                    let mut terms = derived.terms.clone();
                    for term in &mut terms {
                        if let Some(figure) = term.figure.as_ref().filter(|f| f.starts_with(&was)) {
                            term.value = at(&figure.replace(&was, &here)).expect("a figure of the row");
                        }
                    }
                    let gives = formula(&derived.formula, &terms).expect("a formula");
                    assert!(
                        (gives - is).abs() <= 1e-7 * is.abs(),
                        "{name}: month {n}: {list}.{part} is {is}, not {gives}"
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 50, "{checked}");
}

/// Every name that an explanation refers to has an explanation of its own, with delivery and growth too; and
/// a value that is called the requests of the document is that.
#[test]
fn every_reference_of_an_explanation_resolves() {
    use freehold::render::breakeven::explain;
    let catalog = freehold::catalog::Catalog::embedded();
    let text = "[need]\nrequests_per_month = 300_000\ninput_tokens = 1000\noutput_tokens = 500\n\
        growth_per_month = 0.02\n[[cloud]]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n\
        [[cloud]]\nkind = \"rented\"\nusd_per_hour = 2\nunits = 2\n\
        [[local]]\npurchase_usd = 4000\nprefill_tokens_per_second = 8000\ndecode_tokens_per_second = 1500\n\
        idle_watts = 100\nload_watts = 500\ndelivery_months = 5\n";
    let scenario = freehold::cost::Scenario::parse(text, "test.toml").expect("a scenario");
    let known = freehold::cost::Basis {
        catalog: &catalog,
        evidence: None,
        today: "2026-11-22".parse().expect("a date"),
        comparators: true,
    };
    let case = freehold::cost::resolve(&scenario, known).unwrap_or_else(|e| panic!("{e}"));
    let evaluation = freehold::cost::evaluate(&case, freehold::cost::Drawing { count: 50, seed: 1 });
    let d = freehold::document::breakeven::BreakevenDocument::new(&case, &evaluation, "");
    let json = serde_json::to_value(&d).expect("JSON");
    let mut seen = 0;
    for derivation in &d.result.derivations {
        for term in &derivation.terms {
            let Some(figure) = &term.figure else { continue };
            let path = figure.strip_prefix("result.").unwrap_or(figure);
            assert!(explain(&d, path).is_some(), "{figure} of {}", derivation.figure);
            let pointer = format!("/{}", figure.replace(['.', '['], "/").replace(']', ""));
            if let Some(value) = json.pointer(&pointer).and_then(serde_json::Value::as_f64) {
                let near = (value - term.value).abs() <= 1e-6 * value.abs().max(1.0);
                assert!(near, "{figure} = {value}, and {} in {}", term.value, derivation.figure);
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
