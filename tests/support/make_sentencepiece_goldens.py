"""Writes tests/data/sentencepiece: two small SentencePiece models (BPE with byte fallback, Unigram) trained on the
documentation, and what the library `sentencepiece` makes of a few texts.

Usage: python make_sentencepiece_goldens.py   (from the root of the repository; needs sentencepiece 0.2)
"""

import json
import pathlib

import sentencepiece

FOLDER = pathlib.Path("tests/data/sentencepiece")
TEXTS = [
    "", " ", "Hello world", "  two   spaces  and\ttabs\n lines ", "caf\u00e9 cafe\u0301 \ufb01 \u2460 \uff21\uff22 \u3000x", "\u4e2d\u6587\u3002 \U0001f600\U0001f469\u200d\U0001f52c", "It's 12345 words, \u2581x \u2581\u2581y",
    "<mark> a<mark>b <mark><mark>", "the expert of the layer routes tokens to experts", "unsegmentable\x01\x7f qqqqqqqq zzzz", "x" * 300, "\u0928\u092e\u0938\u094d\u0924\u0947 \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
]
TEXTS += [line for line in pathlib.Path("docs/cli.md").read_text(encoding="utf-8").splitlines() if "<s>" not in line and "<unk>" not in line][:120]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    corpus = [line for name in ("cli", "architecture", "plugins", "steering") for line in pathlib.Path(f"docs/{name}.md").read_text(encoding="utf-8").splitlines() if line.strip()]
    options = {"vocab_size": 600, "user_defined_symbols": ["<mark>", "qq"], "hard_vocab_limit": False, "num_threads": 1, "minloglevel": 2}
    for name, more in {"bpe": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "vocab_size": 900}, "unigram": {"model_type": "unigram", "normalization_rule_name": "nmt_nfkc"}}.items():
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_prefix=str(FOLDER / name), **{**options, **more})
        (FOLDER / f"{name}.vocab").unlink()
        model = sentencepiece.SentencePieceProcessor(model_file=str(FOLDER / f"{name}.model"))
        rows = [json.dumps({"text": text, "ids": model.encode(text), "decoded": model.decode(model.encode(text)) if model.unk_id() not in model.encode(text) else None}) for text in TEXTS]
        (FOLDER / f"{name}.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    main()
