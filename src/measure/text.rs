//! Prepares text from outside for a [`Fault`](super::event::Fault): engine logs, server errors, model
//! metadata. The renderers sanitise again for their own output; this makes one line of limited length
//! without anything that could control a terminal.

/// One line of at most `max` characters: white space as spaces, control and direction characters
/// dropped.
pub fn one_line(text: &str, max: usize) -> String {
    let mut plain =
        text.trim().chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_plain(*c));
    let mut out: String = plain.clone().take(max).collect();
    if plain.nth(max).is_some() {
        out.push('…');
    }
    out
}

fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_line_is_bounded_and_plain() {
        assert_eq!(one_line(" a\u{1b}[31m\nb\u{202e}c ", 99), "a[31m bc");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(one_line("abc", 3), "abc");
    }
}
