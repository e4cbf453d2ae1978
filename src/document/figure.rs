//! Figures of a document by name ([`resolve_in`] describes how names are written), for gates and
//! comparisons.

use super::Document;
use super::metrics::lookup::{all_in, resolve_in};
use serde_json::Value;

pub use super::metrics::lookup::{Datum, Figure, NotFound, Why, covered, entry_name};

/// The figure of this name.
///
/// # Errors
///
/// Where there is no such figure; the error lists similar names.
pub fn resolve(path: &str, document: &Document) -> Result<Figure, NotFound> {
    resolve_in(path, document.kind(), &parts(document))
}

/// Every figure of a document, ordered by metric.
pub fn all(document: &Document) -> Vec<Figure> {
    all_in(document.kind(), &parts(document))
}

/// The result as JSON, with the parts that have names for figures; single requests and single months are
/// left out.
fn parts(document: &Document) -> Value {
    let part = |value: Result<Value, serde_json::Error>| value.unwrap_or(Value::Null);
    match document {
        Document::Bench(d) => {
            let r = &d.result;
            serde_json::json!({
                "targets": part(serde_json::to_value(&r.targets)),
                "comparisons": part(serde_json::to_value(&r.comparisons)),
                "quality": part(serde_json::to_value(&r.quality)),
                "pairs": part(serde_json::to_value(&r.pairs)),
                "spending": part(serde_json::to_value(&r.spending)),
            })
        }
        other => part(other.to_value()).get_mut("result").map(Value::take).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A figure of a saved document, found as a gate would look for it.
    #[test]
    fn figures_of_a_document_are_found() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bench/smollm2-on-a-processor.json");
        let text = std::fs::read_to_string(file).expect("there");
        let document = Document::parse(file, &text).expect("a document");
        let decode = resolve("local.decode_tps", &document).expect("a figure");
        assert!(
            matches!(decode.value, Some(Datum::Number(n)) if n > 1.0) && decode.n > Some(0),
            "{decode:?}"
        );
        assert!(decode.interval.is_some_and(|(low, high)| low < high));
        assert!(all(&document).contains(&decode));
        let error = resolve("local.payback", &document).expect_err("none");
        assert_eq!(error.why, Why::NotInThisDocument("bench"));
    }
}
