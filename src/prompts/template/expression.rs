//! Parses expressions: by nunjucks' grammar, then written out as the JavaScript that nunjucks generates,
//! and parsed again by JavaScript's precedence.

use super::lex::Token;
use super::limits::TemplateError;
use super::parser::Parser;
use super::syntax::{Expr, Kind, Literal};
use std::collections::VecDeque;

/// A piece of the generated JavaScript: an operand or an operator.
#[derive(Debug, Clone)]
enum Piece {
    Operand(Expr),
    Prefix(&'static str),
    Infix(&'static str),
}

/// Positional arguments, then named ones.
pub(super) type Args = (Vec<Expr>, Vec<(String, Expr)>);

impl Parser<'_> {
    pub(super) fn params(&mut self) -> Result<Vec<(String, Option<Expr>)>, TemplateError> {
        let mut params = Vec::new();
        if !self.eat_op("(")? {
            return self.fail("a macro needs brackets behind its name");
        }
        while !self.eat_op(")")? {
            let name = self.name("a parameter")?;
            let default = if self.eat_op("=")? { Some(self.expression()?) } else { None };
            params.push((name, default));
            if !self.eat_op(",")? && !matches!(self.peek()?, Some(Token::Op(")"))) {
                return self.fail("a bracket is never closed");
            }
        }
        Ok(params)
    }

    /// Parses arguments up to the closing bracket.
    pub(super) fn args(&mut self, close: &str) -> Result<Args, TemplateError> {
        let (mut args, mut named) = (Vec::new(), Vec::new());
        while !self.eat_op(close)? {
            let arg = self.expression()?;
            if self.eat_op("=")? {
                let Kind::Var(name) = arg.kind else { return self.fail("an argument's name is not a name") };
                named.push((name, self.expression()?));
            } else {
                args.push(arg);
            }
            if !self.eat_op(",")? && !matches!(self.peek()?, Some(Token::Op(op)) if *op == close) {
                return self.fail("a bracket is never closed");
            }
        }
        Ok((args, named))
    }

    pub(super) fn filter_name(&mut self) -> Result<String, TemplateError> {
        let mut name = self.name("the name of a filter")?;
        while self.eat_op(".")? {
            name = format!("{name}.{}", self.name("the name of a filter")?);
        }
        Ok(name)
    }

    /// Parses one expression: nunjucks' tree, then JavaScript's.
    pub(super) fn expression(&mut self) -> Result<Expr, TemplateError> {
        self.deeper()?;
        let line = self.line();
        // Its parts are counted separately from those of the enclosing expression.
        let outer = std::mem::take(&mut self.size);
        let pieces = self.inline_if()?;
        self.size = outer;
        self.depth -= 1;
        javascript(pieces).map_err(|message| TemplateError { line, message: message.to_owned() })
    }

    fn inline_if(&mut self) -> Result<Vec<Piece>, TemplateError> {
        let line = self.line();
        let then = self.or()?;
        if !self.eat_name("if")? {
            return Ok(then);
        }
        let cond = self.or()?;
        let other = if self.eat_name("else")? { Some(self.or()?) } else { None };
        let fail = |message: &str| TemplateError { line, message: message.to_owned() };
        let tree = |pieces| javascript(pieces).map(Box::new).map_err(fail);
        let kind = Kind::If { cond: tree(cond)?, then: tree(then)?, other: other.map(tree).transpose()? };
        Ok(vec![Piece::Operand(Expr { line, kind })])
    }

    fn or(&mut self) -> Result<Vec<Piece>, TemplateError> {
        let mut left = self.and()?;
        while self.eat_name("or")? {
            left.push(Piece::Infix("||"));
            left.extend(self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Vec<Piece>, TemplateError> {
        let mut left = self.not()?;
        while self.eat_name("and")? {
            left.push(Piece::Infix("&&"));
            left.extend(self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Vec<Piece>, TemplateError> {
        if self.eat_name("not")? {
            self.deeper()?;
            let mut pieces = vec![Piece::Prefix("!")];
            pieces.extend(self.not()?);
            self.depth -= 1;
            return Ok(pieces);
        }
        self.within()
    }

    fn operand(&mut self, pieces: Vec<Piece>) -> Result<Box<Expr>, TemplateError> {
        let line = self.line();
        javascript(pieces).map(Box::new).map_err(|m| TemplateError { line, message: m.to_owned() })
    }

    /// Parses `in` and `not in`.
    fn within(&mut self) -> Result<Vec<Piece>, TemplateError> {
        let mut left = self.is()?;
        loop {
            let line = self.line();
            let negated = if matches!(self.peek()?, Some(Token::Name(n)) if n == "not") {
                let not = self.ahead.pop_front();
                if !matches!(self.peek()?, Some(Token::Name(n)) if n == "in") {
                    self.ahead.extend(not);
                    self.ahead.rotate_right(1);
                    return Ok(left);
                }
                true
            } else {
                false
            };
            if !self.eat_name("in")? {
                return Ok(left);
            }
            let right = self.is()?;
            let (key, value) = (self.operand(left)?, self.operand(right)?);
            left = if negated { vec![Piece::Prefix("!")] } else { Vec::new() };
            left.push(Piece::Operand(Expr { line, kind: Kind::In(key, value) }));
        }
    }

    fn is(&mut self) -> Result<Vec<Piece>, TemplateError> {
        let left = self.compare()?;
        let line = self.line();
        if !self.eat_name("is")? {
            return Ok(left);
        }
        let negated = self.eat_name("not")?;
        let right = self.compare()?;
        let right = *self.operand(right)?;
        let mut args = vec![*self.operand(left)?];
        let name = match right.kind {
            Kind::Var(name) => name,
            Kind::Call { name, args: more, .. } => {
                args.extend(more);
                name
            }
            Kind::Literal(Literal::Null) => "null".to_owned(),
            _ => return self.fail("\"is\" needs the name of a test"),
        };
        let test = Piece::Operand(Expr { line, kind: Kind::Test { name, args } });
        Ok(if negated { vec![Piece::Prefix("!"), test] } else { vec![test] })
    }

    fn compare(&mut self) -> Result<Vec<Piece>, TemplateError> {
        let mut left = self.concat()?;
        while let Some(Token::Op(op @ ("==" | "===" | "!=" | "!==" | "<" | ">" | "<=" | ">="))) =
            self.peek()?
        {
            let op = *op;
            self.ahead.pop_front();
            left.push(Piece::Infix(op));
            left.extend(self.concat()?);
        }
        Ok(left)
    }

    fn concat(&mut self) -> Result<Vec<Piece>, TemplateError> {
        let mut left = self.binary(0)?;
        while self.eat_op("~")? {
            let line = self.line();
            let empty = Expr { line, kind: Kind::Literal(Literal::Str(String::new())) };
            left.extend([Piece::Infix("+"), Piece::Operand(empty), Piece::Infix("+")]);
            left.extend(self.binary(0)?);
        }
        Ok(left)
    }

    /// Parses `+`, `-`, `*`, `/`, `//`, `%` and `**`, each of which binds tighter than the one before.
    fn binary(&mut self, level: usize) -> Result<Vec<Piece>, TemplateError> {
        const LEVELS: [&str; 7] = ["+", "-", "*", "/", "//", "%", "**"];
        let Some(op) = LEVELS.get(level) else { return self.unary(true) };
        let mut left = self.binary(level + 1)?;
        let line = self.line();
        while self.eat_op(op)? {
            let right = self.binary(level + 1)?;
            match *op {
                "//" => {
                    left.push(Piece::Infix("/"));
                    left.extend(right);
                    let kind = Kind::FloorDiv(self.operand(left)?);
                    left = vec![Piece::Operand(Expr { line, kind })];
                }
                "**" => {
                    let kind = Kind::Pow(self.operand(left)?, self.operand(right)?);
                    left = vec![Piece::Operand(Expr { line, kind })];
                }
                _ => {
                    left.push(Piece::Infix(op));
                    left.extend(right);
                }
            }
        }
        Ok(left)
    }

    fn unary(&mut self, filters: bool) -> Result<Vec<Piece>, TemplateError> {
        let mut pieces = Vec::new();
        for op in ["-", "+"] {
            if pieces.is_empty() && self.eat_op(op)? {
                self.deeper()?;
                pieces.push(Piece::Prefix(op));
                pieces.extend(self.unary(false)?);
                self.depth -= 1;
            }
        }
        if pieces.is_empty() {
            pieces.push(Piece::Operand(self.primary()?));
        }
        while filters && self.eat_op("|")? {
            self.longer()?;
            let line = self.line();
            let name = self.filter_name()?;
            let mut args = vec![*self.operand(pieces)?];
            let mut named = Vec::new();
            if self.eat_op("(")? {
                let (more, names) = self.args(")")?;
                args.extend(more);
                named = names;
            }
            pieces = vec![Piece::Operand(Expr { line, kind: Kind::Filter { name, args, named } })];
        }
        Ok(pieces)
    }

    fn primary(&mut self) -> Result<Expr, TemplateError> {
        self.longer()?;
        let line = self.line();
        let literal = |l| Kind::Literal(l);
        let kind = match self.next()? {
            Some(Token::Str(text)) => literal(Literal::Str(text)),
            Some(Token::Num(n)) => literal(Literal::Num(n)),
            Some(Token::True) => literal(Literal::Bool(true)),
            Some(Token::False) => literal(Literal::Bool(false)),
            Some(Token::Null) => return Ok(Expr { line, kind: literal(Literal::Null) }),
            Some(Token::Name(name)) => Kind::Var(name),
            Some(Token::Op("(")) => Kind::Group(self.args(")")?.0),
            Some(Token::Op("[")) => Kind::List(self.args("]")?.0),
            Some(Token::Op("{")) => Kind::Map(self.pairs()?),
            None => return self.fail("an expression is never closed"),
            Some(_) => return self.fail("an expression is missing or broken"),
        };
        if matches!(&kind, Kind::Group(inside) if inside.is_empty()) {
            return self.fail("brackets are empty");
        }
        self.postfix(Expr { line, kind })
    }

    fn pairs(&mut self) -> Result<Vec<(String, Expr)>, TemplateError> {
        let mut pairs = Vec::new();
        while !self.eat_op("}")? {
            let Some(Token::Str(key) | Token::Name(key)) = self.next()? else {
                return self.fail("a key of a mapping is not text");
            };
            if !self.eat_op(":")? {
                return self.fail("\":\" is missing behind a key");
            }
            pairs.push((key, self.expression()?));
            if !self.eat_op(",")? && !matches!(self.peek()?, Some(Token::Op("}"))) {
                return self.fail("a mapping is never closed");
            }
        }
        Ok(pairs)
    }

    fn postfix(&mut self, mut expr: Expr) -> Result<Expr, TemplateError> {
        loop {
            self.longer()?;
            let line = self.line();
            let kind = if self.eat_op("(")? {
                let (args, named) = self.args(")")?;
                let name = spelled(&expr);
                Kind::Call { what: Box::new(expr), name, args, named }
            } else if self.eat_op("[")? {
                let mut inside = self.args("]")?.0;
                if inside.len() != 1 {
                    return self.fail("one index is expected in square brackets");
                }
                Kind::Member(Box::new(expr), Box::new(inside.remove(0)))
            } else if self.eat_op(".")? {
                let name = match self.next()? {
                    Some(Token::Name(name)) => name,
                    Some(Token::True) => "true".to_owned(),
                    Some(Token::False) => "false".to_owned(),
                    _ => return self.fail("a name is expected behind the dot"),
                };
                let key = Expr { line, kind: Kind::Literal(Literal::Str(name)) };
                Kind::Member(Box::new(expr), Box::new(key))
            } else {
                return Ok(expr);
            };
            expr = Expr { line, kind };
        }
    }
}

/// The called expression as it was written, for messages.
fn spelled(expr: &Expr) -> String {
    match &expr.kind {
        Kind::Var(name) => name.clone(),
        Kind::Member(of, key) => match &key.kind {
            Kind::Literal(Literal::Str(key)) => format!("{}.{key}", spelled(of)),
            _ => format!("{}[...]", spelled(of)),
        },
        _ => "...".to_owned(),
    }
}

/// Precedence of JavaScript's operators; a higher number binds tighter.
fn strength(op: &str) -> u8 {
    match op {
        "||" => 1,
        "&&" => 2,
        "==" | "!=" | "===" | "!==" => 3,
        "<" | ">" | "<=" | ">=" => 4,
        "+" | "-" => 5,
        _ => 6,
    }
}

/// Makes a tree of a sequence of pieces, by JavaScript's precedence.
fn javascript(pieces: Vec<Piece>) -> Result<Expr, &'static str> {
    let mut pieces = VecDeque::from(pieces);
    let tree = climb(&mut pieces, 0)?;
    if pieces.is_empty() { Ok(tree) } else { Err("an expression is broken") }
}

fn climb(pieces: &mut VecDeque<Piece>, least: u8) -> Result<Expr, &'static str> {
    let mut prefixes = Vec::new();
    let mut left = loop {
        match pieces.pop_front() {
            Some(Piece::Prefix(op)) => prefixes.push(op),
            Some(Piece::Operand(expr)) => break expr,
            _ => return Err("an expression is broken"),
        }
    };
    while let Some(op) = prefixes.pop() {
        left = Expr { line: left.line, kind: Kind::Unary(op, Box::new(left)) };
    }
    while let Some(Piece::Infix(op)) = pieces.front() {
        let op = *op;
        if strength(op) <= least {
            break;
        }
        pieces.pop_front();
        let right = climb(pieces, strength(op))?;
        left = Expr { line: left.line, kind: Kind::Binary(op, Box::new(left), Box::new(right)) };
    }
    Ok(left)
}
