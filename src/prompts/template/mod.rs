//! Nunjucks templates, as promptfoo's files use them: Jinja's look, JavaScript's values.
//!
//! No crate renders them: minijinja has Python's operators and truth (`"5" + 3` is an error, an
//! empty list is false, a list prints in brackets), and none of that can be configured. So this is a
//! reader and an interpreter of their own, for the language alone: no files (`include`, `import` and
//! `extends` are refused), no environment variables (`env` is empty: a prompt file must not read
//! them), no clock, no random numbers.
//!
//! Nunjucks turns a template into JavaScript text without brackets, so that JavaScript's own
//! precedence decides what belongs together (`"a" ~ 1 + 2` is `a12`); `parse` does the same.

mod eval;
mod expression;
mod filters;
mod lex;
mod limits;
mod methods;
mod parse;
mod parser;
mod syntax;
mod value;

pub use limits::TemplateError;

use serde_json::{Map, Value};

/// Fill in a template. What a variable does not have is empty text, as in nunjucks.
pub fn render(template: &str, vars: &Map<String, Value>) -> Result<String, TemplateError> {
    if !is_template(template) {
        return Ok(template.to_owned());
    }
    let nodes = parse::parse(template)?;
    eval::render(&nodes, vars)
}

/// Does a text hold anything that rendering would change?
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#", "#}"].iter().any(|mark| text.contains(mark))
}

/// Can the text be read as a template?
pub fn check(template: &str) -> Result<(), TemplateError> {
    if is_template(template) { parse::parse(template).map(drop) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
