//! Splits a price file into its records, each still as text. A record that cannot be read is left out and
//! reported with its line; the others are taken over.

use super::taken::{Imported, MAX_RECORDS, Reason, Skipped};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The entries of an object in the order of the file. A key that occurs twice is there twice.
pub(super) struct Entries<'a>(pub Vec<(Key, &'a RawValue)>);

/// The items of a list.
pub(super) struct List<'a>(pub Vec<&'a RawValue>);

/// A key. One that contains half a surrogate pair is unreadable, but does not make the whole file so.
pub(super) struct Key(pub String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key(text.to_owned()))
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Key, E> {
                Ok(Key(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of entries")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<Key, &RawValue>()? {
                    if entries.len() == MAX_RECORDS {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = List<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of entries")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = seq.next_element::<&RawValue>()? {
                    if list.len() == MAX_RECORDS {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    list.push(entry);
                }
                Ok(List(list))
            }
        }
        deserializer.deserialize_seq(ListVisitor)
    }
}

const TOO_MANY: &str = "too many records, expected at most 50000";

/// The text of a file while its records are read.
pub(super) struct Source<'a> {
    text: &'a str,
    /// Number of lines before each block of the text.
    lines: Vec<usize>,
    /// What was taken over and what was left out so far.
    pub imported: Imported,
}

/// Bytes in a block; lines are counted from the beginning of a block.
const BLOCK: usize = 1 << 16;

impl<'a> Source<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut lines = vec![1];
        for block in text.as_bytes().chunks(BLOCK) {
            lines.push(lines[lines.len() - 1] + breaks(block));
        }
        Self { text, lines, imported: Imported::default() }
    }

    /// Read one record, or say why it cannot be read.
    pub fn one<T: Deserialize<'a>>(&self, record: &'a RawValue) -> Result<T, Reason> {
        serde_json::from_str(record.get()).map_err(|error| {
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or_default().to_owned();
            Reason::Unreadable { line: self.line_of(record) + error.line().saturating_sub(1), what }
        })
    }

    /// A name for a record that cannot be read: its id, or else its line.
    pub fn called(&self, record: &RawValue) -> String {
        #[derive(serde::Deserialize)]
        struct Named {
            id: String,
        }
        let named: Result<Named, _> = serde_json::from_str(record.get());
        named.map_or_else(|_| format!("line {}", self.line_of(record)), |n| n.id)
    }

    /// The line on which a record begins, from 1; also 1 if it is not part of the text.
    fn line_of(&self, record: &RawValue) -> usize {
        let at = (record.get().as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let before = self.text.as_bytes().get(at / BLOCK * BLOCK..at);
        before.map_or(1, |before| self.lines[at / BLOCK] + breaks(before))
    }

    /// Report a record that is left out.
    pub fn skip(&mut self, id: String, reason: Reason) {
        self.imported.skipped.push(Skipped { id, reason });
    }

    /// Refuse a file with more records than are taken from one file.
    pub fn check_size(&self) -> Result<(), serde_json::Error> {
        let records = self.imported.models.len() + self.imported.skipped.len();
        if records > MAX_RECORDS { Err(serde_json::Error::custom(TOO_MANY)) } else { Ok(()) }
    }
}

/// Number of line breaks in these bytes.
fn breaks(bytes: &[u8]) -> usize {
    bytes.split(|b| *b == b'\n').count() - 1
}
