//! Where a schema has schemas inside it.

/// What a keyword holds.
pub(super) enum Inner {
    /// A schema, or a list of them.
    Schemas,
    /// Schemas by name.
    Named,
    /// No schema.
    Nothing,
}

pub(super) fn inner(keyword: &str) -> Inner {
    match keyword {
        "not"
        | "if"
        | "then"
        | "else"
        | "propertyNames"
        | "additionalProperties"
        | "additionalItems"
        | "contains"
        | "items"
        | "anyOf"
        | "oneOf"
        | "allOf" => Inner::Schemas,
        "properties" | "patternProperties" | "definitions" | "$defs" | "dependencies" => Inner::Named,
        _ => Inner::Nothing,
    }
}
