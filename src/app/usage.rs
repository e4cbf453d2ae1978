//! `usage`: turns records that people have into the document `freehold.usage`.
//!
//! ```text
//! Asked ─► Reading::new ─► file (once for each) ─► finish ─► UsageDocument
//! ```
//!
//! Of a file only its counts leave this room: a refusal names a file by its number, never by its path or a
//! text in it.

mod unread;

use super::refusal::Refusal;
use crate::catalog::Catalog;
use crate::document::envelope::{Envelope, Input, Warning};
use crate::document::usage::{SCHEMA, UsageDocument, result, warnings};
use crate::price::records::PricesOfTheDay;
use crate::provenance::{Source, Sourced};
use crate::spelling::nearest;
use crate::usage::format::{FORMATS, by_name, generic};
use crate::usage::reader::Format;
use crate::usage::{Import, Mapping, Outcome, Settings, Unreadable, need, zone};
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use unread::LeftOut;
pub use unread::{Place, refused};

/// A mapping as it was given.
#[derive(Debug, Clone)]
pub enum Map {
    /// `input=prompt_tokens,output=completion_tokens`.
    Pairs(String),
    /// The text of a file in JSON.
    Json(String),
}

/// How files are to be read, each value as it was given.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Name of a format; `None`: each file is recognised.
    pub from: Option<String>,
    /// The meaning of the columns of files.
    pub map: Option<Map>,
    /// A name of the time zone database or an offset, for days and hours of the week; `None`: UTC.
    pub timezone: Option<String>,
    /// Seconds since 1970 by the clock: a record more than a day later cannot be true.
    pub now: Option<i64>,
}

/// Names and descriptions of every format that `--from` takes.
pub fn formats() -> impl Iterator<Item = (&'static str, &'static str)> {
    FORMATS.into_iter().chain([&generic::FORMAT]).map(|f| (f.name, f.about))
}

impl Asked {
    fn format(&self) -> Result<Option<&'static Format>, Refusal> {
        let Some(name) = self.from.as_deref() else { return Ok(None) };
        let format = by_name(name).ok_or_else(|| {
            let near = nearest(name, formats().map(|(name, _)| name), 2);
            let near = if near.is_empty() {
                formats().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            Refusal::input(format!("--from {name}: there is no format of that name")).hint(near)
        })?;
        if format.name == generic::FORMAT.name && self.map.is_none() {
            return Err(unread::no_mapping());
        }
        Ok(Some(format))
    }

    fn settings(&self) -> Result<Settings, Refusal> {
        let mapping = match &self.map {
            None => None,
            Some(Map::Pairs(text)) => Some(Mapping::from_pairs(text)),
            Some(Map::Json(text)) => Some(Mapping::from_json(text)),
        };
        let mapping = mapping.transpose().map_err(|e| Refusal::input(format!("--map: {e}")))?;
        let zone = self.timezone.as_deref().map_or(Ok(TimeZone::UTC), |name| {
            zone(name).ok_or_else(|| {
                Refusal::input(format!("--timezone {name}: there is no such time zone"))
                    .hint("an offset such as +02:00, or a name such as Europe/Berlin or UTC")
            })
        })?;
        let from = self.format()?;
        if let (Some(from), Some(_)) = (from, &mapping)
            && from.name != generic::FORMAT.name
        {
            let message = format!(
                "--from {} and --map are both given: a mapping is of no format but generic",
                from.name
            );
            return Err(Refusal::input(message).hint("leave one of them out"));
        }
        Ok(Settings { now: self.now, zone, from, mapping })
    }

    fn inputs(&self, files: u32) -> BTreeMap<String, Input> {
        let zone = match &self.timezone {
            Some(name) => Sourced::flag(name.clone(), "--timezone"),
            None => Sourced::assumed(
                "UTC".to_owned(),
                "utc",
                "days and hours are those of UTC unless a time zone is given",
            ),
        };
        let mut inputs = BTreeMap::from([("timezone".to_owned(), Input::plain(&zone))]);
        if let Some(name) = &self.from {
            inputs.insert("from".to_owned(), Input::plain(&Sourced::flag(name.clone(), "--from")));
        }
        if self.map.is_some() {
            inputs.insert("map".to_owned(), Input::plain(&Sourced::flag(true, "--map")));
        }
        let counted = Sourced::new(files, Source::flag("FILE"));
        inputs.insert("files".to_owned(), Input::of(&counted, "files"));
        inputs
    }
}

/// Reads files, one after the other, into a document.
pub struct Reading<'c> {
    asked: Asked,
    import: Import<'c>,
    prices: Rc<RefCell<PricesOfTheDay<'c>>>,
    files: u32,
    empty: u32,
    left_out: Vec<LeftOut>,
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("files", &self.files).finish_non_exhaustive()
    }
}

impl<'c> Reading<'c> {
    /// A reader; wrong settings are refused here.
    pub fn new(asked: Asked, catalog: &'c Catalog) -> Result<Self, Refusal> {
        let prices = Rc::new(RefCell::new(PricesOfTheDay::new(catalog)));
        let charges = Rc::clone(&prices);
        let import =
            Import::new(asked.settings()?, Some(Box::new(move |record| charges.borrow_mut().charge(record))));
        Ok(Self { asked, import, prices, files: 0, empty: 0, left_out: Vec::new() })
    }

    /// Reads the next file: `read` calls [`Import::read`] with its bytes. A file that the user named must
    /// be readable; one in a folder that is no record of usage is left out and counted.
    pub fn file(
        &mut self,
        place: Place,
        read: impl FnOnce(&mut Import<'c>) -> Result<Outcome, Unreadable>,
    ) -> Result<(), Refusal> {
        self.files += 1;
        match read(&mut self.import) {
            Ok(Outcome::Read(_)) => Ok(()),
            Ok(Outcome::Empty) => {
                self.empty += 1;
                Ok(())
            }
            Err(error) => match (place, LeftOut::of(self.files, &error)) {
                (Place::InFolder, Some(left_out)) => {
                    self.left_out.push(left_out);
                    Ok(())
                }
                _ => Err(refused(self.files, &error)),
            },
        }
    }

    /// Notes a file in a folder that could not be opened.
    pub fn unopened(&mut self) {
        self.files += 1;
        self.left_out.push(LeftOut::unopened(self.files));
    }

    /// The document. `now` is RFC 3339.
    pub fn finish(self, now: &str) -> Result<UsageDocument, Refusal> {
        let Self { asked, import, prices, files, empty, left_out } = self;
        if files == 0 {
            return Err(Refusal::input("there are no files of records in there")
                .hint("files end in .jsonl, .json, .csv, .tsv, .log, .txt or .prom, packed by gzip or not"));
        }
        if files == empty {
            let what = if files == 1 { "the file is empty" } else { "all of the files are empty" };
            return Err(Refusal::input(format!("{what}: there is nothing to count")));
        }
        if usize::try_from(files - empty).is_ok_and(|read| read == left_out.len()) {
            return Err(unread::nothing_known(&left_out));
        }
        let usage = import.finish();
        let need = need(&usage);
        let timezone = asked.timezone.as_deref().filter(|name| !name.is_empty()).unwrap_or("UTC");
        let mut result = result(&usage, &need, timezone);
        result.repriced.priced_as.clone_from(prices.borrow().taken());
        let mut warnings = warnings(&usage);
        warnings.extend(unread::warning(&left_out));
        if result.repriced_usd.is_some() && !result.repriced.unpriced.is_empty() {
            let names = result.repriced.unpriced.len();
            let models = if names == 1 { "1 model has".to_owned() } else { format!("{names} models have") };
            warnings.push(Warning::new(
                "usage-unpriced-models",
                format!("{models} no price on some days of use: the amount at the prices of those days leaves them out."),
            ));
        }
        Ok(Envelope {
            schema: SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created: now.to_owned(),
            inputs: asked.inputs(files),
            result,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(asked: Asked, files: &[(&str, Place)]) -> Result<UsageDocument, Refusal> {
        let catalog = Catalog::embedded();
        let mut reading = Reading::new(asked, &catalog)?;
        for (text, place) in files {
            reading.file(*place, |import| import.read(text.as_bytes()))?;
        }
        reading.finish("2026-11-27T00:00:00Z")
    }
    const ROW: &str = r#"{"id":"a","model":"claude-sonnet-4-20250514","created":1788771600,"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#;

    #[test]
    fn a_file_becomes_a_document_with_its_prices() {
        let document = read(Asked::default(), &[(ROW, Place::Named)]).expect("a document");
        assert_eq!(document.result.totals.requests, Some(1));
        assert!(document.result.repriced_usd.is_some_and(|usd| (usd - 0.0045).abs() < 1e-9));
        let known = &document.result.repriced.priced_as;
        assert_eq!(
            known.get("claude-sonnet-4-20250514").map(String::as_str),
            Some("anthropic/claude-sonnet-4-0")
        );
    }

    #[test]
    fn of_a_folder_strangers_are_left_out_and_counted() {
        let stranger = "canary text of no format\nmore of it\n";
        let document =
            read(Asked::default(), &[(stranger, Place::InFolder), (ROW, Place::InFolder)]).expect("read");
        let warning = document.warnings.iter().find(|w| w.id == "usage-files-left-out").expect("said");
        assert!(warning.message.contains("1 file") && !warning.message.contains("canary"), "{warning:?}");
        let refusal = read(Asked::default(), &[(stranger, Place::Named)]).expect_err("named");
        assert!(refusal.message.starts_with("file 1 ") && !refusal.message.contains("canary"), "{refusal}");
        let refusal = read(Asked::default(), &[(stranger, Place::InFolder)]).expect_err("nothing else");
        assert!(refusal.message.contains("no format that is known"), "{refusal}");
        assert!(read(Asked::default(), &[("", Place::Named)]).expect_err("empty").message.contains("empty"));
    }

    #[test]
    fn what_was_asked_wrongly_is_named() {
        let wrong = |asked: Asked| {
            let refusal = read(asked, &[(ROW, Place::Named)]).expect_err("wrong");
            format!("{} {}", refusal.message, refusal.hint.unwrap_or_default())
        };
        let from = |name: &str| Asked { from: Some(name.to_owned()), ..Asked::default() };
        assert!(wrong(from("claude-cod")).contains("did you mean claude-code"));
        assert!(wrong(from("generic")).contains("--map"));
        assert!(
            wrong(Asked { timezone: Some("Mars/Base".to_owned()), ..Asked::default() })
                .contains("Europe/Berlin")
        );
        let pairs = Some(Map::Pairs("inptu=a".to_owned()));
        assert!(wrong(Asked { map: pairs.clone(), ..Asked::default() }).contains("--map"));
        let good = Some(Map::Pairs("input=a".to_owned()));
        assert!(wrong(Asked { map: good, ..from("claude-code") }).contains("leave one of them out"));
    }
}
