//! Removes API keys from everything that comes from outside, so that they never leave the request.

use secrecy::{ExposeSecret as _, SecretString};
use std::collections::HashSet;

/// Letters and digits of a key in a row that are taken for the key; other characters between them do not
/// count.
const PIECE: usize = 10;
/// A key of fewer bytes than this is no secret, whatever it is.
const SHORTEST: usize = 8;
/// A key of fewer bytes than this is taken for a word, such as `not-needed` or `lm-studio`, unless it has a
/// digit.
const SHORTEST_WORD: usize = 16;

/// Is a key worth hiding? Servers of one's own take `none`, `EMPTY` or `ollama` for a key, and an answer
/// that contains such a word must not be changed.
pub fn is_secret(key: &SecretString) -> bool {
    let key = key.expose_secret();
    key.len() >= SHORTEST && (key.len() >= SHORTEST_WORD || key.bytes().any(|b| b.is_ascii_digit()))
}

/// Finds the keys in use in a text, however a server wrote them down: as they are, in upper case, spaced
/// out, escaped (`%2D`, `\u002d`), in hex, or inside a base64 text, such as that of a whole header.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Every run of [`PIECE`] letters and digits of every form of every key.
    pieces: HashSet<[u8; PIECE]>,
    /// Keys with fewer letters and digits than that: they are looked for as they are.
    short: Vec<SecretString>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(***)")
    }
}

impl Redactor {
    /// Also looks for this key, where it is worth hiding.
    pub fn add(&mut self, key: &SecretString) {
        if !is_secret(key) {
            return;
        }
        let bytes = key.expose_secret().as_bytes();
        let plain = folded(key.expose_secret());
        if plain.len() < PIECE {
            self.short.push(key.clone());
        }
        self.learn(&plain);
        self.learn(&folded(&hex(bytes)));
        // Inside a longer base64 text its bytes may begin at any of three places of a group; characters
        // that depend on the bytes before are left out.
        for (before, unknown) in [(0, 0), (1, 2), (2, 3)] {
            let shifted = [&vec![0; before], bytes].concat();
            self.learn(&folded(&base64(&shifted)[unknown..]));
        }
    }

    fn learn(&mut self, form: &[Letter]) {
        self.pieces.extend(form.windows(PIECE).filter_map(piece));
    }

    /// The text with every key, and every longer piece of one, replaced by `***`.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for key in &self.short {
            text = text.replace(key.expose_secret(), "***");
        }
        if self.pieces.is_empty() || text.len() < PIECE {
            return text;
        }
        let letters = folded(&text);
        let is_piece = |w: &&[Letter]| piece(w).is_some_and(|piece| self.pieces.contains(&piece));
        let mut hidden: Vec<(usize, usize)> = Vec::new();
        for window in letters.windows(PIECE).filter(is_piece) {
            let (from, to) = (window[0].from, window[PIECE - 1].to);
            match hidden.last_mut() {
                Some(last) if from <= last.1 => last.1 = to,
                _ => hidden.push((from, to)),
            }
        }
        // From the end, so that earlier places stay valid.
        for (from, to) in hidden.into_iter().rev() {
            text.replace_range(from..to, "***");
        }
        text
    }
}

/// A letter or digit in lower case, and the range of bytes in the text that it was written with.
#[derive(Debug, Clone, Copy)]
struct Letter {
    byte: u8,
    from: usize,
    to: usize,
}

fn piece(letters: &[Letter]) -> Option<[u8; PIECE]> {
    let bytes: Vec<u8> = letters.iter().map(|l| l.byte).collect();
    bytes.try_into().ok()
}

/// Only the letters and digits of a text, with escapes decoded.
fn folded(text: &str) -> Vec<Letter> {
    let bytes = text.as_bytes();
    let mut letters = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (byte, length) = escaped(&bytes[at..]).unwrap_or((bytes[at], 1));
        if byte.is_ascii_alphanumeric() {
            letters.push(Letter { byte: byte.to_ascii_lowercase(), from: at, to: at + length });
        }
        at += length;
    }
    letters
}

/// The byte that `%2D`, `\x2d`, `0x2d` or `\u002d` at the beginning stands for, and its length.
fn escaped(bytes: &[u8]) -> Option<(u8, usize)> {
    let opening = [&b"%"[..], b"\\x", b"0x", b"\\u00"].into_iter().find(|o| bytes.starts_with(o))?;
    let digits = std::str::from_utf8(bytes.get(opening.len()..opening.len() + 2)?).ok()?;
    let byte = digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())?;
    Some((byte?, opening.len() + 2))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

/// Standard base64 without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
            (0..=chunk.len()).map(move |i| char::from(DIGITS[(word >> (18 - 6 * i)) as usize & 63]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_no_secret() {
        for word in ["none", "EMPTY", "ollama", "sk-1234", "lm-studio", "not-needed"] {
            let mut redactor = Redactor::default();
            redactor.add(&SecretString::from(word));
            let text = format!("There is {word} of it.");
            assert_eq!(redactor.clean(&text), text);
        }
        for key in ["sk-canary-0123456789abcdef", "pass1word", "a-long-token-of-letters"] {
            assert!(is_secret(&SecretString::from(key)), "{key}");
        }
    }

    #[test]
    fn keys_and_their_pieces_go() {
        let mut redactor = Redactor::default();
        redactor.add(&SecretString::from("sk-canary-0123456789abcdef"));
        assert_eq!(redactor.clean("Incorrect key sk-canary-0123456789abcdef."), "Incorrect key ***.");
        assert_eq!(redactor.clean("key sk-canary-012 ***f"), "key *** ***f");
        assert_eq!(redactor.clean("ü é sk-can é"), "ü é sk-can é");
        let encoded = "c2stY2FuYXJ5LTAxMjM0NTY3ODlhYmNkZWY";
        assert_eq!(base64(b"sk-canary-0123456789abcdef"), encoded);
        assert_eq!(redactor.clean(encoded), "***");
    }

    /// Every way in which a server could write down a key that it got.
    #[test]
    fn keys_go_in_every_writing() {
        let key = "sk-canary-0123456789abcdef";
        let mut redactor = Redactor::default();
        redactor.add(&SecretString::from(key));
        let each = |way: &dyn Fn(char) -> String| key.chars().map(way).collect::<Vec<_>>().concat();
        let hex = |separator: &str| {
            let digits: Vec<String> = key.bytes().map(|b| format!("{b:02x}")).collect();
            digits.join(separator)
        };
        let mut writings = vec![
            key.to_uppercase(),
            each(&|c| format!("{c} ")),
            each(&|c| format!("{c}\u{200b}")),
            each(&|c| format!("%{:02X}", c as u32)),
            each(&|c| format!("\\u{:04x}", c as u32)),
            each(&|c| format!("\\x{:02x}", c as u32)),
            key.replace('-', "%2D"),
            key.replace('-', "\n"),
            hex(""),
            hex("").to_uppercase(),
            hex(":"),
            hex(" 0x"),
        ];
        for before in ["", "Bearer ", "Authorization: Bearer ", "x-api-key: ", "a", "ab"] {
            for after in ["", ";", "\r\nHost: x"] {
                let header = format!("{before}{key}{after}");
                let encoded = base64(header.as_bytes());
                writings.push(encoded.replace('+', "-").replace('/', "_"));
                writings.push(encoded.chars().map(|c| format!("{c} ")).collect::<Vec<_>>().concat());
                writings.push(encoded);
            }
        }
        for writing in writings {
            let text = format!("You sent {writing}, which is wrong.");
            let clean = redactor.clean(&text);
            assert!(clean.contains("***") && clean.starts_with("You sent "), "{clean}");
            assert!(clean.ends_with(" which is wrong."), "{clean}");
            assert!(!clean.to_lowercase().contains("canary"), "{clean}");
        }
        assert_eq!(format!("{redactor:?}"), "Redactor(***)");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let mut redactor = Redactor::default();
        redactor.add(&SecretString::from("sk-canary-0123456789abcdef"));
        redactor.add(&SecretString::from("a1-b2-c3"));
        for text in ["", "sk-canary", "0x73 and 100% of %zz \\u00", "ü".repeat(100).as_str()] {
            assert_eq!(redactor.clean(text), text);
        }
        assert_eq!(redactor.clean("it is a1-b2-c3!"), "it is ***!");
    }
}
