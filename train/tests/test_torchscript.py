"""TorchScript archives, read as data."""

import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from froster import torchscript
from froster.torchscript import Interpreter, UnsafeArchive

STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK%ctQ"


def tensor(size: bytes, shape: bytes, stride: bytes, offset: bytes = b"\x00") -> bytes:
    """A pickled call that rebuilds a tensor over storage "0" of `size` values; shape and stride of one side each."""
    storage = STORAGE.replace(b"%c", size)
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K" + offset + b"K" + shape + b"\x85K" + stride
            + b"\x85\x89ccollections\nOrderedDict\n)RtR")


def model(value: bytes) -> bytes:
    """A pickled scripted module whose attribute w is `value`."""
    return b"\x80\x02c__torch__\nNet\n)\x81}X\x01\x00\x00\x00w" + value + b"sb."


def archive(path: Path, pickled: bytes, values: bytes = bytes(24)) -> Path:
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("net/data.pkl", pickled)
        z.writestr("net/constants.pkl", b"\x80\x02).")
        z.writestr("net/data/0", values)
    return path


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
def test_what_torch_itself_scripts(tmp_path: Path):
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Linear(3, 2)
            self.sizes, self.one = [1, 2, 3], [1]
            self.table = torch.nn.Parameter(torch.randn(4, 3).half().t())
            self.register_buffer("size", torch.tensor(224))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x)

    net = Net()
    torch.jit.save(torch.jit.script(net), tmp_path / "net.pt")
    got = torchscript.read(tmp_path / "net.pt")
    want = net.state_dict()
    assert got.keys() == want.keys()
    assert all(torch.equal(got[k], v) and got[k].dtype == v.dtype for k, v in want.items())


def test_a_tensor_by_hand(tmp_path: Path):
    values = torch.arange(6.0).numpy().tobytes()
    got = torchscript.read(archive(tmp_path / "a.pt", model(tensor(b"\x06", b"\x02", b"\x02", b"\x01")), values))
    assert got["w"].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(("value", "message"), [
    (tensor(b"\x06", b"\x07", b"\x01"), r"shape \(7,\) reaches beyond its storage"),
    (tensor(b"\x06", b"\x02", b"\x06"), "reaches beyond its storage"),
    (tensor(b"\x06", b"\x06", b"\x01", b"\x01"), "reaches beyond its storage"),
    (tensor(b"\x01", b"\xff", b"\x00"), "reaches beyond its storage"),  # 255 values of one by a stride of zero
    (tensor(b"\x07", b"\x07", b"\x01"), "data/0 has 24 bytes, which is not what its tensors say"),
    (b"cos\nsystem\nX\x04\x00\x00\x00true\x85R", "asks for os.system"),
    (b"c__builtin__\neval\nX\x01\x00\x00\x001\x85R", "asks for __builtin__.eval"),
    (b"(X\x04\x00\x00\x00trueios\nsystem\n", "uses INST"),
    (b"cos\nsystem\n}b", "fills a Name as a Object"),
    (b"X\x01\x00\x00\x000Q", "unknown storage"),
    (b"}((K\x01tK\x01u", "a tuple as a key"),
    (b"}(K\x01u", "broken"),
    (b"R", "fills a dict as a Name"),
    (b"t", "no mark"),
    (b"h\x09", "broken"),
])
def test_hostile_pickles(tmp_path: Path, value: bytes, message: str):
    with pytest.raises(UnsafeArchive, match=message):
        torchscript.read(archive(tmp_path / "a.pt", model(value)))


@pytest.mark.parametrize("end", [b"Q.", b"\x85R.", b"}(h\x00K\x01u."])
def test_tuples_in_tuples_take_no_time(end: bytes):
    """A thousand doublings: to write such a value out, or to hash it, would take for ever."""
    doubled = b"".join(b"h%ch%c\x86q%c" % (i % 250, i % 250, (i + 1) % 250) for i in range(1000))
    with pytest.raises(UnsafeArchive):
        Interpreter().run(b"\x80\x02)q\x00" + doubled + end)


def test_a_pickle_that_holds_itself(tmp_path: Path):
    with pytest.raises(UnsafeArchive, match="nested too deeply"):
        torchscript.read(archive(tmp_path / "a.pt", b"\x80\x02}q\x00(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00u."))


def test_a_pickle_that_fans_out(tmp_path: Path):
    """Each of twenty dictionaries holds the one before twice: two to the twentieth paths."""
    levels = b"".join(b"}q%c(X\x01\x00\x00\x00ah%cX\x01\x00\x00\x00bh%cu" % (i + 1, i, i) for i in range(20))
    with pytest.raises(UnsafeArchive, match="too many objects"):
        torchscript.read(archive(tmp_path / "a.pt", b"\x80\x02}q\x00" + levels + b"."))


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = archive(tmp_path / "a.pt", model(tensor(b"\x06", b"\x06", b"\x01")))
    for name, message in (("MAX_STEPS", "too many instructions"), ("MAX_PICKLE", "too large"), ("MAX_BYTES", "too large")):
        with monkeypatch.context() as m:
            m.setattr(torchscript, name, 8)
            with pytest.raises(UnsafeArchive, match=message):
                torchscript.read(path)


def test_archives_without_what_they_need(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as z:
        z.writestr("net/constants.pkl", b"")
    with pytest.raises(UnsafeArchive, match=r"no data\.pkl"):
        torchscript.read(tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as z:
        z.writestr("net/data.pkl", model(tensor(b"\x06", b"\x06", b"\x01")))
    with pytest.raises(UnsafeArchive, match="lacks data/0"):
        torchscript.read(tmp_path / "b.pt")


@pytest.mark.parametrize("value", [None, 5, [1], "text", (1, 2)])
def test_other_pickles_are_no_model(tmp_path: Path, value: object):
    buffer = io.BytesIO()
    pickle.Pickler(buffer, 2).dump(value)
    with pytest.raises(UnsafeArchive, match="not a model"):
        torchscript.read(archive(tmp_path / "a.pt", buffer.getvalue()))
