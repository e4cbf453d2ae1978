//! Bytes of a file → lines of UTF-8, in bounded memory. Unpacks gzip, converts UTF-16, drops byte order
//! marks, and never keeps more than one line of at most 32 MiB.

use std::io::{self, BufReader, Read};

/// The longest line, bytes. Logs of requests with pictures have lines of some MiB.
pub const LONGEST_LINE: usize = 32 << 20;
/// Number of bytes that are read at a time.
const BLOCK: usize = 256 << 10;

/// Kinds of files that no reader can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    Sqlite,
    Zip,
    Zstandard,
    Parquet,
    Pdf,
    /// Some other file that is not text.
    Binary,
}

/// A text file that is being read.
pub struct Text<'r> {
    from: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    /// The part of `buffer` from here to `end` is filled and not used yet.
    start: usize,
    end: usize,
    ended: bool,
    /// Number of lines that were handed out, or of line breaks that were skipped.
    line: u64,
}

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("line", &self.line).finish_non_exhaustive()
    }
}

/// The place of a line in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    start: usize,
    end: usize,
    /// Number of the line, from 1.
    pub number: u64,
    /// A line break follows it. Without one the file may still be being written.
    pub finished: bool,
    /// It is longer than [`LONGEST_LINE`], and its text is not kept.
    pub too_long: bool,
}

impl<'r> Text<'r> {
    /// Open a file; its first bytes show whether it must be unpacked or decoded.
    pub fn open(from: impl Read + 'r) -> io::Result<Result<Self, Foreign>> {
        let mut from: Box<dyn Read + 'r> = Box::new(from);
        let mut first = read_up_to(&mut from, 16)?;
        if first.starts_with(&[0x1f, 0x8b]) {
            let packed = io::Cursor::new(first).chain(from);
            from = Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(packed)));
            first = read_up_to(&mut from, 16)?;
        }
        if let Some(foreign) = foreign(&first) {
            return Ok(Err(foreign));
        }
        let utf16 = |from, first: Vec<u8>, skip: usize, big_endian| -> Box<dyn Read + 'r> {
            let rest = io::Cursor::new(first[skip..].to_vec()).chain(from);
            Box::new(Utf16 { from: BufReader::new(rest), big_endian, pending: Vec::new(), high: None })
        };
        from = match first.as_slice() {
            [0xff, 0xfe, ..] => utf16(from, first, 2, false),
            [0xfe, 0xff, ..] => utf16(from, first, 2, true),
            // UTF-16 without a byte order mark: every other byte of plain text is zero.
            [a, 0, b, 0, ..] if *a != 0 && *b != 0 => utf16(from, first, 0, false),
            [0, a, 0, b, ..] if *a != 0 && *b != 0 => utf16(from, first, 0, true),
            bytes if bytes.contains(&0) => return Ok(Err(Foreign::Binary)),
            _ => Box::new(io::Cursor::new(first).chain(from)),
        };
        Ok(Ok(Self { from, buffer: vec![0; BLOCK], start: 0, end: 0, ended: false, line: 0 }))
    }

    /// Number of the line that was handed out last, or up to which has been read.
    pub const fn line_number(&self) -> u64 {
        self.line
    }

    /// Read more; the buffer grows if it is full.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            return Ok(());
        }
    }

    /// The first bytes, at most [`BLOCK`] of them, without consuming them; and whether that is the whole
    /// file.
    pub fn head(&mut self) -> io::Result<(&[u8], bool)> {
        while !self.ended && self.end - self.start < BLOCK {
            self.fill()?;
        }
        let all = self.ended && self.end - self.start <= BLOCK;
        let end = self.end.min(self.start + BLOCK);
        let head = &self.buffer[self.start..end];
        Ok((head.strip_prefix(MARK).unwrap_or(head), all))
    }

    /// The bytes of a line.
    pub fn of(&self, line: Line) -> &[u8] {
        &self.buffer[line.start..line.end]
    }

    /// The next line, without its break and without a byte order mark.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.start + searched..self.end];
            if let Some(at) = memchr::memchr(b'\n', unread) {
                let end = self.start + searched + at;
                let line = self.trimmed(end, true);
                self.start = end + 1;
                return Ok(Some(line));
            }
            searched = self.end - self.start;
            if self.ended {
                if searched == 0 {
                    return Ok(None);
                }
                let line = self.trimmed(self.end, false);
                self.start = self.end;
                return Ok(Some(line));
            }
            if searched >= LONGEST_LINE {
                return self.skip_line().map(Some);
            }
            self.fill()?;
        }
    }

    fn trimmed(&mut self, mut end: usize, finished: bool) -> Line {
        let mut start = self.start;
        if self.buffer[start..end].starts_with(MARK) {
            start += MARK.len();
        }
        if end > start && self.buffer[end - 1] == b'\r' {
            end -= 1;
        }
        self.line += 1;
        Line { start, end, number: self.line, finished, too_long: false }
    }

    /// Skip the rest of a line that is too long.
    fn skip_line(&mut self) -> io::Result<Line> {
        self.line += 1;
        let number = self.line;
        let line = |finished| Line { start: 0, end: 0, number, finished, too_long: true };
        loop {
            match memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                Some(at) => {
                    self.start += at + 1;
                    return Ok(line(true));
                }
                None if self.ended => {
                    self.start = self.end;
                    return Ok(line(false));
                }
                None => {
                    self.start = self.end;
                    self.fill()?;
                }
            }
        }
    }

    /// The next block, for readers that find the ends of records themselves; empty at the end of the file.
    pub fn block(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end && !self.ended {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Consume this many bytes of the block.
    pub fn used(&mut self, bytes: usize) {
        let used = &self.buffer[self.start..(self.start + bytes).min(self.end)];
        self.line += memchr::memchr_iter(b'\n', used).count() as u64;
        self.start = (self.start + bytes).min(self.end);
    }

    /// Skip empty lines and a byte order mark; false at the end of the file.
    pub fn skip_blank_lines(&mut self) -> io::Result<bool> {
        self.skip(|b| matches!(b, b'\n' | b'\r'))
    }

    /// Skip white space and a byte order mark; false at the end of the file.
    pub fn skip_blank(&mut self) -> io::Result<bool> {
        self.skip(|b| b.is_ascii_whitespace())
    }

    fn skip(&mut self, what: impl Fn(u8) -> bool) -> io::Result<bool> {
        loop {
            if self.end - self.start < MARK.len() && !self.ended {
                self.fill()?;
            }
            let unread = &self.buffer[self.start..self.end];
            if unread.is_empty() {
                return Ok(false);
            }
            if unread.starts_with(MARK) {
                self.start += MARK.len();
                continue;
            }
            let blank = unread.iter().take_while(|b| what(**b)).count();
            if blank == 0 {
                return Ok(true);
            }
            self.used(blank);
        }
    }
}

impl Read for Text<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let block = self.block()?;
        let n = block.len().min(out.len());
        out[..n].copy_from_slice(&block[..n]);
        self.used(n);
        Ok(n)
    }
}

const MARK: &[u8] = b"\xef\xbb\xbf";

fn read_up_to(from: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    from.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn foreign(first: &[u8]) -> Option<Foreign> {
    [
        (&b"SQLite format 3"[..], Foreign::Sqlite),
        (b"PK\x03\x04", Foreign::Zip),
        (b"\x28\xb5\x2f\xfd", Foreign::Zstandard),
        (b"PAR1", Foreign::Parquet),
        (b"%PDF", Foreign::Pdf),
        (b"\x7fELF", Foreign::Binary),
        (b"\x89PNG", Foreign::Binary),
    ]
    .into_iter()
    .find(|(magic, _)| first.starts_with(magic))
    .map(|(_, foreign)| foreign)
}

/// Converts UTF-16 to UTF-8 while it is read.
struct Utf16<R> {
    from: R,
    big_endian: bool,
    /// UTF-8 that did not fit into the caller's buffer.
    pending: Vec<u8>,
    /// The first half of a surrogate pair.
    high: Option<u16>,
}

impl<R: Read> Utf16<R> {
    fn unit(&mut self) -> io::Result<Option<u16>> {
        let mut two = [0; 2];
        let mut have = 0;
        while have < 2 {
            match self.from.read(&mut two[have..]) {
                Ok(0) => return Ok(None),
                Ok(n) => have += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Some(if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }))
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wanted = out.len().min(16 << 10);
        while self.pending.len() < wanted {
            let Some(unit) = self.unit()? else { break };
            let units = self.high.take().into_iter().chain([unit]);
            let mut utf8 = [0; 4];
            for c in char::decode_utf16(units) {
                match c {
                    Ok(c) => self.pending.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes()),
                    Err(e) if (0xd800..0xdc00).contains(&e.unpaired_surrogate()) && self.high.is_none() => {
                        self.high = Some(e.unpaired_surrogate());
                    }
                    Err(_) => self.pending.extend_from_slice("\u{fffd}".as_bytes()),
                }
            }
        }
        let n = self.pending.len().min(out.len());
        out[..n].copy_from_slice(&self.pending[..n]);
        self.pending.drain(..n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn lines(bytes: &[u8]) -> Vec<(String, bool)> {
        let mut text = Text::open(bytes).expect("reads").expect("is text");
        let mut out = Vec::new();
        while let Some(line) = text.next_line().expect("reads") {
            let finished = line.finished;
            out.push((String::from_utf8_lossy(text.of(line)).into_owned(), finished));
        }
        out
    }
    fn wanted(texts: &[(&str, bool)]) -> Vec<(String, bool)> {
        texts.iter().map(|(t, f)| ((*t).to_owned(), *f)).collect()
    }

    #[test]
    fn lines_come_out_of_every_encoding() {
        let text = "ä,b\r\n\"c\u{1f600}\"\nlast";
        let same = wanted(&[("ä,b", true), ("\"c\u{1f600}\"", true), ("last", false)]);
        assert_eq!(lines(text.as_bytes()), same);
        assert_eq!(lines(format!("\u{feff}{text}").as_bytes()), same);
        let le: Vec<u8> =
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> =
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(lines(&le), same);
        assert_eq!(lines(&be), same);
        let bare: Vec<u8> = "a,b\nc".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&bare), wanted(&[("a,b", true), ("c", false)]));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).expect("packs");
        assert_eq!(lines(&gzip.finish().expect("packs")), same);
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let long = io::repeat(b'x').take(LONGEST_LINE as u64 + 5_000_000).chain(&b"\nnext\n"[..]);
        let mut text = Text::open(long).expect("reads").expect("is text");
        let line = text.next_line().expect("reads").expect("a line");
        assert!(line.too_long && line.finished && text.of(line).is_empty());
        let line = text.next_line().expect("reads").expect("a line");
        assert_eq!((text.of(line), line.number), (&b"next"[..], 2));
        assert!(text.buffer.len() <= 2 * LONGEST_LINE);
    }

    #[test]
    fn what_is_no_text_is_named() {
        let foreign = |bytes: &[u8]| Text::open(bytes).expect("reads").err();
        assert_eq!(foreign(b"SQLite format 3\0\x10\0"), Some(Foreign::Sqlite));
        assert_eq!(foreign(b"PK\x03\x04rest"), Some(Foreign::Zip));
        assert_eq!(foreign(b"ab\0\0\0cd"), Some(Foreign::Binary));
        assert_eq!(foreign(b""), None);
    }
}
