#!/usr/bin/env python3
"""Writes tests/data/analysis/load_vectors.json: load metrics of random counts, computed with numpy
straight from their definitions. Usage: make_load_vectors.py OUTPUT (needs numpy)."""
import json
import sys

import numpy


def metrics(counts, tokens):
    n = numpy.asarray(counts, dtype=numpy.float64)
    experts = len(n)
    mean = n.mean()
    share = n / n.sum()
    positive = share[share > 0]
    entropy = float(-(positive * numpy.log(positive)).sum())
    # Gini from its definition by pairs, not from the sorted formula that the program uses.
    gini = float(numpy.abs(n[:, None] - n[None, :]).sum() / (2 * experts * experts * mean))
    return {
        "max-vio": float((n.max() - mean) / mean),
        "peak-factor": float(n.max() / mean),
        "min-factor": float(n.min() / mean),
        "mri": float(n.max() / tokens),
        "cv": float(n.std() / mean),
        "gini": gini,
        "entropy": entropy / numpy.log(experts) if experts > 1 else 1.0,
        "effective-experts": float(numpy.exp(entropy)),
        "inverse-simpson": float(1 / (share**2).sum()),
        "kl": float((positive * numpy.log(positive * experts)).sum()),
        "l1": float(numpy.abs(share - 1 / experts).sum()),
        "dead": int((n == 0).sum()),
        "nearly-dead": int((n < 0.01 * mean).sum()),
    }


def routed(generator, experts, top_k, tokens, spread):
    """Counts of top-k routing with the given spread of logits."""
    bias = generator.normal(size=experts) * spread
    logits = generator.normal(size=(tokens, experts)) + bias
    chosen = numpy.argsort(-logits, axis=1)[:, :top_k]
    return numpy.bincount(chosen.ravel(), minlength=experts).tolist()


def main():
    generator = numpy.random.default_rng(7)
    cases = []
    for experts, top_k, tokens, spread in [
        (64, 8, 1000, 0.3), (64, 8, 128, 2.0), (8, 2, 5000, 0.1), (128, 1, 300, 3.0), (16, 4, 3, 0.0),
        (2, 1, 50, 1.0), (1, 1, 10, 0.0), (256, 8, 20000, 1.0),
    ]:
        counts = routed(generator, experts, top_k, tokens, spread)
        cases.append({"counts": counts, "tokens": tokens, "metrics": metrics(counts, tokens)})
    # CV of random routing by simulation: the closed form must come near its root mean square.
    squares = [metrics(routed(generator, 64, 8, 128, 0.0), 128)["cv"] ** 2 for _ in range(4000)]
    document = {"cases": cases, "random_cv": {"experts": 64, "top_k": 8, "tokens": 128,
                                              "rms": float(numpy.sqrt(numpy.mean(squares)))}}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
