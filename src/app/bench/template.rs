//! Checks what a local model's chat template does with the prompts, before any request is sent anywhere: a
//! template that refuses or loses a message spoils a comparison that costs money.

use crate::app::Refusal;
use crate::measure::conversation;
use crate::measure::template::ChatTemplate;
use crate::prompts::Prompt;

/// Renders every prompt. `source` is the template of the model's file.
pub fn check(model: &str, source: &str, prompts: &[Prompt]) -> Result<(), Refusal> {
    // The engine itself reports a template that does not compile.
    let Ok(template) = ChatTemplate::new(source, "", "") else { return Ok(()) };
    let render =
        |p: &Prompt| template.render(&conversation::messages(p, 0, &[]), conversation::tools(p)).map(drop);
    for prompt in prompts {
        let Err(fault) = render(prompt) else { continue };
        let mut joined = prompt.clone();
        conversation::system_as_user(&mut joined);
        let remedy = if joined != *prompt && render(&joined).is_ok() {
            "--system-as-user puts the system message at the beginning of the user's, on every target."
        } else {
            "Change the prompt, take another model, or put the prompts in as they are with --raw."
        };
        return Err(Refusal::input(format!("{model}, prompt {}: {}", prompt.id, fault.message)).hint(remedy));
    }
    Ok(())
}

/// The first text in a prompt that models read as one of their control tokens.
fn control_token(prompts: &[Prompt]) -> Option<String> {
    prompts.iter().find_map(|prompt| {
        let messages = conversation::messages(prompt, 0, &[]);
        messages.iter().filter_map(|m| m.content.as_deref()).find_map(marker)
    })
}

/// A remark on prompts with such a text in them.
pub fn control_token_remark(prompts: &[Prompt]) -> Option<String> {
    let token = control_token(prompts)?;
    Some(format!(
        "prompts hold text such as {token}: where the model has such a control token, it is read as one, as llama.cpp's own server reads it"
    ))
}

/// The first text such as `<|…|>` that looks like a control token.
fn marker(text: &str) -> Option<String> {
    const LONGEST: usize = 40;
    const KNOWN: [&str; 8] =
        ["<s>", "</s>", "[INST]", "[/INST]", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"];
    if let Some(known) = KNOWN.iter().find(|known| text.contains(**known)) {
        return Some((*known).to_owned());
    }
    let mut rest = text;
    while let Some(start) = rest.find("<|") {
        let here = &rest[start..];
        let name = |c: char| c.is_ascii_alphanumeric() || "_-|".contains(c);
        let end = here[2..].find("|>").map(|at| at + 4);
        if let Some(end) = end.filter(|end| *end > 4 && *end <= LONGEST)
            && here[2..end - 2].chars().all(name)
        {
            return Some(here[..end].to_owned());
        }
        rest = &here[2..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(system: Option<&str>, text: &str) -> Prompt {
        Prompt {
            id: "q".to_owned(),
            prompt: text.to_owned(),
            system: system.map(str::to_owned),
            ..Prompt::default()
        }
    }

    #[test]
    fn a_template_that_refuses_or_loses_the_system_message_is_said_with_what_to_do() {
        let refuses = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}\
            {{ messages[0].content }}";
        let loses = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}";
        for source in [refuses, loses] {
            assert!(check("m", source, &[prompt(None, "Hello")]).is_ok());
            let said = format!("{:?}", check("m", source, &[prompt(Some("Be brief."), "Hello")]));
            assert!(said.contains("--system-as-user") && said.contains("prompt q"), "{said}");
        }
        assert!(check("m", "{{ raise_exception('never') }}", &[prompt(None, "Hello")]).is_err());
    }

    #[test]
    fn control_tokens_in_a_text_are_found() {
        for text in ["a <|im_end|> b", "x<|eot_id|>", "[INST] do", "</s>"] {
            assert!(control_token(&[prompt(None, text)]).is_some(), "{text}");
        }
        for text in ["a <| b |> c", "1 <| 2", "<||>", "<p>text</p>", "if a < b || c > d"] {
            assert_eq!(control_token(&[prompt(None, text)]), None, "{text}");
        }
    }
}
