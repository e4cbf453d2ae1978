//! Recognises the container of a file's rows: JSON lines, a JSON document, a table, lines of text.

use super::marks::{ROWS, marked};
use serde::de::IgnoredAny;

/// The container of a file's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// A JSON value on each line.
    JsonLines,
    /// JSON over several lines, or more than one value on a line.
    Json,
    /// A table, with this delimiter.
    Table(u8),
    /// Anything else that is text.
    Lines,
}

/// The container, by the beginning of a file; `all` says that this is the whole file.
pub fn container(head: &[u8], all: bool) -> Option<Container> {
    let first = head.iter().position(|b| !b.is_ascii_whitespace())?;
    let lines = || lines(head, all);
    let is_json = |line: &[u8]| serde_json::from_slice::<IgnoredAny>(line).is_ok() && line.len() > 2;
    let objects = lines().filter(|line| line.starts_with(b"{")).take(ROWS);
    let whole = objects.filter(|line| is_json(line)).count();
    match head[first] {
        b'{' if whole > 0 => Some(Container::JsonLines),
        b'[' if lines().next().is_some_and(is_json) && lines().count() > 1 => Some(Container::JsonLines),
        // The first line is cut off, and objects follow.
        _ if whole > 0 && !matches!(head[first], b'[') && whole * 2 >= lines().count() => {
            Some(Container::JsonLines)
        }
        // A document, or a list with an object on each line. A single line that is not complete is a
        // document, too: it is long, or cut off.
        b'{' | b'[' => Some(Container::Json),
        _ => Some(delimiter(head, all).map_or(Container::Lines, Container::Table)),
    }
}

/// The complete lines.
pub(super) fn lines(head: &[u8], all: bool) -> impl Iterator<Item = &[u8]> {
    let end = if all { head.len() } else { memchr::memrchr(b'\n', head).unwrap_or(0) };
    head[..end].split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// Delimiter of the first line: the one by which a known format's header is recognised best, or else the
/// most frequent one.
fn delimiter(head: &[u8], all: bool) -> Option<u8> {
    let first = lines(head, all).next().or(Some(head))?;
    // Metrics of a server are lines of text.
    if first.starts_with(b"# ") {
        return None;
    }
    [b',', b';', b'\t', b'|']
        .into_iter()
        .map(|mark| (marked(&header(head, mark)), memchr::memchr_iter(mark, first).count(), mark))
        .filter(|(_, cells, _)| *cells > 0)
        .max_by_key(|(format, cells, _)| (format.map_or(0, |(_, n)| n), *cells))
        .map(|(_, _, mark)| mark)
}

/// The cells of the first row.
pub fn header(head: &[u8], mark: u8) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(mark).has_headers(false).flexible(true).from_reader(head);
    let mut record = csv::ByteRecord::new();
    if reader.read_byte_record(&mut record).unwrap_or(false) {
        record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_told_apart() {
        let of = |text: &str| container(text.as_bytes(), true);
        assert_eq!(of("{\"a\":1}\n{\"a\":2}\n"), Some(Container::JsonLines));
        assert_eq!(of("{\"a\":1}"), Some(Container::JsonLines));
        assert_eq!(of("{\n \"a\":1\n}\n"), Some(Container::Json));
        assert_eq!(of("[\n{\"a\":1},\n{\"a\":2}\n]\n"), Some(Container::Json));
        assert_eq!(of("[{\"a\":1},{\"a\":2}]"), Some(Container::Json));
        assert_eq!(of("ens\":5}}\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"), Some(Container::JsonLines));
        assert_eq!(of("{\"a\":1}\n{\"a\":2,\"b"), Some(Container::JsonLines));
        assert_eq!(of("a;b\n1;2\n"), Some(Container::Table(b';')));
        assert_eq!(of("a\tb,c\n1\t2\n"), Some(Container::Table(b'\t')));
        assert_eq!(of("# HELP a b, c\na 1\n"), Some(Container::Lines));
        assert_eq!(of(" \n\n"), None);
    }
}
