//! Values in templates, with JavaScript's semantics.

use crate::prompts::js;
use serde_json::Value;
use std::cell::Cell;
use std::rc::Rc;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum V {
    Undefined,
    Null,
    Bool(bool),
    Num(f64),
    Str(Rc<str>),
    List(Rc<Vec<V>>),
    Map(Rc<Vec<(Rc<str>, V)>>),
    /// A macro of the template, by index.
    Macro(usize),
    /// A method of a value, not yet called.
    Method(Rc<(V, Rc<str>)>),
    /// A function that every template has.
    Global(Global),
    /// What `joiner` makes: nothing when it is first called, then what stands between things.
    Joiner(Rc<(Rc<str>, Cell<bool>)>),
    /// What `cycler` makes: values that come round, and how often `next` was called.
    Cycler(Rc<(Vec<V>, Cell<usize>)>),
}

/// The functions that every template has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    Range,
    Joiner,
    Cycler,
}

impl V {
    pub(super) fn str(text: &str) -> Self {
        Self::Str(Rc::from(text))
    }

    pub(super) fn list(list: Vec<V>) -> Self {
        Self::List(Rc::new(list))
    }

    pub(super) fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => Self::Num(n.as_f64().unwrap_or(f64::NAN)),
            Value::String(s) => Self::str(s),
            Value::Array(list) => Self::list(list.iter().map(Self::from_json).collect()),
            Value::Object(map) => Self::Map(Rc::new(
                map.iter().map(|(k, v)| (Rc::from(k.as_str()), Self::from_json(v))).collect(),
            )),
        }
    }

    /// As `JSON.stringify` takes it; `None` for what it leaves out.
    pub(super) fn to_json(&self) -> Option<Value> {
        Some(match self {
            Self::Undefined | Self::Macro(_) | Self::Method(_) | Self::Global(_) | Self::Joiner(_) => {
                return None;
            }
            Self::Cycler(cycler) => serde_json::json!({"current": current(cycler).to_json()}),
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Num(n) => serde_json::Number::from_f64(*n).map_or(Value::Null, Value::Number),
            Self::Str(s) => Value::String(s.to_string()),
            Self::List(list) => list.iter().map(|v| v.to_json().unwrap_or(Value::Null)).collect(),
            Self::Map(map) => {
                Value::Object(map.iter().filter_map(|(k, v)| Some((k.to_string(), v.to_json()?))).collect())
            }
        })
    }

    pub(super) fn truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(b) => *b,
            Self::Num(n) => *n != 0.0 && !n.is_nan(),
            Self::Str(s) => !s.is_empty(),
            _ => true,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// `String(value)`.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Undefined => "undefined".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Num(n) => js::number_text(*n),
            Self::Str(s) => s.to_string(),
            Self::List(list) => list
                .iter()
                .map(|v| if v.is_nothing() { String::new() } else { v.text() })
                .collect::<Vec<_>>()
                .join(","),
            Self::Map(_) | Self::Cycler(_) => "[object Object]".to_owned(),
            Self::Macro(_) | Self::Method(_) | Self::Global(_) | Self::Joiner(_) => "function".to_owned(),
        }
    }

    /// `Number(value)`.
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(b) => f64::from(u8::from(*b)),
            Self::Num(n) => *n,
            Self::Str(s) => js::number(s).unwrap_or(f64::NAN),
            Self::List(_) => js::number(&self.text()).unwrap_or(f64::NAN),
            _ => f64::NAN,
        }
    }

    fn is_primitive(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null | Self::Bool(_) | Self::Num(_) | Self::Str(_))
    }

    /// `a + b`.
    pub(super) fn add(&self, other: &Self) -> Self {
        let textual = |v: &Self| matches!(v, Self::Str(_)) || !v.is_primitive();
        if textual(self) || textual(other) {
            Self::str(&(self.text() + &other.text()))
        } else {
            Self::Num(self.number() + other.number())
        }
    }

    /// `a === b`.
    #[allow(clippy::float_cmp)]
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Num(a), Self::Num(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b),
            (Self::Map(a), Self::Map(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// `a == b`.
    #[allow(clippy::float_cmp)]
    pub(super) fn equal(&self, other: &Self) -> bool {
        match (self, other) {
            (a, b) if a.is_nothing() || b.is_nothing() => a.is_nothing() && b.is_nothing(),
            (Self::List(_) | Self::Map(_), Self::List(_) | Self::Map(_)) => self.same(other),
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Str(s), o @ (Self::List(_) | Self::Map(_)))
            | (o @ (Self::List(_) | Self::Map(_)), Self::Str(s)) => o.text() == **s,
            _ => self.number() == other.number(),
        }
    }

    /// The order of `a < b`, `a > b` and so on; `None` where the values have none.
    pub(super) fn order(&self, other: &Self) -> Option<std::cmp::Ordering> {
        let textual = |v: &Self| matches!(v, Self::Str(_)) || !v.is_primitive();
        if textual(self) && textual(other) {
            return Some(self.text().encode_utf16().cmp(other.text().encode_utf16()));
        }
        self.number().partial_cmp(&other.number())
    }

    /// Length of a text in UTF-16 units, or of a list.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Str(s) => Some(s.encode_utf16().count()),
            Self::List(list) => Some(list.len()),
            _ => None,
        }
    }

    /// The item at an index, for loops and indexing.
    pub(super) fn item(&self, index: usize) -> Self {
        match self {
            Self::List(list) => list.get(index).cloned().unwrap_or(Self::Undefined),
            Self::Str(s) => s
                .encode_utf16()
                .nth(index)
                .map_or(Self::Undefined, |u| Self::str(&String::from_utf16_lossy(&[u]))),
            _ => Self::Undefined,
        }
    }

    /// `value[key]`.
    pub(super) fn member(&self, key: &Self) -> Self {
        if self.is_nothing() {
            return Self::Undefined;
        }
        if let Self::Map(map) = self {
            let key = key.text();
            if let Some((_, v)) = map.iter().find(|(k, _)| **k == *key) {
                return v.clone();
            }
        }
        let name = key.text();
        if let (Self::Cycler(cycler), "current") = (self, name.as_str()) {
            return current(cycler);
        }
        if let Some(len) = self.len() {
            if name == "length" {
                return Self::Num(len as f64);
            }
            if let Ok(index) = name.parse::<usize>()
                && index.to_string() == name
            {
                return self.item(index);
            }
        }
        if exists(self, &name) {
            return Self::Method(Rc::new((self.clone(), Rc::from(name))));
        }
        Self::Undefined
    }
}

// Methods of JavaScript's values that a template may call; `methods` implements them.
const TEXT: &[&str] = &[
    "toUpperCase",
    "toLowerCase",
    "toLocaleUpperCase",
    "toLocaleLowerCase",
    "trim",
    "trimStart",
    "trimEnd",
    "split",
    "replace",
    "replaceAll",
    "includes",
    "startsWith",
    "endsWith",
    "indexOf",
    "lastIndexOf",
    "slice",
    "substring",
    "substr",
    "charAt",
    "at",
    "charCodeAt",
    "codePointAt",
    "repeat",
    "padStart",
    "padEnd",
    "concat",
    "toString",
    "valueOf",
    "normalize",
];
const LIST: &[&str] = &[
    "join",
    "reverse",
    "slice",
    "concat",
    "indexOf",
    "lastIndexOf",
    "includes",
    "at",
    "sort",
    "toString",
    "flat",
];
const NUMBER: &[&str] = &["toFixed", "toString", "valueOf"];

/// Where a cycler stands: nowhere before its first `next`.
pub(super) fn current(cycler: &(Vec<V>, Cell<usize>)) -> V {
    let (values, turns) = cycler;
    match turns.get().checked_sub(1) {
        Some(turn) if !values.is_empty() => values[turn % values.len()].clone(),
        Some(_) => V::Undefined,
        None => V::Null,
    }
}

/// Does a value have a method of this name?
fn exists(value: &V, name: &str) -> bool {
    match value {
        V::Str(_) => TEXT.contains(&name),
        V::List(_) => LIST.contains(&name),
        V::Num(_) => NUMBER.contains(&name),
        V::Map(_) => name == "hasOwnProperty" || name == "toString",
        V::Bool(_) => name == "toString",
        V::Cycler(_) => name == "next" || name == "reset",
        _ => false,
    }
}
