//! Keys never leave the request: whatever comes from outside is searched for them first.

use secrecy::{ExposeSecret as _, SecretString};
use std::collections::HashSet;

/// Pieces of a key this long or longer are taken for the key.
const PIECE: usize = 12;
/// A key shorter than this is no secret, whatever it is.
const SHORTEST: usize = 8;
/// One shorter than this is a word, such as `not-needed` or `lm-studio`, unless it has a digit.
const SHORTEST_WORD: usize = 16;

/// Is a key worth hiding? Servers of one's own take `none`, `EMPTY` or `ollama`, and an answer that has
/// such a word in it is not to be changed.
pub fn is_secret(key: &SecretString) -> bool {
    let key = key.expose_secret();
    key.len() >= SHORTEST && (key.len() >= SHORTEST_WORD || key.bytes().any(|b| b.is_ascii_digit()))
}

/// Knows the keys in use and takes them out of text.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Each key as it is and in base64.
    forms: Vec<SecretString>,
}

impl Redactor {
    /// Also look for this key, where it is worth hiding.
    pub fn add(&mut self, key: &SecretString) {
        if !is_secret(key) {
            return;
        }
        self.forms.push(key.clone());
        self.forms.push(SecretString::from(base64(key.expose_secret().as_bytes())));
    }

    /// The text with every key, and every longer piece of one, replaced by `***`.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for form in &self.forms {
            text = without(text, form.expose_secret().as_bytes());
        }
        text
    }
}

fn without(text: String, key: &[u8]) -> String {
    let least = PIECE.min(key.len());
    let bytes = text.as_bytes();
    // Nearly no text has any piece of a key in it.
    let pieces: HashSet<&[u8]> = key.windows(least).collect();
    let Some(first) = bytes.windows(least).position(|w| pieces.contains(w)) else { return text };
    let mut out = String::with_capacity(text.len());
    let (mut at, mut kept) = (first, 0);
    while at < bytes.len() {
        let longest = (0..=key.len() - least)
            .map(|k| key[k..].iter().zip(&bytes[at..]).take_while(|(a, b)| a == b).count())
            .max()
            .unwrap_or(0);
        // Only whole characters are cut: a key is ASCII, so its pieces start and end on boundaries.
        if longest >= least && text.is_char_boundary(at) && text.is_char_boundary(at + longest) {
            out.push_str(&text[kept..at]);
            out.push_str("***");
            at += longest;
            kept = at;
        } else {
            at += 1;
        }
    }
    out.push_str(&text[kept..]);
    out
}

/// Standard base64 without padding: some servers echo a header that way.
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
}
