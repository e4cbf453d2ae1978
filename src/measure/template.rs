//! A model's own chat template: the Jinja text its file carries, rendered the way the templates
//! are written for (Hugging Face's `apply_chat_template`): block trimming on, Python's string and
//! container methods, `raise_exception`, `strftime_now`, a `tojson` that does not escape for HTML.
//!
//! The text comes from outside, so rendering has limits of steps, recursion and output.

mod python;

use super::event::{Fault, FaultKind, Message, Role, Tool, ToolCall};
use super::text::one_line;
use jiff::civil::DateTime;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, context};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex, PoisonError};

/// Most steps of the template engine for one rendering; a long chat takes some thousands.
const FUEL: u64 = 20_000_000;
/// Most bytes of a rendered prompt.
const MAX_OUTPUT: usize = 16 << 20;

/// A compiled chat template with the model's special tokens.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
    /// The time that templates see as now; `None`: that of the clock.
    clock: Arc<Mutex<Option<DateTime>>>,
}

impl ChatTemplate {
    /// Compiles `source`. `bos` and `eos` are the texts of the model's begin and end tokens, empty where it
    /// has none.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self, Fault> {
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|e| fault("cannot be set up", &e))?;
        let mut environment = Environment::new();
        python::set_up(&mut environment);
        environment.set_syntax(syntax);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", raise_exception);
        let clock: Arc<Mutex<Option<DateTime>>> = Arc::default();
        let read = Arc::clone(&clock);
        environment.add_function("strftime_now", move |format: &str| {
            strftime_now(format, *read.lock().unwrap_or_else(PoisonError::into_inner))
        });
        environment
            .add_template_owned("chat", without_generation_marks(&line_ends(source)))
            .map_err(|e| fault("is not valid Jinja", &e))?;
        Ok(Self { environment, bos: bos.to_owned(), eos: eos.to_owned(), clock })
    }

    /// With this time as now.
    #[must_use]
    pub fn at(self, now: DateTime) -> Self {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        self
    }

    /// The prompt for these messages, ready for the assistant's turn. Templates of vision models expect
    /// contents as typed parts: where a plain text is lost in rendering, contents are passed that way. An
    /// error where text is lost even then.
    pub fn render(&self, messages: &[Message], tools: &[Tool]) -> Result<String, Fault> {
        let given = self.render_as(messages, tools, Shape::Text);
        let lost = given.as_ref().ok().and_then(|prompt| dropped(prompt, messages));
        if given.is_ok() && lost.is_none() {
            return given;
        }
        if let Ok(prompt) = self.render_as(messages, tools, Shape::Parts)
            && dropped(&prompt, messages).is_none()
        {
            return Ok(prompt);
        }
        match lost {
            Some(role) => Err(Fault {
                kind: FaultKind::Template,
                message: format!("the model's chat template leaves out the text of the {role} message"),
            }),
            None => given,
        }
    }

    /// The prompt for these messages, with each content passed as plain text.
    pub fn render_as_given(&self, messages: &[Message], tools: &[Tool]) -> Result<String, Fault> {
        self.render_as(messages, tools, Shape::Text)
    }

    fn render_as(&self, messages: &[Message], tools: &[Tool], shape: Shape) -> Result<String, Fault> {
        let messages: Vec<Value> = messages.iter().map(|m| message(m, shape)).collect();
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

/// How a message's content is passed to a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    /// `[{"type": "text", "text": …}]`.
    Parts,
}

/// The role of the first message that is missing from the prompt: no line of its text is in it. Only what
/// system and user say is checked: a template may trim texts, remove thoughts, and write answers and tool
/// results in another way.
fn dropped(prompt: &str, messages: &[Message]) -> Option<&'static str> {
    let said = |m: &&Message| matches!(m.role, Role::System | Role::User);
    let mut said = messages.iter().filter(said).filter_map(|m| Some((m.role, m.content.as_deref()?)));
    let there = |text: &str| {
        text.trim().is_empty() || text.lines().map(str::trim).any(|l| !l.is_empty() && prompt.contains(l))
    };
    said.find(|(_, text)| !there(text)).map(|(of, _)| role(of))
}

/// A message as templates read it: keys it has no value for are absent.
fn message(m: &Message, shape: Shape) -> Value {
    let content = match (&m.content, shape) {
        (Some(text), Shape::Parts) => json!([{"type": "text", "text": text}]),
        (content, _) => json!(content),
    };
    let mut members = json!({"role": role(m.role), "content": content});
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
    // The outermost error may only say that a call failed; its cause says why.
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
fn raise_exception(message: &Value) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message.to_string()))
}

fn strftime_now(format: &str, now: Option<DateTime>) -> Result<String, Error> {
    let now = now.unwrap_or_else(|| jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).datetime());
    // The present has no time zone here, as Python's has none.
    let mut without_zone = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let end = (at + 2).min(rest.len());
        let code = rest.get(at..end).unwrap_or(&rest[at..]);
        without_zone.push_str(&rest[..at]);
        if !matches!(code, "%Z" | "%z") {
            without_zone.push_str(code);
        }
        rest = &rest[at + code.len()..];
    }
    without_zone.push_str(rest);
    jiff::fmt::strtime::format(&without_zone, now)
        .map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
}

/// Jinja reads every line end as a line feed.
fn line_ends(source: &str) -> String {
    source.replace("\r\n", "\n").replace('\r', "\n")
}

/// `{% generation %}` and `{% endgeneration %}` mark what is trained on; for rendering they are a
/// block that always applies.
fn without_generation_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let Some(end) = rest[start + 2..].find("%}").map(|n| start + n + 4) else { break };
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

    /// The common `ChatML` template.
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
            template.render(&[says(Role::System, "TWO"), says(Role::User, " TWO ")], &[]).expect("renders");
        assert_eq!(text, "TWO!1<s>FalseFalse{\"a\": [1, \"<é>\"]}14");
    }

    /// A template of a vision model: it reads typed parts, and nothing of a plain text.
    #[test]
    fn typed_parts_are_given_where_a_text_is_lost_and_a_loss_is_said() {
        let parts = "{%- for m in messages %}{{- m.role + ':' }}{%- for part in m['content'] %}\
            {%- if part['type'] == 'text' %}{{- part['text'] }}{%- endif %}{%- endfor %}{{- ';' }}{%- endfor %}";
        let asked = [says(Role::System, "Be brief."), says(Role::User, " Hello\n there ")];
        let template = ChatTemplate::new(parts, "", "").expect("compiles");
        assert_eq!(template.render(&asked, &[]).expect("renders"), "system:Be brief.;user: Hello\n there ;");
        assert_eq!(template.render_as_given(&asked, &[]).expect("renders"), "system:;user:;");
        let users = "{%- for m in messages if m.role == 'user' %}{{- m.content | trim }}{%- endfor %}";
        let fault =
            ChatTemplate::new(users, "", "").expect("compiles").render(&asked, &[]).expect_err("lost");
        assert!(fault.message.contains("system message"), "{}", fault.message);
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
