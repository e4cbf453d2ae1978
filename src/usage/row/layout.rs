//! The places of a format's fields in a JSON value, or in the columns of a table.
//!
//! A format names its fields by paths:
//!
//! | path | meaning |
//! |---|---|
//! | `message/usage/input_tokens` | keys of nested objects |
//! | `attributes{key=value}/gen_ai.system` | in a list of `{"key": K, "value": V}`, the V of this K |
//! | `results*/model` | a field of the rows that belong to this one |
//! | `values#` | a list of `[time, value]`, or one such pair |
//!
//! A string where an object is expected is read as JSON, because logs keep JSON in cells and strings.

/// Index of a node in the tree of paths.
pub(super) type Place = u16;
/// The node of the row itself.
pub(super) const ROOT: Place = 0;

/// A node of the tree of paths: the meaning of a value at this place.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Keys of an object, and the nodes they lead to.
    pub next: Vec<(Box<str>, Place)>,
    /// Fields that the value fills; several if a mapping names it more than once.
    pub slots: Vec<usize>,
    /// A list whose elements are rows.
    pub each: bool,
    /// The node at which its elements begin: the root for rows, or the node of what is around the rows.
    pub start: Place,
    /// A list whose elements contain lists of rows, and are not rows themselves.
    pub through: bool,
    /// A list whose elements are rows that belong to this one.
    pub within: bool,
    /// The value is the row itself, wrapped in an object or in a string.
    pub same: bool,
    /// A list of pairs of time and value, or one such pair.
    pub points: bool,
    /// A list of objects that are pairs; the names of the members with the key and the value.
    pub keyed: Option<(Box<str>, Box<str>)>,
}

/// The paths of a format, as a tree.
#[derive(Debug)]
pub struct Layout {
    nodes: Vec<Node>,
    fields: usize,
    /// The node at which a value begins: the root, or a node further out if something is around the rows.
    pub(super) entry: Place,
}

impl Layout {
    /// From the paths of the fields, the paths of lists whose elements are rows (`data[]`), and the keys
    /// whose value may be the row itself.
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

    /// From paths of plain keys, for names that the user gives.
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

    /// The same layout for rows inside something else: `keys` lead to them from the outside; a key that
    /// ends with `[]` stands for a list.
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

    /// The node that a key leads to.
    pub(super) fn find(&self, from: Place, name: &str) -> Option<Place> {
        self.nodes[from as usize].next.iter().find(|(n, _)| **n == *name).map(|(_, place)| *place)
    }

    /// The node with this index.
    pub(super) fn node(&self, place: Place) -> &Node {
        &self.nodes[place as usize]
    }

    /// Number of fields of a row.
    pub const fn fields(&self) -> usize {
        self.fields
    }

    /// The node of a table's column: a first step of a path, in upper or lower case and with any white
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

/// The place of a table's column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub(super) place: Place,
    /// Its cells are JSON with fields inside.
    pub(super) json: bool,
}
