//! Checks XML in an answer: is the answer XML, does it contain some, are the wanted elements there?

use super::regex::Regex;
use crate::prompts::js;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The most candidates for XML in one answer that are parsed.
const MOST_CANDIDATES: usize = 1_000;

static DOCTYPE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i:<!DOCTYPE)[^>\[]*\[").ok());

/// Is the whole answer well formed, and does it have these elements (dotted paths)?
pub(super) fn is(text: &str, wanted: Option<&[String]>) -> bool {
    // A document type declaration could define anything; promptfoo refuses it, too.
    if !js::trim(text).starts_with('<') {
        return false;
    }
    if text.contains("<!") && DOCTYPE.as_ref().is_some_and(|r| r.test(text) == Ok(true)) {
        return false;
    }
    let options = roxmltree::ParsingOptions { allow_dtd: true, nodes_limit: 1_000_000, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options).is_ok() && has_all(&tree(text), wanted)
}

/// Does the answer contain balanced tags with these elements?
pub(super) fn contains(text: &str, wanted: Option<&[String]>) -> bool {
    let candidates = candidates(text);
    candidates.iter().take(MOST_CANDIDATES).any(|(from, to)| has_all(&tree(&text[*from..*to]), wanted))
}

fn has_all(tree: &Value, wanted: Option<&[String]>) -> bool {
    wanted.unwrap_or_default().iter().all(|path| {
        let mut at = tree;
        path.split('.').all(|key| {
            let next = match at {
                Value::Object(map) => map.get(key),
                Value::Array(list) => {
                    key.parse::<usize>().ok().filter(|n| n.to_string() == key).and_then(|n| list.get(n))
                }
                _ => None,
            };
            next.is_some_and(|next| {
                at = next;
                true
            })
        })
    })
}

/// A tag in a text, and where it ends.
struct Tag<'t> {
    kind: TagKind<'t>,
    end: usize,
}

enum TagKind<'t> {
    Open {
        name: &'t str,
        attributes: &'t str,
        closed: bool,
    },
    Close(&'t str),
    /// A comment, a declaration, or a CDATA section.
    Other,
    Text(&'t str),
}

fn name_start(c: char) -> bool {
    c == ':' || c == '_' || c.is_ascii_alphabetic() || (c >= '\u{c0}' && c.is_alphanumeric())
}

fn name(text: &str) -> Option<&str> {
    if !text.starts_with(name_start) {
        return None;
    }
    let part = |c: char| name_start(c) || c.is_ascii_digit() || c == '-' || c == '.' || c == '\u{b7}';
    Some(&text[..text.find(|c| !part(c)).unwrap_or(text.len())])
}

/// The tag that begins at a `<`.
fn tag(text: &str, at: usize) -> Option<Tag<'_>> {
    let rest = &text[at..];
    let other = |end: &str, from: usize| Tag {
        kind: TagKind::Other,
        end: rest[from..].find(end).map_or(text.len(), |e| at + from + e + end.len()),
    };
    if rest.starts_with("<!--") {
        return Some(other("-->", 4));
    }
    if let Some(body) = rest.strip_prefix("<![CDATA[") {
        let len = body.find("]]>").unwrap_or(body.len());
        let end = (at + 9 + len + 3).min(text.len());
        return Some(Tag { kind: TagKind::Text(&body[..len]), end });
    }
    if rest.starts_with("<!") {
        return Some(other(">", 2));
    }
    if rest.starts_with("<?") {
        return Some(other("?>", 2));
    }
    let mut quote = None;
    let mut end = None;
    for (i, c) in rest.char_indices().skip(1) {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '<' => return None,
            None if c == '>' => {
                end = Some(i);
                break;
            }
            _ => {}
        }
    }
    let end = end?;
    let inside = &rest[1..end];
    let kind = if let Some(inside) = inside.strip_prefix('/') {
        TagKind::Close(name(inside)?)
    } else {
        let closed = inside.trim_end().ends_with('/');
        let name = name(inside)?;
        let attributes = inside[name.len()..].trim_end().trim_end_matches('/');
        TagKind::Open { name, attributes, closed }
    };
    Some(Tag { kind, end: at + end + 1 })
}

/// Parts of a text from an opening tag to the matching closing one: first neighbours together, then each by
/// itself, and larger ones before those inside them.
fn candidates(text: &str) -> Vec<(usize, usize)> {
    let mut stack: Vec<(&str, usize)> = Vec::new();
    // Start, end, and where the enclosing element begins.
    let mut found: Vec<(usize, usize, Option<usize>)> = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|i| at + i) {
        let Some(tag) = tag(text, start) else {
            at = start + 1;
            continue;
        };
        at = tag.end;
        match tag.kind {
            TagKind::Open { closed: true, .. } => found.push((start, tag.end, stack.last().map(|s| s.1))),
            TagKind::Open { name, .. } => stack.push((name, start)),
            TagKind::Close(name) => match stack.last() {
                Some((open, from)) if *open == name => {
                    let from = *from;
                    stack.pop();
                    found.push((from, tag.end, stack.last().map(|s| s.1)));
                }
                _ => stack.clear(),
            },
            TagKind::Other | TagKind::Text(_) => {}
        }
    }
    let starts: std::collections::BTreeSet<usize> = found.iter().map(|f| f.0).collect();
    let outer = |f: &&(usize, usize, Option<usize>)| f.2.is_none_or(|p| !starts.contains(&p));
    let mut ordered: Vec<(usize, usize)> = Vec::new();
    let mut groups: Vec<(Option<usize>, usize, usize, usize)> = Vec::new();
    for (from, to, parent) in found.iter().filter(outer) {
        match groups.iter_mut().find(|g| g.0 == *parent) {
            Some(group) => {
                group.1 = group.1.min(*from);
                group.2 = group.2.max(*to);
                group.3 += 1;
            }
            None => groups.push((*parent, *from, *to, 1)),
        }
    }
    ordered.extend(groups.iter().filter(|g| g.3 > 1).map(|g| (g.1, g.2)));
    let mut each: Vec<(usize, usize)> = found.iter().filter(outer).map(|f| (f.0, f.1)).collect();
    each.sort_unstable();
    ordered.extend(each);
    ordered
}

/// The tags of a text as nested mappings: an element that occurs several times is a list, one with only
/// text is that text, and attributes are keys with `@_`.
fn tree(text: &str) -> Value {
    struct Open<'t> {
        name: &'t str,
        map: Map<String, Value>,
        text: String,
    }
    fn add(map: &mut Map<String, Value>, name: &str, value: Value) {
        match map.get_mut(name) {
            None => {
                map.insert(name.to_owned(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    let new = |name| Open { name, map: Map::new(), text: String::new() };
    let mut stack = vec![new("")];
    let mut at = 0;
    let close = |stack: &mut Vec<Open<'_>>| {
        if stack.len() > 1
            && let Some(done) = stack.pop()
            && let Some(parent) = stack.last_mut()
        {
            let text = done.text.trim();
            let value = if done.map.is_empty() {
                Value::String(text.to_owned())
            } else {
                let mut map = done.map;
                if !text.is_empty() {
                    map.insert("#text".to_owned(), Value::String(text.to_owned()));
                }
                Value::Object(map)
            };
            add(&mut parent.map, done.name, value);
        }
    };
    while at < text.len() {
        let next = text[at..].find('<').map_or(text.len(), |i| at + i);
        if let Some(open) = stack.last_mut() {
            open.text.push_str(&text[at..next]);
        }
        if next == text.len() {
            break;
        }
        let Some(tag) = tag(text, next) else {
            at = next + 1;
            continue;
        };
        at = tag.end;
        match tag.kind {
            TagKind::Open { name, attributes, closed } => {
                if stack.len() > 200 {
                    break;
                }
                let mut open = new(name);
                for (key, value) in attribute_pairs(attributes) {
                    open.map.insert(format!("@_{key}"), Value::String(value));
                }
                stack.push(open);
                if closed {
                    close(&mut stack);
                }
            }
            TagKind::Close(_) => close(&mut stack),
            TagKind::Text(body) => {
                if let Some(open) = stack.last_mut() {
                    open.text.push_str(body);
                }
            }
            TagKind::Other => {}
        }
    }
    while stack.len() > 1 {
        close(&mut stack);
    }
    stack.pop().map_or(Value::Null, |root| Value::Object(root.map))
}

fn attribute_pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while let Some(key) = name(rest) {
        rest = rest[key.len()..].trim_start();
        let mut value = String::from("true");
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            match after.chars().next().filter(|q| *q == '"' || *q == '\'') {
                Some(quote) => {
                    let end = after[1..].find(quote).map_or(after.len(), |e| e + 1);
                    after[1..end].clone_into(&mut value);
                    rest = after.get(end + 1..).unwrap_or("").trim_start();
                }
                None => break,
            }
        }
        pairs.push((key.to_owned(), value));
    }
    pairs
}
