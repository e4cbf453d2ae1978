//! Compiles the syntax tree of a pattern to a program for the matcher.

use super::limits::Invalid;
use super::parse::{Class, Node, Parsed, UNBOUNDED};

/// The longest program, in instructions.
const LONGEST: usize = 200_000;

/// What one unit (UTF-16 code unit) of the text is compared with.
#[derive(Debug, Clone)]
pub(super) enum Unit {
    Is(u16),
    /// A unit that is already in canonical form.
    IsCanonical(u16),
    Any,
    NoLineEnd,
    Set(Box<Set>),
}

/// A set of units; ASCII is stored as bits.
#[derive(Debug, Clone)]
pub(super) struct Set {
    negated: bool,
    icase: bool,
    ascii: u128,
    ranges: Vec<(u16, u16)>,
}

impl Set {
    fn new(class: &Class, icase: bool) -> Self {
        let inside = |u: u16| class.ranges.iter().any(|(l, h)| (*l..=*h).contains(&u));
        let mut ascii = 0u128;
        for u in 0..128u16 {
            if inside(u) {
                ascii |= 1 << u;
            }
        }
        let ranges = class.ranges.iter().filter(|(_, h)| *h >= 128).copied().collect();
        Self { negated: class.negated, icase, ascii, ranges }
    }

    fn holds(&self, unit: u16) -> bool {
        if unit < 128 {
            self.ascii >> unit & 1 == 1
        } else {
            self.ranges.iter().any(|(l, h)| (*l..=*h).contains(&unit))
        }
    }

    fn matches(&self, unit: u16) -> bool {
        let held = self.holds(unit)
            || (self.icase && (self.holds(canonical(unit)) || lower(unit).is_some_and(|u| self.holds(u))));
        held != self.negated
    }
}

impl Unit {
    pub(super) fn matches(&self, unit: u16) -> bool {
        match self {
            Self::Is(u) => *u == unit,
            Self::IsCanonical(u) => *u == canonical(unit),
            Self::Any => true,
            Self::NoLineEnd => !is_line_end(unit),
            Self::Set(set) => set.matches(unit),
        }
    }
}

pub(super) fn is_line_end(unit: u16) -> bool {
    matches!(unit, 10 | 13 | 0x2028 | 0x2029)
}

/// The canonical form of a unit: upper case, where that is a single unit and does not make a letter ASCII.
pub(super) fn canonical(unit: u16) -> u16 {
    let Some(c) = char::from_u32(u32::from(unit)) else { return unit };
    let mut upper = c.to_uppercase();
    match (upper.next().map(|u| u16::try_from(u32::from(u))), upper.next()) {
        (Some(Ok(upper)), None) if unit < 128 || upper >= 128 => upper,
        _ => unit,
    }
}

fn lower(unit: u16) -> Option<u16> {
    let mut lower = char::from_u32(u32::from(unit))?.to_lowercase();
    let first = lower.next()?;
    if lower.next().is_some() { None } else { u16::try_from(u32::from(first)).ok() }
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    Unit {
        unit: Unit,
        back: bool,
    },
    /// As many matching units as possible, then one fewer at each backtrack.
    Run {
        unit: Unit,
        min: u32,
        max: u32,
        back: bool,
    },
    /// Try the first branch, then the second.
    Split(usize, usize),
    Jump(usize),
    /// Save this position: the start or end of a group.
    Mark(usize),
    LoopInit(usize),
    /// Decide whether to repeat the loop.
    Loop(usize),
    /// Repeat the loop without deciding; a lazy loop backtracks to this.
    Again(usize),
    Back {
        groups: Vec<usize>,
        icase: bool,
        back: bool,
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
    /// The body follows and ends with `Done`; `next` is the instruction after it.
    Look {
        negated: bool,
        next: usize,
    },
    Done,
}

/// A loop over more than a run of single units.
#[derive(Debug, Clone)]
pub(super) struct LoopInfo {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) greedy: bool,
    /// Groups inside it, which each repetition clears.
    pub(super) groups: (usize, usize),
    pub(super) body: usize,
    pub(super) exit: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) loops: Vec<LoopInfo>,
    /// Number of groups, the whole match included.
    pub(super) groups: usize,
    /// It can match only at the start of the text.
    pub(super) anchored: bool,
    /// Which units a match can begin with; `None` where a match can be empty.
    pub(super) first: Option<First>,
}

pub(super) fn compile(parsed: &Parsed) -> Result<Program, Invalid> {
    let mut compiler = Compiler { ops: Vec::new(), loops: Vec::new() };
    compiler.node(&parsed.root, false)?;
    compiler.push(Op::Done)?;
    let head = match &parsed.root {
        Node::Cat(nodes) => nodes.first(),
        node => Some(node),
    };
    Ok(Program {
        anchored: matches!(head, Some(Node::Start { multiline: false })),
        first: first_of(&parsed.root),
        ops: compiler.ops,
        loops: compiler.loops,
        groups: parsed.groups + 1,
    })
}

/// Units that a match can begin with: ASCII ones, and whether there are others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct First {
    ascii: u128,
    other: bool,
}

impl First {
    pub(super) fn holds(self, unit: u16) -> bool {
        if unit < 128 { self.ascii >> unit & 1 == 1 } else { self.other }
    }
}

/// The units that a match of a node can begin with; `None` where it can be empty.
fn first_of(node: &Node) -> Option<First> {
    match node {
        Node::Repeat { body, min, .. } if *min > 0 => first_of(body),
        Node::Group(_, body) => first_of(body),
        Node::Alt(nodes) => nodes.iter().try_fold(First::default(), |all, node| {
            let one = first_of(node)?;
            Some(First { ascii: all.ascii | one.ascii, other: all.other || one.other })
        }),
        // Nodes that match nothing (such as assertions) may precede it.
        Node::Cat(nodes) => {
            let takes_none = |n: &&Node| {
                matches!(n, Node::WordBoundary { .. } | Node::Start { .. } | Node::Look { .. } | Node::Empty)
            };
            first_of(nodes.iter().find(|n| !takes_none(n))?)
        }
        other => {
            let unit = unit_of(other)?;
            let ascii = (0..128u16).filter(|u| unit.matches(*u)).fold(0, |bits, u| bits | 1u128 << u);
            let other = !matches!(unit, Unit::Is(u) if u < 128);
            Some(First { ascii, other })
        }
    }
}

/// The unit of a node that matches exactly one unit.
fn unit_of(node: &Node) -> Option<Unit> {
    Some(match node {
        Node::Char { unit, icase: false } => Unit::Is(*unit),
        Node::Char { unit, icase: true } => Unit::IsCanonical(canonical(*unit)),
        Node::Any { all: true } => Unit::Any,
        Node::Any { all: false } => Unit::NoLineEnd,
        Node::Class { class, icase } => Unit::Set(Box::new(Set::new(class, *icase))),
        _ => return None,
    })
}

struct Compiler {
    ops: Vec<Op>,
    loops: Vec<LoopInfo>,
}

impl Compiler {
    fn push(&mut self, op: Op) -> Result<usize, Invalid> {
        if self.ops.len() >= LONGEST {
            return Err(Invalid { message: "the pattern is too large" });
        }
        self.ops.push(op);
        Ok(self.ops.len() - 1)
    }

    /// Compile a node. With `back` the text is read backwards, as in a lookbehind.
    fn node(&mut self, node: &Node, back: bool) -> Result<(), Invalid> {
        if let Some(unit) = unit_of(node) {
            self.push(Op::Unit { unit, back })?;
            return Ok(());
        }
        match node {
            Node::Empty | Node::Char { .. } | Node::Any { .. } | Node::Class { .. } => {}
            Node::Group(number, body) => {
                let (first, second) = (2 * number, 2 * number + 1);
                self.push(Op::Mark(if back { second } else { first }))?;
                self.node(body, back)?;
                self.push(Op::Mark(if back { first } else { second }))?;
            }
            Node::Back { groups, icase } => {
                self.push(Op::Back { groups: groups.clone(), icase: *icase, back })?;
            }
            Node::Start { multiline } => {
                self.push(Op::Start { multiline: *multiline })?;
            }
            Node::End { multiline } => {
                self.push(Op::End { multiline: *multiline })?;
            }
            Node::WordBoundary { negated } => {
                self.push(Op::WordBoundary { negated: *negated })?;
            }
            Node::Look { behind, negated, body } => {
                let look = self.push(Op::Look { negated: *negated, next: 0 })?;
                self.node(body, *behind)?;
                let done = self.push(Op::Done)?;
                self.ops[look] = Op::Look { negated: *negated, next: done + 1 };
            }
            Node::Cat(nodes) => {
                if back {
                    nodes.iter().rev().try_for_each(|n| self.node(n, back))?;
                } else {
                    nodes.iter().try_for_each(|n| self.node(n, back))?;
                }
            }
            Node::Alt(nodes) => {
                let mut jumps = Vec::new();
                for (n, node) in nodes.iter().enumerate() {
                    if n + 1 == nodes.len() {
                        self.node(node, back)?;
                        break;
                    }
                    let split = self.push(Op::Split(0, 0))?;
                    self.node(node, back)?;
                    jumps.push(self.push(Op::Jump(0))?);
                    self.ops[split] = Op::Split(split + 1, self.ops.len());
                }
                let end = self.ops.len();
                for jump in jumps {
                    self.ops[jump] = Op::Jump(end);
                }
            }
            Node::Repeat { body, min, max, greedy, groups } => {
                self.repeat(body, (*min, *max, *greedy), *groups, back)?;
            }
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        body: &Node,
        (min, max, greedy): (u32, u32, bool),
        groups: (usize, usize),
        back: bool,
    ) -> Result<(), Invalid> {
        if max == 0 {
            return Ok(());
        }
        if greedy && let Some(unit) = unit_of(body) {
            self.push(Op::Run { unit, min, max, back })?;
            return Ok(());
        }
        if (min, max) == (0, 1) && groups.0 == groups.1 && unit_of(body).is_some() {
            let split = self.push(Op::Split(0, 0))?;
            self.node(body, back)?;
            self.ops[split] = Op::Split(self.ops.len(), split + 1);
            return Ok(());
        }
        let number = self.loops.len();
        self.loops.push(LoopInfo { min, max, greedy, groups, body: 0, exit: 0 });
        self.push(Op::LoopInit(number))?;
        let decide = self.push(Op::Loop(number))?;
        self.push(Op::Again(number))?;
        let start = self.ops.len();
        self.node(body, back)?;
        let end = self.push(Op::Jump(decide))?;
        let info = &mut self.loops[number];
        (info.body, info.exit) = (start, end + 1);
        debug_assert!(max == UNBOUNDED || min <= max);
        Ok(())
    }
}
