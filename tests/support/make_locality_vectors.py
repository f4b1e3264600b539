#!/usr/bin/env python3
"""Writes tests/data/analysis/locality_vectors.json and coupling_vectors.json: seeded router logits of nine texts and
what the analyses of cross-layer flow, languages, auxiliary losses, top-p, similarity, sparsity and local routing
consistency make of them, computed with numpy straight from the definitions (loops over tokens, windows and chunks);
and the expert-router coupling of the demo model, read from its safetensors file by hand.
Usage: python make_locality_vectors.py   (from the root of the repository; needs numpy)."""
import json
import math
import struct

import numpy

EXPERTS, TOP_K, LAYERS = 12, 3, 3
LANGUAGES = ["en", "de", "fr"]
LENGTHS = [40, 33, 5, 64, 1, 17, 50, 25, 70]  # text t is sentence t % 3 in language t // 3


def make_logits(generator):
    """[texts][layers] arrays [tokens, experts], multiples of 1/64 (exact in binary16), correlated in time."""
    texts = []
    language_bias = generator.normal(size=(3, LAYERS, EXPERTS)) * 1.2
    for text, length in enumerate(LENGTHS):
        layers = []
        state = generator.normal(size=EXPERTS)
        mixing = generator.normal(size=EXPERTS)
        noise = numpy.zeros((length, EXPERTS))
        for token in range(length):
            state = 0.8 * state + 0.6 * generator.normal(size=EXPERTS)
            noise[token] = state
        for layer in range(LAYERS):
            z = language_bias[text // 3, layer] + numpy.roll(noise, layer, axis=1) + 0.3 * mixing
            z = z + 0.5 * generator.normal(size=z.shape)
            if layer == 1:
                z[:, 11] = -20.0  # a dead expert
            layers.append(numpy.round(z * 64) / 64)
        texts.append(layers)
    return texts


def top_k(z):
    return numpy.argsort(-z, axis=1, kind="stable")[:, :TOP_K]


def softmax(z):
    e = numpy.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def entropy(p):
    p = numpy.asarray(p)[numpy.asarray(p) > 0]
    return float(-(p * numpy.log(p)).sum())


def divergence(a, b):
    a, b = a / a.sum(), b / b.sum()
    mean = (entropy(a) + entropy(b)) / 2
    return (entropy((a + b) / 2) - mean) / (math.log(len(a)) - mean)


def transitions(ids_a, ids_b, rule):
    joint = numpy.zeros((EXPERTS, EXPERTS))
    tokens = 0
    for a, b in zip(numpy.concatenate(ids_a), numpy.concatenate(ids_b)):
        tokens += 1
        if rule == "top1":
            joint[a[0], b[0]] += 1
        elif rule == "rank":
            for r in range(TOP_K):
                joint[a[r], b[r]] += 1 / TOP_K
        else:
            joint[numpy.ix_(a, b)] += 1 / TOP_K**2
    p = joint / joint.sum()
    pa, pb = p.sum(axis=1), p.sum(axis=0)
    information = entropy(pa) + entropy(pb) - entropy(p.ravel())
    live = pa > 0
    conditional = joint[live] / joint[live].sum(axis=1, keepdims=True)
    best = conditional.max(axis=1)
    descending = -numpy.sort(-conditional, axis=1)
    return {
        "weights": joint.tolist(), "tokens": tokens, "information": information,
        "bias": (int(live.sum()) - 1) * (int((pb > 0).sum()) - 1) / (2 * tokens),
        "normalized": information / entropy(pb), "mean_max": float(best.mean()),
        "weighted_max": float((best * pa[live]).sum()), "guess_without": float(pb.max()),
        "coverage2": float((descending[:, :2].sum(axis=1) * pa[live]).sum()),
        "coverage2_unknown": float(-numpy.sort(-pb)[:2].sum()),
    }


def sparsity_values(ids, chunk, shared):
    active = total = 0
    for text in ids:
        for first in range(0, len(text) - chunk + 1, chunk):
            active += len(set(text[first:first + chunk].ravel().tolist())) + shared
            total += EXPERTS + shared
    return 1 - active / total


def windows_of(ids, size):
    """[windows, experts] activations in every overlapping window inside a text."""
    out = []
    for text in ids:
        hot = numpy.zeros((len(text), EXPERTS))
        for token, row in enumerate(text):
            hot[token, row] = 1
        for first in range(0, len(text) - size + 1):
            out.append(hot[first:first + size].sum(axis=0))
    return numpy.array(out)


def best_f1(counts, size):
    active = counts.sum()
    best = (-1.0, 0, 0.0)
    for r in range(1, size + 1):
        chosen = counts >= r
        predicted = size * chosen.sum()
        f1 = 2 * counts[chosen].sum() / (predicted + active)
        if f1 > best[0] + 1e-15:
            best = (float(f1), r, float(predicted / active))
    return {"f1": best[0], "threshold": best[1], "ratio": best[2]}


def random_f1(size):
    p = TOP_K / EXPERTS
    mass = [math.comb(size, c) * p**c * (1 - p) ** (size - c) for c in range(size + 1)]
    best = 0.0
    for r in range(1, size + 1):
        match = sum(c * mass[c] for c in range(r, size + 1))
        best = max(best, 2 * match / (size * sum(mass[r:]) + size * p))
    return best


def look_ahead_hits(text, size, capacity):
    """Naive: the window is searched anew for every eviction."""
    cache, used, hits, clock = set(), {}, 0, 0
    for token, row in enumerate(text.tolist()):
        before = set(cache)
        seen_new = 0
        for expert in row:
            if expert in before:
                hits += 1
            elif len(before) + seen_new < capacity:
                hits += 1
                seen_new += 1
        for slot, expert in enumerate(row):
            clock += 1
            used[expert] = clock
            if expert in cache:
                continue
            if len(cache) == capacity:
                ahead = row[slot + 1:] + [e for later in text[token + 1:token + size].tolist() for e in later]
                cache.remove(min(cache, key=lambda e: (ahead.count(e), used[e])))
            cache.add(expert)
    return hits


def token_jaccard(text):
    """Mean over pairs of tokens of what their sets of experts share; None for one token."""
    sets = [set(row) for row in text.tolist()]
    values = [len(a & b) / len(a | b) for i, a in enumerate(sets) for b in sets[i + 1:]]
    return float(numpy.mean(values)) if values else None


def language_values(q, rates, ids):
    of = lambda rows, language: numpy.array(rows[3 * language:3 * language + 3])
    english, german, french = of(q, 0), of(q, 1), of(q, 2)
    return {
        "q": [row.tolist() for row in q], "rates": [row.tolist() for row in rates],
        "mean": {"de": divergence(english.mean(axis=0), german.mean(axis=0)),
                 "fr": divergence(english.mean(axis=0), french.mean(axis=0))},
        "paired": {"de": float(numpy.mean([divergence(a, b) for a, b in zip(english, german)])),
                   "fr": float(numpy.mean([divergence(a, b) for a, b in zip(english, french)]))},
        "neighbours": float(numpy.mean([divergence(english[i], english[(i + 1) % 3]) for i in range(3)])),
        "jaccard": {name: float(numpy.mean([v for v in map(token_jaccard, ids[3 * l:3 * l + 3]) if v is not None]))
                    for l, name in enumerate(LANGUAGES)},
        "delta_de": (of(rates, 1).mean(axis=0) - of(rates, 0).mean(axis=0)).tolist(),
    }


def exclusive_values(ids, keep, threshold):
    rates = []
    for language in range(3):
        chosen = numpy.concatenate(ids[3 * language:3 * language + 3])
        rates.append(numpy.bincount(chosen.ravel(), minlength=EXPERTS) / len(chosen))
    kept = numpy.array(rates)
    for row in kept:
        order = numpy.argsort(-row, kind="stable")
        row[order[keep:]] = 0
    s = kept / (kept.sum(axis=0) + 1e-10)
    return {"rates": numpy.array(rates).tolist(), "keep": keep, "threshold": threshold, "selectivity": s.tolist(),
            "exclusive": [numpy.flatnonzero(row >= threshold).tolist() for row in s],
            "pair_de_fr": numpy.flatnonzero(s[1] + s[2] >= threshold).tolist(),
            "shared": numpy.flatnonzero((s > 0).any(axis=0) & (s < threshold).all(axis=0)).tolist()}


def loss_values(z, ids):
    p = [softmax(t) for t in z]
    n = numpy.bincount(numpy.concatenate(ids).ravel(), minlength=EXPERTS)
    mean_p = numpy.concatenate(p).mean(axis=0)
    tokens = sum(LENGTHS)
    per_text = []
    for text_ids, text_p in zip(ids, p):
        counts = numpy.bincount(text_ids.ravel(), minlength=EXPERTS)
        per_text.append(EXPERTS * float((counts / counts.sum() * text_p.mean(axis=0)).sum()))
    lse = numpy.concatenate([numpy.log(numpy.exp(t).sum(axis=1)) for t in z])
    return {"counts": n.tolist(), "mean_p": mean_p.tolist(), "tokens": tokens,
            "switch": float(EXPERTS * (n / n.sum() * mean_p).sum()),
            "summed": float(EXPERTS * (n / tokens * mean_p).sum()),
            "sequence_switch": float(numpy.mean(per_text)), "z_loss": float((lse**2).mean()),
            "z_loss_floor": float(lse.mean() ** 2)}


def top_p_values(z, ids, p):
    probabilities = softmax(numpy.concatenate(z))
    descending = -numpy.sort(-probabilities, axis=1)
    running = descending.cumsum(axis=1)
    counts = (running < p).sum(axis=1) + 1
    counts = numpy.minimum(counts, EXPERTS)
    below = numpy.maximum((running <= p).sum(axis=1), 1)
    chosen = numpy.take_along_axis(probabilities, numpy.concatenate(ids), axis=1).sum(axis=1)
    # No running sum may lie so near p that single precision decides otherwise.
    assert numpy.abs(running - p).min() > 2e-6
    return {"p": p, "mean": float(counts.mean()), "below": float(below.mean()),
            "histogram": numpy.bincount(counts - 1, minlength=EXPERTS).tolist(),
            "captured": float(chosen.mean()),
            "entropy": float(numpy.mean([entropy(row) for row in probabilities]))}


def similarity_values(z):
    rows = numpy.concatenate(z)
    norms = numpy.linalg.norm(rows, axis=0)
    return ((rows.T @ rows / numpy.outer(norms, norms) + 1) / 2).tolist()


def locality_document():
    generator = numpy.random.default_rng(11)
    texts = make_logits(generator)
    layer = lambda index: [text[index] for text in texts]
    ids = [[top_k(z) for z in layer(l)] for l in range(LAYERS)]
    q = [softmax(z).mean(axis=0) for z in layer(0)]
    rates = [numpy.bincount(t.ravel(), minlength=EXPERTS) / len(t) for t in ids[0]]
    requests = sum(LENGTHS) * TOP_K
    consistency = []
    for size in [4, 16]:
        counts = windows_of(ids[1], size)
        consistency.append({
            "size": size, "windows": len(counts), **best_f1(counts, size), "random": random_f1(size),
            "experts": [best_f1(counts[:, e], size)["f1"] if counts[:, e].sum() else None for e in range(EXPERTS)],
            "hits": {str(capacity): sum(look_ahead_hits(t, size, capacity) for t in ids[1]) / requests
                     for capacity in [3, 6]}})
    return {
        "experts": EXPERTS, "top_k": TOP_K, "lengths": LENGTHS,
        "languages": [LANGUAGES[t // 3] for t in range(9)], "sentences": [t % 3 for t in range(9)],
        "logits64": [[(z * 64).astype(int).ravel().tolist() for z in text] for text in texts],
        "transitions": {rule: transitions(ids[0], ids[1], rule) for rule in ["top1", "rank", "all"]},
        "language": language_values(q, rates, ids[0]), "exclusive": exclusive_values(ids[0], 5, 0.4),
        "loss": loss_values(layer(0), ids[0]),
        "top_p": [top_p_values(layer(0), ids[0], p) for p in [0.4, 0.8]],
        "similarity": similarity_values(layer(0)),
        "sparsity": [{"chunk": c, "cls": sparsity_values(ids[1], c, 0), "with_shared": sparsity_values(ids[1], c, 1)}
                     for c in [1, 2, 4, 8, 64]],
        "consistency": consistency,
    }


def read_tensors(path):
    """Name to float64 array; bfloat16 and float32 only."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        payload = file.read()
    out = {}
    for name, info in header.items():
        if name == "__metadata__":
            continue
        raw = payload[info["data_offsets"][0]:info["data_offsets"][1]]
        if info["dtype"] == "BF16":
            values = (numpy.frombuffer(raw, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
        else:
            values = numpy.frombuffer(raw, {"F32": "<f4"}[info["dtype"]])
        out[name] = values.reshape(info["shape"]).astype(numpy.float64)
    return out


def coupling_values(router, gates, alpha):
    n = len(router)
    matrix = numpy.array([[numpy.linalg.norm(gate @ row) for gate in gates] for row in router])
    norms = numpy.linalg.norm(router, axis=1)
    scale = numpy.outer(norms, [numpy.linalg.norm(gate) for gate in gates])
    loss = violations = 0
    for i in range(n):
        for j in range(n):
            if i != j:
                for excess in (matrix[i, j] - alpha * matrix[i, i], matrix[j, i] - alpha * matrix[i, i]):
                    loss += max(excess, 0) / n**2
                    violations += excess > 0
    epsilon = [min(numpy.linalg.norm(router[i] - router[j]) for j in range(n) if j != i) / (2 * norms[i])
               for i in range(n)]
    cosines = router @ router.T / numpy.outer(norms, norms)
    return matrix, {
        "loss": float(loss), "row_win": float((matrix.argmax(axis=1) == numpy.arange(n)).mean()),
        "column_win": float((matrix.argmax(axis=0) == numpy.arange(n)).mean()),
        "violations": float(violations / (2 * n * (n - 1))), "epsilon": float(numpy.mean(epsilon)),
        "cosine": float(numpy.abs(cosines[numpy.triu_indices(n, 1)]).mean()),
        "normalized_mean": float((matrix / scale).mean()), "first_row": matrix[0].tolist(),
        "first_normalized": (matrix / scale)[0].tolist()}


def coupling_document():
    tensors = read_tensors("resources/demo/model/model.safetensors")
    layers = []
    for layer in range(6):
        prefix = f"model.layers.{layer}.mlp."
        gates = [tensors[f"{prefix}experts.{e}.gate_proj.weight"] for e in range(32)]
        layers.append(coupling_values(tensors[prefix + "gate.weight"], gates, 1.0)[1])
    return {"model": "resources/demo/model", "alpha": 1.0, "layers": layers}


def write(name, document):
    with open(f"tests/data/analysis/{name}", "w", encoding="utf-8") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")


def main():
    write("locality_vectors.json", locality_document())
    write("coupling_vectors.json", coupling_document())


if __name__ == "__main__":
    main()
