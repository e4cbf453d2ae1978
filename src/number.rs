//! Numbers as people read them. Rounding happens here and nowhere before.

#![warn(missing_docs)]

/// `1234567.0` → `1,234,567`; up to two decimals below 100, none above.
pub fn plain(value: f64) -> String {
    let decimals = if value.fract().abs() < 5e-3 || value.abs() >= 100.0 { 0 } else { 2 };
    grouped(value, decimals)
}

/// An input with all the digits it was given with, grouped: `0.0125`, `200,000`. A number of more than
/// eight significant digits is not written by people but comes from a division: it is shown with five.
pub fn exact(value: f64) -> String {
    const WRITTEN: usize = 8;
    let text = value.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{fraction}");
    let decimals = if digits.trim_start_matches('0').len() <= WRITTEN {
        fraction.len()
    } else if whole == "0" {
        fraction.len() - fraction.trim_start_matches('0').len() + 5
    } else {
        5_usize.saturating_sub(whole.len())
    };
    grouped(value, decimals)
}

/// A share as a percentage, with a decimal where it matters: `0.873` → `87.3 %`, `0.05` → `5 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = usize::from(percent.fract().abs() >= 0.05 && percent < 99.95);
    format!("{} %", rounded(percent, decimals))
}

/// A difference of shares, as percentage points: a margin of 0.025 is "2.5 points".
pub fn points(share: f64) -> String {
    let points = share * 100.0;
    let decimals = usize::from(points.fract().abs() >= 0.05 && points.fract().abs() < 0.95);
    let number = rounded(points, decimals);
    let word = if number == "1" { "point" } else { "points" };
    format!("{number} {word}")
}

/// With so many decimals. A zero has no sign, whatever was rounded to it.
fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.bytes().any(|b| matches!(b, b'1'..=b'9')) {
        text
    } else {
        text.trim_start_matches('-').to_owned()
    }
}

/// A measured value with three significant digits and no exponent; below 1 with three decimals.
pub fn measured(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 || v == 0.0 => 2,
        _ => 3,
    };
    rounded(value, decimals)
}

/// `30_000_000.0` → `30M`: three significant digits from 10,000 on, as [`plain`] below.
pub fn short(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        v if v >= 1e12 => (value / 1e12, "T"),
        v if v >= 1e9 => (value / 1e9, "B"),
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 1e4 => (value / 1e3, "k"),
        _ => return plain(value),
    };
    let decimals = if scaled.abs() >= 100.0 {
        0
    } else if scaled.abs() >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{scaled:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{suffix}")
}

/// Thousands in groups of three: `12,345.67`. A zero has no sign.
pub fn grouped(value: f64, decimals: usize) -> String {
    let text = rounded(value, decimals);
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |d| ("-", d));
    let mut out = String::from(sign);
    for (n, c) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_has_no_sign() {
        for value in [-0.0, -1e-9, -0.000_4, -f64::MIN_POSITIVE] {
            let shown = [plain(value), percent(value), measured(value), short(value), grouped(value, 2)];
            assert!(shown.iter().all(|s| !s.contains('-')), "{value}: {shown:?}");
        }
        assert_eq!(exact(-0.0), "0");
        assert_eq!(
            [0.1, 0.025, 0.01, 0.005, 0.0996].map(points),
            ["10 points", "2.5 points", "1 point", "0.5 points", "10 points"]
        );
        assert_eq!((percent(-0.052), measured(-0.25)), ("-5.2 %".into(), "-0.250".into()));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            (percent(0.873), percent(0.05), percent(1.0)),
            ("87.3 %".into(), "5 %".into(), "100 %".into())
        );
        assert_eq!(
            (short(30e6), short(1.25e9), short(9_500.0)),
            ("30M".into(), "1.25B".into(), "9,500".into())
        );
        assert_eq!((short(12_300.0), short(100e6)), ("12.3k".into(), "100M".into()));
        assert_eq!(
            (plain(730.0), plain(0.7), plain(12_345.6)),
            ("730".into(), "0.70".into(), "12,346".into())
        );
        let shown = [0.0125, 200_000.0, 0.000_065_6, 84.319_444_444, 1.0 / 30.0, 1_234_567.891].map(exact);
        assert_eq!(shown, ["0.0125", "200,000", "0.0000656", "84.319", "0.033333", "1,234,568"]);
    }
}
