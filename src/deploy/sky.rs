//! The recipe for rented machines that `SkyPilot` starts and stops.

use super::input::{Deployment, Place, Served};
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, image, kubernetes, quote, server};
use crate::capacity::Engine;
use serde_json::json;

/// `SkyPilot`'s names for accelerators of the catalogue (`sky` 0.14.1, its catalogue of instances).
const ACCELERATORS: &[(&str, &str)] = &[
    ("nvidia-h100-sxm-80gb", "H100"),
    ("nvidia-h100-pcie-80gb", "H100"),
    ("nvidia-h200-sxm", "H200"),
    ("nvidia-b200-sxm", "B200"),
    ("nvidia-b300-sxm", "B300"),
    ("nvidia-a100-sxm-80gb", "A100-80GB"),
    ("nvidia-a100-pcie-80gb", "A100-80GB"),
    ("nvidia-a100-sxm-40gb", "A100"),
    ("nvidia-l40s", "L40S"),
    ("nvidia-l4", "L4"),
    ("nvidia-t4", "T4"),
    ("nvidia-a10g", "A10G"),
    ("nvidia-rtx-4090", "RTX4090"),
    ("nvidia-rtx-3090", "RTX3090"),
    ("nvidia-rtx-6000-ada", "RTX6000-Ada"),
    ("nvidia-rtx-pro-6000-blackwell", "RTXPRO6000"),
];

/// `SkyPilot`'s names for providers of the catalogue.
const CLOUDS: &[(&str, &str)] = &[
    ("AWS", "aws"),
    ("Google Cloud", "gcp"),
    ("Microsoft Azure", "azure"),
    ("Oracle Cloud", "oci"),
    ("Lambda", "lambda"),
    ("RunPod", "runpod"),
    ("Vast.ai", "vast"),
    ("Paperspace", "paperspace"),
    ("DigitalOcean", "do"),
    ("Nebius", "nebius"),
    ("Verda (DataCrunch)", "verda"),
];

fn named<'a>(table: &'a [(&str, &str)], name: &str) -> Option<&'a str> {
    table.iter().find(|(ours, _)| *ours == name).map(|(_, theirs)| *theirs)
}

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref()?;
    let Place::Rented { provider, spot, .. } = &served.place else { return None };
    let lacks = |because: String| Some(Err(LeftOut::new("skypilot", because)));
    if served.engine != Engine::Vllm {
        return lacks(format!(
            "this recipe starts vLLM, and the plan has {}: rent the machine and follow the other recipes on it",
            served.engine.label()
        ));
    }
    let Some(accelerator) = named(ACCELERATORS, &served.accelerator.id) else {
        return lacks(format!("how SkyPilot calls {} is not known here", served.accelerator.name));
    };
    let cloud = match provider.as_deref().map(|p| (p, named(CLOUDS, p))) {
        Some((provider, None)) => return lacks(format!("SkyPilot does not rent machines of {provider}")),
        Some((_, cloud)) => cloud,
        None => None,
    };
    Some(Ok(task(of, served, accelerator, cloud, *spot)))
}

fn task(of: &Deployment, served: &Served, accelerator: &str, cloud: Option<&str>, spot: bool) -> Recipe {
    let copies = served.replicas_per_host();
    let words = server::command(served, copies);
    let version = image::VLLM.name.rsplit_once(":v").map_or("", |(_, version)| version);
    // Space for twice the weights, for the system and for the packages.
    let disk = served.download_bytes.map_or(500, |bytes| {
        // Not negative and at most some thousands.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let gb = (bytes / 1e9 * 2.0).min(1e5).ceil() as u64;
        (gb + 100).next_multiple_of(50)
    });
    let mut resources = json!({
        "accelerators": format!("{accelerator}:{}", served.devices() * copies),
        "disk_size": disk,
    });
    if let Some(cloud) = cloud {
        resources["infra"] = json!(cloud);
    }
    if spot {
        resources["use_spot"] = json!(true);
    }
    let several = served.hosts > 1;
    if several {
        // `SkyPilot`'s load balancer reaches the machines from outside; a single machine is reached through
        // a tunnel.
        resources["ports"] = json!(8000);
    }
    let mut task = json!({
        "name": served.label(),
        "resources": resources,
        "secrets": { "HF_TOKEN": "", (server::KEY_VARIABLE): "" },
        "setup": format!("pip install uv\nuv venv --python 3.12 ~/vllm\nuv pip install --python ~/vllm vllm=={version}\n"),
        "run": format!("export PATH=\"$HOME/vllm/bin:$PATH\"\n{}\n", quote::long_command(&words)),
    });
    if several {
        task["service"] = json!({
            "readiness_probe": { "path": "/health", "initial_delay_seconds": kubernetes::start_seconds(served) },
            "replicas": served.hosts,
        });
    }
    let label = served.label();
    let extras = cloud.map_or_else(|| "all".to_owned(), str::to_owned);
    let sky = format!("uvx --from 'skypilot[{extras}]=={}' sky", image::SKYPILOT.name);
    let secrets = format!("--secret HF_TOKEN --secret {}", server::KEY_VARIABLE);
    let (start, reach, url, stop) = if several {
        (
            format!("{sky} serve up -n {label} task.yaml {secrets}"),
            Step::new(
                "Ask for the address, and put it in place of ADDRESS below.",
                format!("{sky} serve status {label} --endpoint"),
            ),
            "http://ADDRESS/v1",
            format!("{sky} serve down {label}"),
        )
    } else {
        (
            format!("{sky} launch --detach-run -c {label} task.yaml {secrets}"),
            Step::new(
                "Reach it through a tunnel, in a terminal of its own.",
                format!("ssh -N -L 8000:127.0.0.1:8000 {label}"),
            ),
            "http://127.0.0.1:8000/v1",
            format!("{sky} down {label}"),
        )
    };
    let mut notes = vec!["It costs money from the start until you stop it, used or not.".to_owned()];
    if several {
        notes.push(format!(
            "The address is open to the internet and not encrypted. Set {} to a key before you start; for more than a test \
             put TLS in front (tls in the service section), since keys and prompts are in the clear without it.",
            server::KEY_VARIABLE
        ));
    }
    if spot {
        notes.push("Spot machines may be taken away at any time.".to_owned());
    }
    notes.extend(server::notes(served));
    Recipe {
        folder: "skypilot",
        title: format!("{} with vLLM on rented machines, by SkyPilot", served.name),
        files: vec![File::new(
            "task.yaml",
            quote::yaml("Numbers are from the plan: see ../README.md.", &task),
        )],
        steps: vec![
            Step::new(
                format!(
                    "With HF_TOKEN and {} in the environment, rent and start (SkyPilot asks before it spends).",
                    server::KEY_VARIABLE
                ),
                start,
            ),
            reach,
            Step::new("Stop and give back.", stop),
        ],
        notes,
        accept: Some(accept::served(of, served, served.replicas, url)),
        left_out: Vec::new(),
    }
}
