//! Parses tokens to nodes: text, output and tags.

use super::lex::Token;
use super::limits::TemplateError;
use super::parser::Parser;
use super::syntax::Node;

pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser::new(text);
    let (nodes, end) = parser.nodes(&[])?;
    debug_assert!(end.is_none());
    Ok(nodes)
}

impl Parser<'_> {
    /// Parses nodes up to one of the tags that end them (whose name is consumed), or to the end of the
    /// text.
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
        // The token after the tag is not read yet: the text is taken unchanged.
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
}
