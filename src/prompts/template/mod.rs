//! Nunjucks templates, as promptfoo's files use them: Jinja's look, JavaScript's values.
//!
//! No crate renders them: minijinja has Python's operators and truth values (`"5" + 3` is an error, an
//! empty list is false, a list is printed with brackets), and none of this can be configured. This is
//! therefore a parser and interpreter for the language alone: there are no files (`include`, `import` and
//! `extends` are refused), no environment variables (`env` is empty: a prompt file must not read them), no
//! clock, and no random numbers.
//!
//! Nunjucks turns a template into JavaScript source without brackets, so that JavaScript's precedence
//! decides how operators group (`"a" ~ 1 + 2` is `a12`); `parse` does the same.

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

/// Render a template. As in nunjucks, undefined variables are empty text.
pub fn render(template: &str, vars: &Map<String, Value>) -> Result<String, TemplateError> {
    if !is_template(template) {
        return Ok(template.to_owned());
    }
    let nodes = parse::parse(template)?;
    eval::render(&nodes, vars)
}

/// Does a text contain anything that rendering would change?
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#", "#}"].iter().any(|mark| text.contains(mark))
}

/// Can the text be parsed as a template?
pub fn check(template: &str) -> Result<(), TemplateError> {
    if is_template(template) { parse::parse(template).map(drop) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
