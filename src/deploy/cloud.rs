//! The recipe for an API: a first request in the shell, in Python and in TypeScript.

use super::input::{Cloud, Deployment};
use super::recipe::{File, Made, Recipe, Step};
use super::{accept, image, quote};
use crate::catalog::{ApiWire, KeyHeader, LimitField, Provider};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The question of the request.
const QUESTION: &str = "Say in one sentence what you are.";
/// Limit on the answer, tokens, reasoning included.
const LIMIT: u32 = 1024;

/// A base address, which may begin with an environment variable.
pub(super) struct Address {
    /// The variable, for providers with an address per customer.
    pub variable: Option<String>,
    /// The rest of the address, or the whole of it.
    pub rest: String,
}

/// The base address of a provider: its own, or one from an environment variable.
pub(super) fn base(provider: &Provider) -> Address {
    match (provider.address(), &provider.endpoint_variable) {
        (Some(rest), _) => Address { variable: None, rest },
        (None, Some(variable)) => Address {
            variable: Some(variable.clone()),
            rest: if provider.path.is_empty() { String::new() } else { format!("/{}", provider.path) },
        },
        (None, None) => Address { variable: Some("BASE_URL".to_owned()), rest: String::new() },
    }
}

struct Request {
    path: String,
    body: Value,
    /// Headers in addition to the key and the content type.
    headers: Vec<(&'static str, &'static str)>,
}

fn request(cloud: &Cloud) -> Request {
    let model = &cloud.model;
    let limit = match cloud.provider.limit_field {
        LimitField::MaxCompletionTokens => "max_completion_tokens",
        LimitField::MaxTokens => "max_tokens",
    };
    let messages = json!([{ "role": "user", "content": QUESTION }]);
    let plain = |path: &str, body: Value| Request { path: path.to_owned(), body, headers: Vec::new() };
    match cloud.provider.wire {
        ApiWire::OpenAiChat => {
            plain("/chat/completions", json!({ "model": model, "messages": messages, (limit): LIMIT }))
        }
        ApiWire::OpenAiResponses => plain(
            "/responses",
            json!({ "model": model, "input": QUESTION, "max_output_tokens": LIMIT, "store": false }),
        ),
        ApiWire::Anthropic => Request {
            path: "/v1/messages".to_owned(),
            body: json!({ "model": model, "max_tokens": LIMIT, "messages": messages }),
            headers: vec![("anthropic-version", "2023-06-01")],
        },
        ApiWire::Gemini => plain(
            &format!("/v1beta/models/{}:generateContent", percent(model)),
            json!({
                "contents": [{ "role": "user", "parts": [{ "text": QUESTION }] }],
                "generationConfig": { "maxOutputTokens": LIMIT },
            }),
        ),
        ApiWire::Ollama => {
            plain("/api/chat", json!({ "model": model, "messages": messages, "stream": false }))
        }
    }
}

/// A part of a path, in which every character except letters, digits and `-._~` is written as `%XX`.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

/// The name, if an environment variable can have it; hostile records may contain others.
fn variable(name: &str) -> Option<&str> {
    let fine = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    fine.then_some(name)
}

fn curl(cloud: &Cloud, key: Option<&str>) -> String {
    let (request, base) = (request(cloud), base(&cloud.provider));
    let mut out = "#!/bin/sh\n# One request. The key is read from the environment and is on no command line.\nset -eu\n".to_owned();
    if let Some(key) = key {
        let _ = writeln!(out, ": \"${{{key}:?set it to your key}}\"");
    }
    let rest = quote::shell(&format!("{}{}", base.rest, request.path));
    let url = match &base.variable {
        Some(name) => format!("\"${{{name}:?set it to the address of your service}}\"{rest}"),
        None => rest,
    };
    let header = cloud.provider.key_header;
    let (bearer, name) = (if header == KeyHeader::Bearer { "Bearer " } else { "" }, header.name());
    if let Some(key) = key {
        let _ = writeln!(out, "printf 'header = \"{name}: {bearer}%s\"\\n' \"${key}\" |");
    } else {
        let _ = writeln!(out, "printf '' |");
    }
    let _ = write!(
        out,
        "curl --config - --silent --show-error --fail-with-body {url} \\\n  --header 'content-type: application/json' \\\n"
    );
    for (name, value) in &request.headers {
        let _ = writeln!(out, "  --header {} \\", quote::shell(&format!("{name}: {value}")));
    }
    let _ = writeln!(out, "  --data {}", quote::shell(&request.body.to_string()));
    out
}

fn python(cloud: &Cloud, key: Option<&str>) -> String {
    let base = base(&cloud.provider);
    let model = quote::literal(&cloud.model);
    let question = quote::literal(QUESTION);
    let key = key.map_or_else(|| "\"none\"".to_owned(), |key| format!("os.environ[{}]", quote::literal(key)));
    let url = match &base.variable {
        Some(name) => {
            format!("os.environ[{}].rstrip(\"/\") + {}", quote::literal(name), quote::literal(&base.rest))
        }
        None => quote::literal(&base.rest),
    };
    let limit = match cloud.provider.limit_field {
        LimitField::MaxCompletionTokens => "max_completion_tokens",
        LimitField::MaxTokens => "max_tokens",
    };
    let (package, body) = match cloud.provider.wire {
        ApiWire::OpenAiChat | ApiWire::Ollama => (
            image::OPENAI,
            format!(
                "from openai import OpenAI\n\nclient = OpenAI(base_url={url}, api_key={key})\n\
                 answer = client.chat.completions.create(\n    model={model},\n    \
                 messages=[{{\"role\": \"user\", \"content\": {question}}}],\n    {limit}={LIMIT},\n)\n\
                 print(answer.choices[0].message.content)\n"
            ),
        ),
        ApiWire::OpenAiResponses => (
            image::OPENAI,
            format!(
                "from openai import OpenAI\n\nclient = OpenAI(base_url={url}, api_key={key})\n\
                 answer = client.responses.create(model={model}, input={question}, max_output_tokens={LIMIT}, store=False)\n\
                 print(answer.output_text)\n"
            ),
        ),
        ApiWire::Anthropic => (
            image::ANTHROPIC,
            format!(
                "from anthropic import Anthropic\n\nclient = Anthropic(base_url={url}, api_key={key})\n\
                 answer = client.messages.create(\n    model={model},\n    max_tokens={LIMIT},\n    \
                 messages=[{{\"role\": \"user\", \"content\": {question}}}],\n)\n\
                 print(\"\".join(part.text for part in answer.content if part.type == \"text\"))\n"
            ),
        ),
        ApiWire::Gemini => (
            image::GOOGLE,
            format!(
                "from google import genai\n\nclient = genai.Client(api_key={key})\n\
                 answer = client.models.generate_content(model={model}, contents={question})\nprint(answer.text)\n"
            ),
        ),
    };
    format!(
        "# /// script\n# requires-python = \">=3.10\"\n# dependencies = [\"{}\"]\n# ///\nimport os\n\n{body}",
        package.name
    )
}

fn typescript(cloud: &Cloud, key: Option<&str>) -> String {
    let (request, base) = (request(cloud), base(&cloud.provider));
    let environment = |name: &str| format!("need({})", quote::literal(name));
    let rest = quote::literal(&format!("{}{}", base.rest, request.path));
    let url = match &base.variable {
        Some(name) => format!("{}.replace(/\\/+$/, \"\") + {rest}", environment(name)),
        None => rest,
    };
    let mut headers = vec![("content-type".to_owned(), quote::literal("application/json"))];
    headers.extend(request.headers.iter().map(|(n, v)| ((*n).to_owned(), quote::literal(v))));
    if let Some(key) = key {
        let header = cloud.provider.key_header;
        let value = environment(key);
        let value = if header == KeyHeader::Bearer { format!("`Bearer ${{{value}}}`") } else { value };
        headers.push((header.name().to_owned(), value));
    }
    let headers = headers.iter().fold(String::new(), |mut out, (name, value)| {
        let _ = writeln!(out, "    {}: {value},", quote::literal(name));
        out
    });
    let text = match cloud.provider.wire {
        ApiWire::OpenAiChat => "answer.choices[0].message.content",
        ApiWire::OpenAiResponses => {
            "answer.output.flatMap((o: any) => o.content ?? []).map((c: any) => c.text ?? \"\").join(\"\")"
        }
        ApiWire::Anthropic => "answer.content.map((c: any) => c.text ?? \"\").join(\"\")",
        ApiWire::Gemini => "answer.candidates[0].content.parts.map((p: any) => p.text ?? \"\").join(\"\")",
        ApiWire::Ollama => "answer.message.content",
    };
    let body = crate::document::json::pretty(&request.body).unwrap_or_default().replace('\n', "\n  ");
    let body = body.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let needed = if base.variable.is_some() || key.is_some() {
        "function need(name: string): string {\n  const value = process.env[name];\n  if (!value) throw new Error(`set ${name}`);\n  \
         return value;\n}\n\n"
    } else {
        ""
    };
    format!(
        "// Node 22.18 or newer runs this as it is.\n{needed}\
         const response = await fetch({url}, {{\n  method: \"POST\",\n  headers: {{\n{headers}  }},\n  \
         body: JSON.stringify({body}),\n}});\n\
         if (!response.ok) throw new Error(`${{response.status}} ${{await response.text()}}`);\n\
         const answer: any = await response.json();\n\
         console.log({text});\n\nexport {{}};\n"
    )
}

pub(super) fn recipe(of: &Deployment) -> Made {
    let cloud = of.cloud.as_ref()?;
    let provider = &cloud.provider;
    let key = provider.key_variable.as_deref().and_then(variable);
    let mut notes: Vec<String> = provider.note.iter().cloned().collect();
    if let Some(key) = key {
        notes.push(format!("The key is read from {key}; keep it out of files and command lines."));
    }
    let mut target = cloud.model.clone();
    if let (None, None) = (&provider.base_url, &provider.endpoint_variable) {
        notes.push(format!("{} has an address for each customer: set BASE_URL to yours.", provider.name));
        target.push_str("@BASE_URL");
    }
    Some(Ok(Recipe {
        folder: "cloud",
        title: format!("{} at {}", cloud.model, provider.name),
        files: vec![
            File::script("request.sh", curl(cloud, key)),
            File::new("request.py", python(cloud, key)),
            File::new("request.ts", typescript(cloud, key)),
        ],
        steps: vec![
            Step::new("From the shell.", "./request.sh"),
            Step::new("From Python (uv installs the library it names).", "uv run request.py"),
            Step::new("From TypeScript.", "node request.ts"),
        ],
        notes,
        accept: Some(accept::cloud(of, &provider.id, &target)),
        left_out: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    /// For every provider of the catalogue the shell script can be parsed and the body is JSON.
    #[test]
    fn every_provider_has_a_request() {
        let catalog = Catalog::embedded();
        for provider in &catalog.providers {
            let hostile = "m\"'$(x)`y`\\ü";
            let cloud = Cloud { provider: provider.clone(), model: hostile.to_owned() };
            let key = provider.key_variable.as_deref().and_then(variable);
            assert_eq!(key.is_some(), provider.key_variable.is_some());
            let shell = curl(&cloud, key);
            let words = shlex::split(&shell).expect("words");
            let body = words.last().expect("a body");
            let body: Value = serde_json::from_str(body).expect("JSON");
            if provider.wire == ApiWire::Gemini {
                assert!(
                    shell.contains("/models/m%22%27%24%28x%29%60y%60%5C%C3%BC:generateContent"),
                    "{shell}"
                );
            } else {
                assert_eq!(body["model"], hostile, "{}", provider.id);
            }
            for text in [python(&cloud, key), typescript(&cloud, key)] {
                assert!(!text.contains("{}") || text.contains("export {}"), "{text}");
            }
        }
    }
}
