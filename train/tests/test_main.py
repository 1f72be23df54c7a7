"""The command line from end to end: real videos in, a model that the Go program imports out, and its numbers are torch's."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import SMALL, write_video

from froster import checkpoint, cli, pixels
from froster.__main__ import main
from froster.evaluate import classifier
from froster.model import Froster
from froster.prompts import prompts
from froster.tokenizer import Tokenizer

ROOT = Path(__file__).parents[2]
COLOURS = {"solid red": 0, "solid green": 1, "solid blue": 2}
CONFIG = """
[model]
checkpoint = "{0}/base.pth"
[data]
train = "{0}/train"
val = "{0}/val"
[output]
folder = "{0}/out"
name = "colours"
licence = "CC0-1.0"
summary = "Tells three colours."
limits = ["Knows nothing else."]
deflate = true
[train]
epochs = 8
batch_size = 6
lr = 2e-3
warmup_epochs = 1
freeze = ["token_embedding"]
device = "cpu"
flip = 0.5
jitter = 1.25
"""


def colour_video(path: Path, channel: int, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 80, (24, 36, 48, 3), dtype=np.uint8)
    frames[..., channel] += 120
    write_video(path, frames, fps=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `froster train` left behind on videos of three colours."""
    at = tmp_path_factory.mktemp("colours")
    for name, channel in COLOURS.items():
        for i in range(8):
            colour_video(at / ("train" if i < 6 else "val") / name / f"{i}.mp4", channel, 10 * channel + i)
    torch.manual_seed(3)
    base = Froster(SMALL)
    checkpoint.save(at / "base.pth", dict(base.state_dict()))
    (at / "run.toml").write_text(CONFIG.format(at))
    assert main(["train", "--config", str(at / "run.toml")]) == 0
    return at


def test_what_is_written(folder: Path):
    assert {f.name for f in (folder / "out").iterdir()} == {"README.md", "card.json", "colours.pth", "log.jsonl", "state.pt"}
    log = [json.loads(line) for line in (folder / "out/log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == list(range(1, 9))
    assert log[-1]["clips"] == 18
    assert log[-1]["val"]["clips"] == 6
    card = json.loads((folder / "out/card.json").read_text())
    assert card["base_classes"] == sorted(COLOURS)


def test_it_learns_the_colours(folder: Path):
    """A network of random weights begins by chance, a third."""
    log = [json.loads(line) for line in (folder / "out/log.jsonl").read_text().splitlines()]
    assert log[-1]["accuracy"] == log[-1]["val"]["base"] == 1.0
    assert "top-1 on 6 validation clips, averaged weights | 100.0%" in (folder / "out/README.md").read_text()


def test_eval(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["eval", "--checkpoint", str(folder / "out/colours.pth"), "--clips", str(folder / "val")]) == 0
    assert capsys.readouterr().out == "top-1 100.0% of 6 clips, 0 could not be read\n"


def test_eval_of_an_export_looks_at_its_validation_clips(folder: Path, capsys: pytest.CaptureFixture[str]):
    export = Path(__file__).parent / "data/export/set"
    held_out = len((export / "val.txt").read_text().splitlines())
    assert 0 < held_out < len((export / "train.txt").read_text().splitlines())
    assert main(["eval", "--checkpoint", str(folder / "out/colours.pth"), "--clips", str(export)]) == 0
    assert f" of {held_out} clips, 0 could not be read" in capsys.readouterr().out


def test_eval_of_an_export_without_validation_clips_is_an_error(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shutil.copytree(Path(__file__).parent / "data/export/set", tmp_path / "set", ignore=shutil.ignore_patterns("val.txt"))
    assert main(["eval", "--checkpoint", str(folder / "out/colours.pth"), "--clips", str(tmp_path / "set")]) == 1
    assert "No such file or directory" in (err := capsys.readouterr().err) and "val.txt" in err


def test_a_gpu_that_is_too_small_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def fit(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 1 GiB.")

    monkeypatch.setattr("froster.cli.fit", fit)
    assert main(["train", "--config", str(folder / "run.toml")]) == 1
    assert capsys.readouterr().err == "froster: CUDA out of memory; a smaller train.micro_batch needs less\n"


def test_a_finished_run_is_not_trained_again(folder: Path, capsys: pytest.CaptureFixture[str]):
    before = (folder / "out/colours.pth").read_bytes()
    assert main(["train", "--config", str(folder / "run.toml")]) == 0
    assert "epoch" not in capsys.readouterr().out
    assert (folder / "out/colours.pth").read_bytes() == before


@pytest.mark.parametrize(("change", "message"), [
    (("epochs = 8", "epochs = 9"), "begun with another epochs; choose another folder"),
    (("epochs = 8", "epochs = 0"), "run.toml: train.epochs is 0: want at least 1"),
    (('base.pth"', 'run.toml"'), "it is no checkpoint"),
    (("/train", "/nowhere"), "No such file or directory"),
    (('device = "cpu"', 'device = "gpu"'), "device is 'gpu': want auto, cpu, cuda or cuda:0"),
    (('device = "cpu"', 'device = "mps"'), "device is 'mps': want auto, cpu, cuda or cuda:0"),
    (("{0}/out", "/proc/self"), "write to /proc/self: "),
])
def test_mistakes_are_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str],
                               message: str):
    (tmp_path / "run.toml").write_text(CONFIG.replace(*change).format(folder))
    assert main(["train", "--config", str(tmp_path / "run.toml")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("froster: ")
    assert message in err
    assert err.count("\n") == 1


def short(folder: Path, out: Path, *changes: tuple[str, str]) -> Path:
    """The configuration of a run of two epochs that goes to another folder."""
    text = CONFIG.format(folder).replace("epochs = 8", "epochs = 2").replace(f"{folder}/out", str(out / "out"))
    for change in changes:
        assert change[0] in text
        text = text.replace(*change)
    (out / "run.toml").write_text(text)
    return out / "run.toml"


def train(config: Path) -> int:
    return main(["train", "--config", str(config)])


def test_the_log_has_one_line_for_each_epoch_of_a_stopped_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                              capsys: pytest.CaptureFixture[str]):
    """Stopped while it looks at the validation clips of the first epoch, whose accuracy is then never known."""
    def stop(*_):
        raise KeyboardInterrupt

    config = short(folder, tmp_path)
    with monkeypatch.context() as m:
        m.setattr(cli, "look", stop)
        assert train(config) == 130
    assert capsys.readouterr().err == "stopped; `froster train` goes on after the last whole epoch\n"
    assert train(config) == 0
    log = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["clips"], "val" in line) for line in log] == [(1, 18, False), (2, 18, True)]


def test_a_run_that_is_begun_anew_has_a_log_of_its_own(folder: Path, tmp_path: Path):
    assert train(short(folder, tmp_path)) == 0
    (tmp_path / "out/state.pt").unlink()
    assert train(short(folder, tmp_path, ("lr = 2e-3", "lr = 1e-3"))) == 0
    log = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == [1, 2]
    assert max(line["lr"] for line in log) <= 1e-3
    assert all(line["val"]["clips"] == 6 for line in log)


def broken_val(folder: Path, at: Path, good: bool) -> Path:
    """Validation clips of which one of each class cannot be read, and one can if there are to be good ones."""
    for name in COLOURS:
        (at / "val" / name).mkdir(parents=True)
        (at / "val" / name / "a.mp4").write_bytes(b"no video")
        if good:
            shutil.copy(folder / "val" / name / "6.mp4", at / "val" / name / "b.mp4")
    return at / "val"


def test_validation_clips_that_cannot_be_read_are_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    val = broken_val(folder, tmp_path, good=True)
    assert train(short(folder, tmp_path, (f'val = "{folder}/val"', f'val = "{val}"'))) == 0
    out = capsys.readouterr().out
    for name in COLOURS:
        assert out.count(f"  left out of val: {val}/{name}/a.mp4: ") == 2
    line = json.loads((tmp_path / "out/log.jsonl").read_text().splitlines()[-1])
    assert (line["val"]["clips"], line["val"]["broken"], len(line["val"]["broken_clips"])) == (3, 3, 3)


def test_no_validation_clip_can_be_read(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    val = broken_val(folder, tmp_path, good=False)
    assert train(short(folder, tmp_path, (f'val = "{folder}/val"', f'val = "{val}"'))) == 1
    assert capsys.readouterr().err.startswith(f"froster: measure accuracy: none of 3 clips can be read: {val}/solid blue/a.mp4: ")
    assert not (tmp_path / "out/card.json").exists()


def test_eval_names_what_cannot_be_read(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    val = broken_val(folder, tmp_path, good=True)
    assert main(["eval", "--checkpoint", str(folder / "out/colours.pth"), "--clips", str(val)]) == 0
    first, *named = capsys.readouterr().out.splitlines()
    assert first == "top-1 100.0% of 3 clips, 3 could not be read"
    assert [line.split(": ")[1] for line in named] == [f"{val}/{name}/a.mp4" for name in sorted(COLOURS)]


def test_eval_of_no_clip_is_an_error(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    val = broken_val(folder, tmp_path, good=False)
    assert main(["eval", "--checkpoint", str(folder / "out/colours.pth"), "--clips", str(val)]) == 1
    done = capsys.readouterr()
    assert (done.out, done.err.count("none of 3 clips can be read"), done.err.count("\n")) == ("", 1, 1)


def test_a_teacher_that_reads_shorter_texts(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    teacher = Froster(dataclasses.replace(SMALL, context_length=8))
    checkpoint.save(tmp_path / "short.pth", dict(teacher.state_dict()))
    assert train(short(folder, tmp_path, ('base.pth"', f'base.pth"\nteacher = "{tmp_path}/short.pth"'))) == 1
    err = capsys.readouterr().err
    assert "short.pth does not fit" in err
    assert err.count("\n") == 1


INTERRUPTED = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
except BaseException:
    raise ImportError("half of it is there")
"""


def test_ctrl_c_while_torch_is_imported(tmp_path: Path):
    """A torch that is interrupted, and catches that as the real one does in places, stands in for the moment to be hit."""
    (tmp_path / "torch.py").write_text(INTERRUPTED)
    done = subprocess.run([sys.executable, "-m", "froster", "train", "--config", "x.toml"], cwd=ROOT / "train", capture_output=True,
                          text=True, check=False, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (130, "stopped; `froster train` goes on after the last whole epoch\n")


def go_program(*arguments: str) -> str:
    if not shutil.which("go"):
        if os.environ.get("CI") == "true":
            pytest.fail("go is missing")
        pytest.skip("go is missing")
    done = subprocess.run(["go", "run", "./cmd/frostwatch", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reference(folder: Path, model: Froster) -> Path:
    """What torch computes, in the form of parity/tiny_froster_io.json."""
    tokenizer, size, classes = Tokenizer(), model.dims.image_size, sorted(COLOURS)
    clips = np.random.default_rng(5).integers(0, 256, (2, 8, 45, 61, 3), dtype=np.uint8)
    resized = [pixels.centre_crop(pixels.resize_short_side(pixels.normalise(torch.from_numpy(c)), size), size) for c in clips]
    ids = np.zeros((len(classes), 29, 77), np.int32)
    for i, text in enumerate(classes):
        rows = tokenizer.batch(prompts(text)).numpy()
        ids[i, :, : rows.shape[1]] = rows
    with torch.no_grad():
        frames = model.frame_embeddings(torch.stack(resized))
        texts = classifier(model, tokenizer, classes)
        logits = model.logit_scale.exp() * frames.mean(1) @ texts.T
    arrays = {"frames_0": clips[0], "frames_1": clips[1], "token_ids": ids, "pixels": torch.stack(resized).transpose(1, 2),
              "frame_embeddings": frames, "clip_embeddings": frames.mean(1), "class_embeddings": texts, "logits": logits,
              "probabilities": logits.softmax(-1)}
    table, raw = {}, b""
    for name, value in arrays.items():
        a = np.ascontiguousarray(value)
        table[name] = {"dtype": str(a.dtype), "shape": a.shape, "offset": len(raw), "bytes": a.nbytes}
        raw += a.tobytes()
    (folder / "torch.bin").write_bytes(raw)
    facts = {"dims": {"image_size": size, "embed_dim": model.dims.embed_dim}, "classes": classes, "arrays": table}
    (folder / "torch.json").write_text(json.dumps(facts))
    return folder / "torch.json"


def test_the_go_program_imports_it_and_agrees(folder: Path, tmp_path: Path):
    out, model = folder / "out", checkpoint.load_model(folder / "out/colours.pth")
    models = ["--models", str(tmp_path)]
    go_program("model", "import", str(out / "colours.pth"), "--card", str(out / "card.json"), "--name", "colours", *models)
    bundle = json.loads((tmp_path / "colours/bundle.json").read_text())
    assert (bundle["base_classes"], bundle["licence"]) == (sorted(COLOURS), "CC0-1.0")
    assert bundle["logit_scale"] == pytest.approx(model.logit_scale.exp().item(), rel=1e-6)
    report = go_program("model", "check", "colours", "--reference", str(reference(tmp_path, model)), *models)
    assert "0 of 87 texts differ" in report
    assert "OVER" not in report
