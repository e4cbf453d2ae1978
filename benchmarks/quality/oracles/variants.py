"""The configurations in tests/fixtures/quality/promptfoo, made up: every kind of assertion with answers on its edges.

    python variants.py FOLDER           # writes FOLDER/NAME/promptfooconfig.yaml and the files beside it
    python promptfoo.py NODE NODE_MODULES FOLDER/*
"""

import itertools
import json
import sys
from pathlib import Path

parent = Path(sys.argv[1])


def config(name: str, tests: list, files: dict | None = None, **more) -> None:
    """JSON is YAML, and says nothing by accident."""
    folder = parent / name
    folder.mkdir(parents=True, exist_ok=True)
    body = {"providers": ["echo"], "prompts": ["{{answer}}"], **more, "tests": tests}
    (folder / "promptfooconfig.yaml").write_text(json.dumps(body, ensure_ascii=False) + "\n", encoding="utf-8")
    for path, text in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def one(answer: str, kind: str, value=None, **more) -> dict:
    assertion = {"type": kind, **({} if value is None else {"value": value}), **more}
    return {"vars": {"answer": answer}, "assert": [assertion]}


def each(answers: list, kinds: list, values: list, **more) -> list:
    return [one(a, k, v, **more) for a, k, v in itertools.product(answers, kinds, values)]


def both(*kinds: str) -> list:
    return [*kinds, *("not-" + k for k in kinds)]


TEXTS = [
    "The delivery leaves Tromsø on Friday, 7 March.",
    "the DELIVERY leaves tromsø",
    "Grüße aus Österreich – 東京で会いましょう 🚚",
    "  padded  ",
    "two\nlines and a tab\there",
    "ΑΒΓ ΣΊΣΥΦΟΣ İstanbul straße",
]
config("plain-text", [
    *each(TEXTS[:2], both("equals"), ["the DELIVERY leaves tromsø"]),
    *each(["42", "42.0", "042"], both("equals"), [42, "42"]),
    *each(["true", "True"], ["equals"], [True, "true"]),
    *each(['{"b": [1, 2], "a": null}', '{"a":null,"b":[1,2.0]}', '{"a": null, "b": [2, 1]}'], both("equals"),
          [{"a": None, "b": [1, 2]}]),
    *each(TEXTS, both("contains", "icontains"), ["tromsø", "ÖSTERREICH", "σίσυφοσ"]),
    *each(TEXTS[:3], both("starts-with"), ["The", "  ", "Grüße"]),
    *each(TEXTS[:4], both("contains-any", "contains-all"), [["Friday", "March"], "Friday, leaves", '"7 March", "x, y"']),
    *each(TEXTS[1:6], both("icontains-any", "icontains-all"), [["TROMSØ", "LEAVES"], "TAB, LINES", "STRASSE,SS,istanbul"]),
])

config("patterns", [
    *each(["order 2024-03-07 shipped", "Order #A-17\nshipped", "naïve façade", "x" * 40, "🚚🚚", ""], both("regex"), [
        r"^order", r"\b\d{4}-\d\d-\d\d\b", r"(?<year>\d{4})-(?:\d\d)", r"#([A-Z])-\d+$", r"(?=.*shipped)(?!.*lost)",
        r"^[\w\s]+$", r"^.{2}$", r"(x+x+)y?$", r"\u00ef", "[^]", r"(?<!#)A", r"é|ï|ç",
    ]),
    *each(["aa", "ab"], ["regex"], [r"^(.)\1$", r"^a{1,2}$", r"[a-", r"(", r"a**", r"\p{L}", r"{", r"]", r"a{,2}"]),
])

SCHEMA = {"type": "object", "required": ["sku"], "additionalProperties": False,
          "properties": {"sku": {"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}, "qty": {"type": "integer", "minimum": 1},
                         "tags": {"type": "array", "items": {"enum": ["new", "sale"]}, "uniqueItems": True, "maxItems": 2}}}
JSONS = [
    '{"sku": "AB-12", "qty": 3}', '{"sku": "ab-12"}', '{"sku": "AB-12", "qty": 0}', '{"sku": "AB-12", "tags": ["new", "new"]}',
    '{"sku": "AB-12", "extra": 1}', '[{"sku": "AB-12"}]', 'Here: {"sku": "ZZ-9", "tags": ["sale"]} done', '```json\n{"sku": "AB-1"}\n```',
    'first {"qty": 1} then {"sku": "QQ-2"}', '{"sku": "AB-12",}', "{'sku': 'AB-12'}", '"AB-12"', "nothing at all", "{sku: AB-3}", "",
    '{"sku": "AB-12", "qty": 2.0}', '{"sku": "AB-12", "qty": 1e2}',
]
config("json", [
    *[one(a, k, **({"value": s} if s else {})) for a in JSONS for k in both("is-json", "contains-json") for s in (None, SCHEMA)],
    *each(['{"when": "2024-02-30", "mail": "a@b.co"}', '{"when": "2024-02-29", "mail": "a b"}'], ["is-json"], [
        {"properties": {"when": {"format": "date"}}}, {"properties": {"mail": {"format": "email"}}},
        {"if": {"required": ["mail"]}, "then": {"required": ["phone"]}},
        {"oneOf": [{"required": ["when"]}, {"required": ["mail"]}]}, {"not": {"required": ["phone"]}},
        {"propertyNames": {"maxLength": 3}}, {"minProperties": 3}, {"patternProperties": {"^w": {"type": "number"}}},
        {"dependencies": {"when": ["mail"]}}, {"const": {}}, {"properties": {"when": False}}]),
    *each(["7", "7.5", "null", "[]", "[1,2,3]"], ["is-json"], [
        {"type": "number", "multipleOf": 0.5}, {"type": ["null", "integer"]}, {"type": "array", "contains": {"const": 2}},
        {"type": "array", "items": [{"type": "integer"}], "additionalItems": False}]),
])

MARKUP = ["<r><a>1</a><b/></r>", "<r><a>1</b></r>", "text <r><a>1</a></r> text", "<p>Hi<br>there</p>", "<!DOCTYPE html><html><body>x</body></html>",
          "a < b and c > d", "<b>bold</b> words", "<?xml version=\"1.0\"?><r a='1'>&amp;</r>", "", "<r/>"]
config("markup", [
    *[one(a, k, **({"value": v} if v else {})) for a in MARKUP for k in both("is-xml", "contains-xml") for v in (None, "r.a")],
    *[one(a, "is-xml", {"requiredElements": ["r.a", "r.b"]}) for a in MARKUP[:3]],
    *[one(a, k) for a in MARKUP for k in both("is-html", "contains-html")],
])

PAIRS = [("the cat sat on the mat", "the cat sat on a mat"), ("kitten", "sitting"), ("", "something"), ("same words", "same words"),
         ("東京 は 大きい", "東京 は 小さい"), ("One, two; three!", "one two three"), ("naïve café", "naive cafe"), ("a a a a", "a"),
         ("one two three four five", "five four three two one"), ("🚚", "🚗")]
config("text-scores", [
    *[one(a, k, v, **({} if t is None else {"threshold": t})) for a, v in PAIRS for k, t in itertools.product(
        ("levenshtein", "not-levenshtein", "rouge-n", "not-rouge-n", "bleu", "gleu", "not-gleu"), (None, 0.3))],
    *[one(a, k, [v, "a second reference here"], threshold=0.4) for a, v in PAIRS[:4] for k in ("bleu", "gleu")],
    *[one(a, "levenshtein", v, threshold=n) for a, v in PAIRS[:3] for n in (0, 3, 9)],
])

WORDS = ["one two three", "", "  spaced   out  ", "hyphen-ated it's", "日本 語", "a\nb\tc d"]
config("counts", [
    *each(WORDS, both("word-count"), [3, {"min": 2}, {"max": 3}, {"min": 2, "max": 4}]),
    *[one(a, k) for k in both("is-refusal") for a in (
        "I'm sorry, but I can't help with that.", "As an AI language model, I cannot do this", "Sure! Here you go.", "I won't be able to",
        "Unfortunately, I am unable to assist.", "My apologies, that is impossible", "Sorry!", "It is not appropriate to say", "I can help",
        "Ich kann dabei nicht helfen.", "i am just an assistant", "Can't say I know", "I must decline", "That's not something I can do")],
])

SQLS = ["SELECT id, name FROM users WHERE age > 30", "SELEC id FROM users", "DELETE FROM users", "SELECT * FROM orders o JOIN users u ON u.id = o.user_id",
        "INSERT INTO users (id) VALUES (1)", "```sql\nSELECT 1\n```", "Use this: SELECT name FROM users", "", "UPDATE users SET name = 'x' WHERE id = 2;"]
config("sql", [
    *[one(a, k) for a in SQLS for k in both("is-sql", "contains-sql")],
    *[one(a, "is-sql", {"databaseType": "PostgreSQL", "allowedTables": ["select::null::users"]}) for a in SQLS[:4]],
])

config("sets", [
    {"vars": {"answer": a}, **({} if t is None else {"threshold": t}), "assert": [
        {"type": "contains", "value": "alpha", "weight": w, "metric": "m"},
        {"type": "assert-set", **({} if s is None else {"threshold": s}), "weight": 2, "metric": "set", "assert": [
            {"type": "contains", "value": "beta", "metric": "m"}, {"type": "not-contains", "value": "gamma", "weight": 3},
            {"type": "rouge-n", "value": "alpha beta", "threshold": 0.5, "metric": "r"}]}]}
    for a in ("alpha beta", "beta gamma", "alpha", "delta") for t in (None, 0, 0.5, 0.8) for s in (None, 0.6) for w in (1, 0)
])

REFERENCES = {"type": "object", "definitions": {"n": {"type": "object", "required": ["v"], "properties": {
    "v": {"type": "integer"}, "next": {"$ref": "#/definitions/n"}}}}, "properties": {"first": {"$ref": "#/definitions/n"}}}
config("edges", [
    # A score that is exactly the threshold.
    *[one(a, k, v, threshold=t) for a, v, t in [
        ("北京 是 中国 的 首都", "北京 是 首都", 0.75), ("a b c d", "a b c x", 0.75), ("one two", "one two three", 0.8), ("a b c", "a b x y z", 0.5)]
      for k in both("rouge-n", "gleu")],
    one("a b c d e f g h", "bleu", "a b c d x f g h", threshold=0.5),
    *each(["{", "so {", "so { ", "} {", "{}{"], both("contains-json"), [None]),
    *each(["&nbsp;<b>x</b>", "hi<html><body>x</body></html>", "<p>a</p> <html><body>x</body></html>", "<!-- c --><body>x</body>",
           "<title>t</title><body>x</body>", "<b>x</b>&nbsp;", "<b>x</b>&amp;", "<img src=x><body>y</body>"], both("is-html"), [None]),
    *each(["SELECT WHERE", "SELECT TOP 3 a FROM t", "SELECT a FROM t WHERE 1 = 1"], both("is-sql"), [{"databaseType": "MySQL"}]),
    *each(["SELECT a FROM t", "SELECT b FROM t", "SELECT a, b FROM t ORDER BY a", "UPDATE t SET a = 1"], ["is-sql"],
          [{"databaseType": "MySQL", "allowedColumns": ["select::t::a"]}]),
    # References in a mapping would be looked for in the configuration; in a text they are the schema's own.
    *each(['"aGk"', '"PT1H"', '"a"', "5", "null", '{"first": {"v": 1, "next": {"v": 2}}}', '{"first": {"v": 1, "next": {"v": "2"}}}'], both("is-json"), [True, *map(json.dumps, [
        {"type": "string", "contentEncoding": "base64"}, {"type": "string", "contentMediaType": "application/json"},
        {"$ref": "#/definitions/s", "maxLength": 1, "definitions": {"s": {"type": "string"}}},
        {"not": {"$ref": "#/definitions/s", "type": "number"}, "definitions": {"s": {"type": "string"}}},
        {"$schema": "http://json-schema.org/schema#", "type": "string"}, {"enum": []}, {"$ref": "#"}, {"$ref": "#/definitions/none"},
        {"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}},
        {"properties": {"nullable": {"type": "string"}, "$ref": {"type": "string"}, "contentEncoding": {"type": "string"}}}, REFERENCES])]),
    *[one(a, "equals", v) for a, v in [
        ("a-b-c", "{% set c = joiner('-') %}{% for x in all.list %}{{ c() }}{{ x }}{% endfor %}"), ("a,b,c", "{% set c = joiner() %}{% for x in all.list %}{{ c() }}{{ x }}{% endfor %}"),
        ("xyx", "{% set c = cycler('x', 'y') %}{% for i in all.list %}{{ c.next() }}{% endfor %}"),
        ("x xy", "{% set c = cycler('x', 'y') %}{{ c.current }}{{ c.next() }} {{ c.reset() }}{{ c.next() }}{{ c.next() }}"),
        ("6", "{{ [1, 2, 3] | sum }}"), ("0", "{{ 'abc' | sum }}"), ("7", "{{ people | sum('n') }}")]],
], defaultTest={"vars": {"all": {"list": ["a", "b", "c"]}, "people": [[{"n": 3}, {"n": 4}]]}})

FILTERS = ["{{ name | upper }}", "{{ name | capitalize }}", "{{ name | title }}", "{{ list | join('-') }}", "{{ list | length }}", "{{ list | first }}",
           "{{ list | last | upper }}", "{{ n + 1 }}", "{{ n * 2 - 1 }}", "{{ n / 4 }}", "{{ n // 2 }}", "{{ n ** 2 }}", "{{ n % 3 }}", "{{ name ~ n }}",
           "{{ missing }}", "{{ missing | default('none') }}", "{{ 'yes' if n > 3 else 'no' }}", "{% if n == 7 %}seven{% else %}other{% endif %}",
           "{% for x in list %}{{ loop.index }}{{ x }} {% endfor %}", "{% set k = n %}{{ k }}", "{{ name | replace('a', 'o') }}", "{{ name | truncate(3) }}",
           "{{ list | dump }}", "{{ obj.a.b }}", "{{ obj['a']['b'] }}", "{{ list[1] }}", "{{ name | reverse }}", "{{ list | sort | join }}",
           "{{ n | round }}", "{{ '3.75' | float | round(1) }}", "{{ '12' | int + 1 }}", "{{ name | wordcount }}", "{{ '<b>' | escape }}",
           "{{ name.length }}", "{{ name.toUpperCase() }}", "{{ name.split('').join('.') }}", "{# note #}x", "{% raw %}{{ name }}{% endraw %}",
           "{{ list | reverse | join(',') }}", "{{ [1, 2, 3] | sum }}", "{{ name | indent(2) }}", "{{ name | center(9) }}|", "{{ name | string | trim }}",
           "{{ list | random | length > 0 }}", "{{ n is odd }}", "{{ n is divisibleby(7) }}", "{{ name is defined }}", "{{ 'a' in list }}",
           "{{ not missing }}", "{{ range(0, 4) | join }}", "{{ list | batch(2) | length }}", "{{ list | select('equalto', 'b') | join }}",
           "{{ obj | dump }}", "{{ n | abs }}", "{{ -7 | abs }}", "{{ name | first }}", "{{ name | list | join('_') }}", "{{ name | urlencode }}",
           "{{ name | nl2br }}", "{{ 'a b' | wordcount }}", "{%- if true %} tight {%- endif %}", "{{ 1 < 2 and 2 < 3 }}", "{{ n == '7' }}", "{{ n === '7' }}"]
config("filters", [
    {"vars": {"name": "anna b", "n": 7, "all": {"list": ["b", "c", "a"]}, "obj": {"a": {"b": "deep"}}}, "assert": [{"type": "not-contains", "value": "{{n}}"}]},
    {"vars": {"name": "", "n": "7", "all": {"list": []}, "obj": {}}},
    {"vars": {"name": "Zoë <i>", "n": -2.5, "all": {"list": ["x"]}, "obj": {"a": {"b": None}}}},
], prompts=[f"{i}\n{f.replace('list', 'all.list')}" for i, f in enumerate(FILTERS) if "random" not in f and "| list" not in f])

config("vars-in-vars", [
    {"vars": {"answer": a, "who": "Anna", "n": 7, "o": {"k": "v"}}} for a in (
        "{{who}}", "{{ who | upper }}", "{{o.k}}", "{{n}} and {{ who }}", "{{nobody}}", "{{ n + 1 }}", "{% if n %}y{% endif %}", "{{ 'lit' }}", "{{answer2}}",
        "{# c #}{{who}}", "{{ who", "}} {{", "{{o}}")
] + [
    {"vars": {"answer": "Hello Anna, 7", "who": "Anna", "n": 7},
     "assert": [{"type": "contains", "value": v}]} for v in ("{{who}}", "{{ who | lower }}", "{{n}}", "{{ n - 1 }}", "{{nobody}}", "{{who}}, {{n}}")
] + [
    {"vars": {"answer": "x=7", "n": 7, "word": "x"}, "assert": [{"type": "contains-any", "value": ["{{word}}=8", "{{word}}={{n}}"], "metric": "has-{{word}}"}]}
])

config("matrix", [
    {"vars": {"city": ["Oslo", "Rome", "Kyōto"], "unit": ["km", "mi"], "answer": "{{city}} is 5 {{unit}} away", "n": [1, 2]},
     "assert": [{"type": "contains", "value": "{{city}} is 5 km"}]},
    {"vars": {"city": ["Oslo"], "answer": "{{city}}", "o": {"k": ["x", "y"]}}, "assert": [{"type": "equals", "value": "Oslo"}]},
    {"vars": {"answer": ["a", "b"], "city": []}, "assert": [{"type": "equals", "value": "a"}]},
    {"vars": {"answer": ["{{city}}!", "{{city}}?"], "city": ["Oslo", "Rome"]}, "options": {"disableVarExpansion": True},
     "assert": [{"type": "contains", "value": "Oslo"}]},
], prompts=["{{answer}}", "Again: {{answer}} {{n}}"])

config("default-test", [
    {"vars": {"answer": "mine"}, "assert": [{"type": "equals", "value": "mine"}]},
    {"vars": {"name": "Bo"}},
    {"vars": {"answer": "other {{name}}"}, "threshold": 0.4, "assert": [{"type": "contains", "value": "nope"}]},
    {"description": "options of its own", "vars": {"answer": "pre"}, "options": {"prefix": ">>", "suffix": "<<"}, "assert": [{"type": "equals", "value": ">>pre<<"}]},
], defaultTest={"vars": {"answer": "shared {{name}}", "name": "Al"}, "threshold": 0.6, "options": {"suffix": "."},
                "assert": [{"type": "not-contains", "value": "bad", "metric": "clean"}, {"type": "contains", "value": "{{name}}", "weight": 2}]})

config("files", [
    {"vars": {"answer": "file://texts/a.txt"}, "assert": [{"type": "equals", "value": "file://texts/a.txt"}]},
    {"vars": {"answer": "file://texts/a.txt"}, "assert": [{"type": "contains", "value": "line two"}, {"type": "is-json"}]},
    {"vars": {"answer": "{\"sku\": \"AB-1\"}"}, "assert": [{"type": "is-json", "value": "file://schema.json"}]},
    {"vars": {"answer": "{\"sku\": 3}"}, "assert": [{"type": "is-json", "value": "file://schema.yaml"}]},
    {"vars": {"answer": "alpha"}, "assert": [{"type": "contains-any", "value": "file://list.json"}]},
    {"vars": {"answer": "alpha"}, "assert": [{"type": "contains", "value": "file://absent.txt"}]},
    {"vars": "vars.yaml", "assert": [{"type": "equals", "value": "from yaml Zoë"}]},
], {"texts/a.txt": "line one\nline two\n\n", "schema.json": json.dumps(SCHEMA), "schema.yaml": "type: object\nproperties:\n  sku: {type: string}\n",
    "list.json": '["alpha", "beta"]', "vars.yaml": "answer: 'from yaml {{name}}'\nname: Zoë\n"})

ROWS = [
    "answer,note,__expected1,__expected2,__metric,__threshold,__description,__suffix",
    '"Oslo, Norway",a,"contains-any: Oslo, Rome",not-contains:Sweden,geo,,plain,',
    "kitten,b,levenshtein(2):sitten,,,,one away,",
    'abc,c,"regex:^[a-c]{3}$",not-regex:d,,0.5,,',
    '"{""a"": [1]}",d,is-json,contains-json,form,,,',
    "one two,e,word-count:2,icontains:TWO,,,,",
    "hello,f,HELLO,ihello,,0.4,neither is a kind,",
    'said "hi",g,"contains:""hi""",starts-with:said,,,quotes,',
    "half,h,contains:half,equals:whole,m,0.5,,",
    "half,i,contains:half,equals:whole,m,0.51,,",
    "end,j,equals:end!,,,,suffix,!",
    ",k,is-refusal,,,,empty,",
    "the cat sat,l,rouge-n(0.6):the cat ran,not-bleu:dogs bark loud,,,,",
    "5,m,5,contains:5,,,,",
    "multi,n,\"contains-all:mu,ti\",not-contains-any:x,,,,",
    "Ünï,o,icontains:ÜNÏ,not-equals:unï,,,unicode,",
    "7,p,equals(0.5):7,,,,threshold on equals,",
]
config("csv", "file://tests.csv", {"tests.csv": "\ufeff" + "\r\n".join(ROWS) + "\r\n"})

print(*sorted(p.name for p in parent.iterdir()))
