//! Renderers: documents become a [`View`] (headings, tables, paragraphs), and each format turns views into
//! text. There is no I/O, and nothing is computed again. Hostile text is made safe by each format, once
//! ([`crate::sanitize`]).

pub mod advice;
pub mod bench;
pub mod breakeven;
pub mod chart;
pub mod charts;
pub mod compare;
mod csv;
pub mod db;
pub mod doctor;
pub mod every_format;
pub mod fit;
pub mod gates;
pub mod graders;
pub mod guide;
mod html;
mod markdown;
pub mod memo;
pub mod metrics;
pub mod names;
pub mod plan;
mod prompts;
pub mod runs;
pub mod shipped_prices;
pub mod table;
mod terminal;
pub mod usage;
pub mod view;

pub use every_format::Page;
pub use view::{Block, Cell, Format, Table, View};

use crate::document::Document;

/// Evaluates an expression for whichever kind of document it is.
macro_rules! each {
    ($document:expr, $d:ident => $of:expr) => {
        match $document {
            Document::Advice($d) => $of,
            Document::Bench($d) => $of,
            Document::Breakeven($d) => $of,
            Document::Doctor($d) => $of,
            Document::Fit($d) => $of,
            Document::Plan($d) => $of,
            Document::Usage($d) => $of,
        }
    };
}

impl Document {
    /// The document for people.
    pub fn view(&self) -> View {
        each!(self, d => d.view())
    }

    /// The document for a terminal, in short where it has a short form.
    pub fn brief(&self) -> View {
        match self {
            Self::Advice(d) => d.brief(),
            Self::Breakeven(d) => d.brief(),
            other => other.view().with_one_chart(),
        }
    }

    /// The table for spreadsheets: samples, cash flow; `None` where there is none.
    pub fn csv(&self) -> Option<String> {
        match self {
            Self::Advice(_) | Self::Doctor(_) | Self::Fit(_) | Self::Plan(_) => None,
            Self::Bench(d) => Some(d.samples_csv()),
            Self::Breakeven(d) => Some(d.csv()),
            Self::Usage(d) => Some(d.csv()),
        }
    }
}
