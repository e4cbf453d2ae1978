"""The real promptfoo and freehold on one configuration, one server and one model: the same answers, the same verdicts?

    npm install promptfoo@0.123.1                          # in an empty folder, Node 22.22 or newer
    python benchmarks/quality/beside-promptfoo/run.py FREEHOLD NODE NODE_MODULES MODEL.gguf

The server is llama.cpp's own, from the package xllamacpp (scripts/standin-server.py), on loopback; answers are greedy.
promptfoo runs without telemetry, update checks and its cache. Prints a row for each request whose answer or verdict differs,
and the totals. Ends with 1 where a verdict on the same answer differs.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
freehold, node, modules, model = sys.argv[1:]
config = here / "promptfooconfig.yaml"


def of_promptfoo(url: str, home: Path) -> list:
    out = home / "promptfoo.json"
    quiet = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "PROMPTFOO_CONFIG_DIR": str(home)}
    main = Path(modules) / "promptfoo/dist/src/main.js"
    done = subprocess.run(
        [node, main, "eval", "-c", config, "--no-cache", "--no-progress-bar", "--no-table", "-j", "1", "-o", out],
        cwd=here, capture_output=True, text=True, env={**os.environ, **quiet, "STANDIN_URL": f"{url}/v1"})
    if not out.exists():
        raise SystemExit(done.stderr or done.stdout)
    rows = json.loads(out.read_text())["results"]["results"]
    rows.sort(key=lambda r: (r["testIdx"], r["promptIdx"]))
    return [{"prompt": r["prompt"]["raw"], "text": (r.get("response") or {}).get("output"), "pass": r["success"],
             "score": r["score"], "error": r.get("failureReason") == 2} for r in rows]


def of_freehold(url: str, home: Path) -> list:
    out = home / "freehold.json"
    done = subprocess.run(
        [freehold, "bench", "--api", f"openai:smollm2-135m@{url}/v1", "--api-greedy", "--prompts", config, "--repeats", "1",
         "--warmup", "0", "--cache", "natural", "--max-output-tokens", "24", "--yes", "-o", out],
        capture_output=True, text=True, env={**os.environ, "FREEHOLD_DATA_DIR": str(home / "data"), "OPENAI_API_KEY": "none"})
    if not out.exists():
        raise SystemExit(done.stderr)
    prompts = json.loads((home / "freehold.journal.jsonl").read_text().splitlines()[0])["basis"]["prompts"]
    samples = {s["prompt_id"]: s for s in json.loads(out.read_text())["result"]["samples"]}
    return [{"prompt": p["prompt"], "text": s["text"], "pass": s["pass"], "score": s["score"], "error": s["score"] is None}
            for p in prompts for s in [samples[p["id"]]]]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / "url"
        server = subprocess.Popen(
            [sys.executable, here.parents[2] / "scripts/standin-server.py", "--model", model, "--alias", "smollm2-135m",
             "--url-file", file, "--threads", "1"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            while not file.exists():
                if server.poll() is not None:
                    raise SystemExit("the server did not start")
            url = file.read_text().strip()
            theirs, ours = of_promptfoo(url, home), of_freehold(url, home)
        finally:
            server.stdin.close()
            server.wait()
    same_text = same_verdict = differ = 0
    left = list(theirs)
    for mine in ours:
        found = next((t for t in left if t["prompt"].strip() == mine["prompt"].strip()), None)
        if found is None:
            print("only freehold asks:", repr(mine["prompt"]))
            differ += 1
            continue
        left.remove(found)
        verdict = mine["error"] == found["error"] and (
            mine["error"] or (mine["pass"] == found["pass"] and abs(mine["score"] - found["score"]) < 1e-9))
        text = (mine["text"] or "").strip() == (found["text"] or "").strip()
        same_text += text
        same_verdict += verdict
        differ += text and not verdict
        if not (text and verdict):
            print(json.dumps({"promptfoo": found, "freehold": mine}, ensure_ascii=False, indent=1))
    for one in left:
        print("only promptfoo asks:", repr(one["prompt"]))
    print(f"{len(theirs)} requests by promptfoo, {len(ours)} by freehold; the same answer {same_text}, the same verdict and "
          f"score {same_verdict} (passes: {sum(t['pass'] for t in theirs)}, {sum(bool(m['pass']) for m in ours)})")
    return 1 if differ or left else 0


if __name__ == "__main__":
    raise SystemExit(main())
