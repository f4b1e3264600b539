"""Writes tests/data/tokenizers/components.json: what the Python library `tokenizers` makes of a few texts with
graphs of components that the other goldens do not have. All share the model of tests/data/tokenizers/qwen2.

Usage: python make_tokenizer_components.py   (from the root of the repository; needs tokenizers 0.23)
"""

import json
import pathlib

from tokenizers import Tokenizer

BASE = "tests/data/tokenizers/qwen2/tokenizer.json"
OUTPUT = "tests/data/tokenizers/components.json"

TEXTS = [
    "Hello world, it's  12345 \u00bd x",
    "  two\n\n lines \r\n\tend  ",
    "caf\u00e9 cafe\u0301 \u212b \ufb01 \u1e9b\u0323 a\u0323\u0307 q\u0307\u0323 \u0344 \uac00\u11a8 \u0130\u01c4\u1e9e",
    "\u4e2d\u6587\u3002\u3042 \u0950\u0915\u093f \U0001f469\u200d\U0001f52c \u05d0\u05b8\u05b0",
    "the Th [A]  [A] _b_ (th) ath ab abc",
    "a--b__c::D \u00ab\u00bb\u2026 $+<> \u180e\u0085\u00a0",
]


def byte_level(prefix=False, regex=True, trim=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def pre(*steps, **options):
    return {"type": "Sequence", "pretokenizers": [*steps, byte_level(regex=False, **options)]}


def split(pattern, behavior, invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def added(content, number, **flags):
    defaults = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return {"id": number, "content": content, **defaults, **flags}


def template(*names):
    single = [{"Sequence": {"id": "A", "type_id": 0}} if n == "A" else {"SpecialToken": {"id": n, "type_id": 0}} for n in names]
    tokens = {n: {"id": n, "ids": [5, 6] if n == "X" else [7], "tokens": ["&", "'"] if n == "X" else ["("]} for n in names if n != "A"}
    pair = [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}]
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}


REPLACE = {"type": "Replace", "pattern": {"String": "th"}, "content": "Q"}
GRAPHS = {
    "nfd": {"normalizer": {"type": "NFD"}},
    "nfkc": {"normalizer": {"type": "NFKC"}},
    "nfkd": {"normalizer": {"type": "NFKD"}},
    "lowercase": {"normalizer": {"type": "Lowercase"}},
    "prepend": {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "ab"}, {"type": "NFC"}]}},
    "replace regex": {"normalizer": {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": "__"}},
    "replace and nfkc": {"normalizer": {"type": "Sequence", "normalizers": [REPLACE, {"type": "NFKC"}, {"type": "Lowercase"}]}},
    "whitespace": {"pre_tokenizer": pre({"type": "Whitespace"}, prefix=True)},
    "whitespace split": {"pre_tokenizer": pre({"type": "WhitespaceSplit"}), "post_processor": byte_level(trim=True)},
    "bert": {"pre_tokenizer": pre({"type": "BertPreTokenizer"})},
    "punctuation merged": {"pre_tokenizer": pre({"type": "Punctuation", "behavior": "MergedWithPrevious"})},
    "punctuation contiguous": {"pre_tokenizer": pre({"type": "Punctuation", "behavior": "Contiguous"}, prefix=True)},
    "words": {"pre_tokenizer": pre(split("\\w+", "Removed", True))},
    "class words": {"pre_tokenizer": pre(split("[^\\w\\s]+", "Isolated"))},
    "word boundaries": {"pre_tokenizer": pre(split("\\b", "Isolated"), prefix=True)},
    "line ends": {"pre_tokenizer": pre(split("\\s+$", "Removed"), split("^\\w", "Isolated"))},
    "dot all": {"pre_tokenizer": pre(split("(?m:i.+l)", "Isolated"), split("(?i)th", "MergedWithNext"))},
    "scripts": {"pre_tokenizer": pre(split("\\p{Han}+", "Removed"), split("\\P{Latin}", "Contiguous"))},
    "bracket classes": {"pre_tokenizer": pre(split("[[:alpha:]]+", "Isolated"), split("[[:punct:][:space:]]", "Removed"))},
    "hexadecimal": {"pre_tokenizer": pre(split("\\h+", "MergedWithPrevious"), split("\\u0061", "Removed"))},
    "string inverted": {"pre_tokenizer": pre(split("th", "MergedWithNext", True, "String"))},
    "prefix behind template": {"pre_tokenizer": byte_level(prefix=True), "post_processor": {"type": "Sequence", "processors": [template("X", "A", "Y"), byte_level(prefix=True)]}},
    "template behind": {"post_processor": {"type": "Sequence", "processors": [byte_level(trim=True), template("A", "Y")]}},
    "no decoder": {"decoder": None},
    "decoder replaces": {"decoder": {"type": "Sequence", "decoders": [byte_level(), {"type": "Fuse"}, REPLACE]}},
    "added": {"normalizer": {"type": "Lowercase"}, "added_tokens": [added("[A]", 1000, rstrip=True), added("  ", 1001), added("TH", 1002, normalized=True, lstrip=True), added("_b_", 1003, single_word=True, special=True), added("ab", 433, lstrip=True, rstrip=True)]},
    "ignore merges": {"ignore_merges": True, "pre_tokenizer": pre(split(" ", "MergedWithNext", kind="String"))},
}


def record(tokenizer, text):
    encoding = tokenizer.encode(text, add_special_tokens=False)
    special = tokenizer.encode(text, add_special_tokens=True)
    result = {"text": text, "ids": encoding.ids, "tokens": encoding.tokens, "offsets": encoding.offsets}
    if special.ids != encoding.ids:
        result["ids_with_special"] = special.ids
    result["decoded"] = tokenizer.decode(encoding.ids, skip_special_tokens=False)
    result["decoded_skip_special"] = tokenizer.decode(encoding.ids, skip_special_tokens=True)
    return result


def main():
    base = json.loads(pathlib.Path(BASE).read_text(encoding="utf-8"))
    defaults = {"normalizer": None, "pre_tokenizer": byte_level(), "post_processor": None, "decoder": byte_level(), "added_tokens": []}
    rows = []
    for name, graph in GRAPHS.items():
        parts = {**defaults, **graph}
        ignore = parts.pop("ignore_merges", False)
        document = {**base, **parts, "model": {**base["model"], "ignore_merges": ignore}}
        tokenizer = Tokenizer.from_str(json.dumps(document))
        row = {"name": name, "parts": parts, "ignore_merges": ignore, "encode": [record(tokenizer, text) for text in TEXTS]}
        rows.append(json.dumps(row, separators=(",", ":")))
    pathlib.Path(OUTPUT).write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
