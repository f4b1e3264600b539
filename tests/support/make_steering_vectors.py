#!/usr/bin/env python3
"""Writes tests/data/steering/vectors.json: steered router choices computed in numpy, float64, from the formulas of
docs/steering.md and independently of the C++ code. Usage: make_steering_vectors.py OUTPUT"""
import json
import sys

import numpy as np

RNG = np.random.default_rng(20260)


def rank(r):
    """Higher priority first; at equal priorities the later id."""
    return r["priority"], r["id"]


def softmax(v):
    e = np.exp(v - v.max())
    return e / e.sum()


def scores(z, kind):
    return {"softmax": lambda: softmax(z), "sigmoid": lambda: 1 / (1 + np.exp(-z)), "topk_softmax": lambda: z.copy()}[kind]()


def port(values, rules, banned):
    """LOGIT and KEY: set, scale/add/std, pins, bans; `rules` have their experts as sets."""
    native = values.copy()
    out = values.copy()
    free = [i for i in range(len(values)) if i not in banned]
    for i in range(len(values)):
        mine = [r for r in rules if i in r["E"]]
        sets = [r for r in mine if r["op"] == "set" and "ids" not in r]
        if sets:
            out[i] = max(sets, key=rank)["value"]
        out[i] *= np.prod([r["value"] for r in mine if r["op"] == "scale"])
        out[i] += sum(r["value"] for r in mine if r["op"] == "add")
        out[i] += sum(r["value"] for r in mine if r["op"] == "std") * native[free].std()
    high, low = out[free].max(), out[free].min()
    for op, edge, sign in (("pin+", high, 1), ("pin-", low, -1)):
        pinned = sorted(set().union(*[r["E"] for r in rules if r["op"] == op] or [set()]))
        for j, i in enumerate(pinned):
            best = max((r for r in rules if r["op"] == op and i in r["E"]), key=rank)
            out[i] = edge + sign * best["epsilon"] * (1 + (len(pinned) - 1 - j) / len(pinned))
    for r in rules:
        if r["op"] == "ban":
            out[list(r["E"])] = -np.inf
    return out


def count(rule, q, z, k):
    s = np.sort(q)[::-1]
    op = rule["op"]
    if op == "fixed":
        return rule["count"]
    if op == "top_p":
        return int(np.argmax(np.cumsum(s) >= rule["value"])) + 1
    if op == "ratio":
        return int((s >= rule["value"] * s[0]).sum())
    if op == "threshold":
        return int((q >= np.array(rule["thresholds"])).sum())
    if op == "entropy":
        h = (1 - (q ** rule["order"]).sum()) / (rule["order"] - 1)
        return rule["high"] if h > rule["threshold"] else rule["low"]
    everything = [(-v, 0, i) for i, v in enumerate(z)] + [(-rule["null_logit"], 1, i) for i in range(rule["count"])]
    return sum(1 for e in sorted(everything)[:k] if e[1] == 0)


def choose(z, router, rules):
    z = np.asarray(z, dtype=np.float64)
    experts = len(z)
    for r in rules:
        r["E"] = set(range(experts)) if r["experts"] == "all" else set(r["experts"])
    banned = set().union(*[r["E"] for r in rules if r["op"] == "ban"] or [set()])
    z = port(z, [r for r in rules if r["primitive"] == "LOGIT"], banned)
    s = scores(z, router["score"])
    u = s + np.array(router["bias"]) if router["bias"] else s.copy()
    key = [r for r in rules if r["primitive"] == "KEY"]
    u = port(u, key, banned)
    q = s / s.sum() if router["score"] == "sigmoid" else softmax(z)
    k = min(router["top_k"], experts - len(banned))
    counts = [r for r in rules if r["primitive"] == "COUNT"]
    if counts:
        rule = max(counts, key=rank)
        k = count(rule, q, z, router["top_k"])
        k = min(max(k, rule.get("min", 1)), rule.get("max", experts), experts - len(banned))
    forced = [r for r in key if "ids" in r]
    if forced:
        ids = [i for i in max(forced, key=rank)["ids"] if i not in banned]
    else:
        ids = sorted((i for i in range(experts) if i not in banned), key=lambda i: (-u[i], i))[:k]
    return ids, weigh(z, s, ids, router, [r for r in rules if r["primitive"] == "WEIGHT"])


def weigh(z, s, ids, router, rules):
    def normed(w):
        return w / w.sum() if router["norm"] else w
    gathered = softmax(z[ids]) if router["score"] == "topk_softmax" else s[ids]
    native = normed(gathered)
    sources = [r for r in rules if r["op"] in ("uniform", "softmax", "set")]
    source = max(sources, key=rank) if sources else None
    if source and source["op"] == "set":
        return (list(source["weights"]) + [0.0] * len(ids))[:len(ids)]
    if source and source["op"] == "uniform":
        w = np.full(len(ids), 1 / len(ids))
    elif source:
        w = softmax(z[ids] / source["value"])
    else:
        w = gathered.copy()
    for r in rules:
        if r["op"] == "mul":
            w = np.array([x * (r["value"] if i in r["E"] else 1) for x, i in zip(w, ids)])
    renorms = [r for r in rules if r.get("renorm", "native") != "native"]
    renorm = max(renorms, key=rank)["renorm"] if renorms else "native"
    if renorm == "sum1" or (renorm == "native" and router["norm"]):
        w = w / w.sum()
    elif renorm == "keep_mass":
        w = w * native.sum() / w.sum()
    return list(w * router["scale"])


def random_rule(experts, random_experts):
    """One rule of any kind with random operands; experts are drawn where they matter."""
    number = lambda low, high: float(np.round(RNG.uniform(low, high), 3))
    operand = {
        "set": lambda: {"value": number(-2, 2)}, "scale": lambda: {"value": number(-1, 2)}, "add": lambda: {"value": number(-2, 2)},
        "std": lambda: {"value": number(-1, 1)}, "pin+": lambda: {"epsilon": number(0.01, 1)}, "pin-": lambda: {"epsilon": number(0.01, 1)},
        "ban": dict}
    counts = {
        "fixed": lambda: {"count": int(RNG.integers(1, experts + 1))}, "top_p": lambda: {"value": number(0.1, 1)}, "ratio": lambda: {"value": number(0.1, 1)},
        "threshold": lambda: {"thresholds": [number(0, 0.4) for _ in range(experts)]},
        "entropy": lambda: {"order": number(0.5, 3), "threshold": number(0.2, 2), "low": 1, "high": int(RNG.integers(2, 6))},
        "null": lambda: {"count": int(RNG.integers(1, 4)), "null_logit": number(-1, 1)}}
    weights = {"uniform": dict, "softmax": lambda: {"value": number(0.2, 3)}, "mul": lambda: {"value": number(0, 3), "experts": random_experts()},
               "renorm": dict, "set": lambda: {"weights": [number(0, 1) for _ in range(int(RNG.integers(1, 6)))]}}
    primitive = str(RNG.choice(["LOGIT", "KEY", "COUNT", "WEIGHT"]))
    table = {"COUNT": counts, "WEIGHT": weights}.get(primitive, operand)
    op = str(RNG.choice(list(table)))
    more = table[op]()
    if table is operand:
        more["experts"] = random_experts()
    if primitive == "COUNT" and RNG.random() < 0.4:
        low = int(RNG.integers(1, 4))
        more |= {"min": low, "max": int(RNG.integers(low, experts + 1))}
    if primitive == "WEIGHT" and op != "set":
        more["renorm"] = str(RNG.choice(["native", "none", "sum1", "keep_mass"]))
    return rule(primitive, op, **more)


def rule(primitive, op, **more):
    return {"primitive": primitive, "op": op, "experts": "all", **more}


def programs(experts):
    pick = lambda n: sorted(int(i) for i in RNG.choice(experts, n, replace=False))
    some = pick(3)
    for p in ("LOGIT", "KEY"):
        yield [rule(p, "set", value=0.7, experts=some)]
        yield [rule(p, "scale", value=1.7, experts=pick(4))]
        yield [rule(p, "add", value=-0.9, experts=pick(5))]
        yield [rule(p, "std", value=0.5, experts=pick(4))]
        yield [rule(p, "pin+", epsilon=0.01, experts=pick(2))]
        yield [rule(p, "pin-", epsilon=0.02, experts=pick(5))]
        yield [rule(p, "ban", experts=pick(4))]
        yield [rule(p, "ban", experts=[some[0]]), rule(p, "pin+", epsilon=0.01, experts=some), rule(p, "add", value=1.0, experts=pick(3)),
               rule(p, "std", value=-0.4, experts=pick(6))]
    yield [rule("KEY", "set", ids=[some[2], some[0]])]
    yield [rule("KEY", "set", ids=[some[2], some[0]]), rule("WEIGHT", "set", weights=[0.3, 0.9])]
    for more in ({"op": "fixed", "count": 2}, {"op": "fixed", "count": 5, "max": 4}, {"op": "top_p", "value": 0.6}, {"op": "ratio", "value": 0.4},
                 {"op": "threshold", "thresholds": [float(x) for x in RNG.uniform(0, 0.3, experts)]},
                 {"op": "entropy", "order": 1.1, "threshold": 1.5, "low": 1, "high": 4}, {"op": "null", "count": 2, "null_logit": 0.3}):
        yield [rule("COUNT", **more)]
    yield [rule("COUNT", "fixed", count=6), rule("KEY", "ban", experts=pick(experts - 2))]
    for renorm in ("native", "none", "sum1", "keep_mass"):
        yield [rule("WEIGHT", "uniform", renorm=renorm)]
        yield [rule("WEIGHT", "softmax", value=0.5, renorm=renorm)]
        yield [rule("WEIGHT", "mul", value=3.0, experts=pick(4), renorm=renorm)]
        yield [rule("WEIGHT", "renorm", renorm=renorm)]
    yield [rule("LOGIT", "add", value=1.5, experts=some), rule("KEY", "ban", experts=pick(2)), rule("COUNT", "fixed", count=4),
           rule("WEIGHT", "mul", value=0.5, experts=pick(3), renorm="keep_mass")]
    # The same experts under two pins, two sets and a ban; given weights shorter and longer than the choice.
    yield [rule("KEY", "pin+", epsilon=0.1, experts=some), rule("KEY", "pin+", epsilon=0.4, experts=some[:1]), rule("KEY", "pin-", epsilon=0.2, experts=some[1:])]
    yield [rule("LOGIT", "set", value=1.0, experts=some, priority=7), rule("LOGIT", "set", value=-1.0, experts=some[:2], priority=7),
           rule("LOGIT", "scale", value=0.5, experts=some), rule("LOGIT", "ban", experts=some[2:])]
    for length in (1, experts):
        yield [rule("WEIGHT", "set", weights=[round(0.1 + 0.05 * i, 2) for i in range(length)]), rule("WEIGHT", "mul", value=3.0, experts=some, renorm="sum1")]
    # A count that is the router's own wins over an earlier one.
    yield [rule("COUNT", "fixed", count=1), rule("COUNT", "native", priority=9)]
    for _ in range(40):
        yield [random_rule(experts, lambda: pick(int(RNG.integers(1, 5)))) for _ in range(int(RNG.integers(2, 7)))]


def main():
    cases = []
    for score in ("softmax", "sigmoid", "topk_softmax"):
        for norm in (False, True):
            experts, k = int(RNG.integers(8, 17)), int(RNG.integers(2, 5))
            router = {"experts": experts, "top_k": k, "score": score, "norm": norm, "scale": 2.5 if norm else 1.0,
                      "bias": [float(np.float32(x)) for x in RNG.normal(0, 0.3, experts)] if score == "sigmoid" else []}
            for rules in programs(experts):
                z = [float(np.float32(x)) for x in RNG.normal(0, 1.5, experts)]
                for number, r in enumerate(rules, 1):
                    r.update(id=number, priority=r.get("priority", number))
                    if r["op"] == "native":
                        r.update(op="fixed", count=k)
                ids, weights = choose(z, router, rules)
                for r in rules:
                    del r["E"]
                cases.append({"router": router, "logits": z, "program": {"moescope_steering": 1, "rules": rules},
                              "ids": ids, "weights": [float(w) for w in weights]})
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"made_by": "tests/support/make_steering_vectors.py, numpy " + np.__version__, "cases": cases}, file)
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
