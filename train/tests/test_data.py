"""Sets of clips in video files."""

from pathlib import Path

import numpy as np
import pytest
from conftest import counting, numbers_of, write_video

from froster.config import DataConfig
from froster.data import VideoSet, training_set, validation_set
from froster.lists import BadList, Clip
from froster.sampling import Sampling


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("walk/a", "walk/b", "fall/c"):
        write_video(tmp_path / f"train/{name}.mp4", counting(range(200)), g="10")
    write_video(tmp_path / "val/fall/d.mp4", counting(range(20)))
    write_video(tmp_path / "val/walk/e.mp4", counting(range(20)))
    return tmp_path


def test_the_middle_clip_or_a_random_one(clips: Path):
    videos, classes = training_set(DataConfig(str(clips / "train"), frames=4, step=8))
    assert classes == [["fall"], ["walk"]]
    frames, label = videos[1]
    assert (numbers_of(frames), label) == ([88, 98, 108, 112], 1)
    firsts = {numbers_of(videos.sample(0, np.random.default_rng(s))[0])[0] for s in range(8)}
    assert len(firsts) > 5


def test_validation_has_the_same_classes(clips: Path):
    config = DataConfig(str(clips / "train"), val=str(clips / "val"))
    _, classes = training_set(config)
    assert [c.label for c in validation_set(config, classes).clips] == [0, 1]
    assert validation_set(DataConfig(str(clips / "train")), classes) is None
    (clips / "val/run").mkdir()
    (clips / "val/run/f.mp4").touch()
    with pytest.raises(BadList, match=r"val: its classes are not those of .*train"):
        validation_set(config, classes)


def test_a_validation_list_elsewhere_has_the_training_lists_classes(clips: Path):
    (clips / "classes.txt").write_text("fall\nwalk\n")
    (clips / "train.txt").write_text("train/fall/c.mp4 0\n")
    (clips / "val/list.txt").write_text("walk/e.mp4 walk\n")
    config = DataConfig(str(clips / "train.txt"), val=str(clips / "val/list.txt"))
    _, classes = training_set(config)
    assert [c.label for c in validation_set(config, classes).clips] == [1]


def test_identity_is_of_files_labels_and_sampling_but_not_of_where_they_lie():
    def identity(folder: str, name: str = "a.mp4", label: int = 0, step: int = 16) -> str:
        return VideoSet([Clip(Path(folder) / name, label)], Sampling(8, step)).identity()

    assert identity("/x") == identity("/y")
    assert len({identity("/x"), identity("/x", "b.mp4"), identity("/x", label=1), identity("/x", step=8)}) == 4
