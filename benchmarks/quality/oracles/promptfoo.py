"""Verdicts of the real promptfoo on folders of configurations, in the shape that tests/it/graders.rs reads.

    npm install promptfoo@0.123.1                       # in an empty folder, Node 22.22 or newer
    python promptfoo.py NODE NODE_MODULES FOLDER...     # writes FOLDER/expected.json
    FREEHOLD_PROMPTFOO_DATA=PARENT cargo test --no-default-features --test it graders

PARENT has the folders in `configs/`. promptfoo is run without telemetry and update checks; its providers have
to be `echo` or a script beside the configuration, so nothing leaves the machine."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

node, modules, *folders = sys.argv[1:]
main = Path(modules) / "promptfoo/dist/src/main.js"
for folder in map(Path, folders):
    config = next(f for f in ("promptfooconfig.yaml", "promptfooconfig.json") if (folder / f).exists())
    with tempfile.TemporaryDirectory() as home:
        out = Path(home) / "out.json"
        done = subprocess.run(
            [node, main, "eval", "-c", config, "--no-cache", "--no-progress-bar", "--no-table", "-j", "1", "-o", out],
            cwd=folder, capture_output=True, text=True, timeout=300,
            env={**os.environ, "PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "PROMPTFOO_CONFIG_DIR": home})
        if not out.exists():
            expected = {"promptfoo": "0.123.1", "exit_code": done.returncode, "rejected": True,
                        "reason": (done.stderr or done.stdout).strip().splitlines()[-1:]}
        else:
            results = []
            for r in json.loads(out.read_text())["results"]["results"]:
                grading = r.get("gradingResult") or {}
                error = bool(r.get("error")) and not grading.get("componentResults") and r.get("failureReason") == 2
                output = (r.get("response") or {}).get("output")
                components = None if error else [
                    {"type": c["assertion"]["type"] if c.get("assertion") else "assert-set",
                     "pass": c["pass"], "score": c["score"]} for c in grading.get("componentResults") or []]
                for c, k in zip(components or [], grading.get("componentResults") or []):
                    if (k.get("metadata") or {}).get("assertionSet"):
                        c["type"] = "assert-set"
                results.append({
                    "test": r["testIdx"], "prompt": r["promptIdx"],
                    "prompt_label": r["prompt"]["label"].replace(str(folder.resolve()) + "/", ""),
                    "prompt_text": r["prompt"]["raw"], "provider": r["provider"].get("label") or r["provider"]["id"],
                    "description": r.get("testCase", {}).get("description") or r.get("description"),
                    "vars": r["vars"], "output": output if isinstance(output, str) or output is None else json.dumps(output),
                    "pass": r["success"], "score": r["score"], "error": error,
                    "named_scores": r.get("namedScores") or {}, "components": components})
            results.sort(key=lambda r: (r["test"], r["prompt"]))
            expected = {"promptfoo": "0.123.1", "exit_code": done.returncode, "results": results}
        (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
        print(folder.name, "rejected" if expected.get("rejected") else len(expected["results"]))
