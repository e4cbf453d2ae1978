//! The content of a chart, before it is drawn.

use crate::money::Currency;
use crate::number;

/// A chart and the words around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Identifies it in file names and references: `cost-over-time`; letters, digits and hyphens.
    pub id: &'static str,
    /// Title, like a heading.
    pub title: String,
    /// What can be seen in it, in a sentence or two, for readers who cannot see it.
    pub alt: String,
    /// The drawing.
    pub body: Body,
}

/// The two kinds of drawing.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Curves or points between two axes.
    Plot(Plot),
    /// Named rows along one axis: intervals, bars, distributions.
    Rows(Rows),
}

/// Curves or points between two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Curves or clouds of points, the most important first.
    pub series: Vec<Series>,
    /// Points with a label.
    pub marks: Vec<Mark>,
    /// Shaded ranges of x.
    pub spans: Vec<Span>,
    /// Straight lines across the drawing, for a limit or the current value.
    pub rules: Vec<Rule>,
    /// A page may offer a slider that moves along the horizontal axis.
    pub slider: bool,
}

/// An axis: its name, and how its numbers are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its name with the unit: `months`, `requests a month`.
    pub label: String,
    /// How a value is written.
    pub of: NumberStyle,
    /// It is logarithmic.
    pub log: bool,
    /// It includes zero.
    pub zero: bool,
    /// Ticks at these values, with their labels, instead of round numbers.
    pub ticks: Option<Vec<(f64, String)>>,
}

/// How the numbers of an axis are written.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberStyle {
    /// A plain number.
    Number,
    /// Amounts of money in this currency, which need no conversion.
    Money(String),
    /// Shares from 0 to 1, written as percentages.
    Share,
    /// Milliseconds, written as seconds from one second on.
    Milliseconds,
}

impl NumberStyle {
    /// A value in full, with all significant digits.
    pub fn full(&self, value: f64) -> String {
        match self {
            Self::Number if value.abs() >= 1e6 => number::short(value),
            Self::Number => {
                if value.fract() == 0.0 || value.abs() >= 1000.0 {
                    number::grouped(value, 0)
                } else {
                    number::measured(value)
                }
            }
            Self::Money(code) => Currency::new(code.as_str(), 1.0).show(value),
            Self::Share => number::percent(value),
            Self::Milliseconds if value.abs() >= 10_000.0 => {
                format!("{} s", number::measured(value / 1000.0))
            }
            Self::Milliseconds => format!("{} ms", number::measured(value)),
        }
    }
    /// A value as the label of a tick.
    pub fn tick_label(&self, value: f64) -> String {
        self.tick(value)
    }
    pub(super) fn tick(&self, value: f64) -> String {
        let short = |v: f64| {
            let text = number::short(v);
            text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
        };
        let trimmed = |v: f64| {
            if v.abs() >= 1000.0 { short(v) } else { format!("{}", (v * 1e6).round() / 1e6) }
        };
        match self {
            Self::Number | Self::Milliseconds => trimmed(value),
            Self::Money(code) => {
                let sign = if value < 0.0 { "-" } else { "" };
                // All amounts from a thousand on are abbreviated.
                let size = value.abs();
                let text = if (1000.0..10_000.0).contains(&size) {
                    format!("{}k", (size / 100.0).round() / 10.0)
                } else {
                    trimmed(size)
                };
                if code == "USD" { format!("{sign}${text}") } else { format!("{sign}{text}") }
            }
            Self::Share => format!("{} %", (value * 1e4).round() / 100.0),
        }
    }
}

impl Axis {
    /// A linear axis that includes zero.
    pub fn new(label: impl Into<String>, of: NumberStyle) -> Self {
        Self { label: label.into(), of, log: false, zero: true, ticks: None }
    }
    /// Make it logarithmic.
    #[must_use]
    pub const fn log(mut self) -> Self {
        self.log = true;
        self.zero = false;
        self
    }
    /// Let it begin near its lowest value instead of at zero.
    #[must_use]
    pub const fn free(mut self) -> Self {
        self.zero = false;
        self
    }
    /// Set ticks instead of round numbers.
    #[must_use]
    pub fn ticks(mut self, ticks: Vec<(f64, String)>) -> Self {
        self.ticks = Some(ticks);
        self
    }
}

/// One curve, or one cloud of points.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Its name for people.
    pub name: String,
    /// `(x, y)`, ascending in x where it is a curve.
    pub points: Vec<(f64, f64)>,
    /// An interval around the curve, at some places; empty without one.
    pub band: Vec<Band>,
    /// Points are not connected by a line.
    pub scattered: bool,
    /// Points are marked on the curve.
    pub dotted: bool,
    /// Names of the points; empty where they have none.
    pub names: Vec<String>,
    /// Notes on the values of the points; empty where there is nothing to add.
    pub notes: Vec<String>,
}

/// The interval of a curve at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The place on the horizontal axis.
    pub x: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A point with a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Its place on the horizontal axis.
    pub x: f64,
    /// Its place on the vertical axis.
    pub y: f64,
    /// Its label.
    pub label: String,
}

/// A shaded range of the horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Where it begins.
    pub from: f64,
    /// Where it ends; `None` for the end of the axis.
    pub to: Option<f64>,
    /// What is true within it.
    pub label: String,
}

/// A straight line across the drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its place: on the horizontal axis for an upright line, otherwise on the vertical one.
    pub at: f64,
    /// It is vertical.
    pub upright: bool,
    /// Its label.
    pub label: String,
}

/// Named rows along one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The horizontal axis.
    pub x: Axis,
    /// The rows from the top down.
    pub rows: Vec<Row>,
    /// A vertical line across all rows, for a limit or for "no change".
    pub rule: Option<Rule>,
    /// What the marks mean, in words; printed below the title.
    pub key: String,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name for people.
    pub name: String,
    /// The marks that are drawn in it.
    pub marks: Vec<RowMark>,
    /// The text at its right end: the number that matters.
    pub value: String,
}

/// A mark in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowMark {
    /// A bar between two values.
    Bar {
        /// One end.
        from: f64,
        /// The other end.
        to: f64,
        /// Its label.
        label: String,
        /// Index of its colour.
        colour: usize,
    },
    /// An interval: a thin line.
    Interval {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// A value.
    Point {
        /// The value.
        at: f64,
        /// Index of its colour.
        colour: usize,
    },
    /// A labelled tick in the row, for a percentile.
    Tick {
        /// The value.
        at: f64,
        /// Its label.
        label: String,
    },
    /// Single values, drawn behind the other marks.
    Dots(Vec<f64>),
}

impl Plot {
    /// A plot with two axes and nothing in it.
    pub const fn new(x: Axis, y: Axis) -> Self {
        Self {
            x,
            y,
            series: Vec::new(),
            marks: Vec::new(),
            spans: Vec::new(),
            rules: Vec::new(),
            slider: false,
        }
    }
}
