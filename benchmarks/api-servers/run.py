"""Other people's servers in front of `bench`: does it read them right, and does it behave?

    python benchmarks/api-servers/run.py [--freehold PATH] [--model FILE.gguf]

- xllamacpp (PyPI): llama.cpp's own server and a real model, on its OpenAI, Responses and Anthropic
  endpoints. Our decode rate is held against the server's own count of the same answers.
- aimock (npm, @copilotkit/aimock): four wires whose first frame comes 400 ms late and holds no text.
  The first-token time must be that of the first text.
- llmock (PyPI): refuses requests at random and judges how a client takes it. Its own verdict must
  find nothing.

Everything listens on loopback; the packages are installed into a temporary folder. Ends with 1 where
one of these does not hold.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
XLLAMACPP = "xllamacpp==2026.10.11549"
AIMOCK = "@copilotkit/aimock@1.43.0"
LLMOCK = "llmock==0.2.2"
TEXT = "The capital of France is Paris, a city on the river Seine in the north of the country."

failures: list[str] = []


def check(ok: bool, what: str) -> None:
    print(("  ok    " if ok else "  FAIL  ") + what)
    if not ok:
        failures.append(what)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"a server ended by itself with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("a server did not start")


def bench(freehold: str, folder: Path, target: str, *more: str) -> dict:
    out = folder / "out.json"
    command = [freehold, "bench", "--prompts", str(folder / "prompts.jsonl"), "--api", target]
    done = subprocess.run(
        [*command, *more, "--json", "-o", str(out)],
        env={**os.environ, "FREEHOLD_API_KEY": "not-a-key"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    check(done.returncode == 0, f"{target}: bench ends with 0")
    if done.returncode != 0:
        print(done.stderr)
    return json.loads(out.read_text())["result"]


def median(samples: list[dict], name: str) -> float:
    return statistics.median(s[name] for s in samples if s[name] is not None)


def llama_cpp(freehold: str, folder: Path, python: str, model: str, tokens: int) -> None:
    print("llama.cpp's server (xllamacpp), SmolLM2")
    server = subprocess.Popen(
        [python, str(ROOT / "scripts/standin-server.py"), "--model", model, "--alias", "m", "--url-file", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = server.stdout.readline().strip()
    for provider, base in [("openai", url + "/v1"), ("openai-responses", url + "/v1"), ("anthropic", url)]:
        result = bench(freehold, folder, f"{provider}:m@{base}", *("--repeats", "3", "--max-output-tokens", str(tokens)))
        samples = result["samples"]
        check(all(s["error"] is None for s in samples), f"{provider}: every answer is whole")
        check(all(s["output_tokens"] for s in samples), f"{provider}: tokens are counted by the server")
        if all(s["engine_decode_tps"] for s in samples):
            # Answer by answer: what slows the machine down slows both counts of the same answer.
            ratio = statistics.median(s["decode_tps"] / s["engine_decode_tps"] for s in samples)
            rate = median(samples, "decode_tps")
            check(0.9 < ratio < 1.1, f"{provider}: decode {rate:.1f} tok/s, {ratio:.3f} of the server's own count")
        print(f"        TTFT {median(samples, 'ttft_ms'):.0f} ms, TTFB {median(samples, 'ttfb_ms'):.0f} ms")
    server.stdin.close()
    server.wait(30)


def aimock(freehold: str, folder: Path) -> None:
    print("aimock, first frame after 400 ms, then a frame each 25 ms")
    subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), AIMOCK], check=True)
    fixture = {
        "match": {"userMessage": "Capital"},
        "response": {"content": TEXT, "usage": {"input_tokens": 9, "output_tokens": 20}},
        "streamingProfile": {"ttft": 400, "tps": 40, "jitter": 0},
    }
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": [fixture]}))
    port = free_port()
    program = folder / "node_modules/.bin/llmock"
    server = subprocess.Popen(
        [str(program), "-p", str(port), "-f", str(folder / "fixtures.json"), "-c", "12", "--log-level", "silent"]
    )
    wait_for(port, server)
    base = f"http://127.0.0.1:{port}"
    # Frames before the first text: the role; four envelopes; the message's and the block's start; none.
    for provider, address, before in [
        ("openai", base + "/v1", 1),
        ("openai-responses", base + "/v1", 4),
        ("anthropic", base, 2),
        ("gemini", base, 0),
    ]:
        samples = bench(freehold, folder, f"{provider}:m@{address}", "--repeats", "5", "--cache", "natural")["samples"]
        first, text = median(samples, "ttfb_ms"), median(samples, "ttft_ms")
        check(text >= 400, f"{provider}: TTFT {text:.0f} ms is not before the server's delay")
        check(
            text - first >= before * 20,
            f"{provider}: TTFT is {text - first:.0f} ms after the first frame, {before} frames hold no text",
        )
        check(all(s["text"] == TEXT for s in samples), f"{provider}: the text is whole")
    server.terminate()
    server.wait(30)


def llmock(freehold: str, folder: Path, program: str) -> None:
    print("llmock, 30 % 429 and 20 % 503")
    port = free_port()
    server = subprocess.Popen(
        [program, "serve", "--port", str(port), "--error-rate", "429=0.3", "--error-rate", "503=0.2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(port, server)
    base = f"http://127.0.0.1:{port}"
    for provider, address in [
        ("openai", base + "/v1"),
        ("openai-responses", base + "/v1"),
        ("anthropic", base + "/anthropic"),
    ]:
        result = bench(freehold, folder, f"{provider}:gpt-4o@{address}", "--repeats", "8", "--retries", "6")
        target = result["targets"][0]
        print(f"        {target['requests']} requests, {target['retried']} tried again, {target['failures']} failed")
    verdict = subprocess.run(
        [program, "report", "--strict", "--url", base], capture_output=True, text=True, check=False
    )
    print(verdict.stdout.rstrip())
    check(verdict.returncode == 0, f"llmock report --strict ends with {verdict.returncode}")
    server.terminate()
    server.wait(30)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freehold", default=str(ROOT / "target/release/freehold"))
    parser.add_argument("--model", default=str(Path.home() / ".cache/freehold/models/smollm2-135m-instruct-q4_1.gguf"))
    parser.add_argument("--only", choices=["llama.cpp", "aimock", "llmock"], action="append")
    parser.add_argument("--tokens", type=int, default=48, help="longest answer of the real model")
    parser.add_argument("--python", help="an interpreter that has xllamacpp already; else it is installed")
    options = parser.parse_args()
    wanted = options.only or ["llama.cpp", "aimock", "llmock"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "prompts.jsonl").write_text('{"id": "capital", "prompt": "Capital of France?"}\n')
        bin_folder = folder / "venv/bin"
        needed = {"llama.cpp": None if options.python else XLLAMACPP, "llmock": LLMOCK}
        packages = [package for name, package in needed.items() if package and name in wanted]
        if packages:
            subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
            subprocess.run([str(bin_folder / "pip"), "install", "--quiet", *packages], check=True)
        if "aimock" in wanted:
            aimock(options.freehold, folder)
        if "llmock" in wanted:
            llmock(options.freehold, folder, str(bin_folder / "llmock"))
        if "llama.cpp" in wanted:
            python = options.python or str(bin_folder / "python")
            llama_cpp(options.freehold, folder, python, options.model, options.tokens)
    print("all as it should be" if not failures else f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
