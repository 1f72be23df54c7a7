"""Configurations: the files that ship, and mistakes in others."""

from pathlib import Path

import pytest

from froster.config import TrainConfig, load

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.toml"))
WHOLE = """
[model]
checkpoint = "clip.pt"
[data]
train = "clips"
[output]
folder = "out"
[train]
"""


def read(folder: Path, text: str):
    file = folder / "run.toml"
    file.write_text(text)
    return load(file)


def test_a_small_file(tmp_path: Path):
    c = read(tmp_path, WHOLE + "lr = 1\njitter = 1.2\nfreeze = ['visual.conv1']\n")
    assert (c.model.checkpoint, c.data.train, c.output.folder) == ("clip.pt", "clips", "out")
    assert (c.train.lr, c.train.jitter, c.train.freeze) == (1.0, 1.2, ("visual.conv1",))
    assert c.train.epochs == TrainConfig().epochs == 22


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.stem)
def test_configs_that_ship_are_read(file: Path):
    assert load(file).train.distil_weight == 2.0


@pytest.mark.parametrize(("name", "epochs", "batch"), [
    ("official-k400-base-to-novel-vit-b16", 12, 32),
    ("official-k400-vit-b16", 22, 64),
])
def test_official_figures(name: str, epochs: int, batch: int):
    c = load(next(f for f in CONFIGS if f.stem == name))
    t = c.train
    assert (t.epochs, t.batch_size, t.warmup_epochs, t.average_from, t.train_text) == (epochs, batch, 2.0, 2, True)
    assert (t.lr, t.lr_start, t.lr_end, t.weight_decay, t.clip_norm) == (3.33e-6, 3.33e-8, 3.33e-8, 0.01, 1.0)
    assert (t.distil, t.distil_weight, t.alpha, t.label_smoothing) == (True, 2.0, 0.1, 0.0)
    assert (t.flip, c.data.frames, c.data.step) == (0.5, 8, 16)
    assert t.jitter == pytest.approx(256 / 224)


@pytest.mark.parametrize(("lines", "message"), [
    ("epoch = 3", r"train\.epoch: no such key; there are epochs, batch_size"),
    ("epochs = 0", r"train\.epochs is 0: want at least 1"),
    ("epochs = 2.5", r"train\.epochs is 2\.5: want a whole number"),
    ("epochs = true", r"train\.epochs is True: want a whole number"),
    ("lr = '1e-3'", r"train\.lr is '1e-3': want a number"),
    ("lr = 0", r"train\.lr is 0\.0: want more than 0"),
    ("lr = nan", r"train\.lr is nan: want more than 0"),
    ("lr_end = 1", r"train\.lr_end is 1\.0: want at most lr, 3\.33e-06"),
    ("flip = 1.5", r"train\.flip is 1\.5: want 0 to 1"),
    ("max_broken = -0.1", r"train\.max_broken is -0\.1: want 0 to 1"),
    ("workers = -1", r"train\.workers is -1: want at least 0"),
    ("weight_decay = inf", r"train\.weight_decay is inf: want at least 0"),
    ("average_from = 23", r"train\.average_from is 23: want 1 to epochs, 22"),
    ("jitter = 0.9", r"train\.jitter is 0\.9: want 1 to 2"),
    ("jitter = 256", r"train\.jitter is 256\.0: want 1 to 2"),
    ("short_side = [224, 256]", r"train\.short_side: no such key; there are .*, jitter, "),
    ("freeze = [1]", r"train\.freeze is 1: want text"),
    ("freeze = 'visual'", r"train\.freeze is 'visual': want a list, each item text"),
    ("distil = 1", r"train\.distil is 1: want true or false"),
    ("[data.frames]", r"data\.frames is \{\}: want a whole number"),
])
def test_mistakes_name_key_and_value(tmp_path: Path, lines: str, message: str):
    with pytest.raises(ValueError, match=message) as e:
        read(tmp_path, WHOLE + lines + "\n")
    assert str(e.value).startswith(f"read {tmp_path}/run.toml: ")


@pytest.mark.parametrize(("text", "message"), [
    ("[model]\n", r"model\.checkpoint is missing"),
    ("[model]\ncheckpoint = 'a'\n", "data is missing"),
    ("model = 'a'\n", "model is 'a': want a table"),
    ("[modle]\n", "modle: no such key; there are model, data, output, train"),
    ("[data]\ntrain = 'a'\nstep = 0\n", r"data\.step is 0: want 1 to 10000"),
    ("[data]\ntrain = 'a'\nframes = 16\n", r"data\.frames is 16: want 8; models are imported and served with that many"),
    ("[model\n", "Expected"),
])
def test_mistakes_elsewhere(tmp_path: Path, text: str, message: str):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "../esc", "a\\\\b", "a\\nb", "a" * 300, "落" * 67])
def test_names_that_no_file_or_model_can_have(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match=r"output\.name is '.*': want a file's name, no path, of at most 200 bytes"):
        read(tmp_path, WHOLE.replace('"out"', f'"out"\nname = "{name}"'))


@pytest.mark.parametrize("name", ["froster-k400-b2n-vit-b16", "ward 3, nights", "落下"])
def test_names_that_do(tmp_path: Path, name: str):
    assert read(tmp_path, WHOLE.replace('"out"', f'"out"\nname = "{name}"')).output.name == name
