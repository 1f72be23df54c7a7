"""OpenAI CLIP's byte-pair tokenizer."""

import gzip
import html
from itertools import pairwise
from pathlib import Path

import ftfy
import regex
import torch
from torch import Tensor

START, END = "<|startoftext|>", "<|endoftext|>"
MERGES = 49152 - 256 - 2  # as many lines of the table are used
WORDS = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", regex.IGNORECASE
)


def default_table() -> Path:
    """The merge table that lies beside the Go tokenizer."""
    return Path(__file__).parents[2] / "infer" / "froster" / "bpe_simple_vocab_16e6.txt.gz"


class TextTooLong(ValueError):
    """A text has more tokens than the model reads; the official code refuses these too."""


class Tokenizer:
    """Turns texts into token ids."""

    def __init__(self, table: Path | None = None, context: int = 77) -> None:
        self.context = context
        with gzip.open(table or default_table(), "rt", encoding="utf-8") as f:
            lines = f.read().split("\n")[1 : MERGES + 1]
        merges = [tuple(line.split()) for line in lines]
        self.letters = byte_letters()
        alphabet = list(self.letters.values())
        words = alphabet + [a + "</w>" for a in alphabet] + ["".join(m) for m in merges] + [START, END]
        self.ids = {w: i for i, w in enumerate(words)}
        self.ranks = {m: i for i, m in enumerate(merges)}
        self.cache = {START: [self.ids[START]], END: [self.ids[END]]}

    def encode(self, text: str) -> list[int]:
        """The ids of one text from start token to end token. Raises TextTooLong."""
        ids = [self.ids[START]]
        for word in WORDS.findall(clean(text)):
            if word not in self.cache:
                self.cache[word] = self._merge("".join(self.letters[b] for b in word.encode()))
            ids += self.cache[word]
        ids.append(self.ids[END])
        if len(ids) > self.context:
            raise TextTooLong(f"{text[:200]!r} has {len(ids)} tokens, the model reads {self.context}")
        return ids

    def batch(self, texts: list[str]) -> Tensor:
        """int64 [n, longest], zero after each end token."""
        rows = [self.encode(t) for t in texts]
        out = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for i, row in enumerate(rows):
            out[i, : len(row)] = torch.tensor(row)
        return out

    def _merge(self, word: str) -> list[int]:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pairs = list(pairwise(parts))
            best = min(pairs, key=lambda p: self.ranks.get(p, MERGES))
            if best not in self.ranks:
                break
            parts = join(parts, best)
        return [self.ids[p] for p in parts]


def join(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """parts with each occurrence of the pair made one, from the left."""
    out, i = [], 0
    while i < len(parts):
        if tuple(parts[i : i + 2]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


def clean(text: str) -> str:
    """The official cleaning: ftfy's repairs, HTML entities, white space, lower case."""
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return regex.sub(r"\s+", " ", text.strip()).strip().lower()


def byte_letters() -> dict[int, str]:
    """A printable letter for each byte, in the order of the vocabulary: the printable bytes, then the others from U+0100 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}
