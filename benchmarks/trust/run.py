"""What must not break when everything else does: kills, races, signals, full disks, little memory, keys.

    python benchmarks/trust/run.py [--freehold PATH] [--only PART ...]

- kills: a run is killed (SIGKILL) at a random moment and resumed, over and over: no paid answer is lost or
  asked for again.
- races: two resumes of one journal at the same moment: one goes on, the other says that it does, nothing is
  asked twice.
- signals: INT, TERM, HUP and a stop of two seconds at random moments: the exit code that shells expect, a
  report of what was measured, a journal that can be gone on with.
- disk: a file system of 64 KiB (tmpfs, as root): the journal is whole as far as it goes, the message names
  --replay.
- memory: under `ulimit -v` the run ends in order or with a message, never without one.
- canary: a key that is one known text, through every command and fault: it, and it in base64, hexadecimal,
  spaced, upper case, URL-encoded and JSON-escaped, is in nothing that is printed or written.

Everything listens on loopback. Prints counts; ends with 1 where one of these does not hold.
"""

import argparse
import base64
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CANARY = "sk-CANARY-7f3a9c17e2b84d60a1b2c3d4"
PROMPTS = 12
failures: list[str] = []


def check(ok: bool, what: str) -> None:
    if not ok:
        failures.append(what)
        print("  FAIL  " + what)


class Server:
    """Answers every chat request slowly; counts how often each prompt was answered to the end."""

    def __init__(self, pause: float = 0.004, answer=None):
        self.pause, self.answer = pause, answer
        self.finished: dict[str, int] = {}
        self.asked = 0
        self.lock = threading.Lock()
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/v1"
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        try:
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    head += piece
                head, body = head.split(b"\r\n\r\n", 1)
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
                while len(body) < length:
                    body += connection.recv(65536)
                with self.lock:
                    self.asked += 1
                if self.answer:
                    connection.sendall(self.answer(head.decode()))
                    connection.close()
                    return
                text = json.loads(body)["messages"][-1]["content"]
                name = text[text.rindex("prompt ") :].split()[1]
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

                def send(value):
                    data = b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"
                    connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")

                for n in range(4):
                    send({"choices": [{"index": 0, "delta": {"content": f"w{n} "}, "finish_reason": None}]})
                    time.sleep(self.pause)
                send({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                send({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}})
                send(b"[DONE]")
                connection.sendall(b"0\r\n\r\n")
                with self.lock:
                    self.finished[name] = self.finished.get(name, 0) + 1
        except OSError:
            pass


def place(folder: Path, server: Server) -> tuple[list[str], dict]:
    (folder / "prompts.jsonl").write_text(
        "".join(json.dumps({"id": f"p{n}", "prompt": f"prompt {n} please"}) + "\n" for n in range(PROMPTS))
    )
    environment = {
        **os.environ,
        "FREEHOLD_API_KEY": CANARY,
        "HOME": str(folder),
        "FREEHOLD_CACHE_DIR": str(folder / "cache"),
    }
    more = ["--api", f"openai:m@{server.url}", "-o", "out.json", "--yes", "--json"]
    return more, environment


def first(freehold: str, more: list[str], repeats: int = 1) -> list[str]:
    return [freehold, "bench", "--prompts", "prompts.jsonl", "--repeats", str(repeats), "--warmup", "0", *more]


def resume(freehold: str, more: list[str]) -> list[str]:
    return [freehold, "bench", "--resume", "out.journal.jsonl", *more]


def start(command: list[str], folder: Path, environment: dict, **more) -> subprocess.Popen:
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)


def samples(folder: Path) -> list[dict]:
    return json.loads((folder / "out.json").read_text())["result"]["samples"]


def noted(folder: Path) -> list[str]:
    """Prompts whose answer the journal has."""
    path = folder / "out.journal.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    found = []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if value.get("line") == "sample":
            found.append(json.dumps(value["step"]))
    return found


def under_way(folder: Path, server: Server) -> bool:
    """Is a request under way? The server has it, and the journal has no answer to what was sent last. For a
    program that stands still: what the two say does not change meanwhile."""
    with server.lock:
        there = server.asked > sum(server.finished.values())
    path = folder / "out.journal.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return there and bool(lines) and json.loads(lines[-1]).get("line") == "sent"


def kills(freehold: str, count: int) -> None:
    done = rounds = again = 0
    while done < count:
        with tempfile.TemporaryDirectory() as name:
            folder, server = Path(name), Server()
            more, environment = place(folder, server)
            process = start(first(freehold, more), folder, environment)
            time.sleep(random.uniform(0.02, 0.5))
            for _ in range(100):
                killed = process.poll() is None
                if killed:
                    process.kill()
                    done += 1
                process.communicate()
                if not killed or done >= count:
                    break
                journal = (folder / "out.journal.jsonl").exists()
                process = start(resume(freehold, more) if journal else first(freehold, more), folder, environment)
                time.sleep(random.uniform(0.02, 0.5))
            if not (folder / "out.json").exists():
                journal = (folder / "out.journal.jsonl").exists()
                process = start(resume(freehold, more) if journal else first(freehold, more), folder, environment)
                _, said = process.communicate()
                if "this run is complete" in said:
                    # Killed between the last answer and the report.
                    process = start([freehold, "bench", "--replay", "out.journal.jsonl", "-o", "out.json", "--json"], folder, environment)
                    _, said = process.communicate()
                check(process.returncode == 0, f"kills: the last resume ends with {process.returncode}: {said[-300:]}")
            measured = [s["prompt_id"] for s in samples(folder)]
            check(sorted(measured) == sorted({f"p{n}" for n in range(PROMPTS)}), f"kills: measured {sorted(measured)}")
            # What was under way at a kill is asked again, once for each kill at most.
            again += sum(n - 1 for n in server.finished.values())
            rounds += 1
    check(again <= done, f"kills: {again} answers came twice in {done} kills")
    print(f"kills: {done} in {rounds} runs; every prompt measured once; {again} answers that were under way came again")


def races(freehold: str, count: int) -> None:
    both = refused = 0
    for _ in range(count):
        with tempfile.TemporaryDirectory() as name:
            folder, server = Path(name), Server(0.01)
            more, environment = place(folder, server)
            process = start(first(freehold, more), folder, environment)
            for _ in range(400):
                if len(noted(folder)) >= 3 or process.poll() is not None:
                    break
                time.sleep(0.005)
            process.kill()
            process.communicate()
            before = dict(server.finished)
            two = [start(resume(freehold, more), folder, environment) for _ in range(2)]
            said = [p.communicate()[1] for p in two]
            codes = sorted(p.returncode for p in two)
            both += codes == [0, 0]
            refused += 0 in codes and codes != [0, 0]
            check(0 in codes, f"races: the resumes end with {codes}: {said}")
            measured = sorted(s["prompt_id"] for s in samples(folder))
            check(measured == sorted({f"p{n}" for n in range(PROMPTS)}), f"races: measured {measured}")
            twice = [p for p, n in server.finished.items() if n - before.get(p, 0) > 1]
            check(not twice, f"races: {twice} were paid for twice")
    print(f"races: {count} pairs of resumes; in {refused} one of the two was refused, in {both} it came when all was done; nothing paid twice")


def signals(freehold: str, count: int) -> None:
    expected = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
    seen: dict[str, int] = {}
    stops = marked = between = 0
    for n in range(count):
        with tempfile.TemporaryDirectory() as name:
            folder, server = Path(name), Server(0.03)
            more, environment = place(folder, server)
            process = start(first(freehold, more), folder, environment)
            time.sleep(random.uniform(0.35, 0.7))
            if n % 4 == 3:
                process.send_signal(signal.SIGSTOP)
                while Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "TZ":
                    time.sleep(0.001)
                hit = under_way(folder, server)
                time.sleep(2.2)
                process.send_signal(signal.SIGCONT)
                process.communicate()
                check(process.returncode == 0, f"signals: after a stop it ends with {process.returncode}")
                stops += hit
                # Between two requests, before the first or after the last there is nothing to mark.
                between += not hit
                marked += hit and any(s.get("clock_gap_ms") for s in samples(folder))
                continue
            which = list(expected)[n % 4]
            early = not (folder / "out.journal.jsonl").exists()
            process.send_signal(which)
            _, said = process.communicate(timeout=60)
            code = process.returncode
            if code == 0:
                seen["done before"] = seen.get("done before", 0) + 1
                continue
            key = f"{which.name} {code}"
            seen[key] = seen.get(key, 0) + 1
            check(code in (expected[which], -which), f"signals: {which.name} ends with {code}: {said[-200:]}")
            if early:
                continue
            check((folder / "out.json").exists(), f"signals: {which.name} leaves no report: {said[-200:]}")
            process = start(resume(freehold, more), folder, environment)
            process.communicate()
            measured = sorted(s["prompt_id"] for s in samples(folder))
            check(measured == sorted({f"p{n}" for n in range(PROMPTS)}), f"signals: after {which.name} measured {measured}")
    check(marked == stops, f"signals: {marked} of {stops} stops are marked")
    print(f"signals: {count}: {seen}; {stops} stops of 2.2 s while a request was under way, {marked} marked as a clock gap; {between} fell between two")


def disk(freehold: str) -> None:
    if os.geteuid() != 0:
        print("disk: needs root for a small file system; left out")
        return
    with tempfile.TemporaryDirectory() as name:
        folder, server = Path(name), Server(0)
        small = folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True)
        try:
            more, environment = place(folder, server)
            more = ["--api", f"openai:m@{server.url}", "-o", "small/out.json", "--yes", "--json"]
            process = start(first(freehold, more, 40), folder, environment)
            _, said = process.communicate(timeout=120)
            check(process.returncode not in (0, -signal.SIGXFSZ), f"disk: it ends with {process.returncode}")
            check("--replay" in said, f"disk: the message does not name --replay: {said[-400:]}")
            lines = (small / "out.journal.jsonl").read_bytes().split(b"\n")
            broken = 0
            for line in lines[:-1]:
                try:
                    json.loads(line)
                except ValueError:
                    broken += 1
            check(broken == 0, f"disk: {broken} lines of the journal are broken")
            replay = start([freehold, "bench", "--replay", "small/out.journal.jsonl", "-o", "again.json", "--json"], folder, environment)
            _, again = replay.communicate(timeout=60)
            measured = len(json.loads((folder / "again.json").read_text())["result"]["samples"]) if (folder / "again.json").exists() else 0
            check(measured > 0, f"disk: nothing is replayed: {again[-300:]}")
            print(f"disk: 64 KiB: ends with {process.returncode}, {len(lines) - 1} whole lines, {measured} samples replayed; says: {next((line for line in said.splitlines() if '--replay' in line), '')[:160]}")
        finally:
            subprocess.run(["umount", str(small)], check=False)


def memory(freehold: str) -> None:
    ends: dict[int, int] = {}
    for mebibytes in (56, 58, 60, 62, 64, 66, 70, 80, 100, 150, 200, 300, 500):
        with tempfile.TemporaryDirectory() as name:
            folder, server = Path(name), Server(0)
            more, environment = place(folder, server)
            line = f"ulimit -v {mebibytes * 1024}; exec \"$@\""
            # Less than the program itself takes: the system cannot start it.
            if subprocess.run(["sh", "-c", line, "sh", freehold, "--version"], capture_output=True, check=False).returncode != 0:
                continue
            process = start(["sh", "-c", line, "sh", *first(freehold, more)], folder, environment)
            _, said = process.communicate(timeout=120)
            ends[mebibytes] = process.returncode
            check(process.returncode == 0 or said.strip() != "", f"memory: with {mebibytes} MiB it ends with {process.returncode} and says nothing")
            check("panicked" not in said, f"memory: with {mebibytes} MiB it panics: {said[-300:]}")
            check(CANARY not in said, f"memory: the key is in what is said with {mebibytes} MiB")
    print("memory: ulimit -v in MiB and the exit code: " + ", ".join(f"{m}: {c}" for m, c in ends.items()))


def forms(key: str) -> dict[str, str]:
    raw = key.encode()
    header = f"Bearer {key}".encode()
    return {
        "plain": key,
        "upper": key.upper(),
        "lower": key.lower(),
        "base64": base64.b64encode(raw).decode().rstrip("="),
        "base64 of the header": base64.b64encode(header).decode().rstrip("="),
        "base64url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "spaced": " ".join(key),
        "dashed": "-".join(key[13:]),
        "url": urllib.parse.quote(key, safe="").replace("-", "%2D"),
        "reversed": key[::-1],
        "json": "".join(f"\\u{ord(c):04x}" for c in key),
        "half": key[:20],
    }


def canary(freehold: str) -> None:
    echoes = forms(CANARY)
    runs = hits = 0

    def look(what: str, folder: Path, *texts: str) -> None:
        nonlocal hits
        files = [p.read_bytes().decode("utf8", "replace") for p in folder.rglob("*") if p.is_file()]
        for name, form in echoes.items():
            if name in ("reversed", "half"):
                continue
            for text in [*texts, *files]:
                if form in text:
                    hits += 1
                    check(False, f"canary: {what}: {name} is there: …{text[max(0, text.index(form) - 60) : text.index(form)]}")

    # A server that says the key back, in each form, as an error and as an answer.
    for name, form in echoes.items():
        said = json.dumps({"error": {"message": f"invalid key {form} given", "code": 400}}).encode()
        refuse = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(said) + said
        chunk = json.dumps({"choices": [{"index": 0, "delta": {"content": f"key {form} end"}, "finish_reason": "stop"}]})
        stream = ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" f"data: {chunk}\n\ndata: [DONE]\n\n").encode()
        for answer in (refuse, stream):
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                server = Server(answer=lambda _, answer=answer: answer)
                more, environment = place(folder, server)
                done = subprocess.run(first(freehold, more), cwd=folder, env=environment, capture_output=True, text=True, check=False)
                runs += 1
                look(f"an echo ({name})", folder, done.stdout, done.stderr)
    # Every command, and the usual mistakes.
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        server = Server(0)
        more, environment = place(folder, server)
        for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "HF_TOKEN"):
            environment[variable] = CANARY
        subprocess.run(first(freehold, more), cwd=folder, env=environment, capture_output=True, check=False)
        lines = [
            "doctor", "doctor --json", "fit", "fit --hardware all --json", "db list", "db age", "db path", "help environment",
            "help metrics", "advise --profile legal", "advise --profile legal --json", "report out.json", "report out.json --format html",
            "report out.json --format csv", "bench --replay out.journal.jsonl", "bench --resume out.journal.jsonl", "runs", "schema bench",
            "bench --api openai:nobody --prompts prompts.jsonl --dry-run", "bench --api openai:m@https://127.0.0.1:1/v1 --prompts prompts.jsonl --yes",
            "bench --model hf:nobody/nothing --prompts prompts.jsonl", "fit --model https://127.0.0.1:1/m.gguf", "explain out.json", "prompts prompts.jsonl",
            "usage prompts.jsonl", "deploy out.json -o d", "review out.json", "breakeven --help", "--version",
        ]
        for line in lines:
            done = subprocess.run([freehold, *line.split()], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
            runs += 1
            look(line, folder, done.stdout, done.stderr)
    print(f"canary: {runs} runs, {len(echoes)} forms of the key; found {hits} times")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freehold", type=os.path.abspath, default=str(ROOT / "target/release/freehold"))
    parts = ["kills", "races", "signals", "disk", "memory", "canary"]
    parser.add_argument("--only", choices=parts, action="append")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--races", type=int, default=40)
    parser.add_argument("--signals", type=int, default=60)
    options = parser.parse_args()
    if not shutil.which(options.freehold):
        sys.exit(f"there is no program {options.freehold}")
    wanted = options.only or parts
    if "kills" in wanted:
        kills(options.freehold, options.kills)
    if "races" in wanted:
        races(options.freehold, options.races)
    if "signals" in wanted:
        signals(options.freehold, options.signals)
    if "disk" in wanted:
        disk(options.freehold)
    if "memory" in wanted:
        memory(options.freehold)
    if "canary" in wanted:
        canary(options.freehold)
    print("all as it should be" if not failures else f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
