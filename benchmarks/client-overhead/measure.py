"""What the client of `freehold bench` costs and how exact its clock is, beside other load tools, in
one run against the exact-deadline server. Prints Markdown tables. Run by ./run.

usage: measure.py SERVER FREEHOLD TOOLS SOAK_SECONDS
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

SERVER, FREEHOLD, TOOLS = (os.path.abspath(a) for a in sys.argv[1:4])
TOOLS, SOAK = Path(TOOLS), float(sys.argv[4])
FOLDER = Path(tempfile.mkdtemp(prefix="client-overhead-"))
PROMPT = "Describe how bread is made, step by step."


class Server:
    """The exact-deadline server, for as long as a `with` lasts."""

    def __init__(self, ttft, gap, tokens):
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


def timed(command, **more):
    """Seconds of processor time and of the clock that a command and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    environment = dict(os.environ, NO_COLOR="1", OPENAI_API_KEY="none", CI="1", **more.pop("env", {}))
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-600:]}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu, time.monotonic() - begun


def bench(server, streams, tokens, extent, warmup=1, out="out"):
    prompts = FOLDER / "prompts.jsonl"
    prompts.write_text(json.dumps({"prompt": PROMPT}) + "\n")
    return [
        FREEHOLD, "bench", "--quiet", "--api", f"openai:m@{server.url}/v1", "--prompts", str(prompts), "--load-only",
        "--concurrency", str(streams), "--max-output-tokens", str(tokens), "--warmup", str(warmup),
        *extent, "-o", str(FOLDER / f"{out}.json"),
    ]  # fmt: skip


def table(columns, rows):
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


def document(out="out"):
    return json.loads((FOLDER / f"{out}.json").read_text())["result"]


def exactness():
    print("## Exactness: 50 tokens/s, first token after 200 ms\n")
    rows = []
    for streams in (1, 8, 64):
        with Server(200, 20, 100) as server:
            timed(bench(server, streams, 100, ["--requests", str(max(12, streams * 4))]))
            wrote = server.stats()
        samples = document()["load_samples"]
        tpot = statistics.mean(s["tpot_ms"] for s in samples)
        ttft = statistics.median(s["ttft_ms"] for s in samples)
        lag = document()["targets"][0]["levels"][0]["detail"]["client_lag_ms"]
        ok = abs(tpot - 20) <= 0.1 and abs(ttft - 200) <= 2
        rows.append([
            streams, len(samples), f"{tpot - 20:+.3f}", f"{tpot - wrote['tpot_ms']['mean']:+.3f}", f"{ttft - 200:+.2f}",
            f"{ttft - wrote['ttft_ms']['median']:+.2f}", f"{lag['median']:.1f} / {lag['max']:.1f}",
            f"{wrote['late_ms']['median']:.2f} / {wrote['late_ms']['max']:.1f}", "yes" if ok else "NO",
        ])  # fmt: skip
    table(
        ["streams", "requests", "mean TPOT − 20 ms", "mean TPOT − written", "median TTFT − 200 ms",
         "median TTFT − written", "client late ms, median / max", "server late ms, median / max",
         "within 0.1 and 2 ms"],
        rows,
    )  # fmt: skip


def load_tools(server, streams, requests, tokens):
    """Name, version, does it parse, command: those that are installed."""
    chat = f"{server.url}/v1/chat/completions"
    body = {"model": "m", "messages": [{"role": "user", "content": PROMPT}], "stream": True, "max_tokens": tokens,
            "stream_options": {"include_usage": True}}  # fmt: skip
    yield "freehold", "its events", bench(server, streams, tokens, ["--requests", str(requests)], warmup=0)
    oha = TOOLS / "bin/oha"
    if oha.exists():
        yield "oha", "no: bytes only", [
            str(oha), "-c", str(streams), "-n", str(requests), "-m", "POST", "-T", "application/json",
            "-d", json.dumps(body), "--no-tui", chat,
        ]  # fmt: skip
    llm_bench = TOOLS / "bin/llm-bench"
    if llm_bench.exists():
        yield "llm-bench", "its events", [
            str(llm_bench), "run", "--openai-base-url", f"{server.url}/v1", "--models", "openai:m", "--prompts",
            PROMPT.replace(",", ""), "--runs", str(requests), "--concurrency", str(streams), "--stream",
            "--max-tokens", str(tokens),
        ]  # fmt: skip
    guidellm = TOOLS / "venv/bin/guidellm"
    if guidellm.exists():
        data = FOLDER / "guidellm.jsonl"
        data.write_text("".join(json.dumps({"prompt": PROMPT, "output_tokens_count": tokens}) + "\n" for _ in range(requests)))
        yield "guidellm", "its events", [
            str(guidellm), "benchmark", "run", "--target", server.url, "--model", "m", "--data", str(data),
            "--profile", "concurrent", "--rate", str(streams), "--max-requests", str(requests),
            "--outputs", "json", "--output-dir", str(FOLDER), "--disable-console",
        ]  # fmt: skip


def cost():
    streams, tokens = 64, 100
    requests = 640
    print(f"## Processor time: {streams} streams of 50 tokens/s, {requests} requests of {tokens} tokens\n")
    rows = []
    with Server(200, 20, tokens) as server:
        tools = list(load_tools(server, streams, requests, tokens))
        for name, parses, command in tools:
            for _ in range(2):  # the smaller of two: the machine has other work
                try:
                    cpu, clock = timed(command, cwd=FOLDER)
                except (RuntimeError, OSError) as error:
                    print(f"{name} could not be measured: {error}\n")
                    server.stats()
                    break
                wrote = server.stats()
                rows.append((name, parses, cpu, clock, wrote))
    best = {}
    for row in rows:
        if row[0] not in best or row[2] < best[row[0]][2]:
            best[row[0]] = row
    table(
        ["tool", "parses", "processor s", "clock s", "events written", "µs per event"],
        [
            [name, parses, f"{cpu:.2f}", f"{clock:.1f}", wrote["events"], f"{cpu / max(wrote['events'], 1) * 1e6:.1f}"]
            for name, parses, cpu, clock, wrote in best.values()
        ],
    )
    parsing = {name: row[2] / max(row[4]["events"], 1) for name, row in best.items() if row[1] != "no: bytes only"}
    if len(parsing) > 1:
        print(f"Lowest of those that parse: {min(parsing, key=parsing.get)}.\n")


def many():
    streams, tokens = 2000, 50
    print(f"## {streams:,} streams at once, {tokens} tokens each\n")
    rows = []
    for gap in (200, 100):
        with Server(2000, gap, tokens) as server:
            cpu, clock = timed(bench(server, streams, tokens, ["--requests", str(streams * 2)], warmup=0))
            wrote = server.stats()
        result = document()
        level = result["targets"][0]["levels"][0]
        samples = result["load_samples"]
        events = sum(s["content_events"] for s in samples)
        tpot = [s["tpot_ms"] for s in samples if s["tpot_ms"] is not None]
        lag = level["detail"]["client_lag_ms"]
        rows.append([
            f"{1000 / gap:.0f}", level["detail"]["in_flight_max"], wrote["most_at_once"],
            f"{wrote['events'] - events} of {wrote['events']}", level["failures"],
            f"{statistics.mean(tpot) - wrote['tpot_ms']['mean']:+.3f}",
            f"{lag['median']:.0f} / {lag['p99']:.0f} / {lag['max']:.0f}",
            f"{wrote['late_ms']['p99']:.0f} / {wrote['late_ms']['max']:.0f}", f"{cpu / wrote['events'] * 1e6:.1f}",
        ])  # fmt: skip
    table(
        ["tokens/s each", "at once, client", "at once, server", "events lost", "failed", "mean TPOT − written, ms",
         "client late ms, median / p99 / max", "server late ms, p99 / max", "µs per event"],
        rows,
    )  # fmt: skip


def soak():
    print(f"## Memory over {SOAK:.0f} s of 64 streams of 50 tokens/s\n")
    seen = []
    with Server(200, 20, 100) as server:
        command = bench(server, 64, 100, ["--duration", f"{SOAK:.0f}s"], out="soak")
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def look():
            while child.poll() is None:
                try:
                    status = Path(f"/proc/{child.pid}/status").read_text()
                except OSError:
                    return
                for line in status.splitlines():
                    if line.startswith("VmRSS:"):
                        seen.append(int(line.split()[1]) / 1024)
                time.sleep(1)

        looking = threading.Thread(target=look)
        looking.start()
        child.wait()
        looking.join()
        wrote = server.stats()
    # The last seconds write the report.
    steady = seen[: max(1, len(seen) - 3)]
    at = lambda share: f"{steady[min(int(len(steady) * share), len(steady) - 1)]:.1f}"
    table(
        ["requests", "events", "MiB at 10 %", "at 50 %", "at 90 %", "most, report included", "failed"],
        [[wrote["requests"], wrote["events"], at(0.1), at(0.5), at(0.9), f"{max(seen):.1f}",
          document("soak")["targets"][0]["levels"][0]["failures"]]],
    )  # fmt: skip


def main():
    cores = os.cpu_count()
    print(f"{time.strftime('%Y-%m-%d')}, {cores} cores, load average {os.getloadavg()[0]:.1f} at the start\n")
    for part in (exactness, cost, many, soak):
        part()


main()
