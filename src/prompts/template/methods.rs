//! The methods of JavaScript's texts, lists and numbers that templates call.

use super::filters::units;
use super::value::{V, current};
use crate::prompts::js;

/// The longest text that a method may return, bytes.
const LONGEST: usize = 4 << 20;

/// An index, possibly counted from the end, clamped to a length.
fn index(arg: Option<&V>, default: usize, len: usize) -> usize {
    let n = match arg {
        None | Some(V::Undefined) => return default,
        Some(v) => v.number(),
    };
    let n = if n.is_nan() { 0.0 } else { n.trunc() };
    let len_f = len as f64;
    let n = if n < 0.0 { (len_f + n).max(0.0) } else { n.min(len_f) };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let n = n as usize;
    n
}

pub(super) fn call(value: &V, name: &str, args: &[V]) -> Result<V, String> {
    match value {
        V::Str(text) => text_method(text, name, args),
        V::List(list) => Ok(list_method(list, name, args)),
        V::Num(n) if name == "toFixed" => {
            let places = index(args.first(), 0, 100);
            Ok(V::str(&format!("{n:.places$}")))
        }
        V::Cycler(cycler) => {
            cycler.1.set(if name == "next" { cycler.1.get() + 1 } else { 0 });
            Ok(if name == "next" { current(cycler) } else { V::Undefined })
        }
        V::Map(map) if name == "hasOwnProperty" => {
            let key = args.first().map(V::text).unwrap_or_default();
            Ok(V::Bool(map.iter().any(|(k, _)| **k == *key)))
        }
        other => Ok(V::str(&other.text())),
    }
}

fn text_method(text: &str, name: &str, args: &[V]) -> Result<V, String> {
    let len = text.encode_utf16().count();
    let arg = |n: usize| args.get(n).map(V::text).unwrap_or_default();
    let position = |at: Option<usize>| V::Num(at.map_or(-1.0, |at| text[..at].encode_utf16().count() as f64));
    let str = |s: &str| Ok(V::str(s));
    match name {
        "toUpperCase" | "toLocaleUpperCase" => str(&text.to_uppercase()),
        "toLowerCase" | "toLocaleLowerCase" => str(&text.to_lowercase()),
        "trim" => str(js::trim(text)),
        "trimStart" => str(text.trim_start_matches(js::is_space)),
        "trimEnd" => str(text.trim_end_matches(js::is_space)),
        "split" => {
            let pieces: Vec<V> = match args.first() {
                None | Some(V::Undefined) => vec![V::str(text)],
                Some(by) if by.text().is_empty() => {
                    text.encode_utf16().map(|u| V::str(&String::from_utf16_lossy(&[u]))).collect()
                }
                Some(by) => text.split(by.text().as_str()).map(V::str).collect(),
            };
            let most = index(args.get(1), pieces.len(), pieces.len());
            Ok(V::list(pieces.into_iter().take(most).collect()))
        }
        "replace" => str(&text.replacen(&arg(0), &arg(1), 1)),
        "replaceAll" => str(&text.replace(&arg(0), &arg(1))),
        "includes" => Ok(V::Bool(text.contains(&arg(0)))),
        "startsWith" => Ok(V::Bool(text.starts_with(&arg(0)))),
        "endsWith" => Ok(V::Bool(text.ends_with(&arg(0)))),
        "indexOf" => Ok(position(text.find(&arg(0)))),
        "lastIndexOf" => Ok(position(text.rfind(&arg(0)))),
        "slice" => {
            let (from, to) = (index(args.first(), 0, len), index(args.get(1), len, len));
            str(&units(text, from, to.max(from)))
        }
        "substring" => {
            let clamp = |a: Option<&V>, d| match a {
                Some(v) if v.number() < 0.0 => 0,
                a => index(a, d, len),
            };
            let (a, b) = (clamp(args.first(), 0), clamp(args.get(1), len));
            str(&units(text, a.min(b), a.max(b)))
        }
        "substr" => {
            let from = index(args.first(), 0, len);
            let count = match args.get(1) {
                Some(v) if v.number() < 0.0 => 0,
                a => index(a, len, len),
            };
            str(&units(text, from, (from + count).min(len)))
        }
        "charAt" => {
            let at = args.first().map_or(0.0, V::number);
            if at < 0.0 {
                return str("");
            }
            let at = index(args.first(), 0, len);
            str(&units(text, at, at + 1))
        }
        "at" => {
            let at = args.first().map_or(0.0, V::number);
            if at < -(len as f64) || at >= len as f64 {
                return Ok(V::Undefined);
            }
            let at = index(args.first(), 0, len);
            str(&units(text, at, at + 1))
        }
        "charCodeAt" => {
            let at = index(args.first(), 0, len);
            Ok(V::Num(text.encode_utf16().nth(at).map_or(f64::NAN, f64::from)))
        }
        "codePointAt" => {
            let at = index(args.first(), 0, len);
            let c = units(text, at, at + 2).chars().next();
            Ok(c.map_or(V::Undefined, |c| V::Num(f64::from(u32::from(c)))))
        }
        "repeat" => {
            let times = index(args.first(), 0, LONGEST);
            if args.first().is_some_and(|v| v.number() < 0.0) || times.saturating_mul(text.len()) > LONGEST {
                return Err("the text is repeated too often".to_owned());
            }
            str(&text.repeat(times))
        }
        "padStart" | "padEnd" => {
            let wanted = index(args.first(), 0, LONGEST);
            let fill = if args.len() > 1 { arg(1) } else { " ".to_owned() };
            if wanted <= len || fill.is_empty() {
                return str(text);
            }
            let missing = wanted - len;
            let pad: Vec<u16> = fill.encode_utf16().cycle().take(missing).collect();
            let pad = String::from_utf16_lossy(&pad);
            str(&if name == "padStart" { pad + text } else { text.to_owned() + &pad })
        }
        "concat" => str(&args.iter().fold(text.to_owned(), |t, a| t + &a.text())),
        "normalize" => Err("\"normalize\" is not supported".to_owned()),
        _ => str(text),
    }
}

fn list_method(list: &[V], name: &str, args: &[V]) -> V {
    let len = list.len();
    let undefined = V::Undefined;
    let wanted = args.first().unwrap_or(&undefined);
    let position = |at: Option<usize>| V::Num(at.map_or(-1.0, |at| at as f64));
    match name {
        "join" => {
            let glue = if matches!(wanted, V::Undefined) { ",".to_owned() } else { wanted.text() };
            let piece = |v: &V| if v.is_nothing() { String::new() } else { v.text() };
            V::str(&list.iter().map(piece).collect::<Vec<_>>().join(&glue))
        }
        "reverse" => V::list(list.iter().rev().cloned().collect()),
        "slice" => {
            let (from, to) = (index(args.first(), 0, len), index(args.get(1), len, len));
            V::list(list[from..to.max(from)].to_vec())
        }
        "concat" => {
            let mut all = list.to_vec();
            for arg in args {
                match arg {
                    V::List(more) => all.extend(more.iter().cloned()),
                    other => all.push(other.clone()),
                }
            }
            V::list(all)
        }
        "flat" => V::list(
            list.iter()
                .flat_map(|v| match v {
                    V::List(inner) => inner.to_vec(),
                    other => vec![other.clone()],
                })
                .collect(),
        ),
        "indexOf" => position(list.iter().position(|v| v.same(wanted))),
        "lastIndexOf" => position(list.iter().rposition(|v| v.same(wanted))),
        "includes" => V::Bool(list.iter().any(|v| v.same(wanted))),
        "at" => {
            let at = wanted.number();
            if at < -(len as f64) || at >= len as f64 {
                V::Undefined
            } else {
                list.get(index(Some(wanted), 0, len)).cloned().unwrap_or(V::Undefined)
            }
        }
        "sort" => {
            let mut sorted = list.to_vec();
            sorted.sort_by(|a, b| a.text().encode_utf16().cmp(b.text().encode_utf16()));
            V::list(sorted)
        }
        _ => V::str(&V::list(list.to_vec()).text()),
    }
}
