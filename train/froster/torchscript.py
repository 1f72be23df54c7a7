"""The tensors of a TorchScript archive, as OpenAI publishes CLIP, without running what is in it.

torch.jit.load compiles the archive's code. Here its pickle is data: pickletools splits it into instructions, an interpreter of
those that rebuild tensors and plain objects follows them, and any other instruction or name is an error that says which.
"""

import math
import pickletools
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

KINDS = {
    "torch HalfStorage": torch.float16, "torch FloatStorage": torch.float32, "torch DoubleStorage": torch.float64,
    "torch BFloat16Storage": torch.bfloat16, "torch LongStorage": torch.int64, "torch IntStorage": torch.int32,
}
MAX_STEPS = 5_000_000
MAX_BYTES = 8 << 30  # of all tensors; ViT-L/14 in float32 is below 2 GiB
MAX_PICKLE = 64 << 20
MAX_VISITS = 100_000
MAX_DEPTH = 32  # a weight of CLIP lies 6 deep


class UnsafeArchive(ValueError):
    """The archive asks for something beyond tensors in plain objects, or contradicts itself."""


@dataclass(frozen=True)
class Name:
    """A global of the pickle: never more than its name."""

    text: str


@dataclass(frozen=True)
class Storage:
    kind: torch.dtype
    key: str
    size: int


@dataclass(frozen=True)
class View:
    """A tensor as the pickle describes it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(eq=False)
class Object:
    """An instance of a scripted class: its attributes."""

    attributes: dict = field(default_factory=dict)


MARK = object()
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
LITERALS = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
NEW = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
PUT, GET = {"BINPUT", "LONG_BINPUT"}, {"BINGET", "LONG_BINGET"}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Interpreter:
    """Runs the pickle's instructions over a stack of plain values."""

    def __init__(self) -> None:
        self.stack: list = []
        self.memo: dict[int, object] = {}

    def run(self, pickle: bytes):
        """The value that the pickle describes."""
        try:
            for steps, (op, argument, _) in enumerate(pickletools.genops(pickle)):
                if steps > MAX_STEPS:
                    raise UnsafeArchive("the pickle has too many instructions")
                if op.name == "STOP":
                    return self.stack.pop()
                self.step(op.name, argument)
        except (IndexError, KeyError, TypeError) as e:
            raise UnsafeArchive(f"the pickle is broken: {e}") from None
        except ValueError as e:
            raise e if isinstance(e, UnsafeArchive) else UnsafeArchive(f"the pickle is broken: {e}") from None
        raise UnsafeArchive("the pickle has no end")

    def step(self, op: str, argument) -> None:
        push = self.stack.append
        if op in LITERALS:
            push(argument)
        elif op in CONSTANTS:
            push(CONSTANTS[op])
        elif op in NEW:
            push(NEW[op]())
        elif op in PUT:
            self.memo[argument] = self.stack[-1]
        elif op in GET:
            push(self.memo[argument])
        elif op == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif op == "GLOBAL":
            push(Name(argument))
        elif op == "MARK":
            push(MARK)
        elif op in TUPLES:
            push(tuple(self.pop_many(TUPLES[op])))
        elif op not in ("PROTO", "FRAME"):
            self.combine(op)

    def combine(self, op: str) -> None:
        """The instructions that join values."""
        if op == "TUPLE":
            self.stack.append(tuple(self.pop_to_mark()))
        elif op == "BINPERSID":
            self.stack.append(storage_of(self.stack.pop()))
        elif op in ("REDUCE", "NEWOBJ"):
            name, arguments = self.pop_many(2)
            self.stack.append(call(name, arguments))
        elif op in ("SETITEM", "SETITEMS"):
            items = self.pop_many(2) if op == "SETITEM" else self.pop_to_mark()
            self.fill(want(self.stack[-1], dict), items)
        elif op in ("APPEND", "APPENDS"):
            items = self.pop_many(1) if op == "APPEND" else self.pop_to_mark()
            want(self.stack[-1], list).extend(items)
        elif op == "BUILD":
            state = want(self.stack.pop(), dict)
            want(self.stack[-1], Object).attributes.update(state)
        else:
            raise UnsafeArchive(f"the pickle uses {op}, which no scripted model needs")

    def fill(self, target: dict, items: list) -> None:
        """Keys are text or numbers: the hash of tuples in tuples in tuples may take for ever."""
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int):
                raise UnsafeArchive(f"the pickle has a {type(key).__name__} as a key")
            target[key] = value

    def pop_many(self, count: int) -> list:
        if len(self.stack) < count:
            raise IndexError("the stack is empty")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def pop_to_mark(self) -> list:
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is MARK:
                taken = self.stack[i + 1 :]
                del self.stack[i:]
                return taken
        raise IndexError("no mark on the stack")


def want(value, kind: type):
    if type(value) is not kind:
        raise UnsafeArchive(f"the pickle fills a {type(value).__name__} as a {kind.__name__}")
    return value


def want_container(value):
    if not isinstance(value, Object | dict):
        raise UnsafeArchive(f"the pickle is a {type(value).__name__}, not a model")
    return value


def call(name, arguments: tuple):
    """Stands in for the few functions that rebuild a model."""
    text = want(name, Name).text
    if text == "torch._utils _rebuild_tensor_v2":
        return view_of(*arguments[:4])
    if text == "collections OrderedDict" and not arguments:
        return {}
    if text.startswith(("__torch__.", "__torch__ ")) and not arguments:
        return Object()
    if text.startswith("torch.jit._pickle build_") and len(arguments) == 1:
        return want(arguments[0], list)
    raise UnsafeArchive(f"the pickle asks for {text.replace(' ', '.')}, which no scripted model needs")


def storage_of(identifier: tuple) -> Storage:
    """torch's persistent id: ("storage", class, key, device, number of values)."""
    match identifier:
        case ("storage", Name(text=kind), str(key), str(), int(size)) if kind in KINDS and size >= 0:
            return Storage(KINDS[kind], key, size)
    raise UnsafeArchive("the pickle names an unknown storage")


def view_of(storage: Storage, offset: int, shape: tuple, stride: tuple) -> View:
    """A tensor that lies inside its storage, in C order or not."""
    view = View(want(storage, Storage), offset, shape, stride)
    if len(shape) != len(stride) or any(type(v) is not int or v < 0 for v in (offset, *shape, *stride)):
        raise UnsafeArchive("a tensor's shape is no shape")
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    if (math.prod(shape) and last >= storage.size) or math.prod(shape) > storage.size:
        raise UnsafeArchive(f"a tensor of shape {shape} reaches beyond its storage")
    return view


def read(path: Path) -> dict[str, Tensor]:
    """Dotted names to tensors, in the precision that they are stored in."""
    with zipfile.ZipFile(path) as archive:
        folders = [n.removesuffix("data.pkl") for n in archive.namelist() if n.endswith("/data.pkl") and n.count("/") == 1]
        folder = folders[0] if folders else None
        if folder is None:
            raise UnsafeArchive("no data.pkl in it")
        if archive.getinfo(folder + "data.pkl").file_size > MAX_PICKLE:
            raise UnsafeArchive("data.pkl is too large")
        views = collect(want_container(Interpreter().run(archive.read(folder + "data.pkl"))))
        storages = {v.storage for v in views.values()}
        if sum(s.size * s.kind.itemsize for s in storages) > MAX_BYTES:
            raise UnsafeArchive("the tensors are too large")
        data = {s: load(archive, folder, s) for s in storages}
    return {name: data[v.storage].as_strided(v.shape, v.stride, v.offset) for name, v in views.items()}


def load(archive: zipfile.ZipFile, folder: str, storage: Storage) -> Tensor:
    try:
        info = archive.getinfo(f"{folder}data/{storage.key}")
    except KeyError:
        raise UnsafeArchive(f"the archive lacks data/{storage.key[:40]}") from None
    if info.file_size != storage.size * storage.kind.itemsize:
        raise UnsafeArchive(f"{info.filename} has {info.file_size} bytes, which is not what its tensors say")
    if not storage.size:
        return torch.empty(0, dtype=storage.kind)
    return torch.frombuffer(bytearray(archive.read(info)), dtype=storage.kind)


def collect(root) -> dict[str, View]:
    """All tensors below objects and dictionaries, by dotted name; lists hold none in a CLIP.

    A pickle can hold itself, so the walk is bounded in depth and length.
    """
    found, todo = {}, [((), root)]
    for _ in range(MAX_VISITS):
        if not todo:
            return found
        path, value = todo.pop()
        if len(path) > MAX_DEPTH:
            raise UnsafeArchive("the pickle is nested too deeply")
        if isinstance(value, View):
            found[".".join(path)] = value
            continue
        children = value.attributes if isinstance(value, Object) else value
        for key, child in children.items():
            if isinstance(child, View | Object | dict):
                todo.append(((*path, str(key)), child))
    raise UnsafeArchive("the pickle has too many objects")
