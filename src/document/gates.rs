//! Gates: a metric of a document against a bound. `local.ttft_ms.p95<=500`, `placement==local`.
//!
//! ```text
//! text ─► Gate ─► check against documents ─► met | missed | undecided
//! ```
//!
//! A figure with an interval is compared by its interval. Where the bound lies inside the interval, the
//! measurement decides nothing, and the gate says so.

use super::figure::{self, Datum, Figure, NotFound, Why};
use super::saved::Document;
use crate::document::metrics::{self, METRICS, Unit};
use crate::provenance::{Source, UserInput};

/// A condition on one figure of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The condition as it was written.
    pub text: String,
    path: String,
    compare: Compare,
    bound: Datum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    AtMost,
    Below,
    AtLeast,
    Above,
    Is,
    IsNot,
}

/// Longer signs come first, so that `<=` is not read as `<`.
const SIGNS: [(&str, Compare); 7] = [
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("==", Compare::Is),
    ("!=", Compare::IsNot),
    ("<", Compare::Below),
    (">", Compare::Above),
    ("=", Compare::Is),
];

/// How a gate ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The condition holds.
    Met,
    /// The condition does not hold.
    Missed,
    /// The bound lies inside the interval, or the figure has no value.
    Undecided,
}

impl Outcome {
    /// The outcome in one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "not met",
            Self::Undecided => "undecided",
        }
    }
}

/// A gate after it was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// As it was written.
    pub gate: String,
    /// Whether the condition holds.
    pub outcome: Outcome,
    /// Full name of the figure.
    pub figure: String,
    /// The figure in words, with its interval.
    pub value: String,
    /// A file of the user's that the document is based on, and the line in it: the place to change the
    /// result.
    pub file: Option<(String, Option<u32>)>,
}

impl Checked {
    /// One line for people: `not met: local.ttft_ms.p95<=500 (local:m.gguf.ttft_ms.p95 is 612 ms)`.
    pub fn line(&self) -> String {
        format!("{}: {} ({} is {})", self.outcome.word(), self.gate, self.figure, self.value)
    }
}

impl Gate {
    /// Read a condition.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |what: &str| {
            format!(
                "`{text}` is no gate: {what}; write METRIC<=NUMBER, METRIC>=NUMBER or METRIC==WORD, as in local.ttft_ms.p95<=500"
            )
        };
        let at = text.find(['<', '>', '=', '!']).ok_or_else(|| wrong("it compares nothing"))?;
        let (sign, compare) = SIGNS
            .into_iter()
            .find(|(sign, _)| text[at..].starts_with(sign))
            .ok_or_else(|| wrong("its sign is unknown"))?;
        let (path, bound) = (text[..at].trim(), text[at + sign.len()..].trim());
        if path.is_empty() {
            return Err(wrong("no metric stands before its sign"));
        }
        if !path.split('.').any(is_metric) {
            let typed = path.rsplit('.').next().unwrap_or(path);
            let near = metrics::near(typed);
            let near =
                if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
            return Err(format!("`{text}` is no gate: there is no metric `{typed}`{near}"));
        }
        let bound = match number(bound) {
            Some(number) => Datum::Number(number),
            None if bound.is_empty() => return Err(wrong("no bound stands behind its sign")),
            None if !matches!(compare, Compare::Is | Compare::IsNot) => {
                return Err(wrong(&format!("`{bound}` is no number")));
            }
            None => Datum::Word(bound.trim_matches(['"', '\'']).to_owned()),
        };
        Ok(Self { text: text.to_owned(), path: path.to_owned(), compare, bound })
    }

    /// Check against the first of the documents that has the figure.
    ///
    /// # Errors
    ///
    /// Where no document has the figure; the error lists similar names.
    pub fn check(&self, documents: &[(String, Document)]) -> Result<Checked, String> {
        let mut error: Option<NotFound> = None;
        for (_, document) in documents {
            match figure::resolve(&self.path, document) {
                Ok(figure) => {
                    let checked = self.judge(&figure)?;
                    return Ok(Checked { file: file_of(document), ..checked });
                }
                // Prefer the suggestions of a document that has such figures at all.
                Err(e)
                    if error.as_ref().is_none_or(|known| matches!(known.why, Why::NotInThisDocument(_))) =>
                {
                    error = Some(e);
                }
                Err(_) => {}
            }
        }
        Err(error
            .map_or_else(|| format!("{}: there is no document to look in", self.path), |e| e.to_string()))
    }

    fn judge(&self, figure: &Figure) -> Result<Checked, String> {
        let outcome = match (&figure.value, &self.bound) {
            (Some(Datum::Number(value)), Datum::Number(bound)) => {
                self.numbers(*value, figure.interval, *bound)
            }
            (Some(Datum::Word(value)), Datum::Word(bound)) => {
                let same = value == bound;
                if same == (self.compare == Compare::Is) { Outcome::Met } else { Outcome::Missed }
            }
            (Some(Datum::Number(_)), Datum::Word(word)) => {
                return Err(format!("{}: {} is a number, not `{word}`", self.text, figure.path));
            }
            (Some(Datum::Word(word)), Datum::Number(_)) => {
                return Err(format!(
                    "{}: {} is a word (here `{word}`), not a number",
                    self.text, figure.path
                ));
            }
            // "Never" is later than any number of months.
            (None, _) if figure.unit == Unit::Months => match self.compare {
                Compare::AtMost | Compare::Below | Compare::Is => Outcome::Missed,
                Compare::AtLeast | Compare::Above | Compare::IsNot => Outcome::Met,
            },
            (None, _) => Outcome::Undecided,
        };
        Ok(Checked {
            gate: self.text.clone(),
            outcome,
            figure: figure.path.clone(),
            value: shown(figure),
            file: None,
        })
    }

    fn numbers(&self, value: f64, interval: Option<(f64, f64)>, bound: f64) -> Outcome {
        let holds = |v: f64| match self.compare {
            Compare::AtMost => v <= bound,
            Compare::Below => v < bound,
            Compare::AtLeast => v >= bound,
            Compare::Above => v > bound,
            Compare::Is => (v - bound).abs() <= bound.abs() * 1e-9,
            Compare::IsNot => (v - bound).abs() > bound.abs() * 1e-9,
        };
        let decided = |yes: bool| if yes { Outcome::Met } else { Outcome::Missed };
        match (interval, self.compare) {
            (Some((low, high)), Compare::AtMost | Compare::Below | Compare::AtLeast | Compare::Above)
                if holds(low) != holds(high) =>
            {
                Outcome::Undecided
            }
            _ => decided(holds(value)),
        }
    }
}

/// The first of the user's files that an input came from.
fn file_of(document: &Document) -> Option<(String, Option<u32>)> {
    document.inputs().values().find_map(|input| match &input.source {
        Source::User(UserInput::File { file, line, .. }) => Some((file.clone(), *line)),
        _ => None,
    })
}

/// Is this the id of a metric, in any spelling, or the name of a field that has one?
fn is_metric(word: &str) -> bool {
    let places = || METRICS.iter().flat_map(|m| m.places).map(|p| p.path);
    metrics::named(word).is_some() || places().any(|p| p.rsplit('.').next() == Some(word))
}

/// Reads `500`, `1,000`, `80 %`, `1.5k`.
fn number(text: &str) -> Option<f64> {
    let text: String = text.chars().filter(|c| !matches!(c, ',' | '_' | ' ' | '$')).collect();
    let (digits, factor) = match text.chars().last()? {
        '%' => (&text[..text.len() - 1], 0.01),
        'k' => (&text[..text.len() - 1], 1e3),
        'M' => (&text[..text.len() - 1], 1e6),
        'B' => (&text[..text.len() - 1], 1e9),
        _ => (text.as_str(), 1.0),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return None;
    }
    digits.parse::<f64>().ok().map(|n| n * factor).filter(|n| n.is_finite())
}

/// The figure for people, with its unit and its interval.
pub fn shown(figure: &Figure) -> String {
    let unit = match figure.unit.symbol() {
        "" | "USD" | "USD/month" | "USD/Mtok" => String::new(),
        symbol => format!(" {symbol}"),
    };
    match (&figure.value, figure.interval) {
        (Some(Datum::Number(value)), Some((low, high))) => format!(
            "{}{unit}, between {} and {}",
            figure.unit.shown(*value),
            figure.unit.shown(low),
            figure.unit.shown(high)
        ),
        (Some(Datum::Number(value)), None) => format!("{}{unit}", figure.unit.shown(*value)),
        (Some(Datum::Word(word)), _) => word.clone(),
        (None, _) if figure.unit == Unit::Months => "never".to_owned(),
        (None, _) => "not known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(payback: Option<f64>) -> Vec<(String, Document)> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bench/smollm2-on-a-processor.json");
        let bench = Document::parse("b", &std::fs::read_to_string(file).expect("there")).expect("a document");
        let text = serde_json::json!({
            "schema": "freehold.breakeven/1", "tool_version": "0", "created": "2026-11-22T10:00:00Z", "inputs": {}, "warnings": [],
            "result": {"summary": [], "currency": "USD", "usd_rate": 1.0, "hours_per_month": 730.0, "horizon_months": 36,
                "start": "2026-11", "oldest_price": null, "requests_per_month": 10.0, "tokens_per_month": 1.0,
                "comparisons": [{"cloud": "c", "local": "l", "comparator": "asked", "payback_months": payback, "never_because": null,
                    "never_reason": null, "discounted_payback_months": null, "tco_cloud_usd": 1.0, "tco_local_usd": 1.0, "saving_usd": 0.0,
                    "npv_saving_usd": 0.0, "breakeven_requests_per_month": null, "breakeven_tokens_per_month": null,
                    "breakeven_utilisation": null, "breakeven_blended_usd_per_mtok": null, "best_point_months": null,
                    "best_point_usd": null, "probability_local_cheaper": null, "quality_note": null}],
                "local": [], "cloud": [], "hybrid": null, "uncertainty": null, "cash_flow": []}
        });
        vec![
            ("b".to_owned(), bench),
            ("c".to_owned(), Document::parse("c", &text.to_string()).expect("a document")),
        ]
    }

    #[track_caller]
    fn outcome(gate: &str, documents: &[(String, Document)]) -> Outcome {
        Gate::parse(gate).expect(gate).check(documents).expect(gate).outcome
    }

    #[test]
    fn gates_are_met_missed_or_undecided() {
        let documents = cost(Some(12.0));
        assert_eq!(outcome("payback_months<=18", &documents), Outcome::Met);
        assert_eq!(outcome("payback_months <= 11.5", &documents), Outcome::Missed);
        assert_eq!(outcome("payback_months>18", &documents), Outcome::Missed);
        let decode = figure::resolve("local.decode_tps", &documents[0].1).expect("a figure");
        let (low, high) = decode.interval.expect("an interval");
        assert_eq!(outcome(&format!("local.decode_tps>={}", low * 0.5), &documents), Outcome::Met);
        assert_eq!(outcome(&format!("local.decode_tps>={}", high * 2.0), &documents), Outcome::Missed);
        let inside = f64::midpoint(low, high);
        let gate = Gate::parse(&format!("local.decode_tps>={inside}"))
            .expect("a gate")
            .check(&documents)
            .expect("a figure");
        assert_eq!(gate.outcome, Outcome::Undecided, "{}", gate.line());
    }

    #[test]
    fn never_is_later_than_any_month() {
        assert_eq!(outcome("payback_months<=1000000", &cost(None)), Outcome::Missed);
        assert_eq!(outcome("payback_months>=18", &cost(None)), Outcome::Met);
    }

    #[test]
    fn what_is_no_gate_says_what_is_wrong_and_what_is_near() {
        for (text, says) in [
            ("", "compares nothing"),
            ("payback_months", "compares nothing"),
            ("<=5", "no metric"),
            ("payback_months<=", "no bound"),
            ("payback_months<=soon", "is no number"),
            ("payback_months!18", "its sign"),
            ("local.tttf_ms<=5", "ttft_ms"),
        ] {
            let error = Gate::parse(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
        let unknown = Gate::parse("paybak_months<=5").expect_err("none");
        assert!(unknown.contains("did you mean") && unknown.contains("payback_months"), "{unknown}");
        let word =
            Gate::parse("payback_months==soon").expect("a gate").check(&cost(Some(1.0))).expect_err("a word");
        assert!(word.contains("is a number"), "{word}");
    }

    #[test]
    fn bounds_are_read_as_people_write_them() {
        for (text, n) in
            [("500", 500.0), ("1,000", 1000.0), ("80 %", 0.8), ("1.5k", 1500.0), ("$20", 20.0), ("-3", -3.0)]
        {
            assert!(number(text).is_some_and(|v| (v - n).abs() < 1e-9), "{text}");
        }
        for text in ["local", "inf", "nan", "k", "%", ""] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
