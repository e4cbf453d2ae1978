//! Tables, whose cells keep numbers as numbers.

/// A table. Rows have as many cells as there are columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub caption: Option<String>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub numeric: bool,
    /// Cells are names or ids: on a terminal other columns are wrapped first.
    pub whole: bool,
}

/// One cell. Numbers are kept as numbers so that CSV has them bare.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Text(String),
    /// The value, and how a person reads it.
    Number(f64, String),
    /// Not known or not applicable: shown as `–`, empty in CSV.
    None,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::None, Into::into)
    }
}

impl Cell {
    pub(super) fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(value, _) => (*value).into(),
            Self::None => serde_json::Value::Null,
        }
    }
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(_, text) => text,
            Self::None => "–",
        }
    }
}

impl Table {
    /// A table with these columns. A name that begins with `#` makes the column numeric; one that begins
    /// with `!` keeps its cells unwrapped, as far as half the width allows.
    pub fn new(columns: &[&str]) -> Self {
        Self {
            caption: None,
            columns: columns
                .iter()
                .map(|name| Column {
                    name: name.trim_start_matches(['#', '!']).to_owned(),
                    numeric: name.starts_with('#'),
                    whole: name.starts_with('!'),
                })
                .collect(),
            rows: Vec::new(),
        }
    }
    /// Set the caption.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }
    /// A table with one column for each thing and one row for each property ([`Self::property`]), so that
    /// long names have space.
    pub fn beside<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> =
            std::iter::once(String::new()).chain(names.map(|n| format!("#{n}"))).collect();
        Self::new(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }
    /// Add a property of the things; left out if none of them has it.
    pub fn property(&mut self, name: &str, cells: impl Iterator<Item = Cell>) {
        let cells: Vec<Cell> = std::iter::once(Cell::from(name)).chain(cells).collect();
        if cells[1..].iter().any(|c| *c != Cell::None) {
            self.rows.push(cells);
        }
    }
    /// Add a row with any number of cells, for tables whose columns depend on the content.
    pub fn row_of(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }
    /// Add a row.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }
}
