//! The providers of a configuration. The result has a column for each provider and each of its prompts.

use super::super::PromptError;
use super::super::yaml::{Kind, Node};
use super::reader::{Reader, means, texts};

/// A provider, as far as it decides which prompts are expanded.
pub(super) struct Provider {
    pub id: String,
    pub label: Option<String>,
    pub prompts: Option<Vec<String>>,
}

impl Provider {
    /// Its label, or its id where it has none.
    pub(super) fn key(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.id)
    }

    /// Does a test's list of providers name this one?
    pub(super) fn is_named(&self, reference: &str) -> bool {
        [Some(self.id.as_str()), self.label.as_deref()]
            .into_iter()
            .flatten()
            .any(|name| means(reference, name))
    }
}

impl Reader<'_> {
    pub(super) fn providers(&self, root: &Node) -> Result<Vec<Provider>, PromptError> {
        let Some(node) = root.get("providers").or_else(|| root.get("targets")).filter(|n| !n.is_null())
        else {
            let remedy =
                "Add a line such as `providers: [echo]`; which models are asked is said on the command line.";
            return Err(self.error(
                root.line,
                "the configuration names no provider, so promptfoo refuses it",
                remedy,
            ));
        };
        let plain = |id: &str| Provider { id: id.to_owned(), label: None, prompts: None };
        let one = |node: &Node| -> Option<Provider> {
            if let Some(id) = node.as_str() {
                return Some(plain(id));
            }
            let (id, body) = match node.get("id") {
                Some(id) => (id.as_str()?.to_owned(), node),
                None => node.as_map()?.first().map(|(k, v)| (k.clone(), v))?,
            };
            let label = body.get("label").and_then(Node::as_str).map(str::to_owned);
            Some(Provider { id, label, prompts: texts(body.get("prompts")) })
        };
        let list = match &node.kind {
            Kind::List(list) => list.iter().filter_map(one).collect(),
            _ => one(node).into_iter().collect::<Vec<_>>(),
        };
        if list.is_empty() {
            return Err(self.error(node.line, "the list of providers is empty", "Name one, such as `echo`."));
        }
        Ok(list)
    }
}
