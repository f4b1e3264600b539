#!/usr/bin/env python3
"""Writes checkpoints of the shape of published models with random weights, for measuring speed.

Layers are fewer than in the original, so that they fit: a token's cost grows with layers alone. Weights are
normal with a small deviation, so that logits stay finite and routers choose evenly; the seed is fixed. Needs
numpy. Usage: model_shapes.py olmoe|qwen3_moe FOLDER [--layers N] [--dtype bf16|f32]
"""
import argparse
import json
import pathlib

import numpy

SEED = 20261125
DEVIATION = 0.02
SHAPES = {
    # OLMoE-1B-7B (Muennighoff et al. 2024), 16 layers there.
    "olmoe": {
        "architectures": ["OlmoeForCausalLM"], "model_type": "olmoe", "hidden_size": 2048,
        "intermediate_size": 1024, "num_attention_heads": 16, "num_key_value_heads": 16, "num_experts": 64,
        "num_experts_per_tok": 8, "norm_topk_prob": False, "vocab_size": 50304, "num_hidden_layers": 4,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": False, "hidden_act": "silu", "clip_qkv": None, "attention_bias": False,
        "eos_token_id": 50279},
    # Qwen3-30B-A3B (Qwen team 2025), 48 layers there.
    "qwen3_moe": {
        "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": 2048,
        "intermediate_size": 6144, "moe_intermediate_size": 768, "num_attention_heads": 32,
        "num_key_value_heads": 4, "head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8,
        "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": [], "vocab_size": 151936,
        "num_hidden_layers": 2, "max_position_embeddings": 4096, "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0, "tie_word_embeddings": False, "hidden_act": "silu",
        "attention_bias": False, "eos_token_id": 151645}}


def tensor_shapes(config):
    """Name and shape of every tensor, in the order of the forward pass."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    width = config.get("head_dim", hidden // heads)
    keys = config["num_key_value_heads"] * width
    inner = config.get("moe_intermediate_size", config["intermediate_size"])
    yield "model.embed_tokens.weight", [config["vocab_size"], hidden]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", [hidden]
        yield prefix + "self_attn.q_proj.weight", [heads * width, hidden]
        yield prefix + "self_attn.k_proj.weight", [keys, hidden]
        yield prefix + "self_attn.v_proj.weight", [keys, hidden]
        yield prefix + "self_attn.o_proj.weight", [hidden, heads * width]
        whole = config["model_type"] == "olmoe"  # its norm runs over all heads
        yield prefix + "self_attn.q_norm.weight", [heads * width if whole else width]
        yield prefix + "self_attn.k_norm.weight", [keys if whole else width]
        yield prefix + "post_attention_layernorm.weight", [hidden]
        yield prefix + "mlp.gate.weight", [config["num_experts"], hidden]
        for expert in range(config["num_experts"]):
            for name, shape in (("gate", [inner, hidden]), ("up", [inner, hidden]), ("down", [hidden, inner])):
                yield f"{prefix}mlp.experts.{expert}.{name}_proj.weight", shape
    yield "model.norm.weight", [hidden]
    yield "lm_head.weight", [config["vocab_size"], hidden]


def stored(values, dtype):
    """Bytes of float32 values; bfloat16 rounds to nearest even."""
    if dtype == "f32":
        return values.tobytes()
    bits = values.view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16).tobytes()


def values_of(name, shape, generator):
    if len(shape) == 1:
        return numpy.ones(shape, numpy.float32)
    return generator.standard_normal(shape, numpy.float32) * numpy.float32(DEVIATION)


def byte_tokenizer(size):
    """A byte-level tokenizer.json of `size` entries: 256 bytes, in the printable letters that GPT-2 gave them,
    and names."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in kept]
    letters = [chr(byte) for byte in kept] + [chr(256 + i) for i in range(len(others))]
    vocabulary = {letter: i for i, letter in enumerate(letters)}
    vocabulary.update({f"<{i}>": i for i in range(len(letters), size)})
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": byte_level,
            "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "vocab": vocabulary, "merges": []}}


def write(family, folder, layers=None, dtype="bf16"):
    """Makes `folder` with config.json, tokenizer.json and model.safetensors."""
    config = dict(SHAPES[family])
    config["num_hidden_layers"] = layers or config["num_hidden_layers"]
    config["torch_dtype"] = {"bf16": "bfloat16", "f32": "float32"}[dtype]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "tokenizer.json").write_text(json.dumps(byte_tokenizer(config["vocab_size"])))
    width = {"bf16": 2, "f32": 4}[dtype]
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensor_shapes(config):
        size = width * int(numpy.prod(shape))
        header[name] = {"dtype": dtype.upper(), "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    generator = numpy.random.default_rng(SEED)
    part = folder / "model.safetensors.part"
    with part.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in tensor_shapes(config):
            file.write(stored(values_of(name, shape, generator), dtype))
    part.rename(folder / "model.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("family", choices=SHAPES)
    parser.add_argument("folder")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--dtype", choices=("bf16", "f32"), default="bf16")
    arguments = parser.parse_args()
    write(arguments.family, arguments.folder, arguments.layers, arguments.dtype)


if __name__ == "__main__":
    main()
