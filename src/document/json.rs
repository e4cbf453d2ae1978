//! Writes documents as JSON, with zeros that have no sign: a negative zero is the result of a difference,
//! readers would print it as `-0`, and it means nothing.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use std::io::{self, Write};

/// Indented JSON, for people.
pub fn pretty<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    text(value, Unsigned(PrettyFormatter::new()))
}

/// JSON on one line.
pub fn compact<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    text(value, Unsigned(CompactFormatter))
}

fn text<T: Serialize + ?Sized, F: Formatter>(value: &T, formatter: F) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// Wraps a formatter so that zeros have no sign.
struct Unsigned<F>(F);

macro_rules! as_inside {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.0.$name(writer $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for Unsigned<F> {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        self.0.write_f64(writer, if value == 0.0 { 0.0 } else { value })
    }
    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.0.write_f32(writer, if value == 0.0 { 0.0 } else { value })
    }
    as_inside! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_zero_has_no_sign_and_nothing_else_changes() {
        let value = json!({ "a": [-0.0, 0.0, -1e-300, 1.5], "b": { "c": "-0.0", "d": null }, "e": [], "f": -0.0_f64 });
        let plain =
            json!({ "a": [0.0, 0.0, -1e-300, 1.5], "b": { "c": "-0.0", "d": null }, "e": [], "f": 0.0_f64 });
        assert_eq!(pretty(&value).expect("JSON"), serde_json::to_string_pretty(&plain).expect("JSON"));
        assert_eq!(compact(&value).expect("JSON"), serde_json::to_string(&plain).expect("JSON"));
    }
}
