"""Hold folders that `freehold deploy` wrote against what they are for.

    python scripts/check-recipes.py FOLDER...

Each file of a folder is checked by what reads it in the end, as far as that runs without a cluster:
Kubernetes' own schemas, the Compose specification, the fields of KServe's and KubeRay's resources, SkyPilot's
schemas, LiteLLM's router, sh, Python, Node, systemd. A file that nothing here knows is a failure. Prints
what was checked; ends with 1 where something is wrong.
"""

import ast
import importlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from unittest import mock

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = "1.34"


class Wrong(Exception):
    """What is wrong with a file."""


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)


def documents(path: Path) -> list:
    found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    need(bool(found) and all(isinstance(d, dict) for d in found), "no YAML documents")
    return found


def only(value: dict, known: set, required: set, where: str) -> None:
    need(isinstance(value, dict), f"{where} is no mapping")
    need(set(value) <= known, f"{where} has unknown fields: {sorted(set(value) - known)}")
    need(required <= set(value), f"{where} lacks {sorted(required - set(value))}")


def kubernetes(value: dict) -> None:
    kubernetes_validate.validate(value, KUBERNETES, strict=True)


def pod(spec: dict) -> None:
    """A pod's specification, by the schema of a pod."""
    kubernetes({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec})
    for container in spec["containers"]:
        image = container["image"]
        need(":" in image and not image.endswith(":latest"), f"{image} is not pinned")
        mounted = {m["name"] for m in container.get("volumeMounts", [])}
        need(mounted <= {v["name"] for v in spec.get("volumes", [])}, "a mount has no volume")
        for variable in container.get("env", []):
            need("value" not in variable, f"{variable['name']} is written into the file")


def manifest(path: Path) -> None:
    for value in documents(path):
        kubernetes(value)
        if value["kind"] == "Deployment":
            pod(value["spec"]["template"]["spec"])
            labels = value["spec"]["template"]["metadata"]["labels"]
            selector = value["spec"]["selector"]["matchLabels"]
            need(selector.items() <= labels.items(), "the selector does not match the pods")
            service = documents(path.with_name("service.yaml"))[0]["spec"]["selector"]
            need(service.items() <= labels.items(), "the Service does not match the pods")
            claims = [v["persistentVolumeClaim"]["claimName"] for v in value["spec"]["template"]["spec"]["volumes"] if "persistentVolumeClaim" in v]
            claimed = documents(path.with_name("weights.yaml"))[0]["metadata"]["name"]
            need(claims == [claimed], "the claim of the weights has another name")
            scaler = path.with_name("autoscaler.yaml")
            if scaler.exists():
                scale = documents(scaler)[0]["spec"]
                need(scale["scaleTargetRef"]["name"] == value["metadata"]["name"], "the autoscaler scales something else")
                need(scale["minReplicas"] <= value["spec"]["replicas"] <= scale["maxReplicas"], "copies outside of their limits")
                rules = documents(path.with_name("prometheus-adapter-values.yaml"))[0]["rules"]["custom"]
                metric = scale["metrics"][0]["pods"]["metric"]["name"]
                need(metric in [r["name"]["as"] for r in rules], "nothing makes the autoscaler's metric")


def kustomization(path: Path) -> None:
    (value,) = documents(path)
    only(value, {"apiVersion", "kind", "resources"}, {"apiVersion", "kind", "resources"}, "the kustomization")
    need(value["kind"] == "Kustomization", "its kind")
    for name in value["resources"]:
        need(path.with_name(name).is_file(), f"{name} is not there")


def adapter(path: Path) -> None:
    (value,) = documents(path)
    for rule in value["rules"]["custom"]:
        # The keys of a rule: kubernetes-sigs/prometheus-adapter, docs/config.md.
        only(rule, {"seriesQuery", "seriesFilters", "resources", "name", "metricsQuery"}, {"seriesQuery", "metricsQuery"}, "a rule")


def compose(path: Path) -> None:
    found = importlib.util.find_spec("check_jsonschema").submodule_search_locations[0]
    schema = json.loads((Path(found) / "builtin_schemas/vendor/compose-spec.json").read_text(encoding="utf-8"))
    (value,) = documents(path)
    jsonschema.validators.validator_for(schema)(schema).validate(value)
    for name, service in value["services"].items():
        need(":" in service["image"] and not service["image"].endswith(":latest"), f"{name} is not pinned")
        for port in service["ports"]:
            need(port.startswith("127.0.0.1:"), f"{name} listens for everybody")


# The fields of pkg/apis/serving/v1beta1/component.go beside those of a pod (kserve/kserve, v0.16).
KSERVE = {
    "minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType", "autoScaling", "containerConcurrency",
    "timeout", "canaryTrafficPercent", "logger", "batcher", "labels", "annotations", "deploymentStrategy",
    "model", "workerSpec",
}


def kserve(path: Path) -> None:
    (value,) = documents(path)
    only(value, {"apiVersion", "kind", "metadata", "spec"}, {"apiVersion", "kind", "metadata", "spec"}, "the resource")
    need((value["apiVersion"], value["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService"), "its kind")
    only(value["spec"], {"predictor", "transformer", "explainer"}, {"predictor"}, "spec")
    predictor = value["spec"]["predictor"]
    need(0 <= predictor["minReplicas"] <= predictor["maxReplicas"], "copies outside of their limits")
    need([c["name"] for c in predictor["containers"]] == ["kserve-container"], "the container's name")
    pod({k: v for k, v in predictor.items() if k not in KSERVE})
    for metric in predictor.get("autoScaling", {}).get("metrics", []):
        only(metric, {"type", "external"}, {"type", "external"}, "a metric")
        only(metric["external"], {"metric", "target", "authenticationRef"}, {"metric", "target"}, "external")
        only(metric["external"]["metric"], {"backend", "serverAddress", "query", "namespace", "operationOverTime", "metricNames"}, {"backend", "serverAddress", "query"}, "metric")
        only(metric["external"]["target"], {"type", "value", "averageValue", "averageUtilization"}, {"type"}, "target")


# The fields of ray-operator/apis/ray/v1 (ray-project/kuberay, v1.4).
RAY_SERVICE = {
    "serveConfigV2", "rayClusterConfig", "serviceUnhealthySecondThreshold", "deploymentUnhealthySecondThreshold",
    "serveService", "upgradeStrategy", "excludeHeadPodFromServeSvc", "rayClusterDeletionDelaySeconds",
}
RAY_CLUSTER = {
    "headGroupSpec", "workerGroupSpecs", "rayVersion", "enableInTreeAutoscaling", "autoscalerOptions",
    "headServiceAnnotations", "suspend", "managedBy", "gcsFaultToleranceOptions", "authOptions",
}
RAY_HEAD = {"serviceType", "headService", "enableIngress", "rayStartParams", "template", "resources", "labels"}
RAY_WORKERS = {
    "groupName", "replicas", "minReplicas", "maxReplicas", "numOfHosts", "rayStartParams", "template", "scaleStrategy",
    "suspend", "idleTimeoutSeconds", "resources", "labels",
}
# Of ray.serve's schema and ray.serve.llm's LLMConfig.
RAY_APPLICATION = {"name", "route_prefix", "import_path", "runtime_env", "args", "deployments"}
RAY_LLM = {
    "model_loading_config", "llm_engine", "engine_kwargs", "accelerator_type", "runtime_env", "lora_config",
    "deployment_config", "placement_group_config", "experimental_configs", "log_engine_metrics", "callback_config",
}
ENGINE = {
    "tensor_parallel_size", "pipeline_parallel_size", "max_model_len", "max_num_seqs", "gpu_memory_utilization",
    "kv_cache_dtype", "quantization", "enable_expert_parallel",
}


def ray(path: Path) -> None:
    (value,) = documents(path)
    only(value, {"apiVersion", "kind", "metadata", "spec"}, {"apiVersion", "kind", "metadata", "spec"}, "the resource")
    need((value["apiVersion"], value["kind"]) == ("ray.io/v1", "RayService"), "its kind")
    only(value["spec"], RAY_SERVICE, {"serveConfigV2", "rayClusterConfig"}, "spec")
    cluster = value["spec"]["rayClusterConfig"]
    only(cluster, RAY_CLUSTER, {"headGroupSpec"}, "rayClusterConfig")
    head = cluster["headGroupSpec"]
    only(head, RAY_HEAD, {"rayStartParams", "template"}, "headGroupSpec")
    pod(head["template"]["spec"])
    for group in cluster["workerGroupSpecs"]:
        only(group, RAY_WORKERS, {"groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"}, "a group of workers")
        need(group["minReplicas"] <= group["replicas"] <= group["maxReplicas"], "workers outside of their limits")
        pod(group["template"]["spec"])
    for params in [head["rayStartParams"]] + [g["rayStartParams"] for g in cluster["workerGroupSpecs"]]:
        need(all(isinstance(v, str) for v in params.values()), "rayStartParams are texts")
    config = yaml.safe_load(value["spec"]["serveConfigV2"])
    for application in config["applications"]:
        only(application, RAY_APPLICATION, {"import_path"}, "an application")
        for llm in application["args"]["llm_configs"]:
            only(llm, RAY_LLM, {"model_loading_config", "engine_kwargs"}, "an LLMConfig")
            only(llm["engine_kwargs"], ENGINE, set(), "engine_kwargs")
            scale = llm["deployment_config"]["autoscaling_config"]
            workers = cluster["workerGroupSpecs"][0]
            need(scale["max_replicas"] <= workers["maxReplicas"], "more copies than workers")


def litellm(path: Path) -> None:
    (value,) = documents(path)
    only(value, {"model_list", "router_settings", "general_settings", "litellm_settings"}, {"model_list"}, "the configuration")
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"os\.environ/(\w+)", text):
        os.environ.setdefault(name, "http://127.0.0.1:9/v1" if name.endswith("URL") else "sk-not-a-key")
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from litellm import Router

    router = Router(model_list=value["model_list"], **value.get("router_settings", {}))
    names = {m["model_name"] for m in value["model_list"]}
    for name in names:
        found = router.get_available_deployment(model=name, messages=[{"role": "user", "content": "x"}])
        need(found["model_name"] == name, f"{name} leads to no deployment")
    for kind in ("fallbacks", "context_window_fallbacks"):
        for fallback in value.get("router_settings", {}).get(kind, []):
            for name, others in fallback.items():
                need(name in names and set(others) <= names and others, f"{kind}: {fallback} leads nowhere")
                need(name not in others, f"{kind}: {name} falls back to itself")
    key = value.get("general_settings", {}).get("master_key", "os.environ/")
    need(key.startswith("os.environ/"), "the key is written into the file")


def sky_schemas():
    """SkyPilot's schemas, without the rest of it and what that depends on."""
    folder = importlib.util.find_spec("sky", None)
    need(folder is not None, "SkyPilot is not installed")
    place = Path(folder.origin).parent
    package = types.ModuleType("sky")
    package.__path__ = [str(place)]
    package.__version__ = package.__commit__ = "0"
    package.__root_dir__ = str(place)
    sys.modules["sky"] = package
    for name in (
        "sky.sky_logging", "sky.skylet.autostop_lib", "sky.serve", "sky.serve.load_balancing_policies",
        "sky.serve.spot_placer", "sky.server", "sky.server.plugins", "sky.utils.volume", "sky.data", "sky.data.storage",
        "sky.skypilot_config",
    ):
        sys.modules[name] = mock.MagicMock()
    return importlib.import_module("sky.utils.schemas")


def plain(schema):
    """A schema without what only SkyPilot's own validator knows."""
    if isinstance(schema, dict):
        return {k: plain(v) for k, v in schema.items() if not isinstance(v, mock.Mock) and k != "case_insensitive_enum"}
    if isinstance(schema, list):
        return [plain(v) for v in schema if not isinstance(v, mock.Mock)]
    return schema


def sky(path: Path) -> None:
    (value,) = documents(path)
    schemas = sys.modules.get("sky.utils.schemas") or sky_schemas()
    parts = [("task", value, schemas.get_task_schema()), ("resources", value["resources"], schemas.get_resources_schema())]
    if "service" in value:
        parts.append(("service", value["service"], schemas.get_service_schema()))
    for name, part, schema in parts:
        try:
            jsonschema.Draft202012Validator(plain(schema)).validate(part)
        except jsonschema.ValidationError as error:
            raise Wrong(f"{name}: {error.message}") from error
    need(all(v in ("", None) for v in value["secrets"].values()), "a secret is written into the file")
    shell_text(value["setup"])
    shell_text(value["run"])


def run(*words: str, text: str | None = None) -> None:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    need(done.returncode == 0, f"{words[0]}: {(done.stdout + done.stderr).strip()}")


def shell_text(text: str) -> None:
    run("sh", "-n", text=text)


def script(path: Path) -> None:
    need(path.read_text(encoding="utf-8").startswith("#!/bin/sh\n"), "no first line for a shell")
    run("sh", "-n", str(path))
    shellcheck = shutil.which("shellcheck") or Path(sys.executable).with_name("shellcheck")
    if Path(shellcheck).exists():
        # Names stand in single quotes, so that nothing in them expands.
        run(str(shellcheck), "--exclude=SC2016", str(path))
    if path.name == "serve.sh":
        llama_options(path)


def llama_options(path: Path) -> None:
    """Every option that a script gives to llama-server is one that llama.cpp has."""
    found = importlib.util.find_spec("xllamacpp")
    if found is None or "mlx" in path.parts:
        return
    library = next(Path(found.origin).parent.glob("*.so"), None)
    if library is None:
        return
    known = library.read_bytes()
    words = shlex.split(path.read_text(encoding="utf-8"), comments=True)
    for word in words:
        if word.startswith("--") and len(word) > 2:
            need(word.encode() + b"\0" in known, f"llama-server has no option {word}")


def python_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    ast.parse(text)
    pinned = re.findall(r'^# dependencies = \["[\w.-]+==[\w.]+"\]$', text, re.M)
    need(len(pinned) == 1, "no pinned dependency")


def typescript(path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        return
    # Types are stripped by hand where Node is too old to do it: the snippets have three forms of them.
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\(name: string\): string", "(name)", text)
    text = re.sub(r"\((\w): any\)", r"(\1)", text).replace("const answer: any", "const answer")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.mjs"
        file.write_text(text, encoding="utf-8")
        run(node, "--check", str(file))


def unit(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for section in ("[Unit]", "[Service]", "[Install]"):
        need(section in text, f"no {section}")
    tool = shutil.which("systemd-analyze")
    if tool is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        # The script lies elsewhere on this machine.
        copy = Path(folder) / path.name
        copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M), encoding="utf-8")
        done = subprocess.run([tool, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if path.name in line]
        need(not said, "; ".join(said))


def drop_in(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        need(line.startswith("#") or line == "[Service]" or re.fullmatch(r"Environment=OLLAMA_\w+=[\w.-]+", line) is not None, line)


def modelfile(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    need(len(lines) == 2, "more than a model and its context")
    need(re.fullmatch(r"FROM \S+", lines[0]) is not None, lines[0])
    need(re.fullmatch(r"PARAMETER num_ctx \d+", lines[1]) is not None, lines[1])


def nginx(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    need(text.count("{") == text.count("}"), "unbalanced braces")


def prompts(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    need(len(lines) >= 20, "fewer than 20 prompts")
    for line in lines:
        only(json.loads(line), {"prompt", "max_output_tokens"}, {"prompt"}, "a prompt")


def readme(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    fences = re.findall(r"^`{3,}$", text, re.M)
    need(len(fences) % 2 == 0, "a fence is not closed")
    for block in re.findall(r"^(`{3,})\n(.*?)\n\1$", text, re.M | re.S):
        shell_text(block[1])
    if path.parent.name != "folder":
        need("freehold bench" in text, "no command that accepts it")


CHECKS = [
    (r"(.*/)?README\.md", readme),
    (r"accept/prompts\.jsonl", prompts),
    (r"kubernetes/kustomization\.yaml", kustomization),
    (r"kubernetes/prometheus-adapter-values\.yaml", adapter),
    (r"kubernetes/[\w-]+\.yaml", manifest),
    (r"kserve/inference-service\.yaml", kserve),
    (r"kserve/weights\.yaml", manifest),
    (r"ray-serve/ray-service\.yaml", ray),
    (r"compose/compose\.yaml", compose),
    (r"router/litellm\.yaml", litellm),
    (r"skypilot/task\.yaml", sky),
    (r".*\.sh", script),
    (r"cloud/request\.py", python_file),
    (r"cloud/request\.ts", typescript),
    (r"llama-server/[\w@-]+\.service", unit),
    (r"llama-server/nginx\.conf", nginx),
    (r"ollama/override\.conf", drop_in),
    (r"ollama/Modelfile", modelfile),
]


def texts(value) -> list:
    """Every text in a value."""
    if isinstance(value, dict):
        return [t for v in value.values() for t in texts(v)]
    if isinstance(value, list):
        return [t for v in value for t in texts(v)]
    return [value] if isinstance(value, str) else []


def served_names(folder: Path) -> set:
    """What clients ask for, from every file that says it, with the quoting of that file taken off."""
    option = "--served-model-name="
    names = set()
    for path in folder.rglob("*.yaml"):
        for value in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            found = texts(value)
            if path.parent.name == "skypilot":
                found = shlex.split(value["run"], comments=False)
            for text in found:
                if text.startswith(option):
                    name = text.removeprefix(option)
                    name = name.replace("$$", "$") if path.parent.name == "compose" else name.replace("$$(", "$(")
                    names.add(name)
            for application in yaml.safe_load(value["spec"]["serveConfigV2"])["applications"] if path.parent.name == "ray-serve" else []:
                names.update(c["model_loading_config"]["model_id"] for c in application["args"]["llm_configs"])
    for path in folder.rglob("serve.sh"):
        words = shlex.split(path.read_text(encoding="utf-8").replace("\\\n", ""), comments=True)
        names.update(words[n + 1] for n, word in enumerate(words) if word == "--alias")
    return names


def check(folder: Path) -> tuple[int, int]:
    good = bad = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        known = next((f for pattern, f in CHECKS if re.fullmatch(pattern, name)), None)
        try:
            need(known is not None, "nothing checks this file")
            known(path)
            good += 1
        except Exception as error:  # noqa: BLE001: whatever it is, it is said with the file's name
            what = getattr(error, "message", None) or error
            print(f"{path}: {type(error).__name__}: {what}", file=sys.stderr)
            bad += 1
    names = served_names(folder)
    if len(names) > 1:
        print(f"{folder}: the files serve different names: {sorted(names)}", file=sys.stderr)
        bad += 1
    model = folder.parent / "document.json"
    if model.is_file():
        row = json.loads(model.read_text(encoding="utf-8"))["result"]
        row = (row.get("plans") or [o["plan"] for o in row.get("options", []) if o.get("plan")] or [{}])[0]
        if names and names != {row.get("model")}:
            print(f"{folder}: serves {names}, the plan says {row.get('model')!r}", file=sys.stderr)
            bad += 1
    return good, bad


def main() -> int:
    folders = [Path(f) for f in sys.argv[1:]]
    if not folders:
        print(__doc__, file=sys.stderr)
        return 2
    wrong = 0
    for folder in folders:
        good, bad = check(folder)
        wrong += bad
        print(f"{folder}: {good} files are good, {bad} are not")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
