"""Clips out of video files: the right frames, and files that are broken or hostile."""

import math
import os
import weakref
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from conftest import counting, numbers_of, write_video

from froster import video
from froster.batches import BrokenClip
from froster.sampling import Sampling
from froster.video import Where, read_clip

WINDOW = [44 + i for i in (0, 18, 36, 54, 72, 90, 108, 112)]  # (200 - 112) / 2, where the container tells frames and duration
WHOLE = [36 + i for i in (0, 18, 36, 54, 72, 90, 108, 127)]  # (200 - 128) / 2, where they are counted
FORMATS = [("mp4", "mpeg4", WINDOW), ("mkv", "mpeg4", WHOLE), ("avi", "mjpeg", WINDOW), ("ts", "mpeg2video", WHOLE),
           ("webm", "libvpx", WHOLE), ("h264", "libx264", [46, 61, 76, 91, 106, 121, 136, 151])]  # no rate either: FFmpeg takes 25


def numbers(path: Path, where: Where | None = None) -> list[int]:
    clip = read_clip(path, Sampling(), where or Where())
    assert (clip.dtype, clip.shape) == (np.uint8, (8, 48, 64, 3))
    return numbers_of(clip)


@pytest.mark.parametrize(("suffix", "codec", "want"), FORMATS, ids=lambda v: v if isinstance(v, str) else "")
def test_the_middle_clip_of_every_container(tmp_path: Path, suffix: str, codec: str, want: list[int]):
    assert numbers(write_video(tmp_path / f"with space.{suffix}", counting(range(200)), codec=codec)) == want



def test_views(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", counting(range(200)), g="10")
    firsts = [numbers(path, Where(view=v, views=3))[0] for v in range(3)]
    assert firsts == [0, 30, 59]


def test_a_random_clip_lies_where_the_generator_says(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", counting(range(200)), g="10")
    firsts = [numbers(path, Where(rng=np.random.default_rng(s)))[0] for s in range(6)]
    assert firsts == [math.ceil(np.random.default_rng(s).uniform(0, 88)) for s in range(6)]
    assert len(set(firsts)) > 4


def test_a_video_of_as_many_frames_as_a_clip_is_the_clip(tmp_path: Path):
    path = write_video(tmp_path / "a.avi", counting(range(0, 80, 10)), fps=2, codec="mjpeg")
    assert numbers(path, Where(rng=np.random.default_rng(0))) == [0, 10, 20, 30, 40, 50, 60, 70]


def test_a_short_video_ends_in_its_last_frame(tmp_path: Path):
    got = numbers(write_video(tmp_path / "a.mp4", counting(range(30)), g="10"))
    assert got == [0, 18, 29, 29, 29, 29, 29, 29]


def test_one_frame(tmp_path: Path):
    assert numbers(write_video(tmp_path / "a.mp4", counting(range(7, 8)))) == [7] * 8


def test_half_the_rate_gives_half_the_numbers(tmp_path: Path):
    got = numbers(write_video(tmp_path / "a.mp4", counting(range(100)), fps=15, g="10"))
    assert got == [22, 31, 40, 49, 58, 67, 76, 78]


def broken(path: Path, message: str) -> None:
    with pytest.raises(BrokenClip, match=message) as e:
        read_clip(path, Sampling(), Where())
    assert str(path) in str(e.value)


def test_no_videos(tmp_path: Path):
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "empty.mp4").touch()
    for name, why in (("text.mp4", "Invalid data"), ("empty.mp4", "Invalid data|End of file"), ("missing.mp4", "No such file")):
        broken(tmp_path / name, why)


def test_a_video_cut_short(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", counting(range(100)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    broken(path, "Invalid data")


def test_sound_alone(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux([*stream.encode(frame), *stream.encode()])
    broken(path, "there is no video in it")


@pytest.mark.parametrize("text", [
    "ffconcat version 1.0\nfile '{other}'\n",
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
])
def test_a_file_that_names_another_is_not_followed(tmp_path: Path, text: str):
    other = write_video(tmp_path / "secret.mp4", counting(range(20)))
    (tmp_path / "a.mp4").write_text(text.format(other=other))
    broken(tmp_path / "a.mp4", "Invalid")


def test_pictures_of_absurd_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(video, "MAX_PIXELS", 1000)
    broken(write_video(tmp_path / "a.mp4", counting(range(20))), "its picture is 64 x 48")


def test_decoding_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(video, "MAX_DECODED", 10)
    broken(write_video(tmp_path / "a.mp4", counting(range(100))), "more than 10 frames would have to be decoded")


def test_a_broken_clip_is_told_whatever_bytes_its_name_has(tmp_path: Path):
    file = tmp_path / os.fsdecode(b"n\xe4.mp4")
    file.touch()
    with pytest.raises(BrokenClip) as e:
        read_clip(file, Sampling(), Where())
    assert str(e.value).encode().startswith(f"{tmp_path}/n\\udce4.mp4: ".encode())


class Frame:
    """A decoded frame that costs nothing."""

    width = height = 1

    def __init__(self, pts: int) -> None:
        self.pts = pts


def test_memory_does_not_grow_with_the_window():
    """A window is 112 frames, of which a clip keeps eight, and the newest."""
    alive, most = weakref.WeakSet(), 0

    def decode(_stream):
        nonlocal most
        for pts in range(200):
            frame = Frame(pts)
            alive.add(frame)
            most = max(most, len(alive))
            yield frame

    stream = SimpleNamespace(frames=200, duration=200, start_time=0)
    container = SimpleNamespace(seek=lambda *_, **__: None, decode=decode)
    got = video.from_window(container, stream, Sampling(), Where(), 30.0)
    assert [f.pts for f in got] == WINDOW
    assert most <= 11
