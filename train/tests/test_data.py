"""Sets of clips in video files."""

from pathlib import Path

import numpy as np
import pytest
from conftest import counting, numbers_of, write_video

from froster.config import DataConfig
from froster.data import VideoSet, training_set, validation_set
from froster.listing import BadList, Clip
from froster.sampling import Sampling


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("walk/a", "walk/b", "fall/c"):
        write_video(tmp_path / f"train/{name}.mp4", counting(range(200)), g="10")
    write_video(tmp_path / "val/fall/d.mp4", counting(range(20)))
    write_video(tmp_path / "val/walk/e.mp4", counting(range(20)))
    return tmp_path


def test_the_middle_clip_or_a_random_one(clips: Path):
    videos, classes = training_set(DataConfig(str(clips / "train"), step=4))
    assert classes == [["fall"], ["walk"]]
    frames, label = videos[1]
    assert (numbers_of(frames), label) == ([86, 90, 94, 99, 103, 108, 112, 114], 1)
    firsts = {numbers_of(videos.sample(0, np.random.default_rng(s))[0])[0] for s in range(8)}
    assert len(firsts) > 5


def test_validation_has_the_same_classes(clips: Path):
    config = DataConfig(str(clips / "train"), val=str(clips / "val"))
    _, classes = training_set(config)
    assert [c.label for c in validation_set(config, classes).clips] == [0, 1]
    assert validation_set(DataConfig(str(clips / "train")), classes) is None


def test_validation_may_lack_a_class_but_knows_no_other(clips: Path):
    """A class has training's number, whatever its place among the folders of validation."""
    config = DataConfig(str(clips / "train"), val=str(clips / "val"))
    _, classes = training_set(config)
    (clips / "val/fall").rename(clips / "val/climb")
    with pytest.raises(BadList, match=r"val: not among the classes of .*train: 'climb'; of those there is no clip .*: 'fall'$"):
        validation_set(config, classes)
    (clips / "val/climb").rename(clips / ".gone")
    assert [(c.path.name, c.label) for c in validation_set(config, classes).clips] == [("e.mp4", 1)]


def test_a_validation_list_has_its_own_numbers(clips: Path):
    """By name they are those of training."""
    (clips / "val/classes.txt").write_text("walk: on foot\nfall\n")
    (clips / "val/list.txt").write_text("fall/d.mp4 1\nwalk/e.mp4 0\n")
    config = DataConfig(str(clips / "train"), val=str(clips / "val/list.txt"))
    _, classes = training_set(config)
    assert [(c.path.name, c.label) for c in validation_set(config, classes).clips] == [("d.mp4", 0), ("e.mp4", 1)]


def test_validation_folders_go_with_a_training_list_and_its_root(clips: Path):
    (clips / "lists").mkdir()
    (clips / "lists/train.txt").write_text("walk/a.mp4 1\nfall/c.mp4 0\n")
    (clips / "lists/texts.txt").write_text("Fall: a person falls\nwalk | a person walks\n")
    config = DataConfig(str(clips / "lists/train.txt"), root=str(clips / "train"), classes=str(clips / "lists/texts.txt"),
                        val=str(clips / "val"))
    _, classes = training_set(config)
    assert [(c.path.name, c.label) for c in validation_set(config, classes).clips] == [("d.mp4", 0), ("e.mp4", 1)]


@pytest.mark.parametrize("name", ["", "val.txt"])
def test_an_export_as_validation(clips: Path, name: str):
    """It is what was kept for it, never what is trained by."""
    (clips / "train/train.txt").write_text("walk/a.mp4 1\nfall/c.mp4 0\n")
    (clips / "train/classes.txt").write_text("fall\nwalk\n")
    config = DataConfig(str(clips / "train"), val=str(clips / "train" / name))
    _, classes = training_set(config)
    (clips / "train/val.txt").write_text("walk/b.mp4 1\n")
    assert [(c.path.name, c.label) for c in validation_set(config, classes).clips] == [("b.mp4", 1)]
    (clips / "train/val.txt").unlink()
    with pytest.raises(BadList, match=r"data\.val: there is no .*train/val\.txt; an export that kept .*: leave data\.val out then"):
        validation_set(config, classes)


def test_one_class_is_no_training_set(tmp_path: Path):
    (tmp_path / "clips/fall").mkdir(parents=True)
    (tmp_path / "clips/fall/a.mp4").touch()
    with pytest.raises(BadList, match="clips: 'fall' is its only class: want two at least"):
        training_set(DataConfig(str(tmp_path / "clips")))


def test_a_validation_list_elsewhere_has_the_training_lists_classes(clips: Path):
    (clips / "classes.txt").write_text("fall\nwalk\n")
    (clips / "train.txt").write_text("train/fall/c.mp4 0\n")
    (clips / "val/list.txt").write_text("walk/e.mp4 walk\n")
    config = DataConfig(str(clips / "train.txt"), val=str(clips / "val/list.txt"))
    _, classes = training_set(config)
    assert [c.label for c in validation_set(config, classes).clips] == [1]


def test_identity_is_of_what_lies_where_below_the_root(tmp_path: Path):
    """Of paths, sizes, labels and sampling. The whole set may be moved."""
    def identity(folder: str, name: str = "walk/a.mp4", label: int = 0, step: int = 16) -> str:
        root = tmp_path / folder
        return VideoSet([Clip(root / name, label)], Sampling(8, step), root).identity()

    for folder in ("x", "y"):
        for name in ("walk/a.mp4", "fall/a.mp4"):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_bytes(b"video")
    (tmp_path / "z/walk").mkdir(parents=True)
    (tmp_path / "z/walk/a.mp4").write_bytes(b"another")
    assert identity("x") == identity("y")
    others = [identity("x", "fall/a.mp4"), identity("x", label=1), identity("x", step=8), identity("z"), identity("missing")]
    assert len({identity("x"), *others}) == 6


def test_class_folders_that_change_places_are_other_clips(tmp_path: Path):
    for name, size in (("walk", 5), ("fall", 7)):
        (tmp_path / "clips" / name).mkdir(parents=True)
        (tmp_path / "clips" / name / "1.mp4").write_bytes(b"x" * size)
    before, _ = training_set(DataConfig(str(tmp_path / "clips")))
    before = before.identity()
    (tmp_path / "clips").rename(tmp_path / "moved")
    assert training_set(DataConfig(str(tmp_path / "moved")))[0].identity() == before
    for old, new in (("walk", "x"), ("fall", "walk"), ("x", "fall")):
        (tmp_path / "moved" / old).rename(tmp_path / "moved" / new)
    assert training_set(DataConfig(str(tmp_path / "moved")))[0].identity() != before
