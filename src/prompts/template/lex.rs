//! Splits the text of a template into tokens.

use super::limits::TemplateError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Data(String),
    /// A comment with its delimiters, whose dashes trim white space.
    Comment(String),
    BlockStart {
        trim: bool,
    },
    BlockEnd {
        trim: bool,
    },
    VarStart {
        trim: bool,
    },
    VarEnd {
        trim: bool,
    },
    Str(String),
    Num(f64),
    True,
    False,
    Null,
    /// A word.
    Name(String),
    /// An operator or a bracket.
    Op(&'static str),
}

/// A token, its line, and its position in the text.
#[derive(Debug, Clone)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) line: usize,
    pub(super) at: usize,
}

const DELIMITERS: &str = "()[]{}%*-+~/#,:|.<>=!";
/// Longer operators come first.
const OPERATORS: &[&str] = &[
    "===", "!==", "==", "!=", "<=", ">=", "//", "**", "(", ")", "[", "]", "{", "}", "%", "*", "-", "+", "~",
    "/", "#", ",", ":", "|", ".", "<", ">", "=", "!",
];

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    in_code: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, in_code: false }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn line(&self) -> usize {
        self.line_of(self.at)
    }

    fn line_of(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// Continue at a position, as template text.
    pub(super) fn jump(&mut self, at: usize) {
        self.at = at;
        self.in_code = false;
    }

    /// Continue after this many bytes, as template text.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.jump(self.at + bytes);
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    pub(super) fn next(&mut self) -> Result<Option<Spanned>, TemplateError> {
        let (at, line) = (self.at, self.line());
        let token = if self.in_code { self.code(line)? } else { self.data(line)? };
        Ok(token.map(|token| Spanned { token, line, at }))
    }

    fn data(&mut self, line: usize) -> Result<Option<Token>, TemplateError> {
        let fail = |message: &str| TemplateError { line, message: message.to_owned() };
        if self.rest().is_empty() {
            return Ok(None);
        }
        for (mark, block) in [("{%", true), ("{{", false)] {
            if self.eat(mark) {
                let trim = self.eat("-");
                self.in_code = true;
                return Ok(Some(if block { Token::BlockStart { trim } } else { Token::VarStart { trim } }));
            }
        }
        let rest = self.rest();
        if rest.starts_with("{#") {
            let end = rest.find("#}").ok_or_else(|| fail("a comment is never closed"))? + 2;
            self.at += end;
            return Ok(Some(Token::Comment(rest[..end].to_owned())));
        }
        let end = ["{%", "{{", "{#"].iter().filter_map(|m| rest.find(m)).min().unwrap_or(rest.len());
        if rest[..end].contains("#}") {
            return Err(fail("a comment is closed (\"#}\") that was never opened"));
        }
        self.at += end;
        Ok(Some(Token::Data(rest[..end].to_owned())))
    }

    fn code(&mut self, line: usize) -> Result<Option<Token>, TemplateError> {
        let fail = |message: &str| TemplateError { line, message: message.to_owned() };
        self.at +=
            self.rest().len() - self.rest().trim_start_matches([' ', '\n', '\t', '\r', '\u{a0}']).len();
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        if first == '"' || first == '\'' {
            return Ok(Some(Token::Str(self.string(first))));
        }
        for (mark, trim, block) in
            [("%}", false, true), ("-%}", true, true), ("}}", false, false), ("-}}", true, false)]
        {
            if self.eat(mark) {
                self.in_code = false;
                return Ok(Some(if block { Token::BlockEnd { trim } } else { Token::VarEnd { trim } }));
            }
        }
        if self.rest().starts_with("r/") {
            return Err(fail("regular expressions in templates are not supported"));
        }
        if let Some(op) = OPERATORS.iter().find(|op| self.rest().starts_with(**op)) {
            self.at += op.len();
            return Ok(Some(Token::Op(op)));
        }
        let rest = self.rest();
        let end = rest
            .find(|c: char| matches!(c, ' ' | '\n' | '\t' | '\r' | '\u{a0}') || DELIMITERS.contains(c))
            .unwrap_or(rest.len());
        let word = &rest[..end];
        self.at += end;
        if word.chars().all(|c| c.is_ascii_digit()) {
            let mut number = word.to_owned();
            if self.eat(".") {
                let digits =
                    self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
                number = format!("{number}.{}", &self.rest()[..digits]);
                self.at += digits;
            }
            return number
                .trim_end_matches('.')
                .parse()
                .map(|n| Some(Token::Num(n)))
                .map_err(|_| fail("not a number"));
        }
        Ok(Some(match word {
            "true" => Token::True,
            "false" => Token::False,
            "none" | "null" => Token::Null,
            _ => Token::Name(word.to_owned()),
        }))
    }

    fn string(&mut self, quote: char) -> String {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        let mut end = self.rest().len();
        while let Some((i, c)) = chars.next() {
            if c == quote {
                end = i + c.len_utf8();
                break;
            }
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, other)) => text.push(other),
                    None => {}
                },
                c => text.push(c),
            }
        }
        self.at += end;
        text
    }
}
