"""One step of the recipe: the losses it adds up, and where their gradients go."""

import copy
import math

import numpy as np
import pytest
import torch
from conftest import Clips

from froster.config import TrainConfig
from froster.model import Froster
from froster.pixels import MEAN, STD
from froster.prompts import prompt
from froster.step import Recipe
from froster.texts import TextBank
from froster.tokenizer import Tokenizer

CLASSES = ["red: a clip that is red", ["green", "verdant"], "blue"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture
def recipe(small, tokenizer: Tokenizer):
    """Makes a recipe whose student and teacher differ, on small networks."""

    def make(**settings) -> Recipe:
        config = TrainConfig(**{"device": "cpu"} | settings)
        return Recipe(config, small(1), small(2) if config.distil else None, TextBank(CLASSES, tokenizer), CPU)

    return make


def batch(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    clips = Clips(count)
    return torch.from_numpy(clips.frames), torch.tensor(clips.labels)


def step(recipe: Recipe, count: int = 6):
    return recipe.backward(*batch(count), np.random.default_rng(0))


def gradients(recipe: Recipe) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in recipe.parameters().items() if p.grad is not None}


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def class_vectors(model: Froster, tokenizer: Tokenizer, recipe: Recipe) -> np.ndarray:
    """By numpy, text by text, for the draw of `step`."""
    template, pick = recipe.bank.draw(np.random.default_rng(0))
    rows = []
    for text in (recipe.bank.flat[i] for i in pick):
        both = [model.encode_text(tokenizer.batch([t])).detach().numpy()[0] for t in (prompt(text, template), text)]
        rows.append(unit(unit(np.array(both)).mean(0)))
    return np.array(rows)


def test_losses_against_numpy(recipe, tokenizer: Tokenizer):
    """The whole of the recipe once more, out of features by the towers."""
    r = recipe(label_smoothing=0.1)
    for p in r.projectors.values():
        torch.nn.init.normal_(p[2].weight, std=0.1)
    frames, labels = batch()
    pixels = torch.from_numpy((frames.numpy() / 255 - MEAN) / STD).float().permute(0, 1, 4, 2, 3)
    with torch.no_grad():
        seen = unit(r.student.visual(pixels.flatten(0, 1), 4).numpy()).reshape(6, 4, -1)
        taught = unit(r.teacher.visual(pixels.flatten(0, 1)).numpy()).reshape(6, 4, -1)
    classes, taught_classes = (class_vectors(m, tokenizer, r) for m in (r.student, r.teacher))

    logits = np.exp(r.student.logit_scale.item()) * (seen @ classes.T).mean(1)
    log_p = logits - np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1, keepdims=True)) - logits.max(1, keepdims=True)
    targets = np.full((6, 3), 0.1 / 3)
    targets[np.arange(6), labels] += 0.9
    ce = -(targets * log_p).sum(1).mean()

    def pulled(name: str, x: np.ndarray, want: np.ndarray) -> float:
        w1, w2 = (r.projectors[name][i].weight.detach().numpy() for i in (0, 2))
        hidden = x @ w1.T
        hidden = hidden * 0.5 * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2)))
        return float(1 - (unit(x + 0.1 * hidden @ w2.T) * want).sum(-1).mean())

    frames_loss, texts_loss = pulled("projector_v", seen, taught), pulled("projector_t", classes, taught_classes)
    got = step(r)
    assert got.cross_entropy.item() == pytest.approx(ce, abs=1e-4)
    assert got.frames.item() == pytest.approx(frames_loss, abs=1e-5)
    assert got.texts.item() == pytest.approx(texts_loss, abs=1e-5)
    assert got.total.item() == pytest.approx(ce + 2.0 * (frames_loss + texts_loss), abs=2e-4)
    assert got.hits.item() == (logits.argmax(1) == labels.numpy()).sum()


def test_gradients_reach_all_of_the_student_and_both_projectors(recipe):
    r = recipe()
    step(r)
    got = gradients(r)
    reached = {n for n, g in got.items() if g.abs().sum() > 0}
    still = {f"projector_{x}.0.weight" for x in "vt"}  # while the second layer is zero
    assert r.parameters().keys() - reached == still
    assert {n.split(".")[0] for n in reached} == {"model", "projector_v", "projector_t"}


def test_gradients_never_reach_the_teacher(recipe):
    r = recipe()
    before = copy.deepcopy(r.teacher.state_dict())
    step(r)
    torch.optim.AdamW(r.parameters().values(), lr=0.1).step()
    assert not any(p.requires_grad or p.grad is not None for p in r.teacher.parameters())
    assert all(torch.equal(v, before[k]) for k, v in r.teacher.state_dict().items())
    trained = {id(p) for p in r.parameters().values()}
    assert not trained & {id(p) for p in r.teacher.parameters()}
    assert not r.teacher.training


def test_the_gradient_is_that_of_the_loss(recipe):
    """Along one direction through all parameters, against a difference of losses."""
    r = recipe(alpha=1.0)
    for p in r.projectors.values():
        torch.nn.init.normal_(p[2].weight, std=0.1)
    step(r)
    named, eps = r.parameters(), 1e-3
    along = {n: p.grad.clone() for n, p in named.items()}
    slope = math.sqrt(sum(float((g**2).sum()) for g in along.values()))
    losses = []
    for sign in (1, -2):
        with torch.no_grad():
            for n, p in named.items():
                p.add_(along[n], alpha=sign * eps / slope)
        losses.append(step(r).total.item())
    assert (losses[0] - losses[1]) / (2 * eps) == pytest.approx(slope, rel=0.02)


def test_without_distillation_there_is_no_teacher(recipe):
    r = recipe(distil=False)
    got = step(r)
    assert r.teacher is None
    assert not any(n.startswith("projector") for n in r.parameters())
    assert got.total.item() == got.cross_entropy.item()
    assert got.frames.item() == got.texts.item() == 0
    assert gradients(r)["model.text_projection"].abs().sum() > 0


def test_distillation_wants_a_teacher(small, tokenizer: Tokenizer):
    with pytest.raises(ValueError, match="distil is true, but there is no teacher"):
        Recipe(TrainConfig(), small(), None, TextBank(CLASSES, tokenizer), CPU)


def test_a_frozen_text_tower_gets_no_gradient(recipe):
    r = recipe(train_text=False)
    got = step(r)
    assert {n.split(".")[1] for n in gradients(r) if n.startswith("model.")} == {"visual", "logit_scale"}
    assert got.texts.item() == 0
    assert "projector_t.2.weight" not in gradients(r)


def test_a_frozen_text_tower_scores_as_a_trained_one(recipe):
    a, b = step(recipe(train_text=False)), step(recipe())
    assert a.cross_entropy.item() == pytest.approx(b.cross_entropy.item(), abs=1e-4)
    assert a.frames.item() == pytest.approx(b.frames.item(), abs=1e-6)


def test_freezing_by_name(recipe):
    r = recipe(freeze=("visual.conv1", "logit_scale"))
    step(r)
    missing = {n for n, _ in r.student.named_parameters()} - {n.removeprefix("model.") for n in gradients(r)}
    assert missing == {"visual.conv1.weight", "logit_scale"}
    with pytest.raises(ValueError, match=r"freeze: no parameter's name begins with 'visual\.conv9'"):
        recipe(freeze=("visual.conv9",))


@pytest.mark.parametrize("part", [1, 2, 4, 6, 100])
def test_parts_of_a_batch_add_up_to_it(recipe, part: int):
    whole, parts = recipe(), recipe(micro_batch=part)
    a, b = step(whole), step(parts)
    for name in ("total", "cross_entropy", "frames", "texts", "hits"):
        assert getattr(a, name).item() == pytest.approx(getattr(b, name).item(), abs=1e-5), name
    other = gradients(parts)
    assert all(torch.allclose(g, other[n], atol=2e-5, rtol=1e-3) for n, g in gradients(whole).items())


def test_the_student_sees_time_and_the_teacher_does_not(recipe):
    r, calls = recipe(), []
    r.embed = lambda model, pixels, temporal=True: calls.append((model, temporal)) or model.frame_embeddings(pixels, temporal)
    step(r)
    assert calls == [(r.student, True), (r.teacher, False)]


def test_half_precision_is_close(recipe):
    a, r = step(recipe()), recipe(bfloat16=True)
    b = step(r)
    assert b.total.dtype == torch.float32
    assert {g.dtype for g in gradients(r).values()} == {torch.float32}
    assert b.cross_entropy.item() == pytest.approx(a.cross_entropy.item(), abs=0.1)
    assert b.frames.item() == pytest.approx(a.frames.item(), abs=0.01)
    assert b.texts.item() == pytest.approx(a.texts.item(), abs=0.01)
    assert gradients(r).keys() == r.parameters().keys()


def test_compile_is_asked_of_torch(recipe, monkeypatch: pytest.MonkeyPatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda f: compiled.append(f) or f)
    step(recipe())
    assert compiled == []
    step(recipe(compile=True))
    assert compiled == [Froster.frame_embeddings]
