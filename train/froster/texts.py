"""Class texts as the towers read them, step by step."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .prompts import RAW, prompt
from .tokenizer import Tokenizer

ClassTexts = Sequence[str | Sequence[str]]


class TextBank:
    """The wordings of all classes, their token ids, and the draw of each step."""

    def __init__(self, class_texts: ClassTexts, tokenizer: Tokenizer) -> None:
        self.wordings = [[t] if isinstance(t, str) else list(t) for t in class_texts]
        if not self.wordings or not all(self.wordings):
            raise ValueError("class texts: want at least one class, and one wording for each")
        self.flat = [w for words in self.wordings for w in words]
        self.counts = np.array([len(words) for words in self.wordings])
        self.starts = np.cumsum(self.counts) - self.counts
        self.tokenizer = tokenizer
        self._ids: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.wordings)

    def draw(self, rng: np.random.Generator) -> tuple[int, Tensor]:
        """A template 0..27 and one wording for each class, int64 [classes], as its place among all wordings."""
        template = int(rng.integers(RAW))
        return template, torch.from_numpy(self.starts + rng.integers(self.counts))

    def ids(self, number: int) -> Tensor:
        """Token ids int64 [wordings, longest] of prompt `number` of every wording."""
        if number not in self._ids:
            self._ids[number] = self.tokenizer.batch([prompt(t, number) for t in self.flat])
        return self._ids[number]

    def step_ids(self, template: int, pick: Tensor) -> Tensor:
        """int64 [2 classes, longest]: the templates' rows, then the bare texts'."""
        return stack_rows(self.ids(template)[pick], self.ids(RAW)[pick])


def stack_rows(a: Tensor, b: Tensor) -> Tensor:
    """Two batches of token ids one below the other, cut after the longest text of both."""
    width = max(a.shape[1], b.shape[1])
    both = torch.cat([F.pad(t, (0, width - t.shape[1])) for t in (a, b)])
    return both[:, : int(both.argmax(-1).max()) + 1]


def join_prompts(templates: Tensor, raws: Tensor) -> Tensor:
    """Embeddings [classes, dim] of two prompts of each class to unit class vectors: each unit, their mean, unit again."""
    both = torch.stack([F.normalize(templates.float(), dim=-1), F.normalize(raws.float(), dim=-1)])
    return F.normalize(both.mean(0), dim=-1)


class FrozenTexts:
    """Class vectors by a text tower that does not change: each prompt is embedded once, when it is first drawn."""

    def __init__(self, bank: TextBank, encode: Callable[[Tensor], Tensor]) -> None:
        self.bank, self.encode = bank, encode
        self._features: dict[int, Tensor] = {}

    def features(self, number: int) -> Tensor:
        """Embeddings of prompt `number` of every wording, [wordings, dim]."""
        if number not in self._features:
            with torch.no_grad():
                parts = [self.encode(ids) for ids in self.bank.ids(number).split(512)]
            self._features[number] = torch.cat(parts).float()
        return self._features[number]

    def classes(self, template: int, pick: Tensor) -> Tensor:
        """Unit class vectors [classes, dim] for one draw."""
        pick = pick.to(self.features(RAW).device)
        return join_prompts(self.features(template)[pick], self.features(RAW)[pick])
