//! How a figure was computed: the terms an engine had in hand when it computed it. Explanations print
//! these; no second formula computes anything again. A test evaluates each formula with its terms and
//! compares the result with the figure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One figure, and what it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Derivation {
    /// The figure's path in its document, or a name below the path of what it is a part of.
    pub figure: String,
    /// Its value.
    pub value: f64,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Over the names of the terms: `+`, `−`, `×`, `÷`, `^`, brackets, `min(a, b)`, `max(a, b)`,
    /// `ceil(a)`. Empty where a search found the value: the terms then say what holds there.
    pub formula: String,
    /// In words, where the formula alone does not say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What stands in the formula, in its order.
    pub terms: Vec<Term>,
}

/// One part of a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Term {
    /// As in the formula.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// The input it is, by its dotted name; null where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The figure it is, as that derivation names it; null where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
}

impl Term {
    /// A number that stands in no other derivation.
    pub fn plain(name: &str, value: f64, unit: &str) -> Self {
        Self { name: name.to_owned(), value, unit: unit.to_owned(), input: None, figure: None }
    }
    /// An input.
    pub fn input(name: &str, value: f64, unit: &str, input: &str) -> Self {
        Self { input: Some(input.to_owned()), ..Self::plain(name, value, unit) }
    }
    /// Another figure of the same scope, by the name it was recorded under.
    pub fn figure(name: &str, value: f64, unit: &str, figure: &str) -> Self {
        Self { figure: Some(figure.to_owned()), ..Self::plain(name, value, unit) }
    }
}

impl Derivation {
    /// A figure by its formula.
    pub fn new(figure: &str, value: f64, unit: &str, formula: &str, terms: Vec<Term>) -> Self {
        Self {
            figure: figure.to_owned(),
            value,
            unit: unit.to_owned(),
            formula: formula.to_owned(),
            note: String::new(),
            terms,
        }
    }
    /// With a sentence beside it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
    /// The same derivation moved below a path of the document: its own name and those of the figures it
    /// uses get the path in front, unless they begin with `result.`.
    #[must_use]
    pub fn below(mut self, path: &str) -> Self {
        let place = |name: &str| {
            if name.starts_with("result.") { name.to_owned() } else { format!("{path}.{name}") }
        };
        self.figure = place(&self.figure);
        for term in &mut self.terms {
            if let Some(figure) = &mut term.figure {
                *figure = place(figure);
            }
        }
        self
    }
}

/// How one figure of every row of a list comes about, where all rows do it alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// The figure's path in its document, with empty brackets for the row: `result.cash_flow[].position_usd`.
    pub figure: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// As that of a derivation. Empty where no formula over other figures says it: the note does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub formula: String,
    /// In words, where the formula alone does not say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What the first row is instead, a figure of the document; null where the formula holds for it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// What stands in the formula, in its order.
    pub terms: Vec<ColumnTerm>,
}

/// One part of a figure that every row has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnTerm {
    /// As in the formula.
    pub name: String,
    /// The input it is, by its dotted name; null where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The figure it is: `[]` stands for the same row, `[-]` for the row before, which counts as nothing
    /// before the first. A figure that a row does not have is 0. Null where it is an input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
}

impl Column {
    /// A figure of every row by its formula.
    pub fn new(figure: &str, unit: &str, formula: &str, terms: Vec<ColumnTerm>) -> Self {
        Self {
            figure: figure.to_owned(),
            unit: unit.to_owned(),
            formula: formula.to_owned(),
            note: String::new(),
            first: None,
            terms,
        }
    }
    /// With a sentence beside it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
    /// With a figure that the first row is.
    #[must_use]
    pub fn first(mut self, figure: &str) -> Self {
        self.first = Some(figure.to_owned());
        self
    }
}

impl ColumnTerm {
    /// An input.
    pub fn input(name: &str, input: &str) -> Self {
        Self { name: name.to_owned(), input: Some(input.to_owned()), figure: None }
    }
    /// A figure.
    pub fn figure(name: &str, figure: &str) -> Self {
        Self { name: name.to_owned(), input: None, figure: Some(figure.to_owned()) }
    }
}

/// Records derivations, or ignores them: a draw of the Monte Carlo simulation computes the same figures and
/// passes `()`.
pub trait Record {
    /// Takes down one figure. `make` is called only where derivations are kept.
    fn add(&mut self, make: impl FnOnce() -> Derivation);
}

impl Record for () {
    fn add(&mut self, _: impl FnOnce() -> Derivation) {}
}

impl Record for Vec<Derivation> {
    fn add(&mut self, make: impl FnOnce() -> Derivation) {
        self.push(make());
    }
}
