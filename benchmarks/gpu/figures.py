"""What `run` measured, in lines and tables.

usage: figures.py engine|synthetic|load|llama-bench|batched-bench FILE    one line about a document
       figures.py vectors GPU.json CPU.json                               the same texts on both sides
       figures.py fit DOCS FREEHOLD MODEL.gguf NAME                       predictions beside the figures of a model
       figures.py report DOCS                                             all of it, as Markdown
"""

import csv, datetime, glob, json, os, statistics, subprocess, sys

GIB = 1 << 30
# The shapes of make-model.py as the catalogue names them.
CATALOGUE = {"llama-3.2-1b": "llama-3.2-1b-instruct", "llama-3.1-8b": "llama-3.1-8b-instruct",
             "llama-3.3-70b": "llama-3.3-70b-instruct"}


def target(path):
    with open(path) as file:
        return json.load(file)["result"]["targets"][0]


def lines(path):
    """JSON objects, one a line; other lines are passed over."""
    try:
        with open(path) as file:
            return [json.loads(line) for line in file if line.startswith("{")]
    except OSError:
        return []


def gib(value):
    return "–" if value is None else f"{value / GIB:.2f}"


def figure(value, digits=3):
    """Three significant digits, never in powers of ten."""
    if value is None:
        return "–"
    whole = len(str(int(abs(value))))
    return f"{value:.{max(0, digits - whole)}f}"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" if n == 0 else "--:" for n in range(len(head))) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def engine_line(path):
    e = target(path)["engine"]
    print(f"{e['device']}, driver {e['driver']}, backend {e['backend']}: {e['gpu_layers']} layers of {e['layers']} + output on "
          f"it, weights {gib(e['weights_bytes'])} + cache {gib(e['kv_bytes'])} + buffers {gib(e['compute_bytes'])} GiB, "
          f"{gib(e['device_bytes'])} on the device; catalogue: {e['hardware']}; loaded in {e['load_ms'] / 1e3:.1f} s")


def synthetic_line(path):
    print("; ".join(f"{t['test']} {figure(t['tps']['median'], 4)}" for t in target(path)["synthetic"]))


def levels_of(document):
    return document.get("levels") or document.get("load") or []


def load_line(path):
    print("tokens/s together: " + "; ".join(f"{n['concurrency']}: {figure(n['output_tps_system'], 4)}"
                                            for n in levels_of(target(path))))


def test_of(row):
    """llama-bench's row by freehold's name of the test."""
    name = f"pp{row['n_prompt']}" if row["n_prompt"] else f"tg{row['n_gen']}"
    return name + (f" @ d{row['n_depth']}" if row["n_depth"] else "")


def llama_bench_line(path):
    print("; ".join(f"{test_of(row)} {figure(statistics.median(row['samples_ts']), 4)}" for row in lines(path)))


def batched_bench_line(path):
    print("tokens/s together: " + "; ".join(f"{row['pl']}: {figure(row['speed_tg'], 4)}" for row in lines(path)))


def vectors_line(gpu, cpu):
    sides = [target(path) for path in (gpu, cpu)]
    texts = [side["embedding"]["texts"] for side in sides]
    dot = lambda a, b: sum(x * y for x, y in zip(a, b))
    alike = [dot(a["vector"], b["vector"]) for a, b in zip(*texts)]
    print(f"cosine of {len(alike)} texts' vectors on {sides[0]['engine']['device']} and {sides[1]['engine']['device']}: "
          f"{min(alike):.5f} to {max(alike):.5f}")
    if not alike or min(alike) < 0.99:
        sys.exit("the device computes something else")


class Fit:
    """`freehold fit` for one model, asked once for each context and concurrency."""

    def __init__(self, freehold, model, hardware):
        self.command = [freehold, "fit", "--json", "--model", model]
        self.command += ["--hardware", hardware, "--backend", "cuda"] if hardware else ["--hardware", "this"]
        self.known = {}

    def row(self, context, concurrency=1, *more):
        key = (context, concurrency, more)
        if key not in self.known:
            command = self.command + ["--context", str(context), "--concurrency", str(concurrency), *more]
            rows = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["result"]["rows"]
            self.known[key] = rows[0] if rows else None
        return self.known[key]

    def decode(self, depth, concurrency=1, *more):
        row = self.row(depth, concurrency, *more)
        return row and row["decode_tps"]

    def prefill(self, tokens, depth, *more):
        """At a depth: the time for all tokens less the time for those already there."""
        if not depth:
            row = self.row(tokens, 1, *more)
            return row and row["prefill_tps"]
        both, before = self.row(depth + tokens, 1, *more), self.row(depth, 1, *more)
        if not both or not before:
            return None
        speed = lambda key: tokens / ((depth + tokens) / both["prefill_tps"][key] - depth / before["prefill_tps"][key])
        return {key: speed(key) for key in ("low", "likely", "high")}


def predicted(fit, test, *more):
    if test["prompt_tokens"]:
        return fit.prefill(test["prompt_tokens"], test["depth_tokens"], *more)
    return fit.decode(test["depth_tokens"] + test["output_tokens"] // 2, 1, *more)


def calibrating(docs, name):
    """A document with requests one at a time, of another model."""
    for path in sorted(glob.glob(f"{docs}/load-*.json")):
        with open(path) as file:
            if json.load(file)["result"]["samples"] and path != f"{docs}/load-{name}.json":
                return path
    return None


def fits(docs, freehold, model, name):
    """Every figure of the model beside its prediction; the second round of a test is not asked again."""
    cells, memory, first = [], None, f"{docs}/synthetic-{name}.json"
    fit, calibration = None, calibrating(docs, name)
    if os.path.exists(first):
        found = target(first)
        engine = found["engine"]
        fit = Fit(freehold, model, engine["hardware"])
        row = fit.row(engine["context_tokens"])
        if row:
            memory = {"engine": {key: engine[key] for key in ("weights_bytes", "kv_bytes", "compute_bytes", "device_bytes")},
                      "predicted": row["memory"], "context": engine["context_tokens"]}
        for test in found["synthetic"]:
            cells.append({"cell": test["test"], "prompt_tokens": test["prompt_tokens"], "depth": test["depth_tokens"],
                          "output_tokens": test["output_tokens"], "concurrency": 1, "measured": test["tps"]["median"],
                          "rounds": test["round_tps"], "watts": test["busy_watts"], "token_j": test["token_j"]["median"],
                          "predicted": predicted(fit, test), "calibrated": predicted(fit, test, "--measured", calibration) if calibration else None})
    load = f"{docs}/load-{name}.json"
    if os.path.exists(load):
        with open(load) as file:
            result = json.load(file)["result"]
        found = result["targets"][0]
        fit = fit or Fit(freehold, model, found["engine"]["hardware"])
        answers = [s for s in result.get("load_samples", []) if s.get("output_tokens")]
        prompt = statistics.mean([s["input_tokens"] for s in answers]) if answers else 16
        tokens = statistics.mean([s["output_tokens"] for s in answers]) if answers else 128
        for level in levels_of(found):
            n, detail = level["concurrency"], level["detail"]
            cells.append({"cell": f"{n} at once", "prompt_tokens": round(prompt), "depth": round(prompt), "output_tokens": round(tokens),
                          "concurrency": n, "measured": level["output_tps_system"], "ttft_ms": level["ttft_ms"]["median"],
                          "tpot_ms": level["tpot_ms"]["median"], "watts": detail["busy_watts"],
                          "token_j": detail["output_token_j"], "failures": level["failures"],
                          "predicted": fit.decode(round(prompt + tokens / 2), n)})
    with open(f"{docs}/fit-{name}.json", "w") as file:
        json.dump({"model": name, "memory": memory, "cells": cells}, file, indent=1)
    inside = [c for c in cells if c["predicted"] and c["measured"]]
    good = sum(c["predicted"]["low"] <= c["measured"] <= c["predicted"]["high"] for c in inside)
    print(f"{name}: {good} of {len(inside)} figures are inside their band; " + "; ".join(
        f"{c['cell']} {c['measured'] / c['predicted']['likely']:.2f}" for c in inside))


def band(prediction):
    if not prediction:
        return "–"
    return f"{figure(prediction['likely'])} ({figure(prediction['low'])}–{figure(prediction['high'])})"


def ratio(measured, prediction):
    return f"{measured / prediction['likely']:.2f}" if measured and prediction else "–"


def in_order(pattern):
    """As they were written."""
    return sorted(glob.glob(pattern), key=os.path.getmtime)


def predictions(docs):
    found = [json.load(open(path)) for path in in_order(f"{docs}/fit-*.json")]
    for model in found:
        print(f"### {model['model']}\n")
        alone = [c for c in model["cells"] if "tpot_ms" not in c]
        if alone:
            table(["test", "predicted (band), tokens/s", "measured", "measured ÷ predicted", "÷ calibrated", "W", "J per token"],
                  [[c["cell"], band(c["predicted"]), figure(c["measured"], 4), ratio(c["measured"], c["predicted"]),
                    ratio(c["measured"], c.get("calibrated")), figure(c["watts"]), figure(c["token_j"])] for c in alone])
        loaded = [c for c in model["cells"] if "tpot_ms" in c]
        if loaded:
            table(["at once", "predicted (band), tokens/s together", "measured", "measured ÷ predicted", "TTFT, ms", "TPOT, ms", "W",
                   "J per token", "failed"],
                  [[c["concurrency"], band(c["predicted"]), figure(c["measured"], 4), ratio(c["measured"], c["predicted"]),
                    figure(c["ttft_ms"]), figure(c["tpot_ms"]), figure(c["watts"]), figure(c["token_j"]), c["failures"]] for c in loaded])
        if m := model["memory"]:
            engine, row = m["engine"], m["predicted"]
            print(f"Memory at a context of {m['context']}, GiB, engine and prediction: weights {gib(engine['weights_bytes'])} and "
                  f"{gib(row['weights_bytes'])}, cache {gib(engine['kv_bytes'])} and {gib(row['kv_cache_bytes'])}, buffers "
                  f"{gib(engine['compute_bytes'])} and {gib(row['buffers_bytes'])}, on the device {gib(engine['device_bytes'])}.\n")
    return found


def beside_llama_bench(docs):
    rows = []
    for path in sorted(glob.glob(f"{docs}/llama-bench-[!a]*.jsonl")):
        name = os.path.basename(path)[len("llama-bench-") : -len(".jsonl")]
        theirs, ours = {}, {}
        for file in (path, f"{docs}/llama-bench-again-{name}.jsonl"):
            for row in lines(file):
                theirs.setdefault(test_of(row), []).append(row["samples_ts"])
        for file in (f"{docs}/synthetic-{name}.json", f"{docs}/again-{name}.json"):
            if os.path.exists(file):
                for test in target(file)["synthetic"]:
                    ours.setdefault(test["test"], []).append(test["round_tps"])
        for test in [test for test in ours if test in theirs]:
            middle = lambda sides: statistics.median(v for rounds in sides for v in rounds)
            each = lambda sides: ", ".join(figure(statistics.median(rounds), 4) for rounds in sides)
            rows.append([name, test, each(theirs[test]), each(ours[test]), f"{middle(ours[test]) / middle(theirs[test]):.3f}"])
    if rows:
        print("## Beside llama-bench\n\nMedians of each process, in the order they ran by turns; both use the same libraries.\n")
        table(["model", "test", "llama-bench t/s", "freehold t/s", "ratio of medians"], rows)


def beside_batched_bench(docs):
    rows = []
    for path in sorted(glob.glob(f"{docs}/batched-bench-*.jsonl")):
        name = os.path.basename(path)[len("batched-bench-") : -len(".jsonl")]
        load = f"{docs}/load-{name}.json"
        ours = {n["concurrency"]: n for n in levels_of(target(load))} if os.path.exists(load) else {}
        for row in lines(path):
            mine = ours.get(row["pl"], {}).get("output_tps_system")
            rows.append([name, row["pl"], figure(row["speed_tg"], 4), figure(mine, 4), f"{mine / row['speed_tg']:.3f}" if mine else "–"])
    if rows:
        print("## Beside llama-batched-bench\n\nIt decodes random tokens and chooses none; freehold's requests are read, chosen, spelled and "
              "replaced as they end.\n")
        table(["model", "at once", "llama-batched-bench t/s", "freehold t/s together", "ratio"], rows)


def at_once(docs):
    """What llama-batched-bench computed together, and the step that each token took."""
    rows = []
    for path in in_order(f"{docs}/at-once-*.jsonl"):
        name = os.path.basename(path)[len("at-once-") : -len(".jsonl")]
        rows += [[name, row["pp"], row["pl"], figure(row["speed_tg"], 4), figure(1e3 * row["pl"] / row["speed_tg"])] for row in lines(path)]
    if rows:
        print("## Many at once (llama-batched-bench)\n")
        table(["model", "after, tokens", "at once", "tokens/s together", "ms per step"], rows)


def at_once_rows(docs):
    """The same in the form of benchmarks/published-speeds.toml, without the hardware's id."""
    today, out = datetime.date.today(), []
    for path in in_order(f"{docs}/at-once-*.jsonl"):
        shape, form = os.path.basename(path)[len("at-once-") : -len(".jsonl")].rsplit("-", 1)
        for row in lines(path):
            out += ["", "[[row]]", 'hardware = ""', f'model = "{CATALOGUE.get(shape, shape)}"', f'quantisation = "{form}"',
                    'backend = "llama.cpp/cuda"', f"depth = {row['pp']}", f"concurrency = {row['pl']}",
                    f"decode_tps = {row['speed_tg']:.1f}", f'published = "{today:%Y-%m}"', 'source = "benchmarks/gpu/run --at-once"',
                    f'as_of = "{today}"', 'note = "llama-batched-bench, random weights"']
    if out:
        with open(f"{docs}/rows-at-once.toml", "w") as file:
            file.write("\n".join(out) + "\n")


def speed_rows(docs, found):
    """In the form of benchmarks/published-speeds.toml, for the predictor's tables."""
    out = []
    engine = next((target(p)["engine"] for p in in_order(f"{docs}/synthetic-*.json")), None)
    if not engine or not engine["hardware"]:
        return
    today = datetime.date.today()
    for model in found:
        shape, form = model["model"].rsplit("-", 1)
        for c in model["cells"]:
            if not c["measured"]:
                continue
            reads = "tpot_ms" not in c and c["prompt_tokens"]
            out += ["", "[[row]]", f'hardware = "{engine["hardware"]}"', f'model = "{CATALOGUE.get(shape, shape)}"',
                    f'quantisation = "{form}"', 'backend = "llama.cpp/cuda"', f"prompt_tokens = {c['prompt_tokens']}",
                    f"depth = {c['depth']}", f"concurrency = {c['concurrency']}",
                    f"{'prefill' if reads else 'decode'}_tps = {c['measured']:.1f}", f'published = "{today:%Y-%m}"',
                    'source = "benchmarks/gpu/run"', f'as_of = "{today}"',
                    f'note = "{c["cell"]}, random weights, {engine["device"]}, driver {engine["driver"]}, {engine["build"]}"']
    with open(f"{docs}/rows.toml", "w") as file:
        file.write("\n".join(out) + "\n")


def watched(docs):
    try:
        with open(f"{docs}/nvml.csv") as file:
            rows = [r for r in csv.DictReader(file) if r["power_mw"] and r["energy_mj"] and r["unix_s"]]
    except OSError:
        return
    if len(rows) < 3:
        return
    at = [float(r["unix_s"]) for r in rows]
    power = [int(r["power_mw"]) / 1e3 for r in rows]
    integral = sum((b - a) * (p + q) / 2 for a, b, p, q in zip(at, at[1:], power, power[1:]))
    counter = (int(rows[-1]["energy_mj"]) - int(rows[0]["energy_mj"])) / 1e3
    print(f"Over {at[-1] - at[0]:.0f} s the driver counted {counter:.0f} J; its power reading twice a second sums to {integral:.0f} J "
          f"({integral / counter if counter else 0:.3f}). Power {min(power):.0f} to {max(power):.0f} W, SM clock up to "
          f"{max(int(r['sm_mhz'] or 0) for r in rows)} MHz, up to {max(int(r['temperature_c'] or 0) for r in rows)} °C, up to "
          f"{max(int(r['used_mib'] or 0) for r in rows)} MiB used.\n")


def report(docs):
    print(f"# The local engine on a GPU\n\n{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC\n")
    for path in in_order(f"{docs}/synthetic-*.json"):
        print(f"- {os.path.basename(path)[10:-5]}: ", end="")
        attempt(engine_line, path)
    print()
    for part in (beside_llama_bench, beside_batched_bench, at_once, at_once_rows, watched):
        attempt(part, docs)
    print("## Predicted and measured\n")
    found = attempt(predictions, docs) or []
    attempt(speed_rows, docs, found)
    for name in ("refusal", "partial-offload", "memory-gone", "same-vectors"):
        try:
            with open(f"{docs}/{name}.log") as file:
                print(f"## {name}\n\n```\n{file.read().strip()[-1500:]}\n```\n")
        except OSError:
            pass


def attempt(part, *arguments):
    """A table that cannot be made does not take the others with it."""
    try:
        return part(*arguments)
    except Exception as problem:
        print(f"({part.__name__.replace('_', ' ')}: {type(problem).__name__}: {problem})\n")


COMMANDS = {"engine": engine_line, "synthetic": synthetic_line, "load": load_line, "llama-bench": llama_bench_line,
            "batched-bench": batched_bench_line, "vectors": vectors_line, "fit": fits, "report": report}

if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
    sys.exit(__doc__)
COMMANDS[sys.argv[1]](*sys.argv[2:])
