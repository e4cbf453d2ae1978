//! JSON schema as promptfoo's checker has it: Ajv, strict, draft-07.

mod error;
mod parts;
mod references;

pub use error::SchemaError;

use super::regex::Regex;
use error::DEEPEST;
use jsonschema::paths::Location;
use jsonschema::{Draft, Keyword, ValidationError, Validator};
use parts::{Inner, inner};
use serde_json::{Map, Value, json};

/// A schema ready to check values.
#[derive(Debug)]
pub struct Schema(Validator);

impl Schema {
    /// Make ready a schema that was written as a value.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        match schema {
            Value::Object(_) | Value::Bool(_) => {}
            _ => return Err(SchemaError::NotASchema),
        }
        if let Some(dialect) = schema.get("$schema").and_then(Value::as_str) {
            let known = dialect.trim_end_matches('#');
            if !["http://json-schema.org/draft-07/schema", "http://json-schema.org/schema"].contains(&known) {
                return Err(SchemaError::Dialect(dialect.to_owned()));
            }
        }
        // What the meta-schema refuses is refused first, as Ajv does.
        check_strict(schema, 0, &|_| Ok(()))?;
        if let Err(error) = jsonschema::draft7::meta::validate(schema) {
            return Err(SchemaError::Invalid(format!("{error} (at {})", at(&error))));
        }
        check_strict(schema, 0, &strict)?;
        references::check(schema)?;
        let mut schema = plainer(schema);
        if let Some(map) = schema.as_object_mut() {
            map.remove("$schema");
        }
        let mut options = jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            .with_keyword("multipleOf", multiple_of);
        for (name, check) in FORMATS {
            options = options.with_format(*name, *check);
        }
        options.build(&schema).map(Self).map_err(|e| SchemaError::Invalid(e.to_string()))
    }

    /// Does a value match the schema?
    pub fn holds(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }
}

fn at(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    if path.is_empty() { "the top".to_owned() } else { path }
}

const KEYWORDS: &[&str] = &[
    "$schema",
    "$id",
    "$defs",
    "$vocabulary",
    "$comment",
    "$ref",
    "definitions",
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "multipleOf",
    "maxLength",
    "minLength",
    "pattern",
    "maxProperties",
    "minProperties",
    "required",
    "maxItems",
    "minItems",
    "uniqueItems",
    "type",
    "nullable",
    "const",
    "enum",
    "not",
    "anyOf",
    "oneOf",
    "allOf",
    "if",
    "then",
    "else",
    "propertyNames",
    "additionalProperties",
    "dependencies",
    "properties",
    "patternProperties",
    "additionalItems",
    "items",
    "contains",
    "format",
    "formatMaximum",
    "formatMinimum",
    "formatExclusiveMaximum",
    "formatExclusiveMinimum",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "examples",
    "contentMediaType",
    "contentEncoding",
    "contentSchema",
];

/// Known formats. Those of numbers, and those that only describe, match every text.
const NAMES: &[&str] = &[
    "date",
    "time",
    "date-time",
    "iso-time",
    "iso-date-time",
    "duration",
    "uri",
    "uri-reference",
    "uri-template",
    "url",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "regex",
    "uuid",
    "json-pointer",
    "json-pointer-uri-fragment",
    "relative-json-pointer",
    "byte",
    "int32",
    "int64",
    "float",
    "double",
    "password",
    "binary",
];

type Visit = dyn Fn(&Map<String, Value>) -> Result<(), SchemaError>;

/// Go through a schema and everything in it that is one.
fn check_strict(schema: &Value, depth: usize, visit: &Visit) -> Result<(), SchemaError> {
    if depth > DEEPEST {
        return Err(SchemaError::TooDeep);
    }
    let Some(map) = schema.as_object() else { return Ok(()) };
    visit(map)?;
    for (key, value) in map {
        match (inner(key), value) {
            (Inner::Schemas, Value::Array(list)) => {
                list.iter().try_for_each(|s| check_strict(s, depth + 1, visit))?;
            }
            (Inner::Schemas, one) => check_strict(one, depth + 1, visit)?,
            (Inner::Named, Value::Object(named)) => {
                named.values().try_for_each(|s| check_strict(s, depth + 1, visit))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What Ajv's strict mode refuses about one schema.
fn strict(map: &Map<String, Value>) -> Result<(), SchemaError> {
    if let Some(key) = map.keys().find(|k| !KEYWORDS.contains(&k.as_str())) {
        return Err(SchemaError::UnknownKeyword(key.clone()));
    }
    if let Some(format) = map.get("format").and_then(Value::as_str)
        && !NAMES.contains(&format)
    {
        return Err(SchemaError::UnknownFormat(format.to_owned()));
    }
    if map.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        return Err(SchemaError::Invalid("an enum has no value".to_owned()));
    }
    let without_effect = [
        (
            "additionalItems",
            map.contains_key("additionalItems") && !map.get("items").is_some_and(Value::is_array),
        ),
        ("if", map.contains_key("if") && !map.contains_key("then") && !map.contains_key("else")),
        ("then", map.contains_key("then") && !map.contains_key("if")),
        ("else", map.contains_key("else") && !map.contains_key("if")),
        ("nullable", map.contains_key("nullable") && !map.contains_key("type")),
    ];
    if let Some((key, _)) = without_effect.iter().find(|(_, wrong)| *wrong) {
        return Err(SchemaError::WithoutEffect((*key).to_owned()));
    }
    // A property that a pattern describes, too.
    if let (Some(properties), Some(patterns)) = (
        map.get("properties").and_then(Value::as_object),
        map.get("patternProperties").and_then(Value::as_object),
    ) {
        for pattern in patterns.keys() {
            let Ok(regex) = Regex::new(pattern) else { continue };
            if let Some(name) = properties.keys().find(|p| regex.test(p) == Ok(true)) {
                return Err(SchemaError::WithoutEffect(name.clone()));
            }
        }
    }
    Ok(())
}

/// What the validator reads as Ajv reads the original: `nullable: true` as another type, formats of numbers as
/// what they mean, a reference as one more condition beside its neighbours (draft-07 itself would ignore them),
/// and no checks of what a text encodes.
fn plainer(schema: &Value) -> Value {
    match schema {
        Value::Array(list) => list.iter().map(plainer).collect(),
        Value::Object(map) => {
            let mut out: Map<String, Value> = map
                .iter()
                .map(|(key, value)| {
                    let value = match (inner(key), value) {
                        (Inner::Schemas, value) => plainer(value),
                        (Inner::Named, Value::Object(named)) => {
                            Value::Object(named.iter().map(|(k, v)| (k.clone(), plainer(v))).collect())
                        }
                        (_, value) => value.clone(),
                    };
                    (key.clone(), value)
                })
                .collect();
            if out.get("nullable") == Some(&Value::Bool(true)) {
                out.remove("nullable");
                let types = match out.get("type") {
                    Some(Value::String(one)) => vec![json!(one), json!("null")],
                    Some(Value::Array(list)) => list.iter().cloned().chain([json!("null")]).collect(),
                    _ => Vec::new(),
                };
                if !types.is_empty() {
                    out.insert("type".to_owned(), Value::Array(types));
                }
            }
            out.remove("contentEncoding");
            out.remove("contentMediaType");
            if out.len() > 1
                && let Some(Value::String(target)) = out.get("$ref").cloned()
            {
                out.remove("$ref");
                let all = out.entry("allOf").or_insert_with(|| json!([]));
                if let Some(all) = all.as_array_mut() {
                    all.push(json!({"$ref": target}));
                }
            }
            if let Some(Value::String(format)) = out.get("format")
                && (format == "int32" || format == "int64")
            {
                let mut whole = json!({"multipleOf": 1});
                if format == "int32" {
                    whole["minimum"] = json!(i32::MIN);
                    whole["maximum"] = json!(i32::MAX);
                }
                let all = out.entry("allOf").or_insert_with(|| json!([]));
                if let Some(all) = all.as_array_mut() {
                    all.push(whole);
                }
                out.remove("format");
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// Divisibility as in JavaScript, where 0.3 is not a multiple of 0.1.
struct MultipleOf(f64);

impl<'i> Keyword<'i> for MultipleOf {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("not a multiple")) }
    }
    fn is_valid(&self, instance: &'i Value) -> bool {
        let Value::Number(n) = instance else { return true };
        n.as_f64().is_none_or(|n| (n / self.0).fract() == 0.0)
    }
}

#[allow(clippy::unnecessary_wraps)]
fn multiple_of<'a>(
    _: &'a Map<String, Value>,
    value: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(MultipleOf(value.as_f64().unwrap_or(1.0))))
}

type Check = fn(&str) -> bool;

/// Formats that ajv-formats defines differently from the validator, or that the validator lacks.
const FORMATS: &[(&str, Check)] = &[
    ("date", date),
    ("time", |t| time(t, true)),
    ("date-time", |t| date_time(t, true)),
    ("iso-time", |t| time(t, false)),
    ("iso-date-time", |t| date_time(t, false)),
    ("duration", duration),
    ("email", email),
    ("hostname", hostname),
    ("regex", |t| Regex::new(t).is_ok()),
    ("uuid", uuid),
    ("url", url),
    ("byte", byte),
    ("json-pointer-uri-fragment", |t| t.starts_with('#') && !t.contains([' ', '"'])),
];

fn digits(text: &str, len: usize) -> Option<u32> {
    (text.len() == len && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=last).contains(&day)
}

/// `hh:mm:ss` with an optional fraction and a zone, which the strict form requires.
fn time(text: &str, strict: bool) -> bool {
    let split = text.find(['z', 'Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(split);
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let (whole, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let (Some(hour), Some(minute), Some(whole)) = (digits(hour, 2), digits(minute, 2), digits(whole, 2))
    else {
        return false;
    };
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let (zone_hour, zone_minute, sign) = match zone {
        "" if strict => return false,
        "" | "z" | "Z" => (0, 0, 1),
        _ => {
            let body = &zone[1..];
            let (h, m) = if body.len() == 2 {
                (body, "00")
            } else {
                (body.get(..2).unwrap_or(""), body.get(2..).unwrap_or(""))
            };
            let m = m.strip_prefix(':').unwrap_or(m);
            match (digits(h, 2), digits(m, 2)) {
                (Some(h), Some(m)) if h <= 23 && m <= 59 => {
                    (h, m, if zone.starts_with('-') { -1 } else { 1 })
                }
                _ => return false,
            }
        }
    };
    if hour <= 23 && minute <= 59 && whole < 60 {
        return true;
    }
    // A leap second occurs at midnight, universal time.
    let signed = |n: u32| i64::from(n) * sign;
    let utc_minute = i64::from(minute) - signed(zone_minute);
    let utc_hour = i64::from(hour) - signed(zone_hour) - i64::from(utc_minute < 0);
    matches!(utc_hour, 23 | -1) && matches!(utc_minute, 59 | -1) && whole < 61
}

fn date_time(text: &str, strict: bool) -> bool {
    let parts: Vec<&str> =
        text.split(|c: char| c == 't' || c == 'T' || crate::prompts::js::is_space(c)).collect();
    matches!(parts[..], [d, t] if date(d) && time(t, strict))
}

fn duration(text: &str) -> bool {
    let Some(body) = text.strip_prefix('P').filter(|b| !b.is_empty()) else { return false };
    // Units must be in order, each at most once and with digits before it.
    let in_order = |text: &str, units: &str| {
        let mut rest = text;
        for unit in units.chars() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if end > 0 && rest[end..].starts_with(unit) {
                rest = &rest[end + 1..];
            }
        }
        rest.is_empty()
    };
    if body.ends_with('W') {
        return in_order(body, "W");
    }
    let (days, clock) = body.split_once('T').unwrap_or((body, "0S"));
    in_order(days, "YMD") && !clock.is_empty() && in_order(clock, "HMS")
}

fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |a: &str| {
        !a.is_empty() && a.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c))
    };
    local.split('.').all(atom) && domain.contains('.') && domain.split('.').all(label)
}

fn label(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(text.chars().next())
        && edge(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn hostname(text: &str) -> bool {
    let body = text.strip_suffix('.').unwrap_or(text);
    (1..=253).contains(&body.len()) && body.split('.').all(|l| l.len() <= 63 && label(l))
}

fn uuid(text: &str) -> bool {
    let body = text.get(..9).filter(|p| p.eq_ignore_ascii_case("urn:uuid:")).map_or(text, |_| &text[9..]);
    let parts: Vec<usize> = body.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && body.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// A web or FTP address whose host has a top-level domain or is a public IPv4 address.
fn url(text: &str) -> bool {
    let lower = text.to_lowercase();
    let Some(rest) = ["http://", "https://", "ftp://"].iter().find_map(|s| lower.strip_prefix(s)) else {
        return false;
    };
    if rest.contains(crate::prompts::js::is_space) {
        return false;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let (host, port) = host.split_once(':').unwrap_or((host, "80"));
    if !(2..=5).contains(&port.len()) || !port.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        let first = address.octets()[0];
        return !address.is_private()
            && !address.is_loopback()
            && !address.is_link_local()
            && (1..=223).contains(&first);
    }
    let labels: Vec<&str> = host.split('.').collect();
    let letter = |c: char| c.is_ascii_alphanumeric() || c >= '\u{a1}';
    let good = |l: &&str| {
        !l.is_empty() && !l.starts_with('-') && !l.ends_with('-') && l.chars().all(|c| letter(c) || c == '-')
    };
    let top = labels
        .last()
        .is_some_and(|l| l.chars().count() >= 2 && l.chars().all(|c| letter(c) && !c.is_ascii_digit()));
    labels.len() >= 2 && labels.iter().all(good) && top
}

fn byte(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of these would take a validator round and round, or away from the schema.
    #[test]
    fn references_end_inside_the_schema() {
        let loops = [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"not": {"$ref": "#/definitions/a"}}}}),
            json!({"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"anyOf": [{"$ref": "#/definitions/a"}]}}}),
        ];
        for schema in loops {
            assert!(matches!(Schema::new(&schema), Err(SchemaError::Endless(_))), "{schema}");
        }
        for schema in
            [json!({"$ref": "#/definitions/x"}), json!({"items": {"$ref": "http://example.com/a.json"}})]
        {
            assert!(matches!(Schema::new(&schema), Err(SchemaError::Elsewhere(_))), "{schema}");
        }
        // A list of lists of lists is no circle: each step goes into the value.
        let tree = Schema::new(&json!({"type": "array", "items": {"$ref": "#"}})).expect("a schema");
        assert!(tree.holds(&json!([[], [[]]])) && !tree.holds(&json!([[], [5]])));
        let chain: Map<String, Value> = (0..5000)
            .map(|i| (format!("d{i}"), json!({"$ref": format!("#/definitions/d{}", i + 1)})))
            .collect();
        let long = json!({"$ref": "#/definitions/d0", "definitions": chain});
        assert!(Schema::new(&long).is_err(), "thousands of steps, and no crash");
    }
}
