#!/usr/bin/env python3
"""Writes tests/data/gguf: GGUF twins of test checkpoints and blocks of every quantised type.

A twin holds the weights of tests/data/checkpoints/NAME, so the reference.safetensors of that checkpoint, which
transformers computed, holds for it too. Names come from the tensor map of the PyPI package gguf, keys from its
writer; what converters of llama.cpp do to weights (rows of q and k permuted for the llama architecture, experts
stacked, kv_b split) is done here. `olmoe_mixed.gguf` is quantised: its twin is olmoe_mixed/, whose weights are
what gguf's own dequantize makes of it. `rounded/` holds what its quantize makes of olmoe, and
`olmoe_k_quants.gguf` the types of 256 columns. `blocks.safetensors` holds random blocks of each type as bytes and their
values by gguf's dequantize. tests/fuzz/corpus/gguf gets small models for the fuzzer.

Needs numpy, safetensors and gguf. Usage: make_gguf.py
"""
import json
import pathlib
import shutil

import gguf
import numpy
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

DATA = pathlib.Path(__file__).parent.parent / "data"
OUT = DATA / "gguf"
ARCHITECTURES = {
    "mixtral": gguf.MODEL_ARCH.LLAMA,
    "olmoe": gguf.MODEL_ARCH.OLMOE,
    "qwen2_moe": gguf.MODEL_ARCH.QWEN2MOE,
    "qwen3_moe": gguf.MODEL_ARCH.QWEN3MOE,
    "deepseek_v2": gguf.MODEL_ARCH.DEEPSEEK2,
    "deepseek_v3": gguf.MODEL_ARCH.DEEPSEEK2,
    "glm4_moe": gguf.MODEL_ARCH.GLM4_MOE,
    "gpt_oss": gguf.MODEL_ARCH.GPT_OSS,
}


def read_safetensors(file):
    """As arrays; bfloat16, which numpy lacks, as float32."""
    raw = file.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__", None)
    kinds = {"F32": numpy.float32, "U8": numpy.uint8, "BF16": numpy.uint16}
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        data = numpy.frombuffer(raw[begin:end], kinds[entry["dtype"]]).reshape(entry["shape"])
        if entry["dtype"] == "BF16":
            data = (data.astype(numpy.uint32) << 16).view(numpy.float32)
        tensors[name] = data
    return tensors


def load(name):
    folder = DATA / "checkpoints" / name
    tensors = {}
    for file in sorted(folder.glob("model*.safetensors")):
        tensors.update(read_safetensors(file))
    return json.loads((folder / "config.json").read_text()), tensors


def permuted(weight, heads):
    """Neighbouring rows rotate together: row (head, i, half) of the file is row (head, half, i)."""
    rows = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return rows.swapaxes(1, 2).reshape(weight.shape)


def add_keys(writer, config):
    model = config["model_type"]
    rope = config["rope_parameters"]
    layers = config["num_hidden_layers"] + config.get("num_nextn_predict_layers", 0) * (model == "glm4_moe")
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    writer.add_name(model)
    writer.add_block_count(layers)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_expert_count(config.get("num_experts") or config.get("num_local_experts") or config["n_routed_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if "mscale_all_dim" in rope:
            writer.add_rope_scaling_yarn_log_mul(0.1 * rope["mscale_all_dim"])
    if "kv_lora_rank" not in config:
        writer.add_rope_dimension_count(int(head_dim * rope.get("partial_rotary_factor", 1.0)))
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if "moe_intermediate_size" in config:
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if model == "gpt_oss":
        writer.add_expert_feed_forward_length(config["intermediate_size"])
        writer.add_sliding_window(config["sliding_window"])
        if config["swiglu_limit"] != 7.0:
            writer.add_swiglu_clamp_exp([config["swiglu_limit"]] * layers)
    if model == "qwen2_moe":
        writer.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])
    if "first_k_dense_replace" in config:
        writer.add_leading_dense_block_count(config["first_k_dense_replace"])
        writer.add_expert_shared_count(config["n_shared_experts"])
        writer.add_expert_weights_scale(config["routed_scaling_factor"])
        writer.add_expert_weights_norm(config["norm_topk_prob"])
        writer.add_expert_gating_func(
            gguf.ExpertGatingFuncType.SOFTMAX if model == "deepseek_v2" else gguf.ExpertGatingFuncType.SIGMOID)
        if config.get("n_group"):
            writer.add_expert_group_count(config["n_group"])
            writer.add_expert_group_used_count(config["topk_group"])
    if model == "glm4_moe":
        writer.add_nextn_predict_layers(config["num_nextn_predict_layers"])


def add_placeholder_tokens(writer, config):
    """Enough for the size of the vocabulary, and no tokenizer."""
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token {i}" for i in range(config["vocab_size"])])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    if config["model_type"] == "qwen3_moe":
        writer.add_add_bos_token(False)


def add_latent_keys(writer, config, split):
    """Where kv_b is split, all heads share what is cached, and the real widths have keys of their own."""
    narrow = config["kv_lora_rank"] + config["qk_rope_head_dim"]
    key = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    writer.add_rope_dimension_count(config["qk_rope_head_dim"])
    writer.add_kv_lora_rank(config["kv_lora_rank"])
    if config.get("q_lora_rank"):
        writer.add_q_lora_rank(config["q_lora_rank"])
    writer.add_key_length(narrow if split else key)
    writer.add_value_length(config["kv_lora_rank"] if split else config["v_head_dim"])
    if split:
        writer.add_key_length_mla(key)
        writer.add_value_length_mla(config["v_head_dim"])


def unpacked(blocks):
    """MXFP4 of gpt_oss, two neighbours a byte, as E2M1 codes."""
    return numpy.stack([blocks & 15, blocks >> 4], axis=-1).reshape(*blocks.shape[:-1], 32)


def mxfp4(blocks, scales):
    """As GGUF holds it: the scale, then number i beside number i + 16."""
    codes = unpacked(blocks)
    packed = codes[..., :16] | codes[..., 16:] << 4
    both = numpy.concatenate([scales[..., None], packed], axis=-1)
    return both.reshape(*both.shape[:-2], -1)


def gpt_oss_experts(tensors):
    """Interleaved [E, in, out] to one tensor each [E, out, in]; a generator of (name, array, type)."""
    for name in [n for n in tensors if ".mlp.experts." in n]:
        data = tensors.pop(name)
        base = name.rsplit(".", 1)[0] + "."
        tail = name.rsplit(".", 1)[1]
        if tail.endswith("_scales"):
            continue
        if tail.endswith("_blocks"):
            data = mxfp4(data, SCALES[name])
            kind, suffix = Type.MXFP4, "weight"
        elif tail.endswith("_bias"):
            kind, suffix = None, "bias"
        else:
            data, kind, suffix = data.swapaxes(1, 2), None, "weight"
        if tail.startswith("gate_up"):
            yield f"{base}gate_proj.{suffix}", data[:, ::2], kind
            yield f"{base}up_proj.{suffix}", data[:, 1::2], kind
        else:
            yield f"{base}down_proj.{suffix}", data, kind


SCALES = {}


def converted(config, tensors, split, stack):
    """(name of transformers, array, type) of everything that goes into the file."""
    model = config["model_type"]
    tensors = dict(tensors)
    if model == "gpt_oss":
        SCALES.clear()
        SCALES.update({n.replace("_scales", "_blocks"): t for n, t in tensors.items() if n.endswith("_scales")})
        yield from gpt_oss_experts(tensors)
    experts = {}
    for name, data in tensors.items():
        if model == "mixtral" and (".q_proj." in name or ".k_proj." in name):
            heads = config["num_attention_heads" if ".q_proj." in name else "num_key_value_heads"]
            yield name, permuted(data, heads), None
        elif ".experts." in name and stack:
            before, after = name.split(".experts.")
            expert, after = after.split(".", 1)
            experts.setdefault(f"{before}.experts.{after}", {})[int(expert)] = data
        elif ".kv_b_proj." in name and split:
            both = data.reshape(config["num_attention_heads"], -1, config["kv_lora_rank"])
            nope = config["qk_nope_head_dim"]
            yield name.replace("kv_b", "k_b"), both[:, :nope].swapaxes(1, 2), None
            yield name.replace("kv_b", "v_b"), both[:, nope:], None
        else:
            yield name, numpy.squeeze(data) if "shared_expert_gate" in name else data, None
    for name, parts in experts.items():
        yield name, numpy.stack([parts[e] for e in range(len(parts))]), None


# Of the experts of older files there is one tensor each; the map knows only stacked ones.
OLD_EXPERTS = {"w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up"}


# Dense layers, which llama.cpp does not expect in some architectures, have the names of all others.
DENSE = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 8)


def name_in_file(names, name):
    if ".experts." in name and name.split(".experts.")[1].split(".")[0].isdigit():
        layer, expert, part = name.split(".")[2], name.split(".")[5], name.split(".")[6]
        return f"blk.{layer}.{OLD_EXPERTS[part]}.{expert}.weight"
    found = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if found is None and name.endswith("e_score_correction_bias"):
        found = names.get_name(name.replace("_bias", ".bias"), try_suffixes=(".bias",))
    if name.endswith(".sinks"):
        found += ".weight"
    if found is None and ".mlp." in name:
        found = DENSE.get_name(name, try_suffixes=(".weight",))
    assert found is not None, name
    return found


def write(file, config, tensors, split=False, stack=True, kind_of=lambda name, data: None,
          add_tokens=add_placeholder_tokens):
    """Returns the values that the file holds, by the names of transformers."""
    architecture = ARCHITECTURES[config["model_type"]]
    writer = gguf.GGUFWriter(OUT / file, gguf.MODEL_ARCH_NAMES[architecture])
    names = gguf.get_tensor_name_map(architecture, config["num_hidden_layers"] + 1)
    if split:
        config = {**config, "num_key_value_heads": 1}
    add_keys(writer, config)
    add_tokens(writer, config)
    if "kv_lora_rank" in config:
        add_latent_keys(writer, config, split)
    values = {}
    for name, data, kind in converted(config, tensors, split, stack):
        kind = kind or kind_of(name, data)
        data = numpy.ascontiguousarray(data)
        if data.dtype == numpy.uint8:
            writer.add_tensor(name_in_file(names, name), data, raw_dtype=kind)
        elif kind:
            stored = gguf.quantize(data, kind)
            values[name] = gguf.dequantize(stored, kind).reshape(data.shape)
            writer.add_tensor(name_in_file(names, name), stored, raw_dtype=None if kind == Type.F16 else kind)
        else:
            values[name] = data
            writer.add_tensor(name_in_file(names, name), data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return values


def small(config, tensors, layers):
    """A model of two experts and eight tokens, for the corpus of the fuzzer."""
    config = {**config, "num_hidden_layers": layers, "vocab_size": 8, "num_experts_per_tok": 1, "n_group": None,
              "num_nextn_predict_layers": 0}
    for key in ("num_experts", "num_local_experts", "n_routed_experts"):
        if config.get(key):
            config[key] = 2
    kept = {}
    for name, data in tensors.items():
        parts = name.split(".")
        if parts[1] == "layers" and int(parts[2]) >= layers:
            continue
        if ".experts." in name and parts[5].isdigit() and int(parts[5]) >= 2:
            continue
        if ".experts." in name and not parts[5].isdigit() or ".gate." in name or ".router." in name:
            data = data[:2]
        if "embed_tokens" in name or "lm_head" in name:
            data = data[:8]
        kept[name] = data
    return config, kept


def write_corpus():
    folder = pathlib.Path("..") / ".." / "fuzz" / "corpus" / "gguf"
    (OUT / folder).mkdir(parents=True, exist_ok=True)
    write(folder / "olmoe.gguf", *small(*load("olmoe"), 1))
    write(folder / "gpt_oss_mxfp4.gguf", *small(*load("gpt_oss_mxfp4"), 1))
    write(folder / "deepseek_v3.split.gguf", *small(*load("deepseek_v3"), 2), split=True)
    write(folder / "mixtral.old_experts.gguf", *small(*load("mixtral"), 1), stack=False)


def write_mixed():
    """Every type that 32 columns allow, and 16 bits where they do not divide."""
    config, tensors = load("olmoe")

    def kind_of(name, data):
        if data.ndim == 1 or ".mlp.gate." in name:
            return None
        if data.shape[-1] % 32 != 0:
            return Type.F16
        for part, kind in (("embed", Type.Q8_0), ("q_proj", Type.BF16), ("gate_proj", Type.Q4_0),
                           ("up_proj", Type.Q5_0), ("k_proj", Type.MXFP4)):
            if part in name:
                return kind
        return Type.Q8_0

    values = write("olmoe_mixed.gguf", config, tensors, kind_of=kind_of)
    twin = {}
    for name, data in values.items():
        if ".experts." in name:
            before, after = name.split(".experts.")
            for expert, part in enumerate(data):
                twin[f"{before}.experts.{expert}.{after}"] = numpy.ascontiguousarray(part)
        else:
            twin[name] = data
    folder = OUT / "olmoe_mixed"
    folder.mkdir(exist_ok=True)
    save_file({name: data.astype(numpy.float32) for name, data in twin.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    shutil.copy(DATA / "checkpoints" / "olmoe" / "config.json", folder / "config.json")


def write_rounded():
    """What rounding at load must give: every matrix but the routers in one type, by gguf's own quantize."""
    for kind in (Type.Q8_0, Type.Q4_0):
        def kind_of(name, data):
            whole = data.ndim > 1 and ".mlp.gate." not in name and data.shape[-1] % 32 == 0
            return kind if whole else None
        write(f"rounded/olmoe.{kind.name.lower()}.gguf", *load("olmoe"), kind_of=kind_of)


K_SCALES = {Type.Q4_K: [(0, 5e-5), (2, 4e-4)], Type.Q5_K: [(0, 2.5e-5), (2, 4e-4)], Type.Q6_K: [(208, 1e-5)]}


def write_k_quants():
    """A model of one layer whose rows are long enough for K-quants, which gguf reads and does not write: random
    blocks with scales that give weights of about 0.02."""
    random = numpy.random.Generator(numpy.random.PCG64(102))
    hidden, inner, experts, vocabulary = 256, 32, 4, 64
    config = {**load("olmoe")[0], "hidden_size": hidden, "intermediate_size": inner, "num_experts": experts,
              "num_experts_per_tok": 2, "num_hidden_layers": 1, "vocab_size": vocabulary}
    kinds, tensors = {}, {}

    def blocks(name, rows, kind):
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        data = random.integers(0, 256, (rows, hidden // elements, size), dtype=numpy.uint8)
        for place, scale in K_SCALES[kind]:
            data[:, :, place:place + 2] = numpy.full((rows, hidden // elements, 1), scale, numpy.float16).view(numpy.uint8)
        tensors[name], kinds[name] = data.reshape(rows, -1), kind

    def floats(name, *shape, mean=0.0):
        tensors[name] = random.normal(mean, 0.05, shape).astype(numpy.float32)

    layer = "model.layers.0."
    blocks("model.embed_tokens.weight", vocabulary, Type.Q6_K)
    blocks("lm_head.weight", vocabulary, Type.Q5_K)
    for part, kind in (("q", Type.Q4_K), ("k", Type.Q5_K), ("v", Type.Q6_K), ("o", Type.Q4_K)):
        blocks(f"{layer}self_attn.{part}_proj.weight", hidden, kind)
    for name in ("self_attn.q_norm", "self_attn.k_norm", "input_layernorm", "post_attention_layernorm"):
        floats(f"{layer}{name}.weight", hidden, mean=1.0)
    floats("model.norm.weight", hidden, mean=1.0)
    floats(f"{layer}mlp.gate.weight", experts, hidden)
    for expert in range(experts):
        blocks(f"{layer}mlp.experts.{expert}.gate_proj.weight", inner, Type.Q4_K)
        blocks(f"{layer}mlp.experts.{expert}.up_proj.weight", inner, Type.Q6_K)
        floats(f"{layer}mlp.experts.{expert}.down_proj.weight", hidden, inner)

    def kind_of(name, data):
        if data.dtype == numpy.uint8:
            return next(kind for known, kind in kinds.items() if known == name or ".experts." in name
                        and known.endswith(name.rsplit(".", 2)[1] + ".weight"))
        return Type.Q8_0 if "down_proj" in name else None

    write("olmoe_k_quants.gguf", config, tensors, kind_of=kind_of)


def write_blocks():
    """Bytes are random but for the scales, which are finite and not too large."""
    random = numpy.random.Generator(numpy.random.PCG64(101))
    halves = {Type.Q4_0: [0], Type.Q5_0: [0], Type.Q8_0: [0], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2],
              Type.Q6_K: [208], Type.MXFP4: []}
    out = {}
    for kind, places in halves.items():
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (6, size), dtype=numpy.uint8)
        for place in places:
            scale = random.normal(0, 0.1, (6, 1)).astype(numpy.float16)
            scale[0] = numpy.float16(6e-8)  # a subnormal one
            blocks[:, place:place + 2] = scale.view(numpy.uint8)
        out[f"{kind.name}.bytes"] = blocks.reshape(2, -1)
        out[f"{kind.name}.values"] = gguf.dequantize(blocks.reshape(2, -1), kind).astype(numpy.float32)
        assert numpy.isfinite(out[f"{kind.name}.values"]).all()
        assert out[f"{kind.name}.values"].shape == (2, 3 * elements)
    save_file(out, OUT / "blocks.safetensors")


def main():
    OUT.mkdir(exist_ok=True)
    for name in ("mixtral", "olmoe", "qwen2_moe", "qwen3_moe", "deepseek_v2_lite", "glm4_moe", "gpt_oss",
                 "gpt_oss_mxfp4"):
        write(f"{name}.gguf", *load(name))
    write("mixtral.old_experts.gguf", *load("mixtral"), stack=False)
    write("deepseek_v2_lite.split.gguf", *load("deepseek_v2_lite"), split=True)
    write("deepseek_v3.split.gguf", *load("deepseek_v3"), split=True)
    write_mixed()
    write_rounded()
    write_k_quants()
    write_blocks()
    write_corpus()


if __name__ == "__main__":
    main()
