//! Writes values that come from others safely: one function for each kind of file.

use crate::sanitize;
use serde_json::Value;
use std::fmt::Write as _;

/// The longest name of a model, card or provider that is accepted.
const LONGEST_NAME: usize = 200;

/// A value as YAML, below a comment.
pub fn yaml(comment: &str, value: &Value) -> String {
    documents(comment, std::slice::from_ref(value))
}

/// Several YAML documents in one file, below a comment.
pub fn documents(comment: &str, values: &[Value]) -> String {
    let mut out = comment_lines(comment);
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            out.push_str("---\n");
        }
        // Every JSON value can be written as YAML, so that this does not fail.
        out.push_str(&serde_saphyr::to_string(value).unwrap_or_default());
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// The text as comment lines that begin with `#`.
pub fn comment_lines(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}", format!("# {}", sanitize::line(line, 200)).trim_end());
        out
    })
}

/// A word for a POSIX shell. What cannot be a word (a NUL) has been refused by [`name`].
pub fn shell(word: &str) -> String {
    // zsh takes a word that begins with `=` for a path. With a `=` in the middle a first word would be an
    // assignment, but none of our commands begins with such a word.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}

/// A command line made of these words.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(shell).collect::<Vec<_>>().join(" ")
}

/// The same with one option per line.
pub fn long_command(words: &[String]) -> String {
    let mut out = String::new();
    for (n, word) in words.iter().enumerate() {
        if n > 0 {
            out.push_str(if word.starts_with('-') { " \\\n  " } else { " " });
        }
        out.push_str(&shell(word));
    }
    out
}

/// A string literal for Python and TypeScript: both read JSON's escapes.
pub fn literal(text: &str) -> String {
    let json = Value::from(text).to_string();
    // Line separators end a line in older versions of either language.
    json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// An argument of a container in Kubernetes, which would otherwise replace `$(NAME)`.
pub fn kubernetes_argument(text: &str) -> String {
    text.replace("$(", "$$(")
}

/// A value in a Compose file, which would otherwise replace `$NAME`.
pub fn compose_value(text: &str) -> String {
    text.replace('$', "$$")
}

/// The name, if it is acceptable: not empty, not too long, without invisible characters, and not like an
/// option of a program.
pub fn name(text: &str) -> Option<&str> {
    let fine = !text.is_empty()
        && text.chars().count() <= LONGEST_NAME
        && sanitize::line(text, LONGEST_NAME) == text
        && text.trim() == text
        && !text.starts_with('-');
    fine.then_some(text)
}

/// The text, if it is an `OWNER/REPO` of the hub: letters, digits, `-`, `_` and `.`, of which none of the
/// signs comes first.
pub fn repository(text: &str) -> Option<&str> {
    let part = |p: &str| {
        p.starts_with(|c: char| c.is_ascii_alphanumeric())
            && p.len() <= 96
            && p.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !p.contains("..")
    };
    let (owner, repo) = text.split_once('/')?;
    (part(owner) && part(repo)).then_some(text)
}

/// A name for objects of a cluster and for files: at most 40 lower case letters, digits and hyphens.
pub fn label(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
        if out.len() == 40 {
            break;
        }
    }
    let out = out.trim_matches('-');
    // A name in a cluster must begin with a letter.
    match out.chars().next() {
        None => "model".to_owned(),
        Some(c) if c.is_ascii_digit() => format!("m-{out}"),
        Some(_) => out.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &[&str] = &[
        "$(rm -rf ~)",
        "`id`",
        "a'b\"c",
        "a\\b",
        "${HOME}",
        "{{x}}",
        "%n",
        "a: b",
        "- x",
        "#x",
        "no",
        "1.0",
        "*a",
        "&a",
        "!a",
        "模型",
        "a b",
        "x\u{2028}y",
        "-rf",
        "'''",
        "\"\"\"",
        "</script>",
        "a;b|c&d>e",
        "!!python/object:x",
    ];

    #[test]
    fn shell_words_come_back() {
        for text in HOSTILE {
            assert_eq!(shlex::split(&shell(text)), Some(vec![(*text).to_owned()]), "{text}");
        }
    }

    #[test]
    fn literals_are_json_on_one_line() {
        for text in HOSTILE {
            let literal = literal(text);
            assert_eq!(serde_json::from_str::<String>(&literal).expect("JSON"), *text);
            assert!(!literal.contains(['\n', '\u{2028}']), "{literal}");
        }
    }

    #[test]
    fn names_that_do_not_show_are_none() {
        for text in ["", " a", "-rf", "a\nb", "a\u{0}b", "a\u{202e}b", "a\u{1b}[31m", &"x".repeat(201)] {
            assert_eq!(name(text), None, "{text:?}");
        }
        assert_eq!(name("gpt-oss 120b"), Some("gpt-oss 120b"));
        for text in ["a", "a/b/c", "../b", "a/..", "-a/b", "a/b c", "a/$(x)", "a/b..c", "/b", "a/"] {
            assert_eq!(repository(text), None, "{text}");
        }
        assert_eq!(repository("meta-llama/Llama-3.1-8B-Instruct"), Some("meta-llama/Llama-3.1-8B-Instruct"));
    }

    #[test]
    fn labels_are_names_in_a_cluster() {
        for text in HOSTILE.iter().copied().chain(["Llama-3.1-8B", "", "模", "9b", &"x-".repeat(60)]) {
            let label = label(text);
            assert!(label.len() <= 42 && label.starts_with(|c: char| c.is_ascii_lowercase()), "{label}");
            assert!(!label.ends_with('-') && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        }
        assert_eq!(label("Llama-3.1-8B-Instruct"), "llama-3-1-8b-instruct");
    }
}
