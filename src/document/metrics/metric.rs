//! What is said of a figure, whatever its value.

use super::unit::Unit;

/// One figure: what it is called, what it means, where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// As people name it: `ttft_ms`. Its unit is at its end where it has one.
    pub id: &'static str,
    /// As narrow tables call it, without the unit: `TTFT`.
    pub short: &'static str,
    /// In full: `time to first token`.
    pub name: &'static str,
    pub unit: Unit,
    pub better: Better,
    /// One sentence.
    pub definition: &'static str,
    /// Where documents have it, the usual place first.
    pub places: &'static [Place],
}

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Lower,
    Higher,
    /// It says what is, not how good it is.
    Neither,
}

impl Better {
    /// `lower is better`; nothing where neither is.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Lower => "lower is better",
            Self::Higher => "higher is better",
            Self::Neither => "",
        }
    }
}

/// Where a kind of document has a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// `bench`, `breakeven`, `advice`, `fit`, `plan`.
    pub document: &'static str,
    /// From `result` on: `targets[].metrics.ttft_ms`. `[]` stands for any entry of a list.
    pub path: &'static str,
    pub shape: Shape,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A number, a word or a truth value.
    Plain,
    /// `{n, median, low, high, min, max, p90, p95, p99}`.
    Summary,
    /// `{low, likely, high}`.
    Band,
    /// A number, its interval in the fields of these names beside it.
    Interval(&'static str, &'static str),
    /// A share with `low` and `high` beside it, and of how many in the field of this name.
    Share(&'static str),
    /// A number, and of how many it is in the field of this name beside it.
    Counted(&'static str),
}

/// How prominent a metric of each request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// In JSON, CSV and where it is asked for.
    Detail,
    /// Also a row of the table of targets.
    Row,
    /// Also compared between local and API targets.
    Compared,
    /// Also in the memo.
    Headline,
}

impl Metric {
    /// The places where this kind of document has it.
    pub fn places_in(&self, document: &str) -> impl Iterator<Item = &'static Place> {
        self.places.iter().filter(move |place| place.document == document)
    }

    /// With its unit: `TTFT ms`.
    pub fn label(&self) -> String {
        match (self.unit.symbol(), self.short.split_once(", ")) {
            // The sign of a currency stands in the cell.
            ("" | "USD" | "USD/month" | "USD/Mtok", _) => self.short.to_owned(),
            (symbol, _) if self.short.contains(symbol) => self.short.to_owned(),
            (symbol, Some((what, from))) => format!("{what} {symbol}, {from}"),
            (symbol, None) => format!("{} {symbol}", self.short),
        }
    }

    /// `ttft_ms (ms, lower is better): definition`.
    pub fn described(&self) -> String {
        let notes: Vec<&str> =
            [self.unit.symbol(), self.better.words()].into_iter().filter(|n| !n.is_empty()).collect();
        if notes.is_empty() {
            return format!("{}: {}", self.id, self.definition);
        }
        format!("{} ({}): {}", self.id, notes.join(", "), self.definition)
    }
}
