//! The state of the parser: its tokens, and its limits for nesting and length.

use super::lex::{Lexer, Spanned, Token};
use super::limits::{DEEPEST, LONGEST_EXPRESSION, TemplateError};
use std::collections::VecDeque;

/// Parses a template.
pub(super) struct Parser<'a> {
    pub lexer: Lexer<'a>,
    pub ahead: VecDeque<Spanned>,
    /// The previous tag ended with a dash.
    pub trim_next: bool,
    pub depth: usize,
    /// Number of parts of the current expression.
    pub size: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { lexer: Lexer::new(text), ahead: VecDeque::new(), trim_next: false, depth: 0, size: 0 }
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Result<T, TemplateError> {
        let line = self.ahead.front().map_or_else(|| self.lexer.line(), |t| t.line);
        Err(TemplateError { line, message: message.into() })
    }

    pub(super) fn peek(&mut self) -> Result<Option<&Token>, TemplateError> {
        if self.ahead.is_empty()
            && let Some(token) = self.lexer.next()?
        {
            self.ahead.push_back(token);
        }
        Ok(self.ahead.front().map(|t| &t.token))
    }

    pub(super) fn next(&mut self) -> Result<Option<Token>, TemplateError> {
        self.peek()?;
        Ok(self.ahead.pop_front().map(|t| t.token))
    }

    pub(super) fn line(&mut self) -> usize {
        self.ahead.front().map_or_else(|| self.lexer.line(), |t| t.line)
    }

    pub(super) fn eat_op(&mut self, op: &str) -> Result<bool, TemplateError> {
        let found = matches!(self.peek()?, Some(Token::Op(o)) if *o == op);
        if found {
            self.ahead.pop_front();
        }
        Ok(found)
    }

    pub(super) fn eat_name(&mut self, name: &str) -> Result<bool, TemplateError> {
        let found = matches!(self.peek()?, Some(Token::Name(n)) if n == name);
        if found {
            self.ahead.pop_front();
        }
        Ok(found)
    }

    pub(super) fn name(&mut self, what: &str) -> Result<String, TemplateError> {
        match self.next()? {
            Some(Token::Name(name)) => Ok(name),
            _ => self.fail(format!("{what} is missing")),
        }
    }

    pub(super) fn deeper(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail(format!("more than {DEEPEST} levels of brackets or blocks"));
        }
        Ok(())
    }

    /// Count one more part of the expression.
    pub(super) fn longer(&mut self) -> Result<(), TemplateError> {
        self.size += 1;
        if self.size > LONGEST_EXPRESSION {
            return self.fail(format!("an expression has more than {LONGEST_EXPRESSION} parts"));
        }
        Ok(())
    }

    pub(super) fn block_end(&mut self) -> Result<(), TemplateError> {
        match self.next()? {
            Some(Token::BlockEnd { trim }) => {
                self.trim_next = trim;
                Ok(())
            }
            _ => self.fail("a tag is not closed with \"%}\""),
        }
    }

    pub(super) fn eat_any_name(&mut self) -> Result<(), TemplateError> {
        if matches!(self.peek()?, Some(Token::Name(_))) {
            self.ahead.pop_front();
        }
        Ok(())
    }
}
