"""Class texts: wordings, templates and the vectors made of them."""

import numpy as np
import pytest
import torch

from froster.prompts import RAW, TEMPLATES, prompt, prompts
from froster.texts import FrozenTexts, TextBank, join_prompts, stack_rows
from froster.tokenizer import TextTooLong, Tokenizer

WORDINGS = [["running", "someone runs fast", "a jog"], "waving: a hand goes to and fro", ["lying on the floor", "fallen"]]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture
def bank(tokenizer: Tokenizer) -> TextBank:
    return TextBank(WORDINGS, tokenizer)


def test_prompts():
    assert len(TEMPLATES) == len(set(TEMPLATES)) == RAW == 28
    assert prompt("waving: a hand", 1) == "a photo of a person waving. waving: a hand"
    assert prompts("waving: a hand")[-1] == "waving: a hand"
    assert prompt("{0} of {}", 0) == "a photo of {0} of {}. {0} of {}"


def test_draws_cover_templates_and_wordings(bank: TextBank):
    rng = np.random.default_rng(0)
    draws = [bank.draw(rng) for _ in range(400)]
    assert {t for t, _ in draws} == set(range(28))
    assert [{int(p[c]) for _, p in draws} for c in range(3)] == [{0, 1, 2}, {3}, {4, 5}]
    first = np.bincount([int(p[0]) for _, p in draws])
    assert first.min() > 100


def test_a_seed_draws_the_same(bank: TextBank):
    a, b = (bank.draw(np.random.default_rng([3, 1])) for _ in range(2))
    assert a[0] == b[0]
    assert torch.equal(a[1], b[1])


def test_step_ids_are_templates_then_bare_texts(bank: TextBank, tokenizer: Tokenizer):
    ids = bank.step_ids(8, torch.tensor([1, 3, 5]))
    texts = ["someone runs fast", "waving: a hand goes to and fro", "fallen"]
    want = [prompt(t, 8) for t in texts] + texts
    assert [[i for i in row if i] for row in ids.tolist()] == [tokenizer.encode(t) for t in want]
    assert ids.shape[1] == max(len(tokenizer.encode(t)) for t in want)


def test_rows_are_cut_after_the_longest():
    a, b = torch.tensor([[5, 9, 0, 0]]), torch.tensor([[5, 7, 9]])
    assert stack_rows(a, b).tolist() == [[5, 9, 0], [5, 7, 9]]


def test_class_vectors_by_hand():
    """Unit vectors (1, 0) and (0, 1) meet in the middle, whatever the features' lengths."""
    got = join_prompts(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 0.1]]))
    assert got[0].tolist() == pytest.approx([0.5**0.5, 0.5**0.5])


def test_frozen_texts_are_embedded_once_and_are_those_of_the_tower(bank: TextBank, small):
    model, calls = small(), []

    def encode(ids: torch.Tensor) -> torch.Tensor:
        calls.append(len(ids))
        return model.encode_text(ids)

    frozen, pick = FrozenTexts(bank, encode), torch.tensor([2, 3, 4])
    got = frozen.classes(5, pick)
    assert torch.equal(frozen.classes(5, pick), got)
    assert calls == [6, 6]
    assert not got.requires_grad
    want = join_prompts(*model.encode_text(bank.step_ids(5, pick)).chunk(2))
    assert torch.allclose(got, want, atol=1e-6)


def test_a_class_without_wording_is_an_error(tokenizer: Tokenizer):
    for classes in ([], [[]], ["a", []]):
        with pytest.raises(ValueError, match="one wording for each"):
            TextBank(classes, tokenizer)


def test_a_text_too_long_is_named(tokenizer: Tokenizer):
    with pytest.raises(TextTooLong, match=r"'word word.*has \d+ tokens, the model reads 77"):
        TextBank(["word " * 80], tokenizer).ids(RAW)
