//! Errors in what the user gave, with the name that was probably meant.

use crate::spelling::nearest;

/// An error in what the user gave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InputError(pub String);

/// "unknown key `x`: did you mean `y`?"
pub fn unknown<'a>(what: &str, word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(word, names, 3);
    if near.is_empty() {
        format!("unknown {what} `{word}`")
    } else {
        format!("unknown {what} `{word}`: did you mean `{}`?", near.join("` or `"))
    }
}

/// An error of serde's about a TOML file, for people: the file, toml's own line and caret, and the nearest
/// known name.
pub fn toml_error(file: &str, error: &toml::de::Error) -> String {
    let text = format!("{file}: {}", error.to_string().trim_end());
    match did_you_mean(error.message()) {
        Some(near) => format!("{text}\nDid you mean `{near}`?"),
        None => text,
    }
}

/// "unknown field `privcy`, expected one of `privacy`, `volume`" → `privacy`.
fn did_you_mean(message: &str) -> Option<String> {
    let (unknown, expected) = message.split_once(", expected ")?;
    let quoted =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let typed = quoted(unknown).into_iter().next()?;
    nearest(&typed, quoted(expected).iter().map(String::as_str), 1).pop()
}
