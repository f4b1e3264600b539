#!/usr/bin/env python3
"""Writes tests/data/tokenizers/long_words.json: what the library tokenizers makes of texts without spaces that are
so long that byte-pair encoding here takes the queue for long stretches (core/tokenizer/merge_queue.h).

Needs tokenizers. Usage: make_long_words.py
"""
import json
import pathlib
import random

from tokenizers import Tokenizer

DATA = pathlib.Path(__file__).parent.parent / "data" / "tokenizers"
NAMES = ["gpt2_olmoe", "cl100k_llama3", "spm_legacy", "spm_unk_single"]


def texts():
    generator = random.Random(101)
    yield "a" * 6001
    yield "".join(generator.choice("eeetaoinshr") for _ in range(5000))
    yield "".join(generator.choice("theseandover\u00e9\u4e2d\u20ac") for _ in range(4500))
    yield "the" * 1500 + "\u0e01" * 4 + "re" * 1000


def main():
    rows = []
    for name in NAMES:
        tokenizer = Tokenizer.from_file(str(DATA / name / "tokenizer.json"))
        for text in texts():
            rows.append({"tokenizer": name, "text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids})
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (DATA / "long_words.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
