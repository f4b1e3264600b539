"""Writes tests/data/tokenizers/components.json: what the Python library `tokenizers` makes of a few texts with
graphs of components that the other goldens do not have. All share the model of tests/data/tokenizers/qwen2, or of
spm_legacy and unigram_t5 where the row says so.

Usage: python make_tokenizer_components.py   (from the root of the repository; needs tokenizers 0.23)
"""

import json
import pathlib

from tokenizers import Tokenizer

FOLDER = pathlib.Path("tests/data/tokenizers")
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


def metaspace(**options):
    return {"type": "Metaspace", "replacement": "\u2581", **options}


def sequence(kind, *steps):
    return {"type": "Sequence", kind: list(steps)}


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

STRIP_BOTH = {"type": "Strip", "strip_left": True, "strip_right": True}
SPM_DECODER = sequence("decoders", {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0})
SPM_GRAPHS = {
    "metaspace": {"pre_tokenizer": metaspace(), "decoder": metaspace()},
    "metaspace first": {"pre_tokenizer": metaspace(prepend_scheme="first", split=True), "decoder": metaspace(prepend_scheme="first")},
    "metaspace never": {"pre_tokenizer": metaspace(prepend_scheme="never", split=False), "decoder": metaspace(prepend_scheme="never")},
    "metaspace of old": {"pre_tokenizer": metaspace(add_prefix_space=True), "decoder": metaspace(add_prefix_space=True)},
    "metaspace behind a split": {"pre_tokenizer": sequence("pretokenizers", split("\\d+", "Isolated"), metaspace(prepend_scheme="first")), "decoder": SPM_DECODER},
    "metaspace and added": {"pre_tokenizer": metaspace(prepend_scheme="first"), "decoder": SPM_DECODER, "added_tokens": [added("[A]", 1200, rstrip=True, special=True), added("th", 1201, lstrip=True)]},
    "other replacement": {"pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always"}, "decoder": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "never"}},
    "strip both": {"normalizer": sequence("normalizers", STRIP_BOTH, {"type": "Prepend", "prepend": "\u2581"}), "decoder": SPM_DECODER},
    "strip left": {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": False}, "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": {"type": "Strip", "content": "t", "start": 0, "stop": 1}},
    "decoder strips each": {"pre_tokenizer": metaspace(), "decoder": sequence("decoders", {"type": "ByteFallback"}, {"type": "Strip", "content": "\u2581", "start": 1, "stop": 0})},
    "no components": {"decoder": SPM_DECODER},
}
UNIGRAM_GRAPHS = {
    "unigram whole": {"pre_tokenizer": metaspace(split=False), "decoder": metaspace()},
    "unigram strip": {"normalizer": sequence("normalizers", {"type": "NFKC"}, STRIP_BOTH, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}), "pre_tokenizer": metaspace(prepend_scheme="first"), "decoder": metaspace()},
    "unigram bare": {"decoder": None},
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


def rows_of(folder, graphs, defaults):
    base = json.loads((FOLDER / folder / "tokenizer.json").read_text(encoding="utf-8"))
    for name, graph in graphs.items():
        parts = {**defaults, **graph}
        ignore = parts.pop("ignore_merges", False)
        model = {**base["model"], "ignore_merges": ignore} if base["model"]["type"] == "BPE" else base["model"]
        tokenizer = Tokenizer.from_str(json.dumps({**base, **parts, "model": model}))
        row = {"name": name, "base": folder, "parts": parts, "ignore_merges": ignore, "encode": [record(tokenizer, text) for text in TEXTS]}
        yield json.dumps(row, separators=(",", ":"))


def main():
    plain = {"normalizer": None, "pre_tokenizer": None, "post_processor": None, "added_tokens": []}
    rows = [*rows_of("qwen2", GRAPHS, {**plain, "pre_tokenizer": byte_level(), "decoder": byte_level()}), *rows_of("spm_legacy", SPM_GRAPHS, plain), *rows_of("unigram_t5", UNIGRAM_GRAPHS, plain)]
    pathlib.Path(OUTPUT).write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
