"""Checkpoints: FROSTER's layout there and back, those of others, and hostile ones."""

import gzip
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from conftest import full_disk

from froster import checkpoint, model
from froster.model import Froster
from froster.pixels import MEAN
from froster.projector import Projector


def same(a: Froster, b: Froster) -> bool:
    x, y = a.state_dict(), b.state_dict()
    return x.keys() == y.keys() and all(torch.equal(v, y[k]) for k, v in x.items())


def trained(student: Froster) -> dict[str, torch.Tensor]:
    """What `train.fit` returns."""
    projectors = {f"projector_{x}.{k}": v for x in "vt" for k, v in Projector(student.dims.embed_dim).state_dict().items()}
    return dict(student.state_dict()) | projectors


def test_there_and_back(tmp_path: Path, small):
    student, teacher = small(1), small(2)
    checkpoint.save(tmp_path / "a.pth", trained(student), teacher=dict(teacher.state_dict()))
    assert same(checkpoint.load_model(tmp_path / "a.pth"), student)
    assert [f.name for f in tmp_path.iterdir()] == ["a.pth"]


def test_frosters_layout(tmp_path: Path, small):
    """Student, frozen teacher and projectors by the names of the official code."""
    student = small(1)
    checkpoint.save(tmp_path / "a.pth", trained(student), teacher=dict(small(2).state_dict()))
    data = torch.load(tmp_path / "a.pth", weights_only=True)
    assert list(data) == ["model_state"]
    names = set(data["model_state"])
    projectors = {f"projector_{x}.{i}.weight" for x in "vt" for i in (0, 2)}
    assert names == projectors | {f"{p}{k}" for p in ("model.", "raw_model.") for k in student.state_dict()}
    assert torch.equal(data["model_state"]["model.visual.proj"], student.visual.proj)


def test_names_are_those_of_the_official_checkpoint(unpacked: Path):
    official = torch.load(unpacked / "tiny_froster.pth", weights_only=True)["model_state"]
    ours = trained(checkpoint.load_model(unpacked / "tiny_froster.pth"))
    assert {k for k in official if not k.startswith("raw_model.")} == {
        k if k.startswith("projector_") else f"model.{k}" for k in ours
    }


def test_half_and_packed(tmp_path: Path, small):
    student = small(1)
    checkpoint.save(tmp_path / "a.pth", trained(student), float16=True, deflate=True)
    got = checkpoint.load_model(tmp_path / "a.pth")
    assert all(torch.equal(v, student.state_dict()[k].half().float()) for k, v in got.state_dict().items() if v.ndim)
    assert got.logit_scale.item() == student.logit_scale.item()
    with zipfile.ZipFile(tmp_path / "a.pth") as z:
        assert {i.compress_type for i in z.infolist()} == {zipfile.ZIP_DEFLATED}


def test_too_large_for_half(tmp_path: Path, small):
    state = trained(small())
    state["visual.proj"] = state["visual.proj"] + 1e6
    with pytest.raises(ValueError, match=r"save model\.visual\.proj in float16: a value is larger than 65504"):
        checkpoint.save(tmp_path / "a.pth", state, float16=True)
    state["visual.proj"][1, 1] = torch.nan
    with pytest.raises(ValueError, match=r"save model\.visual\.proj in float16: .* no number"):
        checkpoint.save(tmp_path / "a.pth", state, float16=True)


def test_a_full_disk_leaves_the_old_file_alone(tmp_path: Path, small):
    checkpoint.save(tmp_path / "a.pth", trained(small(1)))
    with full_disk(1 << 20), pytest.raises(OSError, match=r"write .*a\.pth.*is the disk full\?"):
        checkpoint.save(tmp_path / "a.pth", trained(small(2)))
    assert [f.name for f in tmp_path.iterdir()] == ["a.pth"]
    assert same(checkpoint.load_model(tmp_path / "a.pth"), small(1))


def test_the_three_formats_hold_the_same_network(unpacked: Path):
    want = checkpoint.load_model(unpacked / "tiny_froster.pth")
    assert same(checkpoint.load_model(unpacked / "tiny_clip.pt"), want)
    assert same(checkpoint.load_model(unpacked / "tiny_clip_hf/model.safetensors"), want)


def test_wrapped_and_bare_states(tmp_path: Path, small):
    student = small(3)
    state = student.state_dict()
    forms = {"bare": dict(state), "state_dict": {"state_dict": {f"module.{k}": v for k, v in state.items()}},
             "ddp": {"model_state": {f"module.model.{k}": v for k, v in state.items()}}}
    for name, form in forms.items():
        torch.save(form, tmp_path / name)
        assert same(checkpoint.load_model(tmp_path / name), student), name


def test_weights_are_a_copy_of_their_own(tmp_path: Path, small):
    state = dict(small(1).state_dict())
    a, b = model.from_state(state), model.from_state(state)
    with torch.no_grad():
        a.visual.proj.zero_()
    assert b.visual.proj.abs().sum() > 0
    assert all(p.requires_grad for p in a.parameters())


class Trap:
    """Executed by pickle.load."""

    def __init__(self, function, mark: Path) -> None:
        self.call = function, (str(mark),)

    def __reduce__(self):
        return self.call


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("function", "name"), [(os.mkdir, f"{os.name}.mkdir"), (gzip.open, "gzip.open")])
def test_a_pickle_is_not_executed(tmp_path: Path, zipped: bool, function, name: str):
    """torch has one message for functions of modules that it blocks, another for those that it does not know."""
    mark = tmp_path / "executed"
    torch.save({"model_state": Trap(function, mark)}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    wanted = rf"^read \S+a\.pth: it asks for {name}; a checkpoint needs tensors and plain values only$"
    with pytest.raises(ValueError, match=wanted):
        checkpoint.load_model(tmp_path / "a.pth")
    assert not mark.exists()
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Trap(os.mkdir, mark)))
    with pytest.raises(ValueError, match=r"read .*b\.pt"):
        checkpoint.load_model(tmp_path / "b.pt")
    assert not mark.exists()


def test_a_small_file_that_claims_a_large_tensor(tmp_path: Path, small):
    state = dict(small().state_dict())
    state["visual.proj"] = torch.zeros(1).expand(1 << 20, 1 << 20)
    torch.save(state, tmp_path / "a.pth")
    assert (tmp_path / "a.pth").stat().st_size < 20 << 20
    with pytest.raises(ValueError, match=r"visual\.proj of shape \[1048576, 1048576\] is larger than what the file holds"):
        checkpoint.load_model(tmp_path / "a.pth")


@pytest.mark.parametrize("scripted", [False, True])
def test_a_small_zip_that_unfolds_to_much(tmp_path: Path, scripted: bool):
    torch.save({"model_state": {"model.visual.proj": torch.zeros(8 << 20)}}, tmp_path / "a.pth")
    checkpoint.pack(tmp_path / "a.pth")
    if scripted:
        with zipfile.ZipFile(tmp_path / "a.pth", "a") as z:
            z.writestr("a/constants.pkl", b"\x80\x02).")
    assert (tmp_path / "a.pth").stat().st_size < 1 << 20
    with pytest.raises(ValueError, match=r"read .*a\.pth: it would unfold from \d+ to 335\d+ bytes, more than a checkpoint does"):
        checkpoint.load_model(tmp_path / "a.pth")


def test_what_is_packed_or_stored_as_save_does_is_not_refused(tmp_path: Path, small):
    checkpoint.save(tmp_path / "a.pth", trained(small(1)), float16=True, deflate=True)
    checkpoint.refuse_bomb(tmp_path / "a.pth")
    with pytest.raises(ValueError, match="it would unfold"):
        checkpoint.refuse_bomb(tmp_path / "a.pth", most=1000)


def test_a_vocabulary_that_lacks_tokens(tmp_path: Path, small):
    """Token ids beyond it would be an IndexError in the first step."""
    state = dict(small().state_dict())
    state["token_embedding.weight"] = state["token_embedding.weight"][:1000]
    torch.save({"model_state": state}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"read .*a\.pth: its vocabulary has 1000 tokens: want 49408"):
        checkpoint.load_model(tmp_path / "a.pth")


def test_a_width_that_would_take_all_memory(tmp_path: Path, small):
    """The blocks of a tower this wide would take terabytes; they are not made before their weights are seen."""
    state = dict(small().state_dict())
    state["visual.conv1.weight"] = torch.zeros(64 << 14, 1, 1, 1)
    torch.save({"model_state": state}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"has shape .*: want"):
        checkpoint.load_model(tmp_path / "a.pth")


@pytest.mark.parametrize(("change", "message"), [
    ({"visual.proj": None}, r"the weights lack visual\.proj"),
    ({"text_projection": None}, r"the weights lack text_projection"),
    ({"extra": torch.zeros(1)}, "the weights have an unknown extra"),
    ({"ln_final.weight": torch.zeros(3)}, r"ln_final\.weight has shape \[3\]: want \[64\]"),
    ({"positional_embedding": torch.tensor(1.0)}, "context_length is 0: want at least 1"),
    ({"visual.conv1.weight": torch.zeros(0, 3, 16, 16)}, "vision_width is 0: want at least 1"),
    ({"visual.conv1.weight": torch.zeros(48, 3, 16, 16)}, "vision_width is 48: want a multiple of 64"),
    ({"visual.conv1.weight": torch.zeros(64)}, "another shape than in a CLIP"),
    ({f"transformer.resblocks.{i}.x": torch.zeros(1) for i in range(200)}, "text_layers is 200: want at most 100"),
])
def test_weights_that_are_no_clip(tmp_path: Path, small, change: dict, message: str):
    state = {k: v for k, v in (dict(small().state_dict()) | change).items() if v is not None}
    torch.save({"model_state": {f"model.{k}": v for k, v in state.items()}}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=rf"read .*a\.pth: .*{message}"):
        checkpoint.load_model(tmp_path / "a.pth")


@pytest.mark.parametrize("data", [b"", b"text", b"PK\x03\x04", b"\x80\x02.", gzip.compress(b"x" * 100)])
@pytest.mark.parametrize("name", ["a.pth", "a.pt", "a.safetensors"])
def test_files_that_are_no_checkpoint(tmp_path: Path, name: str, data: bytes):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"read .*{name}"):
        checkpoint.load_model(tmp_path / name)


def test_a_list_is_no_state(tmp_path: Path):
    torch.save([torch.zeros(1)], tmp_path / "a.pth")
    with pytest.raises(ValueError, match="it holds a list, not the state of a model"):
        checkpoint.load_model(tmp_path / "a.pth")


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(ValueError, match=r"read .*a\.pth: .*No such file"):
        checkpoint.load_model(tmp_path / "a.pth")


def test_safetensors_in_openais_names(tmp_path: Path, small):
    safetensors.torch.save_file(dict(small(1).state_dict()), tmp_path / "a.safetensors")
    assert same(checkpoint.load_model(tmp_path / "a.safetensors"), small(1))


def test_hugging_face_with_something_missing(unpacked: Path, tmp_path: Path):
    tensors = safetensors.torch.load_file(unpacked / "tiny_clip_hf/model.safetensors")
    del tensors["visual_projection.weight"]
    safetensors.torch.save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"the weights lack visual_projection\.weight"):
        checkpoint.load_model(tmp_path / "model.safetensors")


@pytest.mark.parametrize(("config", "message"), [
    ('{"vision_config": {"hidden_act": "gelu"}}', "its vision_config says gelu, but FROSTER's activation is quick_gelu"),
    ('{"text_config": {"hidden_size": 64, "num_attention_heads": 2}}', "heads of its text_config are not 64 wide"),
    ("[]", "not that of a CLIP"),
    ('{"text_config": 1}', "not that of a CLIP"),
    ("{", r"config\.json beside it is no JSON: Expecting"),
])
def test_hugging_faces_configuration(unpacked: Path, tmp_path: Path, config: str, message: str):
    (tmp_path / "model.safetensors").symlink_to(unpacked / "tiny_clip_hf/model.safetensors")
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError, match=message):
        checkpoint.load_model(tmp_path / "model.safetensors")


def open_clip(model: dict, **other) -> str:
    return json.dumps({"model_cfg": {"embed_dim": 32, "quick_gelu": True} | model} | other)


GELU = json.dumps({"model_cfg": {"embed_dim": 32, "vision_cfg": {"width": 64}}})  # as most of OpenCLIP's


def written(folder: Path, name: str, state: dict[str, torch.Tensor], config: str | None) -> Path:
    """A checkpoint in one of the forms that OpenCLIP's have, and its configuration."""
    if name.endswith(".safetensors"):
        safetensors.torch.save_file(state, folder / name)
    else:
        torch.save({"state_dict": state} if name.startswith("epoch") else state, folder / name)
    if config is not None:
        (folder / "open_clip_config.json").write_text(config)
    return folder / name


@pytest.mark.parametrize(("name", "config", "message"), [
    ("open_clip_model.safetensors", GELU, r"open_clip_config\.json: quick_gelu is not true, but FROSTER's activation is"),
    ("open_clip_model.safetensors", None, r"no open_clip_config\.json lies beside it, so its activation is OpenCLIP's gelu"),
    ("open_clip_pytorch_model.bin", GELU, "quick_gelu is not true"),
    ("open_clip_pytorch_model.bin", None, "activation is OpenCLIP's gelu"),
    ("model.safetensors", GELU, "quick_gelu is not true"),
    ("epoch_32.pt", GELU, "quick_gelu is not true"),
    ("model.safetensors", open_clip({"vision_cfg": {"timm_model_name": "x"}}), "its vision tower is one of timm's"),
    ("model.safetensors", open_clip({"vision_cfg": {"head_width": 80}}), "its heads are not 64 wide"),
    ("model.safetensors", open_clip({"text_cfg": {"width": 64, "heads": 2}}), "its heads are not 64 wide"),
    ("model.safetensors", open_clip({"text_cfg": {"hf_model_name": "x"}}), "its text tower is one of Hugging Face's"),
    ("model.safetensors", open_clip({"text_cfg": {"pool_type": "last"}}), "does not read as CLIP's does"),
    ("model.safetensors", open_clip({}, preprocess_cfg={"mean": [0.5, 0.5, 0.5]}), "mean and deviation of colours"),
    ("model.safetensors", open_clip({"text_cfg": 1}), "not that of a CLIP"),
    ("model.safetensors", "null", "not that of a CLIP"),
    ("model.safetensors", "{", r"open_clip_config\.json beside it is no JSON"),
])
def test_open_clips_that_are_another_network(tmp_path: Path, small, name: str, config: str | None, message: str):
    with pytest.raises(ValueError, match=rf"^read \S+{name}: .*{message}"):
        checkpoint.load_model(written(tmp_path, name, dict(small().state_dict()), config))


@pytest.mark.parametrize(("name", "config"), [
    ("open_clip_model.safetensors", open_clip({"text_cfg": {"width": 64, "heads": 1}}, preprocess_cfg={"mean": list(MEAN)})),
    ("open_clip_pytorch_model.bin", open_clip({})),
    ("epoch_32.pt", None),
    ("ViT-B-16.pt", GELU),  # OpenAI's, whatever lies beside it
])
def test_open_clips_that_are_openais_network(tmp_path: Path, small, name: str, config: str | None):
    assert same(checkpoint.load_model(written(tmp_path, name, dict(small(1).state_dict()), config)), small(1))


def test_a_tower_whose_heads_nothing_tells(tmp_path: Path, small):
    state = dict(small().state_dict()) | {"visual.conv1.weight": torch.zeros(1280, 3, 16, 16)}
    with pytest.raises(ValueError, match=r"a tower of width 1280: open_clip_config\.json must lie beside it"):
        checkpoint.load_model(written(tmp_path, "h.safetensors", state, None))
