//! `schema`: the JSON Schemas of documents and files that others read or write.

use super::refusal::Refusal;
use crate::document::schema;
use crate::spelling::nearest;

/// One schema, or the list of them where none is named.
pub fn schema(name: Option<&str>) -> Result<String, Refusal> {
    let Some(name) = name else {
        let lines: Vec<String> =
            schema::NAMES.iter().map(|(name, what)| format!("{name:<10} {what}")).collect();
        return Ok(lines.join("\n") + "\n");
    };
    schema::text(name).ok_or_else(|| {
        let names: Vec<&str> = schema::NAMES.iter().map(|(name, _)| *name).collect();
        let near = nearest(name, names.iter().copied(), 1);
        let hint = near.first().map_or_else(|| names.join(", "), |near| format!("did you mean {near}?"));
        Refusal::input(format!("there is no schema named `{name}`")).hint(hint)
    })
}
