"""What a tree of DICOM files remembers of each file, and how a file is looked at."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from napari_chest.errors import ReadError
from napari_chest.files.dicom import parse, tags
from napari_chest.files.dicom.fallback import scan_with_pydicom
from napari_chest.files.dicom.walk import OddHeaderError, scan

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.files.dicom.walk import RawHeader

_SERIES_TAGS: Final = (
    tags.CHARACTER_SET, tags.SOP_CLASS, tags.STUDY, tags.SERIES, tags.MODALITY, tags.IMAGE_TYPE,
    tags.SERIES_NUMBER, tags.SERIES_DESCRIPTION, tags.ORIENTATION, tags.PIXEL_SPACING, tags.ROWS,
    tags.COLUMNS, tags.FRAMES, tags.PHOTOMETRIC,
)  # fmt: skip
"""Elements that the files of a series have in common."""
_WANTED: Final = frozenset(_SERIES_TAGS) | {
    tags.SOP_INSTANCE, tags.INSTANCE_NUMBER, tags.POSITION, tags.PATIENT_ID,
}  # fmt: skip
_SERIES_AT_ONCE: Final = 16


class TreeHeader(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of one file before its series is opened; names nobody.

    Texts and numbers are as in `SliceHeader`. In a multi-frame file they are those of its top
    level, where enhanced CT has neither position nor orientation.

    Attributes
    ----------
    sop_instance_uid, study_uid, series_uid : as in the file; may be empty or invalid.
    patient : number of the patient within the tree, from 0; the same Patient ID, the same number.
    has_pixels : False where the file holds no pixel data.
    """

    sop_instance_uid: str
    instance_number: int | None
    position: tuple[float, float, float] | None
    sop_class: str
    study_uid: str
    series_uid: str
    patient: int
    modality: str
    image_type: tuple[str, ...]
    series_number: int | None
    series_description: str
    orientation: tuple[float, float, float, float, float, float] | None
    pixel_spacing: tuple[float, float] | None
    rows: int
    columns: int
    number_of_frames: int
    photometric: str
    transfer_syntax: str
    has_pixels: bool


class TreeEntry(msgspec.Struct, frozen=True, gc=False):
    """One DICOM file of a tree.

    Attributes
    ----------
    path : relative to the tree's root, with forward slashes.
    size : in bytes.
    mtime_ns : when it was last changed, as the system tells it.
    header : what the file says.
    """

    path: str
    size: int
    mtime_ns: int
    header: TreeHeader


class Look(NamedTuple):
    """What looking at one file found.

    Attributes
    ----------
    header : what the file says, its patient not yet numbered; None where it is no DICOM.
    patient_id : Patient ID as in the file, which is never stored.
    failure : why there is no header.
    lasting : whether it fails as long as the file stays the same.
    """

    header: TreeHeader | None
    patient_id: bytes = b""
    failure: str = ""
    lasting: bool = True


def look_at(path: Path) -> Look:
    """Read the header of one file."""
    try:
        raw = read_raw(path, _WANTED)
    except ReadError as error:
        return Look(None, failure=str(error).removeprefix(f"{path}: "))
    except OSError as error:
        why = error.strerror or str(error)
        return Look(None, failure=f"the file cannot be read ({why}).", lasting=False)
    return Look(_header(raw), raw.values.get(tags.PATIENT_ID, b"").strip(b" \0"))


def read_raw(path: Path, wanted: frozenset[int]) -> RawHeader:
    """The wanted elements of a DICOM file.

    Raises
    ------
    OSError
        when the file cannot be read.
    ReadError
        when it is not DICOM.
    """
    try:
        return scan(path, wanted)
    except OddHeaderError:
        return scan_with_pydicom(path, wanted)


def _header(raw: RawHeader) -> TreeHeader:
    values = raw.values
    common = tuple(values.get(tag, b"") for tag in _SERIES_TAGS)
    fields: tuple[Any, ...] = (
        parse.text(values, tags.SOP_INSTANCE),
        parse.integer(values, tags.INSTANCE_NUMBER),
        parse.position(values),
        *_common(common, raw.byte_order),
        raw.transfer_syntax,
        raw.pixel_offset is not None,
    )
    return TreeHeader(*fields)


@lru_cache(_SERIES_AT_ONCE)
def _common(present: tuple[bytes, ...], order: str) -> tuple[Any, ...]:
    """The fields of a header from `TreeHeader.sop_class` to `TreeHeader.photometric`."""
    values = dict(zip(_SERIES_TAGS, present, strict=True))
    return (
        parse.text(values, tags.SOP_CLASS),
        parse.text(values, tags.STUDY),
        parse.text(values, tags.SERIES),
        0,  # patients are numbered later
        parse.text(values, tags.MODALITY),
        parse.texts(values, tags.IMAGE_TYPE),
        parse.integer(values, tags.SERIES_NUMBER),
        parse.text(values, tags.SERIES_DESCRIPTION, values[tags.CHARACTER_SET]),
        parse.orientation(values),
        parse.spacing(values),
        parse.short(values, tags.ROWS, order) or 0,
        parse.short(values, tags.COLUMNS, order) or 0,
        max(parse.integer(values, tags.FRAMES) or 1, 1),
        parse.text(values, tags.PHOTOMETRIC),
    )
