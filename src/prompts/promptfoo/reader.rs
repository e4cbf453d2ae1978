//! The state that all parts of a configuration are read with: the files beside it, and the notices about
//! it.

use super::super::PromptError;
use super::super::fill::Files;
use super::super::yaml::{Kind, Node};
use super::notice::{Notice, NoticeKind};
use super::sources::Sources;

/// Reads a configuration.
pub(super) struct Reader<'a> {
    pub sources: Sources<'a>,
    pub notices: Vec<Notice>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, files: &'a dyn Files) -> Self {
        Self { sources: Sources { file, files, made: std::cell::Cell::new(0) }, notices: Vec::new() }
    }

    pub(super) fn error(
        &self,
        line: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> PromptError {
        self.sources.error(line, message, remedy)
    }

    pub(super) fn notice(&mut self, line: usize, kind: NoticeKind) {
        self.notices.push(Notice { line: Some(line), kind });
    }
}

/// A text, or a list of texts.
pub(super) fn texts(node: Option<&Node>) -> Option<Vec<String>> {
    let node = node.filter(|n| !n.is_null())?;
    match &node.kind {
        Kind::List(list) => Some(list.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect()),
        _ => node.as_str().map(|t| vec![t.to_owned()]),
    }
}

/// Does a reference in a list of prompts or providers stand for this name? It may end in `*`, and it also
/// includes names below it: `a` includes `a:b`.
pub(super) fn means(reference: &str, name: &str) -> bool {
    name == reference
        || reference.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix))
        || name.strip_prefix(reference).is_some_and(|rest| rest.starts_with(':'))
}
