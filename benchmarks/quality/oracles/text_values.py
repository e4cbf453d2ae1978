"""Values for tests/fixtures/quality/text.json, from rouge-score, sacrebleu and rapidfuzz:
pip install rouge-score sacrebleu rapidfuzz; python text_values.py > text.json"""

import json
import sys

import rapidfuzz
import sacrebleu
from rapidfuzz.distance import LCSseq, Levenshtein
from rouge_score import rouge_scorer

texts = [
    "", " ", ".", "a", "the cat sat on the mat", "the cat lay on the mat", "The Cat sat, on the MAT!", "on the mat sat the cat",
    "Der schnelle braune Fuchs springt über den faulen Hund.", "Ein schneller Fuchs sprang über einen Hund",
    "Größe und Maß", "naïve café", "naïve cafe", "nai\u0308ve cafe\u0301", "日本の首都は東京です。", "日本の首都は京都です。",
    "السلام عليكم ورحمة الله", "السلام عليكم", "שלום עולם", "Привет, мир!", "привет мир", "😀😀 ok", "👍🏽 ok", "word\u200bjoin",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaa", "1234567890", "12345 67890", "line one\nline two\r\nline three", "tabs\tand  spaces",
    "\u00a0nbsp\u00a0", "a_b c-d e.f", "don't can't won't", "ｆｕｌｌ ｗｉｄｔｈ", "हिन्दी में एक वाक्य", "हिन्दी वाक्य", "x" * 300, "the " * 60,
]
scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
utf16 = lambda t: [t.encode("utf-16-le")[i:i + 2] for i in range(0, 2 * (len(t.encode("utf-16-le")) // 2), 2)]
cases = []
for i, a in enumerate(texts):
    for b in texts[i:i + 4] + [texts[(i * 7 + 3) % len(texts)]]:
        cases.append({
            "answer": a, "reference": b,
            "rouge_l": scorer.score(b, a)["rougeL"].fmeasure,
            "chrf": sacrebleu.sentence_chrf(a, [b]).score / 100,
            "levenshtein": Levenshtein.distance(utf16(a), utf16(b)),
        })
json.dump({"made_with": f"rouge-score 0.1.2, sacrebleu {sacrebleu.__version__}, rapidfuzz {rapidfuzz.__version__}",
           "cases": cases}, sys.stdout)
print()
