//! The PNG surface: the same drawing in pixels, two per unit. The title is above it, because such a picture
//! is often used without its page. The font is part of the program; fonts of the machine are not used.

use super::draw;
use super::model::Chart;
use super::sink::FINE;
use super::svg::Size;
use super::theme;
use crate::sanitize;
use ab_glyph::{Font as _, FontRef, OutlineCurve, Point};
use plotters::prelude::IntoDrawingArea as _;
use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
};
use std::convert::Infallible;
use std::sync::LazyLock;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform};

/// Latin, Greek, Cyrillic and mathematical signs of `DejaVu Sans`; its licence is beside the font files.
static REGULAR: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("font/DejaVuSans.ttf")).ok());
static BOLD: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("font/DejaVuSans-Bold.ttf")).ok());

/// Pixels per unit of the picture.
const SCALE: f32 = 2.0;
/// Pixels per drawing coordinate.
#[allow(clippy::cast_possible_truncation)]
const PIXEL: f32 = SCALE / FINE as f32;
/// Height of the title, in units.
const TITLE: u32 = 28;
/// Width of the background that separates bold text from lines, in units.
const GROUND: f32 = 3.0;

/// A chart as a PNG file; `None` where the surface cannot be created, which no chart is large enough to
/// cause.
pub(super) fn png(chart: &Chart) -> Option<Vec<u8>> {
    let wide = Size::Wide.units();
    let high = draw::height(chart, f64::from(wide), false);
    let mut map = Pixmap::new(wide * 2, (high + TITLE) * 2)?;
    map.fill(color(theme::PAGE, 1.0));
    let title = super::layout::wrap(&chart.title, 14.0, f64::from(wide) - 12.0, 1).concat();
    let mut surface = Pixels { map: &mut map, size: (wide, high), top: 0.0 };
    surface.text(&title, (4.0 * SCALE, 19.0 * SCALE), 14.0 * SCALE, true, color(theme::INK, 1.0));
    #[allow(clippy::cast_precision_loss)]
    let top = TITLE as f32 * SCALE;
    surface.top = top;
    let root = surface.into_drawing_area();
    // What `plotters` refuses to draw is left out, as in SVG.
    let _ = draw::draw(chart, &root, FINE, false);
    drop(root);
    map.encode_png().ok()
}

struct Pixels<'a> {
    map: &'a mut Pixmap,
    /// Size of the drawing, in units of the picture.
    size: (u32, u32),
    /// Height above the drawing, pixels.
    top: f32,
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

#[allow(clippy::cast_possible_truncation)]
fn color(c: RGBColor, alpha: f64) -> Color {
    let part = |v: u8| f32::from(v) / 255.0;
    Color::from_rgba(part(c.0), part(c.1), part(c.2), alpha.clamp(0.0, 1.0) as f32).unwrap_or(Color::BLACK)
}

fn of(c: BackendColor) -> Color {
    color(RGBColor(c.rgb.0, c.rgb.1, c.rgb.2), c.alpha)
}

fn paint(color: Color) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(color);
    paint
}

impl Pixels<'_> {
    #[allow(clippy::cast_precision_loss)]
    fn at(&self, (x, y): BackendCoord) -> (f32, f32) {
        (x as f32 * PIXEL, y as f32 * PIXEL + self.top)
    }

    fn path(&self, points: impl IntoIterator<Item = BackendCoord>) -> PathBuilder {
        let mut path = PathBuilder::new();
        for (n, point) in points.into_iter().enumerate() {
            let (x, y) = self.at(point);
            if n == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path
    }

    fn fill(&mut self, path: Option<Path>, color: Color) {
        if let Some(path) = path {
            self.map.fill_path(&path, &paint(color), FillRule::Winding, Transform::identity(), None);
        }
    }

    fn stroke(&mut self, path: Option<Path>, color: Color, width: f32, dash: &[f32]) {
        let Some(path) = path else { return };
        let dash = StrokeDash::new(dash.iter().map(|d| d * SCALE).collect(), 0.0);
        let stroke = Stroke { width, dash, ..Stroke::default() };
        self.map.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
    }

    #[allow(clippy::cast_precision_loss)]
    fn styled<S: BackendStyle>(&mut self, path: Option<Path>, style: &S, filled: bool) {
        if filled {
            self.fill(path, of(style.color()));
        } else {
            let dash = theme::class(style.color().rgb).1.map_or_else(Vec::new, theme::dash);
            let width = style.stroke_width() as f32 * PIXEL;
            self.stroke(path, of(style.color()), width, &dash);
        }
    }

    /// Write text from its left end on the base line, in pixels. Bold text gets a background in the page's
    /// colour.
    fn text(&mut self, text: &str, (x, y): (f32, f32), size: f32, strong: bool, color: Color) {
        let face = if strong { &*BOLD } else { &*REGULAR };
        let Some(face) = face else { return };
        let path = letters(face, text, (x, y), size);
        if strong {
            let page = self::color(theme::PAGE, 1.0);
            self.stroke(path.clone(), page, GROUND * SCALE, &[]);
        }
        self.fill(path, color);
    }
}

fn long(face: &FontRef<'static>, text: &str, size: f32) -> f32 {
    let em = face.units_per_em().unwrap_or(2048.0);
    text.chars().map(|c| face.h_advance_unscaled(face.glyph_id(c))).sum::<f32>() * size / em
}

/// The outlines of the letters of a text.
fn letters(face: &FontRef<'static>, text: &str, (x, y): (f32, f32), size: f32) -> Option<Path> {
    let scale = size / face.units_per_em().unwrap_or(2048.0);
    let mut path = PathBuilder::new();
    let mut pen = x;
    for c in text.chars() {
        let glyph = face.glyph_id(c);
        let place = |p: Point| (pen + p.x * scale, y - p.y * scale);
        let mut last: Option<Point> = None;
        for curve in face.outline(glyph).map(|o| o.curves).unwrap_or_default() {
            let (from, to) = match &curve {
                OutlineCurve::Line(a, b) | OutlineCurve::Quad(a, _, b) | OutlineCurve::Cubic(a, _, _, b) => {
                    (*a, *b)
                }
            };
            if last != Some(from) {
                let (x, y) = place(from);
                path.move_to(x, y);
            }
            let end = place(to);
            match curve {
                OutlineCurve::Line(..) => path.line_to(end.0, end.1),
                OutlineCurve::Quad(_, b, _) => {
                    let b = place(b);
                    path.quad_to(b.0, b.1, end.0, end.1);
                }
                OutlineCurve::Cubic(_, b, c, _) => {
                    let (b, c) = (place(b), place(c));
                    path.cubic_to(b.0, b.1, c.0, c.1, end.0, end.1);
                }
            }
            last = Some(to);
        }
        pen += face.h_advance_unscaled(glyph) * scale;
    }
    path.finish()
}

impl DrawingBackend for Pixels<'_> {
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
        let ((ax, ay), (bx, by)) = (self.at(a), self.at(b));
        let rect = Rect::from_ltrb(ax.min(bx), ay.min(by), ax.max(bx), ay.max(by));
        self.styled(rect.map(PathBuilder::from_rect), style, filled);
        Ok(())
    }
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        let path = self.path(path).finish();
        self.styled(path, style, false);
        Ok(())
    }
    #[allow(clippy::cast_precision_loss)]
    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        filled: bool,
    ) -> Done {
        let (x, y) = self.at(center);
        self.styled(PathBuilder::from_circle(x, y, radius as f32 * PIXEL), style, filled);
        Ok(())
    }
    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        let mut path = self.path(path);
        path.close();
        self.styled(path.finish(), style, true);
        Ok(())
    }
    #[allow(clippy::cast_possible_truncation)]
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let text = sanitize::line(text, 500);
        let strong = matches!(style.style(), FontStyle::Bold);
        let size = style.size() as f32 * PIXEL;
        let (x, y) = self.at(at);
        let face = if strong { &*BOLD } else { &*REGULAR };
        let long = face.as_ref().map_or(0.0, |face| long(face, &text, size));
        let x = match style.anchor().h_pos {
            HPos::Left => x,
            HPos::Right => x - long,
            HPos::Center => x - long / 2.0,
        };
        // From the anchor to the base line, as a fraction of the font size.
        let down = match style.anchor().v_pos {
            VPos::Top => 0.8,
            VPos::Center => 0.35,
            VPos::Bottom => -0.2,
        };
        self.text(&text, (x, y + size * down), size, strong, of(style.color()));
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
