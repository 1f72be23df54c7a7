"""One clip out of a video file, by PyAV.

A file's content chooses the demuxer, and some demuxers open other files or addresses that the file names. Only those of plain
containers are let near, and only the file itself is opened. What is decoded is bounded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np

from .batches import BrokenClip
from .sampling import Sampling, offset_start, uniform_start

CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,gxf,h264,hevc,mjpeg,m4v,nut,ivf,"
              "dv,swf,gif,apng,rm,wtv,roq,nsv,nuv,flic,dhav,ifv,yuv4mpegpipe,h261,h263,obu,dirac,dnxhd,vc1,vc1test")
MAX_PIXELS = 8192 * 4320
MAX_DECODED = 20_000  # frames looked at for one clip: 11 minutes at 30 a second from the last key frame
SEEK_MARGIN = 1024  # ticks before the window that the official code seeks to


@dataclass(frozen=True)
class Where:
    """Which clip of a video: a random one by rng, view `view` of `views`, or the middle one."""

    rng: np.random.Generator | None = None
    view: int = 0
    views: int = 1

    def start(self, total: int, length: float, whole: bool) -> float:
        if self.rng is not None:
            return self.rng.uniform(0, max(total - length, 0))
        if whole or self.views == 1:
            return offset_start(total, length, self.view, self.views)
        return uniform_start(total, length, self.view, self.views)


def read_clip(path: Path, sampling: Sampling, where: Where) -> np.ndarray:
    """uint8 RGB [frames, h, w, 3]. Raises BrokenClip, which names the file, for one that cannot be read."""
    try:
        with opened(path) as (container, stream):
            frames = clip_of(container, stream, sampling, where)
        if frames is None:
            times = frame_times(path)
            with opened(path) as (container, stream):
                frames = from_whole(container, stream, sampling, where, times)
        return np.stack([f.to_ndarray(format="rgb24") for f in frames])
    except (BrokenClip, av.FFmpegError, OSError, ValueError, ArithmeticError, MemoryError) as e:
        told = f"{path}: {e}".encode(errors="backslashreplace")  # a file's name may be no text, but reports are
        raise BrokenClip(told.decode()) from None


@contextmanager
def opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    with av.open(f"file:{path}", options=options) as container:
        if not container.streams.video:
            raise BrokenClip("there is no video in it")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        check_size(stream.codec_context.width, stream.codec_context.height)
        yield container, stream


def clip_of(container: av.container.InputContainer, stream: av.VideoStream, sampling: Sampling,
            where: Where) -> list[av.VideoFrame] | None:
    """By the container's own figures; None where it has none. A video of exactly as many frames as a clip is one."""
    fps = float(stream.average_rate or 0)
    if stream.frames == sampling.frames:
        return pad(list(islice(checked(container, stream), sampling.frames)), sampling.frames)
    if stream.duration and stream.frames and fps > 0:
        return from_window(container, stream, sampling, where, fps)
    return None


def from_window(container, stream, sampling: Sampling, where: Where, fps: float) -> list[av.VideoFrame]:
    """The official path: seek, decode the window and one frame more, pick among those.

    Kept are only the frames that may be picked: a window of large frames would not fit into memory.
    """
    window = sampling.window(fps)
    start = where.start(stream.frames, window, whole=False)
    ticks = stream.duration / stream.frames
    first = (stream.start_time or 0) + int(start * ticks)
    last = (stream.start_time or 0) + int((start + window - 1) * ticks)
    container.seek(max(first - SEEK_MARGIN, 0), stream=stream)
    wanted, kept, newest, count = set(sampling.pick(0, fps, MAX_DECODED)), {}, None, 0
    for frame in checked(container, stream):
        if frame.pts is None or frame.pts < first or (newest is not None and frame.pts <= newest.pts):
            continue
        newest = frame
        if count in wanted:
            kept[count] = frame
        count += 1
        if frame.pts > last:
            break
    if newest is None:
        raise BrokenClip("no frame could be decoded in the clip's window")
    return [kept.get(i, newest) for i in sampling.pick(0, fps, count)]


def frame_times(path: Path) -> list[int | None]:
    """Of each frame, in the stream's ticks, without decoding. Opens the file: not every container finds back to its start."""
    with opened(path) as (container, stream):
        return [p.pts for p in bounded(container.demux(stream)) if p.size]


def from_whole(container, stream, sampling: Sampling, where: Where, times: list[int | None]) -> list[av.VideoFrame]:
    """Frames were counted first, so that only those of the clip are kept."""
    total, fps = len(times), float(stream.average_rate or 0)
    known = [t for t in times if t is not None]
    if fps <= 0 and len(known) > 1 and max(known) > min(known):
        fps = (len(known) - 1) / float((max(known) - min(known)) * stream.time_base)
    if not total or (fps <= 0 and total != sampling.frames):
        raise BrokenClip("it has no frames" if not total else "its frame rate is unknown")
    if total == sampling.frames:
        return pad(list(islice(checked(container, stream), sampling.frames)), sampling.frames)
    picked = sampling.pick(where.start(total, sampling.span(fps), whole=True), fps, total)
    kept = {}
    for i, frame in enumerate(checked(container, stream)):
        if i in picked:
            kept[i] = frame
        if i >= picked[-1]:
            break
    if not kept:
        raise BrokenClip("no frame of the clip could be decoded")
    return [kept.get(i, kept[max(kept)]) for i in picked]


def pad(frames: list[av.VideoFrame], count: int) -> list[av.VideoFrame]:
    if not frames:
        raise BrokenClip("no frame could be decoded")
    return (frames + [frames[-1]] * count)[:count]


def checked(container, stream) -> Iterator[av.VideoFrame]:
    """Decoded frames; one of an absurd size is an error before it is converted."""
    for frame in bounded(container.decode(stream)):
        check_size(frame.width, frame.height)
        yield frame


def bounded(items: Iterator) -> Iterator:
    for i, item in enumerate(items):
        if i >= MAX_DECODED:
            raise BrokenClip(f"more than {MAX_DECODED} frames would have to be decoded for one clip")
        yield item


def check_size(width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise BrokenClip(f"its picture is {width} x {height}")
