"""The network's parts against plain numpy; test_parity has the whole."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from froster.model import FEW_KEYS, VIT_B16, Attention, Dims, Froster, Unfilled, attend, dims_of, with_neighbours


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_neighbours():
    """Of three frames with one token each: the next, the previous, the frame; zero beyond the ends."""
    got = with_neighbours(torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1))
    assert got[0, :, :, 0].tolist() == [[2, 0, 1], [3, 1, 2], [0, 2, 3]]


def test_temporal_attention_against_numpy():
    """Zero keys beyond the ends score 0 and still take a share of the softmax, though their values add nothing."""
    torch.manual_seed(0)
    attention, frames, tokens = Attention(128), 3, 2
    torch.nn.init.normal_(attention.in_proj_weight, std=0.1)
    torch.nn.init.normal_(attention.in_proj_bias, std=0.1)
    x = torch.randn(frames, tokens, 128)
    w, b, ow, ob = (t.detach().numpy().astype(np.float64) for t in (
        attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight, attention.out_proj.bias))
    q, k, v = np.split(x.numpy() @ w.T + b, 3, -1)
    nothing, want = np.zeros((tokens, 128)), []
    for t in range(frames):
        keys, values = (np.concatenate([z[s] if 0 <= s < frames else nothing for s in (t + 1, t - 1, t)]) for z in (k, v))
        heads = [softmax(q[t][:, h] @ keys[:, h].T / 8) @ values[:, h] for h in (slice(0, 64), slice(64, 128))]
        want.append(np.concatenate(heads, -1) @ ow.T + ob)
    got = attention(x, frames).detach().numpy()
    assert np.abs(got - want).max() < 1e-5


@pytest.mark.parametrize("keys", [150, FEW_KEYS, FEW_KEYS + 1])
def test_bfloat16_attends_as_float32_does(keys: int):
    generator = torch.Generator().manual_seed(0)
    exact = [torch.randn(6, 2, n, 64, generator=generator).requires_grad_() for n in (50, keys, keys)]
    short = [x.detach().bfloat16().requires_grad_() for x in exact]
    weights = torch.randn(6, 2, 50, 64, generator=generator)
    want, got = F.scaled_dot_product_attention(*exact), attend(*short)
    (want * weights).sum().backward()
    (got * weights).sum().backward()
    assert got.dtype == torch.bfloat16 and (got - want).abs().max() < 0.02
    for a, b in zip(exact, short, strict=True):
        assert (a.grad - b.grad).norm() < 0.01 * a.grad.norm()


def test_clips_of_a_batch_do_not_see_each_other(small):
    model, clips = small().eval(), torch.randn(2, 4, 3, 32, 32)
    with torch.no_grad():
        alone = torch.cat([model.frame_embeddings(c[None]) for c in clips])
        assert torch.allclose(model.frame_embeddings(clips), alone, atol=1e-6)


def test_a_clip_of_one_still_is_not_plain_clip(small):
    """The zero keys beyond the ends and the neighbours make it another network even then, but for no more than attention."""
    model, clip = small().eval(), torch.randn(1, 1, 3, 32, 32).expand(1, 4, 3, 32, 32)
    with torch.no_grad():
        frames = model.frame_embeddings(clip)[0]
    assert torch.allclose(frames[1], frames[2], atol=1e-6)
    assert not torch.allclose(frames[0], frames[1], atol=1e-4)


def test_clip_embeddings_are_the_mean_of_unit_frames(small):
    model, clips = small().eval(), torch.randn(2, 4, 3, 32, 32)
    with torch.no_grad():
        frames, e = model.frame_embeddings(clips), model.clip_embeddings(clips)
    assert torch.allclose(frames.norm(dim=-1), torch.ones(2, 4))
    assert torch.allclose(e, frames.mean(1))
    assert (e.norm(dim=-1) < 1).all()


def test_text_after_the_end_token_is_not_read(small):
    model = small().eval()
    a, b = torch.tensor([[49406, 320, 49407]]), torch.tensor([[49406, 320, 49407, 5, 49407]])
    with torch.no_grad():
        assert torch.allclose(model.encode_text(a), model.encode_text(b), atol=1e-6)


def test_dims_are_read_off_the_weights(small):
    assert dims_of(small().state_dict()) == small().dims
    with torch.device("meta"), Unfilled():
        assert dims_of(Froster(VIT_B16).state_dict()) == VIT_B16


@pytest.mark.parametrize("wrong", [{"vision_width": 100}, {"image_size": 30}, {"text_layers": 0}, {"embed_dim": 0}])
def test_dims_that_cannot_be(wrong: dict[str, int]):
    good = {"image_size": 32, "patch_size": 16, "vision_width": 64, "vision_layers": 1, "text_width": 64, "text_layers": 1,
            "embed_dim": 32}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Dims(**good | wrong)
