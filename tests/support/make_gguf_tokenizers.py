#!/usr/bin/env python3
"""Writes tests/data/gguf_tokenizers: tokenizers of tests/data as metadata of GGUF files without tensors, as the
converters of llama.cpp write them, for goldens of the same tokenizers; and a small model with a tokenizer.

NAME.gguf belongs to tests/data/tokenizers/NAME (written by the library tokenizers), sentencepiece.gguf to
tests/data/sentencepiece/bpe.json (written by sentencepiece). llama_model.gguf is a Mixtral whose tokenizer is
cut to its embedding. tests/fuzz/corpus/gguf gets two small tokenizers.

Needs numpy, safetensors, gguf and sentencepiece. Usage: make_gguf_tokenizers.py
"""
import json
import pathlib

import gguf
import sentencepiece

import make_gguf

DATA = pathlib.Path(__file__).parent.parent / "data"
OUT = DATA / "gguf_tokenizers"
PRE = {"gpt2_olmoe": "olmo", "granite": "refact", "cl100k_llama3": "llama-bpe", "dolma2_flex": "dbrx",
       "qwen2": "qwen2", "deepseek_v2": "deepseek-llm", "deepseek_v3": "deepseek-v3", "o200k_gptoss": "gpt-4o"}
SPM = ["spm_legacy"]
TEMPLATE = "{% for m in messages %}{{ bos_token + m['content'] }}{% endfor %}"


def pieces_of(tokenizer):
    """Pieces by id and their types; ids without a token are padding."""
    pieces = dict((number, piece) for piece, number in tokenizer["model"]["vocab"].items())
    added = {entry["id"]: entry for entry in tokenizer["added_tokens"]}
    pieces.update((number, entry["content"]) for number, entry in added.items())
    count = max(pieces) + 1
    types = []
    for number in range(count):
        if number not in pieces:
            types.append(gguf.TokenType.UNUSED)
        elif number in added:
            types.append(gguf.TokenType.CONTROL if added[number]["special"] else gguf.TokenType.USER_DEFINED)
        else:
            types.append(gguf.TokenType.NORMAL)
    return [pieces.get(number, f"[PAD{number}]") for number in range(count)], types


def special_of(tokenizer):
    """The ids that the post-processor puts before and behind a text."""
    steps = [tokenizer["post_processor"] or {}]
    steps = steps[0].get("processors", steps)
    single = next((step["single"] for step in steps if step.get("type") == "TemplateProcessing"), [])
    words = [part["SpecialToken"]["id"] if "SpecialToken" in part else None for part in single]
    ids = {entry["content"]: entry["id"] for entry in tokenizer["added_tokens"]}
    before = ids[words[0]] if words and words[0] else None
    after = ids[words[-1]] if words and words[-1] else None
    return before, after


def merges_of(tokenizer):
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]


def add_special(writer, before, after):
    if before is not None:
        writer.add_bos_token_id(before)
    if after is not None:
        writer.add_eos_token_id(after)
    writer.add_add_bos_token(before is not None)
    writer.add_add_eos_token(after is not None)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_gpt2(path, tokenizer, pre):
    pieces, types = pieces_of(tokenizer)
    writer = gguf.GGUFWriter(path, "olmoe")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(pieces)
    writer.add_token_types(types)
    writer.add_token_merges(merges_of(tokenizer))
    add_special(writer, *special_of(tokenizer))
    writer.add_chat_template(TEMPLATE)
    finish(writer)


def spm_keys(writer, tokenizer):
    """Scores fall with the rank of the merge that makes a piece, as SentencePiece counts them."""
    pieces, types = pieces_of(tokenizer)
    ranks = {merge.replace(" ", "", 1): rank for rank, merge in enumerate(merges_of(tokenizer))}
    for number, piece in enumerate(pieces):
        if types[number] == gguf.TokenType.CONTROL and piece == tokenizer["model"]["unk_token"]:
            types[number] = gguf.TokenType.UNKNOWN
        elif len(piece) == 6 and piece.startswith("<0x"):
            types[number] = gguf.TokenType.BYTE
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(ranks.get(piece, len(ranks))) for piece in pieces])
    writer.add_token_types(types)
    add_special(writer, *special_of(tokenizer))
    writer.add_chat_template(TEMPLATE)


def write_spm(path, tokenizer):
    writer = gguf.GGUFWriter(path, "llama")
    spm_keys(writer, tokenizer)
    finish(writer)


def cut(tokenizer, count):
    """The first `count` characters' worth of a tokenizer: special tokens, characters, and merges that still hold."""
    model = dict(tokenizer["model"])
    names = list(model["vocab"])
    kept = [entry["content"] for entry in tokenizer["added_tokens"]]
    kept.append("\u2581")
    kept += [name for name in names if len(name) == 1 and name not in kept][:count - len(kept) - 24]
    merges = []
    for merge in merges_of(tokenizer):
        left, right = merge.split(" ")
        if len(kept) < count and left in kept and right in kept:
            merges.append(merge)
            kept.append(left + right)
    model.update(vocab={name: number for number, name in enumerate(kept)}, merges=merges)
    added = [{**entry, "id": kept.index(entry["content"])} for entry in tokenizer["added_tokens"]]
    return {**tokenizer, "model": model, "added_tokens": added}


def write_model(path, name, tokenizer):
    config, tensors = make_gguf.load(name)
    assert config["vocab_size"] >= len(tokenizer["model"]["vocab"])
    make_gguf.write(path, config, tensors, add_tokens=lambda writer, _: spm_keys(writer, tokenizer))


def write_sentencepiece():
    model = sentencepiece.SentencePieceProcessor(model_file=str(DATA / "sentencepiece" / "bpe.model"))
    kinds = {model.IsUnknown: gguf.TokenType.UNKNOWN, model.IsControl: gguf.TokenType.CONTROL,
             model.IsByte: gguf.TokenType.BYTE, model.IsUnused: gguf.TokenType.UNUSED}
    # What its users defined is not told by the library.
    types = [next((kind for test, kind in kinds.items() if test(number)), gguf.TokenType.NORMAL)
             for number in range(len(model))]
    for word in ("<mark>", "qq"):
        types[model.PieceToId(word)] = gguf.TokenType.USER_DEFINED
    writer = gguf.GGUFWriter(OUT / "sentencepiece.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([model.IdToPiece(number) for number in range(len(model))])
    writer.add_token_scores([model.GetScore(number) for number in range(len(model))])
    writer.add_token_types(types)
    finish(writer)


def load(name):
    return json.loads((DATA / "tokenizers" / name / "tokenizer.json").read_text())


def main():
    OUT.mkdir(exist_ok=True)
    for name, pre in PRE.items():
        write_gpt2(OUT / f"{name}.gguf", load(name), pre)
    for name in SPM:
        write_spm(OUT / f"{name}.gguf", load(name))
    write_sentencepiece()
    small = cut(load("spm_unk_fused"), 96)
    write_model(OUT / "llama_model.gguf", "mixtral", small)
    corpus = DATA.parent / "fuzz" / "corpus" / "gguf"
    write_spm(corpus / "tokenizer_spm.gguf", small)
    write_gpt2(corpus / "tokenizer_gpt2.gguf", {**load("granite"), "model": {**load("granite")["model"], "merges": []}}, "refact")


if __name__ == "__main__":
    main()
