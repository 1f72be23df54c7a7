"""What the tests share: material beside the checkout, and a network small enough to train in a test."""

import gzip
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from froster.batches import BrokenClip
from froster.model import Dims, Froster

SHARED = Path(__file__).parents[3] / "shared"
SMALL = Dims(image_size=32, patch_size=16, vision_width=64, vision_layers=2, text_width=64, text_layers=1, embed_dim=32)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Small networks are faster on one thread, and sums then have one order."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def parity_dir() -> Path:
    folder = SHARED / "parity"
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{folder} is missing")
        pytest.skip(f"{folder} is missing")
    return folder


class Parity:
    """The recorded outputs of the official code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = json.loads((folder / "tiny_froster_io.json").read_text())
        self._raw = (folder / "tiny_froster_io.bin").read_bytes()

    def array(self, name: str) -> np.ndarray:
        a = self.facts["arrays"][name]
        data = np.frombuffer(self._raw, a["dtype"], int(np.prod(a["shape"])), a["offset"])
        return data.reshape(a["shape"]).copy()


@pytest.fixture(scope="session")
def parity(parity_dir: Path) -> Parity:
    return Parity(parity_dir)


@pytest.fixture(scope="session")
def unpacked(parity_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the parity checkpoints, unpacked."""
    out = tmp_path_factory.mktemp("parity")
    for file in ("tiny_froster.pth.gz", "tiny_clip.pt.gz", "tiny_clip_hf/model.safetensors.gz"):
        target = out / file.removesuffix(".gz")
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(gzip.decompress((parity_dir / file).read_bytes()))
    return out


class Clips:
    """Clips of noise whose colour says their class."""

    def __init__(self, count: int, classes: int = 3, size: int = 32, frames: int = 4) -> None:
        rng = np.random.default_rng(7)
        self.labels = [i % classes for i in range(count)]
        self.frames = rng.integers(0, 120, (count, frames, size, size, 3), dtype=np.uint8)
        for clip, label in zip(self.frames, self.labels, strict=True):
            clip[..., label] += 100

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return self.frames[index], self.labels[index]


class Broken(Clips):
    """The first clips cannot be read."""

    bad = 1

    def __getitem__(self, index: int):
        if index < self.bad:
            raise BrokenClip(f"clip-{index}.mp4: cut short")
        return super().__getitem__(index)


@pytest.fixture
def clips() -> type[Clips]:
    return Clips


@pytest.fixture
def small():
    """Makes a small random network; the same for a seed."""

    def make(seed: int = 0) -> Froster:
        torch.manual_seed(seed)
        return Froster(SMALL)

    return make


def write_video(path: Path, frames: np.ndarray, *, fps: int = 30, codec: str = "mpeg4", **options: str) -> Path:
    """A video file of uint8 RGB [n, h, w, 3]; the suffix says the container."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file grows beyond `room` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def counting(numbers: range) -> np.ndarray:
    """Frames of 48 x 64 that say their number, below 256, in eight bars, black for 0 and white for 1."""
    bits = [[255 * (n >> b & 1) for b in range(8)] for n in numbers]
    return np.array(bits, np.uint8).repeat(8, 1)[:, None, :, None].repeat(48, 1).repeat(3, 3)


def numbers_of(frames: np.ndarray) -> list[int]:
    """What `counting` wrote, after any encoder."""
    bars = frames.reshape(len(frames), 48, 8, 8, 3).mean((1, 3, 4)) > 127
    return [sum(int(bar) << b for b, bar in enumerate(row)) for row in bars]
