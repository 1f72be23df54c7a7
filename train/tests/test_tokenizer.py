"""The tokenizer; test_parity has the official cases."""

import gzip

import pytest

from froster.tokenizer import TextTooLong, Tokenizer


def test_merges_of_a_small_table(tmp_path):
    """h+e, then he+y</w>: hey is one token, hex two."""
    table = tmp_path / "merges.gz"
    with gzip.open(table, "wt") as f:
        f.write("#version\nh e\nhe y</w>\n")
    t = Tokenizer(table)
    names = {i: w for w, i in t.ids.items()}
    assert [names[i] for i in t.encode("Hey hex")] == ["<|startoftext|>", "hey</w>", "he", "x</w>", "<|endoftext|>"]


def test_context_is_the_models():
    t = Tokenizer(context=6)
    assert len(t.encode("a b c d")) == 6
    with pytest.raises(TextTooLong, match="'a b c d e' has 7 tokens, the model reads 6"):
        t.encode("a b c d e")


def test_batches_are_padded_with_zero():
    ids = Tokenizer().batch(["a", "a man"])
    assert ids.tolist() == [[49406, 320, 49407, 0], [49406, 320, 786, 49407]]
