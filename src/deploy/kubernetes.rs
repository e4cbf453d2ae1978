//! The recipe for Kubernetes with plain manifests, for vLLM or `SGLang`: a Deployment with the plan's
//! copies, its Service, a volume for the weights, and scaling by the number of waiting requests.

use super::input::{Deployment, Place, Served};
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, quote, server};
use crate::capacity::Engine;
use serde_json::{Value, json};

const GIB: f64 = 1_073_741_824.0;
/// Processor cores that a copy requests per accelerator, for tokenising, scheduling and loading weights. An
/// assumption without a source; with too few cores the time to the first token grows.
const CPUS_PER_ACCELERATOR: u32 = 4;
const HOST_GIB_PER_ACCELERATOR: u32 = 16;
/// Slowest download of weights that is allowed for, bytes a second: one gigabit per second, with its
/// losses.
const SLOW_DOWNLOAD: f64 = 100e6;

/// Shared memory for the processes of a copy, GiB: the buffers of collective operations, and a reserve.
pub(super) fn shm_gib(served: &Served) -> u32 {
    4 + 2 * served.devices()
}

/// The longest time that a first start may take, seconds: downloading the weights over a slow line, plus
/// ten minutes to load and warm up. An hour for the download where the size is not known.
pub(super) fn start_seconds(served: &Served) -> u64 {
    let fetch = served.download_bytes.map_or(3000.0, |bytes| (bytes / SLOW_DOWNLOAD).min(1e6));
    // Not negative and at most a million.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let fetch = fetch.ceil() as u64;
    (600 + fetch).next_multiple_of(60)
}

/// Size of the volume for the weights, GiB: the download, half as much again for a second revision, and the
/// compiled kernels. `None` where the size is not known.
fn volume_gib(served: &Served) -> Option<u64> {
    let gib = served.download_bytes? / GIB;
    // Not negative and at most some thousands.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let gib = (gib * 1.5 + 10.0).min(1e6).ceil() as u64;
    Some(gib.next_multiple_of(10))
}

/// Requests that may wait for one copy before another is started: a tenth of those that it serves at the
/// same time.
pub(super) fn waiting(served: &Served) -> u32 {
    (served.concurrency / 10).max(1)
}

/// Copies that always run. On own machines these are all of the plan's, because a copy that is stopped
/// saves nothing and takes minutes to start. On rented machines there are as few as survive a failure, if
/// they must.
pub(super) fn least(served: &Served) -> u32 {
    match served.place {
        Place::Owned => served.replicas,
        Place::Rented { .. } if served.spare_hosts > 0 => served.replicas.min(2),
        Place::Rented { .. } => 1,
    }
}

/// Does the number of copies change with the load?
pub(super) fn scales(served: &Served) -> bool {
    served.replicas_at_most() > least(served)
}

fn labels(served: &Served) -> Value {
    json!({ "app.kubernetes.io/name": served.label(), "app.kubernetes.io/managed-by": "freehold" })
}

fn selector(served: &Served) -> Value {
    json!({ "app.kubernetes.io/name": served.label() })
}

/// The claim for the volume with the weights; `None` where their size is not known.
pub(super) fn claim(served: &Served) -> Option<Value> {
    // Copies on several machines share the volume.
    let mode = if served.hosts > 1 { "ReadWriteMany" } else { "ReadWriteOnce" };
    Some(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": format!("{}-weights", served.label()), "labels": labels(served) },
        "spec": {
            "accessModes": [mode],
            "resources": { "requests": { "storage": format!("{}Gi", volume_gib(served)?) } },
        },
    }))
}

/// The container of one copy.
pub(super) fn container(served: &Served, name: &str) -> Result<Value, String> {
    let pin = server::image(served)?;
    let resource = server::resource(served)
        .ok_or_else(|| format!("how a cluster calls {} is not known here", served.accelerator.name))?;
    let words: Vec<String> =
        server::command(served, 1).iter().map(|w| quote::kubernetes_argument(w)).collect();
    let program = if served.engine == Engine::Sglang { 3 } else { 2 };
    let devices = served.devices();
    let memory = HOST_GIB_PER_ACCELERATOR * devices + shm_gib(served);
    let resources = |cpu: bool| {
        let mut value = json!({ "memory": format!("{memory}Gi"), (resource): devices.to_string() });
        if cpu {
            value["cpu"] = json!((CPUS_PER_ACCELERATOR * devices).to_string());
        }
        value
    };
    let health = json!({ "path": "/health", "port": "http" });
    let secret =
        |name: String, key: &str| json!({ "secretKeyRef": { "name": name, "key": key, "optional": true } });
    let mut environment =
        vec![json!({ "name": "HF_TOKEN", "valueFrom": secret("hugging-face".to_owned(), "token") })];
    if served.engine == Engine::Vllm {
        let key = secret(format!("{}-key", served.label()), "key");
        environment.push(json!({ "name": server::KEY_VARIABLE, "valueFrom": key }));
    }
    Ok(json!({
        "name": name,
        "image": pin.name,
        "command": words[..program],
        "args": words[program..],
        "ports": [{ "name": "http", "containerPort": 8000, "protocol": "TCP" }],
        "env": environment,
        "resources": { "requests": resources(true), "limits": resources(false) },
        "startupProbe": {
            "httpGet": health, "periodSeconds": 10, "failureThreshold": start_seconds(served) / 10,
        },
        "readinessProbe": { "httpGet": health, "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 3 },
        "livenessProbe": { "httpGet": health, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6 },
        "securityContext": { "allowPrivilegeEscalation": false },
        "volumeMounts": [
            { "name": "weights", "mountPath": "/root/.cache/huggingface" },
            { "name": "shm", "mountPath": "/dev/shm" },
        ],
    }))
}

/// The volumes of one copy.
pub(super) fn volumes(served: &Served) -> Value {
    json!([
        { "name": "weights", "persistentVolumeClaim": { "claimName": format!("{}-weights", served.label()) } },
        { "name": "shm", "emptyDir": { "medium": "Memory", "sizeLimit": format!("{}Gi", shm_gib(served)) } },
    ])
}

/// Machines with accelerators are usually reserved for pods that tolerate their taint.
pub(super) fn tolerations(served: &Served) -> Value {
    match server::resource(served) {
        Some(resource) => json!([{ "key": resource, "operator": "Exists", "effect": "NoSchedule" }]),
        None => json!([]),
    }
}

fn deployment(served: &Served) -> Result<Value, String> {
    let spread = json!([{
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": { "matchLabels": selector(served) },
    }]);
    Ok(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": served.label(), "labels": labels(served) },
        "spec": {
            "replicas": served.replicas,
            "progressDeadlineSeconds": start_seconds(served) + 600,
            "selector": { "matchLabels": selector(served) },
            // There is no free accelerator for a second copy beside the first.
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } },
            "template": {
                "metadata": {
                    "labels": labels(served),
                    "annotations": {
                        "prometheus.io/scrape": "true", "prometheus.io/port": "8000", "prometheus.io/path": "/metrics",
                    },
                },
                "spec": {
                    // The server would take variables of a Service for its own settings.
                    "enableServiceLinks": false,
                    "automountServiceAccountToken": false,
                    "terminationGracePeriodSeconds": 120,
                    "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
                    "tolerations": tolerations(served),
                    "topologySpreadConstraints": spread,
                    "containers": [container(served, "server")?],
                    "volumes": volumes(served),
                },
            },
        },
    }))
}

fn service(served: &Served) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": served.label(), "labels": labels(served) },
        "spec": {
            "type": "ClusterIP",
            "selector": selector(served),
            "ports": [{ "name": "http", "port": 8000, "targetPort": "http", "protocol": "TCP" }],
        },
    })
}

/// The metric of waiting requests: its name in the server, and in the cluster.
const fn metric(engine: Engine) -> (&'static str, &'static str) {
    match engine {
        Engine::Sglang => ("sglang:num_queue_reqs", "sglang_num_queue_reqs"),
        _ => ("vllm:num_requests_waiting", "vllm_num_requests_waiting"),
    }
}

/// The server's name for the metric of waiting requests.
pub(super) const fn queue(engine: Engine) -> &'static str {
    metric(engine).0
}

fn autoscaler(served: &Served) -> Value {
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": served.label(), "labels": labels(served) },
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": served.label() },
            "minReplicas": least(served),
            "maxReplicas": served.replicas_at_most(),
            "metrics": [{
                "type": "Pods",
                "pods": {
                    "metric": { "name": metric(served.engine).1 },
                    "target": { "type": "AverageValue", "averageValue": waiting(served).to_string() },
                },
            }],
            "behavior": {
                "scaleUp": { "stabilizationWindowSeconds": 0 },
                // A copy takes minutes to start, so that none is stopped in a short lull.
                "scaleDown": {
                    "stabilizationWindowSeconds": 900,
                    "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 300 }],
                },
            },
        },
    })
}

fn disruption(served: &Served) -> Value {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": served.label(), "labels": labels(served) },
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": selector(served) } },
    })
}

/// Values for the chart that makes a Prometheus metric available to the autoscaler.
fn adapter(served: &Served) -> Value {
    let (metric, name) = metric(served.engine);
    json!({
        "rules": {
            "custom": [{
                "seriesQuery": format!("{{__name__=\"{metric}\",namespace!=\"\",pod!=\"\"}}"),
                "resources": { "overrides": {
                    "namespace": { "resource": "namespace" }, "pod": { "resource": "pod" },
                } },
                "name": { "as": name },
                "metricsQuery": "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
            }],
        },
    })
}

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref().filter(|s| server::is(s.engine))?;
    let lacks = |because: String| Some(Err(LeftOut::new("kubernetes", because)));
    let deployment = match deployment(served) {
        Ok(deployment) => deployment,
        Err(because) => return lacks(because),
    };
    let Some(claim) = claim(served) else {
        return lacks("how large the weights are is not known, so no volume can be asked for".to_owned());
    };
    let mut manifests =
        vec![("weights.yaml", claim), ("deployment.yaml", deployment), ("service.yaml", service(served))];
    let scales = scales(served);
    if scales {
        manifests.push(("autoscaler.yaml", autoscaler(served)));
    }
    if served.replicas > 1 {
        manifests.push(("disruption-budget.yaml", disruption(served)));
    }
    let names: Vec<&str> = manifests.iter().map(|(name, _)| *name).collect();
    let all = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names,
    });
    let comment = "Numbers are from the plan: see ../README.md.";
    let mut files: Vec<File> =
        manifests.iter().map(|(name, value)| File::new(*name, quote::yaml(comment, value))).collect();
    files.push(File::new("kustomization.yaml", quote::yaml(comment, &all)));
    let label = served.label();
    let mut steps = vec![
        Step::new(
            "Where the weights ask for consent, make a secret with a token of the Hugging Face Hub (read from the variable HF_TOKEN).",
            "printf %s \"$HF_TOKEN\" | kubectl create secret generic hugging-face --from-file=token=/dev/stdin",
        ),
        Step::new("Start it.", "kubectl apply -k ."),
        Step::new(
            "Wait until it answers; the first start fetches the weights.",
            format!("kubectl rollout status deployment/{label} --timeout={}s", start_seconds(served) + 600),
        ),
    ];
    let mut left_out = Vec::new();
    if scales {
        files.push(File::new("prometheus-adapter-values.yaml", quote::yaml(comment, &adapter(served))));
        steps.push(Step::new(
            "Make the queue known to the autoscaler (with Prometheus in the cluster).",
            "helm upgrade --install prometheus-adapter prometheus-adapter \\\n  \
             --repo https://prometheus-community.github.io/helm-charts --values prometheus-adapter-values.yaml",
        ));
    } else {
        let because = if served.replicas == 1 {
            "the plan has one copy of the model: there is nothing to scale"
        } else {
            "every copy that the machines hold runs already: there is nothing to scale"
        };
        left_out.push(LeftOut::new("kubernetes/autoscaler.yaml", because));
    }
    let mut notes = Vec::new();
    if served.engine == Engine::Vllm {
        notes.push(format!(
            "Without a key everybody in the cluster may ask. With one: put it into the secret {label}-key under the name key, and \
             restart."
        ));
    }
    if served.hosts > 1 {
        notes.push(
            "The weights are on one volume for all machines, so its storage class must allow ReadWriteMany."
                .to_owned(),
        );
    }
    if scales {
        notes.push(format!(
            "Another copy starts when more than {} wait for each, up to {} copies, as many as the machines hold.",
            super::readme::count(waiting(served), "request"),
            served.replicas_at_most()
        ));
    }
    notes.push(format!(
        "A copy asks for {CPUS_PER_ACCELERATOR} processors and {HOST_GIB_PER_ACCELERATOR} GiB of main memory per accelerator: \
         assumed, not planned."
    ));
    notes.push("From outside the cluster kubectl port-forward reaches one copy only; the command above runs inside it.".to_owned());
    notes.extend(server::notes(served));
    Some(Ok(Recipe {
        folder: "kubernetes",
        title: format!("{} with {} on Kubernetes", served.name, server::product(served.engine)),
        files,
        steps,
        notes,
        accept: Some(accept::served(of, served, served.replicas, &format!("http://{label}:8000/v1"))),
        left_out,
    }))
}
