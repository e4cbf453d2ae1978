//! The recipe for Docker Compose on one machine: vLLM or `SGLang` with all its copies, or llama-server.

use super::input::{Deployment, Served, Weights};
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, image, kubernetes, llama, quote, server};
use crate::capacity::Engine;
use crate::catalog::Vendor;
use serde_json::{Map, Value, json};

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref()?;
    let llama = served.engine == Engine::LlamaCpp;
    if !llama && !server::is(served.engine) {
        return None;
    }
    let lacks = |because: String| Some(Err(LeftOut::new("compose", because)));
    let working = served.hosts - served.spare_hosts;
    if working > 1 {
        return lacks(format!("Compose runs on one machine, and the plan has {working} at work"));
    }
    let made = if llama { llama_services(of, served) } else { server_service(served) };
    let services = match made {
        Ok(services) => services,
        Err(because) => return lacks(because),
    };
    let port = if llama { 8080 } else { 8000 };
    let several = llama && served.replicas > 1;
    let volumes = json!({ "weights": {} });
    let file = json!({ "name": served.label(), "services": services, "volumes": volumes });
    let mut steps = Vec::new();
    if llama && matches!(served.weights, Weights::Converted(_)) {
        steps.push(Step::new(
            "Make the model file once, as the README in llama-server says.",
            "../llama-server/install.sh && ../llama-server/get-weights.sh",
        ));
    }
    steps.push(Step::new(
        "Start it (Docker with the driver's container toolkit). The first start fetches the weights, and the command waits until the server answers.",
        "docker compose up --detach --wait --wait-timeout 7200",
    ));
    let mut notes = vec![format!(
        "It listens on 127.0.0.1:{port}. For others put TLS in front and a key into the file keys.env (mode 600): \
         {}=... Where the weights ask for consent, HF_TOKEN=... belongs there, too.",
        if llama { "LLAMA_API_KEY" } else { server::KEY_VARIABLE }
    )];
    if several {
        notes.push("Each copy has a port of its own, from 8080 on: spread requests over them.".to_owned());
    }
    notes.extend(server::notes(served));
    let copies = if several { 1 } else { served.replicas };
    Some(Ok(Recipe {
        folder: "compose",
        title: format!(
            "{} with {} in Docker Compose on one machine",
            served.name,
            server::product(served.engine)
        ),
        files: vec![File::new(
            "compose.yaml",
            quote::yaml("Numbers are from the plan: see ../README.md.", &file),
        )],
        steps,
        notes,
        accept: Some(accept::served(of, served, copies, &format!("http://127.0.0.1:{port}/v1"))),
        left_out: Vec::new(),
    }))
}

fn server_service(served: &Served) -> Result<Value, String> {
    let pin = server::image(served)?;
    let command: Vec<String> =
        server::command(served, served.replicas).iter().map(|w| quote::compose_value(w)).collect();
    let accelerators = served.devices() * served.replicas;
    let mut service = json!({
        "image": pin.name,
        "entrypoint": [],
        "command": command,
        "restart": "unless-stopped",
        "ports": ["127.0.0.1:8000:8000"],
        "volumes": ["weights:/root/.cache/huggingface"],
        "env_file": keys(),
        "shm_size": format!("{}gb", kubernetes::shm_gib(served)),
        "healthcheck": {
            "test": ["CMD", "python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"],
            "interval": "10s",
            "timeout": "5s",
            "retries": 3,
            "start_period": format!("{}s", kubernetes::start_seconds(served)),
        },
    });
    give_accelerators(&mut service, served, &devices(0, accelerators));
    Ok(json!({ "model": service }))
}

fn llama_services(of: &Deployment, served: &Served) -> Result<Value, String> {
    let image = image::llama_server(served.accelerator.vendor)
        .ok_or_else(|| format!("llama.cpp publishes no image for {}", served.accelerator.name))?;
    let found = llama::hub(served).unwrap_or_else(|| {
        let file = llama::model_file(served);
        vec!["--model".to_owned(), format!("/{file}")]
    });
    let mut services = Map::new();
    for copy in 0..served.replicas {
        let options = ["--host", "0.0.0.0", "--port", "8080"].map(str::to_owned);
        let command = found.iter().cloned().chain(options).chain(llama::arguments(of, served));
        let mut service = json!({
            "image": image,
            "command": command.map(|w| quote::compose_value(&w)).collect::<Vec<_>>(),
            "restart": "unless-stopped",
            "ports": [format!("127.0.0.1:{}:8080", 8080 + copy)],
            "volumes": ["../llama-server/models:/models:ro", "weights:/cache"],
            "env_file": keys(),
            "environment": { "LLAMA_CACHE": "/cache" },
        });
        give_accelerators(&mut service, served, &devices(copy * served.devices(), served.devices()));
        let name = if served.replicas > 1 { format!("model-{copy}") } else { "model".to_owned() };
        services.insert(name, service);
    }
    Ok(services.into())
}

/// A file with `HF_TOKEN` and the server's key, which the reader may create.
fn keys() -> Value {
    json!([{ "path": "keys.env", "required": false }])
}

fn devices(first: u32, number: u32) -> Vec<String> {
    (first..first + number).map(|n| n.to_string()).collect()
}

fn give_accelerators(service: &mut Value, served: &Served, ids: &[String]) {
    match served.accelerator.vendor {
        Some(Vendor::Nvidia) => {
            service["deploy"] = json!({ "resources": { "reservations": { "devices": [
                { "driver": "nvidia", "device_ids": ids, "capabilities": ["gpu"] }
            ] } } });
        }
        Some(Vendor::Amd) => {
            service["devices"] = json!(["/dev/kfd", "/dev/dri"]);
            service["group_add"] = json!(["video", "render"]);
            service["environment"]["HIP_VISIBLE_DEVICES"] = json!(ids.join(","));
        }
        Some(Vendor::Intel) => service["devices"] = json!(["/dev/dri"]),
        _ => {}
    }
}
