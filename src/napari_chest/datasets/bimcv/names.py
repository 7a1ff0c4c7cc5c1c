"""What the names of files say: the image's subject, session, run and view, and the ROI's image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_chest.model import Modality

IMAGE_ENDINGS = (".png", ".nii.gz", ".nii")
_MODALITIES: dict[str, Modality] = {"cr": "CR", "dx": "DX", "ct": "CT"}
_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+$")
_SESSION = re.compile(r"ses-[A-Za-z0-9]+$")
_IMAGE_KIND = re.compile(r"_(?:mod-)?(cr|dx|ct)$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\\/]")
_ROI_ENDING = re.compile(r"[_-]roi[^\\/]*\.xml$", re.IGNORECASE)
_NOT_INFORMING = ("bp", "mod", "sub", "ses")


@dataclass(frozen=True)
class ImageName:
    """One image file and what its path says of it.

    Attributes
    ----------
    path : relative to the root, with forward slashes.
    collection : path of the folder that holds the subject's folder; ``""`` is the root.
    subject, session : as the folders are named, ``sub-S03044`` and ``ses-E06138``.
    stem : the file's name without its ending.
    modality : by the end of the stem, else by the ending: PNG are radiographs, NIfTI are CT.
    named_modality : whether the stem says so.
    entities : what else the name says, such as ``run`` and ``vp``, in its order.
    """

    path: str
    collection: str
    subject: str
    session: str
    stem: str
    modality: Modality
    named_modality: bool
    entities: Mapping[str, str] = field(compare=False)

    @property
    def folder(self) -> str:
        """Path of the folder the file lies in."""
        return self.path.rpartition("/")[0]

    @property
    def takes_outlines(self) -> bool:
        """Whether ROI files can be shown on it: they name the image, but no slice of a volume."""
        return self.modality != "CT" and self.is_png

    @property
    def is_png(self) -> bool:
        """Whether it is a PNG and no NIfTI file."""
        return self.path.casefold().endswith(".png")

    @property
    def view(self) -> str:
        """The view by the name, such as ``AP``; empty where it says none."""
        return self.entities.get("vp", "").upper()

    @property
    def title(self) -> str:
        """What a person calls the image: ``S03044 E06138 run-1 AP``."""
        told = [f"{k}-{v}" for k, v in self.entities.items() if k not in (*_NOT_INFORMING, "vp")]
        return " ".join([bare(self.subject), bare(self.session), *told, self.view or self.modality])

    @property
    def without_acquisition(self) -> str:
        """The stem without ``acq-``, ignoring case: files of one series may share a sidecar."""
        return without_acquisition(self.stem)


def parse_image(path: str) -> ImageName | None:
    """What the path of an image says, relative to the root; None where it is no image's path.

    An image lies below a subject's and a session's folder; its name may say less than the
    releases' names do.
    """
    *folders, name = path.split("/")
    place = _subject_folder(folders)
    ending = image_ending(name)
    if place is None or not ending:
        return None
    stem = name[: -len(ending)]
    kind = _IMAGE_KIND.search(stem)
    fallback: Modality = "CR" if ending == ".png" else "CT"
    parts = [part.partition("-") for part in stem.split("_")]
    return ImageName(
        path=path,
        collection="/".join(folders[:place]),
        subject=folders[place],
        session=folders[place + 1],
        stem=stem,
        modality=_MODALITIES[kind[1].casefold()] if kind else fallback,
        named_modality=kind is not None,
        entities={k.casefold(): v for k, _, v in parts if v and k.casefold() not in _NOT_INFORMING},
    )


def image_ending(name: str) -> str:
    """The ending of an image file as it is spelled, or an empty text; hidden files are none."""
    folded = name.casefold()
    ending = next((e for e in IMAGE_ENDINGS if folded.endswith(e)), "")
    hidden = name.startswith(".") or len(name) == len(ending)
    return "" if hidden or not ending else name[-len(ending) :]


def without_acquisition(stem: str) -> str:
    """A stem without its ``acq-`` part, ignoring case."""
    return re.sub(r"_acq-[^_]*", "", stem.casefold())


def bare(code: str) -> str:
    """A subject's or session's code without its prefix: ``S03044`` of ``sub-S03044``."""
    return re.sub(r"^(sub|ses)-", "", code, flags=re.IGNORECASE)


def same_code(code: str) -> str:
    """A subject's or session's code as a key: tables may omit the prefix or differ in case."""
    return bare(code.strip()).casefold()


def roi_key(name: str) -> str:
    """The key of the image that a ROI file is named after; empty where it has no such name.

    The file may carry a whole Windows path in its name; what follows the last slash or backslash
    counts.
    """
    logical = _SEPARATORS.split(name)[-1]
    stem = _ROI_ENDING.sub("", logical)
    return image_key(stem) if stem != logical and _IMAGE_KIND.search(stem) else ""


def image_key(stem: str) -> str:
    """The key of an image's stem; ``_cr`` and ``_mod-cr`` are the same."""
    return _IMAGE_KIND.sub(r"_\1", stem).casefold()


def roi_file_name(image: ImageName) -> str:
    """The name of the ROI file that is made for an image."""
    stem = _IMAGE_KIND.sub("", image.stem)
    return f"{stem}_mod-{image.modality.casefold()}_roi.xml"


def _subject_folder(folders: Sequence[str]) -> int | None:
    """Where the subject's folder stands, followed by a session's and at least one more or none."""
    for place in range(len(folders) - 1):
        if _SUBJECT.match(folders[place]) and _SESSION.match(folders[place + 1]):
            outside = "derivatives" not in (f.casefold() for f in folders)
            return place if outside else None
    return None
