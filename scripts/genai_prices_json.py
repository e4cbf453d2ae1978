"""Print the data of a `genai-prices` wheel as the JSON form the project itself publishes
(`data.json`: a list of providers).

The wheel holds the data as a Python module. It is read as a syntax tree and never run: only
literals and calls of known names (`Provider(...)`, `Decimal('3')`, `date(2026, 1, 1)`) are
understood, anything else is an error.

usage: genai_prices_json.py genai_prices-X.Y.Z-py3-none-any.whl > data.json
"""

import ast
import json
import sys
import zipfile

# Names of the module's classes whose JSON form is the object of their fields.
OBJECTS = {
    "Provider", "ModelInfo", "ModelPrice", "ConditionalPrice", "TieredPrices", "Tier",
    "PriceVariant", "StartDateConstraint", "TimeOfDateConstraint", "ClauseStartsWith",
    "ClauseEndsWith", "ClauseContains", "ClauseRegex", "ClauseEquals", "ClauseOr", "ClauseAnd",
}
# How usage is read from answers: not prices.
SKIPPED = {"extractors"}


def number(text):
    value = float(text)
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def call(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    if name == "Decimal":
        return number(convert(node.args[0]))
    if name in ("date", "datetime"):
        return "-".join(f"{int(convert(a)):02}" for a in node.args[:3])
    if name == "time":
        parts = [int(convert(a)) for a in node.args[:3]] + [0, 0]
        return "{:02}:{:02}:{:02}Z".format(*parts[:3])
    if name not in OBJECTS or node.args:
        raise SystemExit(f"line {node.lineno}: {name}(...) is not understood")
    return {
        key.arg.rstrip("_"): convert(key.value) for key in node.keywords if key.arg not in SKIPPED
    }


def convert(node):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [convert(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {convert(k): convert(v) for k, v in zip(node.keys, node.values)}
    if isinstance(node, ast.Call):
        return call(node)
    raise SystemExit(f"line {node.lineno}: {ast.dump(node)[:80]} is not understood")


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read("genai_prices/data.py"))
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and statement.target.id == "providers":
            json.dump(convert(statement.value), sys.stdout, indent=1, ensure_ascii=False)
            print()
            return
    raise SystemExit("no list of providers in genai_prices/data.py")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
