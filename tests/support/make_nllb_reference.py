#!/usr/bin/env python3
"""Writes tests/data/checkpoints/nllb_moe: a tiny checkpoint of NLLB-MoE's family with reference values computed in numpy,
float32, from the formulas of the model's authors (NLLB Team 2022, fairseq) and independently of the C++ code. The class of
transformers 5 evaluates two experts only and can make no reference.
Experts have a capacity here (moe_eval_capacity_token_fraction below 1) that the tokens of a forward step share, so there
are two references: reference.safetensors, whose decoder tokens are forwarded together, again for each token of the greedy
continuation, and reference_token_by_token.safetensors, whose decoder tokens are forwarded one by one.
Needs numpy and safetensors. Usage: make_nllb_reference.py OUTPUT_FOLDER"""
import json
import math
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file

CONFIG = {
    "architectures": ["NllbMoeForConditionalGeneration"], "model_type": "nllb-moe", "torch_dtype": "float32",
    "vocab_size": 128, "d_model": 32, "encoder_layers": 4, "decoder_layers": 2, "encoder_ffn_dim": 20,
    "decoder_ffn_dim": 20, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_sparse_step": 2,
    "decoder_sparse_step": 2, "activation_function": "relu", "scale_embedding": True, "max_position_embeddings": 64,
    "num_experts": 6, "expert_capacity": 64, "router_bias": False, "router_dtype": "float32",
    "second_expert_policy": "all", "normalize_router_prob_before_dropping": False, "batch_prioritized_routing": False,
    "moe_eval_capacity_token_fraction": 0.4, "moe_token_dropout": 0.2, "router_ignore_padding_tokens": False,
    "is_encoder_decoder": True, "tie_word_embeddings": True, "use_cache": True, "bos_token_id": 0, "pad_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 2,
}
C = CONFIG
H, V, I, E = C["d_model"], C["vocab_size"], C["encoder_ffn_dim"], C["num_experts"]
HEADS = C["encoder_attention_heads"]
D = H // HEADS
ROWS, SOURCE, TARGET, GREEDY = 2, 24, 10, 16
MARGIN = 1e-4
F = np.float32


def is_sparse(part, layer):
    step = C[part + "_sparse_step"]
    return step > 0 and (layer + 1) % step == 0


def weights(rng):
    w = {"model.shared.weight": (0.2 * rng.standard_normal((V, H))).astype(F)}

    def linear(name, rows, columns, scale=1.0):
        w[name + ".weight"] = (scale * rng.standard_normal((rows, columns)) * columns ** -0.5).astype(F)
        w[name + ".bias"] = (0.1 * rng.standard_normal(rows)).astype(F)

    def norm(name):
        w[name + ".weight"] = (1 + 0.2 * rng.standard_normal(H)).astype(F)
        w[name + ".bias"] = (0.1 * rng.standard_normal(H)).astype(F)

    for part in ("encoder", "decoder"):
        for layer in range(C[part + "_layers"]):
            p = f"model.{part}.layers.{layer}."
            for attention in ("self_attn",) if part == "encoder" else ("self_attn", "cross_attention"):
                norm(p + attention + "_layer_norm")
                for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    linear(p + attention + "." + name, H, H, 3.0 if name == "out_proj" else 1.5)
            norm(p + "ff_layer_norm")
            if is_sparse(part, layer):
                w[p + "ffn.router.classifier.weight"] = (0.4 * rng.standard_normal((E, H))).astype(F)
                for expert in range(E):
                    linear(p + f"ffn.experts.expert_{expert}.fc1", I, H)
                    linear(p + f"ffn.experts.expert_{expert}.fc2", H, I, 4.0)
            else:
                linear(p + "ffn.fc1", I, H)
                linear(p + "ffn.fc2", H, I, 2.0)
        norm(f"model.{part}.layer_norm")
    return w


def linear(x, w, name):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def layer_norm(x, w, name):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + F(1e-5)) * w[name + ".weight"] + w[name + ".bias"]


def positions(count):
    """fairseq's sinusoidal table: sines, then cosines; rows are counted from the one after the padding token's."""
    half = H // 2
    frequencies = np.exp(np.arange(half, dtype=F) * F(-math.log(10000) / (half - 1)))
    angles = (np.arange(count, dtype=F) + F(C["pad_token_id"] + 1))[:, None] * frequencies[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(F)


def attention(x, keys, w, p, causal):
    heads = lambda y: y.reshape(len(y), HEADS, D).transpose(1, 0, 2)
    q = heads(linear(x, w, p + "q_proj") * F(D ** -0.5))
    k, v = heads(linear(keys, w, p + "k_proj")), heads(linear(keys, w, p + "v_proj"))
    scores = q @ k.transpose(0, 2, 1)
    if causal:
        scores = np.where(np.tri(len(x), len(keys), dtype=bool)[None], scores, F(-np.inf))
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return linear((shares @ v).transpose(1, 0, 2).reshape(len(x), H), w, p + "out_proj")


def mlp(x, w, p):
    return linear(np.maximum(linear(x, w, p + "fc1"), 0), w, p + "fc2")


def places(first, second):
    """Which first and second choices of one step have a place: ranks by cumulated one-hot masks."""
    one, two = np.eye(E, dtype=int)[first], np.eye(E, dtype=int)[second]
    rank1 = np.cumsum(one, 0) - 1
    rank2 = np.cumsum(two, 0) - 1 + one.sum(0)
    limit = math.ceil(C["moe_eval_capacity_token_fraction"] * len(first))
    return (one * (rank1 < limit)).sum(-1), (two * (rank2 < limit)).sum(-1)


def experts(x, w, p, steps, tap):
    z = x @ w[p + "router.classifier.weight"].T
    scores = np.exp(z - z.max(-1, keepdims=True))
    scores = scores / scores.sum(-1, keepdims=True)
    first = scores.argmax(-1)
    rest = z.copy()
    np.put_along_axis(rest, first[:, None], -np.inf, -1)
    second = rest.argmax(-1)
    has_place = np.zeros((len(x), 2), F)
    begin = 0
    for size in steps:
        rows = slice(begin, begin + size)
        has_place[rows, 0], has_place[rows, 1] = places(first[rows], second[rows])
        begin += size
    chosen = np.stack([first, second], -1)
    g = np.take_along_axis(scores, chosen, -1) * has_place
    g = g / np.maximum(g.sum(-1, keepdims=True), np.finfo(F).eps)
    kept = F(1 - C["moe_token_dropout"])  # what dropout keeps of an expert's output in training
    ids = np.where(has_place > 0, chosen, -1)
    ranked = -np.sort(-z, -1)
    tap |= {"input": x, "logits": z, "scores": scores, "selection": scores, "topk_ids": ids.astype(np.int64),
            "topk_weights": (g * kept).astype(F),
            "margin": min((ranked[:, 0] - ranked[:, 1]).min(), (ranked[:, 1] - ranked[:, 2]).min())}
    out = np.zeros_like(x)
    for t in range(len(x)):
        for e, weight in zip(ids[t], g[t]):
            if e >= 0:
                out[t] += weight * (kept * mlp(x[t : t + 1], w, p + f"experts.expert_{e}.")[0])
    return out


def run_part(part, ids, w, steps, source, taps):
    h = w["model.shared.weight"][ids] * F(math.sqrt(H)) + positions(len(ids))
    for layer in range(C[part + "_layers"]):
        p = f"model.{part}.layers.{layer}."
        x = layer_norm(h, w, p + "self_attn_layer_norm")
        h = h + attention(x, x, w, p + "self_attn.", part == "decoder")
        if part == "decoder":
            x = layer_norm(h, w, p + "cross_attention_layer_norm")
            h = h + attention(x, source, w, p + "cross_attention.", False)
        x = layer_norm(h, w, p + "ff_layer_norm")
        if is_sparse(part, layer):
            tap = {}
            h = h + experts(x, w, p + "ffn.", steps, tap)
            taps |= {f"router.{part}.{layer}.{k}": v for k, v in tap.items()}
        else:
            h = h + mlp(x, w, p + "ffn.")
        taps[f"hidden.{part}.{layer}"] = h
    return layer_norm(h, w, f"model.{part}.layer_norm")


def forward(source_ids, decoder_ids, w, decoder_steps):
    taps = {}
    source = run_part("encoder", source_ids, w, [len(source_ids)], None, taps)
    taps["logits"] = run_part("decoder", decoder_ids, w, decoder_steps, source, taps) @ w["model.shared.weight"].T
    return taps


def reference(source_ids, decoder_ids, w, one_by_one):
    """Tensors of a reference file and the smallest margin of everything that was decided."""
    steps = lambda count: [1] * count if one_by_one else [count]
    rows = [forward(s, d, w, steps(len(d))) for s, d in zip(source_ids, decoder_ids)]
    margins = [v for row in rows for k, v in row.items() if k.endswith("margin")]
    text = [C["decoder_start_token_id"]]
    for _ in range(GREEDY):
        taps = forward(source_ids[0], np.array(text), w, steps(len(text)))
        last = np.sort(taps["logits"][-1])
        margins += [last[-1] - last[-2]] + [v for k, v in taps.items() if k.endswith("margin")]
        text.append(int(taps["logits"][-1].argmax()))
    tensors = {k: np.stack([row[k] for row in rows]) for k in rows[0] if not k.endswith("margin")}
    tensors = {k: np.ascontiguousarray(v if v.dtype == np.int64 else v.astype(F)) for k, v in tensors.items()}
    tensors |= {"input_ids": source_ids.astype(np.int64), "decoder_input_ids": decoder_ids.astype(np.int64),
                "greedy_ids": np.array(text[1:], np.int64)}
    return tensors, min(margins)


def drops_both_ranks(tensors):
    dropped = [v < 0 for k, v in tensors.items() if k.endswith("topk_ids") and ".encoder." in k]
    decoder = [(v < 0).any() for k, v in tensors.items() if k.endswith("topk_ids") and ".decoder." in k]
    return all(d[..., 0].any() and d[..., 1].any() and (d[..., 0] & ~d[..., 1]).any() for d in dropped) and all(decoder)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(10000):
        rng = np.random.default_rng(seed)
        w = weights(rng)
        source_ids = rng.integers(3, V, (ROWS, SOURCE))
        decoder_ids = rng.integers(3, V, (ROWS, TARGET))
        decoder_ids[:, 0] = C["decoder_start_token_id"]
        together, margin = reference(source_ids, decoder_ids, w, False)
        if margin <= MARGIN or not drops_both_ranks(together) or len(set(together["greedy_ids"])) < 3:
            continue
        one_by_one, other = reference(source_ids, decoder_ids, w, True)
        if other > MARGIN:
            break
    save_file(together, folder / "reference.safetensors")
    save_file(one_by_one, folder / "reference_token_by_token.safetensors")
    save_file(w, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    dropped = {k[len("router."):-len(".topk_ids")]: int((v < 0).sum()) for k, v in together.items() if k.endswith("topk_ids")}
    facts = {"name": folder.name, "seed": seed, "min_margin": float(min(margin, other)), "dropped_choices": dropped,
             "made_by": "tests/support/make_nllb_reference.py",
             "reference": "independent numpy implementation of the authors' formulas"}
    (folder / "fixture.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
