//! Penn Treebank tokenisation, as in the js-rouge package.

use crate::prompts::js;

/// The tokens of a text in lower case.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let space = |c: char| js::is_space(c) || c == '\u{85}';
    let text = text.split(space).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Vec::new();
    }
    let chars: Vec<char> = text.chars().collect();
    // Most texts contain none of the characters that half of the rules are about.
    let quoted = text.contains(['"', '\'', '`']);
    let text = part_punctuation(&if quoted { part_quotes(&chars) } else { chars });
    let text = if quoted { part_apostrophes(&format!(" {text} ")) } else { text };
    let text = part_contractions(&text);
    text.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Replaces double quotation marks: opening ones by two backticks, closing ones by two apostrophes.
fn part_quotes(text: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let (mut inside, mut at) = (false, 0);
    while at < text.len() {
        let pair = |c| text[at] == c && text.get(at + 1) == Some(&c);
        let len = if pair('`') || pair('\'') { 2 } else { 1 };
        if len == 1 && text[at] != '"' {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let before = at.checked_sub(1).map(|b| text[b]);
        let opening = |c: char| c == ' ' || c == '<' || "([{".contains(c);
        let opens = !inside
            && before.is_none_or(|b| {
                b == ' ' || b == '<' || is_punctuation(b) || (at >= 2 && text[at - 2..at] == ['`', '`'])
            });
        inside = text[at] == '`'
            || ((at + len < text.len() || before.is_none_or(opening))
                && opens
                && !before.is_some_and(|b| ".!?".contains(b))
                && (text[at] == '"'
                    || (at > 0
                        && text.get(at + 2).is_some_and(|c| c.is_alphanumeric() || "$€£¥([{".contains(*c))
                        && next_quote(&text[at + 2..]) == Some(['\'', '\'']))));
        out.extend(if inside { [' ', '`', '`', ' '] } else { [' ', '\'', '\'', ' '] });
        at += len;
    }
    out
}

/// The next double quotation mark that is written as a pair.
fn next_quote(text: &[char]) -> Option<[char; 2]> {
    for (at, c) in text.iter().enumerate() {
        match (c, text.get(at + 1)) {
            ('`', Some('`')) => return Some(['`', '`']),
            ('\'', Some('\'')) => return Some(['\'', '\'']),
            ('"', _) => return None,
            _ => {}
        }
    }
    None
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c);
    }
    matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
        | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '\u{ff01}'..='\u{ff0f}'
        | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}' | '\u{ff20}' | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{964}')
}

/// Puts spaces around punctuation; a full stop counts only at the very end.
fn part_punctuation(text: &[char]) -> String {
    let stop = final_stop(text);
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    while at < text.len() {
        let c = text[at];
        let dots = text.get(at..at + 3) == Some(&['.', '.', '.']);
        if dots {
            out.push_str(" ... ");
            at += 3;
            continue;
        }
        if c == '-' && text.get(at + 1) == Some(&'-') {
            out.push_str(" -- ");
            at += 2;
            continue;
        }
        let digit_follows = text.get(at + 1).is_some_and(|d| d.is_numeric());
        if ";@#$%&?![](){}<>".contains(c) || (":,".contains(c) && !digit_follows) {
            out.extend([' ', c, ' ']);
        } else if stop == Some(at) {
            out.extend([' ', c]);
        } else {
            out.push(c);
        }
        at += 1;
    }
    out
}

/// Position of the full stop at the end of the text, before any closing brackets and quotes. `None` if it
/// follows another one, or belongs to an acronym such as "u.s.".
fn final_stop(text: &[char]) -> Option<usize> {
    let at = text.iter().rposition(|c| !(c.is_whitespace() || "])}>'".contains(*c)))?;
    if text[at] != '.' || at == 0 || text[at - 1] == '.' {
        return None;
    }
    let letter = |i: usize| text[i].is_ascii_alphabetic();
    let acronym = at >= 3
        && letter(at - 1)
        && text[at - 2] == '.'
        && letter(at - 3)
        && (at == 3 || !(text[at - 4].is_ascii_alphanumeric() || text[at - 4] == '_'));
    (!acronym).then_some(at)
}

/// Puts a space before closing apostrophes, possessives and common contractions.
fn part_apostrophes(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() * 2);
    for (at, c) in chars.iter().enumerate() {
        let ends = chars.get(at + 1) == Some(&' ');
        if *c == '\'' && ends && at > 0 && chars[at - 1] != '\'' {
            out.push_str(" '");
        } else {
            out.push(*c);
        }
    }
    let mut parted = String::with_capacity(out.len() * 2);
    for word in out.split(' ') {
        let suffix = ["'s", "'m", "'d", "'ll", "'re", "'ve", "n't"].into_iter().find(|s| word.ends_with(s));
        match suffix {
            Some(suffix) => {
                parted.push_str(&word[..word.len() - suffix.len()]);
                parted.push(' ');
                parted.push_str(suffix);
            }
            None => parted.push_str(word),
        }
        parted.push(' ');
    }
    parted
}

/// Splits words that are two: cannot, gonna, 'twas.
fn part_contractions(text: &str) -> String {
    const PAIRS: &[(&str, &str)] = &[
        ("can", "not"),
        ("d", "'ye"),
        ("gim", "me"),
        ("gon", "na"),
        ("got", "ta"),
        ("lem", "me"),
        ("more", "'n"),
        ("wan", "na"),
        ("'t", "is"),
        ("'t", "was"),
    ];
    let mut out = String::with_capacity(text.len() + 16);
    for word in text.split(' ') {
        let pair = PAIRS.iter().find(|(a, b)| word.strip_prefix(a) == Some(b));
        match pair {
            Some((a, b)) => out.extend([a, " ", b]),
            None => out.push_str(word),
        }
        out.push(' ');
    }
    out
}
