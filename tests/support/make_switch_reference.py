#!/usr/bin/env python3
"""Writes reference_token_by_token.safetensors beside the test checkpoint switch_transformers, whose reference.safetensors
transformers computed: the same tokens with the decoder's forwarded one by one. An expert's places are shared by the tokens
of a step, so a token alone is never dropped and later ones differ. Computed in numpy, float32, from the formulas of the
authors (Raffel et al. 2020, Fedus et al. 2021) and independently of the C++ code; with all decoder tokens in one step the
same functions must give what transformers gave, or nothing is written.
Needs numpy, safetensors and ml_dtypes. Usage: make_switch_reference.py CHECKPOINT_FOLDER"""
import json
import math
import pathlib
import sys

import ml_dtypes  # noqa: F401, the weights are bfloat16
import numpy as np
from safetensors.numpy import load_file, save_file

FOLDER = pathlib.Path(sys.argv[1])
C = json.loads((FOLDER / "config.json").read_text())
W = {k: v.astype(np.float32) for k, v in load_file(FOLDER / "model.safetensors").items()}
HEADS, D, E = C["num_heads"], C["d_kv"], C["num_experts"]


def rms(x, name):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(C["layer_norm_epsilon"])) * W[name + ".layer_norm.weight"]


def buckets(queries, keys, both_sides):
    """T5's buckets of relative positions [queries, keys]."""
    distance = np.arange(keys)[None] - np.arange(queries)[:, None]
    count, first = C["relative_attention_num_buckets"], 0
    if both_sides:
        count //= 2
        first = (distance > 0) * count
        distance = abs(distance)
    else:
        distance = np.maximum(-distance, 0)
    exact = count // 2
    far = np.log(np.maximum(distance, 1).astype(np.float32) / exact) / np.float32(math.log(C["relative_attention_max_distance"] / exact))
    far = np.minimum(exact + (far * (count - exact)).astype(int), count - 1)
    return first + np.where(distance < exact, distance, far)


def attention(x, keys, name, bias):
    q, k, v = (y @ W[f"{name}.{part}.weight"].T for y, part in ((x, "q"), (keys, "k"), (keys, "v")))
    q, k, v = (y.reshape(len(y), HEADS, D).transpose(1, 0, 2) for y in (q, k, v))
    scores = q @ k.transpose(0, 2, 1) + bias
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return (shares @ v).transpose(1, 0, 2).reshape(len(x), HEADS * D) @ W[name + ".o.weight"].T


def mlp(x, name):
    return np.maximum(x @ W[name + ".wi.weight"].T, 0) @ W[name + ".wo.weight"].T


def experts(x, name, steps, tap):
    z = x @ W[name + ".router.classifier.weight"].T
    scores = np.exp(z - z.max(-1, keepdims=True))
    scores /= scores.sum(-1, keepdims=True)
    chosen = scores.argmax(-1)
    weight = scores.max(-1)
    dropped = np.zeros(len(x), np.uint8)
    begin = 0
    for size in steps:
        taken = np.zeros(E, int)
        for t in range(begin, begin + size):
            taken[chosen[t]] += 1
            dropped[t] = taken[chosen[t]] > C["expert_capacity"]
        begin += size
    tap |= {"input": x, "logits": z, "scores": scores, "topk_ids": chosen[:, None].astype(np.int64), "topk_weights": weight[:, None],
            "dropped": dropped[:, None]}
    out = np.zeros_like(x)
    for t in np.flatnonzero(dropped == 0):
        out[t] = weight[t] * mlp(x[t], f"{name}.experts.expert_{chosen[t]}")
    return out


def run_part(part, ids, steps, source, taps):
    h = W["shared.weight"][ids]
    is_decoder = part == "decoder"
    table = W[f"{part}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    bias = table[buckets(len(ids), len(ids), not is_decoder)].transpose(2, 0, 1)
    if is_decoder:
        bias = np.where(np.tri(len(ids), dtype=bool)[None], bias, np.float32(-np.inf))
    for layer in range(C["num_decoder_layers" if is_decoder else "num_layers"]):
        p = f"{part}.block.{layer}.layer."
        x = rms(h, p + "0")
        h = h + attention(x, x, p + "0.SelfAttention", bias)
        if is_decoder:
            h = h + attention(rms(h, p + "1"), source, p + "1.EncDecAttention", np.float32(0))
        last = p + ("2" if is_decoder else "1")
        x = rms(h, last)
        if last + ".mlp.router.classifier.weight" in W:
            tap = {}
            h = h + experts(x, last + ".mlp", steps, tap)
            taps |= {f"router.{part}.{layer}.{k}": v for k, v in tap.items()}
        else:
            h = h + mlp(x, last + ".mlp")
        taps[f"hidden.{part}.{layer}"] = h
    h = h / np.sqrt((h * h).mean(-1, keepdims=True) + np.float32(C["layer_norm_epsilon"]))
    return h * W[part + ".final_layer_norm.weight"]


def forward(source_ids, decoder_ids, one_by_one):
    taps = {}
    source = run_part("encoder", source_ids, [len(source_ids)], None, taps)
    steps = [1] * len(decoder_ids) if one_by_one else [len(decoder_ids)]
    h = run_part("decoder", decoder_ids, steps, source, taps)
    taps["logits"] = h * np.float32(C["d_model"] ** -0.5) @ W["shared.weight"].T
    return taps


def rows(reference, one_by_one):
    all_rows = [forward(s, d, one_by_one) for s, d in zip(reference["input_ids"], reference["decoder_input_ids"])]
    return {k: np.ascontiguousarray(np.stack([row[k] for row in all_rows])) for k in all_rows[0]}


def greedy(source_ids, count, one_by_one):
    text = [C["decoder_start_token_id"]]
    margin = np.inf
    for _ in range(count):
        logits = forward(source_ids, np.array(text), one_by_one)["logits"][-1]
        ranked = np.sort(logits)
        margin = min(margin, ranked[-1] - ranked[-2])
        text.append(int(logits.argmax()))
    return np.array(text[1:], np.int64), margin


def main():
    reference = load_file(FOLDER / "reference.safetensors")
    together = rows(reference, False)
    worst = 0.0
    for name, values in together.items():
        worst = max(worst, float(abs(values.astype(np.float64) - reference[name]).max()))
    count = len(reference["greedy_ids"])
    ids, _ = greedy(reference["input_ids"][0], count, False)
    if worst > 1e-4 or (ids != reference["greedy_ids"]).any():
        sys.exit(f"this differs from transformers by {worst}")
    ids, margin = greedy(reference["input_ids"][0], count, True)
    if margin < 1e-4:
        sys.exit("the greedy continuation hangs on rounding")
    own = rows(reference, True) | {k: reference[k] for k in ("input_ids", "decoder_input_ids")} | {"greedy_ids": ids}
    save_file(own, FOLDER / "reference_token_by_token.safetensors")
    print(f"equal to transformers within {worst:.1e} in one step; greedy margin {margin:.1e}")


main()
