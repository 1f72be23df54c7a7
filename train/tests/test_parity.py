"""The network, the texts and the pixels against what the official code computes; tolerances are those of the parity README."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from froster import checkpoint, pixels, prompts
from froster.evaluate import classifier
from froster.model import Froster
from froster.sampling import Sampling, offset_start, uniform_start
from froster.tokenizer import TextTooLong, Tokenizer, clean


@pytest.fixture(scope="module")
def model(unpacked: Path) -> Froster:
    return checkpoint.load_model(unpacked / "tiny_froster.pth")


def off(got, want) -> float:
    return float(np.abs(np.asarray(got, np.float64) - want).max())


def official_pixels(frames: np.ndarray, size: int) -> torch.Tensor:
    """uint8 [t, h, w, 3] to [t, 3, size, size]: normalise, resize, crop, in this order."""
    return pixels.centre_crop(pixels.resize_short_side(pixels.normalise(torch.from_numpy(frames)), size), size)


@pytest.mark.parametrize("name", ["same", "noresize_wide", "up", "wide", "tall", "hd"])
def test_pixels_of_every_shape(parity, name: str):
    got = official_pixels(parity.array(f"pre_{name}_frame"), 32)[0]
    assert off(got, parity.array(f"pre_{name}_pixels")[:, 0]) < 1e-5


def test_rounding_to_bytes_moves_a_pixel_by_half_a_level(parity):
    """Training carries resized bytes, as the product does."""
    frames = torch.from_numpy(parity.array("frames_0"))
    got = pixels.normalise(pixels.resize_and_crop(frames, 32))
    assert 1e-4 < off(got.movedim(0, 1), parity.array("pixels")[0]) < 0.51 / 255 / min(pixels.STD)


def test_towers_and_scores(parity, model: Froster):
    clips = torch.stack([official_pixels(parity.array(f"frames_{i}"), 32) for i in range(2)])
    assert off(clips.transpose(1, 2), parity.array("pixels")) < 1e-5
    with torch.no_grad():
        frames = model.frame_embeddings(clips)
        embeddings = model.clip_embeddings(clips)
        classes = classifier(model, Tokenizer(), parity.facts["classes"])
        logits = model.logit_scale.exp() * embeddings @ classes.T
    assert off(frames, parity.array("frame_embeddings")) < 2e-6
    assert off(embeddings, parity.array("clip_embeddings_f64")) < 2e-6
    assert off(classes, parity.array("class_embeddings_f64")) < 2e-6
    assert off(logits, parity.array("logits_f64")) < 5e-4
    assert off(logits.softmax(-1), parity.array("probabilities")) < 1e-4


def test_layers_of_the_vision_tower(parity, model: Froster):
    seen = []
    hooks = [b.register_forward_hook(lambda _m, _i, out: seen.append(out)) for b in model.visual.transformer.resblocks]
    with torch.no_grad():
        model.visual(torch.from_numpy(parity.array("pixels")[0]).transpose(0, 1), 8)
    for hook in hooks:
        hook.remove()
    for i, out in enumerate(seen):
        assert off(out, parity.array(f"act_block_{i}")) < 1e-4


def test_without_temporal_attention_it_is_another_network(parity, model: Froster):
    clip = torch.from_numpy(parity.array("pixels")).transpose(1, 2)
    with torch.no_grad():
        assert off(model.clip_embeddings(clip, temporal=False), parity.array("clip_embeddings")) > 1e-2


def test_a_clip_backwards_embeds_the_same(parity, model: Froster):
    clip = torch.from_numpy(parity.array("pixels")).transpose(1, 2)
    with torch.no_grad():
        assert torch.allclose(model.clip_embeddings(clip), model.clip_embeddings(clip.flip(1)), atol=2e-6)


def test_token_ids(parity):
    tokenizer = Tokenizer()
    for case in parity.facts["tokenizer"]:
        if case.get("error"):
            with pytest.raises(TextTooLong, match=r"tokens, the model reads 77"):
                tokenizer.encode(case["text"])
        else:
            assert tokenizer.encode(case["text"]) == case["ids"], case["why"]


def test_prompts_of_every_class(parity):
    want, tokenizer = parity.array("token_ids"), Tokenizer()
    for text, rows in zip(parity.facts["classes"], want, strict=True):
        ids = tokenizer.batch(prompts.prompts(text)).numpy()
        assert (rows[:, : ids.shape[1]] == ids).all() and not rows[:, ids.shape[1] :].any(), text


def test_cleaning_is_that_of_clip():
    assert clean("  Caf\u00c3\u00a9 &amp;amp; \n Bar ") == "caf\u00e9 & bar"


def test_sampled_frames(parity):
    sampling = Sampling()
    for case in parity.facts["sampling"]:
        n, fps = case["frames"], float(Fraction(case["fps"]))
        for view, want in enumerate(case["views"]):
            if case["decode"] == "window":
                start = uniform_start(n, sampling.window(fps), view, 3)
                first, last = np.ceil(start), min(int(start + sampling.window(fps) - 1) + 1, n - 1)
                got = [int(first) + i for i in sampling.pick(0, fps, int(last - first) + 1)]
                assert np.abs(np.subtract(got, want)).max() <= 1, case  # where a window begins between frames, the clock decides
            else:
                start = offset_start(n, sampling.span(fps), view, 3)
                assert sampling.pick(start, fps, n) == want, case
