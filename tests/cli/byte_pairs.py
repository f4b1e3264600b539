"""Byte-level BPE in a few lines, so that tests count tokens without the program. Not for every tokenizer:
the pattern is that of the demo model, with Python's idea of a letter."""
import json
import re

LETTER, OTHER = r"[^\W\d_]", r"(?:[^\s\w]|_)"
PATTERN = re.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:[^\r\n\w]|_)?" + LETTER + r"+|\d{1,3}| ?" + OTHER + r"+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_alphabet():
    """The printable character that stands for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


class BytePairs:
    def __init__(self, path):
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        self.vocabulary = model["vocab"]
        merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.alphabet = byte_alphabet()

    def word(self, text):
        parts = [self.alphabet[b] for b in text.encode()]
        while len(parts) > 1:
            pairs = [(self.ranks.get(pair, len(self.ranks)), i) for i, pair in enumerate(zip(parts, parts[1:]))]
            rank, i = min(pairs)
            if rank == len(self.ranks):
                break
            parts[i:i + 2] = [parts[i] + parts[i + 1]]
        return [self.vocabulary[part] for part in parts]

    def encode(self, text):
        return [token for piece in PATTERN.findall(text) for token in self.word(piece)]

    def decode(self, ids):
        pieces = {token: piece for piece, token in self.vocabulary.items()}
        bytes_of = {letter: b for b, letter in self.alphabet.items()}
        return bytes(bytes_of[letter] for token in ids for letter in pieces[token]).decode()
