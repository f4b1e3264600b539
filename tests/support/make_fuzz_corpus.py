#!/usr/bin/env python3
"""Writes where the fuzz targets config, safetensors, index and chat start from: tests/fuzz/corpus/NAME.

config: config.json of every test checkpoint, without spaces; one with generation_config.json behind a zero byte.
safetensors: small files with every dtype. index: texts for the shards a.safetensors (tensor w) and b.safetensors
(tensor v). chat: templates of tests/data/chat and the snippets beside them, joined by line. Findings of the
fuzzers, named finding-*, are left alone. The corpus of gguf is written by make_gguf.py.

Usage: make_fuzz_corpus.py
"""
import json
import pathlib

TESTS = pathlib.Path(__file__).parent.parent
DATA = TESTS / "data"
CORPUS = TESTS / "fuzz" / "corpus"


def write(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def write_config():
    for file in sorted((DATA / "checkpoints").glob("*/config.json")):
        write("config", file.parent.name + ".json", compact(json.loads(file.read_text())))
    olmoe = json.loads((DATA / "checkpoints" / "olmoe" / "config.json").read_text())
    generation = {"bos_token_id": 1, "eos_token_id": [2, 3], "do_sample": True}
    write("config", "olmoe_generation.json", compact(olmoe) + "\0" + compact(generation))


def safetensors(entries, metadata=None):
    """`entries`: name, dtype, shape, bytes an element."""
    header, begin = {"__metadata__": metadata} if metadata else {}, 0
    for name, dtype, shape, width in entries:
        size = width
        for length in shape:
            size *= length
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + size]}
        begin += size
    text = compact(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + bytes(i * 37 % 256 for i in range(begin))


def write_safetensors():
    kinds = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
             "F8_E4M3": 1}
    write("safetensors", "kinds", safetensors([(f"t.{kind}", kind, [2, 3], width) for kind, width in kinds.items()]))
    write("safetensors", "metadata", safetensors([("a", "F32", [2], 4)], {"format": "pt", "note": "\u00e9"}))
    write("safetensors", "empty", safetensors([("none", "F32", [0, 4], 4), ("scalar", "BF16", [], 2)]))
    write("safetensors", "deep", safetensors([("x", "F16", [1, 2, 1, 3, 1], 2), ("y", "U8", [7], 1)]))


def write_index():
    def index(entries, **more):
        return compact({"metadata": {"total_size": 8}, "weight_map": entries, **more})

    write("index", "both", index({"w": "a.safetensors", "v": "b.safetensors"}))
    write("index", "one", index({"w": "a.safetensors"}))
    write("index", "wrong_shard", index({"w": "b.safetensors"}))
    write("index", "outside", index({"w": "../a.safetensors", "v": "/etc/passwd"}))
    write("index", "missing", index({"w": "c.safetensors"}))
    write("index", "itself", index({"w": "model.safetensors.index.json"}, more=[1, {"a": None}]))


def write_chat():
    for file in sorted((DATA / "chat").glob("*/tokenizer_config.json")):
        template = json.loads(file.read_text())["chat_template"]
        if isinstance(template, list):
            template = next(entry["template"] for entry in template if entry["name"] == "default")
        write("chat", file.parent.name + ".jinja", template)
    rows = json.loads((DATA / "chat" / "snippets.json").read_text())["rows"]
    for first in range(0, len(rows), 8):
        part = "\n".join(row["template"] for row in rows[first:first + 8])
        write("chat", f"snippets_{first:03}.jinja", part)
    variables = {"n": 7, "l": [3, 1, 2], "d": {"b": 1, "a": 2}, "s": " text "}
    setting = "".join(f"{{% set {name} = {value!r} %}}" for name, value in variables.items())
    for first in range(0, len(rows), 24):
        good = [row["template"] for row in rows[first:first + 24] if "text" in row]
        write("chat", f"variables_{first:03}.jinja", setting + "\n".join(good))


def main():
    write_config()
    write_safetensors()
    write_index()
    write_chat()


if __name__ == "__main__":
    main()
