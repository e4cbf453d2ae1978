//! Nunjucks' filters and tests.

use super::value::V;
use crate::prompts::js;
use std::fmt::Write as _;
use std::rc::Rc;

type Answer = Result<V, String>;

/// The value as filters take it: an absent one and `false` are empty text.
fn or_empty(value: &V) -> V {
    if value.is_nothing() || matches!(value, V::Bool(false)) { V::str("") } else { value.clone() }
}

fn text_of(filter: &str, value: &V) -> Result<Rc<str>, String> {
    match or_empty(value) {
        V::Str(text) => Ok(text),
        _ => Err(format!("the filter {filter:?} needs text")),
    }
}

fn list_of(filter: &str, value: &V) -> Result<Vec<V>, String> {
    match value {
        V::List(list) => Ok(list.to_vec()),
        V::Str(text) => Ok(text.encode_utf16().map(|u| V::str(&String::from_utf16_lossy(&[u]))).collect()),
        V::Map(map) => Ok(map.iter().map(|(_, v)| v.clone()).collect()),
        _ => Err(format!("the filter {filter:?} needs a list")),
    }
}

/// Part of a text, in UTF-16 units.
pub(super) fn units(text: &str, from: usize, to: usize) -> String {
    let all: Vec<u16> = text.encode_utf16().collect();
    let to = to.min(all.len());
    String::from_utf16_lossy(&all[from.min(to)..to])
}

fn upper_first(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut chars = lower.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '`' => out.push_str("&#96;"),
            '\\' => out.push_str("&#92;"),
            c => out.push(c),
        }
    }
    out
}

/// `value[a][b]` for `"a.b"`.
fn attribute(value: &V, path: &V) -> V {
    path.text().split('.').fold(value.clone(), |v, key| v.member(&V::str(key)))
}

/// Apply a filter to its value (the first argument) and further arguments.
#[allow(clippy::too_many_lines)]
pub(super) fn apply(name: &str, args: Vec<V>, named: &[(String, V)]) -> Answer {
    let mut args = args;
    let take = |args: &[V], n: usize, key: &str| {
        args.get(n)
            .cloned()
            .or_else(|| named.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()))
            .unwrap_or(V::Undefined)
    };
    if args.is_empty() {
        args.push(V::Undefined);
    }
    let value = args[0].clone();
    let arg = |n: usize| args.get(n).cloned().unwrap_or(V::Undefined);
    let text = || text_of(name, &value);
    let list = || list_of(name, &value);
    let count = |v: &V, default: usize| {
        let n = v.number();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        if n.is_finite() && n >= 1.0 { n as usize } else { default }
    };
    let str = |s: String| Ok(V::str(&s));
    match name {
        "abs" => Ok(V::Num(value.number().abs())),
        "upper" => str(text()?.to_uppercase()),
        "lower" => str(text()?.to_lowercase()),
        "capitalize" => str(upper_first(&text()?)),
        "title" => str(text()?.split(' ').map(upper_first).collect::<Vec<_>>().join(" ")),
        "trim" => match &value {
            V::Str(text) => str(js::trim(text).to_owned()),
            _ => Err("the filter \"trim\" needs text".to_owned()),
        },
        "default" | "d" => {
            let keep = if arg(2).truthy() { value.truthy() } else { !matches!(value, V::Undefined) };
            Ok(if keep { value } else { arg(1) })
        }
        "length" => Ok(V::Num(match or_empty(&value) {
            V::Map(map) => map.len() as f64,
            other => match other.len() {
                Some(len) => len as f64,
                None => return Ok(V::Undefined),
            },
        })),
        "first" => match value {
            V::Undefined | V::Null => Err("the filter \"first\" needs a list".to_owned()),
            value => Ok(value.member(&V::Num(0.0))),
        },
        "last" => match value.len() {
            Some(len) => Ok(len.checked_sub(1).map_or(V::Undefined, |n| value.item(n))),
            None if value.is_nothing() => Err("the filter \"last\" needs a list".to_owned()),
            None => Ok(V::Undefined),
        },
        "join" => {
            let V::List(items) = &value else { return Err("the filter \"join\" needs a list".to_owned()) };
            let (glue, attr) = (arg(1), arg(2));
            let glue = if glue.truthy() { glue.text() } else { String::new() };
            let piece = |v: &V| {
                let v = if attr.truthy() { attribute(v, &attr) } else { v.clone() };
                if v.is_nothing() { String::new() } else { v.text() }
            };
            str(items.iter().map(piece).collect::<Vec<_>>().join(&glue))
        }
        "replace" => Ok(replace(&value, &arg(1), &arg(2), &arg(3))),
        "reverse" => match &value {
            V::Str(text) => str(text.chars().rev().collect()),
            _ => Ok(V::list(list()?.into_iter().rev().collect())),
        },
        "round" => {
            let factor = 10f64.powf(if arg(1).truthy() { arg(1).number() } else { 0.0 });
            let scaled = value.number() * factor;
            let rounded = match arg(2) {
                V::Str(m) if *m == *"ceil" => scaled.ceil(),
                V::Str(m) if *m == *"floor" => scaled.floor(),
                // JavaScript rounds halves up.
                _ => (scaled + 0.5).floor(),
            };
            Ok(V::Num(rounded / factor))
        }
        "int" => {
            let whole = js::leading_number(&value.text()).filter(|n| n.is_finite()).map(f64::trunc);
            Ok(whole.map_or_else(|| take(&args, 1, "default"), V::Num))
        }
        "float" => Ok(js::leading_number(&value.text()).map_or_else(|| arg(1), V::Num)),
        "string" => str(value.text()),
        "safe" => str(if value.is_nothing() { String::new() } else { value.text() }),
        "escape" | "e" | "forceescape" => {
            str(escaped(&if value.is_nothing() { String::new() } else { value.text() }))
        }
        "dump" => {
            let json = value.to_json();
            let spaces = arg(1);
            Ok(match json {
                None => V::Undefined,
                Some(json) if spaces.truthy() => V::str(&pretty(&json, &spaces)),
                Some(json) => V::str(&js::json(&json)),
            })
        }
        "load" => serde_json::from_str(&value.text())
            .map(|v| V::from_json(&v))
            .map_err(|_| "the filter \"load\" needs JSON".to_owned()),
        "sort" => {
            let mut items = list()?;
            let (reverse, exact) = (take(&args, 1, "reverse"), take(&args, 2, "case_sensitive"));
            let by = take(&args, 3, "attribute");
            let key = |v: &V| {
                let v = if by.truthy() { attribute(v, &by) } else { v.clone() };
                match v {
                    V::Str(s) if !exact.truthy() => V::str(&s.to_lowercase()),
                    v => v,
                }
            };
            items.sort_by(|a, b| {
                let order = key(a).order(&key(b)).unwrap_or(std::cmp::Ordering::Equal);
                if reverse.truthy() { order.reverse() } else { order }
            });
            Ok(V::list(items))
        }
        "sum" => {
            let attr = arg(1);
            if !matches!(value, V::List(_)) && !attr.truthy() {
                return Err("the filter \"sum\" needs a list".to_owned());
            }
            let items = list()?;
            let pick = |v: &V| if attr.truthy() { attribute(v, &attr) } else { v.clone() };
            let start = if matches!(arg(2), V::Undefined) { V::Num(0.0) } else { arg(2) };
            Ok(start.add(&items.iter().fold(V::Num(0.0), |sum, v| sum.add(&pick(v)))))
        }
        "truncate" => {
            let text = text()?;
            let length = count(&arg(1), 255);
            if V::Str(Rc::clone(&text)).len().is_some_and(|l| l <= length) {
                return Ok(V::Str(text));
            }
            let mut cut = units(&text, 0, length);
            if !arg(2).truthy() {
                let longer = units(&text, 0, length + 1);
                if let Some(space) = longer.rfind(' ') {
                    longer[..space].clone_into(&mut cut);
                }
            }
            let end = if arg(3).is_nothing() { "...".to_owned() } else { arg(3).text() };
            str(cut + &end)
        }
        "indent" => {
            let text = text()?;
            let pad = " ".repeat(count(&arg(1), 4).min(1000));
            let first = arg(2).truthy();
            let line =
                |(n, l): (usize, &str)| if n == 0 && !first { l.to_owned() } else { format!("{pad}{l}") };
            str(text.split('\n').enumerate().map(line).collect::<Vec<_>>().join("\n"))
        }
        "center" => {
            let text = text()?;
            let width = count(&arg(1), 80).min(100_000);
            let len = V::Str(Rc::clone(&text)).len().unwrap_or(0);
            if len >= width {
                return Ok(V::Str(text));
            }
            let spaces = width - len;
            let before = spaces / 2;
            str(format!("{}{text}{}", " ".repeat(before), " ".repeat(spaces - before)))
        }
        "nl2br" => str(if value.is_nothing() {
            String::new()
        } else {
            text()?.replace("\r\n", "\n").replace('\n', "<br />\n")
        }),
        "wordcount" => {
            let text = text()?;
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let words = text.split(|c| !word(c)).filter(|w| !w.is_empty()).count();
            Ok(if words == 0 { V::Null } else { V::Num(words as f64) })
        }
        "list" => match &value {
            V::Map(map) => Ok(V::list(
                map.iter()
                    .map(|(k, v)| {
                        V::Map(Rc::new(vec![
                            (Rc::from("key"), V::Str(Rc::clone(k))),
                            (Rc::from("value"), v.clone()),
                        ]))
                    })
                    .collect(),
            )),
            _ => Ok(V::list(list()?)),
        },
        "batch" => {
            let per = count(&arg(1), 1);
            let mut rows: Vec<Vec<V>> = list()?.chunks(per).map(<[V]>::to_vec).collect();
            if let (true, Some(last)) = (arg(2).truthy(), rows.last_mut()) {
                last.resize(per.min(10_000), arg(2));
            }
            Ok(V::list(rows.into_iter().map(V::list).collect()))
        }
        "slice" => {
            let (items, slices) = (list()?, count(&arg(1), 1).min(10_000));
            let (each, extra) = (items.len() / slices, items.len() % slices);
            let mut at = 0;
            let rows = (0..slices).map(|n| {
                let len = each + usize::from(n < extra);
                let mut row = items[at..at + len].to_vec();
                at += len;
                if arg(2).truthy() && n >= extra {
                    row.push(arg(2));
                }
                V::list(row)
            });
            Ok(V::list(rows.collect()))
        }
        "select" | "reject" => {
            let wanted = name == "select";
            let test_name = if matches!(arg(1), V::Undefined) { "truthy".to_owned() } else { arg(1).text() };
            let mut kept = Vec::new();
            for item in list()? {
                if test(&test_name, &[item.clone(), arg(2)])? == wanted {
                    kept.push(item);
                }
            }
            Ok(V::list(kept))
        }
        "selectattr" | "rejectattr" => {
            let wanted = name == "selectattr";
            let keep = |v: &V| v.member(&arg(1)).truthy() == wanted;
            Ok(V::list(list()?.into_iter().filter(keep).collect()))
        }
        "groupby" => {
            let mut groups: Vec<(Rc<str>, Vec<V>)> = Vec::new();
            for item in list()? {
                let key: Rc<str> = Rc::from(attribute(&item, &arg(1)).text());
                match groups.iter_mut().find(|(k, _)| *k == key) {
                    Some((_, items)) => items.push(item),
                    None => groups.push((key, vec![item])),
                }
            }
            Ok(V::Map(Rc::new(groups.into_iter().map(|(k, items)| (k, V::list(items))).collect())))
        }
        "dictsort" => {
            let V::Map(map) = &value else {
                return Err("the filter \"dictsort\" needs a mapping".to_owned());
            };
            let by_value = matches!(arg(2), V::Str(s) if *s == *"value");
            let exact = arg(1).truthy();
            let fold = |v: V| match v {
                V::Str(s) if !exact => V::str(&s.to_uppercase()),
                v => v,
            };
            let mut pairs: Vec<(V, V)> = map.iter().map(|(k, v)| (V::Str(Rc::clone(k)), v.clone())).collect();
            let key = |p: &(V, V)| fold(if by_value { p.1.clone() } else { p.0.clone() });
            pairs.sort_by(|a, b| key(a).order(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
            Ok(V::list(pairs.into_iter().map(|(k, v)| V::list(vec![k, v])).collect()))
        }
        "urlencode" => {
            let enc = |v: &V| percent(&v.text());
            Ok(V::str(&match &value {
                V::Map(map) => {
                    let pair = |(k, v): &(Rc<str>, V)| format!("{}={}", percent(k), enc(v));
                    map.iter().map(pair).collect::<Vec<_>>().join("&")
                }
                other => enc(other),
            }))
        }
        "striptags" => str(strip_tags(&text()?)),
        "random" | "urlize" => {
            Err(format!("the filter {name:?} is not supported: an answer must be the same each time"))
        }
        _ => Err(format!("there is no filter {name:?}")),
    }
}

fn replace(value: &V, old: &V, new: &V, most: &V) -> V {
    let old = match old {
        V::Num(n) => js::number_text(*n),
        V::Str(old) => old.to_string(),
        _ => return value.clone(),
    };
    let text = match value {
        V::Num(n) => js::number_text(*n),
        V::Str(text) => text.to_string(),
        _ => return value.clone(),
    };
    let new = new.text();
    if old.is_empty() {
        let glued: String = text.chars().flat_map(|c| [new.clone(), c.to_string()]).collect();
        return V::str(&(glued + &new));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let most = match most {
        V::Undefined => usize::MAX,
        n if n.number() < 0.0 => usize::MAX,
        n => n.number() as usize,
    };
    V::str(&text.replacen(&old, &new, most))
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The text without tags and comments, and with single spaces.
fn strip_tags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let tag = &rest[start..];
        let name = tag[1..].strip_prefix('/').unwrap_or(&tag[1..]);
        let end = if tag.starts_with("<!--") {
            tag.find("-->").map(|e| e + 3)
        } else if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            tag.find('>').map(|e| e + 1)
        } else {
            None
        };
        if let Some(end) = end {
            rest = &tag[end..];
        } else {
            out.push('<');
            rest = &tag[1..];
        }
    }
    out.push_str(rest);
    js::words(&out).collect::<Vec<_>>().join(" ")
}

/// `JSON.stringify(value, null, spaces)`.
fn pretty(json: &serde_json::Value, spaces: &V) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let pad = match spaces {
        V::Num(n) => " ".repeat(n.clamp(0.0, 10.0) as usize),
        other => other.text().chars().take(10).collect(),
    };
    super::super::js::json_indented(json, &pad)
}

/// Does a value pass a test?
pub(super) fn test(name: &str, args: &[V]) -> Result<bool, String> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let undefined = V::Undefined;
    let value = args.first().unwrap_or(&undefined);
    let other = args.get(1).unwrap_or(&undefined);
    let text = || match value {
        V::Str(text) => Ok(text.to_string()),
        _ => Err(format!("the test {name:?} needs text")),
    };
    Ok(match name {
        "callable" => matches!(value, V::Macro(_) | V::Method(_) | V::Global(_) | V::Joiner(_)),
        "defined" => !matches!(value, V::Undefined),
        "undefined" => matches!(value, V::Undefined),
        "null" | "none" => matches!(value, V::Null),
        "divisibleby" => value.number() % other.number() == 0.0,
        "escaped" => false,
        "equalto" | "eq" | "sameas" => value.same(other),
        "ne" => !value.same(other),
        "even" => value.number() % 2.0 == 0.0,
        "odd" => (value.number() % 2.0 - 1.0).abs() < f64::EPSILON,
        "falsy" => !value.truthy(),
        "truthy" => value.truthy(),
        "ge" => matches!(value.order(other), Some(Greater | Equal)),
        "greaterthan" | "gt" => value.order(other) == Some(Greater),
        "le" => matches!(value.order(other), Some(Less | Equal)),
        "lessthan" | "lt" => value.order(other) == Some(Less),
        "lower" => text()?.to_lowercase() == text()?,
        "upper" => text()?.to_uppercase() == text()?,
        "number" => matches!(value, V::Num(_)),
        "string" => matches!(value, V::Str(_)),
        "iterable" => matches!(value, V::List(_) | V::Str(_)),
        "mapping" => matches!(value, V::Map(_)),
        _ => return Err(format!("there is no test {name:?}")),
    })
}
