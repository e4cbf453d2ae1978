//! Everything not written by us is hostile text: model answers, provider errors, model metadata,
//! file names. One function per sink (faults.md A5); each renderer calls its own, nobody else does.

#![warn(missing_docs)]

/// For a terminal: line feeds and tabs stay; every other control character, C1, bidirectional
/// control and zero-width character goes, so that text cannot move the cursor, set a title or
/// reorder what a person reads.
pub fn terminal(text: &str) -> String {
    text.chars().filter(|&c| c == '\n' || c == '\t' || !is_unsafe(c)).collect()
}

/// For one line of a terminal: as [`terminal`], with line feeds and tabs as spaces and at most
/// `max` characters.
pub fn line(text: &str, max: usize) -> String {
    let mut out: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|&c| !is_unsafe(c))
        .take(max + 1)
        .collect();
    if out.chars().count() > max {
        out = out.chars().take(max.saturating_sub(1)).collect();
        out.push('…');
    }
    out
}

/// A line of a file around a place, and the marks below it: at most 100 characters of it, whatever
/// the line holds. `column` counts characters from 1, `width` is how many of them are meant.
pub fn excerpt(line: &str, column: usize, width: usize) -> (String, String) {
    const SHOWN: usize = 100;
    let before = column.saturating_sub(1);
    let skip = if column > 80 { column - 40 } else { 0 };
    let shown = line.chars().skip(skip).take(SHOWN).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let at = before - skip;
    let marks = format!("{}{}", " ".repeat(at), "^".repeat(width.clamp(1, SHOWN.saturating_sub(at).max(1))));
    (shown, marks)
}

/// Longest run of characters without a blank that an error shows whole: longer than most paths.
const LONGEST_WORD: usize = 400;
/// Longest error.
const LONGEST_TEXT: usize = 16 << 10;

/// For an error message that may quote a file: words that no person reads lose their middle, and a
/// text that no person reads its end.
pub fn brief(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let letters = word.chars().count();
        if letters <= LONGEST_WORD {
            out.push_str(word);
        } else {
            out.extend(word.chars().take(100));
            out.push('…');
            out.extend(word.chars().skip(letters - 20));
        }
        if out.len() > LONGEST_TEXT {
            out.push('…');
            break;
        }
    }
    out
}

/// For HTML, as text or in a quoted attribute.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// For a Markdown table cell or paragraph: one line, with the characters that would start markup
/// escaped.
pub fn markdown(text: &str) -> String {
    let text = line(text, usize::MAX - 1);
    let text = text.trim();
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    // At the start of a line these would make a list or a rule: `- `, `+ `, `1. `, `1) `, `=`.
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        let escape = match c {
            '|' | '\\' | '`' | '*' | '<' | '>' | '[' | ']' | '#' | '~' | '&' => true,
            // Inside a word an underscore is only an underscore.
            '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
            '-' | '+' | '=' => out.is_empty(),
            '.' | ')' => digits > 0 && out.len() == digits,
            _ => false,
        };
        if escape {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// For a CSV text cell: a leading character that a spreadsheet would take for a formula is
/// disarmed with an apostrophe. Numbers do not pass through here.
pub fn csv_text(text: &str) -> String {
    let clean = terminal(text);
    let body = clean.trim_start_matches(['"', '\'', ' ', '\n']);
    if body.starts_with(['=', '+', '-', '@', '\t', '\r']) || clean.starts_with(['\t', '\r']) {
        format!("'{clean}")
    } else {
        clean
    }
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{061c}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' | '\u{2028}' | '\u{2029}' | '\u{00ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_reach_a_terminal() {
        assert_eq!(terminal("a\u{1b}[31mb\u{9b}2J\r\nc\u{202e}d"), "a[31mb2J\ncd");
        assert_eq!(line("a\nb\tc", 10), "a b c");
        assert_eq!(line("abcdef", 4), "abc…");
    }

    #[test]
    fn an_excerpt_is_short_and_marks_its_place() {
        assert_eq!(excerpt("a = = 1", 5, 1), ("a = = 1".to_owned(), "    ^".to_owned()));
        let (shown, marks) = excerpt(&"x".repeat(1_000_000), 500_000, 400_000);
        assert_eq!((shown.len(), marks.len()), (100, 100));
        assert!(excerpt("", 1, 0).1 == "^" && excerpt("ab", 900, 1).1.ends_with('^'));
        let long = format!("unknown key `{}`: did you mean `a`?", "k".repeat(1 << 20));
        let short = brief(&long);
        assert!(short.len() < 300 && short.ends_with("did you mean `a`?"), "{short}");
        assert!(brief(&"word ".repeat(1 << 20)).len() < 17 << 10);
        assert_eq!(brief("two  words\n\nand a path"), "two  words\n\nand a path");
    }

    #[test]
    fn formulas_are_disarmed() {
        for cell in ["=1+1", "+1", "-1", "@x", "\"=1", "\t=1"] {
            assert!(csv_text(cell).starts_with('\''), "{cell:?} -> {:?}", csv_text(cell));
        }
        assert_eq!(csv_text("plain"), "plain");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(html("<b a='1'>"), "&lt;b a=&#39;1&#39;&gt;");
        assert_eq!(markdown("a|b\n<i>"), "a\\|b \\<i\\>");
        assert_eq!(markdown("ttft_ms _x_ &lt;"), "ttft_ms \\_x\\_ \\&lt;");
        assert_eq!(markdown("12. x"), "12\\. x");
        assert_eq!((markdown("- x"), markdown("a - x 1.")), ("\\- x".into(), "a - x 1.".into()));
    }
}
