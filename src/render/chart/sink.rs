//! The SVG surface: a `plotters` backend that writes CSS classes instead of colours, so that one drawing
//! serves light pages, dark pages and paper.

use super::theme;
use crate::sanitize;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
};
use std::convert::Infallible;
use std::fmt::Write as _;

/// Drawing coordinates per unit of the picture, because `plotters` only uses whole coordinates.
pub(super) const FINE: f64 = 10.0;

/// Writes SVG elements.
pub(super) struct Sink<'a> {
    pub out: &'a mut String,
    /// Size in units of the picture.
    pub size: (u32, u32),
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

/// A coordinate in units of the picture, with one decimal.
fn unit(fine: i32) -> String {
    let (whole, tenth) = (fine / 10, (fine % 10).abs());
    let sign = if fine < 0 && whole == 0 { "-" } else { "" };
    if tenth == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{tenth}") }
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut text = String::new();
    for (x, y) in path {
        if !text.is_empty() {
            text.push(' ');
        }
        let _ = write!(text, "{},{}", unit(x), unit(y));
    }
    text
}

fn opacity(color: BackendColor) -> String {
    if color.alpha >= 0.999 { String::new() } else { format!(" opacity=\"{:.2}\"", color.alpha) }
}

fn stroke<S: BackendStyle>(style: &S) -> String {
    let color = style.color();
    let (class, curve) = theme::class(color.rgb);
    let dash = curve.filter(|n| *n > 0).map_or_else(String::new, |n| format!(" d{n}"));
    let width = f64::from(style.stroke_width()) / FINE;
    format!("class=\"s{class}{dash}\" stroke-width=\"{width}\"{}", opacity(color))
}

fn fill<S: BackendStyle>(style: &S) -> String {
    let color = style.color();
    format!("class=\"f{}\"{}", theme::class(color.rgb).0, opacity(color))
}

impl DrawingBackend for Sink<'_> {
    type ErrorType = Infallible;

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn get_size(&self) -> (u32, u32) {
        (self.size.0 * FINE as u32, self.size.1 * FINE as u32)
    }
    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }
    fn present(&mut self) -> Done {
        Ok(())
    }
    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Done {
        Ok(())
    }
    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Done {
        self.draw_path([from, to], style)
    }
    fn draw_rect<S: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &S,
        filled: bool,
    ) -> Done {
        let look = if filled { fill(style) } else { stroke(style) };
        let corner = (a.0.min(b.0), a.1.min(b.1));
        let size = ((a.0 - b.0).abs(), (a.1 - b.1).abs());
        let _ = write!(
            self.out,
            "<rect {look} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            unit(corner.0),
            unit(corner.1),
            unit(size.0),
            unit(size.1)
        );
        Ok(())
    }
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        let _ = write!(self.out, "<polyline {} points=\"{}\"/>", stroke(style), points(path));
        Ok(())
    }
    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        filled: bool,
    ) -> Done {
        let look = if filled { fill(style) } else { stroke(style) };
        let r = f64::from(radius) / FINE;
        let _ = write!(
            self.out,
            "<circle {look} cx=\"{}\" cy=\"{}\" r=\"{r}\"/>",
            unit(center.0),
            unit(center.1)
        );
        Ok(())
    }
    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        let _ = write!(self.out, "<polygon {} points=\"{}\"/>", fill(style), points(path));
        Ok(())
    }
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Right => " text-anchor=\"end\"",
            HPos::Center => " text-anchor=\"middle\"",
        };
        // From the anchor to the base line, as a fraction of the font size.
        let down = match style.anchor().v_pos {
            VPos::Top => 0.8,
            VPos::Center => 0.35,
            VPos::Bottom => -0.2,
        };
        #[allow(clippy::cast_possible_truncation)]
        let y = at.1 + (style.size() * down).round() as i32;
        let strong = if matches!(style.style(), FontStyle::Bold) { " hb" } else { "" };
        let (class, _) = theme::class(style.color().rgb);
        let _ = write!(
            self.out,
            "<text class=\"f{class}{strong}\" x=\"{}\" y=\"{}\" font-size=\"{}\"{anchor}>{}</text>",
            unit(at.0),
            unit(y),
            style.size() / FINE,
            sanitize::html(text)
        );
        Ok(())
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((super::layout::width(text, style.size()) as u32, style.size() as u32))
    }
}
