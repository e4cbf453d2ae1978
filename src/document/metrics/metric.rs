//! What is known about a metric, whatever its values.

use super::unit::Unit;

/// A metric: its names, its meaning, and where documents have it.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its id, which ends in the unit where it has one: `ttft_ms`.
    pub id: &'static str,
    /// Short name for narrow tables, without the unit: `TTFT`.
    pub short: &'static str,
    /// Full name: `time to first token`.
    pub name: &'static str,
    pub unit: Unit,
    pub better: Better,
    /// Its definition, in one sentence.
    pub definition: &'static str,
    /// Where documents have it; the usual place comes first.
    pub places: &'static [Place],
}

/// Which direction of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Lower,
    Higher,
    /// Neither: it describes, but is neither good nor bad.
    Neither,
}

impl Better {
    /// `lower is better` or `higher is better`; empty for [`Better::Neither`].
    pub const fn words(self) -> &'static str {
        match self {
            Self::Lower => "lower is better",
            Self::Higher => "higher is better",
            Self::Neither => "",
        }
    }
}

/// Where one kind of document has a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The kind of document: `bench`, `breakeven`, `advice`, `fit`, `plan`.
    pub document: &'static str,
    /// The path below `result`, such as `targets[].metrics.ttft_ms`; `[]` means any entry of a list.
    pub path: &'static str,
    pub shape: Shape,
}

/// The form of a value at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A number, a word or a truth value.
    Plain,
    /// `{n, median, low, high, min, max, p90, p95, p99}`.
    Summary,
    /// `{low, likely, high}`.
    Band,
    /// A number, with its interval in two fields of these names beside it.
    Interval(&'static str, &'static str),
    /// A share, with `low` and `high` beside it, and the number it is a share of in the field of this name.
    Share(&'static str),
    /// A number, with the number it is out of in the field of this name beside it.
    Counted(&'static str),
}

/// Where a metric of single requests is shown.
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
    /// The places in this kind of document.
    pub fn places_in(&self, document: &str) -> impl Iterator<Item = &'static Place> {
        self.places.iter().filter(move |place| place.document == document)
    }

    /// Short name with the unit: `TTFT ms`.
    pub fn label(&self) -> String {
        match (self.unit.symbol(), self.short.split_once(", ")) {
            // A currency's sign is in the cell itself.
            ("" | "USD" | "USD/month" | "USD/Mtok", _) => self.short.to_owned(),
            (symbol, _) if self.short.contains(symbol) => self.short.to_owned(),
            (symbol, Some((what, from))) => format!("{what} {symbol}, {from}"),
            (symbol, None) => format!("{} {symbol}", self.short),
        }
    }

    /// One line of help: `ttft_ms (ms, lower is better): definition`.
    pub fn described(&self) -> String {
        let notes: Vec<&str> =
            [self.unit.symbol(), self.better.words()].into_iter().filter(|n| !n.is_empty()).collect();
        if notes.is_empty() {
            return format!("{}: {}", self.id, self.definition);
        }
        format!("{} ({}): {}", self.id, notes.join(", "), self.definition)
    }
}
