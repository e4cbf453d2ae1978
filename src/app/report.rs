//! `report`: renders saved documents again: one, several as one memo, or two compared.

use super::refusal::Refusal;
use crate::catalog::Catalog;
use crate::document::Document;
use crate::document::joined::{Difference, differences};
use crate::render::compare::compare;
use crate::render::memo::{Named, memo};
use crate::render::{Page, View};

/// What a report shows.
#[derive(Debug)]
pub enum Report<'a> {
    /// One document.
    One(&'a Named),
    /// Several on one page, and the points in which they are not of one case.
    Memo(&'a [Named], Vec<Difference>),
    /// The differences of two.
    Changes(View),
}

/// The page of these documents. Refused where they are not of one need, model, machine and measurement,
/// unless `allowed`: then the page says in what they differ.
pub fn report<'a>(documents: &'a [Named], catalog: &Catalog, allowed: bool) -> Result<Report<'a>, Refusal> {
    let [only] = documents else {
        let found = differences(documents, catalog);
        if !found.is_empty() && !allowed {
            let all: Vec<&str> = found.iter().map(|d| d.text.as_str()).collect();
            let error = Refusal::input(format!("these documents are not of one case\n\n{}", all.join("\n")));
            return Err(error
                .hint("give documents of one case, or --allow-mismatch: the page then says what differs"));
        }
        return Ok(Report::Memo(documents, found));
    };
    Ok(Report::One(only))
}

/// The documents, each once, and a note for each that is given again.
pub fn each_once(documents: Vec<Named>) -> (Vec<Named>, Vec<String>) {
    let (mut kept, mut notes): (Vec<Named>, Vec<String>) = (Vec::new(), Vec::new());
    let same = |a: &Document, b: &Document| a.to_value().ok().is_some_and(|a| b.to_value().ok() == Some(a));
    for (name, document) in documents {
        match kept.iter().find(|(_, other)| same(other, &document)) {
            Some((other, _)) => {
                notes.push(format!("{name} is the same document as {other}: it is shown once"));
            }
            None => kept.push((name, document)),
        }
    }
    (kept, notes)
}

/// What changed from one document to another. Refused where they are of different kinds.
pub fn changes(old: &Named, new: &Named, details: bool) -> Result<Report<'static>, Refusal> {
    compare(old, new, details).map(Report::Changes).map_err(Refusal::input)
}

/// Reads a document; `name` says in the error where the text came from.
pub fn parse(name: String, text: &str) -> Result<Named, Refusal> {
    let document = Document::parse(&name, text).map_err(Refusal::input)?;
    Ok((name, document))
}

impl Page for Report<'_> {
    fn view(&self) -> View {
        match self {
            // A document with a decision is shown as a memo, any other as it is.
            Self::One(one) => match &one.1 {
                Document::Advice(_) | Document::Breakeven(_) | Document::Plan(_) => {
                    memo(std::slice::from_ref(*one), &[])
                }
                document => document.view(),
            },
            Self::Memo(documents, differences) => memo(documents, differences),
            Self::Changes(view) => view.clone(),
        }
    }
    fn brief(&self) -> View {
        match self {
            Self::One((_, document)) => document.brief(),
            other => other.view(),
        }
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::One((_, document)) => Page::json(document),
            Self::Memo(documents, _) => {
                let all: Result<Vec<_>, _> = documents.iter().map(|(_, d)| d.to_value()).collect();
                crate::document::json::pretty(&all?)
            }
            Self::Changes(view) => view.to_json(),
        }
    }
    fn csv(&self) -> Option<String> {
        match self {
            Self::One((_, document)) => document.csv(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, kind: &str) -> Named {
        let text = serde_json::json!({
            "schema": format!("freehold.{kind}/1"), "tool_version": "0", "created": "2026-11-22T10:00:00Z",
            "inputs": {}, "warnings": [], "result": {"rows": [], "left_out": []},
        });
        parse(name.to_owned(), &text.to_string()).expect("a document")
    }

    #[test]
    fn one_is_itself_and_several_are_a_memo() {
        let documents = [named("a.json", "fit"), named("b.json", "fit")];
        let catalog = Catalog::embedded();
        let report = |documents| report(documents, &catalog, false).expect("of one case");
        assert!(matches!(report(&documents[..1]), Report::One(_)));
        let memo = report(&documents);
        let (once, notes) = each_once(vec![named("a.json", "fit"), named("b.json", "fit")]);
        assert_eq!((once.len(), notes.len()), (1, 1), "{notes:?}");
        assert!(memo.view().to_markdown().contains("no verdict is among the files"));
        let both: Vec<serde_json::Value> = serde_json::from_str(&memo.json().expect("JSON")).expect("a list");
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn what_is_no_document_is_refused_by_its_name() {
        let refusal = parse("x.json".to_owned(), "{}").expect_err("none");
        assert!(refusal.message.starts_with("x.json: "), "{refusal}");
        assert!(changes(&named("a", "fit"), &named("b", "fit"), false).is_ok());
    }
}
