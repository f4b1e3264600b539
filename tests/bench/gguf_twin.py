"""Writes a GGUF file with the weights of an olmoe or qwen3_moe checkpoint, so that llama.cpp runs the same model.

Weights are float32 or bfloat16, as bits of the checkpoint; other types are made by llama.cpp's own quantiser.
There is no tokenizer in the file. Needs numpy and gguf.
"""
import json
import pathlib

import gguf
import numpy
from gguf import GGMLQuantizationType as Type

ARCHITECTURES = {"olmoe": gguf.MODEL_ARCH.OLMOE, "qwen3_moe": gguf.MODEL_ARCH.QWEN3MOE}
STORED = {"BF16": numpy.uint16, "F32": numpy.float32}


class Tensors:
    """The tensors of model.safetensors, mapped; bfloat16 as 16-bit patterns."""

    def __init__(self, folder):
        file = pathlib.Path(folder) / "model.safetensors"
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            self.entries = json.loads(stream.read(size))
        self.entries.pop("__metadata__", None)
        self.bytes = numpy.memmap(file, numpy.uint8, "r", offset=8 + size)

    def get(self, name, kind):
        entry = self.entries[name]
        begin, end = entry["data_offsets"]
        data = self.bytes[begin:end].view(STORED[entry["dtype"]]).reshape(entry["shape"])
        if data.dtype == numpy.uint16 and kind == Type.F32:
            return (data.astype(numpy.uint32) << 16).view(numpy.float32)
        if data.dtype == numpy.float32 and kind == Type.BF16:
            raise ValueError("float32 weights are not rounded here")
        return data


def add_keys(writer, config):
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    width = config.get("head_dim") or hidden // heads
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_expert_feed_forward_length(config.get("moe_intermediate_size") or config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_expert_count(config["num_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    writer.add_tokenizer_model("no_vocab")


def add_tensor(writer, name, data, kind):
    """Vectors and routers are float32, as llama.cpp wants them."""
    if kind == Type.BF16:
        writer.add_tensor(name, data.view(numpy.uint8), raw_dtype=kind)
    else:
        writer.add_tensor(name, numpy.ascontiguousarray(data))


def write(folder, file, bits):
    """`bits`: "f32" or "bf16"."""
    config = json.loads((pathlib.Path(folder) / "config.json").read_text())
    architecture = ARCHITECTURES[config["model_type"]]
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[architecture], use_temp_file=True)
    names = gguf.get_tensor_name_map(architecture, config["num_hidden_layers"])
    add_keys(writer, config)
    tensors = Tensors(folder)
    experts = config["num_experts"]
    for name, entry in tensors.entries.items():
        if ".experts." in name:
            before, after = name.split(".experts.")
            expert, after = after.split(".", 1)
            if expert != "0":
                continue
            kind = Type.BF16 if bits == "bf16" else Type.F32
            data = numpy.stack([tensors.get(f"{before}.experts.{e}.{after}", kind) for e in range(experts)])
            name = f"{before}.experts.{after}"
        else:
            wide = len(entry["shape"]) == 1 or ".mlp.gate." in name or bits == "f32"
            kind = Type.F32 if wide else Type.BF16
            data = tensors.get(name, kind)
        add_tensor(writer, names.get_name(name, try_suffixes=(".weight",)), data, kind)
    if config.get("tie_word_embeddings"):  # llama.cpp's olmoe wants a head
        kind = Type.F32 if bits == "f32" else Type.BF16
        add_tensor(writer, "output.weight", tensors.get("model.embed_tokens.weight", kind), kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
