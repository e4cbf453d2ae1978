//! The matcher: it backtracks with a stack of its own, and counts every step.

use super::compile::{Op, Program, Unit, canonical, is_line_end};
use super::limits::{Groups, Runaway, STEP_LIMIT};

/// The most entries of the stack: about 32 MB.
const DEEPEST: usize = 1_000_000;
const NOWHERE: usize = usize::MAX;

/// What to do when the current branch fails; the newest entry comes first.
#[derive(Debug, Clone, Copy)]
enum Undo {
    /// Continue with another branch.
    Way {
        op: usize,
        at: usize,
    },
    /// A run of units can give one back, down to `least`. With `back` it was matched backwards.
    Shrink {
        op: usize,
        at: usize,
        least: usize,
        back: bool,
    },
    Mark {
        slot: usize,
        old: usize,
    },
    Count {
        number: usize,
        count: u32,
        from: usize,
    },
}

/// The state of a loop: repetitions begun, and where the current one began.
#[derive(Debug, Clone, Copy)]
struct Turn {
    count: u32,
    from: usize,
}

pub(super) struct Matcher<'a> {
    program: &'a Program,
    text: &'a [u16],
    marks: Vec<usize>,
    turns: Vec<Turn>,
    stack: Vec<Undo>,
    steps: u64,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(program: &'a Program, text: &'a [u16]) -> Self {
        Self {
            program,
            text,
            marks: vec![NOWHERE; 2 * program.groups],
            turns: vec![Turn { count: 0, from: 0 }; program.loops.len()],
            stack: Vec::new(),
            steps: 0,
        }
    }

    pub(super) fn find(mut self) -> Result<Option<Groups>, Runaway> {
        let last = if self.program.anchored { 0 } else { self.text.len() };
        for start in 0..=last {
            if let Some(first) = self.program.first
                && !self.text.get(start).is_some_and(|u| first.holds(*u))
            {
                continue;
            }
            self.step(1)?;
            self.marks.fill(NOWHERE);
            self.stack.clear();
            if let Some(end) = self.run(0, start)? {
                (self.marks[0], self.marks[1]) = (start, end);
                let group = |g: usize| {
                    let (from, to) = (self.marks[2 * g], self.marks[2 * g + 1]);
                    (from != NOWHERE && to != NOWHERE).then_some((from, to))
                };
                return Ok(Some((0..self.program.groups).map(group).collect()));
            }
        }
        Ok(None)
    }

    fn step(&mut self, n: u64) -> Result<(), Runaway> {
        self.steps += n;
        if self.steps > STEP_LIMIT || self.stack.len() > DEEPEST { Err(Runaway) } else { Ok(()) }
    }

    /// The unit after a position (with `back`: before it), and the position beyond it.
    fn next(&self, at: usize, back: bool) -> Option<(u16, usize)> {
        if back {
            let before = at.checked_sub(1)?;
            Some((self.text[before], before))
        } else {
            Some((*self.text.get(at)?, at + 1))
        }
    }

    fn mark(&mut self, slot: usize, at: usize) {
        self.stack.push(Undo::Mark { slot, old: self.marks[slot] });
        self.marks[slot] = at;
    }

    fn turn(&mut self, number: usize, turn: Turn) {
        let old = self.turns[number];
        self.stack.push(Undo::Count { number, count: old.count, from: old.from });
        self.turns[number] = turn;
    }

    /// Undo down to the newest remaining branch above `floor`.
    fn fail(&mut self, floor: usize) -> Option<(usize, usize)> {
        while self.stack.len() > floor {
            match self.stack.pop()? {
                Undo::Way { op, at } => return Some((op, at)),
                Undo::Shrink { op, at, least, back } => {
                    if at != least {
                        let at = if back { at + 1 } else { at - 1 };
                        self.stack.push(Undo::Shrink { op, at, least, back });
                        return Some((op, at));
                    }
                }
                Undo::Mark { slot, old } => self.marks[slot] = old,
                Undo::Count { number, count, from } => self.turns[number] = Turn { count, from },
            }
        }
        None
    }

    /// Run from an instruction to `Done`; returns the position that was reached.
    fn run(&mut self, op: usize, at: usize) -> Result<Option<usize>, Runaway> {
        let floor = self.stack.len();
        let (mut op, mut at) = (op, at);
        let program = self.program;
        loop {
            self.step(1)?;
            let good = match &program.ops[op] {
                Op::Done => return Ok(Some(at)),
                Op::Unit { unit, back } => match self.next(at, *back) {
                    Some((u, to)) if unit.matches(u) => {
                        at = to;
                        true
                    }
                    _ => false,
                },
                Op::Run { unit, min, max, back } => match self.take(unit, (*min, *max), at, *back)? {
                    Some((least, most)) => {
                        if least != most {
                            self.stack.push(Undo::Shrink { op: op + 1, at: most, least, back: *back });
                        }
                        at = most;
                        true
                    }
                    None => false,
                },
                Op::Split(first, second) => {
                    self.stack.push(Undo::Way { op: *second, at });
                    op = *first;
                    continue;
                }
                Op::Jump(to) => {
                    op = *to;
                    continue;
                }
                Op::Mark(slot) => {
                    self.mark(*slot, at);
                    true
                }
                Op::LoopInit(number) => {
                    self.turn(*number, Turn { count: 0, from: at });
                    true
                }
                Op::Loop(number) => match self.decide(*number, at) {
                    Some(to) => {
                        op = to;
                        continue;
                    }
                    None => false,
                },
                Op::Again(number) => {
                    op = self.again(*number, at);
                    continue;
                }
                Op::Back { groups, icase, back } => match self.same_again(groups, *icase, *back, at)? {
                    Some(to) => {
                        at = to;
                        true
                    }
                    None => false,
                },
                Op::Start { multiline } => at == 0 || (*multiline && is_line_end(self.text[at - 1])),
                Op::End { multiline } => at == self.text.len() || (*multiline && is_line_end(self.text[at])),
                Op::WordBoundary { negated } => {
                    let word = |unit: Option<&u16>| unit.is_some_and(|u| is_word(*u));
                    let before = at.checked_sub(1).and_then(|b| self.text.get(b));
                    (word(before) != word(self.text.get(at))) != *negated
                }
                Op::Look { negated, next } => {
                    let base = self.stack.len();
                    let found = self.run(op + 1, at)?.is_some();
                    if found && !negated {
                        // What the body captured is kept and can be undone; its other branches are dropped.
                        let kept: Vec<Undo> = self
                            .stack
                            .drain(base..)
                            .filter(|u| !matches!(u, Undo::Way { .. } | Undo::Shrink { .. }))
                            .collect();
                        self.stack.extend(kept);
                    } else {
                        while self.fail(base).is_some() {}
                    }
                    if found != *negated {
                        op = *next;
                        continue;
                    }
                    false
                }
            };
            if good {
                op += 1;
            } else {
                match self.fail(floor) {
                    Some(way) => (op, at) = way,
                    None => return Ok(None),
                }
            }
        }
    }

    /// Match a run of units: the positions after the fewest and after the most of them.
    fn take(
        &mut self,
        unit: &Unit,
        (min, max): (u32, u32),
        at: usize,
        back: bool,
    ) -> Result<Option<(usize, usize)>, Runaway> {
        let (mut to, mut count, mut least) = (at, 0, at);
        while count < max {
            match self.next(to, back) {
                Some((u, beyond)) if unit.matches(u) => to = beyond,
                _ => break,
            }
            count += 1;
            if count == min {
                least = to;
            }
        }
        self.step(u64::from(count) / 4)?;
        Ok((count >= min).then_some((least, to)))
    }

    /// At the start of a loop: the instruction to continue with, or `None` if this branch fails.
    fn decide(&mut self, number: usize, at: usize) -> Option<usize> {
        let info = &self.program.loops[number];
        let turn = self.turns[number];
        // A repetition beyond the minimum that matches nothing would continue for ever.
        if turn.count > info.min && turn.from == at {
            return None;
        }
        let again = info.body - 1;
        if turn.count < info.min {
            return Some(again);
        }
        if turn.count >= info.max {
            return Some(info.exit);
        }
        let (first, second) = if info.greedy { (again, info.exit) } else { (info.exit, again) };
        self.stack.push(Undo::Way { op: second, at });
        Some(first)
    }

    fn again(&mut self, number: usize, at: usize) -> usize {
        let info = &self.program.loops[number];
        let count = self.turns[number].count.saturating_add(1);
        self.turn(number, Turn { count, from: at });
        for group in info.groups.0 + 1..=info.groups.1 {
            for slot in [2 * group, 2 * group + 1] {
                if self.marks[slot] != NOWHERE {
                    self.mark(slot, NOWHERE);
                }
            }
        }
        info.body
    }

    /// A back reference. A group that did not take part matches the empty text.
    fn same_again(
        &mut self,
        groups: &[usize],
        icase: bool,
        back: bool,
        at: usize,
    ) -> Result<Option<usize>, Runaway> {
        let range = groups
            .iter()
            .map(|g| (self.marks[2 * g], self.marks[2 * g + 1]))
            .find(|(from, to)| *from != NOWHERE && *to != NOWHERE);
        let Some((from, to)) = range else { return Ok(Some(at)) };
        let len = to - from;
        self.step(len as u64 / 4)?;
        let begin = if back { at.checked_sub(len) } else { Some(at) };
        let Some(begin) = begin.filter(|b| b + len <= self.text.len()) else { return Ok(None) };
        let same = self.text[from..to]
            .iter()
            .zip(&self.text[begin..begin + len])
            .all(|(a, b)| a == b || (icase && canonical(*a) == canonical(*b)));
        Ok(same.then_some(if back { begin } else { begin + len }))
    }
}

fn is_word(unit: u16) -> bool {
    matches!(unit, 0x30..=0x39 | 0x41..=0x5a | 0x5f | 0x61..=0x7a)
}
