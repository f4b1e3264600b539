#!/usr/bin/env python3
"""Writes tests/data/analysis/demo_routing.json: what the analyses must say of the demo's recording, computed with
numpy (routing_statistics.py) from the blocks of the file, which are read with sqlite3 alone.
Usage: make_demo_routing.py resources/demo/demo.moescope OUTPUT (needs numpy and scipy)."""
import json
import sqlite3
import sys

import numpy

import routing_statistics as rs

LEAST, SPREAD_LEAST, WINDOW = 10, 128, 32


def blobs(database, sql, dtype):
    return numpy.concatenate([numpy.frombuffer(row[0], dtype) for row in database.execute(sql)])


def main():
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    run = database.execute("SELECT min(id) FROM run").fetchone()[0]
    routers = database.execute("SELECT router, experts, top_k FROM router WHERE model = (SELECT model FROM run WHERE id = ?)"
                               " ORDER BY router", (run,)).fetchall()
    experts, k = routers[0][1:]
    column = lambda name, dtype: blobs(database, f"SELECT {name} FROM token_block WHERE run = {run} ORDER BY block", dtype)
    ids, sequence, position = column("ids", "<i4"), column("sequences", "<i4"), column("positions", "<i4")
    best_ids = column("alternative_ids", "<i4").reshape(-1, 5)
    best = numpy.nan_to_num(column("alternative_log_probs", "<f4").reshape(-1, 5), nan=-numpy.inf).argmax(1)
    best_ids = best_ids[numpy.arange(len(ids)), best]
    label_of = dict(database.execute("SELECT sequence, value FROM sequence_label WHERE run = ? AND key = 'label'", (run,)))
    names = sorted(set(label_of.values()))
    labels = numpy.array([names.index(label_of[s]) for s in sequence])
    following = numpy.append(sequence[1:] == sequence[:-1], False)
    keys = {"input": ids, "next": numpy.where(following, numpy.roll(ids, -1), -1),
            "predicted": numpy.where(following, numpy.roll(best_ids, -1), -1)}
    document = {"made_by": "tests/support/make_demo_routing.py, numpy " + numpy.__version__, "labels": names,
                "texts": database.execute("SELECT count(DISTINCT text_hash) FROM sequence WHERE run = ?", (run,)).fetchone()[0],
                "tokens": len(ids), "layers": []}
    groups = [numpy.flatnonzero(sequence == s) for s in range(sequence.max() + 1)]
    generator = numpy.random.default_rng(1)
    windows = numpy.array([labels[g[0]] for g in groups])
    for router, _, _ in routers:
        chosen = blobs(database, f"SELECT ids FROM route_block WHERE run = {run} AND router = {router} ORDER BY block",
                       "u1").reshape(-1, k).astype(int)
        assert len(chosen) == len(ids) and (chosen < experts).all()
        counts, tokens = rs.label_counts(chosen, labels, len(names), experts)
        of_window = numpy.array([rs.load(chosen[g], experts) for g in groups])
        shuffled = []
        for _ in range(100):
            order = generator.permutation(windows)
            shuffled.append(rs.mutual_information(numpy.array([of_window[order == l].sum(0) for l in range(len(names))])))
        n, both, adjacent = rs.co_activation(chosen, experts)
        matrix = rs.ratio_matrix(n, both)
        top = sorted(((matrix[i][j] or 0.0, i, j) for i in range(experts) for j in range(experts) if i != j), reverse=True)[0]
        layer = {"mi_bits": rs.mutual_information(counts), "miller_madow_bits": rs.miller_madow(counts),
                 "shuffled_bits": float(numpy.mean(shuffled)), "shuffled_spread": float(numpy.std(shuffled)),
                 "rates": rs.rates(counts, tokens), "strongest": list(top), "order": rs.clustering_order(matrix),
                 "adjacent_sum": int(adjacent.sum()), "all_sum": int(both.sum()), "vocabulary": {}, "spread": {}}
        for name, key in keys.items():
            layer["vocabulary"][name] = rs.vocabulary(*rs.key_counts(chosen[:, :1], key, experts), LEAST)
        for name, key in (("input", ids), ("position", position)):
            layer["spread"][name] = rs.context_independence(*rs.key_counts(chosen, key, experts), SPREAD_LEAST, experts)
        flags = rs.token_drop([chosen[g] for g in groups], experts, 1.25, False)
        bins = numpy.zeros(position.max() // WINDOW + 1, dtype=int)
        for group, flag in zip(groups, flags):
            numpy.add.at(bins, position[group] // WINDOW, flag.sum(1))
        layer["dropped"] = bins.tolist()
        document["layers"].append(layer)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
