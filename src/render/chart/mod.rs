//! Charts: a block of a view, typed data as a table is. Drawn by `plotters` on one of several
//! surfaces, so that every chart of every page looks the same; `docs/style.md` says how and why.
//!
//! ```text
//! documents ─► Chart (series, rows, axes) ─► draw ─► SVG (inline or a file) | PNG
//!                                        └─► strip ─► a few lines for a terminal
//! ```
//!
//! A chart computes nothing: its numbers are those of a document. Axes, ticks and the places of labels
//! are all that is decided here.

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

pub use model::{Axis, Band, Body, Chart, Mark, Of, Plot, Row, RowMark, Rows, Rule, Series, Span};
pub use svg::{STYLE, Size, standalone};

use super::table::Table;

/// Formats of pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Picture {
    /// Lines and letters; light or dark as its reader.
    #[default]
    Svg,
    /// Pixels, on white: for slides and documents that take no SVG.
    Png,
}

impl Picture {
    /// What file names end with.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

impl Chart {
    /// As SVG, for a page that has [`STYLE`] in its style sheet.
    pub fn to_svg(&self, size: Size, id: &str) -> String {
        svg::inline(self, size, id)
    }
    /// As an SVG file.
    pub fn to_svg_file(&self) -> String {
        standalone(self)
    }
    /// As a PNG file, with its title above it. Empty where it cannot be drawn.
    pub fn to_png_file(&self) -> Vec<u8> {
        pixels::png(self).unwrap_or_default()
    }
    /// As a picture file.
    pub fn to_file(&self, picture: Picture) -> Vec<u8> {
        match picture {
            Picture::Svg => self.to_svg_file().into_bytes(),
            Picture::Png => self.to_png_file(),
        }
    }
    /// Its numbers, for those who want to read them.
    pub fn table(&self) -> Table {
        values::table(self)
    }
    /// Its numbers for the script of a page; none where there is nothing to point at.
    pub fn values(&self) -> Option<serde_json::Value> {
        values::data(self)
    }
    /// As lines for a terminal of that width.
    pub fn to_lines(&self, width: usize) -> Vec<String> {
        strip::lines(self, width)
    }
}
