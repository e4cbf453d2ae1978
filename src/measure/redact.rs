//! Keys never leave the request: whatever comes from outside is searched for them first.

use secrecy::{ExposeSecret as _, SecretString};

/// Pieces of a key this long or longer are taken for the key.
const PIECE: usize = 12;

/// Knows the keys in use and takes them out of text.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Each key as it is and in base64.
    forms: Vec<SecretString>,
}

impl Redactor {
    /// Also look for this key.
    pub fn add(&mut self, key: &SecretString) {
        self.forms.push(key.clone());
        self.forms.push(SecretString::from(base64(key.expose_secret().as_bytes())));
    }

    /// The text with every key, and every longer piece of one, replaced by `***`.
    pub fn clean(&self, text: &str) -> String {
        self.cleaned(text.to_owned())
    }

    /// The same of a text that is not needed any more. Most pieces of an answer are too short to hold
    /// a piece of a key, and are not looked at.
    pub fn cleaned(&self, mut text: String) -> String {
        for form in &self.forms {
            let form = form.expose_secret();
            if text.len() >= PIECE.min(form.len()) {
                text = without(&text, form);
            }
        }
        text
    }
}

fn without(text: &str, key: &str) -> String {
    let least = PIECE.min(key.len());
    if least == 0 {
        return text.to_owned();
    }
    let (bytes, key) = (text.as_bytes(), key.as_bytes());
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut kept = 0;
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
