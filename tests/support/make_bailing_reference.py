#!/usr/bin/env python3
"""Writes tests/data/checkpoints/bailing_moe_v2: a tiny checkpoint of Ling 2.0's family with reference values computed in
numpy, float32, from the formulas of the model's authors and independently of the C++ code. transformers has no class for
it. Needs numpy and safetensors. Usage: make_bailing_reference.py OUTPUT_FOLDER"""
import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file

CONFIG = {
    "architectures": ["BailingMoeV2ForCausalLM"], "model_type": "bailing_moe_v2", "torch_dtype": "float32",
    "vocab_size": 128, "hidden_size": 32, "intermediate_size": 40, "moe_intermediate_size": 12, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12, "partial_rotary_factor": 0.5, "rope_theta": 600000.0,
    "rms_norm_eps": 1e-6, "max_position_embeddings": 64, "hidden_act": "silu", "use_qkv_bias": True, "use_bias": False,
    "use_qk_norm": True, "norm_head": False, "tie_word_embeddings": False, "num_experts": 12, "num_experts_per_tok": 3,
    "num_shared_experts": 1, "n_group": 4, "topk_group": 2, "routed_scaling_factor": 2.5, "norm_topk_prob": True,
    "first_k_dense_replace": 1, "score_function": "sigmoid", "moe_router_enable_expert_bias": True, "eos_token_id": 2,
}
C = CONFIG
H, V, L = C["hidden_size"], C["vocab_size"], C["num_hidden_layers"]
HEADS, KV, D = C["num_attention_heads"], C["num_key_value_heads"], C["head_dim"]
E, K, I, G = C["num_experts"], C["num_experts_per_tok"], C["moe_intermediate_size"], C["n_group"]
ROWS, TOKENS, GREEDY = 2, 24, 16
MARGIN = 1e-4


def weights(rng):
    def normal(*shape, scale=None):
        return (rng.standard_normal(shape) * (scale or shape[-1] ** -0.5)).astype(np.float32)

    def norm(size):
        return (1 + 0.2 * rng.standard_normal(size)).astype(np.float32)

    w = {"model.word_embeddings.weight": normal(V, H, scale=1.0), "model.norm.weight": norm(H), "lm_head.weight": normal(V, H)}
    for layer in range(L):
        p = f"model.layers.{layer}."
        w[p + "input_layernorm.weight"] = norm(H)
        w[p + "post_attention_layernorm.weight"] = norm(H)
        w[p + "attention.query_key_value.weight"] = normal((HEADS + 2 * KV) * D, H)
        w[p + "attention.query_key_value.bias"] = normal((HEADS + 2 * KV) * D, scale=0.2)
        w[p + "attention.dense.weight"] = normal(H, HEADS * D)
        w[p + "attention.query_layernorm.weight"] = norm(D)
        w[p + "attention.key_layernorm.weight"] = norm(D)
        mlps = {"mlp.": C["intermediate_size"]}
        if layer >= C["first_k_dense_replace"]:
            mlps = {f"mlp.experts.{e}.": I for e in range(E)} | {"mlp.shared_experts.": I * C["num_shared_experts"]}
            w[p + "mlp.gate.weight"] = normal(E, H, scale=0.5)
            w[p + "mlp.gate.expert_bias"] = normal(E, scale=0.3)
        for name, width in mlps.items():
            w[p + name + "gate_proj.weight"] = normal(width, H)
            w[p + name + "up_proj.weight"] = normal(width, H)
            w[p + name + "down_proj.weight"] = normal(H, width)
    return w


def rms(x, weight):
    return weight * (x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(C["rms_norm_eps"])))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def mlp(x, w, prefix):
    gate = x @ w[prefix + "gate_proj.weight"].T
    return (gate * sigmoid(gate) * (x @ w[prefix + "up_proj.weight"].T)) @ w[prefix + "down_proj.weight"].T


def rotate(x):
    """Half of the channels of every head, pairs (i, i + d/2)."""
    d = int(D * C["partial_rotary_factor"])
    angles = np.arange(x.shape[0], dtype=np.float32)[:, None] * (C["rope_theta"] ** (-np.arange(0, d, 2) / d)).astype(np.float32)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    a, b = x[..., : d // 2], x[..., d // 2 : d]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin, x[..., d:]], -1)


def attention(x, w, p):
    qkv = (x @ w[p + "query_key_value.weight"].T + w[p + "query_key_value.bias"]).reshape(len(x), HEADS + 2 * KV, D)
    q = rotate(rms(qkv[:, :HEADS], w[p + "query_layernorm.weight"]))
    k = rotate(rms(qkv[:, HEADS : HEADS + KV], w[p + "key_layernorm.weight"]))
    v = qkv[:, HEADS + KV :]
    out = np.empty((len(x), HEADS, D), np.float32)
    for head in range(HEADS):
        own = head // (HEADS // KV)
        scores = q[:, head] @ k[:, own].T * np.float32(D ** -0.5)
        scores[np.triu_indices(len(x), 1)] = -np.inf
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        out[:, head] = shares / shares.sum(-1, keepdims=True) @ v[:, own]
    return out.reshape(len(x), -1) @ w[p + "dense.weight"].T


def experts(x, w, p, tap):
    z = x @ w[p + "gate.weight"].T
    s = sigmoid(z)
    keys = s + w[p + "gate.expert_bias"]
    groups = np.sort(keys.reshape(len(x), G, -1), -1)[..., -2:].sum(-1)
    kept = np.sort(np.argsort(-groups, -1, kind="stable")[:, : C["topk_group"]], -1)
    mask = np.zeros((len(x), G), bool)
    np.put_along_axis(mask, kept, True, -1)
    keys = np.where(np.repeat(mask, E // G, -1), keys, -np.inf).astype(np.float32)
    ids = np.argsort(-keys, -1, kind="stable")[:, :K]
    g = np.take_along_axis(s, ids, -1)
    g = g / (g.sum(-1, keepdims=True) + np.float32(1e-20)) * np.float32(C["routed_scaling_factor"])
    ranked, best = -np.sort(-keys, -1), -np.sort(-groups, -1)
    margin = min((ranked[:, K - 1] - ranked[:, K]).min(), (best[:, C["topk_group"] - 1] - best[:, C["topk_group"]]).min())
    order = np.argsort(-g, -1, kind="stable")
    tap |= {"input": x, "logits": z, "scores": s, "selection": keys, "groups": kept.astype(np.int64), "margin": margin,
            "topk_ids": np.take_along_axis(ids, order, -1).astype(np.int64), "topk_weights": np.take_along_axis(g, order, -1)}
    out = mlp(x, w, p + "shared_experts.")
    for t in range(len(x)):
        for e, weight in zip(ids[t], g[t]):
            out[t] += weight * mlp(x[t], w, f"{p}experts.{e}.")
    return out


def forward(ids, w):
    h = w["model.word_embeddings.weight"][ids]
    taps = {}
    for layer in range(L):
        p = f"model.layers.{layer}."
        h = h + attention(rms(h, w[p + "input_layernorm.weight"]), w, p + "attention.")
        x = rms(h, w[p + "post_attention_layernorm.weight"])
        if layer < C["first_k_dense_replace"]:
            h = h + mlp(x, w, p + "mlp.")
        else:
            tap = {}
            h = h + experts(x, w, p + "mlp.", tap)
            taps |= {f"router.{layer}.{k}": v for k, v in tap.items()}
        taps[f"hidden.{layer}"] = h
    taps["logits"] = rms(h, w["model.norm.weight"]) @ w["lm_head.weight"].T
    return taps


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        w = weights(rng)
        ids = rng.integers(3, V, (ROWS, TOKENS))
        rows = [forward(row, w) for row in ids]
        text, margins = list(ids[0]), [row[k] for row in rows for k in row if k.endswith("margin")]
        greedy = []
        for _ in range(GREEDY):
            taps = forward(np.array(text), w)
            last = np.sort(taps["logits"][-1])
            margins += [last[-1] - last[-2]] + [v for k, v in taps.items() if k.endswith("margin")]
            greedy.append(int(taps["logits"][-1].argmax()))
            text.append(greedy[-1])
        if min(margins) > MARGIN:
            break
    reference = {k: np.stack([row[k] for row in rows]) for k in rows[0] if not k.endswith("margin")}
    reference = {k: v if v.dtype == np.int64 else v.astype(np.float32) for k, v in reference.items()}
    reference |= {"input_ids": ids.astype(np.int64), "greedy_ids": np.array(greedy, np.int64)}
    save_file({k: np.ascontiguousarray(v) for k, v in reference.items()}, folder / "reference.safetensors")
    save_file(w, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    facts = {"name": folder.name, "seed": seed, "min_margin": float(min(margins)), "made_by": "tests/support/make_bailing_reference.py",
             "reference": "independent numpy implementation of the authors' formulas"}
    (folder / "fixture.json").write_text(json.dumps(facts, indent=1) + "\n")


main()
