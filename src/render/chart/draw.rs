//! Draws a chart on any surface. `k` is the number of drawing coordinates per unit of the picture.

use super::layout::{Boxed, Clutter, apart, width, wrap};
use super::model::{Body, Chart, Plot, RowMark, Rows};
use super::theme;
use super::ticks::Scale;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Size of text, in units of the picture.
const TEXT: f64 = 12.0;
const SMALL: f64 = 11.0;
/// Distance of two lines of a label.
const LEADING: f64 = 14.0;
/// Width for the names of curves at their ends.
const NAMES: f64 = 176.0;
/// Width for the names of rows, and for their values.
const ROW_NAMES: f64 = 216.0;
const ROW_VALUES: f64 = 96.0;
const ROW: f64 = 34.0;
const ROW_NARROW: f64 = 42.0;
const KEY: f64 = 14.0;

type Sheet<DB> = DrawingArea<DB, Shift>;
type Axes = Cartesian2d<Scale, Scale>;

/// Height of a chart of this width.
pub(super) fn height(chart: &Chart, wide: f64, narrow: bool) -> u32 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = |h: f64| h.ceil() as u32;
    match &chart.body {
        Body::Plot(plot) if narrow => whole(250.0 + legend(plot, wide).1),
        Body::Plot(plot) if plot.series.iter().any(|s| s.scattered) => whole(330.0 + legend(plot, wide).1),
        Body::Plot(_) => 310,
        Body::Rows(rows) => {
            let each = if narrow { ROW_NARROW } else { ROW };
            let key = wrap(&rows.key, SMALL, wide - 8.0, 3).len() as f64 * KEY;
            whole(rows.rows.len() as f64 * each + key + 66.0)
        }
    }
}

/// Draw a chart. Returns `None` if the surface fails, which text surfaces never do.
pub(super) fn draw<DB: DrawingBackend>(chart: &Chart, root: &Sheet<DB>, k: f64, narrow: bool) -> Option<()> {
    match &chart.body {
        Body::Plot(p) => plot(p, root, k, narrow),
        Body::Rows(r) => rows(r, root, k, narrow),
    }
}

#[allow(clippy::cast_possible_truncation)]
fn px(value: f64, k: f64) -> i32 {
    (value * k).round().clamp(-1e8, 1e8) as i32
}

#[allow(clippy::cast_sign_loss)]
fn stroke(width: f64, k: f64) -> u32 {
    px(width, k).max(1) as u32
}

/// A surface to draw on, with the scale of its coordinates.
struct Pen<'a, DB: DrawingBackend> {
    root: &'a Sheet<DB>,
    k: f64,
}

impl<DB: DrawingBackend> Pen<'_, DB> {
    fn text(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        color: RGBColor,
        anchor: (HPos, VPos),
        strong: bool,
    ) -> Option<()> {
        let font = ("sans-serif", size * self.k).into_font();
        let font = if strong { font.style(FontStyle::Bold) } else { font };
        let style = font.color(&color).pos(Pos::new(anchor.0, anchor.1));
        let at = (px(at.0, self.k), px(at.1, self.k));
        self.root.draw(&Text::new(text.to_owned(), at, style)).ok()
    }
    fn line(&self, path: &[(f64, f64)], color: RGBColor, width: f64) -> Option<()> {
        let path: Vec<(i32, i32)> = path.iter().map(|p| (px(p.0, self.k), px(p.1, self.k))).collect();
        self.root.draw(&PathElement::new(path, color.stroke_width(stroke(width, self.k)))).ok()
    }
    fn rect(&self, a: (f64, f64), b: (f64, f64), color: RGBColor, alpha: f64) -> Option<()> {
        let corners = [(px(a.0, self.k), px(a.1, self.k)), (px(b.0, self.k), px(b.1, self.k))];
        self.root.draw(&Rectangle::new(corners, color.mix(alpha).filled())).ok()
    }
    fn dot(&self, at: (f64, f64), radius: f64, color: RGBColor, alpha: f64) -> Option<()> {
        let at = (px(at.0, self.k), px(at.1, self.k));
        self.root.draw(&Circle::new(at, px(radius, self.k), color.mix(alpha).filled())).ok()
    }
    fn ring(&self, at: (f64, f64), radius: f64) -> Option<()> {
        self.dot(at, radius, theme::PAGE, 1.0)?;
        let at = (px(at.0, self.k), px(at.1, self.k));
        let style = theme::INK.stroke_width(stroke(2.0, self.k));
        self.root.draw(&Circle::new(at, px(radius, self.k), style)).ok()
    }
}

/// Both axes, as `plotters` draws them: a light grid, ticks, numbers.
fn axes<'a, DB: DrawingBackend>(
    root: &'a Sheet<DB>,
    k: f64,
    edges: [f64; 4],
    (x, y): (&Scale, &Scale),
    upright_grid: bool,
) -> Option<ChartContext<'a, DB, Axes>> {
    let [top, right, bottom, left] = edges;
    let mut context = ChartBuilder::on(root)
        .margin_top(px(top, k))
        .margin_right(px(right, k))
        .x_label_area_size(px(bottom, k))
        .y_label_area_size(px(left, k))
        .build_cartesian_2d(x.clone(), y.clone())
        .ok()?;
    let font = ("sans-serif", TEXT * k).into_font().color(&theme::MUTED);
    let mut mesh = context.configure_mesh();
    mesh.x_labels(x.ticks.len().max(1))
        .y_labels(y.ticks.len().max(1))
        .max_light_lines(0)
        .bold_line_style(theme::GRID.stroke_width(stroke(1.0, k)))
        .light_line_style(theme::GRID.mix(0.0))
        .axis_style(theme::GRID.stroke_width(stroke(1.0, k)))
        .set_all_tick_mark_size(px(4.0, k))
        .x_label_style(font.clone())
        .y_label_style(font);
    if !upright_grid {
        mesh.disable_x_mesh();
    }
    if y.ticks.is_empty() {
        mesh.disable_y_mesh().disable_y_axis();
    }
    mesh.draw().ok()?;
    drop(mesh);
    Some(context)
}

/// The lines of each name in the legend above the drawing, and the height of the legend.
fn legend(plot: &Plot, wide: f64) -> (Vec<Vec<String>>, f64) {
    if plot.series.len() < 2 {
        return (Vec::new(), 0.0);
    }
    let names: Vec<Vec<String>> = plot.series.iter().map(|s| wrap(&s.name, TEXT, wide - 34.0, 2)).collect();
    let lines: usize = names.iter().map(Vec::len).sum();
    (names, lines as f64 * LEADING + 6.0)
}

fn values_of(plot: &Plot) -> (Vec<f64>, Vec<f64>) {
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for series in &plot.series {
        for (x, y) in &series.points {
            xs.push(*x);
            ys.push(*y);
        }
        for band in &series.band {
            ys.extend([band.low, band.high]);
        }
    }
    for rule in &plot.rules {
        if rule.upright { xs.push(rule.at) } else { ys.push(rule.at) }
    }
    for mark in &plot.marks {
        xs.push(mark.x);
        ys.push(mark.y);
    }
    (xs, ys)
}

/// The area between the axes, in units of the picture.
#[derive(Debug, Clone)]
pub(super) struct Area {
    pub x0: f64,
    pub x1: f64,
    pub y0: f64,
    pub y1: f64,
    x: Scale,
}

impl Area {
    /// Position of a value along the x axis, 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        self.x.at(value).map_or(0.0, |at| (at - self.x.low) / (self.x.high - self.x.low))
    }
}

/// The area of a chart between its axes, without drawing it.
pub(super) fn area(chart: &Chart, wide: u32, narrow: bool) -> Option<Area> {
    let Body::Plot(plot) = &chart.body else { return None };
    let wide = f64::from(wide);
    let high = f64::from(height(chart, wide, narrow));
    let frame = Frame::of(plot, wide, narrow);
    Some(Area { x0: frame.left, x1: wide - frame.right, y0: frame.top, y1: high - BELOW, x: frame.x })
}

/// Height below the area: numbers and the name of the axis.
const BELOW: f64 = 42.0;

/// The axes of a plot, and the space around it.
struct Frame {
    x: Scale,
    y: Scale,
    names: Vec<Vec<String>>,
    direct: bool,
    top: f64,
    left: f64,
    right: f64,
}

impl Frame {
    fn of(plot: &Plot, wide: f64, narrow: bool) -> Self {
        let (xs, ys) = values_of(plot);
        let scattered = plot.series.iter().any(|s| s.scattered);
        let room = if scattered { 0.05 } else { 0.0 };
        let mut x = Scale::of(&plot.x, xs.iter().copied(), if narrow { 4 } else { 7 }).padded(room);
        let y = Scale::of(&plot.y, ys.into_iter(), 5).padded(room);
        if !plot.x.log && plot.x.ticks.is_none() {
            // Curves extend from edge to edge.
            let last = xs.iter().copied().filter(|v| v.is_finite()).fold(f64::NEG_INFINITY, f64::max);
            if last.is_finite() && last > x.low && !scattered {
                x.high = last;
                x.ticks.retain(|t| t.0 <= last + 1e-9);
            }
        }
        let (names, above) = if narrow || scattered { legend(plot, wide) } else { (Vec::new(), 0.0) };
        // A little more than the estimate, because fonts differ.
        let left = y.ticks.iter().map(|t| width(&t.1, TEXT)).fold(20.0, f64::max) * 1.1 + 11.0;
        let direct = plot.series.len() > 1 && !narrow && !scattered;
        let right = if direct { NAMES } else { 16.0 };
        Self { x, y, names, direct, top: 24.0 + above, left: left.ceil(), right }
    }
}

fn plot<DB: DrawingBackend>(plot: &Plot, root: &Sheet<DB>, k: f64, narrow: bool) -> Option<()> {
    let (whole, _) = root.dim_in_pixel();
    let wide = f64::from(whole) / k;
    let pen = Pen { root, k };
    let Frame { x, y, names, direct, top, left, right } = Frame::of(plot, wide, narrow);
    let mut line = 0.0;
    for (n, name) in names.iter().enumerate() {
        let middle = line + LEADING / 2.0;
        if plot.series[n].scattered {
            pen.dot((12.0, middle), 4.0, theme::series(n), 1.0)?;
        } else {
            pen.line(&[(2.0, middle), (24.0, middle)], theme::curve(n), 2.5)?;
        }
        for part in name {
            pen.text(
                part,
                (30.0, line + LEADING / 2.0),
                TEXT,
                theme::INK,
                (HPos::Left, VPos::Center),
                false,
            )?;
            line += LEADING;
        }
    }
    let mut context = axes(root, k, [top, right, BELOW, left], (&x, &y), plot.x.log)?;
    let (across, down) = context.plotting_area().get_pixel_range();
    let edge = |v: i32| f64::from(v) / k;
    let (x0, x1, y0, y1) = (edge(across.start), edge(across.end), edge(down.start), edge(down.end));
    let place = |px_: f64, py: f64| {
        let (x, y) = (x.at(px_)?, y.at(py)?);
        let (bx, by) = context.backend_coord(&(x, y));
        Some((f64::from(bx) / k, f64::from(by) / k))
    };
    let mut clutter = Clutter::new((x0, x1), (y0 + 1.0, y1 - 1.0));
    for series in plot.series.iter().filter(|s| !s.scattered) {
        clutter.curve(series.points.iter().filter_map(|p| place(p.0, p.1)));
    }
    for span in &plot.spans {
        let at = |v: f64| x.at(v).map(|v| v.clamp(x.low, x.high));
        let (from, to) = (at(span.from)?, span.to.map_or(Some(x.high), at)?);
        let across = |v: f64| x0 + (v - x.low) / (x.high - x.low) * (x1 - x0);
        pen.rect((across(from), y0), (across(to), y1), theme::SHADE, 0.13)?;
        let room = across(to) - across(from) - 6.0;
        for (n, part) in wrap(&span.label, SMALL, room.max(0.0), 3).iter().enumerate().filter(|_| room > 70.0)
        {
            let at = (across(from) + 4.0, y0 + 3.0 + n as f64 * LEADING);
            clutter.label(Boxed { x: at.0, y: at.1, wide: width(part, SMALL), high: LEADING });
            pen.text(part, at, SMALL, theme::MUTED, (HPos::Left, VPos::Top), false)?;
        }
    }
    for rule in &plot.rules {
        if rule.upright {
            let Some((at, _)) =
                place(rule.at, if y.at(1.0).is_some() && plot.y.log { 10f64.powf(y.low) } else { y.low })
            else {
                continue;
            };
            pen.line(&[(at, y0), (at, y1)], theme::MUTED, 1.2)?;
            // Beside the line, at the height where it covers least. Bold letters are a little wider.
            let (wide, high) = (width(&rule.label, SMALL) * 1.1, LEADING);
            let heights = [y1 - 6.0 - high, y0 + 4.0, f64::midpoint(y0, y1) - high / 2.0];
            let sides = if at > x0 + (x1 - x0) * 0.6 { [-5.0 - wide, 5.0] } else { [5.0, -5.0 - wide] };
            let wishes = heights
                .iter()
                .flat_map(|y| sides.iter().map(move |side| Boxed { x: at + side, y: *y, wide, high }));
            let spot = clutter.clearest(wishes)?;
            clutter.label(spot);
            let middle = (spot.x, spot.y + high / 2.0);
            pen.text(&rule.label, middle, SMALL, theme::INK, (HPos::Left, VPos::Center), true)?;
        } else {
            let Some((_, at)) = place(if plot.x.log { 10f64.powf(x.low) } else { x.low }, rule.at) else {
                continue;
            };
            pen.line(&[(x0, at), (x1, at)], theme::MUTED, 1.2)?;
            // Above or below the line, at either end.
            let (wide, high) = (width(&rule.label, SMALL), LEADING);
            let wishes = [x0 + 6.0, x1 - 6.0 - wide]
                .into_iter()
                .flat_map(|x| [at - 2.0 - high, at + 2.0].map(|y| Boxed { x, y, wide, high }));
            let spot = clutter.clearest(wishes)?;
            clutter.label(spot);
            let middle = (spot.x, spot.y + high / 2.0);
            pen.text(&rule.label, middle, SMALL, theme::INK, (HPos::Left, VPos::Center), true)?;
        }
    }
    // The first series is drawn last, so that it is on top.
    let coordinates = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        points.iter().filter_map(|(px_, py)| Some((x.at(*px_)?, y.at(*py)?))).collect()
    };
    for (n, series) in plot.series.iter().enumerate().rev() {
        let mut outline: Vec<(f64, f64)> = series.band.iter().map(|b| (b.x, b.high)).collect();
        outline.extend(series.band.iter().rev().map(|b| (b.x, b.low)));
        if !outline.is_empty() {
            let band = Polygon::new(coordinates(&outline), theme::series(n).mix(0.16));
            context.draw_series(std::iter::once(band)).ok()?;
        }
    }
    for (n, series) in plot.series.iter().enumerate().rev() {
        let path = coordinates(&series.points);
        if !series.scattered {
            let width = if n == 0 { 2.6 } else { 2.0 };
            context
                .draw_series(LineSeries::new(path.clone(), theme::curve(n).stroke_width(stroke(width, k))))
                .ok()?;
        }
        if series.scattered || series.dotted {
            let radius = if series.scattered { 4.0 } else { 3.5 };
            let color = theme::series(n).mix(if series.scattered && path.len() > 40 { 0.6 } else { 1.0 });
            context
                .draw_series(path.iter().map(|at| Circle::new(*at, px(radius, k), color.filled())))
                .ok()?;
        }
    }
    let place = |px_: f64, py: f64| {
        let (bx, by) = context.backend_coord(&(x.at(px_)?, y.at(py)?));
        Some((f64::from(bx) / k, f64::from(by) / k))
    };
    if direct {
        let blocks: Vec<(Vec<String>, (f64, f64))> = plot
            .series
            .iter()
            .filter_map(|s| {
                let (px_, py) = *s.points.last()?;
                Some((wrap(&s.name, TEXT, NAMES - 20.0, 3), place(px_, py)?))
            })
            .collect();
        let wanted: Vec<(f64, f64)> =
            blocks.iter().map(|(lines, at)| (at.1, lines.len() as f64 * LEADING + 4.0)).collect();
        for (n, middle) in apart(&wanted, 6.0, y1 + 16.0).into_iter().enumerate() {
            let (lines, end) = &blocks[n];
            pen.line(
                &[(end.0 + 2.0, end.1), (x1 + 6.0, middle), (x1 + 12.0, middle)],
                theme::series(n),
                1.0,
            )?;
            let first = middle - (lines.len() as f64 - 1.0) * LEADING / 2.0;
            for (row, part) in lines.iter().enumerate() {
                let at = (x1 + 16.0, first + row as f64 * LEADING);
                pen.text(part, at, TEXT, theme::series(n), (HPos::Left, VPos::Center), false)?;
            }
        }
    }
    let mut taken = Vec::new();
    for (n, series) in plot.series.iter().enumerate() {
        names_of_points(&pen, series, n, (x0, x1), &place, &mut taken)?;
    }
    for mark in &plot.marks {
        let Some(at) = place(mark.x, mark.y) else { continue };
        pen.ring(at, 5.0)?;
        // Where it covers the least of the curves; near the point rather than far from it, and on one line
        // rather than two.
        let mut best: Option<(usize, Vec<String>, Boxed)> = None;
        for room in [x1 - x0, 110.0] {
            let lines = wrap(&mark.label, TEXT, room, 3);
            let wide = lines.iter().map(|l| width(l, TEXT)).fold(0.0, f64::max);
            let high = LEADING * lines.len() as f64;
            let near = [8.0, 22.0, 40.0, 64.0, 90.0];
            let wishes = near.into_iter().flat_map(|far| {
                let sides = [at.0 + 9.0, at.0 - 9.0 - wide, at.0 - wide / 2.0];
                sides
                    .into_iter()
                    .flat_map(move |x| [at.1 + far, at.1 - far - high].map(|y| Boxed { x, y, wide, high }))
            });
            let Some(spot) = clutter.clearest(wishes) else { continue };
            let covered = clutter.covered(spot);
            if best.as_ref().is_none_or(|b| covered < b.0) {
                best = Some((covered, lines, spot));
            }
        }
        let Some((_, lines, spot)) = best else { continue };
        clutter.label(spot);
        for (row, part) in lines.iter().enumerate() {
            let at = (spot.x, spot.y + LEADING * (row as f64 + 0.5));
            pen.text(part, at, TEXT, theme::INK, (HPos::Left, VPos::Center), true)?;
        }
    }
    pen.text(&plot.y.label, (2.0, top - 13.0), TEXT, theme::MUTED, (HPos::Left, VPos::Center), false)?;
    pen.text(&plot.x.label, (x1, y1 + 32.0), TEXT, theme::MUTED, (HPos::Right, VPos::Center), false)
}

/// Names beside points, as many as do not cover each other.
fn names_of_points<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    series: &super::model::Series,
    n: usize,
    (x0, x1): (f64, f64),
    place: &impl Fn(f64, f64) -> Option<(f64, f64)>,
    taken: &mut Vec<(f64, f64, f64)>,
) -> Option<()> {
    for (name, (px_, py)) in series.names.iter().zip(&series.points) {
        let Some(at) = place(*px_, *py) else { continue };
        // Bold letters are a little wider.
        let long = width(name, SMALL) * 1.1 + 4.0;
        let flip = at.0 + long + 10.0 > x1 + 12.0;
        let from = if flip { at.0 - long - 8.0 } else { at.0 + 8.0 };
        let covers = |t: &(f64, f64, f64)| (t.2 - at.1).abs() < 13.0 && from < t.1 && t.0 < from + long;
        if from < x0 - 20.0 || taken.iter().any(covers) {
            continue;
        }
        taken.push((from, from + long, at.1));
        let (dx, anchor) = if flip { (-8.0, HPos::Right) } else { (8.0, HPos::Left) };
        pen.text(name, (at.0 + dx, at.1), SMALL, theme::series(n), (anchor, VPos::Center), true)?;
    }
    Some(())
}

fn rows<DB: DrawingBackend>(rows: &Rows, root: &Sheet<DB>, k: f64, narrow: bool) -> Option<()> {
    let (whole, high) = root.dim_in_pixel();
    let (wide, high) = (f64::from(whole) / k, f64::from(high) / k);
    let pen = Pen { root, k };
    let mut values = Vec::new();
    for mark in rows.rows.iter().flat_map(|r| &r.marks) {
        match mark {
            RowMark::Bar { from, to, .. } => values.extend([*from, *to]),
            RowMark::Interval { low, high } => values.extend([*low, *high]),
            RowMark::Point { at, .. } | RowMark::Tick { at, .. } => values.push(*at),
            RowMark::Dots(all) => values.extend(all),
        }
    }
    values.extend(rows.rule.as_ref().map(|r| r.at));
    let x = Scale::of(&rows.x, values.into_iter(), if narrow { 4 } else { 6 });
    let y = Scale::of(
        &super::model::Axis::new("", super::model::NumberStyle::Number).ticks(Vec::new()),
        [0.0, 1.0].into_iter(),
        1,
    );
    let (left, right) = if narrow { (8.0, 14.0) } else { (ROW_NAMES, ROW_VALUES) };
    let key = wrap(&rows.key, SMALL, wide - 8.0, 3);
    for (n, line) in key.iter().enumerate() {
        pen.text(line, (2.0, n as f64 * KEY + 7.0), SMALL, theme::MUTED, (HPos::Left, VPos::Center), false)?;
    }
    let top = key.len() as f64 * KEY + if rows.rule.is_some() { 22.0 } else { 10.0 };
    let context = axes(root, k, [top, right, BELOW, left], (&x, &y), true)?;
    let (across, down) = context.plotting_area().get_pixel_range();
    let edge = |v: i32| f64::from(v) / k;
    let (x0, x1, y0, y1) = (edge(across.start), edge(across.end), edge(down.start), edge(down.end));
    let _ = high;
    let place = |v: f64| Some(x0 + (x.at(v)? - x.low) / (x.high - x.low) * (x1 - x0));
    let each = (y1 - y0) / rows.rows.len().max(1) as f64;
    let rule_at = rows.rule.as_ref().and_then(|r| place(r.at));
    if let (Some(rule), Some(at)) = (&rows.rule, rule_at) {
        pen.line(&[(at, y0 - 4.0), (at, y1)], theme::MUTED, 1.4)?;
        let flip = at > x0 + (x1 - x0) * 0.7;
        let anchor = if flip { HPos::Right } else { HPos::Left };
        pen.text(&rule.label, (at, y0 - 5.0), SMALL, theme::INK, (anchor, VPos::Bottom), true)?;
    }
    for (n, row) in rows.rows.iter().enumerate() {
        let from = y0 + n as f64 * each;
        let middle = if narrow { from + each - 16.0 } else { from + each / 2.0 };
        if narrow {
            let room = wide - 12.0 - width(&row.value, SMALL);
            let name = wrap(&row.name, TEXT, room - 8.0, 1).concat();
            pen.text(&name, (2.0, from + 12.0), TEXT, theme::INK, (HPos::Left, VPos::Center), true)?;
            pen.text(
                &row.value,
                (wide - 2.0, from + 12.0),
                SMALL,
                theme::INK,
                (HPos::Right, VPos::Center),
                true,
            )?;
        } else {
            let lines = wrap(&row.name, TEXT, ROW_NAMES - 18.0, 2);
            let first = middle - (lines.len() as f64 - 1.0) * LEADING / 2.0;
            for (at, line) in lines.iter().enumerate() {
                let at = (ROW_NAMES - 10.0, first + at as f64 * LEADING);
                pen.text(line, at, TEXT, theme::INK, (HPos::Right, VPos::Center), false)?;
            }
            let value = wrap(&row.value, SMALL, ROW_VALUES - 10.0, 2);
            let first = middle - (value.len() as f64 - 1.0) * LEADING / 2.0;
            for (at, line) in value.iter().enumerate() {
                let at = (x1 + 8.0, first + at as f64 * LEADING);
                pen.text(line, at, SMALL, theme::INK, (HPos::Left, VPos::Center), false)?;
            }
        }
        for mark in &row.marks {
            match mark {
                RowMark::Dots(all) => {
                    for at in all.iter().filter_map(|v| place(*v)) {
                        pen.dot((at, middle), 2.2, theme::MUTED, 0.3)?;
                    }
                }
                RowMark::Interval { low, high } => {
                    let (Some(from), Some(to)) = (place(*low), place(*high)) else { continue };
                    pen.line(&[(from, middle), (to, middle)], theme::INK, 3.0)?;
                }
                RowMark::Point { at, colour } => {
                    let Some(at) = place(*at) else { continue };
                    pen.dot((at, middle), 5.0, theme::series(*colour), 1.0)?;
                }
                RowMark::Tick { at, label } => {
                    let Some(at) = place(*at) else { continue };
                    pen.line(&[(at, middle - 6.0), (at, middle + 6.0)], theme::MUTED, 1.6)?;
                    // In a narrow drawing the name is above its row.
                    let (dy, up) = if narrow { (6.0, VPos::Top) } else { (-7.0, VPos::Bottom) };
                    pen.text(label, (at, middle + dy), 10.0, theme::MUTED, (HPos::Center, up), false)?;
                }
                RowMark::Bar { from, to, label, colour } => {
                    let (Some(start), Some(end)) = (place(*from), place(*to)) else { continue };
                    pen.rect((start, middle - 8.0), (end, middle + 8.0), theme::series(*colour), 0.85)?;
                    let after = end >= start;
                    let outside = if after { x1 - end } else { end - x0 };
                    // Beside the bar if there is space, otherwise within it.
                    let long = width(label, SMALL) + 6.0;
                    let (at, anchor, color) = match (outside >= long, after) {
                        (true, true) => (end + 4.0, HPos::Left, theme::INK),
                        (true, false) => (end - 4.0, HPos::Right, theme::INK),
                        (false, true) => (end - 4.0, HPos::Right, theme::PAGE),
                        (false, false) => (end + 4.0, HPos::Left, theme::PAGE),
                    };
                    if outside >= long || (end - start).abs() >= long {
                        pen.text(label, (at, middle), SMALL, color, (anchor, VPos::Center), false)?;
                    }
                }
            }
        }
    }
    pen.text(&rows.x.label, (x1, y1 + 32.0), TEXT, theme::MUTED, (HPos::Right, VPos::Center), false)
}
