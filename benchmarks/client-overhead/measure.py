"""What the client of `freehold bench` costs and how exact its clock is, beside other load tools, in
one run against the exact-deadline server. Prints Markdown tables. Run by ./run.

usage: measure.py PART SERVER FREEHOLD TOOLS SOAK_SECONDS     PART: all, tools, many or soak
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PART = sys.argv[1]
SERVER, FREEHOLD, TOOLS = (os.path.abspath(a) for a in sys.argv[2:5])
TOOLS, SOAK = Path(TOOLS), float(sys.argv[5])
FOLDER = Path(tempfile.mkdtemp(prefix="client-overhead-"))
PROMPT = "Describe how bread is made, step by step."
# First token after 200 ms, then 50 tokens per second.
TTFT, GAP, TOKENS = 200, 20, 100


class Server:
    """The exact-deadline server, for as long as a `with` lasts."""

    def __init__(self, ttft=TTFT, gap=GAP, tokens=TOKENS):
        self.command = [SERVER, "0", str(ttft), str(gap), str(tokens)]

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.child.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait()

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats") as answer:
            return json.load(answer)


def environment():
    return dict(os.environ, NO_COLOR="1", OPENAI_API_KEY="none", CI="1")


def timed(command):
    """Seconds of processor time that a command and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(), cwd=FOLDER, timeout=900,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-600:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def bench(server, streams, tokens, extent, out="out"):
    prompts = FOLDER / "prompts.jsonl"
    prompts.write_text(json.dumps({"prompt": PROMPT}) + "\n")
    return [
        FREEHOLD, "bench", "--quiet", "--api", f"openai:m@{server.url}/v1", "--prompts", str(prompts), "--load-only",
        "--concurrency", str(streams), "--max-output-tokens", str(tokens), "--warmup", "0",
        *extent, "-o", str(FOLDER / f"{out}.json"),
    ]  # fmt: skip


def document(out="out"):
    return json.loads((FOLDER / f"{out}.json").read_text())["result"]


def table(columns, rows):
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


class Freehold:
    name, parses, there = "freehold", True, True

    def command(self, server, streams, requests):
        return bench(server, streams, TOKENS, ["--requests", str(requests)])

    def figures(self):
        """Mean time per token, median time to the first one, milliseconds."""
        samples = document()["load_samples"]
        return statistics.mean(s["tpot_ms"] for s in samples), statistics.median(s["ttft_ms"] for s in samples)

    def lag(self):
        lag = document()["targets"][0]["levels"][0]["detail"]["client_lag_ms"]
        return f"{lag['median']:.1f} / {lag['max']:.1f}"


class LlmBench:
    name, parses = "llm-bench (Rust)", True
    there = (TOOLS / "bin/llm-bench").exists()

    def command(self, server, streams, requests):
        return [
            str(TOOLS / "bin/llm-bench"), "run", "--openai-base-url", f"{server.url}/v1", "--models", "openai:m",
            "--prompts", PROMPT.replace(",", ""), "--runs", str(requests), "--concurrency", str(streams), "--stream",
            "--max-tokens", str(TOKENS), "--summary-file", str(FOLDER / "llm-bench.json"),
        ]  # fmt: skip

    def figures(self):
        found = {}

        def look(value):
            if isinstance(value, dict):
                for key, inner in value.items():
                    if isinstance(inner, dict) and ("p50" in inner or "mean" in inner):
                        found.setdefault(key, inner)
                    look(inner)
            elif isinstance(value, list):
                for inner in value:
                    look(inner)

        look(json.loads((FOLDER / "llm-bench.json").read_text()))
        tpot = next((v for k, v in found.items() if "per_output_token" in k or "tpot" in k), {})
        ttft = next((v for k, v in found.items() if "ttft" in k or "first_token" in k), {})
        return tpot.get("mean"), ttft.get("p50")


class Aiperf:
    name, parses = "aiperf (Python)", True
    there = (TOOLS / "venv/bin/aiperf").exists()

    def command(self, server, streams, requests):
        data = FOLDER / "aiperf.jsonl"
        data.write_text((json.dumps({"text": PROMPT}) + "\n") * requests)
        return [
            str(TOOLS / "venv/bin/aiperf"), "profile", "--model", "m", "--url", server.url, "--endpoint-type", "chat",
            "--streaming", "--use-server-token-count", "--tokenizer", str(tokenizer()), "--input-file", str(data),
            "--custom-dataset-type", "single_turn", "--concurrency", str(streams), "--request-count", str(requests),
            "--extra-inputs", f"max_tokens:{TOKENS}", "--ui", "none", "--output-artifact-dir", str(FOLDER / "aiperf"),
        ]  # fmt: skip

    def figures(self):
        report = json.loads((FOLDER / "aiperf/profile_export_aiperf.json").read_text())
        return report["inter_token_latency"]["avg"], report["time_to_first_token"]["p50"]


class Oha:
    name, parses = "oha (Rust)", False
    there = (TOOLS / "bin/oha").exists()

    def command(self, server, streams, requests):
        body = {"model": "m", "messages": [{"role": "user", "content": PROMPT}], "stream": True, "max_tokens": TOKENS,
                "stream_options": {"include_usage": True}}  # fmt: skip
        return [
            str(TOOLS / "bin/oha"), "-c", str(streams), "-n", str(requests), "-m", "POST", "-T", "application/json",
            "-d", json.dumps(body), "--no-tui", f"{server.url}/v1/chat/completions",
        ]  # fmt: skip

    def figures(self):
        return None, None


def tokenizer():
    """A tokenizer of three words: aiperf loads one whatever it counts by, and there is no network."""
    folder = FOLDER / "tokenizer"
    if not folder.exists():
        folder.mkdir()
        words = {"[UNK]": 0, "[EOS]": 1, "word": 2}
        model = {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"}
        (folder / "tokenizer.json").write_text(json.dumps({
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None, "model": model,
        }))  # fmt: skip
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "eos_token": "[EOS]"}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def measured(tool, streams, requests):
    """One run: processor seconds, events, and both errors against what the server really wrote."""
    with Server() as server:
        cpu = timed(tool.command(server, streams, requests))
        wrote = server.stats()
    tpot, ttft = tool.figures()
    return {
        "cpu": cpu,
        "events": wrote["events"],
        "tpot": None if tpot is None else tpot - wrote["tpot_ms"]["mean"],
        "ttft": None if ttft is None else ttft - wrote["ttft_ms"]["median"],
        "nominal": None if tpot is None or ttft is None else (tpot - GAP, ttft - TTFT),
        "late": wrote["late_ms"],
    }


def tools():
    levels = {1: 12, 8: 32, 64: 640}
    print(f"## The same load on each tool: {1000 // GAP} tokens/s a stream, first token after {TTFT} ms\n")
    rows, costs, kept = [], {}, True
    for tool in (tool() for tool in (Freehold, LlmBench, Aiperf, Oha) if tool.there):
        cells, lags = [], []
        try:
            # What it takes to start and to end is not the events' cost.
            start = timed_once(tool)
            for streams, requests in levels.items():
                # The better of two where it is about cost: the machine has other work.
                runs = [measured(tool, streams, requests) for _ in range(2 if streams == 64 else 1)]
                run = min(runs, key=lambda r: r["cpu"])
                cells.append(f"{signed(run['tpot'], 3)} / {signed(run['ttft'], 2)}")
                lags.append(f"{run['late']['median']:.1f} / {run['late']['max']:.0f}")
                if tool.name == "freehold":
                    tpot, ttft = run["nominal"]
                    kept &= abs(run["tpot"]) <= 0.1 and abs(run["ttft"]) <= 2
                    print(f"freehold at {streams}: mean TPOT − 20 ms {tpot:+.3f}, median TTFT − 200 ms {ttft:+.2f}")
        except (RuntimeError, OSError, KeyError, subprocess.TimeoutExpired) as error:
            print(f"\n{tool.name} could not be measured: {error}\n")
            continue
        per_event = (run["cpu"] - start) / run["events"] * 1e6
        costs[tool.name] = (per_event, tool.parses)
        lag = tool.lag() if hasattr(tool, "lag") else "not reported"
        rows.append([tool.name, "events" if tool.parses else "bytes only", *cells, f"{per_event:.1f}",
                     f"{run['cpu'] / run['events'] * 1e6:.1f}", lag, lags[-1]])  # fmt: skip
    print()
    table(
        ["tool", "reads", *(f"{n} stream{'s' * (n > 1)}: error of mean TPOT / median TTFT, ms" for n in levels),
         "processor µs per event", "with start and end", "client late ms, median / max",
         "server late ms at 64, median / max"],
        rows,
    )  # fmt: skip
    parsing = {name: cost for name, (cost, parses) in costs.items() if parses}
    print(f"Errors are against what the server really wrote. freehold within 0.1 and 2 ms: {'yes' if kept else 'NO'}.")
    print(f"Lowest cost of those that read events: {min(parsing, key=parsing.get)}.\n", flush=True)


def timed_once(tool):
    with Server(1, 1, 1) as server:
        return min(timed(tool.command(server, 1, 1)) for _ in range(2))


def signed(value, digits):
    return "–" if value is None else f"{value:+.{digits}f}"


def many():
    streams, tokens = 2000, 50
    print(f"## {streams:,} streams at once, {tokens} tokens each\n")
    rows = []
    for gap in (200, 100):
        with Server(2000, gap, tokens) as server:
            cpu = timed(bench(server, streams, tokens, ["--requests", str(streams * 2)]))
            wrote = server.stats()
        result = document()
        level = result["targets"][0]["levels"][0]
        samples = result["load_samples"]
        events = sum(s["content_events"] for s in samples)
        tpot = [s["tpot_ms"] for s in samples if s["tpot_ms"] is not None]
        lag = level["detail"]["client_lag_ms"]
        # The first of each place opened its connection; the second ones found all of them open.
        late = [max(s["client_lag_ms"] for s in samples if s["connection_reused"] is reused) for reused in (False, True)]
        rows.append([
            f"{1000 / gap:.0f}", level["detail"]["in_flight_max"], wrote["most_at_once"],
            f"{wrote['events'] - events} of {wrote['events']}", level["failures"],
            f"{statistics.mean(tpot) - wrote['tpot_ms']['mean']:+.3f}",
            f"{lag['median']:.0f} / {late[0]:.0f} / {late[1]:.0f}",
            f"{wrote['late_ms']['p99']:.0f} / {wrote['late_ms']['max']:.0f}", f"{cpu / wrote['events'] * 1e6:.1f}",
        ])  # fmt: skip
    table(
        ["tokens/s each", "at once, client", "at once, server", "events lost", "failed", "mean TPOT − written, ms",
         "client late ms: median / most while connecting / most after", "server late ms, p99 / max", "µs per event"],
        rows,
    )  # fmt: skip


def resident(child):
    """MiB of a process, or None once it is gone."""
    try:
        status = Path(f"/proc/{child.pid}/status").read_text()
    except OSError:
        return None
    sizes = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")]
    return sizes[0] / 1024 if sizes else None


def slope(points):
    """Least squares: how much the second number grows with the first."""
    mean = [statistics.mean(p[i] for p in points) for i in (0, 1)]
    over = sum((x - mean[0]) ** 2 for x, _ in points)
    return sum((x - mean[0]) * (y - mean[1]) for x, y in points) / over if over else 0.0


def soak():
    print(f"## Memory over {SOAK:.0f} s of 64 streams of 50 tokens/s\n")
    seen = []
    with Server() as server:
        command = bench(server, 64, TOKENS, ["--duration", f"{SOAK:.0f}s"], out="soak")
        begun = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=environment())  # fmt: skip
        while child.poll() is None:
            now = resident(child)
            if now:
                seen.append((time.monotonic() - begun, now))
            time.sleep(min(1, SOAK / 60))
        wrote = server.stats()
    while_sending = [(at, mib) for at, mib in seen if at <= SOAK]
    step = max(1, len(while_sending) // 20)
    table(["after s", "MiB"], [[f"{at:.0f}", f"{mib:.1f}"] for at, mib in while_sending[::step]])
    # The second half: by then every place of the loop has had its connection and its longest answer.
    steady = [(at, mib) for at, mib in while_sending if at >= SOAK / 2]
    per_second = slope(steady) * 1024
    per_request = per_second * SOAK / max(wrote["requests"], 1)
    level = document("soak")["targets"][0]["levels"][0]
    rows = [[wrote["requests"], wrote["events"], level["failures"], f"{per_second * 60:.1f}", f"{per_request:.2f}",
             f"{max(mib for _, mib in seen):.1f}"]]  # fmt: skip
    table(["requests", "events", "failed", "KiB a minute", "KiB a request", "most, writing the report included"], rows)


def main():
    cores = os.cpu_count()
    print(f"{time.strftime('%Y-%m-%d')}, {cores} cores, load average {os.getloadavg()[0]:.1f} at the start\n")
    parts = {"tools": tools, "many": many, "soak": soak}
    for name, part in parts.items():
        if PART in ("all", name):
            part()


main()
