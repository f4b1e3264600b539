#!/usr/bin/env python3
"""Writes tests/data/analysis/demo_locality.json: sparsity, local routing consistency, affinity and language divergence
of the corpus run of resources/demo/demo.moescope, read with sqlite3 and computed with numpy straight from the
definitions. Usage: python make_demo_locality.py   (from the root of the repository; needs numpy)."""
import json
import sqlite3

import numpy

from make_locality_vectors import divergence, entropy


def read_run(path):
    """ids [tokens, layers, k], first token and length of each text, label of each text, probability sums."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    run, model = database.execute("SELECT id, model FROM run WHERE name = 'corpus' ORDER BY id").fetchone()
    experts, top_k, layers = database.execute(
        "SELECT max(experts), max(top_k), count(*) FROM router WHERE model = ?", (model,)).fetchone()
    ids = []
    for layer in range(layers):
        blocks = [numpy.frombuffer(blob, numpy.uint8).reshape(count, width) for count, width, blob in database.execute(
            "SELECT count, width, ids FROM route_block WHERE run = ? AND router = ? ORDER BY block", (run, layer))]
        ids.append(numpy.concatenate(blocks))
    texts = database.execute("SELECT ordinal, first_token, length FROM sequence WHERE run = ? ORDER BY ordinal",
                             (run,)).fetchall()
    labels = dict(database.execute("SELECT sequence, value FROM sequence_label WHERE run = ? AND key = 'label'", (run,)))
    sums = {}
    for layer, text, tokens, blob in database.execute(
            "SELECT router, sequence, logit_tokens, probability_sum FROM sequence_stats WHERE run = ?", (run,)):
        sums[layer, text] = numpy.frombuffer(blob, "<f8") / tokens
    return experts, top_k, ids, texts, labels, sums


def hot(rows, experts):
    out = numpy.zeros((len(rows), experts))
    for slot in range(rows.shape[1]):
        out[numpy.arange(len(rows)), rows[:, slot]] = 1
    return out


def chunk_sparsity(ids, texts, experts, size):
    active = total = 0
    for _, first, length in texts:
        rows = hot(ids[first:first + length], experts)
        whole = length // size
        active += rows[:whole * size].reshape(whole, size, experts).max(axis=1).sum() if whole else 0
        total += whole * experts
    return float(1 - active / total)


def segment_f1(ids, texts, experts, size):
    counts = []
    for _, first, length in texts:
        if length >= size:
            running = numpy.concatenate([numpy.zeros((1, experts)), hot(ids[first:first + length], experts).cumsum(axis=0)])
            counts.append(running[size:] - running[:-size])
    counts = numpy.concatenate(counts)
    return float(max(2 * counts[counts >= r].sum() / (size * (counts >= r).sum() + counts.sum())
                     for r in range(1, size + 1)))


def affinity(a, b, experts):
    joint = numpy.zeros((experts, experts))
    numpy.add.at(joint, (a[:, 0], b[:, 0]), 1)
    p = joint / joint.sum()
    information = entropy(p.sum(axis=1)) + entropy(p.sum(axis=0)) - entropy(p.ravel())
    return {"weighted_max": float(p.max(axis=1).sum()), "normalized": information / entropy(p.sum(axis=0))}


def main():
    experts, _, ids, texts, labels, sums = read_run("resources/demo/demo.moescope")
    q = lambda label, layer: numpy.mean([sums[layer, t] for t, _, _ in texts if labels[t] == label], axis=0)
    layers = []
    for layer in range(len(ids)):
        values = {"cls8": chunk_sparsity(ids[layer], texts, experts, 8),
                  "srp16": segment_f1(ids[layer], texts, experts, 16),
                  "divergence": {label: divergence(q("english", layer), q(label, layer))
                                 for label in ["german", "japanese", "python"]}}
        if layer + 1 < len(ids):
            values["affinity"] = affinity(ids[layer], ids[layer + 1], experts)
        layers.append(values)
    with open("tests/data/analysis/demo_locality.json", "w", encoding="utf-8") as file:
        json.dump({"trace": "resources/demo/demo.moescope", "layers": layers}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
