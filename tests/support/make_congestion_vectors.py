#!/usr/bin/env python3
"""Writes tests/data/analysis/congestion_vectors.json: congestion fits of seeded synthetic loads, computed
with scipy's Lambert W and scipy's minimisers straight from the definitions (not from the program's code).
Usage: make_congestion_vectors.py OUTPUT (needs numpy and scipy; about two minutes)."""
import json
import sys

import numpy
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar, root
from scipy.special import lambertw, softmax

GRID = numpy.linspace(0, 200, 401)
TAUS = numpy.geomspace(0.2, 20, 201)


def r1(q, gamma):
    """Load shares of the linear congestion game: m = W0(gamma exp(q - lambda)) / gamma, sum 1."""
    if gamma == 0:
        return softmax(q)
    q = q - q.max()
    shares = lambda lam: lambertw(gamma * numpy.exp(q - lam)).real / gamma
    high = numpy.log(numpy.exp(q).sum())
    lam = brentq(lambda x: shares(x).sum() - 1, high - gamma - 1, high + 1, xtol=1e-14, rtol=8.9e-16)
    return shares(lam)


def loss(kind, predicted, observed):
    if kind == "l1":
        return numpy.abs(predicted - observed).sum()
    if kind == "l2":
        return ((predicted - observed) ** 2).sum()
    used = observed > 0
    return (observed[used] * numpy.log(observed[used] / predicted[used])).sum()


def fit(q, train, kind):
    values = [loss(kind, r1(q, g), train) for g in GRID]
    best = int(numpy.argmin(values))
    low, high = GRID[max(0, best - 1)], GRID[min(len(GRID) - 1, best + 1)]
    inside = minimize_scalar(lambda g: loss(kind, r1(q, g), train), bounds=(low, high), method="bounded",
                             options={"xatol": 1e-10})
    candidates = [(inside.fun, inside.x), (values[best], GRID[best])]
    value, gamma = min(candidates)
    return float(gamma), float(value)


def quality(case, estimator, times):
    tokens = times @ case["tokens"]
    if estimator == "q1":
        return (times @ case["logit_sum"]) / tokens
    if estimator == "q2":
        return numpy.log((times @ case["probability_sum"]) / tokens)
    return numpy.log((times @ case["gate_mass"]) / (times @ case["counts"]))


def halves(times):
    even = numpy.arange(len(times)) % 2 == 0
    return times * even, times * ~even


def share(case, times):
    counts = times @ case["counts"]
    return counts / counts.sum()


def drawn_case(generator, texts, experts, top_k, gamma, noise, spread):
    q = generator.normal(size=experts) * spread
    tokens = generator.integers(80, 200, size=texts).astype(float)
    counts, logit_sum, probability_sum, gate_mass = [], [], [], []
    base = r1(q, gamma)
    for t in range(texts):
        text_q = q + generator.normal(size=experts) * 0.1
        load = base * numpy.exp(generator.normal(size=experts) * noise)
        load /= load.sum()
        n = numpy.round(tokens[t] * top_k * load)
        counts.append(n)
        logit_sum.append(numpy.round(tokens[t] * text_q, 6))
        probability_sum.append(numpy.round(tokens[t] * softmax(text_q), 6))
        gate_mass.append(numpy.round(n * (0.1 + 0.05 * numpy.exp(0.5 * text_q)), 6))
    return {name: numpy.array(value) for name, value in [
        ("tokens", tokens), ("counts", counts), ("logit_sum", logit_sum),
        ("probability_sum", probability_sum), ("gate_mass", gate_mass)]}


def point(case, estimator, kind):
    times = numpy.ones(len(case["tokens"]))
    train_times, held_times = halves(times)
    q = quality(case, estimator, train_times)
    train, held, every = share(case, train_times), share(case, held_times), share(case, times)
    experts = len(q)
    gamma, value = fit(q, train, kind)
    tau_losses = [loss(kind, softmax(q / tau), train) for tau in TAUS]
    tau = TAUS[int(numpy.argmin(tau_losses))]
    used = train > 0
    x, y = train[used], numpy.log(train[used]) - q[used]
    fitted = r1(q, gamma)
    choices = (train_times @ case["counts"]).sum()
    log_share = numpy.log(numpy.where(train > 0, train, 1 / choices))
    utility = q - gamma * train - log_share
    l1 = lambda m: float(numpy.abs(m - held).sum())
    return {
        "estimator": estimator, "loss": kind, "gamma": gamma, "value": value,
        "gamma_ols": float(-numpy.cov(y, x, bias=True)[0, 1] / x.var()),
        "tau": float(tau), "r": float(numpy.corrcoef(q, train)[0, 1]),
        "heldout": l1(fitted), "uniform": l1(numpy.full(experts, 1 / experts)), "softmax": l1(softmax(q)),
        "temperature": l1(softmax(q / tau)), "train_load": l1(train),
        "b0a": float(experts * every.max()),
        "b0b": float(experts * softmax(quality(case, estimator, times)).max()),
        "epsilon_nash": float(utility.max() - (train * utility).sum()),
        "epsilon_residual": float(numpy.abs(train - fitted).sum() / numpy.abs(train - 1 / experts).sum()),
    }


def bootstrap(case, draws, estimate):
    gammas, peaks, uncongested, held = [], [], [], []
    for times in draws:
        train_times, held_times = halves(times)
        q = quality(case, "q1", train_times)
        gamma, _ = fit(q, share(case, train_times), "l1")
        gammas.append(gamma)
        peaks.append(len(q) * share(case, times).max())
        uncongested.append(len(q) * softmax(quality(case, "q1", times)).max())
        held.append(numpy.abs(r1(q, gamma) - share(case, held_times)).sum())
    ends = lambda v: [float(numpy.quantile(v, p)) for p in (0.025, 0.975)]
    low, high = ends(gammas)
    return {"gammas": gammas, "gamma": [low, high], "gamma_basic": [2 * estimate - high, 2 * estimate - low],
            "b0a": ends(peaks), "b0b": ends(uncongested), "heldout": ends(held)}


def cases(generator):
    out = []
    for texts, experts, top_k, gamma, noise, spread, dead in [
        (12, 16, 4, 12.0, 0.15, 0.6, None), (15, 32, 4, 35.0, 0.1, 0.5, 3), (10, 8, 2, 3.0, 0.1, 1.0, None),
        (11, 16, 2, 0.0, 0.05, 0.5, None),
    ]:
        case = drawn_case(generator, texts, experts, top_k, gamma, noise, spread)
        if gamma == 0.0:
            # Loads sharper than softmax(q): the best gamma is on the boundary 0.
            case["logit_sum"] = case["logit_sum"] * 0.5
        if dead is not None:
            case["counts"][:, dead] = 0
            case["gate_mass"][:, dead] = 0
        estimators = ["q1", "q2"] + ([] if dead is not None else ["q4"])
        points = [point(case, e, "l1") for e in estimators]
        if dead is None:
            points += [point(case, "q1", "l2"), point(case, "q1", "kl")]
        draws = [numpy.bincount(generator.integers(0, texts, size=texts), minlength=texts) for _ in range(30)]
        out.append({"top_k": top_k, **{k: v.tolist() for k, v in case.items()}, "points": points,
                    "draws": [d.tolist() for d in draws],
                    "bootstrap": bootstrap(case, draws, points[0]["gamma"])})
    return out


def medians(generator):
    rows, experts, texts = 90, 5, 6
    logits = generator.normal(size=(rows, experts)).astype(numpy.float32)
    owners = numpy.sort(generator.integers(0, texts, size=rows))
    results = []
    for times in [[1] * texts] + [numpy.bincount(generator.integers(0, texts, size=texts), minlength=texts).tolist()
                                  for _ in range(12)]:
        weights = numpy.array(times) * (numpy.arange(texts) % 2 == 0)
        repeated = numpy.repeat(logits.astype(float), weights[owners], axis=0)
        results.append({"times": times, "median": numpy.median(repeated, axis=0).tolist() if len(repeated) else None})
    return {"experts": experts, "texts": texts, "owners": owners.tolist(), "logits": logits.ravel().tolist(),
            "results": results}


def multi_type(generator):
    out = []
    for gamma in (0.5, 7.0, 60.0, 200.0):
        types, experts = 3, 10
        q = generator.normal(size=(types, experts)) * 1.5
        weights = generator.dirichlet(numpy.ones(types) * 3)
        respond = lambda m: (weights[:, None] * softmax(q - gamma * m, axis=1)).sum(axis=0)
        solved = root(lambda m: respond(m) - m, numpy.full(experts, 1 / experts), method="hybr", tol=1e-14)
        m = solved.x
        assert numpy.abs(respond(m) - m).max() < 1e-12 and m.min() > 0
        out.append({"gamma": gamma, "weights": weights.tolist(), "means": q.tolist(), "m": m.tolist()})
    return out


def piecewise(generator):
    x = numpy.log(numpy.array([100, 200, 400, 700, 1200, 2000, 4000, 8000, 12000], dtype=float))
    breaks = [3, 6]
    y = 30 - 1.0 * (x - x[0]) + 4.0 * numpy.maximum(0, x - x[3]) - 9.0 * numpy.maximum(0, x - x[6])
    y = y + generator.normal(size=len(x)) * 0.05
    design = numpy.column_stack([numpy.ones_like(x), x] + [numpy.maximum(0, x - x[b]) for b in breaks])
    coefficients, residual, _, _ = numpy.linalg.lstsq(design, y, rcond=None)
    return {"x": x.tolist(), "y": y.tolist(), "breaks": breaks,
            "slopes": numpy.cumsum(coefficients[1:]).tolist(), "residual": float(residual[0])}


def mersenne(seed):
    """std::mt19937_64, from its definition (Matsumoto and Nishimura)."""
    mask = (1 << 64) - 1
    state = [seed & mask]
    for i in range(1, 312):
        state.append((6364136223846793005 * (state[-1] ^ (state[-1] >> 62)) + i) & mask)
    while True:
        for i in range(312):
            x = (state[i] & 0xFFFFFFFF80000000) | (state[(i + 1) % 312] & 0x7FFFFFFF)
            state[i] = state[(i + 156) % 312] ^ (x >> 1) ^ (0xB5026F5AA96619E9 if x & 1 else 0)
        for x in list(state):
            x ^= (x >> 29) & 0x5555555555555555
            x ^= (x << 17) & 0x71D67FFFEDA60000
            x ^= (x << 37) & 0xFFF7EEE000000000
            yield (x & mask) ^ (x >> 43)


def text_draws(texts, draws, seed):
    """Each draw takes `texts` texts with replacement: value modulo texts, incomplete last round thrown away."""
    numbers = mersenne(seed)
    limit = (2**64 - 1) // texts * texts
    out = []
    for _ in range(draws):
        row = numpy.zeros(texts, dtype=int)
        for _ in range(texts):
            value = next(numbers)
            while value >= limit:
                value = next(numbers)
            row[value % texts] += 1
        out.append(row)
    return out


def load_series(generator):
    """Intervals of load metrics, of their means over two layers, and of the loss, from 300 draws of seed 5."""
    layers = [drawn_case(generator, 21, 8, 2, 5.0, 0.3, 1.0), drawn_case(generator, 21, 8, 2, 2.0, 0.3, 0.7)]
    layers[1]["tokens"] = layers[0]["tokens"]
    loss_sum = numpy.round(generator.uniform(200, 600, size=21), 4)
    loss_tokens = layers[0]["tokens"] - 1

    def metrics(case, times):
        n = times @ case["counts"]
        m = n / n.sum()
        positive = m[m > 0]
        entropy = -(positive * numpy.log(positive)).sum()
        gini = numpy.abs(n[:, None] - n[None, :]).sum() / (2 * len(n) ** 2 * n.mean())
        return {"cv": n.std() / n.mean(), "peak-factor": n.max() / n.mean(), "gini": gini,
                "entropy": entropy / numpy.log(len(n)), "mri": n.max() / (times @ case["tokens"])}

    ones = numpy.ones(21)
    draws = text_draws(21, 300, 5)
    names = list(metrics(layers[0], ones))
    triple = lambda value: [float(value(ones))] + [
        float(numpy.quantile([value(d) for d in draws], p)) for p in (0.025, 0.975)]
    return {"seed": 5, "draws": 300, "layers": [{k: v.tolist() for k, v in c.items()} for c in layers],
            "loss_sum": loss_sum.tolist(), "loss_tokens": loss_tokens.tolist(),
            "by_layer": [{n: triple(lambda t, n=n, c=c: metrics(c, t)[n]) for n in names} for c in layers],
            "mean": {n: triple(lambda t, n=n: numpy.mean([metrics(c, t)[n] for c in layers])) for n in names},
            "loss": triple(lambda t: (t @ loss_sum) / (t @ loss_tokens))}


def inclusion_by_sets(weights, taken):
    """Probability of each item to be among the first `taken` drawn without replacement, set by set."""
    chance, sets = numpy.zeros(len(weights)), {frozenset(): 1.0}
    for _ in range(taken):
        following = {}
        for drawn, probability in sets.items():
            left = [i for i in range(len(weights)) if i not in drawn]
            total = sum(weights[i] for i in left)
            for i in left:
                key = drawn | {i}
                following[key] = following.get(key, 0.0) + probability * weights[i] / total
        sets = following
    for drawn, probability in sets.items():
        chance[list(drawn)] += probability
    return chance


def inclusion_by_clocks(weights, taken):
    """The same for many items: u = exp(-w_i t) of the item's own clock, adaptive quadrature over u."""
    def of(i):
        others = numpy.delete(weights, i)

        def fewer(u):
            counts = numpy.array([1.0])
            for rung in 1 - u ** (others / weights[i]):
                counts = numpy.convolve(counts, [1 - rung, rung])[:taken]
            return counts.sum()
        return quad(fewer, 0, 1, epsabs=1e-11, epsrel=1e-10, limit=500)[0]
    return numpy.array([of(i) for i in range(len(weights))])


def inclusion(generator):
    out = []
    for items, taken, spread in [(3, 2, None), (7, 1, 1.0), (9, 3, 0.5), (10, 9, 2.0), (12, 4, 3.0), (64, 8, 0.7)]:
        weights = numpy.array([1 / 2, 1 / 3, 1 / 6]) if spread is None else softmax(generator.normal(size=items) * spread)
        chance = (inclusion_by_sets if items <= 12 else inclusion_by_clocks)(weights, taken)
        assert abs(chance.sum() - taken) < 1e-8
        out.append({"weights": weights.tolist(), "taken": taken, "chance": chance.tolist()})
    return out


def main():
    generator = numpy.random.default_rng(11)
    document = {"cases": cases(generator), "medians": medians(generator), "multi_type": multi_type(generator),
                "piecewise": piecewise(generator), "load_series": load_series(generator),
                "inclusion": inclusion(numpy.random.default_rng(12))}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
