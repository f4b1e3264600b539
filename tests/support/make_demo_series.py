#!/usr/bin/env python3
"""Writes tests/data/analysis/demo_series.json: loss, balance and agreement along the demo's series of checkpoints,
computed with numpy from the token and route blocks of the file, which are read with sqlite3 alone. All texts of the
series are complete and in every run, so every row counts.
Usage: make_demo_series.py resources/demo/demo.moescope OUTPUT (needs numpy)."""
import json
import sqlite3
import sys

import numpy


def blobs(database, sql, dtype):
    return numpy.concatenate([numpy.frombuffer(row[0], dtype) for row in database.execute(sql)])


def choices(database, run, router, experts, top_k):
    """[tokens, k] experts of each routed token, in the order of the rows."""
    dtype = "u1" if experts <= 255 else "<u2"
    chosen = blobs(database, f"SELECT ids FROM route_block WHERE run = {run} AND router = {router} ORDER BY block", dtype)
    return chosen.reshape(-1, top_k).astype(int)


def main():
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    runs = [row[0] for row in database.execute("SELECT run FROM series_run WHERE series = 1 ORDER BY ordinal")]
    routers = database.execute("SELECT router, layer, experts, top_k FROM router WHERE model ="
                               " (SELECT model FROM run WHERE id = ?) ORDER BY router", (runs[0],)).fetchall()
    everything = [[choices(database, run, router, experts, k) for router, _, experts, k in routers] for run in runs]
    checkpoints = []
    for at, run in enumerate(runs):
        step, tokens = database.execute("SELECT train_step, train_tokens FROM run WHERE id = ?", (run,)).fetchone()
        surprise = -blobs(database, f"SELECT log_probs FROM token_block WHERE run = {run} ORDER BY block", "<f4").astype(float)
        layers = []
        for place, (_, layer, experts, k) in enumerate(routers):
            now, last = everything[at][place], everything[-1][place]
            empty = 255 if experts <= 255 else 65535
            counts = numpy.bincount(now[now != empty], minlength=experts).astype(float)
            same = lambda a, b: float(numpy.mean([len(set(x) & set(y)) / k for x, y in zip(a.tolist(), b.tolist())]))
            layers.append({"layer": layer, "cv": counts.std() / counts.mean(), "peak_factor": counts.max() / counts.mean(),
                           "saturation": same(now, last),
                           "churn": None if at == 0 else 1.0 - same(now, everything[at - 1][place])})
        checkpoints.append({"run": run, "step": step, "tokens": tokens,
                            "loss": float(surprise[numpy.isfinite(surprise)].mean()), "layers": layers})
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump({"made_by": "tests/support/make_demo_series.py", "checkpoints": checkpoints}, file, indent=1)
        file.write("\n")


main()
