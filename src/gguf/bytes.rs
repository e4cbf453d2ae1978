//! Reading forward under caps: every length is checked against the bytes the file has left, and
//! memory grows only with bytes that were really read.

use super::error::{GgufError, Problem};
use super::limits::{MAX_HEADER_BYTES, MAX_TEXT_BYTES};
use std::io::{BufReader, Read};

/// Bytes by which memory grows while a text is read.
const STEP: usize = 64 << 10;

/// A reader that knows its place in the file and how many bytes are left.
pub struct Bytes<R> {
    inner: BufReader<R>,
    at: u64,
    length: u64,
}

impl<R: Read> Bytes<R> {
    pub fn new(reader: R, file_bytes: u64) -> Self {
        Self { inner: BufReader::with_capacity(STEP, reader), at: 0, length: file_bytes }
    }
    /// Offset of the next byte.
    pub fn at(&self) -> u64 {
        self.at
    }
    /// Bytes from here to the end of the file.
    pub fn left(&self) -> u64 {
        self.length.saturating_sub(self.at)
    }
    pub fn error(&self, problem: Problem) -> GgufError {
        GgufError::new(self.at, problem)
    }

    /// Fills the buffer. The error says within what (`what`) the file ended.
    pub fn fill(&mut self, buffer: &mut [u8], what: &'static str) -> Result<(), GgufError> {
        self.reserve(buffer.len() as u64, what)?;
        self.inner.read_exact(buffer).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => self.error(Problem::Truncated(what)),
            _ => self.error(Problem::Io(e.to_string())),
        })?;
        self.at += buffer.len() as u64;
        Ok(())
    }

    /// Pass over `count` bytes.
    pub fn skip(&mut self, count: u64, what: &'static str) -> Result<(), GgufError> {
        self.reserve(count, what)?;
        let passed = std::io::copy(&mut self.inner.by_ref().take(count), &mut std::io::sink())
            .map_err(|e| self.error(Problem::Io(e.to_string())))?;
        self.at += passed;
        if passed < count { Err(self.error(Problem::Truncated(what))) } else { Ok(()) }
    }

    fn reserve(&self, count: u64, what: &'static str) -> Result<(), GgufError> {
        if count > self.left() {
            return Err(self.error(Problem::Truncated(what)));
        }
        if self.at.saturating_add(count) > MAX_HEADER_BYTES {
            return Err(self.error(Problem::HeaderTooLong));
        }
        Ok(())
    }

    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], GgufError> {
        let mut buffer = [0; N];
        self.fill(&mut buffer, what)?;
        Ok(buffer)
    }
    pub fn u32(&mut self, what: &'static str) -> Result<u32, GgufError> {
        self.array(what).map(u32::from_le_bytes)
    }
    pub fn u64(&mut self, what: &'static str) -> Result<u64, GgufError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// Reads a number of things that take at least `smallest` bytes each: an error above `cap`, or where
    /// the rest of the file cannot hold them.
    pub fn count(&mut self, what: &'static str, smallest: u64, cap: u64) -> Result<u64, GgufError> {
        let at = self.at;
        let count = self.u64(what)?;
        let max = cap.min(self.left() / smallest);
        if count > max {
            return Err(GgufError::new(at, Problem::Count { what, count, max }));
        }
        Ok(count)
    }

    fn length(&mut self, what: &'static str, max: u64) -> Result<u64, GgufError> {
        let at = self.at;
        let bytes = self.u64(what)?;
        if bytes > max {
            return Err(GgufError::new(at, Problem::TextTooLong { what, bytes, max }));
        }
        self.reserve(bytes, what)?;
        Ok(bytes)
    }

    /// A text as bytes.
    pub fn text(&mut self, what: &'static str, max: u64) -> Result<Vec<u8>, GgufError> {
        let mut left = usize::try_from(self.length(what, max)?).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        while left > 0 {
            let step = left.min(STEP);
            let start = out.len();
            out.resize(start + step, 0);
            self.fill(&mut out[start..], what)?;
            left -= step;
        }
        Ok(out)
    }

    /// Pass over a text; its length is checked all the same.
    pub fn skip_text(&mut self, what: &'static str) -> Result<(), GgufError> {
        let bytes = self.length(what, MAX_TEXT_BYTES)?;
        self.skip(bytes, what)
    }

    /// A key or a tensor's name: not empty, UTF-8.
    pub fn name(&mut self, what: &'static str, max: u64) -> Result<String, GgufError> {
        let at = self.at;
        let bytes = self.text(what, max)?;
        if bytes.is_empty() {
            return Err(GgufError::new(at, Problem::EmptyName(what)));
        }
        String::from_utf8(bytes).map_err(|_| GgufError::new(at, Problem::NotUtf8(what)))
    }
}
