"""A folder of clips for each class."""

from pathlib import Path

from .class_lists import check_texts, split_wordings
from .listing import BadList, Clip, Listing

VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".divx", ".flv", ".f4v", ".wmv", ".asf", ".ogv", ".ogg",
    ".mpg", ".mpeg", ".m1v", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".h264", ".264", ".hevc", ".h265", ".265",
    ".mxf", ".gxf", ".dv", ".nut", ".ivf", ".gif", ".m2t", ".dav", ".y4m", ".rm", ".rmvb", ".wtv", ".nsv", ".nuv", ".obu", ".vc1",
    ".h261", ".h263",
}


def folders(root: Path) -> Listing:
    """root/label/clip.mp4: a class for each folder that holds clips, in alphabetical order."""
    found = {d.name: videos(d, (root.resolve(),)) for d in sorted(root.iterdir()) if d.is_dir() and not hidden(d.name)}
    labels = [label for label, files in found.items() if files]
    if not labels:
        raise BadList(f"{root}: there is no folder with clips in it")
    for label in labels:
        if any("\ud800" <= c <= "\udfff" for c in label):  # what Python makes of other bytes
            raise BadList(f"{root}: the name of the folder {label!r} is not UTF-8, so it can be no class' text: rename it")
    clips = [Clip(f, i) for i, label in enumerate(labels) for f in found[label]]
    texts = [split_wordings(label.replace("_", " ")) for label in labels]
    check_texts(root, texts, labels)
    return Listing(clips, texts, root)


def hidden(name: str) -> bool:
    """What systems put beside one's own: rubbish bins, previews, a NAS' @eaDir."""
    return name.startswith((".", "@"))


def videos(folder: Path, within: tuple[Path, ...]) -> list[Path]:
    """All below a folder, in order. Links are followed, but not to the folders that it lies in."""
    real, out = folder.resolve(), []
    if real in within:
        return []
    for f in sorted(folder.iterdir(), key=lambda f: f.name):
        if f.is_dir():
            out += [] if hidden(f.name) else videos(f, (*within, real))
        elif f.suffix.lower() in VIDEO_SUFFIXES and not f.name.startswith("."):
            out.append(f)  # a link that leads nowhere shows when it is read
    return out
