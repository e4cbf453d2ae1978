//! Everything that this program did not write itself is hostile text: model answers, provider errors, model
//! metadata, file names. There is one function for each kind of output; each renderer calls its own, and
//! nobody else does.

#![warn(missing_docs)]

/// For a terminal: line feeds and tabs stay; every other control character, C1, bidirectional
/// control and zero-width character goes, so that text cannot move the cursor, set a title or
/// reorder what a person reads; nor is any line a command to a CI system ([`no_commands`]).
pub fn terminal(text: &str) -> String {
    no_commands(&visible(text))
}

fn visible(text: &str) -> String {
    text.chars().filter(|&c| c == '\n' || c == '\t' || !is_unsafe(c)).collect()
}

/// Breaks up what a CI system would take for a command: `::warning::` at the beginning of a line (GitHub),
/// `##[error]`, `##vso[...]` and `##teamcity[...]` (Azure, `TeamCity`) anywhere in it. A space inserted
/// makes plain text of them. Nothing that this program says itself looks like one.
pub fn no_commands(text: &str) -> String {
    if !text.contains("::") && !text.contains("##") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for line in text.split_inclusive('\n') {
        let words = line.trim_start();
        let (blank, words) = (&line[..line.len() - words.len()], words);
        out.push_str(blank);
        match words.strip_prefix("::") {
            Some(rest) => {
                out.push_str(": :");
                out.push_str(rest);
            }
            None => out.push_str(words),
        }
    }
    for opening in ["##[", "##vso[", "##teamcity["] {
        if out.contains(opening) {
            out = out.replace(opening, &opening.replacen("##", "# #", 1));
        }
    }
    out
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

/// An excerpt of a line around a place in it, and the `^` marks to print below: at most 100 characters,
/// however long the line is. `column` counts characters from 1; `width` is how many of them are marked.
pub fn excerpt(line: &str, column: usize, width: usize) -> (String, String) {
    const SHOWN: usize = 100;
    let before = column.saturating_sub(1);
    let skip = if column > 80 { column - 40 } else { 0 };
    let shown = line.chars().skip(skip).take(SHOWN).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let at = before - skip;
    let marks = format!("{}{}", " ".repeat(at), "^".repeat(width.clamp(1, SHOWN.saturating_sub(at).max(1))));
    (shown, marks)
}

/// Most characters of a run without white space that an error shows whole: more than most paths have.
const LONGEST_WORD: usize = 400;
/// Most bytes of an error message.
const LONGEST_TEXT: usize = 16 << 10;

/// For an error message that may quote a file: a word too long to read loses its middle, a text too long to
/// read its end.
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

/// For text of an HTML page: as [`html`], with what stands between single backticks as `<code>`.
pub fn html_text(text: &str) -> String {
    let safe = html(text);
    if !safe.contains('`') {
        return safe;
    }
    let all: Vec<char> = safe.chars().collect();
    let mut out = String::with_capacity(safe.len() + 13);
    let mut from = 0;
    for (open, close) in code_spans(&all) {
        out.extend(&all[from..open]);
        out.push_str("<code>");
        out.extend(&all[open + 1..close]);
        out.push_str("</code>");
        from = close + 1;
    }
    out.extend(&all[from..]);
    out
}

/// Where code stands in a text: the places of its two backticks. What Markdown could read otherwise
/// (several backticks in a row, blanks at its ends, a line break, a pipe, a backslash, `##`) is not taken
/// for code.
fn code_spans(all: &[char]) -> Vec<(usize, usize)> {
    let single =
        |n: usize| all[n] == '`' && (n == 0 || all[n - 1] != '`') && all.get(n + 1).is_none_or(|c| *c != '`');
    let plain = |code: &[char]| {
        code.first().is_some_and(|c| !c.is_whitespace())
            && code.last().is_some_and(|c| !c.is_whitespace())
            && !code.iter().any(|c| matches!(c, '\n' | '|' | '\\'))
            && !code.windows(2).any(|two| two == ['#', '#'])
    };
    let mut found = Vec::new();
    let mut ticks = (0..all.len()).filter(|n| all[*n] == '`').peekable();
    while let Some(open) = ticks.next() {
        let Some(&close) = ticks.peek() else { break };
        let escaped = open > 0 && all[open - 1] == '\\';
        if single(open) && single(close) && !escaped && plain(&all[open + 1..close]) {
            found.push((open, close));
            ticks.next();
        }
    }
    found
}

/// For a Markdown paragraph, heading or list item: one line, escaped only where a reader of Markdown
/// would take it for markup.
pub fn markdown(text: &str) -> String {
    escaped(text, true)
}

/// Does this begin with a command to a CI system (`##[error]`, `##vso[…]`, `##teamcity[…]`)? Those count
/// wherever they stand in a line.
fn is_command(rest: &[char]) -> bool {
    let ['#', '#', rest @ ..] = rest else { return false };
    ["[", "vso[", "teamcity["].iter().any(|word| rest.iter().copied().take(word.len()).eq(word.chars()))
}

/// For a cell of a Markdown table.
pub fn markdown_cell(text: &str) -> String {
    escaped(text, false).replace('|', "\\|")
}

/// For the destination of a Markdown link between `<` and `>`.
pub fn destination(text: &str) -> String {
    line(text, usize::MAX - 1).chars().filter(|c| !matches!(c, '<' | '>' | '\\')).collect()
}

/// Text with Markdown's markup escaped. `starts`: the text begins a line, where `- `, `1. ` and `#` mean
/// something.
fn escaped(text: &str, starts: bool) -> String {
    let text = line(text, usize::MAX - 1);
    // Markdown drops white space at the ends and shows several spaces as one.
    let text = text.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let all: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    let digits = all.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut spans = code_spans(&all).into_iter().peekable();
    for (n, &c) in all.iter().enumerate() {
        // Code is written as code.
        if let Some(&(open, close)) = spans.peek()
            && n >= open
        {
            out.push(c);
            if n == close {
                spans.next();
            }
            continue;
        }
        let before = n.checked_sub(1).map_or(' ', |n| all[n]);
        let after = all.get(n + 1).copied().unwrap_or(' ');
        let first = starts && n == 0;
        let escape = match c {
            '`' => true,
            '\\' => after.is_ascii_punctuation() || after == ' ',
            // Between spaces it is only a star.
            '*' => !(before.is_whitespace() && after.is_whitespace()) || first,
            // At the beginning of a line `::` would be a command to a CI system.
            ':' => first && after == ':',
            // Inside a word an underscore is only an underscore.
            '_' => {
                !(before.is_alphanumeric() && after.is_alphanumeric()
                    || before.is_whitespace() && after.is_whitespace())
            }
            // After a space and before a word it closes nothing, and strikes nothing out.
            '~' => !(before.is_whitespace() && after.is_alphanumeric()),
            '<' => after.is_ascii_alphabetic() || matches!(after, '/' | '!' | '?'),
            '>' | '=' | '|' => first,
            '[' => after == '^' || (first && (all.contains(&':') || matches!(after, ' ' | 'x' | 'X'))),
            ']' => matches!(after, '(' | '['),
            '&' => entity(&all[n + 1..]),
            // At the end of a heading it would close it.
            '#' => {
                first
                    || (starts && before == ' ' && all[n..].iter().all(|c| *c == '#'))
                    || is_command(&all[n..])
                    || n.checked_sub(1).is_some_and(|n| is_command(&all[n..]))
            }
            '-' | '+' => first && matches!(after, ' ' | '-'),
            '.' | ')' => starts && digits > 0 && n == digits && after == ' ',
            _ => false,
        };
        if escape {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Would `&` followed by this be an HTML entity?
fn entity(after: &[char]) -> bool {
    let name = after.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '#').count();
    name > 0 && after.get(name) == Some(&';')
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
    fn no_text_is_a_command_to_a_ci_system() {
        for text in [
            "::warning::x",
            "a\n::error file=x::y",
            "  \t::add-mask::z",
            "a\r::stop-commands::t",
            "\u{202e}::x",
        ] {
            for safe in [terminal(text), html(text), csv_text(text), markdown(text), line(text, 80)] {
                let is_command = |l: &str| l.trim_start().starts_with("::");
                assert!(!safe.lines().any(is_command) || safe == line(text, 80), "{text:?} -> {safe:?}");
            }
        }
        for text in ["x ##[error]y", "##vso[task.setvariable]z", "##teamcity[message]"] {
            for safe in [terminal(text), html(text), csv_text(text), markdown(text)] {
                assert!(!safe.contains("##"), "{safe}");
            }
        }
        assert_eq!(terminal("std::fs and a :: b\n## Heading"), "std::fs and a :: b\n## Heading");
        assert_eq!(markdown("::x"), "\\::x");
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
        assert_eq!(html_text("run `a <b>`, `"), "run <code>a &lt;b&gt;</code>, `");
        for (text, written) in [
            ("a|b\n<i>", "a|b \\<i>"),
            ("ttft_ms _x_ &lt; &c", "ttft_ms \\_x\\_ \\&lt; &c"),
            ("12. x", "12\\. x"),
            ("84.222 and [0] and 3 * 4", "84.222 and [0] and 3 * 4"),
            ("- x", "\\- x"),
            ("a - x 1.", "a - x 1."),
            ("-1.50 of ~4 h", "-1.50 of ~4 h"),
            ("[a](b)", "[a\\](b)"),
            ("run `a_b *c*` and *d*", "run `a_b *c*` and \\*d\\*"),
            ("a ` b", "a \\` b"),
            ("``a`` `b", "\\`\\`a\\`\\` \\`b"),
        ] {
            assert_eq!(markdown(text), written, "{text}");
        }
        assert_eq!(markdown_cell("a|b - 1. x"), "a\\|b - 1. x");
    }
}
