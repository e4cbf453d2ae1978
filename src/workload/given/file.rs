//! Reads the tables of a TOML file into values that know their lines.

use super::error::{InputError, unknown};
use super::read::read_value;
use super::value::{Fields, Given};
use crate::provenance::{FileRole, Source, UserInput};
use crate::workload::keys::{Key, Section, find};
use std::fmt::Write as _;
use std::ops::Range as Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A TOML file that is being read: its text for line numbers, its name for messages and sources.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its name, as the user gave it.
    pub file: &'a str,
    /// The purpose for which the command reads it.
    pub role: FileRole,
}

impl Place<'_> {
    /// The keys of one table, each checked. `keys` are those that the table may have. `elsewhere` are all
    /// keys, in order to tell in which table a misplaced one belongs.
    pub fn fields(
        &self,
        section: Section,
        table: &DeTable<'_>,
        keys: &[&'static Key],
        elsewhere: &[&'static Key],
    ) -> Result<Fields, InputError> {
        let mut fields = Fields::new();
        for (name, value) in table {
            let Some(key) = find(keys, name.get_ref()) else {
                let names = keys.iter().map(|k| k.name);
                let mut message = unknown(&format!("key of [{}]", section.name()), name.get_ref(), names);
                if let Some(other) = find(elsewhere, name.get_ref()) {
                    let _ = write!(message, "; it belongs to [{}]", other.section.name());
                }
                return Err(self.error(name.span(), &message));
            };
            fields.insert(key.name, self.given(key, value)?);
        }
        Ok(fields)
    }

    /// The value of one key.
    pub fn given(&self, key: &'static Key, value: &Spanned<DeValue<'_>>) -> Result<Given, InputError> {
        let source = self.source(key, value.span());
        let value = read_value(key, value).map_err(|(at, why)| self.error(at, &why))?;
        Ok(Given { value, source })
    }

    /// The source of a value at this place in the file.
    pub fn source(&self, key: &Key, at: Span<usize>) -> Source {
        Source::User(UserInput::File {
            role: self.role,
            file: self.file.to_owned(),
            line: u32::try_from(self.line(at.start).0).ok(),
            key: key.path(),
        })
    }

    /// Line and column of a byte position, from 1.
    fn line(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// An error with file, line, column, the text of the line, and a caret under what is wrong.
    pub fn error(&self, at: Span<usize>, why: &str) -> InputError {
        let (line, column) = self.line(at.start);
        let shown = self.text.lines().nth(line - 1).unwrap_or("");
        let width = self.text.get(at).map_or(1, |t| t.lines().next().unwrap_or("").chars().count()).max(1);
        let (margin, gap) = (line.to_string(), " ".repeat(line.to_string().len()));
        let width = width.min(shown.chars().count().saturating_sub(column - 1));
        let (shown, marks) = crate::sanitize::excerpt(shown, column, width);
        InputError(format!(
            "{}:{line}:{column}: {why}\n{gap} |\n{margin} | {shown}\n{gap} | {marks}",
            self.file
        ))
    }

    /// The error for a file that is not TOML, in the same form.
    pub fn not_toml(&self, error: &toml::de::Error) -> InputError {
        let why = error.message().trim().replace('\n', ", ");
        self.error(error.span().unwrap_or(0..0), &format!("not valid TOML: {why}"))
    }
}
