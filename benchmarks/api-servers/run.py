"""Other people's servers in front of `bench`: does it read them right, and does it behave?

    python benchmarks/api-servers/run.py [--freehold PATH] [--model FILE.gguf]

- xllamacpp (PyPI): llama.cpp's own server and a real model, on its OpenAI, Responses and Anthropic
  endpoints. Our decode rate is held against the server's own count of the same answers.
- aimock (npm, @copilotkit/aimock): four wires whose first frame comes 400 ms late and holds no text.
  The first-token time must be that of the first text.
- llmock (PyPI): refuses requests at random and judges how a client takes it. Its own verdict must
  find nothing.
- litellm (PyPI, its proxy): the gateway that most people put before their models, here before aimock.
- conversation: an agent's ten turns on llama.cpp's server, with its prompt cache and without it. The
  server must be seen to reuse what was said before, and the last turns must begin sooner for it.
- lan: README's example of a server on one's own network, `gpu-box:8000`, in a network namespace of its
  own behind a pair of virtual cards (Linux, as root).

Everything else listens on loopback; the packages are installed into a temporary folder. Ends with 1
where one of these does not hold.
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
LITELLM = "litellm[proxy]"
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


def bench(freehold: str, folder: Path, target: str, *more: str, prompts="prompts.jsonl", before=()) -> dict:
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    command = [*before, freehold, "bench", "--prompts", str(folder / prompts), "--api", target]
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


def start_aimock(folder: Path) -> tuple[subprocess.Popen, str]:
    if not (folder / "node_modules").exists():
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
    return server, f"http://127.0.0.1:{port}"


def aimock(freehold: str, folder: Path) -> None:
    print("aimock, first frame after 400 ms, then a frame each 25 ms")
    server, base = start_aimock(folder)
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


def litellm(freehold: str, folder: Path, program: str) -> None:
    print("LiteLLM's proxy before aimock")
    mock, base = start_aimock(folder)
    upstream = {"model": "openai/m", "api_base": base + "/v1", "api_key": "not-a-key"}
    anthropic = {"model": "anthropic/m", "api_base": base, "api_key": "not-a-key"}
    config = {"model_list": [{"model_name": n, "litellm_params": p} for n, p in [("m", upstream), ("a", anthropic)]]}
    # It wants a key of its own unless told otherwise; here it is on loopback only.
    config["general_settings"] = {"dangerously_permit_weak_or_unset_master_key": True}
    (folder / "litellm.yaml").write_text(json.dumps(config))
    port = free_port()
    server = subprocess.Popen(
        [program, "--config", str(folder / "litellm.yaml"), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(port, server)
    proxy = f"http://127.0.0.1:{port}"
    for target in [f"openai:m@{proxy}/v1", f"openai:a@{proxy}", f"anthropic:a@{proxy}", f"openai-responses:m@{proxy}"]:
        samples = bench(freehold, folder, target, "--repeats", "3", "--cache", "natural")["samples"]
        check(all(s["text"] == TEXT for s in samples), f"{target}: the text is whole")
        check(all(s["output_tokens"] for s in samples), f"{target}: tokens are counted")
        check(median(samples, "ttft_ms") >= 400, f"{target}: TTFT {median(samples, 'ttft_ms'):.0f} ms")
    out = folder / "none.json"
    missing = subprocess.run(
        [freehold, "bench", "--prompts", str(folder / "prompts.jsonl"), "--api", f"openai:nobody@{proxy}/v1", "-o", str(out)],
        env={**os.environ, "FREEHOLD_API_KEY": "not-a-key"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = missing.stderr.strip().splitlines()
    check(missing.returncode == 1 and "nobody" in missing.stderr, f"a model it does not have: {said[-2] if said else ''}")
    for process in (server, mock):
        process.terminate()
        process.wait(30)


def agent() -> dict:
    """An agent that looks at a file, answers, and is asked on: nine recorded results, ten live answers."""
    rules = "You keep the books of a small bakery. Answer in one short sentence. " + " ".join(
        f"Rule {n}: amounts are in euros, dates as in 2026-11-{n:02}, and nothing is guessed." for n in range(1, 13)
    )
    messages = [{"role": "system", "content": rules}, {"role": "user", "content": "How did November begin?"}]
    for day in range(2, 11):
        messages.append({"role": "assistant"})
        messages.append({"role": "user", "content": f"The page of day {day}: flour 41, butter 17, sold 312. And now?"})
    return {"id": "agent", "messages": messages, "max_output_tokens": 16}


def ten_turns(name: str, of, less: float) -> None:
    """`of` measures with a way of caching; `less`: the last turn begins in less than so much of the time."""
    turns = {cache: of(cache)["targets"][0]["turns"] for cache in ("bust", "cold")}
    for cache, measured in turns.items():
        check(len(measured) == 10, f"{name}: ten turns, {cache}")
    if not all(turns.values()):
        return
    print("        turn  input tokens  cached  TTFT warm, ms  TTFT cold, ms")
    for warm, cold in zip(turns["bust"], turns["cold"], strict=False):
        row = [warm["tokens"]["input"], warm["tokens"]["cached_input"], warm["ttft_ms"]["median"], cold["ttft_ms"]["median"]]
        print(f"        {warm['turn'] + 1:4}  " + "  ".join("-" if v is None else f"{v:.0f}" for v in row))
    last = [turns[cache][-1] for cache in ("bust", "cold")]
    cached = [t["tokens"]["cached_input"] or 0 for t in last]
    check(cached[0] > 0.8 * last[0]["tokens"]["input"], f"{name}: the last turn finds {cached[0]:.0f} tokens")
    check(cached[1] < 0.1 * last[1]["tokens"]["input"], f"{name}: and {cached[1]:.0f} of them when cold")
    check(
        last[0]["ttft_ms"]["median"] < less * last[1]["ttft_ms"]["median"],
        f"{name}: the last turn begins in less than {less} of the time",
    )


def conversation(freehold: str, folder: Path, python: str, model: str) -> None:
    print("an agent's ten turns on the local engine and on llama.cpp's server")
    (folder / "agent.jsonl").write_text(json.dumps(agent()) + "\n")

    def local(cache: str) -> dict:
        out = folder / "local.json"
        command = [freehold, "bench", "--prompts", str(folder / "agent.jsonl"), "--model", model, "--cache", cache]
        subprocess.run([*command, "--repeats", "2", "--context", "4096", "--json", "-o", str(out)], check=True, stderr=subprocess.DEVNULL)
        return json.loads(out.read_text())["result"]

    ten_turns("local", local, 0.5)
    server = subprocess.Popen(
        [python, str(ROOT / "scripts/standin-server.py"), "--model", model, "--alias", "m", "--url-file", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = server.stdout.readline().strip()
    for target in [f"llama-server:m@{url}/v1", f"openai-responses:m@{url}/v1", f"anthropic:m@{url}"]:
        # The server says nothing of its cache in the shape of others, and takes no wish for a cold start there.
        ten_turns(
            target, lambda cache, target=target: bench(freehold, folder, target, "--cache", cache, "--repeats", "2", prompts="agent.jsonl"), 0.5
        )
    server.stdin.close()
    server.wait(30)


def lan(freehold: str, folder: Path, program: str) -> None:
    print("a server on one's own network: http://gpu-box:8000")

    def ip(*words: str, quiet=False) -> None:
        subprocess.run(["ip", *words], check=not quiet, stderr=subprocess.DEVNULL if quiet else None)

    box, desk = "freehold-box", "freehold-desk"
    names = Path("/etc/netns") / desk
    try:
        for space in (box, desk):
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
        ip("link", "add", "fh0", "netns", box, "type", "veth", "peer", "name", "fh1", "netns", desk)
        for space, card, address in [(box, "fh0", "10.77.0.2/24"), (desk, "fh1", "10.77.0.1/24")]:
            ip("-n", space, "addr", "add", address, "dev", card)
            ip("-n", space, "link", "set", card, "up")
        names.mkdir(parents=True)
        (names / "hosts").write_text("127.0.0.1 localhost\n10.77.0.2 gpu-box\n")
        server = subprocess.Popen(
            ["ip", "netns", "exec", box, program, "serve", "--host", "10.77.0.2", "--port", "8000"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        at_the_desk = ["ip", "netns", "exec", desk]
        for _ in range(600):
            look = "import socket; socket.create_connection(('gpu-box', 8000), 1)"
            if subprocess.run([*at_the_desk, sys.executable, "-c", look], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                break
            time.sleep(0.1)
        target = "openai:gpt-4o@http://gpu-box:8000/v1"
        refused = subprocess.run(
            [*at_the_desk, freehold, "bench", "--prompts", str(folder / "prompts.jsonl"), "--api", target, "--yes"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        check(refused.returncode == 2 and "--allow-http gpu-box" in refused.stderr, "without --allow-http it is refused")
        samples = bench(freehold, folder, target, "--allow-http", "gpu-box", "--yes", before=at_the_desk)["samples"]
        check(all(s["error"] is None for s in samples), f"with it every answer is whole: {samples[0]['text'][:40]!r}")
        server.terminate()
        server.wait(30)
    finally:
        for space in (box, desk):
            ip("netns", "del", space, quiet=True)
        (names / "hosts").unlink(missing_ok=True)
        if names.exists():
            names.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freehold", type=os.path.abspath, default=str(ROOT / "target/release/freehold"))
    parser.add_argument("--model", default=str(Path.home() / ".cache/freehold/models/smollm2-135m-instruct-q4_1.gguf"))
    parts = ["llama.cpp", "aimock", "llmock", "litellm", "conversation", "lan"]
    parser.add_argument("--only", choices=parts, action="append")
    parser.add_argument("--tokens", type=int, default=48, help="longest answer of the real model")
    parser.add_argument("--python", help="an interpreter that has xllamacpp already; else it is installed")
    parser.add_argument("--bin", help="a folder with llmock and litellm already; else they are installed")
    options = parser.parse_args()
    wanted = options.only or parts
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "prompts.jsonl").write_text('{"id": "capital", "prompt": "Capital of France?"}\n')

        def install(part: str, *packages: str) -> Path:
            """A folder of programs with these packages."""
            place = folder / part
            if not place.exists():
                subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
                subprocess.run([str(place / "bin/pip"), "install", "--quiet", *packages], check=True)
            return place / "bin"

        def program(name: str, package: str) -> str:
            return str(Path(options.bin) / name if options.bin else install(name, package) / name)

        def python() -> str:
            return options.python or str(install("xllamacpp", XLLAMACPP) / "python")

        if "aimock" in wanted:
            aimock(options.freehold, folder)
        if "llmock" in wanted:
            llmock(options.freehold, folder, program("llmock", LLMOCK))
        if "litellm" in wanted:
            litellm(options.freehold, folder, program("litellm", LITELLM))
        if "llama.cpp" in wanted:
            llama_cpp(options.freehold, folder, python(), options.model, options.tokens)
        if "conversation" in wanted:
            conversation(options.freehold, folder, python(), options.model)
        if "lan" in wanted:
            lan(options.freehold, folder, program("llmock", LLMOCK))
    print("all as it should be" if not failures else f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
