//! Makes minijinja behave as Jinja2 in Python: how values print, which tests they pass, and functions that
//! templates use and minijinja lacks or has otherwise.

use minijinja::value::{
    ArgType, Enumerator, Kwargs, Object, ObjectRepr, Rest, Value, ValueKind, ValueOrKwargs, from_args,
};
use minijinja::{Environment, Error, ErrorKind, State};
use serde::Serialize as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Sets up an environment with Python's behaviour.
pub(super) fn set_up(environment: &mut Environment<'static>) {
    environment.set_formatter(|out, _, value| {
        let written = if value.is_undefined() { Ok(()) } else { out.write_str(&text(value)) };
        written.map_err(|_| Error::new(ErrorKind::WriteFailure, "the output is full"))
    });
    // A text is a sequence of its characters, and so is a mapping of its keys.
    let sized = |v: &Value| matches!(v.kind(), ValueKind::Seq | ValueKind::String | ValueKind::Map);
    environment.add_test("sequence", move |v: &Value| sized(v) || v.is_undefined());
    environment.add_test("iterable", move |v: &Value| sized(v) || (!v.is_none() && v.try_iter().is_ok()));
    environment.set_unknown_method_callback(method);
    environment.add_filter("tojson", tojson);
    environment.add_filter("string", |v: &Value| text(v));
    environment.add_filter("length", length);
    environment.add_filter("count", length);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("replace", replace);
    environment.add_filter("trim", trim);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("batch", batch);
    environment.add_filter("unique", unique);
    environment.add_filter("attr", attr);
    environment.add_filter("pprint", |v: &Value| {
        let mut out = String::new();
        repr(v, &mut out, 0);
        out
    });
    for name in ["escape", "e", "forceescape"] {
        environment.add_filter(name, |v: &Value| Value::from_safe_string(escaped(&text(v))));
    }
    environment.add_function("namespace", namespace);
    environment.add_filter("center", center);
    environment.add_filter("indent", indent);
    environment.add_filter("dictsort", dictsort);
    environment.add_filter("items", items);
    environment.add_test("callable", |v: &Value| v.kind() == ValueKind::Plain);
    environment.add_function("dict", dict);
    environment.add_filter("truncate", truncate);
    environment.add_filter("wordcount", minijinja_contrib::filters::wordcount);
    environment.add_filter("striptags", minijinja_contrib::filters::striptags);
    environment
        .add_function("cycler", |items: Rest<Value>| minijinja_contrib::globals::cycler(items.to_vec()));
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
}

/// `str(value)`.
fn text(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    let mut out = String::new();
    repr(value, &mut out, 0);
    out
}

/// Deepest nesting of values that is written out; what is deeper is cut.
const DEEPEST: usize = 64;

/// `repr(value)`, onto `out`.
fn repr(value: &Value, out: &mut String, depth: usize) {
    let list = |out: &mut String, ends: [char; 2]| {
        out.push(ends[0]);
        for (n, item) in value.try_iter().into_iter().flatten().enumerate() {
            out.push_str(if n > 0 { ", " } else { "" });
            repr(&item, out, depth + 1);
        }
        out.push(ends[1]);
    };
    match value.kind() {
        _ if depth > DEEPEST => out.push_str("..."),
        ValueKind::Seq if value.downcast_object_ref::<Tuple>().is_some() => {
            list(out, ['(', ')']);
            if value.len() == Some(1) {
                out.insert(out.len() - 1, ',');
            }
        }
        ValueKind::Number if !value.is_integer() => {
            out.push_str(&float_text(f64::try_from(value.clone()).unwrap_or(f64::NAN)));
        }
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::String => quoted(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => list(out, ['[', ']']),
        ValueKind::Map => {
            out.push('{');
            for (n, key) in value.try_iter().into_iter().flatten().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                repr(&key, out, depth + 1);
                out.push_str(": ");
                repr(&value.get_item(&key).unwrap_or_default(), out, depth + 1);
            }
            out.push('}');
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

/// `repr(x)` of a float.
fn float_text(x: f64) -> String {
    if !x.is_finite() {
        return if x.is_nan() { "nan".into() } else { format!("{}inf", if x < 0.0 { "-" } else { "" }) };
    }
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        return format!("{x:?}");
    }
    let text = format!("{x:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

/// Python's tuple: a list that prints with round brackets.
#[derive(Debug)]
struct Tuple(Vec<Value>);

impl Object for Tuple {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(usize::try_from(key.clone()).ok()?).cloned()
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// A mapping that keeps the order of insertion.
#[derive(Debug)]
struct Dict(Vec<(Value, Value)>);

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(key, _)| key.clone()).collect())
    }
}

/// The members of a mapping, each with its key.
fn members(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if value.kind() != ValueKind::Map {
        return Err(invalid("that has no members"));
    }
    Ok(value.try_iter()?.map(|key| (key.clone(), value.get_item(&key).unwrap_or_default())).collect())
}

fn pairs(members: Vec<(Value, Value)>) -> Value {
    members.into_iter().map(|(key, value)| Value::from_object(Tuple(vec![key, value]))).collect()
}

fn items(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() { Ok(pairs(Vec::new())) } else { Ok(pairs(members(value)?)) }
}

/// Jinja2's `dictsort(case_sensitive=false, by="key", reverse=false)`.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn dictsort(
    value: &Value,
    case_sensitive: Option<bool>,
    by: Option<String>,
    reverse: Option<bool>,
    named: Kwargs,
) -> Result<Value, Error> {
    let exact = case_sensitive.or(named.get("case_sensitive")?).unwrap_or(false);
    let by_value = by.or(named.get("by")?).as_deref() == Some("value");
    let reverse = reverse.or(named.get("reverse")?).unwrap_or(false);
    named.assert_all_used()?;
    let mut members = members(value)?;
    let rank = |(key, value): &(Value, Value)| {
        let of = if by_value { value } else { key };
        of.as_str().filter(|_| !exact).map_or_else(|| of.clone(), |text| text.to_lowercase().into())
    };
    members.sort_by_key(rank);
    if reverse {
        members.reverse();
    }
    Ok(pairs(members))
}

/// Python's `dict`: of a mapping or of pairs, with further members by name.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn dict(of: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let mut all: Vec<(Value, Value)> = Vec::new();
    match of {
        Some(of) if of.kind() == ValueKind::Map => all = members(&of)?,
        Some(of) => {
            for pair in of.try_iter()? {
                all.push((pair.get_item_by_index(0)?, pair.get_item_by_index(1)?));
            }
        }
        None => {}
    }
    for name in named.args() {
        all.push((name.into(), named.get(name)?));
    }
    let mut members: Vec<(Value, Value)> = Vec::with_capacity(all.len());
    for (key, value) in all {
        match members.iter_mut().find(|(known, _)| *known == key) {
            Some(known) => known.1 = value,
            None => members.push((key, value)),
        }
    }
    Ok(Value::from_object(Dict(members)))
}

/// Jinja2's `indent(width=4, first=false, blank=false)`; the width may be the text to put there.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn indent(
    value: &Value,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    named: Kwargs,
) -> Result<String, Error> {
    let width = width.or(named.get("width")?).unwrap_or_else(|| Value::from(4));
    let first = first.or(named.get("first")?).unwrap_or(false);
    let blank = blank.or(named.get("blank")?).unwrap_or(false);
    named.assert_all_used()?;
    let by = match width.as_str() {
        Some(text) => text.to_owned(),
        None => " ".repeat(usize::try_from(width)?.min(1 << 10)),
    };
    let mut out = String::new();
    for (n, line) in text(value).split('\n').enumerate() {
        out.push_str(if n > 0 { "\n" } else { "" });
        if if n == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&by);
        }
        out.push_str(line);
    }
    Ok(out)
}

/// Writes a text quoted as Python does: in single quotes, unless there are some in it and no double ones.
fn quoted(text: &str, out: &mut String) {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(mark);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == mark => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(mark);
}

/// The length of a value; 0 for an undefined one.
fn length(value: &Value) -> Result<usize, Error> {
    match value.len() {
        Some(length) => Ok(length),
        None if value.is_undefined() => Ok(0),
        None if value.is_none() => Err(invalid("none has no length")),
        None => value.try_iter().map(Iterator::count).map_err(|_| invalid("that has no length")),
    }
}

/// An option of a filter, by its place or by its name.
fn option<'a, T>(by_place: Option<T>, named: &'a Kwargs, name: &'a str) -> Result<Option<T>, Error>
where
    Option<T>: ArgType<'a, Output = Option<T>>,
{
    if by_place.is_some() || !named.has(name) { Ok(by_place) } else { named.get(name) }
}

/// Jinja2's `trim(chars)`.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn trim(value: &Value, chars: Option<String>, named: Kwargs) -> Result<String, Error> {
    let chars = option(chars, &named, "chars")?;
    named.assert_all_used()?;
    let text = text(value);
    Ok(match chars {
        Some(chars) => text.trim_matches(|c| chars.contains(c)).to_owned(),
        None => text.trim().to_owned(),
    })
}

/// Jinja2's `default(default_value="", boolean=false)`.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn default(
    value: &Value,
    instead: Option<Value>,
    boolean: Option<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let instead = option(instead, &named, "default_value")?;
    let boolean = option(boolean, &named, "boolean")?;
    named.assert_all_used()?;
    let absent = value.is_undefined() || boolean.is_some_and(|b| b.is_true()) && !value.is_true();
    Ok(if absent { instead.unwrap_or_else(|| Value::from("")) } else { value.clone() })
}

/// Jinja2's `batch(linecount, fill_with=none)`.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn batch(
    value: &Value,
    count: Option<usize>,
    fill_with: Option<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let count = option(count, &named, "linecount")?.filter(|n| *n > 0);
    let count = count.ok_or_else(|| invalid("a batch has at least one item"))?;
    let fill = option(fill_with, &named, "fill_with")?.filter(|fill| !fill.is_none());
    named.assert_all_used()?;
    let items: Vec<Value> = value.try_iter()?.collect();
    let mut rows: Vec<Vec<Value>> = items.chunks(count).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (fill, rows.last_mut())
        && count <= 1 << 16
    {
        last.resize(count, fill);
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

/// Jinja2's `unique(case_sensitive=false, attribute=none)`.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn unique(
    value: &Value,
    case_sensitive: Option<bool>,
    attribute: Option<String>,
    named: Kwargs,
) -> Result<Value, Error> {
    let exact = option(case_sensitive, &named, "case_sensitive")?.unwrap_or(false);
    let attribute = option(attribute, &named, "attribute")?;
    named.assert_all_used()?;
    let mut seen: Vec<Value> = Vec::new();
    let mut out: Vec<Value> = Vec::new();
    for item in value.try_iter()? {
        let of = match &attribute {
            Some(path) => path.split('.').try_fold(item.clone(), |value, name| value.get_attr(name))?,
            None => item.clone(),
        };
        let of = of.as_str().filter(|_| !exact).map_or_else(|| of.clone(), |text| text.to_lowercase().into());
        if !seen.contains(&of) {
            seen.push(of);
            out.push(item);
        }
    }
    Ok(out.into())
}

/// Jinja2's `attr`: an attribute, and never an item. Mappings have none but their methods.
fn attr(value: &Value, name: &str) -> Value {
    match value.kind() {
        ValueKind::Plain => value.get_attr(name).unwrap_or_default(),
        _ => Value::UNDEFINED,
    }
}

/// A namespace, from a mapping and names.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn namespace(of: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let all = dict(of, named)?;
    minijinja::functions::namespace(Some(ValueOrKwargs::from_value(Some(&all))?))
}

/// Text for HTML, with the entities that `MarkupSafe` has.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Jinja2's `int`: the whole number, or `default` (0) where there is none.
#[allow(clippy::cast_possible_truncation, reason = "a float as Python cuts it")]
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn int(value: &Value, default: Option<i64>, base: Option<u32>, named: Kwargs) -> Result<i64, Error> {
    let default = option(default, &named, "default")?;
    let base = option(base, &named, "base")?.filter(|b| matches!(b, 2..=36)).unwrap_or(10);
    named.assert_all_used()?;
    let of_text = |text: &str| {
        let text = text.trim().replace('_', "").to_ascii_lowercase();
        let digits = match base {
            2 => text.strip_prefix("0b"),
            8 => text.strip_prefix("0o"),
            16 => text.strip_prefix("0x"),
            _ => None,
        };
        let whole = i64::from_str_radix(digits.unwrap_or(&text), base).ok();
        whole.or_else(|| text.parse::<f64>().ok().map(|x| x as i64))
    };
    let number = match value.kind() {
        ValueKind::String => value.as_str().and_then(of_text),
        ValueKind::Bool => Some(i64::from(value.is_true())),
        _ => {
            i64::try_from(value.clone()).ok().or_else(|| f64::try_from(value.clone()).ok().map(|x| x as i64))
        }
    };
    Ok(number.or(default).unwrap_or(0))
}

fn float(value: &Value, default: Option<f64>) -> f64 {
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    number.or(default).unwrap_or(0.0)
}

/// Jinja2's `replace`, of all occurrences or of the first `count`.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands values over")]
fn replace(
    value: &Value,
    old: Option<String>,
    new: Option<String>,
    count: Option<usize>,
    named: Kwargs,
) -> Result<String, Error> {
    let missing = || Error::from(ErrorKind::MissingArgument);
    let old = option(old, &named, "old")?.ok_or_else(missing)?;
    let new = option(new, &named, "new")?.ok_or_else(missing)?;
    let count = option(count, &named, "count")?;
    named.assert_all_used()?;
    let value = text(value);
    Ok(match count {
        Some(count) => value.replacen(&old, &new, count),
        None => value.replace(&old, &new),
    })
}

/// `text.center(width)`; where the room is odd, the larger half as Python puts it.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands values over")]
fn center(value: String, width: Option<usize>) -> String {
    centered(&value, width, " ")
}

fn centered(value: &str, width: Option<usize>, fill: &str) -> String {
    let (width, length) = (width.unwrap_or(80).min(1 << 16), value.chars().count());
    let room = width.saturating_sub(length);
    let left = room / 2 + (room & width & 1);
    format!("{}{value}{}", fill.repeat(left), fill.repeat(room - left))
}

/// Jinja2's `truncate`, whose options may be given by position, too.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn truncate(state: &mut State, value: &Value, by_place: Rest<Value>, named: Kwargs) -> Result<Value, Error> {
    let mut options: Vec<(String, Value)> = Vec::new();
    for name in named.args() {
        options.push((name.to_owned(), named.get(name)?));
    }
    let names = ["length", "killwords", "end", "leeway"];
    options.extend(names.into_iter().map(str::to_owned).zip(by_place.iter().cloned()));
    minijinja_contrib::filters::truncate(state, value, options.into_iter().collect())
}

/// Methods of Python's strings that minijinja's own set lacks; what is in neither is an error.
fn method(state: &mut State, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    let Some(text) = value.as_str() else {
        return match (value.kind(), name) {
            (ValueKind::Map, "items") if args.is_empty() => items(value),
            (ValueKind::Map | ValueKind::Seq, "copy") if args.is_empty() => Ok(value.clone()),
            (ValueKind::Seq, "index") => {
                let wanted = args.first().ok_or_else(|| Error::from(ErrorKind::MissingArgument))?;
                let at = value.try_iter()?.position(|item| item == *wanted);
                at.map(Value::from).ok_or_else(|| invalid("the list does not have that"))
            }
            _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args),
        };
    };
    let word = |n: usize| args.get(n).and_then(Value::as_str);
    let number = |n: usize| args.get(n).and_then(|v| usize::try_from(v.clone()).ok());
    let needed = || word(0).ok_or_else(|| invalid("a text is missing"));
    let padded = |left: bool| {
        let room = number(0).unwrap_or(0).min(1 << 16).saturating_sub(text.chars().count());
        let fill = word(1).unwrap_or(" ").repeat(room);
        if left { format!("{fill}{text}") } else { format!("{text}{fill}") }
    };
    let three = |at: Option<usize>, mark: &str, last: bool| {
        let parts = match at {
            Some(at) => [&text[..at], mark, &text[at + mark.len()..]],
            None if last => ["", "", text],
            None => [text, "", ""],
        };
        Value::from_object(Tuple(parts.into_iter().map(Value::from).collect()))
    };
    // Where a search begins, as a count of characters.
    let after = |n: usize| match number(n) {
        Some(from) => text.char_indices().nth(from).map_or("", |(at, _)| &text[at..]),
        None => text,
    };
    let found = |at: Option<usize>| match at {
        Some(at) => (number(1).unwrap_or(0) + after(1)[..at].chars().count()).into(),
        None => Value::from(-1),
    };
    let any_of = |fits: &dyn Fn(&str) -> bool| -> Result<Value, Error> {
        let wanted = args.first().ok_or_else(|| Error::from(ErrorKind::MissingArgument))?;
        Ok(match wanted.as_str() {
            Some(part) => fits(part),
            None => wanted.try_iter()?.any(|part| part.as_str().is_some_and(fits)),
        }
        .into())
    };
    Ok(match name {
        "find" => found(after(1).find(needed()?)),
        "rfind" => found(after(1).rfind(needed()?)),
        "count" if args.len() > 1 => after(1).matches(needed()?).count().into(),
        "startswith" => any_of(&|part| after(1).starts_with(part))?,
        "endswith" => any_of(&|part| after(1).ends_with(part))?,
        "split" if args.last().is_some_and(Value::is_kwargs) => {
            let (by, named): (Option<&str>, Kwargs) = from_args(args)?;
            let by = option(by.map(str::to_owned), &named, "sep")?;
            let most: Option<usize> = named.get("maxsplit")?;
            named.assert_all_used()?;
            let most = most.map_or(usize::MAX, |n| n.saturating_add(1));
            match &by {
                Some(by) if !by.is_empty() => text.splitn(most, by.as_str()).map(Value::from).collect(),
                Some(_) => return Err(invalid("an empty separator")),
                None => words(text, most).into_iter().map(Value::from).collect(),
            }
        }
        "format_map" => {
            let names = args.first().ok_or_else(|| Error::from(ErrorKind::MissingArgument))?;
            let named: Kwargs = members(names)?
                .into_iter()
                .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value)))
                .collect();
            let args = [named.into()];
            return minijinja_contrib::pycompat::unknown_method_callback(state, value, "format", &args);
        }
        "removeprefix" => text.strip_prefix(needed()?).unwrap_or(text).into(),
        "removesuffix" => text.strip_suffix(needed()?).unwrap_or(text).into(),
        "partition" => three(text.find(needed()?), needed()?, false),
        "rpartition" => three(text.rfind(needed()?), needed()?, true),
        "rsplit" => match (word(0), number(1)) {
            (Some(mark), Some(most)) => {
                let mut parts: Vec<String> = text.rsplitn(most + 1, mark).map(str::to_owned).collect();
                parts.reverse();
                parts.into()
            }
            (Some(mark), None) => text.split(mark).map(str::to_owned).collect::<Vec<_>>().into(),
            (None, _) => text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into(),
        },
        "index" => {
            let at = text.find(needed()?).ok_or_else(|| invalid("substring not found"))?;
            text[..at].chars().count().into()
        }
        "ljust" => padded(false).into(),
        "rjust" => padded(true).into(),
        "center" => centered(text, number(0), word(1).unwrap_or(" ")).into(),
        "zfill" => {
            let room = number(0).unwrap_or(0).min(1 << 16).saturating_sub(text.chars().count());
            let sign = text.len() - text.trim_start_matches(['+', '-']).len();
            let (sign, digits) = text.split_at(sign.min(1));
            format!("{sign}{}{digits}", "0".repeat(room)).into()
        }
        "istitle" => {
            let (mut inside, mut titled) = (false, true);
            for c in text.chars().filter(|c| c.is_alphabetic() || !c.is_alphanumeric()) {
                titled &= !c.is_alphabetic() || c.is_uppercase() != inside;
                inside = c.is_alphabetic();
            }
            (titled && text.chars().any(char::is_alphabetic)).into()
        }
        "expandtabs" => {
            let size = number(0).unwrap_or(8).min(1 << 10);
            let (mut out, mut column) = (String::new(), 0);
            for c in text.chars() {
                match c {
                    '\t' => {
                        let room = if size > 0 { size - column % size } else { 0 };
                        out.extend(std::iter::repeat_n(' ', room));
                        column += room;
                    }
                    c => {
                        out.push(c);
                        column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                    }
                }
            }
            out.into()
        }
        "casefold" => text.to_lowercase().replace('ß', "ss").into(),
        "swapcase" => {
            let swap = |c: char| {
                if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() }
            };
            text.chars().map(swap).collect::<String>().into()
        }
        "isdecimal" => (!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).into(),
        _ => return minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args),
    })
}

/// At most so many words of a text, the last with all that is left.
fn words(text: &str, most: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let end = rest.find(char::is_whitespace).filter(|_| parts.len() + 1 < most);
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        parts.push(word);
        rest = after.trim_start();
    }
    parts
}

fn invalid(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// Python's `json.dumps(value, ensure_ascii=…, indent=…, sort_keys=…, separators=…)`, by default without
/// escapes beyond ASCII, as chat templates are rendered.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn tojson(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    let pair = |list: &[String]| Some((list.first()?.clone(), list.get(1)?.clone()));
    let plain = if indent.is_some() { (",", ": ") } else { (", ", ": ") };
    let (comma, colon) =
        separators.as_deref().and_then(pair).unwrap_or((plain.0.to_owned(), plain.1.to_owned()));
    let failed = |e: serde_json::Error| Error::new(ErrorKind::BadSerialization, e.to_string());
    let sorted = options.get::<Option<bool>>("sort_keys")? == Some(true);
    let style = Style {
        comma,
        colon,
        indent: indent.map(|n| " ".repeat(n.min(16))),
        ascii: options.get::<Option<bool>>("ensure_ascii")? == Some(true),
        depth: 0,
        filled: false,
    };
    options.assert_all_used()?;
    if value.is_undefined() {
        return Err(invalid("what is undefined cannot be written as JSON"));
    }
    let mut out = Vec::new();
    let mut out_as = serde_json::Serializer::with_formatter(&mut out, style);
    if sorted {
        in_order(serde_json::to_value(value).map_err(failed)?).serialize(&mut out_as).map_err(failed)?;
    } else {
        value.serialize(&mut out_as).map_err(failed)?;
    }
    String::from_utf8(out).map_err(|e| Error::new(ErrorKind::BadSerialization, e.to_string()))
}

/// Every object with its keys sorted.
fn in_order(json: serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Object(members) => {
            let sorted: BTreeMap<String, serde_json::Value> =
                members.into_iter().map(|(key, value)| (key, in_order(value))).collect();
            sorted.into_iter().collect()
        }
        serde_json::Value::Array(items) => items.into_iter().map(in_order).collect(),
        other => other,
    }
}

/// How `json.dumps` writes separators, spaces and lines.
struct Style {
    comma: String,
    colon: String,
    indent: Option<String>,
    ascii: bool,
    depth: usize,
    /// The list or object that is being written has an entry already.
    filled: bool,
}

impl Style {
    fn begin<W: ?Sized + std::io::Write>(&mut self, out: &mut W, mark: &[u8]) -> std::io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(mark)
    }
    fn end<W: ?Sized + std::io::Write>(&mut self, out: &mut W, mark: &[u8]) -> std::io::Result<()> {
        self.depth -= 1;
        if self.filled {
            self.line(out)?;
        }
        self.filled = true;
        out.write_all(mark)
    }
    fn item<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        if !first {
            out.write_all(self.comma.as_bytes())?;
        }
        self.filled = true;
        self.line(out)
    }
    fn line<W: ?Sized + std::io::Write>(&self, out: &mut W) -> std::io::Result<()> {
        let Some(indent) = &self.indent else { return Ok(()) };
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(indent.as_bytes()))
    }
}

impl serde_json::ser::Formatter for Style {
    fn write_f64<W: ?Sized + std::io::Write>(&mut self, out: &mut W, x: f64) -> std::io::Result<()> {
        out.write_all(float_text(x).as_bytes())
    }
    fn begin_array<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        self.begin(out, b"[")
    }
    fn end_array<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        self.end(out, b"]")
    }
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        self.item(out, first)
    }
    fn begin_object<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        self.begin(out, b"{")
    }
    fn end_object<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        self.end(out, b"}")
    }
    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        self.item(out, first)
    }
    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(self.colon.as_bytes())
    }
    fn end_array_value<W: ?Sized + std::io::Write>(&mut self, _: &mut W) -> std::io::Result<()> {
        self.filled = true;
        Ok(())
    }
    fn end_object_value<W: ?Sized + std::io::Write>(&mut self, _: &mut W) -> std::io::Result<()> {
        self.filled = true;
        Ok(())
    }
    fn write_string_fragment<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> std::io::Result<()> {
        if !self.ascii || fragment.is_ascii() {
            return out.write_all(fragment.as_bytes());
        }
        for unit in fragment.encode_utf16() {
            match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() => out.write_all(&[byte])?,
                _ => write!(out, "\\u{unit:04x}")?,
            }
        }
        Ok(())
    }
}
