"""The losses of the small CLIP: least where they should be."""

import numpy as np
import torch
import torch.nn.functional as F

from demo.pretrain import JointHeads, choose_patches, clip_loss, seen_tokens
from froster.model import Dims, Froster


def test_captions_pull_pictures_to_their_own():
    torch.manual_seed(0)
    texts, scale = F.normalize(torch.randn(8, 16), dim=-1), torch.tensor(20.0)
    own, others = clip_loss(texts, texts, scale), clip_loss(texts.roll(1, 0), texts, scale)
    assert own < 1 < others


def test_heads_learn_where_joints_are_and_ignore_nobody():
    torch.manual_seed(0)
    heads, grid = JointHeads(32, 7), 7
    joints = torch.full((2, 2, 19, 2), float("nan"))
    joints[0, 0] = torch.tensor([0.5, 0.2])  # patch (column 3, row 1)
    everything = torch.arange(grid**2).expand(2, -1)
    tokens = torch.randn(2, 1 + grid**2, 32, requires_grad=True)
    optimizer = torch.optim.Adam([*heads.parameters(), tokens], 0.05)
    for _ in range(150):
        optimizer.zero_grad()
        patches, places = heads(tokens, joints, everything)
        (patches + places).backward()
        optimizer.step()
    seen = torch.sigmoid(heads.patches(tokens[:, 1:])).detach()
    assert seen[0, 1 * grid + 3].min() > 0.9 and np.isclose(float(seen[0].max(-1).values.topk(2).values[1]), 0, atol=0.3)
    assert seen[1].max() < 0.3
    np.testing.assert_allclose(heads.places(tokens[0, 0]).view(19, 2).detach().numpy(), [[0.5, 0.2]] * 19, atol=0.05)


def test_patches_around_people_are_kept():
    joints = torch.full((1, 2, 19, 2), float("nan"))
    joints[0, 0] = torch.tensor([0.5, 0.2])
    kept = choose_patches(joints, 7, 12, torch.Generator().manual_seed(0))
    assert 1 * 7 + 3 in kept[0] and len(set(kept[0].tolist())) == 12
    assert all(abs(k // 7 - 1) <= 3 and abs(k % 7 - 3) <= 3 for k in kept[0].tolist())


def test_with_all_patches_the_tower_is_the_same():
    torch.manual_seed(0)
    tower = Froster(Dims(32, 16, 64, 2, 64, 1, 32)).visual
    pixels = torch.randn(2, 3, 32, 32)
    shuffled = torch.tensor([[0, 1, 2, 3], [3, 1, 0, 2]])
    with torch.no_grad():
        whole, some = tower.tokens(pixels), seen_tokens(tower, pixels, shuffled)
    torch.testing.assert_close(some[:, 0], whole[:, 0])
    torch.testing.assert_close(some[1, 1], whole[1, 4])
