"""The engine: what it learns, averages, saves, and goes on from."""

import dataclasses
from pathlib import Path

import pytest
import torch
from conftest import Broken, Clips, full_disk

from froster import checkpoint, train
from froster.config import TrainConfig
from froster.run_state import OtherRun
from froster.tokenizer import Tokenizer
from froster.train import Diverged, EpochReport, TooManyBroken, choose_device, fit, make_optimizer, student_of

CLASSES = ["red", ["green", "verdant"], "blue"]
# Without the table of all tokens, nine tenths of a small network.
QUICK = TrainConfig(epochs=3, batch_size=4, lr=1e-3, lr_start=1e-4, lr_end=1e-4, warmup_epochs=1, average_from=2, device="cpu",
                    flip=0.5, jitter=1.25, freeze=("token_embedding",))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture
def run(small, tokenizer: Tokenizer):
    """Fits a small network and gives the result; keywords change the configuration."""

    def go(*, run_dir: Path | None = None, clips=None, classes=CLASSES, on_begin=None, on_epoch=None, student=1, **changes):
        config = dataclasses.replace(QUICK, **changes)
        return fit(config, small(student), small(2), clips or Clips(12), classes, tokenizer=tokenizer, run_dir=run_dir,
                   on_begin=on_begin, on_epoch=on_epoch)

    return go


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(v, b[k]) for k, v in a.items())


def test_learns_colours(run):
    reports: list[EpochReport] = []
    run(epochs=8, clips=Clips(24), on_epoch=reports.append, jitter=1.0)
    assert reports[0].accuracy < 0.9
    assert reports[-1].accuracy == 1.0
    assert reports[-1].cross_entropy < 0.5 * reports[0].cross_entropy
    assert [r.epoch for r in reports] == list(range(1, 9))
    assert reports[-1].clips == 24
    r = reports[-1]
    assert r.loss == pytest.approx(r.cross_entropy + 2 * (r.frames + r.texts), rel=1e-5)


def test_a_run_can_be_had_again(run):
    assert same(run(), run())
    assert not same(run(), run(seed=1))


def test_the_result_is_the_mean_over_epochs(small, tokenizer: Tokenizer):
    student, ends = small(1), []

    def keep(_: EpochReport) -> None:
        ends.append({k: v.clone() for k, v in student.state_dict().items()})

    got = student_of(fit(QUICK, student, small(2), Clips(12), CLASSES, tokenizer=tokenizer, on_epoch=keep))
    assert got.keys() == ends[0].keys()
    for name, value in got.items():
        want = (ends[1][name].double() + ends[2][name].double()) / 2
        assert torch.allclose(value.double(), want, atol=1e-7), name
    assert not torch.equal(ends[0]["visual.proj"], ends[1]["visual.proj"])


def test_projectors_are_in_the_result(run):
    names = {f"projector_{x}.{i}.weight" for x in "vt" for i in (0, 2)}
    assert {k for k in run(epochs=2) if k.startswith("projector")} == names
    assert not any(k.startswith("projector") for k in run(epochs=2, distil=False))


class Stopped(Exception):
    """Ends a run as Ctrl-C would."""


def stop_at_once(_: EpochReport) -> None:
    raise Stopped


@pytest.mark.parametrize("after", [1, 2])
def test_a_stopped_run_goes_on_bit_for_bit(run, tmp_path: Path, after: int):
    def stop(report: EpochReport) -> None:
        if report.epoch == after:
            raise Stopped

    want = run()
    with pytest.raises(Stopped):
        run(run_dir=tmp_path, on_epoch=stop)
    epochs: list[int] = []
    got = run(run_dir=tmp_path, on_epoch=lambda r: epochs.append(r.epoch))
    assert epochs == list(range(after + 1, 4))
    assert same(got, want)


def test_a_run_that_goes_on_tells_of_the_epochs_before(run, tmp_path: Path):
    told: list[EpochReport] = []

    def stop(report: EpochReport) -> None:
        told.append(report)
        if report.epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        run(run_dir=tmp_path, on_epoch=stop)
    before: list[list[EpochReport]] = []
    run(run_dir=tmp_path, on_begin=lambda reports: before.append(list(reports)))
    (tmp_path / "state.pt").unlink()
    run(run_dir=tmp_path, on_begin=lambda reports: before.append(list(reports)))
    assert before == [told, []]


def test_a_run_stopped_within_an_epoch_goes_on_bit_for_bit(run, tmp_path: Path):
    class Stopping(Clips):
        left = 12 + 6

        def __getitem__(self, index: int):
            Stopping.left -= 1
            if not Stopping.left:
                raise Stopped
            return super().__getitem__(index)

    with pytest.raises(Stopped):
        run(run_dir=tmp_path, clips=Stopping(12))
    assert same(run(run_dir=tmp_path), run())


def test_a_finished_run_gives_its_result_again(run, tmp_path: Path):
    want, epochs = run(run_dir=tmp_path), []
    assert same(run(run_dir=tmp_path, on_epoch=epochs.append), want)
    assert epochs == []
    assert [f.name for f in tmp_path.iterdir()] == ["state.pt"]


@pytest.mark.parametrize(("changes", "key"), [
    ({"lr": 2e-3}, "lr"), ({"seed": 9}, "seed"), ({"epochs": 4}, "epochs"), ({"alpha": 0.2}, "alpha"),
    ({"classes": ["red", "green", "blue"]}, "class texts"), ({"clips": Clips(13)}, "set of clips"), ({"student": 5}, "checkpoint"),
])
def test_another_run_is_refused(run, tmp_path: Path, changes: dict, key: str):
    run(run_dir=tmp_path, epochs=2)
    with pytest.raises(OtherRun, match=rf"go on from .*state\.pt: it was begun with another {key}; choose another folder"):
        run(run_dir=tmp_path, **{"epochs": 2} | changes)


def test_what_only_the_machine_decides_may_change(run, tmp_path: Path):
    run(run_dir=tmp_path, epochs=2)
    run(run_dir=tmp_path, epochs=2, workers=1, micro_batch=2, max_broken=0.5)


@pytest.mark.parametrize("data", [b"", b"text", b"PK\x03\x04"])
def test_a_broken_state_is_named(run, tmp_path: Path, data: bytes):
    (tmp_path / "state.pt").write_bytes(data)
    with pytest.raises(ValueError, match=r"go on from .*state\.pt: it is broken; delete it"):
        run(run_dir=tmp_path)


def moments(state: dict, change) -> None:
    for m in state["optimizer"]["state"].values():
        m["exp_avg"] = change(m["exp_avg"])


def average(state: dict, change) -> None:
    state["average"] = {k: change(v) for k, v in state["average"].items()}


@pytest.mark.parametrize("change", [
    lambda s: s.clear(),
    lambda s: s.update(run="[1]"),
    lambda s: s.pop("reports"),
    lambda s: s.update(reports="[]"),
    lambda s: s.update(reports='[{"epoch": 1, "name": "x"}, {"epoch": 2}]'),
    lambda s: s.update(epoch="2"),
    lambda s: s.update(averaged=7),
    lambda s: s.update(student={}),
    lambda s: s.update(student=None),
    lambda s: s.update(projectors=[1]),
    lambda s: s.update(optimizer=5),
    lambda s: moments(s, lambda v: v[None]),
    lambda s: moments(s, lambda v: "x"),
    lambda s: average(s, lambda v: v[None]),
    lambda s: average(s, lambda v: v.long()),
    lambda s: s.update(average=None),
    lambda s: s.update(torch_rng=torch.zeros(3)),
])
def test_a_state_of_other_content_is_broken(run, tmp_path: Path, change):
    run(run_dir=tmp_path, epochs=2)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    change(state)
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(ValueError, match=r"go on from .*state\.pt: it is broken; delete it"):
        run(run_dir=tmp_path, epochs=2)


def test_a_state_that_unfolds_to_much_is_broken(run, tmp_path: Path):
    torch.save({"run": "{}", "bomb": torch.zeros(8 << 20)}, tmp_path / "state.pt")
    checkpoint.pack(tmp_path / "state.pt")
    with pytest.raises(ValueError, match=r"state\.pt: it is broken"):
        run(run_dir=tmp_path)


def test_a_full_disk_leaves_the_state_before(run, tmp_path: Path):
    with pytest.raises(Stopped):
        run(run_dir=tmp_path, on_epoch=stop_at_once)
    before = (tmp_path / "state.pt").read_bytes()
    with full_disk(1 << 20), pytest.raises(OSError, match=r"write .*state\.pt.*is the disk full\?"):
        run(run_dir=tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["state.pt"]
    assert (tmp_path / "state.pt").read_bytes() == before


@pytest.mark.parametrize("folder", ["/proc/self", "/dev/null"])
def test_a_folder_that_is_not_to_be_written_to_is_told_before_the_first_step(run, folder: str):
    class Unseen(Clips):
        def __getitem__(self, index: int):
            raise AssertionError("training began")

    with pytest.raises(OSError, match=f"write to {folder}: "):
        run(run_dir=Path(folder), clips=Unseen(12))


def test_other_processes_decode_the_same(run):
    assert same(run(workers=2, epochs=2), run(epochs=2))


def test_broken_clips_are_left_out_and_told(run):
    reports: list[EpochReport] = []
    run(clips=Broken(12), max_broken=0.1, on_epoch=reports.append)
    assert [(r.clips, r.broken, r.broken_clips) for r in reports] == [(11, 1, ["clip-0.mp4: cut short"])] * 3


def test_too_many_broken_clips_stop_the_run(run):
    with pytest.raises(TooManyBroken, match=r"^1 clips cannot be read, .* max_broken allows: clip-0\.mp4: cut short$"):
        run(clips=Broken(12), max_broken=0.05)


def test_no_clip_can_be_read(run):
    clips = Broken(12)
    clips.bad = 12
    with pytest.raises(TooManyBroken, match="epoch 1: no clip could be read"):
        run(clips=clips, max_broken=1)


def test_a_diverged_run_stops_and_its_last_good_epoch_stays(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    step, calls = train.update, []

    def poisoned(*args, **named):
        calls.append(1)
        return step(*args, **named) * (torch.nan if len(calls) > 3 else 1)

    monkeypatch.setattr(train, "update", poisoned)
    with pytest.raises(Diverged, match=r"epoch 2: the loss is not a number any more .* folder or with its state\.pt deleted"):
        run(run_dir=tmp_path)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["epoch"] == 1


def test_a_last_step_that_blows_up_is_not_saved(run, tmp_path: Path):
    """One step an epoch: its loss is that of the weights before it. These are finite after it, but nothing comes out of them."""
    with pytest.raises(Diverged, match=r"epoch 2: the weights give no numbers any more"):
        run(run_dir=tmp_path, batch_size=12, lr=1e30, average_from=1)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert (state["epoch"], state["averaged"]) == (1, 1)
    assert max(v.abs().max() for v in state["student"].values()) < 100


@pytest.mark.parametrize(("name", "value"), [("visual.positional_embedding", torch.nan), ("logit_scale", 1000.0)])
def test_weights_that_are_no_numbers_are_not_saved(small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: float):
    student, step = small(1), train.update

    def spoiling(*args, **named):
        row = step(*args, **named)
        with torch.no_grad():
            student.get_parameter(name).fill_(value)
        return row

    monkeypatch.setattr(train, "update", spoiling)
    config = dataclasses.replace(QUICK, batch_size=12)
    with pytest.raises(Diverged, match="epoch 1: the weights give no numbers any more"):
        fit(config, student, small(2), Clips(12), CLASSES, run_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_last_batch_that_is_not_full_is_left_out(run):
    reports: list[EpochReport] = []
    run(clips=Clips(11), on_epoch=reports.append)
    assert {r.clips for r in reports} == {8}
    reports.clear()
    run(clips=Clips(3), on_epoch=reports.append)
    assert {r.clips for r in reports} == {3}


def test_steps_have_the_rates_of_the_schedule(run, monkeypatch: pytest.MonkeyPatch):
    rates, step = [], train.update
    monkeypatch.setattr(train, "update", lambda *args, **named: rates.append(named["lr"]) or step(*args, **named))
    run(epochs=2, warmup_epochs=1, lr=1e-3, lr_start=1e-4, lr_end=0)
    middle = 0.5 * 1e-3
    assert rates[:4] == pytest.approx([1e-4, 4e-4, 7e-4, 1e-3])
    assert rates[4:] == pytest.approx([middle * 1.5, middle * 0.5])


def test_vectors_do_not_decay(small):
    named = {f"model.{n}": p for n, p in small().named_parameters()}
    decayed, plain = make_optimizer(named, TrainConfig()).param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.01, 0.0)
    assert (decayed["betas"], decayed["eps"]) == ((0.9, 0.999), 1e-8)
    assert {p.ndim for p in plain["params"]} == {1}
    assert {p.ndim for p in decayed["params"]} == {0, 2, 4}
    assert len(plain["params"]) + len(decayed["params"]) == len(named)


def test_gradients_are_clipped(run, monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda _, norm: seen.append(norm))
    run(epochs=2, clip_norm=0)
    assert seen == []
    run(epochs=2, clip_norm=1.0)
    assert seen == [1.0] * 6


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cuda:200", "mps", "xpu", "meta", ""])
def test_devices_that_are_not_there(name: str):
    with pytest.raises(ValueError, match=f"device is '{name}': "):
        choose_device(name)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_in_half_precision_and_compiled(run):
    reports: list[EpochReport] = []
    got = run(epochs=8, clips=Clips(24), device="cuda", bfloat16=True, compile=True, jitter=1.0, on_epoch=reports.append)
    assert reports[-1].accuracy == 1.0
    assert {v.device.type for v in got.values()} == {"cpu"}
