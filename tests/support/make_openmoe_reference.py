#!/usr/bin/env python3
"""Writes tests/data/checkpoints/openmoe: a tiny checkpoint of OpenMoE's family with reference values computed in numpy,
float32, from the formulas of the model's authors and independently of the C++ code. transformers has no class for it.
Experts have a capacity that the tokens of a forward step share, so there are two references: reference.safetensors for
a prompt that is forwarded at once (and a continuation token by token), and reference_token_by_token.safetensors;
reference_long_prompt.safetensors has logits and choices of a longer prompt.
Needs numpy and safetensors. Usage: make_openmoe_reference.py OUTPUT_FOLDER"""
import json
import math
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file

CONFIG = {
    "architectures": ["OpenMoeForCausalLM"], "model_type": "llama", "torch_dtype": "float32", "vocab_size": 128,
    "hidden_size": 32, "intermediate_size": 20, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 4,
    "head_dim": 12, "rope_theta": 10000.0, "rope_scaling": None, "rms_norm_eps": 1e-6, "max_position_embeddings": 320,
    "hidden_act": "swiglu", "mlp_gated": True, "tie_word_embeddings": False, "num_experts": 8, "router_topk": 2,
    "router_capacity_factor_train": 1.25, "router_capacity_factor_eval": 0.9, "router_min_capacity": 4,
    "router_drop_tks": True, "router_noisy_policy": None, "moe_layer_interval": 2, "bos_token_id": 0, "eos_token_id": 1,
    "pad_token_id": 0, "pretraining_tp": 1,
}
C = CONFIG
H, V, L, I = C["hidden_size"], C["vocab_size"], C["num_hidden_layers"], C["intermediate_size"]
HEADS, D, E, K = C["num_attention_heads"], C["head_dim"], C["num_experts"], C["router_topk"]
ROWS, TOKENS, GREEDY, LONG = 2, 24, 16, 200
MARGIN = 1e-4


def weights(rng):
    def normal(*shape, scale):
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    def norm(size):
        return (1 + 0.2 * rng.standard_normal(size)).astype(np.float32)

    w = {"model.embed_tokens.weight": normal(V, H, scale=1.0), "model.norm.weight": norm(H),
         "lm_head.weight": normal(V, H, scale=H ** -0.5)}
    for layer in range(L):
        p = f"model.layers.{layer}."
        w[p + "input_layernorm.weight"] = norm(H)
        w[p + "post_attention_layernorm.weight"] = norm(H)
        for name in "qk":  # products of queries and keys are not scaled down
            w[p + f"self_attn.{name}_proj.weight"] = normal(HEADS * D, H, scale=0.6 * H ** -0.5)
        w[p + "self_attn.v_proj.weight"] = normal(HEADS * D, H, scale=H ** -0.5)
        w[p + "self_attn.o_proj.weight"] = normal(H, HEADS * D, scale=(HEADS * D) ** -0.5)
        dense = "mlp."
        if (layer + 1) % C["moe_layer_interval"] == 0:
            dense = "extra_mlp."
            w[p + "pre_extra_mlp_layernorm.weight"] = norm(H)
            w[p + "mlp.gate_weight"] = normal(E, H, scale=0.4)
            w[p + "mlp.experts.wi_gate"] = normal(E, H, 2 * I, scale=H ** -0.5)
            w[p + "mlp.experts.wi_up"] = normal(E, H, I, scale=H ** -0.5)
            w[p + "mlp.experts.wo"] = normal(E, I, H, scale=2 * I ** -0.5)
        w[p + dense + "gate_proj.weight"] = normal(2 * I, H, scale=H ** -0.5)
        w[p + dense + "up_proj.weight"] = normal(I, H, scale=H ** -0.5)
        w[p + dense + "down_proj.weight"] = normal(H, I, scale=I ** -0.5)
    return w


def rms(x, weight):
    return weight * (x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(C["rms_norm_eps"])))


def swiglu(x):
    a, b = x[..., :I], x[..., I:]
    return a * (b / (1 + np.exp(-b)))


def dense_mlp(x, w, p):
    return (swiglu(x @ w[p + "gate_proj.weight"].T) * (x @ w[p + "up_proj.weight"].T)) @ w[p + "down_proj.weight"].T


def rotate(x):
    angles = np.arange(len(x), dtype=np.float32)[:, None] * (1e4 ** (-np.arange(0, D, 2) / D)).astype(np.float32)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    a, b = x[..., : D // 2], x[..., D // 2 :]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def attention(x, w, p):
    q, k, v = ((x @ w[f"{p}{name}_proj.weight"].T).reshape(len(x), HEADS, D) for name in "qkv")
    q, k = rotate(q), rotate(k)
    out = np.empty((len(x), HEADS, D), np.float32)
    for head in range(HEADS):
        scores = q[:, head] @ k[:, head].T
        scores[np.triu_indices(len(x), 1)] = -np.inf
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        out[:, head] = shares / shares.sum(-1, keepdims=True) @ v[:, head]
    return out.reshape(len(x), -1) @ w[p + "o_proj.weight"].T


def capacity(tokens):
    places = math.floor(K * C["router_capacity_factor_eval"] * tokens / E)
    places += places % 2
    return max(places, C["router_min_capacity"])


def kept(first, second):
    """Which first and second choices of one step have a place: ranks by cumulated one-hot masks, as the authors do."""
    one, two = np.eye(E, dtype=int)[first], np.eye(E, dtype=int)[second]
    rank1 = np.cumsum(one, 0) - 1
    rank2 = np.cumsum(two, 0) - 1 + one.sum(0)
    limit = capacity(len(first))
    return (one * (rank1 < limit)).sum(-1) > 0, (two * (rank2 < limit)).sum(-1) > 0


def experts(x, w, p, steps, tap):
    z = x @ w[p + "gate_weight"].T
    scores = np.exp(z - z.max(-1, keepdims=True))
    scores = scores / scores.sum(-1, keepdims=True)
    first = scores.argmax(-1)
    rest = scores.copy()
    np.put_along_axis(rest, first[:, None], -np.inf, -1)
    second = rest.argmax(-1)
    keep = np.empty((len(x), 2), bool)
    begin = 0
    for size in steps:
        rows = slice(begin, begin + size)
        keep[rows, 0], keep[rows, 1] = kept(first[rows], second[rows])
        begin += size
    chosen = np.stack([first, second], -1)
    ids = np.where(keep, chosen, -1)
    g = np.where(keep, np.take_along_axis(scores, chosen, -1), 0).astype(np.float32)
    ranked = -np.sort(-scores, -1)
    tap |= {"input": x, "logits": z, "scores": scores, "selection": scores, "topk_ids": ids.astype(np.int64), "topk_weights": g,
            "margin": min((ranked[:, 0] - ranked[:, 1]).min(), (ranked[:, 1] - ranked[:, 2]).min())}
    out = np.zeros_like(x)
    for t in range(len(x)):
        for e, weight in zip(ids[t], g[t]):
            if e >= 0:
                inner = swiglu(x[t] @ w[p + "experts.wi_gate"][e]) * (x[t] @ w[p + "experts.wi_up"][e])
                out[t] += weight * (inner @ w[p + "experts.wo"][e])
    return out


def forward(ids, w, steps):
    h = w["model.embed_tokens.weight"][ids]
    taps = {}
    for layer in range(L):
        p = f"model.layers.{layer}."
        h = h + attention(rms(h, w[p + "input_layernorm.weight"]), w, p + "self_attn.")
        x = rms(h, w[p + "post_attention_layernorm.weight"])
        if (layer + 1) % C["moe_layer_interval"]:
            h = h + dense_mlp(x, w, p + "mlp.")
        else:
            tap = {}
            h = h + experts(x, w, p + "mlp.", steps, tap)
            taps |= {f"router.{layer}.{k}": v for k, v in tap.items()}
            h = h + dense_mlp(rms(h, w[p + "pre_extra_mlp_layernorm.weight"]), w, p + "extra_mlp.")
        taps[f"hidden.{layer}"] = h
    taps["logits"] = rms(h, w["model.norm.weight"]) @ w["lm_head.weight"].T
    return taps


def reference(ids, w, prompt_steps):
    """Tensors of a reference file and the smallest margin of everything that was decided."""
    rows = [forward(row, w, prompt_steps) for row in ids]
    margins = [v for row in rows for k, v in row.items() if k.endswith("margin")]
    text, steps, greedy = list(ids[0]), list(prompt_steps), []
    for _ in range(GREEDY):
        taps = forward(np.array(text), w, steps)
        last = np.sort(taps["logits"][-1])
        margins += [last[-1] - last[-2]] + [v for k, v in taps.items() if k.endswith("margin")]
        greedy.append(int(taps["logits"][-1].argmax()))
        text.append(greedy[-1])
        steps.append(1)
    tensors = {k: np.stack([row[k] for row in rows]) for k in rows[0] if not k.endswith("margin")}
    tensors = {k: np.ascontiguousarray(v if v.dtype == np.int64 else v.astype(np.float32)) for k, v in tensors.items()}
    tensors |= {"input_ids": ids.astype(np.int64), "greedy_ids": np.array(greedy, np.int64)}
    return tensors, min(margins)


def long_prompt(w, rng):
    while True:
        ids = rng.integers(3, V, LONG)
        taps = forward(ids, w, [LONG])
        if min(v for k, v in taps.items() if k.endswith("margin")) > MARGIN:
            kept = {k: v[None] for k, v in taps.items() if k == "logits" or ".topk_" in k}
            kept = {k: np.ascontiguousarray(v if v.dtype == np.int64 else v.astype(np.float32)) for k, v in kept.items()}
            return kept | {"input_ids": ids[None].astype(np.int64)}


def drops_both_ranks(tensors):
    dropped = [v < 0 for k, v in tensors.items() if k.endswith("topk_ids")]
    return all(d[..., 0].any() and d[..., 1].any() and (d[..., 0] & ~d[..., 1]).any() for d in dropped)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(10000):
        rng = np.random.default_rng(seed)
        w = weights(rng)
        ids = rng.integers(3, V, (ROWS, TOKENS))
        at_once, margin = reference(ids, w, [TOKENS])
        if margin <= MARGIN or not drops_both_ranks(at_once):
            continue
        one_by_one, other = reference(ids, w, [1] * TOKENS)
        if other > MARGIN:
            break
    save_file(at_once, folder / "reference.safetensors")
    save_file(one_by_one, folder / "reference_token_by_token.safetensors")
    save_file(long_prompt(w, rng), folder / "reference_long_prompt.safetensors")
    save_file(w, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    dropped = {k.split(".")[1]: int((v < 0).sum()) for k, v in at_once.items() if k.endswith("topk_ids")}
    facts = {"name": folder.name, "seed": seed, "min_margin": float(min(margin, other)), "dropped_choices_by_layer": dropped,
             "made_by": "tests/support/make_openmoe_reference.py",
             "reference": "independent numpy implementation of the authors' formulas"}
    (folder / "fixture.json").write_text(json.dumps(facts, indent=1) + "\n")


main()
