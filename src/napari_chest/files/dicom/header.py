"""What we need to know of one DICOM image before its pixels are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from napari_chest.errors import ReadError
from napari_chest.files.dicom import parse, tags
from napari_chest.files.dicom.fallback import frame_values, scan_with_pydicom
from napari_chest.files.dicom.walk import OddHeaderError, RawHeader, scan

if TYPE_CHECKING:
    from pathlib import Path

_ENHANCED: Final = frozenset(
    {"1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"}  # enhanced, legacy converted
)
_MOST_VOXELS: Final = 2**31
_MOST_FRAMES: Final = 2**16
_BEST_COMPRESSION: Final = 4096
"""Voxels per byte beyond which a compressed file cannot hold what its header says."""


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """The header of one image: a file, or one frame of a multi-frame file.

    UIDs stand as in the file: empty and invalid ones are common in published data. A number that
    is absent or no number is None. Names follow DICOM PS3.6.

    Attributes
    ----------
    frame : counted from 0; None when the file holds a single image.
    position : Image Position (Patient), LPS mm.
    orientation : Image Orientation (Patient), six direction cosines.
    pixel_spacing : mm between rows, mm between columns.
    slope, intercept : 1 and 0 where the file gives none; see ``rescaled``.
    rescaled : whether the file says how stored values become Hounsfield units.
    padding_value, padding_limit : stored values between them, both included, are no measurements.
    pixel_offset : where the value of Pixel Data begins, in the inflated data set when deflated.
    pixel_length : bytes of Pixel Data; None when its length is undefined.
    frame_offsets : the extended offset table and its lengths as in the file, if it has them.
    complete : False when the file ends before its pixel data do.
    """

    path: Path
    frame: int | None
    transfer_syntax: str
    sop_class: str
    sop_instance_uid: str
    series_uid: str
    study_uid: str
    modality: str
    image_type: tuple[str, ...]
    series_number: int | None
    instance_number: int | None
    acquisition_number: int | None
    position: tuple[float, float, float] | None
    orientation: tuple[float, float, float, float, float, float] | None
    slice_location: float | None
    pixel_spacing: tuple[float, float] | None
    slice_thickness: float | None
    gantry_tilt: float | None
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int
    samples_per_pixel: int
    photometric: str
    number_of_frames: int
    slope: float
    intercept: float
    rescaled: bool
    padding_value: int | None
    padding_limit: int | None
    window_centers: tuple[float, ...]
    window_widths: tuple[float, ...]
    sex: str
    age: str
    manufacturer: str
    model: str
    kernel: str
    kvp: float | None
    series_description: str
    body_part: str
    pixel_offset: int
    pixel_length: int | None
    frame_offsets: tuple[bytes, bytes] | None
    complete: bool

    @property
    def name(self) -> str:
        """File name, with the frame's number from 1 where the file holds several: ``ct.dcm#3``."""
        return self.path.name if self.frame is None else f"{self.path.name}#{self.frame + 1}"

    @property
    def facts(self) -> dict[str, str]:
        """What the file says of patient and scan, in the order to show it; names nobody."""
        facts = {
            "Sex": self.sex,
            "Age": _age(self.age),
            "Body part": self.body_part,
            "Series": self.series_description,
            "Scanner": " ".join(filter(None, (self.manufacturer, self.model))),
            "Kernel": self.kernel,
            "Tube voltage": "" if self.kvp is None else f"{self.kvp:g} kV",
        }
        return {name: value for name, value in facts.items() if value}

    @property
    def is_localizer(self) -> bool:
        """Whether the image is a scout for planning (DICOM PS3.3 C.8.2.1.1.1)."""
        return "LOCALIZER" in self.image_type


def read_header(path: Path) -> SliceHeader:
    """The header of an image file; of its first frame when it holds several.

    Raises
    ------
    ReadError
        when the file is not a DICOM image, is damaged or ends before its pixel data do.
    """
    header = read_headers(path)[0]
    if not header.complete:
        raise ReadError(path, "the file ends before its pixel data do. Copy or download it again.")
    return header


def read_headers(path: Path) -> tuple[SliceHeader, ...]:
    """The headers of all images in a file, in the file's order.

    A file whose end is missing is told by ``complete``, since its place among the slices is known.

    Raises
    ------
    ReadError
        when the file is not a DICOM image or its header is damaged.
    """
    try:
        try:
            raw = scan(path)
        except OddHeaderError:
            raw = scan_with_pydicom(path)
        frames = max(parse.integer(raw.values, tags.FRAMES) or 1, 1)
        enhanced = parse.text(raw.values, tags.SOP_CLASS) in _ENHANCED
        if frames > _MOST_FRAMES:
            raise ReadError(path, f"it says to hold {frames} frames, more than any CT has.")
        if frames == 1 and not enhanced:
            return (_header(path, raw, raw.values, None, 1),)
        return _frame_headers(path, raw, frames)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReadError(path, f"the file cannot be read ({reason}).") from error


def _frame_headers(path: Path, raw: RawHeader, frames: int) -> tuple[SliceHeader, ...]:
    groups = frame_values(path)
    if groups and len(groups) != frames:
        raise ReadError(
            path, f"it says to hold {frames} frames but describes {len(groups)} of them."
        )
    if not groups:
        _header(path, raw, raw.values, 0, frames)  # refuses a count that the file cannot hold
        groups = [{} for _ in range(frames)]
    return tuple(
        _header(path, raw, raw.values | values if values else raw.values, frame, frames)
        for frame, values in enumerate(groups)
    )


def _header(
    path: Path, raw: RawHeader, values: dict[int, bytes], frame: int | None, frames: int
) -> SliceHeader:
    order = raw.byte_order
    signed = parse.short(values, tags.PIXEL_REPRESENTATION, order) or 0
    allocated = parse.short(values, tags.BITS_ALLOCATED, order) or 0
    stored = parse.short(values, tags.BITS_STORED, order) or allocated
    high_bit = parse.short(values, tags.HIGH_BIT, order)
    samples = parse.short(values, tags.SAMPLES, order) or 1
    rows = parse.short(values, tags.ROWS, order) or 0
    columns = parse.short(values, tags.COLUMNS, order) or 0
    _refuse_no_image(path, raw, rows, columns, allocated)
    complete = _is_complete(path, raw, rows * columns * samples * frames, allocated)
    slope, intercept = parse.number(values, tags.SLOPE), parse.number(values, tags.INTERCEPT)
    codes = values.get(tags.CHARACTER_SET, b"")
    # without functional groups the one position in the header is not every frame's
    own_position = frame is None or frames == 1 or values is not raw.values
    return SliceHeader(
        path=path,
        frame=frame,
        transfer_syntax=raw.transfer_syntax,
        sop_class=parse.text(values, tags.SOP_CLASS),
        sop_instance_uid=parse.text(values, tags.SOP_INSTANCE),
        series_uid=parse.text(values, tags.SERIES),
        study_uid=parse.text(values, tags.STUDY),
        modality=parse.text(values, tags.MODALITY),
        image_type=parse.texts(values, tags.FRAME_TYPE) or parse.texts(values, tags.IMAGE_TYPE),
        series_number=parse.integer(values, tags.SERIES_NUMBER),
        instance_number=parse.integer(values, tags.INSTANCE_NUMBER),
        acquisition_number=parse.acquisition(values, order),
        position=parse.position(values) if own_position else None,
        orientation=parse.orientation(values),
        slice_location=parse.number(values, tags.SLICE_LOCATION) if own_position else None,
        pixel_spacing=parse.spacing(values),
        slice_thickness=parse.number(values, tags.SLICE_THICKNESS),
        gantry_tilt=parse.number_or_double(values, tags.GANTRY_TILT, order),
        rows=rows,
        columns=columns,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        pixel_representation=signed,
        samples_per_pixel=samples,
        photometric=parse.text(values, tags.PHOTOMETRIC),
        number_of_frames=frames,
        slope=slope or 1.0,  # a slope of 0 would make every voxel the same
        intercept=intercept or 0.0,
        rescaled=bool(slope) and intercept is not None,
        padding_value=parse.short(values, tags.PADDING, order, signed=bool(signed)),
        padding_limit=parse.short(values, tags.PADDING_LIMIT, order, signed=bool(signed)),
        window_centers=parse.numbers(values, tags.WINDOW_CENTER),
        window_widths=parse.numbers(values, tags.WINDOW_WIDTH),
        sex=parse.text(values, tags.SEX),
        age=parse.text(values, tags.AGE),
        manufacturer=parse.text(values, tags.MANUFACTURER, codes),
        model=parse.text(values, tags.MODEL_NAME, codes),
        kernel=parse.text(values, tags.KERNEL, codes),
        kvp=parse.number_or_double(values, tags.KVP, order),
        series_description=parse.text(values, tags.SERIES_DESCRIPTION, codes),
        body_part=parse.text(values, tags.BODY_PART),
        pixel_offset=raw.pixel_offset or 0,
        pixel_length=raw.pixel_length,
        frame_offsets=parse.frame_offsets(values),
        complete=complete,
    )


def _refuse_no_image(path: Path, raw: RawHeader, rows: int, columns: int, allocated: int) -> None:
    if raw.pixel_offset is None:
        raise ReadError(
            path, "no pixel data were found: it holds no image, or the file ends too early."
        )
    if not rows or not columns or not allocated:
        raise ReadError(path, "its header does not say how large the image is.")


def _is_complete(path: Path, raw: RawHeader, voxels: int, allocated: int) -> bool:
    """Whether the file is long enough; refuses a header that no file of this size can have."""
    offset = raw.pixel_offset or 0
    deflated = raw.transfer_syntax == tags.DEFLATED
    there = raw.size if deflated else raw.size - offset
    compressed = deflated or raw.transfer_syntax not in tags.UNCOMPRESSED
    if voxels > _MOST_VOXELS or (compressed and voxels > max(there, 1) * _BEST_COMPRESSION):
        raise ReadError(
            path, f"its header promises {voxels} voxels, far more than the file can hold."
        )
    if raw.pixel_length is not None and not deflated and raw.pixel_length > there:
        return False
    if compressed:
        return there > 0
    needed = voxels * allocated // 8
    said = there if raw.pixel_length is None else raw.pixel_length
    if said < needed:
        raise ReadError(path, f"its pixel data are {said} bytes long instead of {needed}.")
    return True


def _age(age: str) -> str:
    """``039Y`` as ``39 y`` (DICOM PS3.5 6.2, value representation AS)."""
    match = re.fullmatch(r"(\d{3})([DWMY])", age)
    if match is None:
        return age
    return f"{int(match[1])} {match[2].lower()}"
