#!/usr/bin/env python3
"""Encoding speed of MoEScope and of the library `tokenizers` on one thread, in one run on one machine, with a check
that the ids are the same.

Rounds of both alternate; the best of each counts. Needs tokenizers. Usage:
compare_tokenizers.py BUILD/tests/bench_tokenizer TEXT_FILE TOKENIZER_JSON ... [--bytes N] [--rounds N]
"""
import argparse
import json
import os
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402


def documents(data, size):
    """The same cuts as bench_tokenizer: `size` bytes, up to the next character. One document if it is 0."""
    parts, begin = [], 0
    while begin < len(data):
        end = len(data) if size == 0 else min(len(data), begin + size)
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        parts.append(data[begin:end].decode("utf-8"))
        begin = end
    return parts


def library_round(tokenizer, parts):
    start = time.perf_counter()
    encoded = [tokenizer.encode(part, add_special_tokens=False) for part in parts]
    seconds = time.perf_counter() - start
    total, count = 0, 0
    for encoding in encoded:
        for number in encoding.ids:
            count += 1
            total += count * number
    return seconds, count, total % 2**64


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("text")
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--bytes", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with open(arguments.text, "rb") as file:
        data = file.read()
    parts = documents(data, arguments.bytes)
    for path in arguments.tokenizers:
        tokenizer = Tokenizer.from_file(path)
        best = {"library": 1e30, "moescope": 1e30}
        for _ in range(arguments.rounds):
            seconds, count, total = library_round(tokenizer, parts)
            best["library"] = min(best["library"], seconds)
            done = subprocess.run([arguments.program, path, arguments.text, str(arguments.bytes), "1"], check=True, capture_output=True, text=True)
            own = json.loads(done.stdout)
            best["moescope"] = min(best["moescope"], own["seconds"])
        rates = {name: round(len(data) / seconds / 1e6, 2) for name, seconds in best.items()}
        print(json.dumps({"tokenizer": path, "bytes_a_document": arguments.bytes, "megabytes_a_second": rates, "ratio": round(best["library"] / best["moescope"], 2), "tokens": count, "same_ids": (count, total) == (own["tokens"], own["sum"]), "moescope_mib": round((own["kib_peak"] - own["kib_before"]) / 1024)}))


if __name__ == "__main__":
    main()
