//! Where the fields of a format stand in a value of JSON, or in the columns of a table.
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

/// A node of the tree of paths, by its number.
pub(super) type Place = u16;
/// The node of the row itself.
pub(super) const ROOT: Place = 0;

/// A step of a path: what a value found there means.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The keys of an object that lead on, and where to.
    pub next: Vec<(Box<str>, Place)>,
    /// The fields it fills: several where a mapping names one twice.
    pub slots: Vec<usize>,
    /// A list whose elements are rows.
    pub each: bool,
    /// Where its elements begin: rows at the root, or what is around them.
    pub start: Place,
    /// A list whose elements hold lists of rows and are no rows themselves.
    pub through: bool,
    /// A list whose elements are rows that belong to this one.
    pub within: bool,
    /// The row itself stands here, wrapped in an object or in a text.
    pub same: bool,
    /// A list of pairs of time and value, or one such pair.
    pub points: bool,
    /// A list of objects, each a key and a value.
    pub keyed: Option<(Box<str>, Box<str>)>,
}

/// The paths of a format, as a tree.
#[derive(Debug)]
pub struct Layout {
    nodes: Vec<Node>,
    fields: usize,
    /// Where a value begins: at the root, or further out where something is around the rows.
    pub(super) entry: Place,
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

    /// The node a key leads to from another.
    pub(super) fn find(&self, from: Place, name: &str) -> Option<Place> {
        self.nodes[from as usize].next.iter().find(|(n, _)| **n == *name).map(|(_, place)| *place)
    }

    /// The node of this number.
    pub(super) fn node(&self, place: Place) -> &Node {
        &self.nodes[place as usize]
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
}

/// Where a table's column goes.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub(super) place: Place,
    /// Its text is JSON with fields inside.
    pub(super) json: bool,
}
