//! Removes from prompts what identifies a person or gives access: e-mail addresses, numbers of telephones,
//! cards and accounts, network addresses, keys.
//!
//! Only the form of a text is examined, so that names and street addresses are missed, and harmless text is
//! sometimes removed. Before a set is given to somebody else, a person has to read it.

/// Replacement texts.
const EMAIL: &str = "[EMAIL]";
const PHONE: &str = "[PHONE]";
const CARD: &str = "[CARD]";
const ACCOUNT: &str = "[IBAN]";
const NETWORK: &str = "[IP]";
const SECRET: &str = "[SECRET]";
/// A social security number of the USA.
const SOCIAL: &str = "[SSN]";

/// Every replacement text: one that stands there already is left as it is.
const MARKS: [&str; 7] = [EMAIL, PHONE, CARD, ACCOUNT, NETWORK, SECRET, SOCIAL];

/// Names after whose `:` or `=` a secret follows.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "api_key",
    "api-key",
    "apikey",
    "client_secret",
    "secret_key",
    "access_token",
];

/// Prefixes of keys of well-known services.
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
/// The most parts of one word, separated by `=` and `:`, that are examined: a word may be megabytes long.
const MOST_PARTS: u32 = 64;
/// Least length of a key with such a prefix.
const SHORTEST_KEY: usize = 16;
/// A word of letters and digits at least this long counts as a key or a hash, whatever its beginning.
const RANDOM: usize = 32;

/// The text without them, and how many were removed.
pub fn redact(text: &str) -> (String, u32) {
    let mut out = String::with_capacity(text.len());
    let mut taken = 0;
    let mut rest = text;
    // The previous word says that a secret follows.
    let mut secret_follows = false;
    // Number of parts of the current word that were examined.
    let mut parts = 0;
    while !rest.is_empty() {
        if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            out.push_str(mark);
            rest = &rest[mark.len()..];
            secret_follows = false;
            parts = 0;
            continue;
        }
        // Numbers may contain spaces, words may not.
        let before = out.chars().next_back();
        if let Some((length, mark)) = number(rest, before).or_else(|| spaced_iban(rest, before)) {
            out.push_str(mark);
            taken += 1;
            rest = &rest[length..];
            continue;
        }
        let word_end =
            rest.find(|c: char| c.is_whitespace() || "\"'<>()[]{},;`|".contains(c)).unwrap_or(rest.len());
        if word_end == 0 {
            parts = 0;
            let mut chars = rest.chars();
            out.extend(chars.next());
            rest = chars.as_str();
            continue;
        }
        let (word, after) = rest.split_at(word_end);
        // A word is examined as a whole, and after each `=` and `:` in it.
        parts += 1;
        let at = word.find(['=', ':']).map(|n| n + 1).filter(|n| *n < word.len() && parts < MOST_PARTS);
        let plain = word.trim_end_matches(['.', '!', '?', ':']);
        let told = secret_follows && at.is_none() && plain != "=" && !is_plain_word(plain);
        if let Some(mark) = if told { Some(SECRET) } else { shape(plain) } {
            out.push_str(mark);
            out.push_str(&word[plain.len()..]);
            taken += 1;
            rest = after;
            secret_follows = false;
        } else if let Some((login, end)) = login(word) {
            out.push_str(&word[..login]);
            out.push_str(SECRET);
            taken += 1;
            rest = &rest[end..];
            secret_follows = false;
        } else {
            let step = at.unwrap_or(word_end);
            let name = rest[..step].to_lowercase();
            secret_follows = match name.strip_suffix([':', '=']) {
                // `name = value`, with spaces around the sign.
                Some("") => secret_follows,
                Some(name) => names_secret(name),
                None if after.trim_start().starts_with('=') => names_secret(&name),
                None => name == "bearer" && out.ends_with(": "),
            };
            out.push_str(&rest[..step]);
            rest = &rest[step..];
        }
    }
    (out, taken)
}

/// Does a word consist only of letters, as ordinary words do? Then it is not taken for a password.
fn is_plain_word(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_none_or(char::is_alphabetic)
        && letters.all(|c| c.is_lowercase() || c == '\'' || c == '-' || !c.is_ascii() && c.is_alphabetic())
}

fn names_secret(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| name.ends_with(secret))
}

/// The user name and password in a URL (`scheme://name:password@host`): their position in the word.
fn login(word: &str) -> Option<(usize, usize)> {
    let start = word.find("://")? + 3;
    let end = start + word[start..].find(['/', '?', '#']).unwrap_or(word.len() - start);
    let at = start + word[start..end].rfind('@')?;
    word[start..at].contains(':').then_some((start, at))
}

fn shape(word: &str) -> Option<&'static str> {
    if let Some((name, host)) = word.rsplit_once('@')
        && !name.is_empty()
        && host.contains('.')
        && host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
    {
        return Some(EMAIL);
    }
    // A port or a network size may follow.
    let v4 = word.split([':', '/']).next().unwrap_or_default();
    let behind = &word[v4.len()..];
    let numbered = behind.is_empty() || behind[1..].bytes().all(|b| b.is_ascii_digit());
    if (numbered && v4.parse::<std::net::Ipv4Addr>().is_ok())
        || word.split('/').next().is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok())
        || hardware_address(word)
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

/// Is it a hardware (MAC) address: six pairs of hexadecimal digits?
fn hardware_address(word: &str) -> bool {
    [':', '-'].iter().any(|sign| {
        let pairs: Vec<&str> = word.split(*sign).collect();
        pairs.len() == 6 && pairs.iter().all(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

/// Length in bytes of an IBAN that is written in groups.
fn spaced_iban(text: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    if before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let (mut joined, mut end, mut found) = (String::new(), 0, None);
    for group in text.split(' ').take(9) {
        let letters = group.bytes().take_while(u8::is_ascii_alphanumeric).count();
        joined.push_str(&group[..letters]);
        end += letters;
        if letters == 0 || joined.len() > 34 {
            break;
        }
        if iban(&joined) {
            found = Some((end, ACCOUNT));
        }
        if letters < group.len() {
            break;
        }
        end += 1;
    }
    found
}

/// Is it an IBAN (ISO 13616) written without spaces: country, two check digits, and the rest modulo 97?
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

/// A number written in groups of digits: the digits of each group, the signs before it, and where it ends.
struct Groups {
    digits: Vec<Vec<u8>>,
    signs: Vec<String>,
    ends: Vec<usize>,
}

/// The groups of digits at the beginning of `text`.
fn groups(text: &str) -> Groups {
    let mut found = Groups { digits: Vec::new(), signs: Vec::new(), ends: Vec::new() };
    let mut at = 0;
    // None of the numbers in question has more groups.
    while found.digits.len() < 8 {
        let signs = text[at..].bytes().take_while(|b| b" -/.()+".contains(b)).count();
        let digits = text[at + signs..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 19 || signs > 2 {
            break;
        }
        found.signs.push(text[at..at + signs].to_owned());
        at += signs;
        found.digits.push(text.as_bytes()[at..at + digits].iter().map(|b| b - b'0').collect());
        at += digits;
        found.ends.push(at);
    }
    found
}

/// Length in bytes of a telephone, card or social security number at the beginning of `text`, with or
/// without groups.
fn number(text: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let first = text.chars().next()?;
    if !(first.is_ascii_digit() || first == '+' || first == '(')
        || before.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '-')
    {
        return None;
    }
    let found = groups(text);
    (1..=found.digits.len()).rev().find_map(|n| {
        let end = found.ends[n - 1];
        if text[end..].starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        kind(&found.digits[..n], &found.signs[..n]).map(|mark| (end, mark))
    })
}

/// What kind of number these groups are.
fn kind(groups: &[Vec<u8>], signs: &[String]) -> Option<&'static str> {
    let digits = groups.concat();
    let between = |allowed: &str| signs[1..].iter().all(|s| s.len() == 1 && allowed.contains(s.as_str()));
    if signs[0].is_empty()
        && between(" -/")
        && (13..=19).contains(&digits.len())
        && luhn(&digits)
        && digits.iter().any(|d| *d > 0)
    {
        return Some(CARD);
    }
    let lengths: Vec<usize> = groups.iter().map(Vec::len).collect();
    if signs[0].is_empty() && lengths == [3, 2, 4] && signs[1..] == ["-", "-"] {
        return Some(SOCIAL);
    }
    let phone = match signs[0].as_str() {
        // With a country code.
        "+" => (8..=15).contains(&digits.len()),
        // As in North America: area code, exchange, line.
        "" | "(" if lengths == [3, 3, 4] => {
            let closed = signs[0] == "(";
            (matches!(signs[1].as_str(), ")" | ") ") == closed && (closed || between("-. ")))
                && ["-", ".", " "].contains(&signs[2].as_str())
        }
        // Grouped as telephone numbers are; the thousands of a large number are not.
        "" => {
            digits[0] == 0
                && !digits.starts_with(&[0, 0, 0])
                && groups.len() >= 2
                && between(" -/")
                && (8..=13).contains(&digits.len())
        }
        "(" => {
            digits[0] == 0
                && groups.len() >= 2
                && signs[1].starts_with(')')
                && (8..=13).contains(&digits.len())
        }
        _ => false,
    };
    phone.then_some(PHONE)
}

/// Is the check digit of a card number right (Luhn's algorithm)?
fn luhn(digits: &[u8]) -> bool {
    let doubled = |d: u8| u32::from(d * 2 / 10 + d * 2 % 10);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, d)| if n % 2 == 1 { doubled(*d) } else { u32::from(*d) })
        .sum();
    sum.is_multiple_of(10)
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
            (
                "call (555) 010-1000, 555-010-1000, 555.010.1000 or +1 (555) 010-1000!",
                "call [PHONE], [PHONE], [PHONE] or [PHONE]!",
            ),
            (
                "Tel. (030) 123 4567, +44.20.7946.1000, 0049 30 1234567 2026 times",
                "Tel. [PHONE], [PHONE], [PHONE] 2026 times",
            ),
            (
                "IBAN DE89 3704 0044 0532 0130 00 of Jane, GB29 NWBK 6016 1331 9268 19.",
                "IBAN [IBAN] of Jane, [IBAN].",
            ),
            ("SSN 123-45-6789, card 4111-1111-1111-1111", "SSN [SSN], card [CARD]"),
            ("at 10.0.0.7:8080, 10.0.0.0/8 and 2001:db8:0:1:1:1:1:1", "at [IP], [IP] and [IP]"),
            ("mac 00:1A:2b:3C:4d:5E", "mac [IP]"),
            ("psql postgres://anna:hunter2@db.example.org/x", "psql postgres://[SECRET]@db.example.org/x"),
            (
                "password: hunter2! db_password=x7 API_KEY = abC",
                "password: [SECRET]! db_password=[SECRET] API_KEY = [SECRET]",
            ),
            ("Authorization: Bearer abc.def", "Authorization: Bearer [SECRET]"),
        ] {
            assert_eq!(redact(text).0, clean);
        }
    }

    #[test]
    fn a_word_without_end_takes_no_time_without_end() {
        let long = "a=".repeat(100_000);
        assert_eq!(redact(&long), (long.clone(), 0));
        let bearers = "bearer ".repeat(50_000);
        assert_eq!(redact(&bearers), (bearers.clone(), 0));
    }

    #[test]
    fn what_was_taken_out_stays_as_it_is() {
        for text in
            ["password: hunter2!x", "pwd: {[SECRET]}", "[EMAIL] password = [SECRET]", "a@b.org +41791234567"]
        {
            let once = redact(text).0;
            assert_eq!(redact(&once), (once.clone(), 0), "{text}");
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
            "1 000 000 000 people (2026), pages 100-200, (1) 2-3, 12/11/2026, 555 or 010",
            "Forgot my password? Reset the password: it is easy to say.",
            "BERT base has 12 layers; DE 89 roads; see https://example.org:8443/a@b",
        ] {
            assert_eq!(redact(text), (text.to_owned(), 0));
        }
    }
}
