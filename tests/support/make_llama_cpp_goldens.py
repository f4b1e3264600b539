#!/usr/bin/env python3
"""Writes tests/data/gguf_tokenizers/llama_cpp.json: what llama.cpp makes of texts under every pre-tokenizer name
that MoEScope reads, with the vocabularies of tests/data/tokenizers.

For each name a model of one layer with random weights is written, since llama.cpp's server wants one, and its
/tokenize is asked (special tokens in the text are found, none is added); "begins" tells whether a text gets its
begin token where the file has no flag. Texts are those of the vocabulary's
goldens.json and TEXTS; ids are kept for each.

Needs numpy, gguf and xllamacpp (prebuilt llama.cpp). Usage: make_llama_cpp_goldens.py
"""
import importlib.metadata
import json
import pathlib
import tempfile
import unicodedata
import urllib.request

import gguf
import numpy
import xllamacpp

import make_gguf_tokenizers as vocabularies

OUT = vocabularies.OUT / "llama_cpp.json"
# name -> vocabulary with which it is tried
NAMES = {"gpt-2": "gpt2_olmoe", "olmo": "gpt2_olmoe", "refact": "granite", "starcoder": "granite",
         "llama-bpe": "cl100k_llama3", "llama3": "cl100k_llama3", "llama-v3": "cl100k_llama3",
         "smaug-bpe": "cl100k_llama3", "dbrx": "dolma2_flex", "glm4": "cl100k_llama3",
         "chatglm-bpe": "cl100k_llama3", "qwen2": "qwen2", "deepseek-llm": "deepseek_v2",
         "deepseek-v3": "deepseek_v3", "gpt-4o": "o200k_gptoss", "llama4": "o200k_gptoss"}
TEXTS = ["I'll go; we'VE been, they'd", "1234567890 12 345", "  two  spaces", "tab\there", "line\r\n\r\nbreak \n x",
         "a\u00a0b", "\u3000wide", "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m", "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\u65e5\u672c\u8a9e\u30c6\u30b9\u30c8", "\ud55c\uad6d\uc5b4 \ubb38\uc7a5",
         "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u0661\u0662\u0663\u0664", "\u0939\u093f\u0928\u094d\u0926\u0940", "\U0001f600\U0001f44d\U0001f3fd ok", "x=y+1; // done", "def f(a):\n    return a**2\n",
         "\u00b2\u00b3 \u2167 \u00bd", "e\u0301 combining", "trailing   ", "\n\n\n", "A1b2C3", "don\u2019t \u201cquote\u201d", "$5.00 #tag @me", "\u0434\u043e\u0431\u0440\u044b\u0439 \u0434\u0435\u043d\u044c"]
MOST_TEXTS = 70


def texts_of(vocabulary):
    records = json.loads((vocabularies.DATA / "tokenizers" / vocabulary / "goldens.json").read_text())["encode"]
    own = [record["text"] for record in records if 0 < len(record["text"]) <= 120]
    step = max(1, len(own) // (MOST_TEXTS - len(TEXTS)))
    return list(dict.fromkeys(TEXTS + own[::step]))


def write_model(path, tokenizer, pre):
    pieces, types = vocabularies.pieces_of(tokenizer)
    random = numpy.random.Generator(numpy.random.PCG64(1))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(pieces))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(pieces)
    writer.add_token_types(types)
    writer.add_token_merges(vocabularies.merges_of(tokenizer))
    control = next(i for i, kind in enumerate(types) if kind == gguf.TokenType.CONTROL)
    writer.add_bos_token_id(control)
    writer.add_eos_token_id(control)
    shapes = {"token_embd": (len(pieces), 32), "output_norm": (32,), "output": (len(pieces), 32)}
    for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        shapes[f"blk.0.{part}"] = (32, 32)
    for part in ("attn_norm", "ffn_norm"):
        shapes[f"blk.0.{part}"] = (32,)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(0, 0.1, shape).astype(numpy.float32))
    vocabularies.finish(writer)


def ids_of(address, text, special=False):
    body = json.dumps({"content": text, "add_special": special, "parse_special": True}).encode()
    request = urllib.request.Request(f"{address}/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())["tokens"]


def main():
    out = {"made_with": f"xllamacpp {importlib.metadata.version('xllamacpp')}", "names": []}
    with tempfile.TemporaryDirectory() as folder:
        for name, vocabulary in NAMES.items():
            path = pathlib.Path(folder) / f"{name}.gguf"
            write_model(path, vocabularies.load(vocabulary), name)
            parameters = xllamacpp.CommonParams()
            parameters.model.path = str(path)
            parameters.n_ctx = 64
            parameters.n_parallel = 1
            parameters.warmup = False
            server = xllamacpp.Server(parameters)
            texts = texts_of(vocabulary)
            address = server.listening_address
            out["names"].append({"name": name, "vocabulary": vocabulary,
                                 "begins": len(ids_of(address, "a", True)) > len(ids_of(address, "a")),
                                 "texts": [{"text": text, "composed": unicodedata.is_normalized("NFC", text),
                                            "ids": ids_of(address, text)} for text in texts]})
            print(name, len(texts), flush=True)
            del server
    lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in out["names"])
    OUT.write_text('{"made_with": %s, "names": [\n%s\n]}\n' % (json.dumps(out["made_with"]), lines))


if __name__ == "__main__":
    main()
