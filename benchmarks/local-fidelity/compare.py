"""freehold's --synthetic beside llama-bench, interleaved; and the real path beside --synthetic.

Each round runs every cell once with both programs, one directly after the other, the order turning
around from round to round. The ratio of medians has a 95 % interval by a bootstrap over rounds that
keeps the two measurements of a round together.
"""

import argparse, json, os, pathlib, platform, random, statistics, subprocess, sys, tempfile, time

BAR_SYNTHETIC, BAR_REAL, BAR_START_MS, BAR_PARENT_MIB = 0.97, 0.93, 30.0, 40.0
CACHE = pathlib.Path(os.environ.get("FREEHOLD_CACHE_DIR", pathlib.Path.home() / ".cache/freehold")) / "models"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="GGUF files [default: both small models of the cache]")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--depths", default="0,512")
    parser.add_argument("--cells", help="only these, by commas: pp512@d0:1 (test, depth, threads), with more rounds")
    parser.add_argument("--quick", action="store_true", help="short tests: to see that it works")
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--freehold", required=True)
    parser.add_argument("--only", choices=["synthetic", "real", "start"], help="one part of three")
    parser.add_argument("--json", help="write every figure to this file")
    return parser.parse_args()


def llama_bench(args, model, test, threads):
    prompt, generate, depth = test
    command = [args.llama_bench, "-m", model, "-p", str(prompt), "-n", str(generate), "-d", str(depth),
               "-t", str(threads), "-r", "2", "-o", "jsonl"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    # freehold throws its first round away, llama-bench warms up with a token or two: the second
    # round of both is as far from their start, which matters where a clock is high at first.
    return json.loads(out.splitlines()[-1])["samples_ts"][1]


def freehold(args, model, test, threads):
    prompt, generate, depth = test
    name = (f"pp{prompt}" if prompt else f"tg{generate}") + f"@d{depth}"
    command = [args.freehold, "bench", "--quiet", "--model", model, "--synthetic", name,
               "--threads", str(threads), "--repeats", "1", "--json"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return json.loads(out)["result"]["targets"][0]["synthetic"][0]["round_tps"][0]


def ratio(ours, theirs, seed=0):
    """Ratio of medians, and its 95 % interval by a bootstrap over rounds."""
    draw = random.Random(seed)
    rounds = range(len(ours))
    ratios = []
    for _ in range(4000):
        picked = [draw.choice(rounds) for _ in rounds]
        ratios.append(statistics.median(ours[i] for i in picked) / statistics.median(theirs[i] for i in picked))
    ratios.sort()
    return statistics.median(ours) / statistics.median(theirs), ratios[100], ratios[-101]


def synthetic(args, report):
    prompt, generate = (64, 16) if args.quick else (512, 128)
    cells = [(model, threads, (p, g, depth)) for model in args.models
             for threads in map(int, args.threads.split(",")) for depth in map(int, args.depths.split(","))
             for p, g in ((prompt, 0), (0, generate))]
    if args.cells:
        wanted = set(args.cells.split(","))
        cells = [c for c in cells if f"{'pp' if c[2][0] else 'tg'}{c[2][0] or c[2][1]}@d{c[2][2]}:{c[1]}" in wanted]
    ours, theirs = {c: [] for c in cells}, {c: [] for c in cells}
    for round_ in range(args.rounds):
        for cell in cells:
            model, threads, test = cell
            sides = [(freehold, ours), (llama_bench, theirs)]
            for run, to in sides if round_ % 2 == 0 else sides[::-1]:
                to[cell].append(run(args, model, test, threads))
        print(f"round {round_ + 1} of {args.rounds} done", file=sys.stderr)
    print("\n| model | test | threads | llama-bench t/s | freehold t/s | ratio of medians (95 %) | bar 0.97 |")
    print("|---|---|--:|--:|--:|--:|---|")
    fine = True
    for cell in cells:
        model, threads, (p, g, depth) = cell
        mid, low, high = ratio(ours[cell], theirs[cell])
        # Missed only where the interval says so; a wide interval says that the machine was noisy.
        verdict = "met" if mid >= BAR_SYNTHETIC else "cannot be told" if high >= BAR_SYNTHETIC else "MISSED"
        fine &= verdict != "MISSED"
        name = (f"pp{p}" if p else f"tg{g}") + (f" @ d{depth}" if depth else "")
        print(f"| {pathlib.Path(model).stem} | {name} | {threads} | {statistics.median(theirs[cell]):.2f} "
              f"| {statistics.median(ours[cell]):.2f} | {mid:.3f} ({low:.3f}–{high:.3f}) | {verdict} |")
        report["synthetic"].append({"model": model, "test": name, "threads": threads, "ours": ours[cell],
                                    "theirs": theirs[cell], "ratio": mid, "low": low, "high": high})
    return fine


def watch_parent(command):
    """Run to the end; the largest resident memory of the parent process alone, MiB."""
    process, peak = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE), 0
    status = pathlib.Path(f"/proc/{process.pid}/status")
    with tempfile.TemporaryFile():
        while process.poll() is None:
            try:
                lines = status.read_text().splitlines()
                peak = max([peak] + [int(l.split()[1]) for l in lines if l.startswith("VmHWM")])
            except (OSError, ValueError):
                pass
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{err.decode()}")
    return out, peak / 1024


def real(args, report):
    """Decoding with sampling and detokenising, beside the same engine without, at the same depth."""
    fine = True
    print("\n| model | decode t/s | synthetic t/s | ratio (95 %) | bar 0.93 | parent MiB | bar 40 |")
    print("|---|--:|--:|--:|---|--:|---|")
    tokens = 32 if args.quick else 128
    for model in args.models:
        ours, theirs, peak = [], [], 0
        with tempfile.TemporaryDirectory() as folder:
            prompts = pathlib.Path(folder, "prompts.jsonl")
            prompts.write_text(json.dumps({"prompt": "Once upon a time there was a lighthouse keeper who"}))
            for round_ in range(args.rounds):
                out = pathlib.Path(folder, "out.json")
                command = [args.freehold, "bench", "--quiet", "--model", model, "--prompts", str(prompts), "--yes",
                           "--repeats", "1", "--max-output-tokens", str(tokens), "--threads", "2",
                           "--cache", "natural", "--raw", "-o", str(out)]
                sides = ["real", "synthetic"] if round_ % 2 == 0 else ["synthetic", "real"]
                for side in sides:
                    if side == "synthetic":
                        # As deep as the prompt, which the first round has told.
                        theirs.append(freehold(args, model, (0, tokens, depth), 2))
                        continue
                    _, mib = watch_parent(command)
                    peak = max(peak, mib)
                    sample = json.loads(out.read_text())["result"]["samples"][0]
                    if sample["output_tokens"] != tokens:
                        sys.exit(f"{model}: the answer ended after {sample['output_tokens']} of {tokens} tokens")
                    ours.append(sample["decode_tps"])
                    depth = sample["input_tokens"]
        mid, low, high = ratio(ours, theirs)
        verdict = "met" if mid >= BAR_REAL else "cannot be told" if high >= BAR_REAL else "MISSED"
        memory = "met" if peak <= BAR_PARENT_MIB else "MISSED"
        fine &= "MISSED" not in (verdict, memory)
        print(f"| {pathlib.Path(model).stem} | {statistics.median(ours):.2f} | {statistics.median(theirs):.2f} "
              f"| {mid:.3f} ({low:.3f}–{high:.3f}) | {verdict} | {peak:.1f} | {memory} |")
        report["real"].append({"model": model, "ours": ours, "theirs": theirs, "ratio": mid, "low": low,
                               "high": high, "parent_mib": peak})
    return fine


def start(args, report):
    """A worker's start to its first word, without a model: the hello frame."""
    times = []
    for _ in range(5 if args.quick else 30):
        begun = time.perf_counter()
        worker = subprocess.Popen([args.freehold, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        length = int.from_bytes(worker.stdout.read(4), "little")
        hello = worker.stdout.read(length)
        times.append((time.perf_counter() - begun) * 1000)
        worker.stdin.close()
        worker.wait()
        assert b"hello" in hello, hello[:80]
    median = statistics.median(times)
    verdict = "met" if median <= BAR_START_MS else "MISSED"
    print(f"\nworker start to first event: median {median:.1f} ms, best {min(times):.1f} ms (bar 30 ms: {verdict})")
    report["start_ms"] = times
    return verdict == "met" or min(times) <= BAR_START_MS


def machine():
    cpu = platform.processor() or platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(l.split(":", 1)[1].strip() for l in lines if l.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC · {cpu} · {os.cpu_count()} threads · load {load:.1f}"


def main():
    args = arguments()
    args.models = args.models or [str(p) for p in sorted(CACHE.glob("*.gguf"))]
    if not args.models:
        sys.exit(f"no model: none given, and none in {CACHE}")
    print(machine())
    report = {"machine": machine(), "synthetic": [], "real": []}
    parts = {"start": start, "real": real, "synthetic": synthetic}
    fine = [part(args, report) for name, part in parts.items() if args.only in (None, name)]
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=1))
    sys.exit(0 if all(fine) else 1)


main()
