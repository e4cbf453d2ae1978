//! Checks that the model that answered is the one that was asked.

/// Is `answered` a name of the model `asked`, as servers write it: with the date or version that an
/// alias stands for, with or without the folder it is in, in another case?
pub fn is_same(asked: &str, answered: &str) -> bool {
    let plain = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        name.strip_suffix(":latest").map_or(name.clone(), str::to_owned)
    };
    let (asked, answered) = (plain(asked), plain(answered));
    if asked == answered || answered.is_empty() {
        return true;
    }
    // The longer name may add only a date or a version.
    let (short, long) = if asked.len() < answered.len() { (&asked, &answered) } else { (&answered, &asked) };
    let Some(rest) = long.strip_prefix(short.as_str()) else { return false };
    let begins = rest.starts_with(['-', '@', ':', '_', '.']);
    begins && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '@' | ':' | '_' | '.' | 'v'))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_dated_name_is_the_same_model_and_a_smaller_one_is_not() {
        for (asked, answered) in [
            ("gpt-x", "gpt-x"),
            ("gpt-x", "gpt-x-2026-08-06"),
            ("claude-y-4", "claude-y-4@20260514"),
            ("llama3", "llama3:latest"),
            ("org/Model-7B", "model-7b"),
            ("model-7b", "accounts/fireworks/models/model-7b"),
            ("gemini-z", "models/gemini-z-001"),
            ("m", ""),
        ] {
            assert!(is_same(asked, answered), "{asked} {answered}");
        }
        for (asked, answered) in [
            ("gpt-4o", "gpt-4o-mini"),
            ("gpt-x", "gpt-y"),
            ("llama3:70b", "llama3:8b"),
            ("qwen-72b", "qwen-7b"),
            ("x/y", "m"),
        ] {
            assert!(!is_same(asked, answered), "{asked} {answered}");
        }
    }
}
