//! The recipe for Ray Serve, as a `RayService` of `KubeRay`.

use super::input::{Deployment, Served, Weights};
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, image, kubernetes, quote, server};
use crate::capacity::{Engine, KvType};
use crate::catalog::Vendor;
use serde_json::{Value, json};

fn application(served: &Served) -> Value {
    let mut engine = json!({
        "tensor_parallel_size": served.tensor,
        "pipeline_parallel_size": served.pipeline,
        "max_model_len": served.context_tokens,
        "max_num_seqs": served.concurrency,
        "gpu_memory_utilization": 0.9,
    });
    if served.kv == KvType::Fp8 {
        engine["kv_cache_dtype"] = json!("fp8");
    }
    if matches!(served.weights, Weights::RoundedToFp8(_)) {
        engine["quantization"] = json!("fp8");
    }
    if served.expert_parallel {
        engine["enable_expert_parallel"] = json!(true);
    }
    json!({ "applications": [{
        "name": "llm",
        "route_prefix": "/",
        "import_path": "ray.serve.llm:build_openai_app",
        "args": { "llm_configs": [{
            "model_loading_config": { "model_id": served.name, "model_source": served.weights.repository() },
            "engine_kwargs": engine,
            "deployment_config": {
                // Ray counts the requests that a copy was given and has not answered: those that it serves,
                // and those that wait.
                "max_ongoing_requests": served.concurrency + kubernetes::waiting(served),
                "autoscaling_config": {
                    "min_replicas": kubernetes::least(served),
                    "max_replicas": served.replicas_at_most(),
                    "target_ongoing_requests": served.concurrency,
                },
            },
        }] },
    }] })
}

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref().filter(|s| s.engine == Engine::Vllm)?;
    let lacks = |because: String| Some(Err(LeftOut::new("ray-serve", because)));
    if served.accelerator.vendor != Some(Vendor::Nvidia) {
        return lacks(format!(
            "Ray publishes its image with vLLM for NVIDIA GPUs only, not for {}",
            served.accelerator.name
        ));
    }
    let Ok(container) = kubernetes::container(served, "ray-worker") else { return None };
    let application = quote::yaml("", &application(served));
    let label = served.label();
    let environment = json!([container["env"][0].clone()]);
    let head = json!({
        "name": "ray-head",
        "image": image::RAY_LLM.name,
        "env": environment,
        "ports": [
            { "name": "gcs", "containerPort": 6379 },
            { "name": "dashboard", "containerPort": 8265 },
            { "name": "client", "containerPort": 10001 },
            { "name": "serve", "containerPort": 8000 },
        ],
        "resources": { "requests": { "cpu": "2", "memory": "8Gi" }, "limits": { "memory": "8Gi" } },
    });
    let worker = json!({
        "name": "ray-worker",
        "image": image::RAY_LLM.name,
        "env": environment,
        "resources": container["resources"],
        "volumeMounts": [{ "name": "shm", "mountPath": "/dev/shm" }],
    });
    let size = served.replicas_at_most();
    let service = json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": { "name": label },
        "spec": {
            "serveConfigV2": application,
            "rayClusterConfig": {
                "rayVersion": image::RAY,
                "enableInTreeAutoscaling": kubernetes::scales(served),
                "headGroupSpec": {
                    "rayStartParams": { "num-gpus": "0", "dashboard-host": "0.0.0.0" },
                    "template": { "spec": { "containers": [head] } },
                },
                "workerGroupSpecs": [{
                    "groupName": "copies",
                    "replicas": served.replicas,
                    "minReplicas": kubernetes::least(served),
                    "maxReplicas": size,
                    "rayStartParams": {},
                    "template": { "spec": {
                        "tolerations": kubernetes::tolerations(served),
                        "containers": [worker],
                        "volumes": [kubernetes::volumes(served)[1].clone()],
                    } },
                }],
            },
        },
    });
    let mut notes = vec![
        format!("A worker holds one copy of the model on {}; Ray starts the workers.", super::readme::count(served.devices(), "accelerator")),
        "Each worker fetches the weights for itself: put a cache of the Hugging Face Hub near the cluster if it starts often.".to_owned(),
        format!("{} comes with a vLLM of its own version.", image::RAY_LLM.name),
    ];
    notes.extend(server::notes(served));
    Some(Ok(Recipe {
        folder: "ray-serve",
        title: format!("{} with Ray Serve on KubeRay", served.name),
        files: vec![File::new(
            "ray-service.yaml",
            quote::yaml("Numbers are from the plan: see ../README.md.", &service),
        )],
        steps: vec![
            Step::new(
                "With the KubeRay operator in the cluster, start it.",
                "kubectl apply -f ray-service.yaml",
            ),
            Step::new(
                "Wait until it answers; the first start fetches the weights.",
                format!(
                    "kubectl wait --for=condition=Ready rayservice/{label} --timeout={}s",
                    kubernetes::start_seconds(served) + 600
                ),
            ),
        ],
        notes,
        accept: Some(accept::served(
            of,
            served,
            served.replicas,
            &format!("http://{label}-serve-svc:8000/v1"),
        )),
        left_out: Vec::new(),
    }))
}
