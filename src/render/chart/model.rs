//! What a chart shows, before it is drawn.

use crate::money::Currency;
use crate::number;

/// A chart and the words around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// For file names and references: `cost-over-time`; letters, digits and hyphens.
    pub id: &'static str,
    /// What it shows, as a heading would say it.
    pub title: String,
    /// What a reader sees in it, in a sentence or two: for those who do not see it.
    pub alt: String,
    /// The drawing.
    pub body: Body,
}

/// The two kinds of drawing.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Curves or points over two axes.
    Plot(Plot),
    /// Named rows over one axis: intervals, bars, distributions.
    Rows(Rows),
}

/// Curves or points over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// From left to right.
    pub x: Axis,
    /// From the bottom up.
    pub y: Axis,
    /// What is drawn, the most important first.
    pub series: Vec<Series>,
    /// Points that are named in the drawing.
    pub marks: Vec<Mark>,
    /// Shaded ranges of x.
    pub spans: Vec<Span>,
    /// Lines across the drawing: a limit, the value in force.
    pub rules: Vec<Rule>,
    /// A page may offer a slider that moves along x.
    pub slider: bool,
}

/// An axis: what is on it and how its numbers are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// With its unit: `months`, `requests a month`.
    pub label: String,
    /// How a value is written.
    pub of: Of,
    /// Each step is a factor.
    pub log: bool,
    /// It begins at zero.
    pub zero: bool,
    /// Ticks at these places instead of round numbers.
    pub ticks: Option<Vec<(f64, String)>>,
}

/// How the numbers of an axis are written.
#[derive(Debug, Clone, PartialEq)]
pub enum Of {
    /// A plain number.
    Number,
    /// Amounts that are in this currency already.
    Money(String),
    /// 0 to 1, as percent.
    Share,
    /// Milliseconds, as seconds from a second on.
    Milliseconds,
}

impl Of {
    /// As a person reads it, with the digits that matter.
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
    /// As it stands at a tick.
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
                // Thousands of a currency are written short from the first.
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
    /// A linear axis that begins at zero.
    pub fn new(label: impl Into<String>, of: Of) -> Self {
        Self { label: label.into(), of, log: false, zero: true, ticks: None }
    }
    /// Each step is a factor.
    #[must_use]
    pub const fn log(mut self) -> Self {
        self.log = true;
        self.zero = false;
        self
    }
    /// It begins where its values do.
    #[must_use]
    pub const fn free(mut self) -> Self {
        self.zero = false;
        self
    }
    /// Ticks of its own.
    #[must_use]
    pub fn ticks(mut self, ticks: Vec<(f64, String)>) -> Self {
        self.ticks = Some(ticks);
        self
    }
}

/// One curve, or one cloud of points.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// As people call it.
    pub name: String,
    /// `(x, y)`, ascending in x where it is a curve.
    pub points: Vec<(f64, f64)>,
    /// The interval around it, where it has one.
    pub band: Vec<Band>,
    /// Points that are not connected.
    pub scattered: bool,
    /// Points are shown on the curve.
    pub dotted: bool,
    /// The name of each point, where points have one.
    pub names: Vec<String>,
    /// What is said beside the value of each point, where there is something to say.
    pub notes: Vec<String>,
}

/// The interval of a curve at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Where.
    pub x: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A named point.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// How high.
    pub y: f64,
    /// What is there.
    pub label: String,
}

/// A shaded range of x; open ends go to the end of the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// From here on.
    pub from: f64,
    /// Up to here.
    pub to: Option<f64>,
    /// What holds there.
    pub label: String,
}

/// A line across the whole drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Of x where it stands upright, of y where it lies.
    pub at: f64,
    /// It stands upright.
    pub upright: bool,
    /// What it is.
    pub label: String,
}

/// Named rows over one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// From left to right.
    pub x: Axis,
    /// From the top down.
    pub rows: Vec<Row>,
    /// A line across all rows: the value that nothing changes, a limit.
    pub rule: Option<Rule>,
    /// What the marks are, in words: stands below the title.
    pub key: String,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// As people call it.
    pub name: String,
    /// What is drawn in it.
    pub marks: Vec<RowMark>,
    /// What stands at its right end: the number that matters.
    pub value: String,
}

/// Something in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowMark {
    /// A bar between two values, and what its ends are called.
    Bar {
        /// The one end.
        from: f64,
        /// The other end.
        to: f64,
        /// What it is called.
        label: String,
        /// Which of the colours.
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
        /// Which of the colours.
        colour: usize,
    },
    /// A named tick on the row: a percentile.
    Tick {
        /// The value.
        at: f64,
        /// What it is called.
        label: String,
    },
    /// Single values behind all of it.
    Dots(Vec<f64>),
}

impl Plot {
    /// Two axes without anything between them.
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
