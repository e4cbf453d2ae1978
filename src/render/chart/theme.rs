//! Colours of charts, and what carries their meaning without colour: every series has its own dash pattern
//! and its name at its end. They can be told apart with every kind of colour blindness, and have a contrast
//! of 4.5:1 with the page.

use plotters::style::RGBColor;

/// Colours of series on a light page; those for a dark page are in the style sheet.
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(0x00, 0x62, 0xa3),
    RGBColor(0xb3, 0x45, 0x00),
    RGBColor(0x00, 0x6b, 0x4f),
    RGBColor(0x95, 0x35, 0x78),
    RGBColor(0x5b, 0x5b, 0x5b),
    RGBColor(0x75, 0x58, 0x00),
];
/// Colours of series on a dark page.
const DARK: [&str; 6] = ["#6cb8f0", "#ff9e64", "#4cc9a0", "#e797c8", "#bdbdbd", "#d9b84a"];
/// Dash patterns of curves; the first one is solid.
const DASHES: [&str; 6] = ["", "8 3", "2 3", "8 3 2 3", "12 4", "5 5"];

/// Text.
pub(super) const INK: RGBColor = RGBColor(0x1b, 0x1b, 0x1b);
/// Text of axes.
pub(super) const MUTED: RGBColor = RGBColor(0x55, 0x55, 0x55);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// Background of the page.
pub(super) const PAGE: RGBColor = RGBColor(0xff, 0xff, 0xff);
/// Shaded ranges.
pub(super) const SHADE: RGBColor = RGBColor(0x00, 0x6b, 0x50);

/// The colour of a series; colours repeat after the last one.
pub(super) fn series(n: usize) -> RGBColor {
    SERIES[n % SERIES.len()]
}

/// The colour of a curve: it looks the same, but selects the curve's dash pattern where the surface knows
/// them.
pub(super) fn curve(n: usize) -> RGBColor {
    let RGBColor(r, g, b) = series(n);
    RGBColor(r, g, b ^ 1)
}

/// The dash pattern of a curve: lengths of line and gap, in units of the picture.
pub(super) fn dash(n: usize) -> Vec<f32> {
    DASHES[n % DASHES.len()].split(' ').filter_map(|part| part.parse().ok()).collect()
}

/// The CSS class of a colour, and the index of its curve if it is one's.
pub(super) fn class(rgb: (u8, u8, u8)) -> (&'static str, Option<usize>) {
    const CLASSES: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];
    let named = [(INK, "ci"), (MUTED, "cm"), (GRID, "cg"), (PAGE, "cp"), (SHADE, "cs")];
    if let Some((_, class)) = named.into_iter().find(|(c, _)| (c.0, c.1, c.2) == rgb) {
        return (class, None);
    }
    let (r, g, b) = rgb;
    for (n, c) in SERIES.iter().enumerate() {
        if (c.0, c.1, c.2) == rgb {
            return (CLASSES[n], None);
        }
        if (c.0, c.1, c.2) == (r, g, b ^ 1) {
            return (CLASSES[n], Some(n));
        }
    }
    ("ci", None)
}

/// The rules of the style sheet: variables for light and dark pages, and the classes that use them. They
/// apply within `scope`.
pub(super) fn style(scope: &str) -> String {
    use std::fmt::Write as _;
    let hex = |c: &RGBColor| format!("#{:02x}{:02x}{:02x}", c.0, c.1, c.2);
    let mut out = format!("{scope}{{");
    for (n, c) in SERIES.iter().enumerate() {
        let _ = write!(out, "--c{n}:{};", hex(c));
    }
    let _ = write!(
        out,
        "--ci:{};--cm:{};--cg:{};--cp:{};--cs:{}}}",
        hex(&INK),
        hex(&MUTED),
        hex(&GRID),
        hex(&PAGE),
        hex(&SHADE)
    );
    let mut dark = String::new();
    for (n, c) in DARK.iter().enumerate() {
        let _ = write!(dark, "--c{n}:{c};");
    }
    dark.push_str("--ci:#ececec;--cm:#b4b4b4;--cg:#3a3a3a;--cp:#161616;--cs:#4cc9a0");
    let _ = write!(out, "@media screen and (prefers-color-scheme:dark){{{scope}{{{dark}}}}}");
    for class in ["c0", "c1", "c2", "c3", "c4", "c5", "ci", "cm", "cg", "cp", "cs"] {
        let _ = write!(out, ".f{class}{{fill:var(--{class})}}.s{class}{{stroke:var(--{class});fill:none}}");
    }
    for (n, dash) in DASHES.iter().enumerate().skip(1) {
        let _ = write!(out, ".d{n}{{stroke-dasharray:{dash}}}");
    }
    out
}
