"""What only pydicom reads: odd headers, functional groups, and codecs that imagecodecs lacks.

pydicom warns about every invalid UID, and half of the real folders have nothing else. Its warnings
are silenced only while we are inside, under a lock, since Python's warning filters are global.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from napari_chest.errors import ReadError
from napari_chest.files.dicom import tags
from napari_chest.files.dicom.walk import RawHeader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt
    from pydicom.dataset import Dataset

_LOCK = threading.RLock()
_DEFER = "8 KB"
# How a data set without preamble begins: group 2 or 8, little or big endian (PS3.10 7.1 asks for a
# preamble, but older files have none).
_BARE_STARTS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")


def syntax_name(uid: str) -> str:
    """The standard's name of a transfer syntax, or the UID itself where it has none."""
    if not uid:
        return "an unnamed transfer syntax"
    return str(UID(uid, validation_mode=pydicom.config.IGNORE).name)


def scan_with_pydicom(path: Path, wanted: frozenset[int] = tags.WANTED) -> RawHeader:
    """The wanted elements of any file that pydicom reads.

    Raises
    ------
    OSError
        when the file cannot be read.
    ReadError
        when it is not DICOM.
    """
    with path.open("rb") as file:
        start = file.read(8192)
        size = file.seek(0, 2)
    bare = start[128:132] != b"DICM"
    if not start:
        raise ReadError(path, "the file is empty. Copy or download it again.")
    if bare and start[:2] not in _BARE_STARTS:
        raise ReadError(path, "this is not a DICOM file.")
    if tags.DEFLATED.encode() in start:  # pydicom would inflate it whole, whatever its size
        raise ReadError(path, "its deflated data set is damaged. Copy or download it again.")
    dataset = _read(path, force=bare)
    return _raw_header(dataset, size, wanted)


def frame_values(path: Path) -> list[dict[int, bytes]]:
    """For each frame the elements its functional groups set; empty where there are none.

    The shared groups come first, so that what a frame says itself wins (PS3.3 C.7.6.16.1.1).
    """
    dataset = _read(path, force=True)
    try:
        with quiet_pydicom():
            shared = [_macro_values(item) for item in _items(dataset, tags.SHARED_GROUPS)]
            common = shared[0] if shared else {}
            groups = _items(dataset, tags.FRAME_GROUPS)
            return [common | _macro_values(item) for item in groups]
    except Exception as error:
        raise ReadError(path, f"its functional groups cannot be read ({error}).") from error


def decode_with_pydicom(path: Path, frame: int) -> npt.NDArray[Any]:
    """The stored values (rows, columns) of one frame, decoded by pydicom.

    Raises
    ------
    Exception
        whatever pydicom or its codec raises.
    """
    with quiet_pydicom():
        dataset = pydicom.dcmread(path, force=True)
        return np.asarray(pixel_array(dataset, index=frame, raw=True))


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Silences pydicom's warnings while inside; one thread at a time."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _read(path: Path, *, force: bool) -> Dataset:
    try:
        with quiet_pydicom():
            return pydicom.dcmread(path, defer_size=_DEFER, force=force)
    except OSError:
        raise
    except Exception as error:  # pydicom lets many kinds escape from a damaged file
        raise ReadError(path, f"the file is damaged or not DICOM ({error}).") from error


def _raw_header(dataset: Dataset, size: int, wanted: frozenset[int]) -> RawHeader:
    with quiet_pydicom():
        implicit, little = dataset.original_encoding
        named = dataset.file_meta.get("TransferSyntaxUID", "")
    syntax = str(named or _guessed_syntax(bool(implicit), bool(little)))
    pixels = _element(dataset, tags.PIXEL_DATA)
    offset = length = None
    if pixels is not None:
        offset = pixels.value_tell
        length = None if pixels.length == tags.UNDEFINED else pixels.length
    return RawHeader(_wanted_values(dataset, wanted), syntax, size, offset, length)


def _guessed_syntax(implicit: bool, little: bool) -> str:
    if not little:
        return tags.EXPLICIT_BE
    return tags.IMPLICIT_LE if implicit else tags.EXPLICIT_LE


def _element(dataset: Dataset, tag: int) -> RawDataElement | None:
    if tag not in dataset:
        return None
    element = dataset.get_item(tag, keep_deferred=True)
    return element if isinstance(element, RawDataElement) else None


def _wanted_values(dataset: Dataset, wanted: frozenset[int]) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    for tag in wanted:
        element = _element(dataset, tag)
        if element is not None and isinstance(element.value, bytes) and element.value:
            values[tag] = element.value
    codes = dataset.get("SpecificCharacterSet")  # the only one that pydicom has converted by now
    if codes:
        named = [codes] if isinstance(codes, str) else list(codes)
        values[tags.CHARACTER_SET] = "\\".join(map(str, named)).encode()
    return values


def _macro_values(groups: Dataset) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    for tag in tags.MACROS:
        for macro in _items(groups, tag)[:1]:
            values |= _wanted_values(macro, tags.WANTED)
    return values


def _items(dataset: Dataset, tag: int) -> list[Dataset]:
    return list(dataset[tag].value) if tag in dataset else []
