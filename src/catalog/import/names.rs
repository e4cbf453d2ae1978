//! Model names: which contain a date, and which mean "whatever is newest".

/// Year, month and day; year or day are 0 where the name has none.
pub type NameDate = (u16, u8, u8);

/// The date at the end of a model name: `-2025-04-14`, `-20251001`, `-03-2025`, `-2512` (year and month),
/// `-0709` (month and day). Suffixes without a date (`-preview`) are skipped.
pub fn date_of(name: &str) -> Option<NameDate> {
    let parts: Vec<&str> = name.split(['-', '@']).collect();
    let digits = |s: &str, n: usize| (s.len() == n).then(|| s.parse::<u32>().ok()).flatten();
    let date = |year: u32, month: u32, day: u32| -> Option<NameDate> {
        let plausible =
            (year == 0 || (2022..=2035).contains(&year)) && (1..=12).contains(&month) && day <= 31;
        plausible.then_some((u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
    };
    match parts[..] {
        [.., y, m, d] if parts.len() > 3 && digits(y, 4).is_some() && digits(d, 2).is_some() => {
            date(digits(y, 4)?, digits(m, 2)?, digits(d, 2)?)
        }
        [.., m, y] if parts.len() > 2 && digits(m, 2).is_some() && digits(y, 4).is_some_and(|y| y > 2021) => {
            date(digits(y, 4)?, digits(m, 2)?, 0)
        }
        [.., last] if parts.len() > 1 => {
            if let Some(n) = digits(last, 8) {
                return date(n / 10_000, n / 100 % 100, n % 100);
            }
            let n = digits(last, 4)?;
            let (high, low) = (n / 100, n % 100);
            // `2512` is December 2025, since there is no month 25; `0709` is the ninth of July.
            if high > 12 { date(2000 + high, low, 0) } else { date(0, high, low) }
        }
        _ => None,
    }
}

/// Is this a name that never stands for a fixed model?
pub fn is_moving(name: &str) -> bool {
    name.ends_with("-latest") || name == "latest"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_names() {
        for (name, date) in [
            ("gpt-4.1-2025-04-14", Some((2025, 4, 14))),
            ("claude-haiku-4-5-20251001", Some((2025, 10, 1))),
            ("claude-opus-4@20250514", Some((2025, 5, 14))),
            ("command-a-03-2025", Some((2025, 3, 0))),
            ("mistral-large-2512", Some((2025, 12, 0))),
            ("grok-4-0709", Some((0, 7, 9))),
            ("claude-opus-4-5", None),
            ("llama3-8b-8192", None),
            ("mixtral-8x7b-32768", None),
            ("gpt-4o", None),
            ("2512", None),
            ("mistral-small-latest", None),
        ] {
            assert_eq!(date_of(name), date, "{name}");
        }
    }
}
