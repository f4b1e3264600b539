"""Writes tests/data/tokenizers/demo/goldens.json: what the Python library `tokenizers` makes of lines of the demo
corpus with the demo model's own tokenizer. The format is that of the other goldens: equal fields are left out.

Usage: python make_demo_tokens.py   (from the root of the repository; needs tokenizers 0.23)
"""

import json
import pathlib
import random

from tokenizers import Tokenizer

TOKENIZER = "resources/demo/model/tokenizer.json"
CORPUS = "resources/demo/corpus"
OUTPUT = "tests/data/tokenizers/demo/goldens.json"
LINES = 9
EXTRA = ["", " ", "\n\n", "<|endoftext|>", "a<|endoftext|> b<|pad|>", "x" * 300, "\U0001f44b\U0001f3fd h\u00e9llo\r\n\t\u3000x"]


def record(tokenizer, text):
    encoding = tokenizer.encode(text, add_special_tokens=False)
    result = {"text": text, "ids": encoding.ids, "tokens": encoding.tokens, "offsets": encoding.offsets}
    decoded = tokenizer.decode(encoding.ids, skip_special_tokens=False)
    if decoded != text:
        result["decoded"] = decoded
    plain = tokenizer.decode(encoding.ids, skip_special_tokens=True)
    if plain != decoded:
        result["decoded_skip_special"] = plain
    assert tokenizer.encode(text, add_special_tokens=True).ids == encoding.ids
    return result


def main():
    tokenizer = Tokenizer.from_file(TOKENIZER)
    rng = random.Random(3)
    texts = list(EXTRA)
    for path in sorted(pathlib.Path(CORPUS).glob("*.txt")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.strip()]
        texts += [line[:200] for line in rng.sample(lines, LINES)]
    encode = [record(tokenizer, text) for text in texts]
    decode = []
    for _ in range(40):  # ids that no text gives: parts of characters, ids outside of the vocabulary
        ids = [rng.randrange(tokenizer.get_vocab_size() + 3) for _ in range(rng.randrange(1, 9))]
        decode.append({"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                       "decoded_skip_special": tokenizer.decode(ids, skip_special_tokens=True)})
    output = pathlib.Path(OUTPUT)
    output.parent.mkdir(parents=True, exist_ok=True)
    lines = lambda rows: ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    output.write_text(f'{{"encode":[\n{lines(encode)}\n],"decode":[\n{lines(decode)}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
