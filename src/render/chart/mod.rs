//! Charts are blocks of a view, and hold typed data as tables do. `plotters` draws them on one of several
//! surfaces, so that every chart of every page looks the same; `docs/style.md` says how and why.
//!
//! ```text
//! documents ─► Chart (series, rows, axes) ─► draw ─► SVG (inline or a file) | PNG
//!                                        └─► strip ─► a few lines for a terminal
//! ```
//!
//! A chart computes nothing: its numbers are those of a document. Only axes, ticks and the places of labels
//! are decided here.

#![warn(missing_docs)]

mod draw;
mod layout;
mod model;
mod pixels;
mod sink;
mod strip;
mod svg;
mod theme;
mod ticks;
mod values;

pub use model::{Axis, Band, Body, Chart, Mark, NumberStyle, Plot, Row, RowMark, Rows, Rule, Series, Span};
pub use svg::{STYLE, Size, standalone};

use super::table::Table;

/// Formats of picture files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Picture {
    /// A drawing that adapts to a light or dark reader.
    #[default]
    Svg,
    /// An image on a white background, for slides and documents that cannot contain SVG.
    Png,
}

impl Picture {
    /// Extension of the file name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

impl Chart {
    /// As inline SVG, for a page whose style sheet has [`STYLE`].
    pub fn to_svg(&self, size: Size, id: &str) -> String {
        svg::inline(self, size, id)
    }
    /// As an SVG file.
    pub fn to_svg_file(&self) -> String {
        standalone(self)
    }
    /// As a PNG file with the title above the drawing. Empty where it cannot be drawn.
    pub fn to_png_file(&self) -> Vec<u8> {
        pixels::png(self).unwrap_or_default()
    }
    /// As a picture file of this format.
    pub fn to_file(&self, picture: Picture) -> Vec<u8> {
        match picture {
            Picture::Svg => self.to_svg_file().into_bytes(),
            Picture::Png => self.to_png_file(),
        }
    }
    /// Its numbers as a table.
    pub fn table(&self) -> Table {
        values::table(self)
    }
    /// Its numbers for the script of a page; `None` where there is nothing to point at.
    pub fn values(&self) -> Option<serde_json::Value> {
        values::data(self)
    }
    /// As lines of text for a terminal of this width.
    pub fn to_lines(&self, width: usize) -> Vec<String> {
        strip::lines(self, width)
    }
}
