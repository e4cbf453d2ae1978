//! The recipe for Ollama on one machine, with the model as a Modelfile.

use super::input::{Deployment, Weights};
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, llama, quote};
use crate::capacity::{Engine, KvType};

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref().filter(|s| s.engine == Engine::LlamaCpp)?;
    if served.replicas > 1 {
        return Some(Err(LeftOut::new(
            "ollama",
            format!("Ollama serves one copy of a model on one machine, and the plan has {}", served.replicas),
        )));
    }
    let from = match &served.weights {
        Weights::Gguf { repository, file: None } => format!("hf.co/{repository}:{}", served.format),
        Weights::Gguf { repository, file: Some(_) } => {
            return Some(Err(LeftOut::new(
                "ollama",
                format!("Ollama finds a file of {repository} by its format, not by its name"),
            )));
        }
        Weights::Converted(_) => format!("../llama-server/{}", llama::model_file(served)),
        Weights::Repository(_) | Weights::RoundedToFp8(_) => return None,
    };
    // Ollama reserves the full context length for each concurrent request, where llama-server shares the
    // memory.
    let fit = (served.kept_tokens(of.request) / served.context_tokens.max(1)).max(1);
    let at_once = u32::try_from(fit).unwrap_or(u32::MAX).min(served.concurrency);
    let cache = match served.kv {
        KvType::F16 => "f16",
        KvType::Q4_0 => "q4_0",
        KvType::Q8_0 | KvType::Fp8 => "q8_0",
    };
    let name = served.label();
    let mut steps = Vec::new();
    if matches!(served.weights, Weights::Converted(_)) {
        steps.push(Step::new(
            "Make the model file once, as the README in llama-server says.",
            "../llama-server/install.sh && ../llama-server/get-weights.sh",
        ));
    }
    steps.push(Step::new(
        "Install Ollama (https://ollama.com/download), then give its service the numbers of the plan.",
        "sudo install -D -m 644 override.conf /etc/systemd/system/ollama.service.d/freehold.conf\n\
         sudo systemctl daemon-reload && sudo systemctl restart ollama",
    ));
    steps.push(Step::new(
        "Make the model known to it.",
        quote::command(["ollama", "create", &name, "-f", "Modelfile"]),
    ));
    steps.push(Step::new("Ask it something.", quote::command(["ollama", "run", &name, "Hello"])));
    let mut notes = Vec::new();
    if at_once < served.concurrency {
        notes.push(format!(
            "Ollama reserves memory for the longest request ({} tokens) for each at once, so it answers {at_once} at once \
             where llama-server answers {}.",
            served.context_tokens, served.concurrency
        ));
    }
    Some(Ok(Recipe {
        folder: "ollama",
        title: format!("{} with Ollama on one machine", served.name),
        files: vec![
            File::new(
                "Modelfile",
                format!(
                    "# {} in {}\nFROM {from}\nPARAMETER num_ctx {}\n",
                    name, served.format, served.context_tokens
                ),
            ),
            File::new(
                "override.conf",
                format!(
                    "# Settings of Ollama's service as the plan has them.\n[Service]\n\
                     Environment=OLLAMA_NUM_PARALLEL={at_once}\n\
                     Environment=OLLAMA_CONTEXT_LENGTH={}\n\
                     Environment=OLLAMA_KV_CACHE_TYPE={cache}\n\
                     Environment=OLLAMA_FLASH_ATTENTION=1\n\
                     Environment=OLLAMA_MAX_LOADED_MODELS=1\n\
                     Environment=OLLAMA_KEEP_ALIVE=-1\n",
                    served.context_tokens
                ),
            ),
        ],
        steps,
        notes,
        accept: Some(accept::ollama(of, &name, at_once)),
        left_out: Vec::new(),
    }))
}
