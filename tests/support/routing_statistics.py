"""Routing statistics computed with numpy straight from their definitions, for the scripts that make the values
of tests/data/analysis. Independent of the C++ code: plain arrays, no shortcuts that it takes."""
import math

import numpy


def rates(counts, tokens):
    return (counts / tokens[:, None]).tolist()


def entropy(p):
    p = numpy.asarray(p, dtype=float)
    p = p[p > 0] / p.sum()
    return float(-(p * numpy.log(p)).sum())


def jsd(p, q):
    """From the two Kullback-Leibler divergences, not from entropies."""
    p = numpy.asarray(p, dtype=float) / numpy.sum(p)
    q = numpy.asarray(q, dtype=float) / numpy.sum(q)
    m = (p + q) / 2
    left = sum(a * math.log(a / c) for a, c in zip(p, m) if a > 0)
    right = sum(b * math.log(b / c) for b, c in zip(q, m) if b > 0)
    return (left + right) / 2


def mutual_information(counts):
    """Bits, labels weighted equally: sum q log2(q / (row x column)) over the joint distribution."""
    rows = [row / row.sum() for row in counts if row.sum() > 0]
    joint = numpy.array(rows) / len(rows)
    product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    at = joint > 0
    return float((joint[at] * numpy.log2(joint[at] / product[at])).sum())


def miller_madow(counts):
    rows = [row for row in counts if row.sum() > 0]
    n = numpy.array([row.sum() for row in rows])
    mixture = (numpy.sum([row / row.sum() for row in rows], axis=0) > 0).sum()
    effective = len(rows) ** 2 / (1 / n).sum()
    nat = (mixture - 1) / (2 * effective) - numpy.mean([((row > 0).sum() - 1) / (2 * s) for row, s in zip(rows, n)])
    return mutual_information(counts) + nat / math.log(2)


def label_counts(ids, labels, count, experts):
    """ids [tokens, k] (-1 none), labels [tokens] (-1 none) -> [labels, experts], [labels] tokens."""
    out = numpy.zeros((count, experts))
    tokens = numpy.zeros(count)
    for row, label in zip(ids, labels):
        if label < 0:
            continue
        tokens[label] += 1
        for expert in row:
            if expert >= 0:
                out[label, expert] += 1
    return out, tokens


def bootstrap(statistic, strata, draws, seed):
    """strata: lists of units, each resampled by itself; percentile interval of statistic(units)."""
    generator = numpy.random.default_rng(seed)
    values = []
    for _ in range(draws):
        drawn = [units[i] for units in strata for i in generator.integers(0, len(units), len(units))]
        values.append(statistic(drawn))
    return [numpy.nanquantile(values, q, axis=0).tolist() for q in (0.025, 0.975)]


def key_counts(ids, keys, experts):
    """-> {key: counts [experts]}, {key: occurrences}"""
    counts, occurrences = {}, {}
    for row, key in zip(ids, keys):
        if key < 0:
            continue
        occurrences[key] = occurrences.get(key, 0) + 1
        target = counts.setdefault(key, numpy.zeros(experts))
        for expert in row:
            if expert >= 0:
                target[expert] += 1
    return counts, occurrences


def vocabulary(counts, occurrences, least):
    best = {key: counts[key].max() / occurrences[key] for key in counts}
    frequent = [best[key] for key in best if occurrences[key] >= least]
    weights = numpy.array([occurrences[key] for key in best], dtype=float)
    return {"all_ids": float(numpy.mean(list(best.values()))),
            "min_count": float(numpy.mean(frequent)) if frequent else None,
            "token_weighted": float(numpy.average(list(best.values()), weights=weights)),
            "ids": len(best), "min_count_ids": len(frequent), "tokens": int(weights.sum())}


def expert_vocabulary(counts, occurrences, least, experts):
    maxima = [[] for _ in range(experts)]
    for key in counts:
        if occurrences[key] >= least:
            maxima[int(numpy.argmax(counts[key]))].append(counts[key].max() / occurrences[key])
    return [float(numpy.mean(values)) if values else None for values in maxima]


def top_tokens(counts, occurrences, expert, least, most):
    found = [(key, occurrences[key], int(counts[key][expert])) for key in counts
             if occurrences[key] >= least and counts[key][expert] > 0]
    found.sort(key=lambda t: (-t[2] / t[1], -t[1], t[0]))
    return [[int(v) for v in t] for t in found[:most]]


def context_independence(counts, occurrences, least, experts):
    spreads = [numpy.std(counts[key] / counts[key].sum()) for key in counts if occurrences[key] > least]
    total = sum(counts.values())
    conditional = sum(counts[key].sum() * entropy(counts[key]) for key in counts) / total.sum()
    return {"spread": float(numpy.mean(spreads)) if spreads else None, "keys": len(spreads),
            "explained": 1 - conditional / entropy(total)}


def routing_divergence(a, b, occurrences):
    keys = [key for key in b if key in a]
    weights = [occurrences[key] for key in keys]
    return float(numpy.average([jsd(a[key], b[key]) for key in keys], weights=weights))


def token_drop(groups, experts, factor, first_choices):
    """groups: arrays [tokens, k] -> dropped flags of the same shapes."""
    out = []
    for ids in groups:
        n, k = ids.shape
        capacity = math.ceil(factor * k * n / experts)
        taken = [0] * experts
        dropped = numpy.zeros((n, k), dtype=int)
        order = [(t, r) for r in range(k) for t in range(n)] if first_choices else \
                [(t, r) for t in range(n) for r in range(k)]
        for t, r in order:
            expert = ids[t, r]
            if taken[expert] >= capacity:
                dropped[t, r] = 1
            else:
                taken[expert] += 1
        out.append(dropped)
    return out


def co_activation(ids, experts):
    """-> N_i, N_ij of all pairs, N_ij of neighbours in rank."""
    chosen = numpy.zeros((len(ids), experts), dtype=numpy.int64)
    adjacent = numpy.zeros((experts, experts), dtype=numpy.int64)
    for t, row in enumerate(ids):
        row = [expert for expert in row if expert >= 0]
        chosen[t, row] = 1
        for a, b in zip(row, row[1:]):
            adjacent[a, b] += 1
            adjacent[b, a] += 1
    both = chosen.T @ chosen
    n = numpy.diag(both).copy()
    numpy.fill_diagonal(both, 0)
    return n, both, adjacent


def ratio_matrix(n, pairs):
    with numpy.errstate(divide="ignore", invalid="ignore"):
        out = pairs / n[:, None]
    numpy.fill_diagonal(out, numpy.nan)
    return [[None if not math.isfinite(v) else float(v) for v in row] for row in out]


def clustering_order(matrix):
    """Average linkage by scipy; in each join the side with the smaller first expert stands first."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform
    values = numpy.array([[0.0 if v is None else v for v in row] for row in matrix])
    distance = 1 - (values + values.T) / 2
    numpy.fill_diagonal(distance, 0)
    leaves = {i: [i] for i in range(len(values))}
    for step, (a, b, _, _) in enumerate(linkage(squareform(distance, checks=False), "average")):
        left, right = leaves[int(a)], leaves[int(b)]
        leaves[len(values) + step] = left + right if min(left) < min(right) else right + left
    return leaves[2 * len(values) - 2]


def agreement(a, b, k, experts):
    sets = [(set(x.tolist()), set(y.tolist())) for x, y in zip(a, b)]
    overlap = float(numpy.mean([len(x & y) / k for x, y in sets]))
    top = float(numpy.mean(a[:, 0] == b[:, 0]))
    return {"overlap": overlap, "churn": 1 - overlap,
            "jaccard": float(numpy.mean([len(x & y) / len(x | y) for x, y in sets])),
            "exact_set": float(numpy.mean([x == y for x, y in sets])),
            "top1_same": top, "top1_flip": 1 - top,
            "kappa": (overlap - k / experts) / (1 - k / experts), "top1_kappa": (top - 1 / experts) / (1 - 1 / experts)}


def load(ids, experts):
    return numpy.bincount(ids.ravel(), minlength=experts).astype(float)


def drift(base, new):
    base, new = base / base.sum(), new / new.sum()
    floored = [(max(a, 1e-9), max(b, 1e-9)) for a, b in zip(base, new)]
    return {"jsd": jsd(base, new), "l1": float(numpy.abs(base - new).sum()),
            "kl": float(sum(a * math.log(a / b) for a, b in floored))}


def late_changes(runs, steps, places):
    """runs: [checkpoints][tokens] first choices."""
    top = numpy.array(runs)
    last = numpy.zeros(top.shape[1], dtype=int)
    for r in range(1, len(top)):
        last[top[r] != top[r - 1]] = r
    when = numpy.array(steps)[last] / steps[-1]
    return [float(numpy.mean((last > 0) & (when > place))) for place in places]


def margins(logits, k, scores):
    z = numpy.asarray(logits, dtype=float)
    if scores:
        e = numpy.exp(z - z.max(1, keepdims=True))
        z = e / e.sum(1, keepdims=True)
    ordered = -numpy.sort(-z, axis=1)
    return ordered[:, k - 1] - ordered[:, k], float(((ordered[:, 0] - ordered[:, -1]) / (z.shape[1] - 1)).mean())
