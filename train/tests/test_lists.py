"""Lists of clips in every form that data sets have, and mistakes in them."""

import json
import os
from pathlib import Path

import pytest

from froster import list_text, lists
from froster.listing import BadList

CLASSES = "Waving hands | someone waves\nriding a bike\n日本語\n"


def put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def found(listing: lists.Listing, base: Path) -> list[tuple[str, int]]:
    return [(str(c.path.relative_to(base)), c.label) for c in listing.clips]


@pytest.mark.parametrize(("line", "path", "label"), [
    ("a/b.mp4 1", "a/b.mp4", 1),
    ("a/b.mp4,1", "a/b.mp4", 1),
    ("a/b.mp4, 1", "a/b.mp4", 1),
    ("a/b.mp4\t1", "a/b.mp4", 1),
    ("a/b.mp4,300,1", "a/b.mp4", 1),
    ("a/b.mp4\t300\t1", "a/b.mp4", 1),
    ("my clips/b 2.mp4 1", "my clips/b 2.mp4", 1),
    ("my clips/b 2.mp4,1", "my clips/b 2.mp4", 1),
    ("a,b.mp4,1", "a,b.mp4", 1),
    ("a,b.mp4 1", "a,b.mp4", 1),
    ("a.mp4 WAVING_HANDS", "a.mp4", 0),
    ("a.mp4\twaving hands", "a.mp4", 0),
    ("a.mp4\tRiding a bike", "a.mp4", 1),
    ("a.mp4 日本語", "a.mp4", 2),
    ("a.mp4,waving hands", "a.mp4", 0),
    ("a.mp4, Riding_a_bike", "a.mp4", 1),
    ("a.mp4,日本語", "a.mp4", 2),
    ("a.mp4,300,riding a bike", "a.mp4", 1),
    ("my clips/b, 2.mp4,waving hands", "my clips/b, 2.mp4", 0),
    ("riding, waving hands.mp4 日本語", "riding, waving hands.mp4", 2),
    ("a,b 1", "a,b", 1),
    ('"a, b.mp4",300,"riding a bike"', "a, b.mp4", 1),
    ('a "b".mp4,1', 'a "b".mp4', 1),
    ("my clips/b 2.mp4 300 1", "my clips/b 2.mp4", 1),
    ("clips/take 7 1", "clips/take 7", 1),
    ("  a.mp4 1\r", "a.mp4", 1),
    ("./x/../a.mp4 1", "a.mp4", 1),
])
def test_plain_lists(tmp_path: Path, line: str, path: str, label: int):
    put(tmp_path, train__txt=f"\n{line}\n", classes__txt=CLASSES)
    assert found(lists.read(tmp_path / "train.txt"), tmp_path) == [(path, label)]


def test_wordings(tmp_path: Path):
    put(tmp_path, train__txt="a.mp4 0", classes__txt=CLASSES)
    assert lists.read(tmp_path / "train.txt").classes[:2] == [["Waving hands", "someone waves"], ["riding a bike"]]


def test_a_byte_order_mark_is_no_part_of_the_first_path(tmp_path: Path):
    put(tmp_path, train__txt="\ufeffa.mp4 0\n", classes__txt="\ufeffone\n")
    assert found(lists.read(tmp_path / "train.txt"), tmp_path) == [("a.mp4", 0)]
    assert lists.read(tmp_path / "train.txt").classes == [["one"]]


def test_root_and_classes_elsewhere(tmp_path: Path):
    put(tmp_path, **{"lists/k.csv": "train/a.mp4,1", "texts/names.json": json.dumps({"1": "b: two", "0": "a"})})
    got = lists.read(tmp_path / "lists/k.csv", root=str(tmp_path / "videos"), classes=str(tmp_path / "texts/names.json"))
    assert found(got, tmp_path) == [("videos/train/a.mp4", 1)]
    assert got.classes == [["a"], ["b: two"]]


def test_an_export(tmp_path: Path):
    """As `frostwatch export clips` writes it."""
    put(tmp_path, train__txt="clips/lobby/1.avi 0\n", classes__txt="one | two\n")
    got = lists.read(tmp_path)
    assert (found(got, tmp_path), got.classes) == ([("clips/lobby/1.avi", 0)], [["one", "two"]])


def test_folders(tmp_path: Path):
    files = ["wave_hand/b.MP4", "wave_hand/deep/a.avi", "wave_hand/notes.txt", "fall/c.webm", "empty/x.txt"]
    put(tmp_path, **dict.fromkeys(files, ""))
    got = lists.read(tmp_path)
    assert got.classes == [["fall"], ["wave hand"]]
    assert found(got, tmp_path) == [("fall/c.webm", 0), ("wave_hand/b.MP4", 1), ("wave_hand/deep/a.avi", 1)]


@pytest.mark.parametrize(("folders", "message"), [
    (["a_b", "a b", "c"], "classes 'a b' and 'a_b' have the same text, 'a b'"),
    (["Walk", "walk"], "classes 'Walk' and 'walk' have the same text"),
    (["a", "_"], "want a text for each class; there is none in '_'"),
    (["a", os.fsdecode(b"n\xe4")], r"the name of the folder 'n\\udce4' is not UTF-8"),
])
def test_folders_that_are_no_classes(tmp_path: Path, folders: list[str], message: str):
    put(tmp_path, **{f"{name}/1.mp4": "" for name in folders})
    with pytest.raises(BadList, match=message):
        lists.read(tmp_path)


def test_folders_that_a_desktop_or_a_nas_makes(tmp_path: Path):
    files = [".trash/a.mp4", "@eaDir/a.mp4", "fall/@eaDir/b.mp4/c.mp4", "fall/.cut/d.mp4", "fall/@e.mp4", "walk/f@g.h/i.mp4"]
    put(tmp_path, **dict.fromkeys(files, ""))
    assert found(lists.read(tmp_path), tmp_path) == [("fall/@e.mp4", 0), ("walk/f@g.h/i.mp4", 1)]


def test_linked_folders_are_classes(tmp_path: Path):
    """Of data sets on several disks some are. A link to a folder that it lies in would go on for ever."""
    put(tmp_path, **{"disk/more/b.mp4": "", "root/walk/a.mp4": ""})
    (tmp_path / "root/fall").symlink_to(tmp_path / "disk")
    (tmp_path / "root/walk/again").symlink_to(tmp_path / "root")
    (tmp_path / "root/walk/more").symlink_to(tmp_path / "disk/more")
    clips = [("fall/more/b.mp4", 0), ("walk/a.mp4", 1), ("walk/more/b.mp4", 1)]
    assert found(lists.read(tmp_path / "root"), tmp_path / "root") == clips


@pytest.mark.parametrize("option", ["classes", "root"])
def test_folders_have_no_classes_or_root_of_others(tmp_path: Path, option: str):
    put(tmp_path, **{"fall/a.mp4": "", "walk/b.mp4": "", "classes.txt": "fall\nwalk\n"})
    with pytest.raises(BadList, match=f"a folder for each class says itself .*; leave {option} out"):
        lists.read(tmp_path, **{option: str(tmp_path / "classes.txt")})


def test_kinetics(tmp_path: Path):
    """With a byte order mark, as spreadsheets write it, and a label with a comma."""
    rows = '\ufefflabel,youtube_id,time_start,time_end,split\nriding a bike,-abc,10,20,train\n"waving hands",x_1,1.0,11.0,train\n'
    put(tmp_path, train__csv=rows, classes__txt=CLASSES)
    got = lists.read(tmp_path / "train.csv")
    assert found(got, tmp_path) == [("riding_a_bike/-abc_000010_000020.mp4", 1), ("waving_hands/x_1_000001_000011.mp4", 0)]


def test_ucf(tmp_path: Path):
    put(tmp_path, trainlist01__txt="ApplyEyeMakeup/v_1.avi 1\nYoYo/v_2.avi 2\n", testlist01__txt="YoYo/v_3.avi\n",
        classInd__txt="1 ApplyEyeMakeup\n2 YoYo\n")
    options = {"classes": str(tmp_path / "classInd.txt")}
    got = lists.read(tmp_path / "trainlist01.txt", **options)
    assert found(got, tmp_path) == [("ApplyEyeMakeup/v_1.avi", 0), ("YoYo/v_2.avi", 1)]
    assert got.classes == [["Apply Eye Makeup"], ["Yo Yo"]]
    assert found(lists.read(tmp_path / "testlist01.txt", **options), tmp_path) == [("YoYo/v_3.avi", 1)]


def test_hmdb(tmp_path: Path):
    put(tmp_path, **{"splits/brush_hair_test_split1.txt": "a b.avi 1 \nc.avi 2\nd.avi 0\n",
                     "splits/chew_test_split1.txt": "e.avi 1\n", "classes.txt": "brush hair\nchew\n"})
    train = lists.read(tmp_path / "splits", format="hmdb")
    assert found(train, tmp_path) == [("brush_hair/a b.avi", 0), ("chew/e.avi", 1)]
    assert found(lists.read(f"{tmp_path}/splits#2", format="hmdb"), tmp_path) == [("brush_hair/c.avi", 0)]


def test_one_split_of_hmdb(tmp_path: Path):
    """Test clips of one split are training clips of another."""
    put(tmp_path, **{"splits/chew_test_split1.txt": "a.avi 1\n", "splits/chew_test_split2.txt": "b.avi 1\n",
                     "classes.txt": "chew\n", "splits/classes.txt": "chew\n"})
    with pytest.raises(BadList, match=r"splits holds splits 1 and 2: give '.*/splits/\*_test_split1\.txt'"):
        lists.read(tmp_path / "splits")
    assert found(lists.read(tmp_path / "splits/*_test_split2.txt"), tmp_path) == [("splits/chew/b.avi", 0)]
    with pytest.raises(BadList, match="after # want 1 for training or 2 for testing"):
        lists.read(f"{tmp_path}/splits#3", format="hmdb")


@pytest.mark.parametrize(("text", "want"), [
    ('id,name\n0,abseiling\n1,"answering, ""questions"""\n', ["abseiling", 'answering, "questions"']),
    ("0 falling\n1 sitting down\n", ["falling", "sitting down"]),
    ("1 BaseballPitch\n2 YoYo\n", ["Baseball Pitch", "Yo Yo"]),
    ("iPhone theft\nMcDonalds\n", ["iPhone theft", "McDonalds"]),
    ("2 people hugging\nfalling\n", ["2 people hugging", "falling"]),
])
def test_numbers_of_class_lists_are_no_part_of_the_texts(tmp_path: Path, text: str, want: list[str]):
    put(tmp_path, train__txt="a.mp4 0", classes__txt=text)
    assert lists.read(tmp_path / "train.txt").classes == [[w] for w in want]


def test_ssv2(tmp_path: Path):
    entries = [{"id": "74225", "template": "Putting [something] on a surface"}, {"id": "7", "template": "Poking [something]"}]
    labels = {"Poking something": "1", "Putting something on a surface": "0"}
    put(tmp_path, train__json=json.dumps(entries), labels__json=json.dumps(labels))
    got = lists.read(tmp_path / "train.json", classes=str(tmp_path / "labels.json"))
    assert found(got, tmp_path) == [("74225.webm", 0), ("7.webm", 1)]
    assert got.classes == [["Putting something on a surface"], ["Poking something"]]


@pytest.mark.parametrize("path", ["../a.mp4", "x/../../a.mp4", "/etc/passwd", "x/../../../../../../etc/passwd"])
def test_paths_that_climb(tmp_path: Path, path: str):
    put(tmp_path, train__txt=f"ok.mp4 0\n{path} 0\n", classes__txt="one\n")
    with pytest.raises(BadList, match=r"train\.txt:2: '.*' leads out of"):
        lists.read(tmp_path / "train.txt")


def test_a_kinetics_label_that_climbs(tmp_path: Path):
    put(tmp_path, train__csv="label,youtube_id,time_start,time_end\n../../one,a,1,2\n", classes__txt="one\n")
    with pytest.raises(BadList, match=r"train\.csv:2: .* leads out of"):
        lists.read(tmp_path / "train.csv")


@pytest.mark.parametrize(("line", "message"), [
    ("a.mp4 3", r"train\.txt:1: label 3 but there are 3 classes, from 0"),
    ("a.mp4 99999999999999999999", r"label 99999999999999999999 but there are"),
    ("a.mp4 -1", "'-1' is not among the classes"),
    ("a.mp4 ²", "'²' is not among the classes"),
    ("a.mp4 dancing", "'dancing' is not among the classes"),
    ("a.mp4,dancing", "'dancing' is not among the classes"),
    ("a.mp4,riding a horse", "'riding a horse' is not among the classes"),
    ("a.mp4,", "want `path label`"),
    ("a.mp4", "want `path label`"),
    ("a\0.mp4 1", "no path"),
])
def test_bad_lines_are_named(tmp_path: Path, line: str, message: str):
    put(tmp_path, train__txt=line, classes__txt=CLASSES)
    with pytest.raises(BadList, match=message):
        lists.read(tmp_path / "train.txt")


def test_a_name_with_commas(tmp_path: Path):
    put(tmp_path, train__txt="a,b.mp4,ready, steady, go\na,b.mp4,go\n", classes__txt="go\nready, steady, go: a race begins\n")
    assert found(lists.read(tmp_path / "train.txt"), tmp_path) == [("a,b.mp4", 1), ("a,b.mp4", 0)]


def test_names_that_differ_by_a_sign(tmp_path: Path):
    put(tmp_path, train__txt="a.mp4 c\nb.mp4 C#\n", classes__txt="C++\nC\nC#\n...\n")
    assert [c.label for c in lists.read(tmp_path / "train.txt").clips] == [1, 2]
    put(tmp_path, train__txt="a.mp4 !\n")
    with pytest.raises(BadList, match="'!' is not among the classes"):
        lists.read(tmp_path / "train.txt")


def test_a_name_of_two_classes(tmp_path: Path):
    put(tmp_path, train__txt="a.mp4\tsit down\n", classes__txt="sit down: onto a chair\nSit-down: a strike\n")
    with pytest.raises(BadList, match="'sit down' names more than one class"):
        lists.read(tmp_path / "train.txt")


@pytest.mark.parametrize(("name", "text", "message"), [
    ("train.csv", "label,youtube_id,time_start,time_end\nriding a bike,a,x,2\n", r"train\.csv:2: want label, youtube_id"),
    ("train.csv", "label,youtube_id,time_start,time_end\nriding a bike,a,inf,2\n", r"train\.csv:2: want label"),
    ("train.csv", "youtube_id,time_start,time_end,label\na,1,2\n", r"train\.csv:2: want label"),
    ("train.csv", "youtube_id,time_start\na,1\n", r"train\.csv:2: want label"),
    ("train.csv", "label,youtube_id,time_start,time_end\n" + "x" * 200_000 + ",a,1,2\n", "want label"),
    ("train.json", "{", "want a list of objects with id and template"),
    ("train.json", '[{"id": "x", "template": "y"}]', "want a list of objects"),
    ("train.json", '["a"]', "want a list of objects"),
    ("train.json", "[" * 100_000, "want a list of objects"),
    ("train.txt", "\n\n", "there is no clip in it"),
])
def test_broken_lists(tmp_path: Path, name: str, text: str, message: str):
    put(tmp_path, **{name: text, "classes.txt": CLASSES})
    with pytest.raises(BadList, match=message):
        lists.read(tmp_path / name)


@pytest.mark.parametrize(("name", "text", "message"), [
    ("c.json", '{"0": "a", "2": "b"}', "not numbered from 0 without gaps"),
    ("c.json", '{"a": "0", "b": "0"}', "not numbered from 0"),
    ("c.json", '{"0": 5}', "not numbered from 0"),
    ("c.json", "[1]", "want an object of numbers and texts"),
    ("c.json", '{"a": ' * 100_000, "want an object"),
    ("c.txt", "\n", "want a text for each class"),
    ("c.txt", "a\n | \n", "want a text for each class; there is none in '\\|'"),
    ("c.txt", "100 metres\n200 metres\n", r"c\.txt:1: begins with 100: want the lines numbered from 0 or 1 in order"),
    ("c.txt", "0,a\n1,b\n3,c\n", r"c\.txt:3: begins with 3"),
    ("c.txt", "a b\nc\nA  b\n", "classes 'a b' and 'A  b' have the same text, 'A  b'"),
    ("c.txt", "a | b\nc | B\n", r"classes 'a \| b' and 'c \| B' have the same text, 'B'"),
    ("c.json", '{"0": "a", "1": "a"}', "classes 'a' and 'a' have the same text"),
])
def test_broken_classes(tmp_path: Path, name: str, text: str, message: str):
    put(tmp_path, **{name: text, "train.txt": "a.mp4 0"})
    with pytest.raises(BadList, match=message):
        lists.read(tmp_path / "train.txt", classes=str(tmp_path / name))


def test_text_that_is_none(tmp_path: Path):
    (tmp_path / "train.txt").write_bytes(b"\xff\xfe\x00 0")
    with pytest.raises(BadList, match=r"train\.txt: not UTF-8 text"):
        lists.read(tmp_path / "train.txt")


def test_a_list_larger_than_lists_are(tmp_path: Path):
    with open(tmp_path / "train.txt", "wb") as f:
        f.truncate(list_text.MAX_LIST + 1)
    with pytest.raises(BadList, match="larger than a list can be"):
        lists.read(tmp_path / "train.txt")


def test_other_mistakes(tmp_path: Path):
    with pytest.raises(BadList, match="format 'kinetic': want auto, folders, export, list, kinetics, ucf, hmdb, ssv2"):
        lists.read(tmp_path, format="kinetic")
    with pytest.raises(BadList, match="no folder with clips"):
        lists.read(tmp_path, format="folders")
    with pytest.raises(OSError, match=r"missing\.txt"):
        lists.read(tmp_path / "missing.txt")
