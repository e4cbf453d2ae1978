//! Reads JSON values and hands out the rows within them.

use super::layout::{Column, Layout, Node, Place, ROOT};
use super::pairs::Pairs;
use super::points::Point;
use super::{Cell, Row};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The most rows that may belong to one row.
const MOST_CHILDREN: usize = 200_000;

/// Reads JSON values and hands out the rows within them.
pub struct RowReader<'m> {
    layout: &'m Layout,
    /// One row for each level of nesting that has rows; the first one is the value itself.
    stack: Vec<Row>,
    emit: &'m mut dyn FnMut(&Row),
}

impl fmt::Debug for RowReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowReader").finish_non_exhaustive()
    }
}

impl<'m> RowReader<'m> {
    /// `rows` is memory that is reused; `emit` is called with every complete row.
    pub fn new(layout: &'m Layout, rows: &mut Vec<Row>, emit: &'m mut dyn FnMut(&Row)) -> Self {
        Self { layout, stack: std::mem::take(rows), emit }
    }
    /// Give back the memory.
    pub fn into_rows(self) -> Vec<Row> {
        self.stack
    }
    /// Read one value. Rows within it are handed out as they are read, and the value itself at the end,
    /// unless it is damaged.
    pub fn value<'de, D: serde::Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error> {
        self.open(0);
        let place = self.layout.entry;
        ValueAt { reader: self, place, level: 0 }.deserialize(from)?;
        if self.stack[0].is_row() {
            (self.emit)(&self.stack[0]);
        }
        Ok(())
    }
    fn open(&mut self, level: usize) {
        while self.stack.len() <= level {
            self.stack.push(Row::default());
        }
        self.stack[level].clear(self.layout.fields());
    }
    fn node(&self, place: Place) -> &'m Node {
        self.layout.node(place)
    }
    /// Read a string that contains JSON; other strings are ignored.
    fn embedded(&mut self, place: Place, level: usize, text: &str) {
        if text.trim_start().starts_with(['{', '[']) {
            let mut inner = serde_json::Deserializer::from_str(text);
            let place = if self.node(place).same { ROOT } else { place };
            if (ValueAt { reader: self, place, level }).deserialize(&mut inner).is_err() {
                // What was read before the damage is kept.
            }
        }
    }
}

impl Layout {
    /// Put a cell of a table into the fields of its column.
    pub fn fill(&self, column: Column, text: &str, row: &mut Row) {
        for slot in &self.node(column.place).slots {
            row.set_text(*slot, text);
        }
        if column.json {
            self.embedded(column, text, row);
        }
    }

    /// Read a cell that contains JSON into the row.
    fn embedded(&self, column: Column, text: &str, row: &mut Row) {
        let mut reader =
            RowReader { layout: self, stack: vec![std::mem::take(row)], emit: &mut |_: &Row| {} };
        reader.embedded(column.place, 0, text);
        *row = reader.stack.swap_remove(0);
    }
}

/// Reads the value at a node of the layout.
struct ValueAt<'a, 'm> {
    reader: &'a mut RowReader<'m>,
    place: Place,
    level: usize,
}

impl ValueAt<'_, '_> {
    fn scalar(self, cell: Cell) {
        let slots = &self.reader.node(self.place).slots;
        self.reader.stack[self.level].set(slots, cell);
    }
}

impl<'de> DeserializeSeed<'de> for ValueAt<'_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueAt<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(Cell::Bool(value));
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(Cell::Whole(value));
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(u64::try_from(value).map_or(Cell::Negative(value), Cell::Whole));
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(Cell::Float(value));
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(Cell::Null);
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let node = self.reader.node(self.place);
        if !node.next.is_empty() || node.same {
            self.reader.embedded(self.place, self.level, text);
        }
        for slot in &node.slots {
            self.reader.stack[self.level].set_text(*slot, text);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reader, place, level } = self;
        let node = reader.node(place);
        let place = if node.same { ROOT } else { place };
        if place == ROOT {
            reader.stack[level].is_object = true;
        } else {
            reader.stack[level].set(&node.slots, Cell::Nested);
        }
        while let Some(next) = map.next_key_seed(Key { layout: reader.layout, place })? {
            match next {
                Some(place) => map.next_value_seed(ValueAt { reader, place, level })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { reader, place, level } = self;
        let node = reader.node(place);
        if node.each {
            reader.stack[level].wraps = true;
            loop {
                reader.open(level + 1);
                let element = ValueAt { reader: &mut *reader, place: node.start, level: level + 1 };
                if list.next_element_seed(element)?.is_none() {
                    return Ok(());
                }
                if reader.stack[level + 1].is_row() {
                    (reader.emit)(&reader.stack[level + 1]);
                }
            }
        }
        if node.through {
            while list.next_element_seed(ValueAt { reader: &mut *reader, place, level })?.is_some() {}
            return Ok(());
        }
        if node.within {
            loop {
                reader.open(level + 1);
                // Reuse the memory of an earlier child here, if there is one.
                let used = reader.stack[level].used;
                if let Some(old) = reader.stack[level].children.get_mut(used) {
                    let old = std::mem::take(old);
                    reader.stack[level + 1] = old;
                    reader.stack[level + 1].clear(reader.layout.fields());
                }
                let element = ValueAt { reader: &mut *reader, place, level: level + 1 };
                if list.next_element_seed(element)?.is_none() {
                    return Ok(());
                }
                let child = std::mem::take(&mut reader.stack[level + 1]);
                let row = &mut reader.stack[level];
                match row.children.get_mut(used) {
                    Some(place) => *place = child,
                    None if used < MOST_CHILDREN => row.children.push(child),
                    None => continue,
                }
                row.used += 1;
            }
        }
        if let Some((key, value)) = &node.keyed {
            let row = &mut reader.stack[level];
            return Pairs { layout: reader.layout, row, place, key, value }.read(list);
        }
        reader.stack[level].set(&node.slots, Cell::Nested);
        if node.points {
            let points = &mut reader.stack[level].points;
            let mut plain = Vec::new();
            while list.next_element_seed(Point { points, plain: &mut plain })?.is_some() {}
            if let [time, value] = plain[..] {
                points.push((time, value));
            }
            return Ok(());
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Finds the node that a key of an object leads to.
struct Key<'l> {
    layout: &'l Layout,
    place: Place,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<Place>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<Place>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.layout.find(self.place, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(layout: &Layout, json: &str) -> Vec<Vec<Option<String>>> {
        let mut out = Vec::new();
        let mut emit = |row: &Row| {
            out.push((0..layout.fields()).map(|slot| row.text(slot).map(str::to_owned)).collect());
        };
        let mut reader = RowReader::new(layout, &mut Vec::new(), &mut emit);
        reader.value(&mut serde_json::Deserializer::from_str(json)).expect("good JSON");
        out
    }
    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|t| (!t.is_empty()).then(|| (*t).to_owned())).collect()
    }

    #[test]
    fn rows_are_found_however_they_are_wrapped() {
        let layout = Layout::new(["a", "b/c"], &["data[]"], &["message"]);
        let wanted = vec![some(&["1", "2"]), some(&["3", ""])];
        assert_eq!(rows(&layout, r#"[{"a":"1","b":{"c":"2"}},{"a":"3","b":7}]"#), wanted);
        assert_eq!(rows(&layout, r#"{"data":[{"a":"1","b":{"c":"2"}},{"a":"3"}]}"#), wanted);
        assert_eq!(rows(&layout, r#"{"x":{"a":"0"},"a":"1","b":{"c":"2"}}"#), wanted[..1]);
        assert_eq!(
            rows(&layout, r#"{"message":"{\"a\":\"1\",\"b\":\"{\\\"c\\\":\\\"2\\\"}\"}"}"#),
            wanted[..1]
        );
        // A wrapper that has a field itself is a row, too.
        assert_eq!(rows(&layout, r#"{"data":[{"a":"1"}],"a":"9"}"#), [some(&["1", ""]), some(&["9", ""])]);
    }

    #[test]
    fn rows_are_found_inside_what_the_format_does_not_know() {
        let inside = |keys: &[&str]| {
            let keys: Vec<String> = keys.iter().map(|k| (*k).to_owned()).collect();
            Layout::new(["a", "data/c"], &["list[]"], &[]).inside(&keys)
        };
        let wanted = vec![some(&["1", "2"]), some(&["3", ""])];
        let data = inside(&["data"]);
        let json = r#"[{"data":{"a":"1","data":{"c":"2"}},"a":"x"},{"a":"y"},{"data":{"a":"3"}}]"#;
        assert_eq!(rows(&data, json), wanted);
        assert_eq!(rows(&data, r#"{"data":[{"a":"1","data":{"c":"2"}},{"a":"3"}]}"#), wanted);
        assert_eq!(rows(&data, r#"{"data":{"list":[{"a":"1","data":{"c":"2"}},{"a":"3"}]}}"#), wanted);
        assert_eq!(rows(&data, r#"{"data":"{\"a\":\"3\"}"}"#), wanted[1..]);
        let hits = inside(&["hits", "hits[]", "_source"]);
        let json =
            r#"{"hits":{"a":"x","hits":[{"_source":{"a":"1","data":{"c":"2"}}},{"_source":{"a":"3"}}]}}"#;
        assert_eq!(rows(&hits, json), wanted);
        for value in ["null", "1", "[]", "{}", "[[1]]", "\"t\""] {
            assert!(
                rows(&hits, &format!(r#"{{"hits":{{"hits":[{value},{value}]}}}}"#)).is_empty(),
                "{value}"
            );
            assert!(rows(&data, value).is_empty(), "{value}");
        }
    }

    #[test]
    fn lists_of_pairs_are_read_in_either_order() {
        let layout = Layout::new(["attributes{key=value}/x.y", "attributes{key=value}/n"], &[], &[]);
        let json = r#"{"attributes":[{"key":"secret","value":{"stringValue":"canary"}},
            {"value":{"stringValue":"t"},"key":"x.y"},{"key":"n","value":{"intValue":"5"}}, 3, null]}"#;
        assert_eq!(rows(&layout, json), [some(&["t", "5"])]);
        let deeper = Layout::new(["m{name.value=value}/model"], &[], &[]);
        assert_eq!(rows(&deeper, r#"{"m":[{"name":{"value":"model"},"value":"g"}]}"#), [some(&["g"])]);
    }

    #[test]
    fn rows_inside_rows_come_with_them() {
        let layout = Layout::new(["start", "results*/n", "results*/deep*/m"], &["data[]"], &[]);
        let mut seen = Vec::new();
        let mut emit = |row: &Row| {
            let inner: Vec<_> = row
                .children()
                .iter()
                .map(|c| (c.count(1), c.children().iter().map(|d| d.count(2)).collect::<Vec<_>>()))
                .collect();
            seen.push((row.count(0), inner));
        };
        let json = r#"{"data":[{"results":[{"n":1,"deep":[{"m":4},{"m":5}]},{"n":2}],"start":7},
            {"start":8,"results":[{"n":3,"deep":[]}]},{"start":9,"results":[]}]}"#;
        RowReader::new(&layout, &mut Vec::new(), &mut emit)
            .value(&mut serde_json::Deserializer::from_str(json))
            .expect("good");
        let n = |n| Ok(Some(n));
        assert_eq!(
            seen,
            [
                (n(7), vec![(n(1), vec![n(4), n(5)]), (n(2), vec![])]),
                (n(8), vec![(n(3), vec![])]),
                (n(9), vec![])
            ]
        );
    }

    #[test]
    fn any_type_in_any_place_is_no_harm() {
        let layout = Layout::new(["a", "b/c", "l{key=value}/k", "r*/n"], &["data[]"], &["message"]);
        let values = ["null", "true", "1", "-1", "1.5", "\"t\"", "[]", "{}", "[[1]]", "{\"k\":[{}]}"];
        for key in ["a", "b", "l", "r", "data", "message"] {
            for value in values {
                rows(&layout, &format!("{{\"{key}\":{value},\"{key}\":{value}}}"));
                rows(&layout, &format!("[{value},[{{\"{key}\":{value}}}]]"));
            }
        }
    }
}
