//! Prepares the graders of a prompt from its assertions: every name and value is checked once, before there
//! are answers.

mod check;
mod fault;
mod kinds;
mod read;

pub(super) use check::{Check, Item};
pub use check::{Need, Similarity};
pub use fault::{Fault, Problem};
pub use kinds::{Kind, OF_PROMPTFOO, OUR_OWN};

use crate::prompts::Assertion;
use read::{Reader, texts};
use serde_json::Value;

/// The graders of one prompt.
#[derive(Debug, Clone)]
pub struct Graders {
    pub(super) items: Vec<Item>,
    pub(super) threshold: Option<f64>,
    problems: Vec<Problem>,
}

impl Graders {
    /// Prepare the graders of a prompt, in whose assertions variables are already filled in.
    pub fn new(asserts: &[Assertion], threshold: Option<f64>) -> Self {
        let mut reader = Reader { place: 0, problems: Vec::new() };
        let items = asserts.iter().map(|a| reader.item(a, true)).collect();
        Self { items, threshold: threshold.filter(|t| !t.is_nan()), problems: reader.problems }
    }

    /// Problems with the assertions, in their order. A prompt set with problems other than
    /// [`Fault::NotRun`] is refused before a run.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Are there no graders?
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What the graders made from `asserts` need from a judge, a program or an embedding model, with the
    /// index of each grader.
    pub fn needs(asserts: &[Assertion]) -> Vec<(usize, Need)> {
        let mut needs = Vec::new();
        let flat = asserts.iter().flat_map(|a| std::iter::once(a).chain(&a.members));
        for (place, assertion) in flat.enumerate() {
            let base = assertion.kind.strip_prefix("not-").unwrap_or(&assertion.kind);
            let text = || assertion.value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            let need = match base {
                "llm-rubric" => Some(Need::Judge { rubric: text() }),
                "exec" => Some(Need::Program { name: text() }),
                _ if base == "similar" || base.starts_with("similar:") => {
                    assertion.value.as_ref().and_then(texts).map(|references| Need::Embeddings { references })
                }
                _ => None,
            };
            needs.extend(need.map(|n| (place, n)));
        }
        needs
    }
}

#[cfg(test)]
mod tests {
    use super::check::Need;
    use super::fault::{Fault, Problem};
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        for (kind, wanted) in [
            ("contain", Some("contains")),
            ("Equals", Some("equals")),
            ("exact-match", Some("equals")),
            ("not-containz", Some("not-contains")),
            ("json-schema", Some("is-json")),
            ("is_json", Some("is-json")),
            ("frobnicate", None),
        ] {
            let graders = Graders::new(&[Assertion::of(kind, json!("x"))], None);
            let [Problem { what: Fault::Unknown { nearest, .. }, .. }] = graders.problems() else {
                panic!("{kind}: {:?}", graders.problems())
            };
            assert_eq!(nearest.as_deref(), wanted, "{kind}");
        }
    }

    #[test]
    fn what_needs_others_is_listed_by_place() {
        let set = Assertion {
            members: vec![
                Assertion::of("contains", json!("a")),
                Assertion::of("not-llm-rubric", json!("kind")),
            ],
            ..Assertion::of("assert-set", json!(null))
        };
        let asserts = [set, Assertion::of("similar", json!(["x", "y"]))];
        assert_eq!(
            Graders::needs(&asserts),
            [
                (2, Need::Judge { rubric: "kind".into() }),
                (3, Need::Embeddings { references: vec!["x".into(), "y".into()] })
            ]
        );
        assert!(Graders::new(&asserts, None).problems().is_empty());
    }
}
