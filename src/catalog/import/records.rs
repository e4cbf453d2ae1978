//! The records of a price file, each read by itself, so that an odd one leaves the others alone.

use super::{Imported, Skipped};
use crate::catalog::ApiModel;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Error, Value};

/// What became of a file's records.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) imported: Imported,
    /// How many could not be read, and the first of them: where it begins, and why.
    odd: usize,
    first: Option<(usize, Error)>,
}

impl Records {
    /// Read one record; what it becomes, or why it is left out, is noted. `text` is the whole file.
    pub(super) fn read<'t, T: Deserialize<'t>>(
        &mut self,
        text: &'t str,
        raw: &'t RawValue,
        name: &str,
    ) -> Option<T> {
        match serde_json::from_str(raw.get()) {
            Ok(record) => Some(record),
            Err(error) => {
                let from = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                let line = text[..place(text, &error, from)].matches('\n').count() + 1;
                let reason = format!("it cannot be read: {} (line {line})", words(&error));
                self.skip(name, reason);
                self.odd += 1;
                self.first.get_or_insert((from, error));
                None
            }
        }
    }

    /// A record, or why it is none.
    pub(super) fn note(&mut self, name: &str, made: Result<Vec<ApiModel>, String>) {
        match made {
            Ok(models) => self.imported.models.extend(models),
            Err(reason) => self.skip(name, reason),
        }
    }

    pub(super) fn skip(&mut self, name: &str, reason: String) {
        self.imported.skipped.push(Skipped { id: name.to_owned(), reason });
    }

    /// The first record that cannot be read, where there is no other kind: then the file is not what it
    /// was taken for.
    pub(super) fn nothing_but_odd(&self) -> Option<(usize, &Error)> {
        let nothing_else = self.imported.models.is_empty() && self.imported.skipped.len() == self.odd;
        self.first.as_ref().filter(|_| nothing_else).map(|(at, error)| (*at, error))
    }
}

/// What names a record that cannot be read: its own id, or its place in the list.
pub(super) fn name_of(raw: &RawValue, provider: Option<&str>, place: usize) -> String {
    let id = serde_json::from_str::<Value>(raw.get())
        .ok()
        .and_then(|v| v.get("id").and_then(Value::as_str).map(|id| id.chars().take(120).collect::<String>()));
    let id = id.unwrap_or_else(|| format!("record {}", place + 1));
    provider.map_or(id.clone(), |provider| format!("{provider}/{id}"))
}

/// An error's words without its place.
pub(super) fn words(error: &Error) -> String {
    error.to_string().split(" at line ").next().unwrap_or_default().to_owned()
}

/// Where in the text an error is, of JSON that begins at `from`. `serde_json` says where it stopped
/// reading: the end of the value it refused.
pub(super) fn place(text: &str, error: &Error, from: usize) -> usize {
    let inside = text.get(from..).unwrap_or_default();
    let line_start: usize =
        inside.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (from + line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
