#!/usr/bin/env python3
"""Writes tests/data/analysis/routing_vectors.json: a small seeded series of runs as plain arrays, and what the
analyses of specialization, co-activation and stability must say of it, computed with numpy and scipy by
routing_statistics.py. Usage: make_routing_vectors.py OUTPUT (needs numpy and scipy)."""
import json
import re
import sys

import numpy

import routing_statistics as rs

LAYERS, EXPERTS, K, VOCABULARY, STEPS = 3, 16, 4, 24, [100, 400, 700, 1000]
CODES = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORDS = [" the", "The", " of", "1", "22", "(", ")", ";", " sun", " and", "\n", " a", "x", " Köln", "=", " light",
         " 3", " is", ",", ".", " b", " c", " not", "\t"]
REGEX = [["digits", r"^\s*[0-9]+$"], ["marks", r"^[(),.;=]$"]]
RANGES = [["start", 0, 99], ["middle", 300, 499]]
WINDOW = 8
LEAST, SPREAD_LEAST = 10, 20


def encode(values):
    return "".join(CODES[v] for v in numpy.asarray(values).ravel())


def choose(z):
    return numpy.argsort(-z, axis=-1, kind="stable")[..., :K]


def make(generator):
    texts, ids, sequence, position = [], [], [], []
    skew = 1 / (numpy.arange(VOCABULARY) + 2.0)
    for t in range(40):
        length = int(generator.integers(12, 40))
        label = "abc"[0 if t % 40 < 22 else 1 if t < 32 else 2]
        weights = skew * (1 + 2 * (numpy.arange(VOCABULARY) % 3 == "abc".index(label)))
        ids += generator.choice(VOCABULARY, length, p=weights / weights.sum()).tolist()
        sequence += [t] * length
        position += list(range(length))
        texts.append({"label": label, "length": length})
    ids, sequence, position = map(numpy.array, (ids, sequence, position))
    predicted = numpy.where(generator.random(len(ids)) < 0.5, ids, generator.integers(0, VOCABULARY, len(ids)))
    by_token = generator.normal(size=(LAYERS, VOCABULARY, EXPERTS))
    bias = generator.normal(size=(LAYERS, EXPERTS)) * 0.8
    bias[:, 5] = -9.0                                        # a dead expert
    noise = generator.normal(size=(len(STEPS), LAYERS, len(ids), EXPERTS))
    logits = []
    for r, step in enumerate(STEPS):
        part = step / STEPS[-1]
        z = bias[:, None] + 1.5 * part * by_token[:, ids] + noise[-1] * part + noise[r] * (1.2 - part)
        logits.append(numpy.clip(numpy.round(z * 6) + 28, 0, 61).astype(int))
    return texts, ids, sequence, position, predicted, numpy.array(logits)  # logits [runs, layers, tokens, experts]


def specialization(ids_by_layer, labels, names, sequence, per_text, seed):
    """labels [tokens] -1 none."""
    out = {"labels": names, "tokens": [int((labels == l).sum()) for l in range(len(names))], "layers": []}
    for ids in ids_by_layer:
        counts, tokens = rs.label_counts(ids, labels, len(names), EXPERTS)
        units = []
        for t in range(sequence.max() + 1):
            at = sequence == t
            units.append((rs.label_counts(ids[at], labels[at], len(names), EXPERTS), labels[at][0]))
        strata = [[u for u, l in units if l == label] for label in range(len(names))] if per_text else \
                 [[u for u, _ in units]]

        def statistic(drawn):
            c, n = sum(u[0] for u in drawn), sum(u[1] for u in drawn)
            return numpy.append((c / n[:, None]).ravel(), rs.mutual_information(c))

        low, high = rs.bootstrap(statistic, strata, 2000, seed)
        out["layers"].append({
            "rates": rs.rates(counts, tokens), "low": low[:-1], "high": high[:-1],
            "shares": [[None if s == 0 else float(c / s) for c, s in zip(row, counts.sum(0))] for row in counts],
            "divergence": [[rs.jsd(a, b) for b in counts] for a in counts],
            "mi_bits": rs.mutual_information(counts), "mi_low": low[-1], "mi_high": high[-1],
            "miller_madow_bits": rs.miller_madow(counts)})
    return out


def shuffled_texts(ids_by_layer, labels, count, sequence, seed):
    """Mean mutual information with the labels of whole texts permuted."""
    generator = numpy.random.default_rng(seed)
    of_text = numpy.array([labels[sequence == t][0] for t in range(sequence.max() + 1)])
    out = []
    for ids in ids_by_layer:
        values = [rs.mutual_information(rs.label_counts(ids, generator.permutation(of_text)[sequence], count, EXPERTS)[0])
                  for _ in range(100)]
        out.append([float(numpy.mean(values)), float(numpy.std(values))])
    return out


def vocabulary(chosen, keys_by_name, k):
    out = []
    for name, keys in keys_by_name.items():
        for layer, ids in enumerate(chosen):
            counts, occurrences = rs.key_counts(ids[:, :k], keys, EXPERTS)
            out.append({"layer": layer, "key": name, "k": k, **rs.vocabulary(counts, occurrences, LEAST),
                        "experts": rs.expert_vocabulary(counts, occurrences, LEAST, EXPERTS),
                        "top": [rs.top_tokens(counts, occurrences, e, LEAST, 5) for e in range(EXPERTS)]})
    return out


def drops(chosen, sequence, position, first_choices, group_tokens):
    rows = numpy.arange(len(sequence))
    key = sequence if group_tokens == 0 else rows // group_tokens
    groups = [rows[key == g] for g in range(key.max() + 1)]
    out = []
    for ids in chosen:
        choices, dropped = {}, {}
        for at, flags in zip(groups, rs.token_drop([ids[g] for g in groups], EXPERTS, 1.25, first_choices)):
            for row, flag in zip(at, flags):
                first = int(position[row]) // WINDOW * WINDOW
                choices[first] = choices.get(first, 0) + K
                dropped[first] = dropped.get(first, 0) + int(flag.sum())
        out.append([[first, choices[first], dropped[first]] for first in sorted(choices)])
    return out


def pairs(chosen, sequence):
    out = []
    for ids in chosen:
        n, both, adjacent = rs.co_activation(ids, EXPERTS)
        matrix = rs.ratio_matrix(n, both)
        best = max(((matrix[i][j] or 0.0, i, j) for i in range(EXPERTS) for j in range(EXPERTS) if i != j))
        units = [(int((ids[sequence == t] == best[1]).any(1).sum()),
                  int(((ids[sequence == t] == best[1]).any(1) & (ids[sequence == t] == best[2]).any(1)).sum()))
                 for t in range(sequence.max() + 1)]
        low, high = rs.bootstrap(lambda drawn: sum(u[1] for u in drawn) / sum(u[0] for u in drawn), [units], 2000, 3)
        out.append({"chosen": n.tolist(), "all": matrix, "adjacent": rs.ratio_matrix(n, adjacent),
                    "order": rs.clustering_order(matrix), "strongest": list(best), "low": low, "high": high})
    return out


def stability(chosen_by_run):
    out = []
    for layer in range(LAYERS):
        runs = [chosen[layer] for chosen in chosen_by_run]
        loads = [rs.load(ids, EXPERTS) for ids in runs]
        for r, ids in enumerate(runs):
            out.append({"run": r, "layer": layer, "against": "last", **rs.agreement(ids, runs[-1], K, EXPERTS),
                        **rs.drift(loads[-1], loads[r])})
            if r > 0:
                out.append({"run": r, "layer": layer, "against": "previous",
                            **rs.agreement(ids, runs[r - 1], K, EXPERTS), **rs.drift(loads[r - 1], loads[r])})
    places = [p / 10 for p in range(10)]
    late = [rs.late_changes([chosen[layer][:, 0] for chosen in chosen_by_run], STEPS, places) for layer in range(LAYERS)]
    return {"rows": out, "late": late}


def main():
    texts, ids, sequence, position, predicted, logits = make(numpy.random.default_rng(20))
    chosen_by_run = [[choose(z) for z in run] for run in logits]
    chosen = chosen_by_run[-1]
    names = sorted({t["label"] for t in texts})
    corpus = numpy.array([names.index(texts[t]["label"]) for t in sequence])
    by_regex = numpy.array([next((l for l, (_, r) in enumerate(REGEX) if re.search(r, WORDS[i])), len(REGEX)) for i in ids])
    selected = numpy.full(len(ids), len(RANGES))
    for l, (_, first, last) in enumerate(RANGES):
        selected[first:last + 1] = l
    first_of = [ids_[:, :1] for ids_ in chosen]
    following = numpy.append(sequence[1:] == sequence[:-1], False)
    keys = {"input": ids, "next": numpy.where(following, numpy.roll(ids, -1), -1),
            "predicted": numpy.where(following, numpy.roll(predicted, -1), -1)}
    document = {
        "made_by": "tests/support/make_routing_vectors.py, numpy " + numpy.__version__,
        "experts": EXPERTS, "top_k": K, "layers": LAYERS, "steps": STEPS, "codes": CODES, "words": WORDS,
        "logit_scale": 0.0625, "texts": texts, "ids": encode(ids), "predicted": encode(predicted),
        "runs": [{"logits": [encode(z) for z in run], "choices": [encode(c) for c in chosen_]}
                 for run, chosen_ in zip(logits, chosen_by_run)],
        "specialization": {
            "corpus": specialization(chosen, corpus, names, sequence, True, 1),
            "corpus_k1": specialization(first_of, corpus, names, sequence, True, 2),
            "regex": specialization(chosen, by_regex, [n for n, _ in REGEX] + ["other"], sequence, False, 3),
            "tokens": specialization(chosen, selected, [n for n, _, _ in RANGES] + ["other"], sequence, False, 4),
            "positions": specialization(chosen, position // WINDOW,
                                        [f"{f}–{min(f + WINDOW, position.max() + 1) - 1}" for f in range(0, position.max() + 1, WINDOW)],
                                        sequence, False, 5)},
        "regex": ";".join(f"{n}={r.replace(';', chr(92) + ';')}" for n, r in REGEX),
        "ranges": ";".join(f"{n}={a}-{b}" for n, a, b in RANGES), "window": WINDOW,
        "shuffled": shuffled_texts(chosen, corpus, len(names), sequence, 6),
        "vocabulary": vocabulary(chosen, keys, 1) + vocabulary(chosen, keys, K),
        "context_independence": [
            {"layer": layer, "key": name, **rs.context_independence(*rs.key_counts(c, key, EXPERTS), SPREAD_LEAST, EXPERTS)}
            for name, key in (("input", ids), ("position", position)) for layer, c in enumerate(chosen)],
        "early_routing": [
            {"run": r, "layer": layer,
             "divergence": rs.routing_divergence(rs.key_counts(chosen_by_run[r][layer], ids, EXPERTS)[0],
                                                 *rs.key_counts(chosen[layer], ids, EXPERTS))}
            for layer in range(LAYERS) for r in range(len(STEPS))],
        "token_drop": {"sequence_text": drops(chosen, sequence, position, False, 0),
                       "first_text": drops(chosen, sequence, position, True, 0),
                       "first_100": drops(chosen, sequence, position, True, 100)},
        "co_activation": pairs(chosen, sequence),
        "stability": stability(chosen_by_run),
        "margins": [],
    }
    for layer, z in enumerate(logits[-1]):
        for scores in (True, False):
            m, gap = rs.margins(z * 0.0625, K, scores)
            document["margins"].append({
                "layer": layer, "of": "scores" if scores else "logits", "mean": float(m.mean()), "even_gap": gap,
                "small_share": float((m < 0.02).mean()),
                "quantiles": numpy.quantile(m, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]).tolist()})
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, separators=(",", ":"), default=lambda value: value.item())
        file.write("\n")


if __name__ == "__main__":
    main()
