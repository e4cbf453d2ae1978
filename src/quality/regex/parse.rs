//! Parses a pattern, given as UTF-16 units, to a syntax tree.

use super::limits::Invalid;

/// The deepest nesting of groups: more than people write, and little enough for any stack.
const DEEPEST: usize = 250;
/// The upper bound of `{n,}`.
pub(super) const UNBOUNDED: u32 = u32::MAX;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Empty,
    Char {
        unit: u16,
        icase: bool,
    },
    /// `.`: everything except line terminators, or everything with the flag `s`.
    Any {
        all: bool,
    },
    Class {
        class: Class,
        icase: bool,
    },
    /// A capturing group, by its number from 1.
    Group(usize, Box<Node>),
    /// A back reference to whichever of these groups took part.
    Back {
        groups: Vec<usize>,
        icase: bool,
    },
    Start {
        multiline: bool,
    },
    End {
        multiline: bool,
    },
    WordBoundary {
        negated: bool,
    },
    Look {
        behind: bool,
        negated: bool,
        body: Box<Node>,
    },
    Repeat {
        body: Box<Node>,
        min: u32,
        max: u32,
        greedy: bool,
        groups: (usize, usize),
    },
    Cat(Vec<Node>),
    Alt(Vec<Node>),
}

/// A set of UTF-16 units.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Class {
    pub(super) negated: bool,
    pub(super) ranges: Vec<(u16, u16)>,
}

#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) groups: usize,
}

pub(super) fn parse(units: &[u16]) -> Result<Parsed, Invalid> {
    let (groups, names) = count_groups(units);
    let mut parser = Parser {
        units,
        at: 0,
        depth: 0,
        groups,
        has_names: names > 0,
        opened: 0,
        names: Vec::new(),
        references: Vec::new(),
        flags: Flags::default(),
        path: Vec::new(),
        branches: 0,
    };
    let mut root = parser.alternatives()?;
    if parser.at < units.len() {
        return Err(bad("a closing parenthesis has no opening one"));
    }
    let names = std::mem::take(&mut parser.names);
    if parser.references.iter().any(|r| names.iter().all(|(n, ..)| n != r)) {
        return Err(bad("a back reference names no group"));
    }
    let references = std::mem::take(&mut parser.references);
    resolve(&mut root, &references, &names);
    Ok(Parsed { root, groups })
}

/// A named group: its name, its number, and its path through the alternatives.
type Name = (String, usize, Vec<(usize, usize)>);

/// Replace names in back references by group numbers. A reference by name has the index of its name in
/// `references`, counted down from the highest number.
fn resolve(node: &mut Node, references: &[String], names: &[Name]) {
    match node {
        Node::Back { groups, .. } => {
            if let [number] = groups[..]
                && let Some(nth) = usize::MAX.checked_sub(number).filter(|n| *n < references.len())
            {
                *groups = names.iter().filter(|(n, ..)| *n == references[nth]).map(|(_, g, _)| *g).collect();
            }
        }
        Node::Group(_, body) | Node::Look { body, .. } | Node::Repeat { body, .. } => {
            resolve(body, references, names);
        }
        Node::Cat(nodes) | Node::Alt(nodes) => {
            for node in nodes {
                resolve(node, references, names);
            }
        }
        _ => {}
    }
}

fn bad(message: &'static str) -> Invalid {
    Invalid { message }
}

/// Number of capturing groups in a pattern, and of those with names.
fn count_groups(units: &[u16]) -> (usize, usize) {
    let (mut groups, mut names, mut at, mut in_class) = (0, 0, 0, false);
    let is = |i: usize, c: char| units.get(i).is_some_and(|u| u32::from(*u) == u32::from(c));
    while at < units.len() {
        if is(at, '\\') {
            at += 1;
        } else if in_class {
            in_class = !is(at, ']');
        } else if is(at, '[') {
            in_class = true;
        } else if is(at, '(') {
            if !is(at + 1, '?') {
                groups += 1;
            } else if is(at + 2, '<') && !is(at + 3, '=') && !is(at + 3, '!') {
                groups += 1;
                names += 1;
            }
        }
        at += 1;
    }
    (groups, names)
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    icase: bool,
    multiline: bool,
    dotall: bool,
}

struct Parser<'a> {
    units: &'a [u16],
    at: usize,
    depth: usize,
    /// Number of groups in the whole pattern.
    groups: usize,
    has_names: bool,
    /// Number of groups that were opened so far.
    opened: usize,
    names: Vec<Name>,
    references: Vec<String>,
    flags: Flags,
    /// For each enclosing set of alternatives: its number, and the number of the current alternative.
    path: Vec<(usize, usize)>,
    branches: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }
    /// A unit as a character. Half of a surrogate pair becomes U+FFFD, which no syntax uses.
    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.units.get(self.at + ahead).map(|u| char::from_u32(u32::from(*u)).unwrap_or('\u{fffd}'))
    }
    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }
    fn eat_all(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(i, c)| self.peek_at(i) == Some(c));
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn alternatives(&mut self) -> Result<Node, Invalid> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(bad("the pattern nests groups too deep"));
        }
        self.branches += 1;
        self.path.push((self.branches, 0));
        let mut all = vec![self.sequence()?];
        while self.eat('|') {
            if let Some(last) = self.path.last_mut() {
                last.1 += 1;
            }
            all.push(self.sequence()?);
        }
        self.path.pop();
        self.depth -= 1;
        Ok(if all.len() == 1 { all.remove(0) } else { Node::Alt(all) })
    }

    fn sequence(&mut self) -> Result<Node, Invalid> {
        let mut terms = Vec::new();
        while let Some(c) = self.peek() {
            if c == '|' || c == ')' {
                break;
            }
            terms.push(self.term(c)?);
        }
        Ok(match terms.len() {
            0 => Node::Empty,
            1 => terms.remove(0),
            _ => Node::Cat(terms),
        })
    }

    fn term(&mut self, c: char) -> Result<Node, Invalid> {
        let first = self.opened;
        let icase = self.flags.icase;
        self.at += 1;
        let atom = match c {
            '^' => return Ok(Node::Start { multiline: self.flags.multiline }),
            '$' => return Ok(Node::End { multiline: self.flags.multiline }),
            '(' => {
                let atom = self.group()?;
                if matches!(atom, Node::Look { behind: true, .. }) {
                    return Ok(atom);
                }
                atom
            }
            '.' => Node::Any { all: self.flags.dotall },
            '[' => Node::Class { class: self.class()?, icase },
            '*' | '+' | '?' => return Err(bad("there is nothing to repeat")),
            '{' if {
                self.at -= 1;
                let quantifier = self.braces().is_some();
                self.at += 1;
                quantifier
            } =>
            {
                return Err(bad("there is nothing to repeat"));
            }
            '\\' => {
                if self.eat('b') {
                    return Ok(Node::WordBoundary { negated: false });
                }
                if self.eat('B') {
                    return Ok(Node::WordBoundary { negated: true });
                }
                self.escape()?
            }
            _ => Node::Char { unit: self.units[self.at - 1], icase },
        };
        self.quantified(atom, first)
    }

    fn quantified(&mut self, atom: Node, first: usize) -> Result<Node, Invalid> {
        let before = self.at;
        let (min, max) = match self.peek() {
            Some('*') => (0, UNBOUNDED),
            Some('+') => (1, UNBOUNDED),
            Some('?') => (0, 1),
            Some('{') => match self.braces() {
                Some((min, max, end)) => {
                    self.at = end - 1;
                    (min, max)
                }
                None => return Ok(atom),
            },
            _ => return Ok(atom),
        };
        self.at = self.at.max(before) + 1;
        if min > max {
            return Err(bad("the numbers of a quantifier are out of order"));
        }
        let greedy = !self.eat('?');
        Ok(Node::Repeat { body: Box::new(atom), min, max, greedy, groups: (first, self.opened) })
    }

    /// `{n}`, `{n,}` or `{n,m}` at this position: the bounds, and the position after it.
    fn braces(&self) -> Option<(u32, u32, usize)> {
        let mut at = self.at + 1;
        let number = |at: &mut usize| {
            let from = *at;
            let mut value: u32 = 0;
            while let Some(digit) =
                self.units.get(*at).and_then(|u| char::from_u32(u32::from(*u))?.to_digit(10))
            {
                value = value.saturating_mul(10).saturating_add(digit);
                *at += 1;
            }
            (*at > from).then_some(value)
        };
        let is = |at: usize, c: char| self.units.get(at).is_some_and(|u| u32::from(*u) == u32::from(c));
        let min = number(&mut at)?;
        let max = if is(at, ',') {
            at += 1;
            number(&mut at).unwrap_or(UNBOUNDED)
        } else {
            min
        };
        is(at, '}').then_some((min, max, at + 1))
    }

    fn group(&mut self) -> Result<Node, Invalid> {
        let flags = self.flags;
        let look = |behind, negated| move |body| Node::Look { behind, negated, body: Box::new(body) };
        let node = if !self.eat('?') {
            self.opened += 1;
            let number = self.opened;
            Node::Group(number, Box::new(self.alternatives()?))
        } else if self.eat('=') {
            self.alternatives().map(look(false, false))?
        } else if self.eat('!') {
            self.alternatives().map(look(false, true))?
        } else if self.eat_all("<=") {
            self.alternatives().map(look(true, false))?
        } else if self.eat_all("<!") {
            self.alternatives().map(look(true, true))?
        } else if self.eat('<') {
            let name = self.name()?;
            self.opened += 1;
            let number = self.opened;
            let path = self.path.clone();
            if self.names.iter().any(|(n, _, other)| *n == name && !apart(other, &path)) {
                return Err(bad("two groups have the same name"));
            }
            self.names.push((name, number, path));
            Node::Group(number, Box::new(self.alternatives()?))
        } else {
            self.modifiers()?;
            self.alternatives()?
        };
        self.flags = flags;
        if !self.eat(')') {
            return Err(bad("a group is never closed"));
        }
        // A group that does not capture may contain a bare alternative, which must stay one node.
        Ok(match node {
            Node::Cat(_) | Node::Alt(_) => node,
            other => other,
        })
    }

    /// Parses `:` or `ims-ims:` after `(?`.
    fn modifiers(&mut self) -> Result<(), Invalid> {
        let invalid = bad("this kind of group does not exist in JavaScript");
        let (mut on, mut off, mut minus) = (Vec::new(), Vec::new(), false);
        loop {
            match self.peek() {
                Some(':') => break,
                Some('-') if !minus => minus = true,
                Some(c @ ('i' | 'm' | 's')) if !on.contains(&c) && !off.contains(&c) => {
                    if minus { &mut off } else { &mut on }.push(c);
                }
                _ => return Err(invalid),
            }
            self.at += 1;
        }
        if minus && on.is_empty() && off.is_empty() {
            return Err(invalid);
        }
        self.at += 1;
        for (list, value) in [(on, true), (off, false)] {
            for c in list {
                match c {
                    'i' => self.flags.icase = value,
                    'm' => self.flags.multiline = value,
                    _ => self.flags.dotall = value,
                }
            }
        }
        Ok(())
    }

    /// Parses a name up to `>`.
    fn name(&mut self) -> Result<String, Invalid> {
        let invalid = bad("the name of a group is not a name");
        let from = self.at;
        let end =
            self.units[from..].iter().position(|u| *u == u16::from(b'>')).ok_or_else(|| invalid.clone())?
                + from;
        let name = String::from_utf16(&self.units[from..end]).map_err(|_| invalid.clone())?;
        let letter = |c: char| c.is_alphabetic() || c == '_' || c == '$';
        let good = name.chars().enumerate().all(|(i, c)| letter(c) || (i > 0 && c.is_alphanumeric()));
        if name.is_empty() || !good {
            return Err(invalid);
        }
        self.at = end + 1;
        Ok(name)
    }

    /// Parses what follows a backslash outside of a class.
    fn escape(&mut self) -> Result<Node, Invalid> {
        let icase = self.flags.icase;
        let c = self.peek().ok_or_else(|| bad("the pattern ends with a backslash"))?;
        if c.is_ascii_digit() && c != '0' {
            // The number of an existing group is a back reference; any other is an octal escape or the
            // digit itself.
            let (mut at, mut number) = (0, 0usize);
            while let Some(d) = self.peek_at(at).and_then(|c| c.to_digit(10)) {
                number = number.saturating_mul(10).saturating_add(d as usize);
                at += 1;
            }
            if number <= self.groups {
                self.at += at;
                return Ok(Node::Back { groups: vec![number], icase });
            }
        }
        if c == 'k' && self.has_names {
            self.at += 1;
            if !self.eat('<') {
                return Err(bad("\\k needs the name of a group"));
            }
            let name = self.name()?;
            self.references.push(name);
            return Ok(Node::Back { groups: vec![usize::MAX - (self.references.len() - 1)], icase });
        }
        if let Some(class) = self.class_escape(c) {
            return Ok(Node::Class { class, icase: false });
        }
        Ok(Node::Char { unit: self.character_escape(c, false)?, icase })
    }

    /// Parses `\d`, `\S` and similar classes.
    fn class_escape(&mut self, c: char) -> Option<Class> {
        let ranges = match c.to_ascii_lowercase() {
            'd' => digits(),
            'w' => word(),
            's' => space(),
            _ => return None,
        };
        self.at += 1;
        Some(Class { negated: c.is_ascii_uppercase(), ranges })
    }

    /// An escape that stands for a single unit; `c` is the character at this position.
    fn character_escape(&mut self, c: char, in_class: bool) -> Result<u16, Invalid> {
        let unit = self.units[self.at];
        self.at += 1;
        let hex = |parser: &Self, digits: usize| {
            let mut value = 0;
            for i in 0..digits {
                value = value * 16 + parser.peek_at(i)?.to_digit(16)?;
            }
            u16::try_from(value).ok()
        };
        Ok(match c {
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            'c' => match self.peek() {
                Some(l) if l.is_ascii_alphabetic() || (in_class && (l.is_ascii_digit() || l == '_')) => {
                    self.at += 1;
                    (l as u16) % 32
                }
                _ => {
                    // A lone \c is a backslash followed by the letter c.
                    self.at -= 1;
                    u16::from(b'\\')
                }
            },
            '0'..='7' => {
                let mut value = u16::from(c as u8 - b'0');
                let most = if c <= '3' { 2 } else { 1 };
                for _ in 0..most {
                    match self.peek() {
                        Some(d @ '0'..='7') => {
                            value = value * 8 + u16::from(d as u8 - b'0');
                            self.at += 1;
                        }
                        _ => break,
                    }
                }
                value
            }
            'x' | 'u' => {
                let digits = if c == 'x' { 2 } else { 4 };
                match hex(self, digits) {
                    Some(value) => {
                        self.at += digits;
                        value
                    }
                    None => unit,
                }
            }
            'k' if self.has_names => return Err(bad("\\k needs the name of a group")),
            _ => unit,
        })
    }

    fn class(&mut self) -> Result<Class, Invalid> {
        let mut class = Class { negated: self.eat('^'), ranges: Vec::new() };
        loop {
            if self.eat(']') {
                break;
            }
            let low = self.class_atom()?;
            let dash = self.peek() == Some('-') && self.peek_at(1).is_some_and(|c| c != ']');
            if !dash {
                class.ranges.extend(low.ranges());
                continue;
            }
            self.at += 1;
            let high = self.class_atom()?;
            match (low, high) {
                (Atom::Unit(low), Atom::Unit(high)) if low <= high => class.ranges.push((low, high)),
                (Atom::Unit(_), Atom::Unit(_)) => return Err(bad("a range of a class is out of order")),
                (low, high) => {
                    class.ranges.extend(low.ranges());
                    class.ranges.push((u16::from(b'-'), u16::from(b'-')));
                    class.ranges.extend(high.ranges());
                }
            }
        }
        class.ranges.sort_unstable();
        Ok(class)
    }

    fn class_atom(&mut self) -> Result<Atom, Invalid> {
        let c = self.peek().ok_or_else(|| bad("a class is never closed"))?;
        if c != '\\' {
            self.at += 1;
            return Ok(Atom::Unit(self.units[self.at - 1]));
        }
        self.at += 1;
        let c = self.peek().ok_or_else(|| bad("the pattern ends with a backslash"))?;
        if c == 'b' {
            self.at += 1;
            return Ok(Atom::Unit(8));
        }
        if let Some(class) = self.class_escape(c) {
            return Ok(Atom::Set(class));
        }
        self.character_escape(c, true).map(Atom::Unit)
    }
}

/// Do two paths through the alternatives differ, so that only one of the groups can take part?
fn apart(a: &[(usize, usize)], b: &[(usize, usize)]) -> bool {
    a.iter().zip(b).any(|(a, b)| a.0 == b.0 && a.1 != b.1)
}

enum Atom {
    Unit(u16),
    Set(Class),
}

impl Atom {
    fn ranges(&self) -> Vec<(u16, u16)> {
        match self {
            Self::Unit(unit) => vec![(*unit, *unit)],
            Self::Set(class) if class.negated => complement(&class.ranges),
            Self::Set(class) => class.ranges.clone(),
        }
    }
}

fn complement(ranges: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let (mut rest, mut from) = (Vec::new(), 0u32);
    for (low, high) in ranges {
        if u32::from(*low) > from {
            rest.push((u16::try_from(from).unwrap_or(u16::MAX), low - 1));
        }
        from = u32::from(*high) + 1;
    }
    if let Ok(from) = u16::try_from(from) {
        rest.push((from, u16::MAX));
    }
    rest
}

fn digits() -> Vec<(u16, u16)> {
    vec![(0x30, 0x39)]
}

/// The ranges of `\w`: ASCII letters, digits and the underscore.
fn word() -> Vec<(u16, u16)> {
    vec![(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)]
}

/// The ranges of `\s`: white space and line terminators, in order.
fn space() -> Vec<(u16, u16)> {
    vec![
        (0x09, 0x0d),
        (0x20, 0x20),
        (0xa0, 0xa0),
        (0x1680, 0x1680),
        (0x2000, 0x200a),
        (0x2028, 0x2029),
        (0x202f, 0x202f),
        (0x205f, 0x205f),
        (0x3000, 0x3000),
        (0xfeff, 0xfeff),
    ]
}
