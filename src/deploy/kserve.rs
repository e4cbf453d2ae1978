//! The recipe for Kubernetes with an `InferenceService` of `KServe`.

use super::input::Deployment;
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, kubernetes, quote, server};
use crate::capacity::Engine;
use serde_json::json;

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref().filter(|s| s.engine == Engine::Vllm)?;
    let lacks = |because: String| Some(Err(LeftOut::new("kserve", because)));
    let container = match kubernetes::container(served, "kserve-container") {
        Ok(container) => container,
        Err(because) => return lacks(because),
    };
    let Some(claim) = kubernetes::claim(served) else {
        return lacks("how large the weights are is not known, so no volume can be asked for".to_owned());
    };
    let label = served.label();
    let scales = kubernetes::scales(served);
    let mut predictor = json!({
        "minReplicas": kubernetes::least(served),
        "maxReplicas": served.replicas_at_most(),
        "tolerations": kubernetes::tolerations(served),
        "containers": [container],
        "volumes": kubernetes::volumes(served),
    });
    let mut annotations = json!({
        "serving.kserve.io/deploymentMode": "Standard",
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8000",
        "prometheus.io/path": "/metrics",
    });
    if scales {
        annotations["serving.kserve.io/autoscalerClass"] = json!("keda");
        predictor["autoScaling"] = json!({ "metrics": [{
            "type": "External",
            "external": {
                "metric": {
                    "backend": "prometheus",
                    "serverAddress": PROMETHEUS,
                    "query": format!("sum({}{{pod=~\"{label}-predictor-.*\"}})", kubernetes::queue(served.engine)),
                },
                "target": { "type": "AverageValue", "averageValue": kubernetes::waiting(served).to_string() },
            },
        }] });
    } else {
        annotations["serving.kserve.io/autoscalerClass"] = json!("none");
    }
    let service = json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": { "name": label, "annotations": annotations },
        "spec": { "predictor": predictor },
    });
    let mut notes = Vec::new();
    if scales {
        notes.push(format!(
            "Scaling needs KEDA and a Prometheus at {PROMETHEUS}: change serverAddress where yours is elsewhere."
        ));
    }
    notes.extend(server::notes(served));
    Some(Ok(Recipe {
        folder: "kserve",
        title: format!("{} with vLLM as an InferenceService of KServe", served.name),
        files: vec![
            File::new("weights.yaml", quote::yaml("Numbers are from the plan: see ../README.md.", &claim)),
            File::new(
                "inference-service.yaml",
                quote::yaml("Numbers are from the plan: see ../README.md.", &service),
            ),
        ],
        steps: vec![
            Step::new(
                "With KServe in the cluster, make the volume and the service.",
                "kubectl apply -f weights.yaml -f inference-service.yaml",
            ),
            Step::new(
                "Wait until it answers; the first start fetches the weights.",
                format!(
                    "kubectl wait --for=condition=Ready inferenceservice/{label} --timeout={}s",
                    kubernetes::start_seconds(served) + 600
                ),
            ),
        ],
        notes,
        accept: Some(accept::served(of, served, served.replicas, &format!("http://{label}-predictor/v1"))),
        left_out: Vec::new(),
    }))
}

/// Address of the Prometheus operator's own service in its usual namespace.
const PROMETHEUS: &str = "http://prometheus-operated.monitoring.svc.cluster.local:9090";
