//! A row of a table or of a JSON log, of which only the fields that a format names are ever looked at.
//! Everything else — prompts, answers, names, keys, paths — is passed over without being kept.
//!
//! A format names its fields by paths:
//!
//! | path | means |
//! |---|---|
//! | `message/usage/input_tokens` | a key in an object in an object |
//! | `attributes{key=value}/gen_ai.system` | in a list of `{"key": K, "value": V}`, the V of one K |
//! | `results*/model` | a field of the rows that belong to this one |
//! | `values#` | a list of `[time, value]`, or one such pair |
//!
//! A text where an object is expected is read as JSON: logs keep JSON in cells and strings.

use super::moment::{self, TimeStyle};
use super::number::{self, Style};
use super::record::{Reason, When, reason};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Longest text of a field that is kept while its row is read, bytes. Longer ones are no model, time or
/// kind; they count as an id by their hash.
const LONGEST_TEXT: usize = 512;
/// Most rows that belong to one row.
const MOST_CHILDREN: usize = 200_000;

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Cell {
    #[default]
    Absent,
    Null,
    Bool(bool),
    Whole(u64),
    Negative(i64),
    Float(f64),
    /// A part of the row's text.
    Text {
        at: u32,
        len: u32,
    },
    /// A text that is too long to be kept, as its hash.
    Long(u64),
    /// An object or a list where a value was expected.
    Nested,
}

/// The fields of one row.
#[derive(Debug, Default)]
pub struct Row {
    cells: Vec<Cell>,
    /// A bit for each of the first 64 fields that has content.
    present: u64,
    text: String,
    children: Vec<Row>,
    used: usize,
    /// Times and values of a series.
    points: Vec<(f64, f64)>,
    /// Rows were found inside it, so that it may be nothing but their wrapping.
    wraps: bool,
    /// It was an object; a list of numbers has no rows.
    is_object: bool,
}

impl Row {
    /// Forget everything, keep the memory.
    pub fn clear(&mut self, fields: usize) {
        self.cells.clear();
        self.cells.resize(fields, Cell::Absent);
        self.present = 0;
        self.text.clear();
        self.points.clear();
        self.used = 0;
        self.wraps = false;
        self.is_object = false;
    }
    /// Set a field from a table's cell.
    pub fn set_text(&mut self, slot: usize, text: &str) {
        if self.cells.len() <= slot {
            return;
        }
        if slot < 64 && !text.is_empty() {
            self.present |= 1 << slot;
        }
        self.cells[slot] = if text.len() > LONGEST_TEXT {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            Cell::Long(hasher.finish())
        } else {
            let at = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
            self.text.push_str(text);
            Cell::Text { at, len: u32::try_from(text.len()).unwrap_or(0) }
        };
    }
    fn set(&mut self, slots: &[usize], cell: Cell) {
        for slot in slots {
            if let Some(place) = self.cells.get_mut(*slot) {
                *place = cell;
                if *slot < 64 && cell != Cell::Null {
                    self.present |= 1 << slot;
                }
            }
        }
    }
    /// What a field holds.
    pub fn cell(&self, slot: usize) -> Cell {
        self.cells.get(slot).copied().unwrap_or_default()
    }
    /// The field is there and not `null` or empty.
    pub fn has(&self, slot: usize) -> bool {
        match self.cell(slot) {
            Cell::Absent | Cell::Null => false,
            Cell::Text { len, .. } => len > 0,
            _ => true,
        }
    }
    /// No field is there.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|c| *c == Cell::Absent) && self.used == 0
    }
    /// It is a row, not only what holds rows.
    fn is_row(&self) -> bool {
        self.is_object && !(self.wraps && self.is_blank())
    }
    /// The rows that belong to it.
    pub fn children(&self) -> &[Self] {
        &self.children[..self.used.min(self.children.len())]
    }
    /// Times, in seconds since 1970, and values of a `values#` field.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }
    /// The field's text.
    pub fn text(&self, slot: usize) -> Option<&str> {
        match self.cell(slot) {
            Cell::Text { at, len } if len > 0 => self.text.get(at as usize..(at + len) as usize),
            _ => None,
        }
    }
    /// The field's text is this, whatever its case.
    pub fn is(&self, slot: usize, word: &str) -> bool {
        self.text(slot).is_some_and(|text| text.eq_ignore_ascii_case(word))
    }
    /// The field says yes: `true`, `"True"`, 1.
    pub fn is_true(&self, slot: usize) -> bool {
        match self.cell(slot) {
            Cell::Bool(yes) => yes,
            Cell::Whole(n) => n == 1,
            _ => self.is(slot, "true") || self.is(slot, "1"),
        }
    }
    /// A token or request count.
    pub fn count(&self, slot: usize) -> Result<Option<u64>, &'static Reason> {
        self.styled_count(slot, Style::default())
    }
    /// A count in a column's own style.
    pub fn styled_count(&self, slot: usize, style: Style) -> Result<Option<u64>, &'static Reason> {
        match self.cell(slot) {
            Cell::Absent | Cell::Null => Ok(None),
            Cell::Whole(n) => Ok(Some(n)),
            Cell::Negative(_) => Err(&reason::NEGATIVE),
            Cell::Float(value) => number::count_of(value).map(Some),
            Cell::Text { .. } => number::count(self.text(slot).unwrap_or_default(), style),
            Cell::Bool(_) | Cell::Long(_) | Cell::Nested => Err(&reason::NOT_A_NUMBER),
        }
    }
    /// The first of several fields that states a count.
    pub fn first_count(&self, slots: &[usize]) -> Result<Option<u64>, &'static Reason> {
        for slot in slots {
            if let Some(n) = self.count(*slot)? {
                return Ok(Some(n));
            }
        }
        Ok(None)
    }
    /// An amount of money.
    pub fn amount(&self, slot: usize) -> Result<Option<f64>, &'static Reason> {
        self.styled_amount(slot, Style::default())
    }
    /// An amount in a column's own style.
    pub fn styled_amount(&self, slot: usize, style: Style) -> Result<Option<f64>, &'static Reason> {
        match self.cell(slot) {
            Cell::Absent | Cell::Null => Ok(None),
            Cell::Whole(n) => Ok(Some(n as f64)),
            Cell::Negative(n) => Ok(Some(n as f64)),
            Cell::Float(value) if value.is_finite() => Ok(Some(value)),
            Cell::Text { .. } => number::amount(self.text(slot).unwrap_or_default(), style),
            _ => Err(&reason::NOT_A_NUMBER),
        }
    }
    /// A time; nothing where the field is absent.
    pub fn time(&self, slot: usize) -> Result<Option<When>, &'static Reason> {
        match self.cell(slot) {
            Cell::Text { .. } => self.text(slot).map(moment::from_iso).transpose(),
            _ => self.plain_time(slot),
        }
    }
    /// A time in a column's own style.
    pub fn styled_time(&self, slot: usize, style: &TimeStyle) -> Result<Option<When>, &'static Reason> {
        match (self.cell(slot), &style.format) {
            (Cell::Text { .. }, _) => self.text(slot).map(|t| moment::from_text(t, style)).transpose(),
            (Cell::Whole(n), Some(_)) => moment::from_text(&n.to_string(), style).map(Some),
            _ => self.plain_time(slot),
        }
    }
    fn plain_time(&self, slot: usize) -> Result<Option<When>, &'static Reason> {
        match self.cell(slot) {
            Cell::Absent | Cell::Null | Cell::Text { .. } => Ok(None),
            Cell::Whole(n) => moment::from_whole(n).map(Some),
            Cell::Float(value) => moment::from_number(value).map(Some),
            _ => Err(&reason::UNREADABLE_TIME),
        }
    }
    /// What identifies it, hashed: any scalar, the empty text and `null` alike.
    pub fn hash(&self, slot: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self.cell(slot) {
            Cell::Absent | Cell::Null | Cell::Nested => return 0,
            Cell::Bool(value) => value.hash(&mut hasher),
            Cell::Whole(n) => n.to_string().hash(&mut hasher),
            Cell::Negative(n) => n.to_string().hash(&mut hasher),
            Cell::Float(value) => value.to_bits().hash(&mut hasher),
            Cell::Text { .. } => match self.text(slot) {
                Some(text) => text.hash(&mut hasher),
                None => return 0,
            },
            Cell::Long(hash) => return hash,
        }
        hasher.finish()
    }
    /// A bit for each of the first 64 fields that has content, here or in the rows that belong to it.
    pub fn present(&self) -> u64 {
        self.children().iter().fold(self.present, |bits, child| bits | child.present)
    }
}

type Place = u16;
const ROOT: Place = 0;

#[derive(Debug, Default)]
struct Node {
    next: Vec<(Box<str>, Place)>,
    /// The fields it fills: several where a mapping names one twice.
    slots: Vec<usize>,
    /// Its elements are rows.
    each: bool,
    /// Where its elements begin: rows at the root, or what is around them.
    start: Place,
    /// Its elements hold lists of rows, and are none themselves.
    through: bool,
    /// Its elements are rows of this row.
    within: bool,
    /// It stands for the row itself.
    same: bool,
    /// A list of pairs of time and value, or one such pair.
    points: bool,
    /// A list of objects, each a key and a value.
    keyed: Option<(Box<str>, Box<str>)>,
}

/// The paths of a format, as a tree.
#[derive(Debug)]
pub struct Layout {
    nodes: Vec<Node>,
    fields: usize,
    /// Where a value begins: at the root, or further out where something is around the rows.
    entry: Place,
}

impl Layout {
    /// From the fields' paths, the paths of lists whose elements are rows (`data[]`), and the keys
    /// under which a row may be wrapped.
    pub fn new<'p>(fields: impl IntoIterator<Item = &'p str>, rows: &[&str], same: &[&str]) -> Self {
        let mut layout = Self { nodes: vec![Node { each: true, ..Node::default() }], fields: 0, entry: ROOT };
        for path in fields {
            let place = path.split('/').fold(ROOT, |place, step| layout.step(place, step));
            let node = &mut layout.nodes[place as usize];
            node.slots.push(layout.fields);
            layout.fields += 1;
        }
        for path in rows {
            let mut place = ROOT;
            for step in path.split('/') {
                place = layout.step(place, step.trim_end_matches("[]"));
                layout.nodes[place as usize].through |= step.ends_with("[]");
            }
            layout.nodes[place as usize].each = true;
        }
        for path in same {
            let place = path.split('/').fold(ROOT, |place, step| layout.step(place, step));
            layout.nodes[place as usize].same = true;
        }
        layout
    }

    /// From paths whose steps are plain keys; for names that a user gives.
    pub fn of_keys<'p>(paths: impl IntoIterator<Item = Vec<&'p str>>, rows: &[&str]) -> Self {
        let mut layout = Self { nodes: vec![Node { each: true, ..Node::default() }], fields: 0, entry: ROOT };
        for path in paths {
            let place = path.into_iter().fold(ROOT, |place, key| layout.child(place, key));
            let node = &mut layout.nodes[place as usize];
            node.slots.push(layout.fields);
            layout.fields += 1;
        }
        for path in rows {
            let place = path.split('.').fold(ROOT, |place, key| layout.child(place, key));
            layout.nodes[place as usize].each = true;
        }
        layout
    }

    /// The same rows inside something that a format knows nothing of: the keys that lead to them from
    /// outside, each a list of such things where it ends with `[]`.
    #[must_use]
    pub fn inside(mut self, keys: &[String]) -> Self {
        for key in keys.iter().rev() {
            let (name, is_list) = key.strip_suffix("[]").map_or((key.as_str(), false), |name| (name, true));
            let mut to = self.entry;
            if is_list {
                to = self.push(Node { each: true, start: to, ..Node::default() });
            }
            let outer = self.push(Node { each: true, next: vec![(name.into(), to)], ..Node::default() });
            self.nodes[outer as usize].start = outer;
            self.entry = outer;
        }
        self
    }

    fn push(&mut self, node: Node) -> Place {
        let new = Place::try_from(self.nodes.len()).unwrap_or(ROOT);
        self.nodes.push(node);
        new
    }

    fn child(&mut self, from: Place, name: &str) -> Place {
        self.find(from, name).unwrap_or_else(|| {
            let new = self.push(Node::default());
            self.nodes[from as usize].next.push((name.into(), new));
            new
        })
    }

    fn step(&mut self, from: Place, step: &str) -> Place {
        let (name, keyed) = match step.strip_suffix('}').and_then(|s| s.split_once('{')) {
            Some((name, pair)) => (name, pair.split_once('=')),
            None => (step, None),
        };
        let within = name.ends_with('*');
        let points = name.ends_with('#');
        let name = name.trim_end_matches(['*', '#']);
        let place = self.child(from, name);
        let node = &mut self.nodes[place as usize];
        node.within |= within;
        node.points |= points;
        if let Some((key, value)) = keyed {
            node.keyed = Some((key.into(), value.into()));
        }
        place
    }

    fn find(&self, from: Place, name: &str) -> Option<Place> {
        self.nodes[from as usize].next.iter().find(|(n, _)| **n == *name).map(|(_, place)| *place)
    }

    /// How many fields a row has.
    pub const fn fields(&self) -> usize {
        self.fields
    }

    /// The node a table's column stands for: one of the first steps, whatever its case and the white
    /// space around it, or a whole path written with dots.
    pub fn column(&self, header: &str) -> Option<Column> {
        let header = header.trim();
        let named = self.nodes[ROOT as usize].next.iter().find(|(n, _)| n.eq_ignore_ascii_case(header));
        let place = named.map(|(_, place)| *place).or_else(|| {
            header.contains('.').then(|| header.split('.').try_fold(ROOT, |at, step| self.find(at, step)))?
        })?;
        let node = &self.nodes[place as usize];
        Some(Column { place, json: !node.next.is_empty() || node.same || node.each })
    }

    /// Put a table's cell where its column belongs.
    pub fn fill(&self, column: Column, text: &str, row: &mut Row) {
        for slot in &self.nodes[column.place as usize].slots {
            row.set_text(*slot, text);
        }
        if column.json {
            self.embedded(column, text, row);
        }
    }

    /// Read a cell that holds JSON into the row.
    fn embedded(&self, column: Column, text: &str, row: &mut Row) {
        let mut machine = Machine { layout: self, stack: vec![std::mem::take(row)], emit: &mut |_: &Row| {} };
        machine.embedded(column.place, 0, text);
        *row = machine.stack.swap_remove(0);
    }
}

/// Where a table's column goes.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    place: Place,
    /// Its text is JSON with fields inside.
    json: bool,
}

/// Reads JSON values and hands out the rows in them.
pub struct Machine<'m> {
    layout: &'m Layout,
    /// A row for each level of nesting that has rows; the first is the value itself.
    stack: Vec<Row>,
    emit: &'m mut dyn FnMut(&Row),
}

impl fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

impl<'m> Machine<'m> {
    /// `rows` is memory to use again; `emit` gets each row as it is complete.
    pub fn new(layout: &'m Layout, rows: &mut Vec<Row>, emit: &'m mut dyn FnMut(&Row)) -> Self {
        Self { layout, stack: std::mem::take(rows), emit }
    }
    /// The memory back.
    pub fn into_rows(self) -> Vec<Row> {
        self.stack
    }
    /// Read one value. Rows inside it are handed out on the way, it itself at the end, unless it is
    /// damaged.
    pub fn value<'de, D: serde::Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error> {
        self.open(0);
        let place = self.layout.entry;
        At { machine: self, place, level: 0 }.deserialize(from)?;
        if self.stack[0].is_row() {
            (self.emit)(&self.stack[0]);
        }
        Ok(())
    }
    fn open(&mut self, level: usize) {
        while self.stack.len() <= level {
            self.stack.push(Row::default());
        }
        self.stack[level].clear(self.layout.fields);
    }
    fn node(&self, place: Place) -> &'m Node {
        &self.layout.nodes[place as usize]
    }
    /// A string that holds JSON; one that does not is no harm.
    fn embedded(&mut self, place: Place, level: usize, text: &str) {
        if text.trim_start().starts_with(['{', '[']) {
            let mut inner = serde_json::Deserializer::from_str(text);
            let place = if self.node(place).same { ROOT } else { place };
            if (At { machine: self, place, level }).deserialize(&mut inner).is_err() {
                // What was read before the damage stands.
            }
        }
    }
}

/// Reads the value at a node.
struct At<'a, 'm> {
    machine: &'a mut Machine<'m>,
    place: Place,
    level: usize,
}

impl At<'_, '_> {
    fn scalar(self, cell: Cell) {
        let slots = &self.machine.node(self.place).slots;
        self.machine.stack[self.level].set(slots, cell);
    }
}

impl<'de> DeserializeSeed<'de> for At<'_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_, '_> {
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
        let node = self.machine.node(self.place);
        if !node.next.is_empty() || node.same {
            self.machine.embedded(self.place, self.level, text);
        }
        for slot in &node.slots {
            self.machine.stack[self.level].set_text(*slot, text);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { machine, place, level } = self;
        let node = machine.node(place);
        let place = if node.same { ROOT } else { place };
        if place == ROOT {
            machine.stack[level].is_object = true;
        } else {
            machine.stack[level].set(&node.slots, Cell::Nested);
        }
        while let Some(next) = map.next_key_seed(Key { layout: machine.layout, place })? {
            match next {
                Some(place) => map.next_value_seed(At { machine, place, level })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { machine, place, level } = self;
        let node = machine.node(place);
        if node.each {
            machine.stack[level].wraps = true;
            loop {
                machine.open(level + 1);
                let element = At { machine: &mut *machine, place: node.start, level: level + 1 };
                if list.next_element_seed(element)?.is_none() {
                    return Ok(());
                }
                if machine.stack[level + 1].is_row() {
                    (machine.emit)(&machine.stack[level + 1]);
                }
            }
        }
        if node.through {
            while list.next_element_seed(At { machine: &mut *machine, place, level })?.is_some() {}
            return Ok(());
        }
        if node.within {
            loop {
                machine.open(level + 1);
                // The memory of an earlier child of this place, if there is one.
                let used = machine.stack[level].used;
                if let Some(old) = machine.stack[level].children.get_mut(used) {
                    let old = std::mem::take(old);
                    machine.stack[level + 1] = old;
                    machine.stack[level + 1].clear(machine.layout.fields);
                }
                let element = At { machine: &mut *machine, place, level: level + 1 };
                if list.next_element_seed(element)?.is_none() {
                    return Ok(());
                }
                let child = std::mem::take(&mut machine.stack[level + 1]);
                let row = &mut machine.stack[level];
                match row.children.get_mut(used) {
                    Some(place) => *place = child,
                    None if used < MOST_CHILDREN => row.children.push(child),
                    None => continue,
                }
                row.used += 1;
            }
        }
        if let Some((key, value)) = &node.keyed {
            let pair = Pair { machine: &mut *machine, place, level, key, value };
            return pair.all(list);
        }
        machine.stack[level].set(&node.slots, Cell::Nested);
        if node.points {
            let points = &mut machine.stack[level].points;
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

/// One element of a list of points: a pair, or half of the only one.
struct Point<'p> {
    points: &'p mut Vec<(f64, f64)>,
    plain: &'p mut Vec<f64>,
}

impl Point<'_> {
    fn take(self, value: f64) {
        if self.plain.len() < 3 {
            self.plain.push(value);
        }
    }
}

/// Most points of one series.
const MOST_POINTS: usize = 2_000_000;

impl<'de> DeserializeSeed<'de> for Point<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Point<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a time and a value")
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.take(value as f64);
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.take(value as f64);
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.take(value);
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.take(text.trim().parse().unwrap_or(f64::NAN));
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut pair = Vec::new();
        let mut none = Vec::new();
        while list.next_element_seed(Point { points: &mut none, plain: &mut pair })?.is_some() {}
        if let ([time, value], true) = (&pair[..], self.points.len() < MOST_POINTS) {
            self.points.push((*time, *value));
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Which node a key of an object is, if any.
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

/// One of a list of objects that are a key and a value each. The two may come in any order.
struct Pair<'a, 'm, 'k> {
    machine: &'a mut Machine<'m>,
    place: Place,
    level: usize,
    key: &'k str,
    value: &'k str,
}

impl Pair<'_, '_, '_> {
    fn all<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { machine, place, level, key, value } = self;
        loop {
            let mut found = (None, Cell::Absent, String::new());
            let layout = machine.layout;
            let element = PairFields { layout, place, key, value, found: &mut found };
            if list.next_element_seed(element)?.is_none() {
                return Ok(());
            }
            let (Some(node), cell, text) = found else { continue };
            let Some(slot) = machine.node(node).slots.first().copied() else { continue };
            match cell {
                Cell::Text { .. } => machine.stack[level].set_text(slot, &text),
                cell => machine.stack[level].set(&[slot], cell),
            }
        }
    }
}

type Found = (Option<Place>, Cell, String);

struct PairFields<'f> {
    layout: &'f Layout,
    place: Place,
    key: &'f str,
    value: &'f str,
    found: &'f mut Found,
}

impl<'de> DeserializeSeed<'de> for PairFields<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PairFields<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // `name.value`: the key stands one object deeper.
        let (outer, inner) = self.key.split_once('.').unwrap_or((self.key, ""));
        while let Some(which) = map.next_key_seed(OneOf([outer, self.value]))? {
            match which {
                Some(0) => {
                    let mut name = (Cell::Absent, String::new());
                    map.next_value_seed(Scalar { found: &mut name, of: inner })?;
                    self.found.0 = self.layout.find(self.place, &name.1);
                }
                Some(_) => {
                    let mut value = (Cell::Absent, std::mem::take(&mut self.found.2));
                    map.next_value_seed(Scalar { found: &mut value, of: "" })?;
                    (self.found.1, self.found.2) = value;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Which of two names a key is.
struct OneOf<'n>([&'n str; 2]);

impl<'de> DeserializeSeed<'de> for OneOf<'_> {
    type Value = Option<usize>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for OneOf<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// The first scalar of a value: `5`, `{"intValue": "5"}`, `{"value": 5}`. Long texts are passed over.
struct Scalar<'f> {
    found: &'f mut (Cell, String),
    /// The key it stands under, or any.
    of: &'f str,
}

impl Scalar<'_> {
    fn set(self, cell: Cell) {
        if self.found.0 == Cell::Absent {
            self.found.0 = cell;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Scalar<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.set(Cell::Bool(value));
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.set(Cell::Whole(value));
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.set(Cell::Negative(value));
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.set(Cell::Float(value));
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if text.len() <= LONGEST_TEXT && self.found.0 == Cell::Absent {
            self.found.1.clear();
            self.found.1.push_str(text);
            self.set(Cell::Text { at: 0, len: 1 });
        }
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { found, of } = self;
        while let Some(which) = map.next_key_seed(OneOf([of, of]))? {
            if of.is_empty() || which.is_some() {
                map.next_value_seed(Scalar { found, of: "" })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Names the fields of a format: a constant for each, and the list of their paths.
macro_rules! usage_fields {
    ($($name:ident = $path:literal),+ $(,)?) => {
        const FIELDS: &[&str] = &[$($path),+];
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, dead_code)]
        enum FieldOrder { $($name),+ }
        $(#[allow(dead_code)] const $name: usize = FieldOrder::$name as usize;)+
    };
}
pub(super) use usage_fields;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(layout: &Layout, json: &str) -> Vec<Vec<Option<String>>> {
        let mut out = Vec::new();
        let mut emit = |row: &Row| {
            out.push((0..layout.fields()).map(|slot| row.text(slot).map(str::to_owned)).collect());
        };
        let mut machine = Machine::new(layout, &mut Vec::new(), &mut emit);
        machine.value(&mut serde_json::Deserializer::from_str(json)).expect("good JSON");
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
        // A wrapping with a field of its own is a row, too.
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
        Machine::new(&layout, &mut Vec::new(), &mut emit)
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
