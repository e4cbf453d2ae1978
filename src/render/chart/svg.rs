//! Charts as SVG, inside a page or as a file.

use super::draw;
use super::model::Chart;
use super::sink::{FINE, Sink};
use super::theme;
use crate::sanitize;
use plotters::prelude::IntoDrawingArea as _;
use std::sync::LazyLock;

/// The width that a chart is drawn for. Text does not shrink, so that phones need a drawing of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 720 units: a page, paper.
    Wide,
    /// 340 units: a phone.
    Narrow,
}

impl Size {
    pub(super) const fn units(self) -> u32 {
        match self {
            Self::Wide => 720,
            Self::Narrow => 340,
        }
    }
}

/// The rules that the style sheet of a page with charts needs.
pub static STYLE: LazyLock<String> = LazyLock::new(|| format!("{}{TEXT}", theme::style(":root")));
const TEXT: &str =
    ".hb{font-weight:600;paint-order:stroke;stroke:var(--cp);stroke-width:3px;stroke-linejoin:round}";

fn drawing(chart: &Chart, size: Size) -> (String, u32, u32) {
    let wide = size.units();
    let narrow = size == Size::Narrow;
    let high = draw::height(chart, f64::from(wide), narrow);
    let mut out = String::new();
    let root = Sink { out: &mut out, size: (wide, high) }.into_drawing_area();
    // The surface is text in memory and cannot fail. What `plotters` refuses to draw is left out.
    let _ = draw::draw(chart, &root, FINE, narrow);
    drop(root);
    (out, wide, high)
}

/// For a page whose style sheet has [`STYLE`]. `id` must be unique in the page.
pub(super) fn inline(chart: &Chart, size: Size, id: &str) -> String {
    let (body, wide, high) = drawing(chart, size);
    let class = if size == Size::Narrow { "narrow" } else { "wide" };
    format!(
        "<svg class=\"{class}\" id=\"{id}\" viewBox=\"0 0 {wide} {high}\" role=\"img\" aria-label=\"{}. {}\">{body}</svg>",
        sanitize::html(&chart.title),
        sanitize::html(&chart.alt)
    )
}

/// A complete file, on a white or dark background as the reader prefers.
pub fn standalone(chart: &Chart) -> String {
    let (body, wide, high) = drawing(chart, Size::Wide);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
         font-family=\"system-ui, sans-serif\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">{}</title>\n\
         <desc id=\"d\">{}</desc>\n<style>{}{TEXT}</style>\n<rect class=\"fcp\" width=\"{wide}\" height=\"{high}\"/>\n{}\n</svg>\n",
        sanitize::html(&chart.title),
        sanitize::html(&chart.alt),
        theme::style("svg"),
        body.replace("/><", "/>\n<").replace("</text><", "</text>\n<"),
    )
}
