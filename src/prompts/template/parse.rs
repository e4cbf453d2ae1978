//! Tokens → nodes. Expressions are read by nunjucks' grammar, written down the way nunjucks writes
//! JavaScript, and read again by JavaScript's precedence.

use super::lex::{Lexer, Spanned, Token};
use super::limits::{DEEPEST, LONGEST_EXPRESSION, TemplateError};
use std::collections::VecDeque;

#[derive(Debug, Clone)]
pub(super) enum Node {
    Data(String),
    Output(Expr),
    If {
        arms: Vec<(Expr, Vec<Node>)>,
        other: Vec<Node>,
    },
    For {
        names: Vec<String>,
        over: Expr,
        body: Vec<Node>,
        other: Vec<Node>,
    },
    Set {
        names: Vec<String>,
        value: Expr,
    },
    SetBlock {
        names: Vec<String>,
        body: Vec<Node>,
    },
    Macro {
        name: String,
        params: Vec<(String, Option<Expr>)>,
        body: Vec<Node>,
    },
    Filter {
        name: String,
        args: Vec<Expr>,
        body: Vec<Node>,
    },
    Switch {
        on: Expr,
        cases: Vec<(Expr, Vec<Node>)>,
        other: Vec<Node>,
    },
    /// `{% block %}`: its content where it stands.
    Block(Vec<Node>),
}

/// An expression with the line it stands on.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Literal(Literal),
    Var(String),
    List(Vec<Expr>),
    Map(Vec<(String, Expr)>),
    Member(Box<Expr>, Box<Expr>),
    Call {
        what: Box<Expr>,
        name: String,
        args: Vec<Expr>,
        named: Vec<(String, Expr)>,
    },
    Filter {
        name: String,
        args: Vec<Expr>,
        named: Vec<(String, Expr)>,
    },
    Test {
        name: String,
        args: Vec<Expr>,
    },
    In(Box<Expr>, Box<Expr>),
    Pow(Box<Expr>, Box<Expr>),
    FloorDiv(Box<Expr>),
    If {
        cond: Box<Expr>,
        then: Box<Expr>,
        other: Option<Box<Expr>>,
    },
    /// `!`, `-`, `+`.
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// Brackets: what is inside belongs together.
    Group(Vec<Expr>),
}

#[derive(Debug, Clone)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Num(f64),
    Str(String),
}

/// A piece of JavaScript text: an operand or an operator.
#[derive(Debug, Clone)]
enum Piece {
    Operand(Expr),
    Prefix(&'static str),
    Infix(&'static str),
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let mut parser =
        Parser { lexer: Lexer::new(text), ahead: VecDeque::new(), trim_next: false, depth: 0, size: 0 };
    let (nodes, end) = parser.nodes(&[])?;
    debug_assert!(end.is_none());
    Ok(nodes)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: VecDeque<Spanned>,
    /// The tag before ended with a dash.
    trim_next: bool,
    depth: usize,
    /// Parts of the expression that is being read.
    size: usize,
}

type Args = (Vec<Expr>, Vec<(String, Expr)>);

impl Parser<'_> {
    fn fail<T>(&self, message: impl Into<String>) -> Result<T, TemplateError> {
        let line = self.ahead.front().map_or_else(|| self.lexer.line(), |t| t.line);
        Err(TemplateError { line, message: message.into() })
    }

    fn peek(&mut self) -> Result<Option<&Token>, TemplateError> {
        if self.ahead.is_empty()
            && let Some(token) = self.lexer.next()?
        {
            self.ahead.push_back(token);
        }
        Ok(self.ahead.front().map(|t| &t.token))
    }

    fn next(&mut self) -> Result<Option<Token>, TemplateError> {
        self.peek()?;
        Ok(self.ahead.pop_front().map(|t| t.token))
    }

    fn line(&mut self) -> usize {
        self.ahead.front().map_or_else(|| self.lexer.line(), |t| t.line)
    }

    fn eat_op(&mut self, op: &str) -> Result<bool, TemplateError> {
        let found = matches!(self.peek()?, Some(Token::Op(o)) if *o == op);
        if found {
            self.ahead.pop_front();
        }
        Ok(found)
    }

    fn eat_name(&mut self, name: &str) -> Result<bool, TemplateError> {
        let found = matches!(self.peek()?, Some(Token::Name(n)) if n == name);
        if found {
            self.ahead.pop_front();
        }
        Ok(found)
    }

    fn name(&mut self, what: &str) -> Result<String, TemplateError> {
        match self.next()? {
            Some(Token::Name(name)) => Ok(name),
            _ => self.fail(format!("{what} is missing")),
        }
    }

    fn deeper(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail(format!("more than {DEEPEST} brackets or blocks stand inside each other"));
        }
        Ok(())
    }

    /// One more part of an expression.
    fn longer(&mut self) -> Result<(), TemplateError> {
        self.size += 1;
        if self.size > LONGEST_EXPRESSION {
            return self.fail(format!("an expression has more than {LONGEST_EXPRESSION} parts"));
        }
        Ok(())
    }

    fn block_end(&mut self) -> Result<(), TemplateError> {
        match self.next()? {
            Some(Token::BlockEnd { trim }) => {
                self.trim_next = trim;
                Ok(())
            }
            _ => self.fail("a tag is not closed with \"%}\""),
        }
    }

    /// Nodes up to one of the tags that end them, whose name is taken; or to the end of the text.
    fn nodes(&mut self, until: &[&str]) -> Result<(Vec<Node>, Option<String>), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                None if until.is_empty() => return Ok((nodes, None)),
                None => return self.fail(format!("{{% {} %}} is missing", until.last().unwrap_or(&""))),
                Some(Token::Data(data)) => {
                    let mut data = data.as_str();
                    if self.trim_next {
                        data = data.trim_start_matches(crate::prompts::js::is_space);
                    }
                    self.trim_next = false;
                    let trims = match self.peek()? {
                        Some(Token::BlockStart { trim } | Token::VarStart { trim }) => *trim,
                        Some(Token::Comment(c)) => c.starts_with("{#-"),
                        _ => false,
                    };
                    if trims {
                        data = data.trim_end_matches(crate::prompts::js::is_space);
                    }
                    if !data.is_empty() {
                        nodes.push(Node::Data(data.to_owned()));
                    }
                }
                Some(Token::Comment(comment)) => self.trim_next = comment.ends_with("-#}"),
                Some(Token::VarStart { .. }) => {
                    self.trim_next = false;
                    let expr = self.expression()?;
                    match self.next()? {
                        Some(Token::VarEnd { trim }) => self.trim_next = trim,
                        _ => return self.fail("an expression is not closed with \"}}\""),
                    }
                    nodes.push(Node::Output(expr));
                }
                Some(Token::BlockStart { .. }) => {
                    self.trim_next = false;
                    let tag = self.name("the name of a tag")?;
                    if until.contains(&tag.as_str()) {
                        return Ok((nodes, Some(tag)));
                    }
                    self.deeper()?;
                    nodes.push(self.tag(&tag)?);
                    self.depth -= 1;
                }
                Some(_) => return self.fail("unexpected text in a tag"),
            }
        }
    }

    fn tag(&mut self, tag: &str) -> Result<Node, TemplateError> {
        match tag {
            "if" | "ifAsync" => self.if_tag(),
            "for" | "asyncEach" | "asyncAll" => self.for_tag(tag),
            "set" => self.set_tag(),
            "raw" | "verbatim" => self.raw_tag(tag),
            "macro" => {
                let name = self.name("the name of a macro")?;
                let params = self.params()?;
                self.block_end()?;
                let (body, _) = self.nodes(&["endmacro"])?;
                self.block_end()?;
                Ok(Node::Macro { name, params, body })
            }
            "filter" => {
                let name = self.filter_name()?;
                let args = if self.eat_op("(")? { self.args(")")?.0 } else { Vec::new() };
                self.block_end()?;
                let (body, _) = self.nodes(&["endfilter"])?;
                self.block_end()?;
                Ok(Node::Filter { name, args, body })
            }
            "switch" => self.switch_tag(),
            "block" => {
                self.name("the name of a block")?;
                self.block_end()?;
                let (body, _) = self.nodes(&["endblock"])?;
                self.eat_any_name()?;
                self.block_end()?;
                Ok(Node::Block(body))
            }
            "include" | "import" | "from" | "extends" | "call" => {
                self.fail(format!("{{% {tag} %}} is not supported: a template cannot use other files"))
            }
            other => self.fail(format!("unknown tag {{% {other} %}}")),
        }
    }

    fn eat_any_name(&mut self) -> Result<(), TemplateError> {
        if matches!(self.peek()?, Some(Token::Name(_))) {
            self.ahead.pop_front();
        }
        Ok(())
    }

    fn if_tag(&mut self) -> Result<Node, TemplateError> {
        let mut arms = Vec::new();
        loop {
            let cond = self.expression()?;
            self.block_end()?;
            let (body, end) = self.nodes(&["elif", "elseif", "else", "endif"])?;
            arms.push((cond, body));
            match end.as_deref() {
                Some("elif" | "elseif") => {}
                Some("else") => {
                    self.block_end()?;
                    let (other, _) = self.nodes(&["endif"])?;
                    self.block_end()?;
                    return Ok(Node::If { arms, other });
                }
                _ => {
                    self.block_end()?;
                    return Ok(Node::If { arms, other: Vec::new() });
                }
            }
        }
    }

    fn for_tag(&mut self, tag: &str) -> Result<Node, TemplateError> {
        let end = match tag {
            "for" => "endfor",
            "asyncEach" => "endeach",
            _ => "endall",
        };
        let mut names = vec![self.name("the variable of a loop")?];
        while self.eat_op(",")? {
            names.push(self.name("the variable of a loop")?);
        }
        if !self.eat_name("in")? {
            return self.fail("\"in\" is missing in a loop");
        }
        let over = self.expression()?;
        self.block_end()?;
        let (body, stop) = self.nodes(&["else", end])?;
        self.block_end()?;
        let other = if stop.as_deref() == Some("else") {
            let (other, _) = self.nodes(&[end])?;
            self.block_end()?;
            other
        } else {
            Vec::new()
        };
        Ok(Node::For { names, over, body, other })
    }

    fn set_tag(&mut self) -> Result<Node, TemplateError> {
        let mut names = vec![self.name("the variable of a set")?];
        while self.eat_op(",")? {
            names.push(self.name("the variable of a set")?);
        }
        if self.eat_op("=")? {
            let value = self.expression()?;
            self.block_end()?;
            return Ok(Node::Set { names, value });
        }
        self.block_end()?;
        let (body, _) = self.nodes(&["endset"])?;
        self.block_end()?;
        Ok(Node::SetBlock { names, body })
    }

    fn raw_tag(&mut self, tag: &str) -> Result<Node, TemplateError> {
        self.block_end()?;
        // The token after the tag is not read yet: the text is taken as it stands.
        let from = self.ahead.front().map(|t| t.at);
        if let Some(at) = from {
            self.lexer.jump(at);
            self.ahead.clear();
        }
        let rest = self.lexer.rest();
        let (mut level, mut at) = (1, 0);
        while let Some(start) = rest[at..].find("{%").map(|found| at + found) {
            let inside = rest[start + 2..].trim_start_matches('-').trim_start();
            let word: String = inside.chars().take_while(char::is_ascii_alphabetic).collect();
            at = start + 2;
            let Some(close) = rest[start..].find("%}").map(|found| start + found) else { break };
            if word == tag {
                level += 1;
            } else if word.strip_prefix("end") == Some(tag) {
                level -= 1;
                if level == 0 {
                    self.trim_next = rest[start..close].ends_with('-');
                    self.lexer.skip(close + 2);
                    return Ok(Node::Data(rest[..start].to_owned()));
                }
            }
        }
        self.fail(format!("{{% end{tag} %}} is missing"))
    }

    fn switch_tag(&mut self) -> Result<Node, TemplateError> {
        let on = self.expression()?;
        self.block_end()?;
        let ends = ["case", "default", "endswitch"];
        let (_, mut stop) = self.nodes(&ends)?;
        let (mut cases, mut other) = (Vec::new(), Vec::new());
        loop {
            match stop.as_deref() {
                Some("case") => {
                    let cond = self.expression()?;
                    self.block_end()?;
                    let (body, next) = self.nodes(&ends)?;
                    cases.push((cond, body));
                    stop = next;
                }
                Some("default") => {
                    self.block_end()?;
                    let (body, next) = self.nodes(&ends)?;
                    other = body;
                    stop = next;
                }
                _ => {
                    self.block_end()?;
                    return Ok(Node::Switch { on, cases, other });
                }
            }
        }
    }

    fn params(&mut self) -> Result<Vec<(String, Option<Expr>)>, TemplateError> {
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

    /// Arguments up to the closing bracket.
    fn args(&mut self, close: &str) -> Result<Args, TemplateError> {
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

    fn filter_name(&mut self) -> Result<String, TemplateError> {
        let mut name = self.name("the name of a filter")?;
        while self.eat_op(".")? {
            name = format!("{name}.{}", self.name("the name of a filter")?);
        }
        Ok(name)
    }

    /// One expression: nunjucks' tree, then JavaScript's.
    fn expression(&mut self) -> Result<Expr, TemplateError> {
        self.deeper()?;
        let line = self.line();
        // Its parts count apart from those of the expression around it.
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

    /// `in` and `not in`.
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

    /// `+`, `-`, `*`, `/`, `//`, `%` and `**`, each binding tighter than the one before.
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

/// A callee as written, for messages.
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

/// Strength of JavaScript's operators.
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

/// Pieces in a row → a tree by JavaScript's precedence.
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
