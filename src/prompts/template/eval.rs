//! Evaluates the nodes of a template.

use super::limits::{DEEPEST, LONGEST_OUTPUT, MOST_STEPS, TemplateError};
use super::syntax::{Expr, Kind, Literal, Node};
use super::value::{Global, V};
use super::{filters, methods};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) fn render(nodes: &[Node], vars: &Map<String, Value>) -> Result<String, TemplateError> {
    let context = vars.iter().map(|(k, v)| (k.clone(), V::from_json(v))).collect();
    let mut eval = Eval { frames: vec![context], macros: Vec::new(), steps: 0, written: 0, depth: 0 };
    let mut out = String::new();
    eval.nodes(nodes, &mut out)?;
    Ok(out)
}

#[derive(Debug, Clone)]
struct Macro {
    params: Vec<(String, Option<Expr>)>,
    body: Vec<Node>,
}

struct Eval {
    /// Scopes of variables, the innermost last; the first one is the context.
    frames: Vec<BTreeMap<String, V>>,
    macros: Vec<Macro>,
    steps: usize,
    /// Bytes written so far, including text that is discarded.
    written: usize,
    depth: usize,
}

fn fail<T>(line: usize, message: impl Into<String>) -> Result<T, TemplateError> {
    Err(TemplateError { line, message: message.into() })
}

impl Eval {
    fn step(&mut self, line: usize) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MOST_STEPS { fail(line, "it takes too many steps") } else { Ok(()) }
    }

    /// Count bytes that were produced; a template has a limit.
    fn made(&mut self, line: usize, bytes: usize) -> Result<(), TemplateError> {
        self.written += bytes;
        if self.written > LONGEST_OUTPUT { fail(line, "it makes more than 4 MiB of text") } else { Ok(()) }
    }

    fn set(&mut self, name: &str, value: V) {
        // As in nunjucks, a variable that exists in an outer scope is changed there.
        let held = self.frames.iter().rposition(|f| f.contains_key(name));
        let frame = held.unwrap_or(self.frames.len() - 1);
        self.frames[frame].insert(name.to_owned(), value);
    }

    fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<(), TemplateError> {
        nodes.iter().try_for_each(|node| self.node(node, out))
    }

    fn captured(&mut self, nodes: &[Node]) -> Result<V, TemplateError> {
        let mut out = String::new();
        self.nodes(nodes, &mut out)?;
        Ok(V::str(&out))
    }

    fn node(&mut self, node: &Node, out: &mut String) -> Result<(), TemplateError> {
        match node {
            Node::Data(data) => {
                self.made(1, data.len())?;
                out.push_str(data);
            }
            Node::Output(expr) => {
                let value = self.expr(expr)?;
                if !value.is_nothing() {
                    let text = value.text();
                    self.made(expr.line, text.len())?;
                    out.push_str(&text);
                }
            }
            Node::If { arms, other } => {
                for (cond, body) in arms {
                    if self.expr(cond)?.truthy() {
                        return self.nodes(body, out);
                    }
                }
                self.nodes(other, out)?;
            }
            Node::For { names, over, body, other } => self.each(names, over, body, other, out)?,
            Node::Set { names, value } => {
                let value = self.expr(value)?;
                for name in names {
                    self.set(name, value.clone());
                }
            }
            Node::SetBlock { names, body } => {
                let value = self.captured(body)?;
                for name in names {
                    self.set(name, value.clone());
                }
            }
            Node::Macro { name, params, body } => {
                self.macros.push(Macro { params: params.clone(), body: body.clone() });
                let number = self.macros.len() - 1;
                self.set(name, V::Macro(number));
            }
            Node::Filter { name, args, body } => {
                let mut all = vec![self.captured(body)?];
                for arg in args {
                    all.push(self.expr(arg)?);
                }
                let value = filters::apply(name, all, &[]).or_else(|m| fail(1, m))?;
                if !value.is_nothing() {
                    let text = value.text();
                    self.made(1, text.len())?;
                    out.push_str(&text);
                }
            }
            Node::Switch { on, cases, other } => {
                let on = self.expr(on)?;
                let mut found = false;
                for (cond, body) in cases {
                    if !found {
                        found = self.expr(cond)?.same(&on);
                    }
                    // An empty case falls through to the next one.
                    if found && !body.is_empty() {
                        return self.nodes(body, out);
                    }
                }
                self.nodes(other, out)?;
            }
            Node::Block(body) => self.nodes(body, out)?,
        }
        Ok(())
    }

    fn each(
        &mut self,
        names: &[String],
        over: &Expr,
        body: &[Node],
        other: &[Node],
        out: &mut String,
    ) -> Result<(), TemplateError> {
        let over_value = self.expr(over)?;
        // For each repetition the values of the loop's names.
        let mut turns: Vec<Vec<V>> = Vec::new();
        if over_value.truthy() {
            match (&over_value, names) {
                (V::Map(map), [_, _, ..]) => {
                    turns.extend(map.iter().map(|(k, v)| vec![V::Str(Rc::clone(k)), v.clone()]));
                }
                (V::List(list), [_, _, ..]) => {
                    for item in list.iter() {
                        if item.is_nothing() {
                            return fail(over.line, "an item of the list cannot be taken apart");
                        }
                        turns.push((0..names.len()).map(|n| item.item(n)).collect());
                    }
                }
                (value, [_]) => {
                    if let V::List(list) = value {
                        turns.extend(list.iter().map(|v| vec![v.clone()]));
                    } else if let V::Str(text) = value {
                        turns.extend(
                            text.encode_utf16().map(|u| vec![V::str(&String::from_utf16_lossy(&[u]))]),
                        );
                    }
                }
                _ => {}
            }
        }
        if turns.is_empty() {
            return self.nodes(other, out);
        }
        let len = turns.len();
        for (n, turn) in turns.into_iter().enumerate() {
            self.step(over.line)?;
            let num = |n: usize| V::Num(n as f64);
            let entries: [(&str, V); 7] = [
                ("index", num(n + 1)),
                ("index0", num(n)),
                ("revindex", num(len - n)),
                ("revindex0", num(len - n - 1)),
                ("first", V::Bool(n == 0)),
                ("last", V::Bool(n + 1 == len)),
                ("length", num(len)),
            ];
            let info = V::Map(Rc::new(entries.into_iter().map(|(k, v)| (Rc::from(k), v)).collect()));
            let mut frame = BTreeMap::from([("loop".to_owned(), info)]);
            frame.extend(names.iter().cloned().zip(turn));
            self.frames.push(frame);
            let result = self.nodes(body, out);
            self.frames.pop();
            result?;
        }
        Ok(())
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<V>, TemplateError> {
        exprs.iter().map(|e| self.expr(e)).collect()
    }

    fn expr(&mut self, expr: &Expr) -> Result<V, TemplateError> {
        self.step(expr.line)?;
        let value = match &expr.kind {
            Kind::Literal(Literal::Null) => V::Null,
            Kind::Literal(Literal::Bool(b)) => V::Bool(*b),
            Kind::Literal(Literal::Num(n)) => V::Num(*n),
            Kind::Literal(Literal::Str(s)) => V::str(s),
            Kind::Var(name) => self.lookup(name),
            Kind::List(items) => V::list(self.all(items)?),
            Kind::Map(pairs) => {
                let mut map: Vec<(Rc<str>, V)> = Vec::new();
                for (key, value) in pairs {
                    let value = self.expr(value)?;
                    map.retain(|(k, _)| **k != **key);
                    map.push((Rc::from(key.as_str()), value));
                }
                V::Map(Rc::new(map))
            }
            Kind::Member(of, key) => {
                let (of, key) = (self.expr(of)?, self.expr(key)?);
                of.member(&key)
            }
            Kind::Call { what, name, args, named } => self.call(expr.line, what, name, args, named)?,
            Kind::Filter { name, args, named } => {
                let args = self.all(args)?;
                let named = self.named(named)?;
                filters::apply(name, args, &named).or_else(|m| fail(expr.line, m))?
            }
            Kind::Test { name, args } => {
                let args = self.all(args)?;
                V::Bool(filters::test(name, &args).or_else(|m| fail(expr.line, m))?)
            }
            Kind::In(key, value) => {
                let (key, value) = (self.expr(key)?, self.expr(value)?);
                V::Bool(match &value {
                    V::List(list) => list.iter().any(|v| v.same(&key)),
                    V::Str(text) => text.contains(&key.text()),
                    V::Map(map) => map.iter().any(|(k, _)| **k == *key.text()),
                    _ => return fail(expr.line, "\"in\" needs a list, a text or a mapping on its right"),
                })
            }
            Kind::Pow(base, power) => V::Num(self.expr(base)?.number().powf(self.expr(power)?.number())),
            Kind::FloorDiv(quotient) => V::Num(self.expr(quotient)?.number().floor()),
            Kind::If { cond, then, other } => {
                if self.expr(cond)?.truthy() {
                    self.expr(then)?
                } else {
                    match other {
                        Some(other) => self.expr(other)?,
                        None => V::str(""),
                    }
                }
            }
            Kind::Unary(op, of) => {
                let of = self.expr(of)?;
                match *op {
                    "!" => V::Bool(!of.truthy()),
                    "-" => V::Num(-of.number()),
                    _ => V::Num(of.number()),
                }
            }
            Kind::Binary(op, left, right) => self.binary(op, left, right)?,
            Kind::Group(inside) => self.all(inside)?.pop().unwrap_or(V::Undefined),
        };
        if let V::Str(text) = &value {
            self.made(expr.line, text.len())?;
        }
        Ok(value)
    }

    fn binary(&mut self, op: &str, left: &Expr, right: &Expr) -> Result<V, TemplateError> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let left = self.expr(left)?;
        match op {
            "&&" if !left.truthy() => return Ok(left),
            "||" if left.truthy() => return Ok(left),
            _ => {}
        }
        let right = self.expr(right)?;
        let order = || left.order(&right);
        Ok(match op {
            "&&" | "||" => right,
            "+" => left.add(&right),
            "-" => V::Num(left.number() - right.number()),
            "*" => V::Num(left.number() * right.number()),
            "/" => V::Num(left.number() / right.number()),
            "%" => V::Num(left.number() % right.number()),
            "==" => V::Bool(left.equal(&right)),
            "!=" => V::Bool(!left.equal(&right)),
            "===" => V::Bool(left.same(&right)),
            "!==" => V::Bool(!left.same(&right)),
            "<" => V::Bool(order() == Some(Less)),
            ">" => V::Bool(order() == Some(Greater)),
            "<=" => V::Bool(matches!(order(), Some(Less | Equal))),
            _ => V::Bool(matches!(order(), Some(Greater | Equal))),
        })
    }

    fn lookup(&self, name: &str) -> V {
        if let Some(value) = self.frames.iter().rev().find_map(|f| f.get(name)) {
            return value.clone();
        }
        match name {
            "range" => V::Global(Global::Range),
            "joiner" => V::Global(Global::Joiner),
            "cycler" => V::Global(Global::Cycler),
            // What a file of someone else may not read.
            "env" => V::Map(Rc::default()),
            _ => V::Undefined,
        }
    }

    fn named(&mut self, named: &[(String, Expr)]) -> Result<Vec<(String, V)>, TemplateError> {
        named.iter().map(|(n, e)| Ok((n.clone(), self.expr(e)?))).collect()
    }

    fn call(
        &mut self,
        line: usize,
        what: &Expr,
        name: &str,
        args: &[Expr],
        named: &[(String, Expr)],
    ) -> Result<V, TemplateError> {
        let what = self.expr(what)?;
        let args = self.all(args)?;
        let named = self.named(named)?;
        match what {
            V::Macro(number) => self.call_macro(line, number, args, named),
            V::Method(method) => methods::call(&method.0, &method.1, &args).or_else(|m| fail(line, m)),
            V::Joiner(joiner) => {
                let (between, begun) = &*joiner;
                Ok(if begun.replace(true) { V::Str(Rc::clone(between)) } else { V::str("") })
            }
            V::Global(Global::Cycler) => Ok(V::Cycler(Rc::new((args, Cell::new(0))))),
            V::Global(Global::Joiner) => {
                let between = args.first().filter(|v| v.truthy()).map_or_else(|| ",".to_owned(), V::text);
                Ok(V::Joiner(Rc::new((Rc::from(between), Cell::new(false)))))
            }
            V::Global(Global::Range) => {
                let number = |n: usize| args.get(n).map(V::number);
                let (start, stop) = match args.len() {
                    1 => (0.0, number(0).unwrap_or(0.0)),
                    _ => (number(0).unwrap_or(0.0), number(1).unwrap_or(0.0)),
                };
                let step = number(2).unwrap_or(1.0);
                let mut list = Vec::new();
                let mut at = start;
                while step != 0.0 && ((step > 0.0 && at < stop) || (step < 0.0 && at > stop)) {
                    self.step(line)?;
                    list.push(V::Num(at));
                    at += step;
                }
                Ok(V::list(list))
            }
            V::Undefined | V::Null => {
                fail(line, format!("{name:?} is called, but there is no such function"))
            }
            _ => fail(line, format!("{name:?} is called, but is not a function")),
        }
    }

    fn call_macro(
        &mut self,
        line: usize,
        number: usize,
        args: Vec<V>,
        named: Vec<(String, V)>,
    ) -> Result<V, TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return fail(line, "macros call each other too deep");
        }
        let Macro { params, body } = self.macros[number].clone();
        let mut frame = BTreeMap::new();
        let mut args = args.into_iter();
        for (name, default) in &params {
            let value = match (args.next(), default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.expr(default)?,
                (None, None) => V::Undefined,
            };
            frame.insert(name.clone(), value);
        }
        frame.extend(named);
        self.frames.push(frame);
        let result = self.captured(&body);
        self.frames.pop();
        self.depth -= 1;
        result
    }
}
