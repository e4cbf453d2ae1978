//! Metadata values: twelve scalar types, and lists of them; lists of lists are refused.

use super::bytes::Bytes;
use super::error::{GgufError, Problem};
use super::limits::MAX_TEXT_BYTES;
use std::io::Read;

/// Fewest bytes of an entry: length of the key, one byte of it, type, one byte of value.
pub const SMALLEST_ENTRY: u64 = 8 + 1 + 4 + 1;
/// Longest list whose numbers are kept: nothing needs more than one entry for each layer.
const KEPT: u64 = 1024;

/// One metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number without a sign, of 8 to 64 bits.
    Unsigned(u64),
    /// A whole number with a sign, of 8 to 64 bits.
    Signed(i64),
    /// A floating-point number of 32 or 64 bits.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text; bytes that are not UTF-8 become U+FFFD.
    Text(String),
    /// A list of values of one type.
    List(List),
}

/// A list: its type and length always, its numbers where they are few.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// The type of its entries.
    pub kind: ListKind,
    /// How many it has.
    pub length: u64,
    /// Whole numbers and truth values (as 0 and 1); empty for other kinds and for long lists.
    pub numbers: Vec<i64>,
}

/// The type of a list's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// 32-bit signed or unsigned: the only widths the loader takes for per-layer lists.
    Whole32,
    /// Of another width.
    Whole,
    /// Floating-point numbers.
    Float,
    /// Truth values.
    Bool,
    /// Texts, such as the tokens of a vocabulary.
    Text,
}

/// Value types by their number in the file.
const TEXT: u32 = 8;
const LIST: u32 = 9;

/// Bytes of one value of a scalar type.
const fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

pub fn read<R: Read>(bytes: &mut Bytes<R>, key: &str) -> Result<Value, GgufError> {
    let at = bytes.at();
    match bytes.u32("a value type")? {
        TEXT => {
            let text = bytes.text("a text", MAX_TEXT_BYTES)?;
            Ok(Value::Text(String::from_utf8_lossy(&text).into_owned()))
        }
        LIST => list(bytes, key).map(Value::List),
        kind if width(kind).is_some() => scalar(bytes, kind, key),
        kind => Err(GgufError::new(at, Problem::ValueType { key: key.to_owned(), kind })),
    }
}

fn scalar<R: Read>(bytes: &mut Bytes<R>, kind: u32, key: &str) -> Result<Value, GgufError> {
    const WHAT: &str = "a value";
    let at = bytes.at();
    Ok(match kind {
        0 => Value::Unsigned(bytes.array::<1>(WHAT)?[0].into()),
        1 => Value::Signed(i8::from_le_bytes(bytes.array(WHAT)?).into()),
        2 => Value::Unsigned(u16::from_le_bytes(bytes.array(WHAT)?).into()),
        3 => Value::Signed(i16::from_le_bytes(bytes.array(WHAT)?).into()),
        4 => Value::Unsigned(bytes.u32(WHAT)?.into()),
        5 => Value::Signed(i32::from_le_bytes(bytes.array(WHAT)?).into()),
        6 => Value::Float(f32::from_le_bytes(bytes.array(WHAT)?).into()),
        7 => match bytes.array::<1>(WHAT)?[0] {
            0 => Value::Bool(false),
            1 => Value::Bool(true),
            value => return Err(GgufError::new(at, Problem::Bool { key: key.to_owned(), value })),
        },
        10 => Value::Unsigned(bytes.u64(WHAT)?),
        11 => Value::Signed(i64::from_le_bytes(bytes.array(WHAT)?)),
        _ => Value::Float(f64::from_le_bytes(bytes.array(WHAT)?)),
    })
}

fn list<R: Read>(bytes: &mut Bytes<R>, key: &str) -> Result<List, GgufError> {
    let at = bytes.at();
    let kind = bytes.u32("a list's type")?;
    if kind == LIST {
        return Err(GgufError::new(at, Problem::NestedList(key.to_owned())));
    }
    if kind == TEXT {
        let length = bytes.count("texts of a list", 8, u64::MAX)?;
        for _ in 0..length {
            bytes.skip_text("a text of a list")?;
        }
        return Ok(List { kind: ListKind::Text, length, numbers: Vec::new() });
    }
    let Some(width) = width(kind) else {
        return Err(GgufError::new(at, Problem::ValueType { key: key.to_owned(), kind }));
    };
    let length = bytes.count("entries of a list", width, u64::MAX)?;
    let list_kind = match kind {
        4 | 5 => ListKind::Whole32,
        6 | 12 => ListKind::Float,
        7 => ListKind::Bool,
        _ => ListKind::Whole,
    };
    let mut numbers = Vec::new();
    if length <= KEPT && list_kind != ListKind::Float {
        for _ in 0..length {
            let at = bytes.at();
            numbers.push(match scalar(bytes, kind, key)? {
                Value::Unsigned(n) => i64::try_from(n).map_err(|_| {
                    let allowed = "it must fit in 63 bits";
                    GgufError::new(at, Problem::OutOfRange { key: key.to_owned(), value: n, allowed })
                })?,
                Value::Signed(n) => n,
                Value::Bool(b) => i64::from(b),
                Value::Float(_) | Value::Text(_) | Value::List(_) => 0,
            });
        }
    } else {
        // The count was checked against the bytes left, so the product cannot wrap.
        bytes.skip(length * width, "a list")?;
    }
    Ok(List { kind: list_kind, length, numbers })
}
