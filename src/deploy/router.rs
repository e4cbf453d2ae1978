//! The recipe for `LiteLLM`'s router in front of own machines and an API: one address, at which the API
//! takes over when the machines are busy or down.

use super::input::{Cloud, Deployment, Served};
use super::recipe::{File, Made, Recipe, Step};
use super::{accept, cloud, image, quote};
use crate::catalog::ApiWire;
use serde_json::{Value, json};

fn api(of: &Cloud) -> Value {
    let provider = &of.provider;
    let prefix = match provider.wire {
        ApiWire::OpenAiChat | ApiWire::OpenAiResponses => "openai",
        ApiWire::Anthropic => "anthropic",
        ApiWire::Gemini => "gemini",
        ApiWire::Ollama => "ollama_chat",
    };
    let mut params = json!({ "model": format!("{prefix}/{}", of.model) });
    if let Some(key) = &provider.key_variable {
        params["api_key"] = json!(format!("os.environ/{key}"));
    }
    if matches!(provider.wire, ApiWire::OpenAiChat | ApiWire::OpenAiResponses) {
        let base = cloud::base(provider);
        params["api_base"] = match base.variable {
            None => json!(base.rest),
            Some(_) => json!("os.environ/CLOUD_BASE_URL"),
        };
    }
    params
}

fn config(of: &Deployment, served: &Served, cloud: &Cloud) -> Value {
    let all = served.concurrency.saturating_mul(served.replicas);
    let local = json!({
        "model": format!("openai/{}", served.name),
        "api_base": "os.environ/LOCAL_BASE_URL",
        "api_key": "os.environ/LOCAL_API_KEY",
        // Further requests would have to wait for the machines; the API answers them at once.
        "max_parallel_requests": all,
    });
    let mut router = json!({ "num_retries": 1, "allowed_fails": 3, "cooldown_time": 30 });
    if of.overflow {
        router["fallbacks"] = json!([{ "local": ["cloud"] }]);
        router["context_window_fallbacks"] = json!([{ "local": ["cloud"] }]);
    }
    json!({
        "model_list": [
            { "model_name": "local", "litellm_params": local },
            { "model_name": "cloud", "litellm_params": api(cloud) },
        ],
        "router_settings": router,
        "general_settings": { "master_key": "os.environ/LITELLM_MASTER_KEY" },
        "litellm_settings": { "telemetry": false },
    })
}

pub(super) fn recipe(of: &Deployment) -> Made {
    let (Some(served), Some(cloud)) = (&of.served, &of.cloud) else { return None };
    let (_, port) = accept::provider(served.engine);
    let mut environment = vec![
        format!("export LOCAL_BASE_URL=http://127.0.0.1:{port}/v1"),
        "export LOCAL_API_KEY=none".to_owned(),
        "export LITELLM_MASTER_KEY=...".to_owned(),
    ];
    if let Some(key) = &cloud.provider.key_variable {
        environment.push(format!("export {key}=..."));
    }
    if cloud.provider.base_url.is_none() {
        environment.push("export CLOUD_BASE_URL=...".to_owned());
    }
    let mut notes = vec![if of.overflow {
        "What the machines do not answer (full, down, too long) goes to the API: with the whole prompt. Ask for \"cloud\" where a \
         task needs the stronger model."
            .to_owned()
    } else {
        "Privacy forbids that the API sees what the machines do not answer, so there is no fallback: clients ask for \"local\" or \
         \"cloud\"."
            .to_owned()
    }];
    notes.push("Start one of the other recipes first: the router serves nothing itself.".to_owned());
    let all = served.concurrency.saturating_mul(served.replicas);
    Some(Ok(Recipe {
        folder: "router",
        title: format!("One address for {} and {}, by LiteLLM", served.name, cloud.model),
        files: vec![File::new(
            "litellm.yaml",
            quote::yaml(
                "Clients ask for \"local\" or \"cloud\". Numbers are from the plan: see ../README.md.",
                &config(of, served, cloud),
            ),
        )],
        steps: vec![
            Step::new(
                "Put addresses and keys into the environment: where your machines answer, their key (or any word, if they ask for \
                 none), the key that clients of the router must send (sk- and a long random word), and the provider's.",
                environment.join("\n"),
            ),
            Step::new(
                "Start it on port 4000.",
                format!(
                    "uvx --from 'litellm[proxy]=={}' litellm --config litellm.yaml --host 127.0.0.1 --port 4000",
                    image::LITELLM.name
                ),
            ),
            Step::new(
                "The command below needs the router's key.",
                "export FREEHOLD_API_KEY=\"$LITELLM_MASTER_KEY\"",
            ),
        ],
        notes,
        accept: Some(accept::named(of, "local", all, "http://127.0.0.1:4000/v1")),
        left_out: Vec::new(),
    }))
}
