//! A model's own chat template: the Jinja text its file carries, rendered the way the templates
//! are written for (Hugging Face's `apply_chat_template`): block trimming on, Python's string and
//! container methods, `raise_exception`, `strftime_now`, a `tojson` that does not escape for HTML.
//!
//! The text comes from outside, so rendering has limits of steps, recursion and output.

use super::event::{Fault, FaultKind, Message, Role, Tool, ToolCall};
use super::text::one_line;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, ErrorKind, context};
use serde::Serialize as _;
use serde_json::{Value as Json, json};

/// Steps of the template engine for one rendering; a long chat takes some thousands.
const FUEL: u64 = 20_000_000;
/// Bytes of a rendered prompt.
const MAX_OUTPUT: usize = 16 << 20;

/// A compiled chat template with the model's special tokens.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compile `source`. `bos` and `eos` are the texts of the model's begin and end tokens, empty
    /// where it has none.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self, Fault> {
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|e| fault("cannot be set up", &e))?;
        let mut environment = Environment::new();
        environment.set_syntax(syntax);
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", tojson);
        environment
            .add_template_owned("chat", without_generation_marks(source))
            .map_err(|e| fault("is not valid Jinja", &e))?;
        Ok(Self { environment, bos: bos.to_owned(), eos: eos.to_owned() })
    }

    /// The prompt for these messages, ready for the assistant's turn.
    pub fn render(&self, messages: &[Message], tools: &[Tool]) -> Result<String, Fault> {
        let messages: Vec<Value> = messages.iter().map(message).collect();
        let function =
            |tool: &Tool| context! { type => "function", function => Value::from(Serde(tool.clone())) };
        let tools: Option<Vec<Value>> = (!tools.is_empty()).then(|| tools.iter().map(function).collect());
        // Absent tools are `none`, not undefined: templates ask `tools is not none`.
        let given = context! {
            messages,
            add_generation_prompt => true,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
            tools,
            documents => (),
        };
        let template = self.environment.get_template("chat").map_err(|e| fault("is missing", &e))?;
        let mut out = Capped(Vec::new());
        template.render_captured_to(given, &mut out).map_err(|e| fault("does not render", &e))?;
        String::from_utf8(out.0).map_err(|_| Fault {
            kind: FaultKind::Template,
            message: "the model's chat template renders to invalid text".into(),
        })
    }
}

/// A message as templates read it: what it does not have is not there.
fn message(m: &Message) -> Value {
    let mut members = json!({"role": role(m.role), "content": m.content});
    if !m.tool_calls.is_empty() {
        let call = |c: &ToolCall| {
            let arguments: Json =
                serde_json::from_str(&c.arguments).unwrap_or_else(|_| Json::String(c.arguments.clone()));
            json!({"id": c.id, "type": "function", "function": {"name": c.name, "arguments": arguments}})
        };
        members["tool_calls"] = m.tool_calls.iter().map(call).collect();
    }
    if let Some(id) = &m.tool_call_id {
        members["tool_call_id"] = json!(id);
    }
    Value::from(Serde(members))
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

fn fault(what: &str, error: &Error) -> Fault {
    // The outermost error may only say that a call failed; the cause says why.
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Fault {
        kind: FaultKind::Template,
        message: format!("the model's chat template {what}: {}", one_line(&text, 300)),
    }
}

/// Templates refuse what their model does not support, a system message for one.
fn raise_exception(message: &str) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message.to_owned()))
}

fn strftime_now(format: &str) -> Result<String, Error> {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    jiff::fmt::strtime::format(format, &now)
        .map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
}

/// Python's `json.dumps(value, ensure_ascii=False, indent=indent)`.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands options over by value")]
fn tojson(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    // Other options of Python's (`ensure_ascii`, `separators`, `sort_keys`) change only spacing.
    let _: Option<Value> = options.get("ensure_ascii")?;
    let failed = |e: serde_json::Error| Error::new(ErrorKind::BadSerialization, e.to_string());
    let mut out = Vec::new();
    if let Some(indent) = indent {
        let indent = " ".repeat(indent.min(16));
        let pretty = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, pretty)).map_err(failed)?;
    } else {
        value
            .serialize(&mut serde_json::Serializer::with_formatter(&mut out, PythonSpacing))
            .map_err(failed)?;
    }
    String::from_utf8(out).map_err(|e| Error::new(ErrorKind::BadSerialization, e.to_string()))
}

/// `{"a": 1, "b": [2, 3]}`: a space after each colon and comma.
struct PythonSpacing;

impl serde_json::ser::Formatter for PythonSpacing {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }
    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }
    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}

/// `{% generation %}` and `{% endgeneration %}` mark what is trained on; for rendering they are a
/// block that always applies.
fn without_generation_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let Some(end) = rest[start..].find("%}").map(|n| start + n + 2) else { break };
        let tag = &rest[start..end];
        let word = tag[2..tag.len() - 2].trim_matches(['-', '+']).trim();
        let instead = match word {
            "generation" => Some("if true"),
            "endgeneration" => Some("endif"),
            _ => None,
        };
        out.push_str(&rest[..start]);
        match instead {
            Some(instead) => out.push_str(&tag.replacen(word, instead, 1)),
            None => out.push_str(tag),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// A writer that refuses to grow past [`MAX_OUTPUT`].
struct Capped(Vec<u8>);

impl std::io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(std::io::Error::other("the rendered prompt is larger than 16 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(role: Role, content: &str) -> Message {
        Message::text(role, content)
    }

    /// The common `ChatML` form, in its own words.
    const CHATML: &str = "{% for m in messages %}\n    {% if loop.first and m['role'] != 'system' %}\n\
        {{ '<|im_start|>system\\nBe brief.<|im_end|>\\n' }}\n    {% endif %}\n\
        {{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}\n{%- endfor %}\n\
        {% if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{% endif %}\n";

    #[test]
    fn chatml_renders_as_python_renders_it() {
        let template = ChatTemplate::new(CHATML, "", "<|im_end|>").expect("compiles");
        let text = template.render(&[says(Role::User, "a < b & 'c'")], &[]).expect("renders");
        assert_eq!(
            text,
            // What Jinja2 3.1 makes of it with the same settings: only blocks lose their line's end.
            "<|im_start|>system\nBe brief.<|im_end|>\n\n<|im_start|>user\na < b & 'c'<|im_end|>\n\
             <|im_start|>assistant\n\n"
        );
    }

    #[test]
    fn what_templates_use_is_there() {
        let source = "{%- set ns = namespace(n=0) -%}{%- for m in messages -%}{%- if m.role == 'system' -%}\
            {%- continue -%}{%- endif -%}{%- set ns.n = ns.n + 1 -%}\
            {{- m.content.strip().split(' ')[-1].upper() -}}{%- generation -%}!{%- endgeneration -%}\
            {%- endfor -%}{{ ns.n }}{{ bos_token }}{{ tools is not none }}{{ undefined_thing is defined }}\
            {{ {'a': [1, '<é>']} | tojson }}{{ messages[1:] | length }}{{ strftime_now('%Y') | length }}";
        let template = ChatTemplate::new(source, "<s>", "").expect("compiles");
        let text =
            template.render(&[says(Role::System, "x"), says(Role::User, " one two ")], &[]).expect("renders");
        // minijinja writes booleans as Jinja literals do in a template of its own dialect.
        assert_eq!(text.to_lowercase(), "two!1<s>falsefalse{\"a\": [1, \"<é>\"]}14");
    }

    #[test]
    fn a_refusal_and_a_broken_template_are_typed() {
        let refusing =
            ChatTemplate::new("{{ raise_exception('no system messages') }}", "", "").expect("compiles");
        let fault = refusing.render(&[says(Role::System, "x")], &[]).expect_err("refuses");
        assert_eq!(fault.kind, FaultKind::Template);
        assert!(fault.message.contains("no system messages"), "{}", fault.message);
        assert!(ChatTemplate::new("{% for %}", "", "").is_err());
    }

    #[test]
    fn a_template_without_end_is_stopped() {
        let bomb = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}\
            {{ c }}{% endfor %}{% endfor %}{% endfor %}";
        let template = ChatTemplate::new(bomb, "", "").expect("compiles");
        assert!(template.render(&[says(Role::User, "x")], &[]).is_err());
    }
}
