//! Recognises the maker of a model by its name: a judge may favour models of its own maker.

/// Families of models, with the words in names by which they are recognised.
const FAMILIES: &[(&str, &[&str])] = &[
    ("OpenAI", &["gpt", "chatgpt", "o1", "o3", "o4", "davinci"]),
    ("Anthropic", &["claude"]),
    ("Google", &["gemini", "gemma", "palm"]),
    ("Meta", &["llama", "codellama"]),
    ("Mistral", &["mistral", "mixtral", "ministral", "codestral", "magistral", "devstral", "pixtral"]),
    ("Qwen", &["qwen", "qwq"]),
    ("DeepSeek", &["deepseek"]),
    ("Microsoft", &["phi"]),
    ("SmolLM", &["smollm"]),
    ("Cohere", &["command", "aya"]),
    ("xAI", &["grok"]),
    ("IBM", &["granite"]),
    ("NVIDIA", &["nemotron"]),
    ("Zhipu", &["glm", "chatglm"]),
    ("Moonshot", &["kimi"]),
    ("AI2", &["olmo", "tulu"]),
];

/// The family that a model's name indicates. A model trained on another's output may still share its
/// preferences.
pub fn family(model: &str) -> Option<&'static str> {
    let lower = model.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    // A word may be followed by a version: qwen3, llama3.
    let fits = |word: &str, name: &str| {
        word == name || word.strip_prefix(name).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
    };
    FAMILIES.iter().find(|(_, names)| words.iter().any(|w| names.iter().any(|n| fits(w, n)))).map(|(f, _)| *f)
}

/// Which of these models belong to the judge's own family, which it may prefer.
pub fn own_family<'a>(judge: &str, contestants: &[&'a str]) -> Vec<&'a str> {
    let Some(own) = family(judge) else { return Vec::new() };
    contestants.iter().filter(|c| family(c) == Some(own)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_known_by_name() {
        assert_eq!(
            own_family("gpt-6-luna", &["openai/gpt-4.1-mini", "gemma-3-270m"]),
            ["openai/gpt-4.1-mini"]
        );
        assert_eq!(family("hf:unsloth/Qwen3-8B-GGUF/Q4_K_M.gguf"), Some("Qwen"));
        assert_eq!(family("SmolLM2-135M-Instruct"), None.or(family("smollm2-135m")));
        assert_eq!(family("my-own-model"), None);
        assert_eq!(family("delphi"), None);
    }
}
