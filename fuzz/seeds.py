"""Seeds for the targets, from what lies here anyway: fixtures, examples, and the cases beside the project
where they are there. usage: seeds.py [MODEL]"""

import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import tomllib
except ImportError:  # before Python 3.11: fewer seeds
    tomllib = None

root = pathlib.Path(__file__).resolve().parents[1]
fixtures = root / "tests/fixtures"
beside = root.parent / "shared/testdata"


def seed(target, name, data):
    folder = root / "fuzz/corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def files(target, folder, pattern):
    for file in sorted(folder.glob(pattern)):
        if file.is_file():
            with file.open("rb") as opened:
                name = "-".join([folder.name, *file.relative_to(folder).parts])
                seed(target, name, opened.read(1 << 17))


# What was found before, and is a test now.
for kept in sorted(fixtures.glob("fuzz/*")):
    files(kept.name, kept, "*")
files("prompts", root / "examples/demo", "*.jsonl")
files("prompts", fixtures / "quality/promptfoo", "**/*.yaml")
for folder in ["bench", "documents", "before"]:
    files("documents", fixtures / folder, "*.json")
files("documents", root / "docs", "**/*.json")
for folder, pattern in [("profiles", "*.toml"), ("examples", "*.toml"), ("hardware-db", "rentals.toml")]:
    files("settings", root / folder, pattern)
files("settings", fixtures / "prices", "*")
files("usage", beside / "usage", "*.*")
files("usage", beside / "usage", "*-dir/**/*.jsonl")
if len(sys.argv) > 1 and pathlib.Path(sys.argv[1]).is_file():
    with open(sys.argv[1], "rb") as model:
        seed("gguf", "model", model.read(1 << 16))
maker = root.parent / "shared/tools/gguf/tiny.py"
if maker.is_file():
    with tempfile.TemporaryDirectory() as folder:
        models = pathlib.Path(folder, "tiny")
        models.mkdir()
        subprocess.run([sys.executable, maker, models], check=True, stdout=subprocess.DEVNULL)
        files("gguf", models, "*.gguf")
# The recorded answers: a letter that picks the wire, then the body.
for letter, wire in zip("ABCDE", ["openai", "responses", "anthropic", "gemini", "ollama"]):
    if tomllib:
        cases = tomllib.loads((fixtures / f"wires/{wire}.toml").read_text("utf-8"))["case"]
        for number, case in enumerate(cases):
            seed("wires", f"{wire}-{number}", letter + case["body"])
            seed("sse", f"{wire}-{number}", case["body"])
for number, case in enumerate(json.loads((fixtures / "templates/python.json").read_text("utf-8"))["cases"]):
    seed("templates", f"python-{number}", case["template"])
if (beside / "promptfoo/cases.json").is_file():
    for case in json.loads((beside / "promptfoo/cases.json").read_text("utf-8")):
        answer = case["answer"] if isinstance(case["answer"], str) else json.dumps(case["answer"])
        seed("graders", case["id"], json.dumps(case["assertions"]) + "\n" + answer)
