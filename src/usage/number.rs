//! Numbers as exports write them: `12`, `"12"`, `"3.0"`, `1.2e-05`, `"1.200"` with a dot for
//! thousands, or nothing at all.

use super::record::{Reason, reason};

/// How a column writes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The mark between thousands, if the mapping names one.
    pub thousands: Option<char>,
    /// The decimal mark, if the mapping names one.
    pub decimal: Option<char>,
    /// Refuse numbers that could have either thousands or decimals; otherwise they have decimals.
    pub strict: bool,
}

/// A count from a float: whole and not negative.
pub fn count_of(value: f64) -> Result<u64, &'static Reason> {
    if value.is_nan() {
        return Err(&reason::NOT_A_NUMBER);
    }
    if value < 0.0 {
        return Err(&reason::NEGATIVE);
    }
    // 2^64 as a float; from there on no u64 can hold it.
    if value >= 18_446_744_073_709_551_616.0 {
        return Err(&reason::ABSURD);
    }
    if value.fract() != 0.0 {
        return Err(&reason::NOT_A_NUMBER);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(value as u64)
}

/// A count from text; `None` where the cell is empty or says that there is none.
pub fn count(text: &str, style: Style) -> Result<Option<u64>, &'static Reason> {
    let text = text.trim();
    if is_nothing(text) {
        return Ok(None);
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Ok(Some(whole));
    }
    let plain = plain(text, style)?;
    if let Ok(whole) = plain.parse::<u64>() {
        return Ok(Some(whole));
    }
    // More digits than a u64 can have are absurd, not unreadable.
    if plain.len() > 19 && plain.bytes().all(|b| b.is_ascii_digit()) {
        return Err(&reason::ABSURD);
    }
    // `9007199254740993.0`: a float cannot hold all digits of the text.
    if let Some(Ok(exact)) = plain.trim_end_matches('0').strip_suffix('.').map(str::parse::<u64>) {
        return Ok(Some(exact));
    }
    let value: f64 = plain.parse().map_err(|_| &reason::NOT_A_NUMBER)?;
    count_of(value).map(Some)
}

/// An amount of money from text; may be negative (a refund).
pub fn amount(text: &str, style: Style) -> Result<Option<f64>, &'static Reason> {
    let text = text.trim().trim_start_matches('$').trim_start();
    if is_nothing(text) {
        return Ok(None);
    }
    let value: f64 = plain(text, style)?.parse().map_err(|_| &reason::NOT_A_NUMBER)?;
    if value.is_finite() { Ok(Some(value)) } else { Err(&reason::NOT_A_NUMBER) }
}

fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "-" | "null" | "NULL" | "None" | "none" | "nan" | "NaN" | "N/A" | "n/a" | "\\N")
}

/// The number in Rust's notation: no thousands marks, a point for decimals.
fn plain(text: &str, style: Style) -> Result<String, &'static Reason> {
    if style.strict && style.thousands.is_none() && style.decimal.is_none() && is_ambiguous(text) {
        return Err(&reason::AMBIGUOUS_NUMBER);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if Some(c) == style.thousands || matches!(c, '\u{a0}' | '\u{202f}' | '\'' | '’') {
            continue;
        }
        out.push(if Some(c) == style.decimal { '.' } else { c });
    }
    Ok(out)
}

/// Is it like `1.200` or `1,200`: one mark with exactly three digits after it, and nothing that shows what
/// it means?
fn is_ambiguous(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    let Some(mark) = digits.find(['.', ',']) else { return false };
    let (before, after) = (&digits[..mark], &digits[mark + 1..]);
    !before.is_empty()
        && before.len() <= 3
        && !before.starts_with('0')
        && before.bytes().all(|b| b.is_ascii_digit())
        && after.len() == 3
        && after.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_in_many_forms() {
        let plain = Style::default();
        for (text, value) in
            [("3.0", 3), ("12", 12), (" 7 ", 7), ("1e3", 1000), ("9007199254740993.0", 9_007_199_254_740_993)]
        {
            assert_eq!(count(text, plain), Ok(Some(value)), "{text}");
        }
        for text in ["", "null", "NaN", "-"] {
            assert_eq!(count(text, plain), Ok(None), "{text}");
        }
        assert_eq!(count("-5", plain), Err(&reason::NEGATIVE));
        assert_eq!(count("1.5", plain), Err(&reason::NOT_A_NUMBER));
        assert_eq!(count("many", plain), Err(&reason::NOT_A_NUMBER));
        assert_eq!(count("99999999999999999999999", plain), Err(&reason::ABSURD));
        assert_eq!(count("1e40", plain), Err(&reason::ABSURD));
    }

    #[test]
    fn marks_are_read_as_the_mapping_says_and_never_guessed() {
        let german = Style { thousands: Some('.'), decimal: Some(','), strict: true };
        assert_eq!(count("1.200", german), Ok(Some(1200)));
        assert_eq!(amount("1.234,5", german), Ok(Some(1234.5)));
        let strict = Style { strict: true, ..Style::default() };
        assert_eq!(count("1.200", strict), Err(&reason::AMBIGUOUS_NUMBER));
        assert_eq!(count("1,200", strict), Err(&reason::AMBIGUOUS_NUMBER));
        assert_eq!(count("1200.0", strict), Ok(Some(1200)));
        assert_eq!(amount("0.005", strict), Ok(Some(0.005)));
        assert_eq!(amount("$1.2e-05", Style::default()), Ok(Some(1.2e-5)));
    }
}
