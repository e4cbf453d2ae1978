//! Takes out of prompts what names a person or opens a door: addresses of e-mail, numbers of telephones,
//! cards and accounts, addresses in networks, keys.
//!
//! It looks at shapes, so it misses names and street addresses and sometimes takes out what is harmless.
//! Whoever sends a drawn set to somebody else has to read it first.

/// What stands in place of what was taken out.
const EMAIL: &str = "[EMAIL]";
const PHONE: &str = "[PHONE]";
const CARD: &str = "[CARD]";
const ACCOUNT: &str = "[IBAN]";
const NETWORK: &str = "[IP]";
const SECRET: &str = "[SECRET]";

/// How keys of well-known services begin.
const KEY_BEGINNINGS: &[&str] = &[
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "eyJ",
    "hf_",
    "gsk_",
    "npm_",
    "pypi-",
    "dop_v1_",
    "SG.",
];
/// Shortest key with such a beginning.
const SHORTEST_KEY: usize = 16;
/// A word of letters and digits at least this long is a key or a hash, whatever it begins with.
const RANDOM: usize = 32;

/// The text, and how many things were taken out of it.
pub fn redact(text: &str) -> (String, u32) {
    let mut out = String::with_capacity(text.len());
    let mut taken = 0;
    let mut rest = text;
    while !rest.is_empty() {
        // Numbers may have spaces in them, words may not.
        if let Some((length, mark)) = number(rest, out.chars().next_back()) {
            out.push_str(mark);
            taken += 1;
            rest = &rest[length..];
            continue;
        }
        let word_end =
            rest.find(|c: char| c.is_whitespace() || "\"'<>()[]{},;`|".contains(c)).unwrap_or(rest.len());
        if word_end == 0 {
            let mut chars = rest.chars();
            out.extend(chars.next());
            rest = chars.as_str();
            continue;
        }
        let (word, after) = rest.split_at(word_end);
        // A word is looked at whole, and behind each `=` and `:` in it.
        let at = word.find(['=', ':']).map(|n| n + 1).filter(|n| *n < word.len());
        let plain = word.trim_end_matches(['.', '!', '?', ':']);
        if let Some(mark) = shape(plain) {
            out.push_str(mark);
            out.push_str(&word[plain.len()..]);
            taken += 1;
            rest = after;
        } else {
            let step = at.unwrap_or(word_end);
            out.push_str(&rest[..step]);
            rest = &rest[step..];
        }
    }
    (out, taken)
}

fn shape(word: &str) -> Option<&'static str> {
    if let Some((name, host)) = word.rsplit_once('@')
        && !name.is_empty()
        && host.contains('.')
        && host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
    {
        return Some(EMAIL);
    }
    if word.parse::<std::net::Ipv4Addr>().is_ok()
        || (word.contains("::") && word.parse::<std::net::Ipv6Addr>().is_ok())
    {
        return Some(NETWORK);
    }
    let is_key = |c: char| c.is_ascii_alphanumeric() || "-_./+=".contains(c);
    let digits = word.bytes().any(|b| b.is_ascii_digit());
    let letters = word.bytes().any(|b| b.is_ascii_alphabetic());
    if word.len() >= SHORTEST_KEY
        && word.chars().all(is_key)
        && KEY_BEGINNINGS.iter().any(|k| word.starts_with(k))
    {
        return Some(SECRET);
    }
    let dense = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '+');
    if word.len() >= RANDOM && dense && digits && letters {
        return Some(SECRET);
    }
    iban(word).then_some(ACCOUNT)
}

/// An account number of ISO 13616, written in one: country, two check digits, the rest modulo 97.
fn iban(word: &str) -> bool {
    let bytes = word.as_bytes();
    if !(15..=34).contains(&bytes.len())
        || !bytes[..2].iter().all(u8::is_ascii_uppercase)
        || !bytes[2..4].iter().all(u8::is_ascii_digit)
        || !bytes.iter().all(u8::is_ascii_alphanumeric)
    {
        return false;
    }
    let turned = bytes[4..].iter().chain(&bytes[..4]);
    let rest = turned.fold(0u32, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        b => (rest * 100 + u32::from(b.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    rest == 1
}

/// A telephone or card number at the beginning of `text`, spaces, dots and hyphens inside: its bytes.
fn number(text: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let first = text.chars().next()?;
    if !(first.is_ascii_digit() || first == '+')
        || before.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '-')
    {
        return None;
    }
    let (mut digits, mut end, mut groups, mut last) = (Vec::new(), 0, 1, ' ');
    for (n, c) in text.char_indices() {
        match c {
            '0'..='9' => {
                digits.push(c as u8 - b'0');
                end = n + 1;
            }
            '+' if n == 0 => {}
            ' ' | '-' | '/' if last.is_ascii_digit() => groups += 1,
            _ => break,
        }
        last = c;
    }
    if text[end..].starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let luhn = |digits: &[u8]| {
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(n, d)| if n % 2 == 1 { u32::from(d * 2 / 10 + d * 2 % 10) } else { u32::from(*d) })
            .sum();
        sum.is_multiple_of(10)
    };
    let used = text[..end].chars().filter(|c| !c.is_ascii_digit() && *c != '+').count() + 1;
    groups = groups.min(used);
    if (13..=19).contains(&digits.len()) && luhn(&digits) && digits.iter().any(|d| *d > 0) {
        return Some((end, CARD));
    }
    // With a country's code, or written in groups as telephones are.
    let phone = (first == '+' && (8..=15).contains(&digits.len()))
        || (digits.first() == Some(&0) && groups >= 2 && (8..=13).contains(&digits.len()));
    phone.then_some((end, PHONE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_person_or_opens_a_door_is_taken_out() {
        for (text, clean) in [
            ("Write to anna.k@example.org, please.", "Write to [EMAIL], please."),
            ("Call +49 30 1234567 or 0171/1234567 now", "Call [PHONE] or [PHONE] now"),
            ("card 4111 1111 1111 1111.", "card [CARD]."),
            ("IBAN DE89370400440532013000", "IBAN [IBAN]"),
            ("from 192.168.10.4:", "from [IP]:"),
            ("key=sk-proj-abcdefghijklmnop1234", "key=[SECRET]"),
            ("{\"token\": \"ghp_abcdefghijklmnopqrst\"}", "{\"token\": \"[SECRET]\"}"),
            ("hash 0123456789abcdef0123456789abcdef", "hash [SECRET]"),
        ] {
            assert_eq!(redact(text).0, clean);
        }
    }

    #[test]
    fn ordinary_texts_stay_as_they_are() {
        for text in [
            "",
            "What is 17 * 23? The year 2026, 10:30, 3.14, 1,234,567 items, 50 %.",
            "2026-11-27 is a Friday; version 1.2.3; room 12-34.",
            "ünïcödé 日本語 😀\n\ttabs\n",
            "See https://example.org/a/b?c=d and file_name_with_words.rs",
            "a = b + c; x[0] = {1, 2}",
        ] {
            assert_eq!(redact(text), (text.to_owned(), 0));
        }
    }
}
