//! `--usage`: fills a need from a usage document, or from records themselves.

use super::context::Context;
use super::error::CliError;
use super::files::{open, read_text};
use super::records;
use crate::app::needs::{FromUsage, of_usage};
use crate::app::usage::Asked;
use crate::catalog::Catalog;
use crate::document::usage::UsageDocument;
use crate::document::{Document, Input};
use crate::provenance::Source;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

// (No doc comment: clap would take it for the description of every command that flattens this.)
#[derive(Debug, Clone, Default, clap::Args)]
pub struct UsageArgs {
    /// A document of `freehold usage`, or records as `usage` reads them (repeatable): requests, tokens,
    /// caches, peak and week of what is used today.
    #[arg(long, value_name = "FILE|FOLDER")]
    pub usage: Vec<PathBuf>,
}

impl UsageArgs {
    /// Echoes the files where there are several: a source names them together.
    pub fn record(&self, inputs: &mut BTreeMap<String, Input>) {
        if self.usage.len() > 1 {
            let files: Vec<String> = self.usage.iter().map(|p| p.display().to_string()).collect();
            let input = Input { value: files.into(), unit: None, source: Source::flag("--usage") };
            inputs.insert("usage".to_owned(), input);
        }
    }

    /// The need in the records; `None` where none were named. Gaps in it are noted on stderr.
    pub fn read(&self, catalog: &Catalog, context: &Context) -> Result<Option<FromUsage>, CliError> {
        let [first, ..] = self.usage.as_slice() else { return Ok(None) };
        let name = self.usage.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
        let document = match self.usage.as_slice() {
            [only] if is_document(only) => saved(only)?,
            several => {
                if let Some(path) = several.iter().find(|p| is_document(p)) {
                    return Err(CliError::usage(format!(
                        "{}: a usage document and other records cannot be added up",
                        path.display()
                    ))
                    .hint("give all the records themselves: the same request then counts once"));
                }
                let asked = Asked { now: records::clock(context), ..Asked::default() };
                records::read(several, asked, catalog, context)?
            }
        };
        // A source names one file.
        let file = if self.usage.len() == 1 { first.display().to_string() } else { name };
        let from = of_usage(&document, &file);
        for gap in &from.gaps {
            context.note(gap);
        }
        Ok(Some(from))
    }
}

/// Is this a document of this program? Those begin with their schema.
fn is_document(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::metadata(path).is_ok_and(|m| m.is_file())
        && open(path).is_ok_and(|f| f.take(200).read_to_end(&mut head).is_ok());
    read && memchr::memmem::find(&head, b"\"freehold.").is_some()
}

fn saved(path: &Path) -> Result<UsageDocument, CliError> {
    let name = path.display().to_string();
    match Document::parse(&name, &read_text(path)?).map_err(CliError::usage)? {
        Document::Usage(document) => Ok(*document),
        other => Err(CliError::usage(format!(
            "{name}: --usage takes a usage document or records, and this one is of the kind \"{}\"; make one with `freehold usage FILE -o usage.json`",
            other.kind()
        ))),
    }
}
