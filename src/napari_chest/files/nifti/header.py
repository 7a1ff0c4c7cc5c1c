"""What a NIfTI-1 or NIfTI-2 header says, checked before anything is believed.

The format is https://nifti.nimh.nih.gov/; nibabel reads the fields, so that affines agree with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import nibabel as nib
import numpy as np

from napari_chest import geometry
from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason
from napari_chest.files.nifti.container import (
    HEAD_BYTES,
    LARGEST_RATIO,
    DamagedError,
    Source,
    gzip_header,
    open_file,
)
from napari_chest.model import Grid, Stored

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    import numpy.typing as npt

    Affine = npt.NDArray[np.float64]

_MOST_BYTES: Final = 2**31
_SHOWN_BYTES: Final = 2
LONGEST_AXIS: Final = 2**15 - 1
"""What NIfTI-1 can say; NIfTI-2 could promise endless slices."""
_MOST_HEADER: Final = 16 * 2**20
_LENGTHS: Final = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
_SINGLE: Final = {348: (b"n+1\0", 344), 540: (b"n+2\0\r\n\x1a\n", 4)}
_PAIRS: Final = (b"ni1\0", b"ni2\0")
_SMALLEST_MM: Final = 1e-6
_FLATTEST: Final = 1e-4
"""From this volume of the box of three unit directions on, they span a space."""


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a header says; no voxel was read.

    Attributes
    ----------
    path : the file.
    shape : lengths of the stored axes; lengths of 1 behind the third are dropped.
    dtype : type of the stored numbers, with its byte order.
    affine : (4, 4) float64; stored voxel to patient mm in RAS+, from the sform where its code is
        set, else from the qform where its code is, else from the spacing alone.
    placed : whether one of the two codes is set.
    slope, inter : a value is ``stored * slope + inter``; 1 and 0 where the file says nothing.
    raw : every byte before the voxels, unpacked.
    gzip : the first gzip header, None where the file is not packed.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    affine: Affine
    placed: bool
    slope: float
    inter: float
    raw: bytes
    gzip: bytes | None

    @property
    def description(self) -> str:
        """The header's free text about the image."""
        text: bytes = parsed(self.raw)["descrip"].item()
        return text.split(b"\0")[0].decode("latin-1").strip()

    @property
    def scaled(self) -> bool:
        """Whether values differ from the stored numbers."""
        return (self.slope, self.inter) != (1.0, 0.0)

    @property
    def data_bytes(self) -> int:
        """Length of the stored voxels, unpacked."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(path: Path) -> NiftiHeader:
    """Read the header of a single NIfTI file, packed or not; a few kilobytes are read.

    Raises
    ------
    ReadError
        when the file cannot be read, is no single NIfTI file, or its header contradicts itself.
    """
    with open_file(path) as file:
        try:
            return _read(path, file)
        except DamagedError as error:
            raise ReadError(path, f"expected a NIfTI file, but {error}.") from error
        except OSError as error:
            raise ReadError(path, f"cannot be read: {reason(error)}.") from error


def _read(path: Path, file: FileIO) -> NiftiHeader:
    gzip = gzip_header(file.read(HEAD_BYTES))
    return read_from(path, Source(file, gzip), gzip)


def read_from(path: Path, source: Source, gzip: bytes | None) -> NiftiHeader:
    """Read the header from an opened file and leave the source at the first voxel.

    Raises
    ------
    ReadError
        as `read_header`.
    DamagedError
        when the file cannot be unpacked.
    """
    raw = source.read(4)
    length = _header_length(path, raw)
    raw += source.read(length - 4)
    _check_kind(path, raw, length)
    fields = _parsed_or_refused(path, raw)
    offset = _voxel_offset(path, fields, length)
    raw += source.read(offset - length)
    if len(raw) < offset:
        raise ReadError(path, f"expected a header of {offset:,} bytes, found {len(raw):,}.")
    slope, inter = _scaling(fields)
    return NiftiHeader(
        path=path,
        shape=_shape(path, fields),
        dtype=_dtype(path, fields),
        affine=_affine(path, fields),
        placed=bool(fields["sform_code"] > 0 or fields["qform_code"] > 0),
        slope=slope,
        inter=inter,
        raw=raw,
        gzip=gzip,
    )


def parsed(raw: bytes) -> Any:  # noqa: ANN401  nibabel is untyped
    """The fields of a header in nibabel's words, changed and checked in nothing."""
    length = 540 if 540 in _either_order(raw) else 348
    little = int.from_bytes(raw[:4], "little") == length
    return _LENGTHS[length](raw[:length], endianness="<" if little else ">", check=False)


def _either_order(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw[:4], "little"), int.from_bytes(raw[:4], "big")


def _header_length(path: Path, first: bytes) -> int:
    if not first:
        raise ReadError(path, "expected a NIfTI file, found no content.")
    for length in _LENGTHS:
        if length in _either_order(first):
            return length
    raise ReadError(path, f"expected a NIfTI file, found one that begins with {first!r}.")


def _check_kind(path: Path, raw: bytes, length: int) -> None:
    if len(raw) < length:
        raise ReadError(path, f"expected a header of {length} bytes, found {len(raw)}.")
    magic, where = _SINGLE[length]
    found = raw[where : where + len(magic)]
    if found == magic:
        return
    if found[:4] in _PAIRS:
        raise ReadError(
            path,
            "expected a single NIfTI file, found the header of a pair (.hdr and .img). "
            "Convert the pair to .nii or .nii.gz.",
        )
    what = f"the mark {found!r}" if found.strip(b"\0") else "no mark, as in Analyze headers"
    raise ReadError(path, f"expected a single NIfTI file (.nii, .nii.gz), found {what}.")


def _parsed_or_refused(path: Path, raw: bytes) -> Any:  # noqa: ANN401
    try:
        return parsed(raw)
    except Exception as error:  # nibabel says in many ways that it cannot read a header
        raise ReadError(path, f"expected a NIfTI header, found {error}.") from error


def _voxel_offset(path: Path, fields: Any, length: int) -> int:  # noqa: ANN401
    offset = float(fields["vox_offset"])
    if not (length + 4 <= offset <= _MOST_HEADER and offset.is_integer()):
        raise ReadError(
            path,
            f"expected voxels between byte {length + 4} and {_MOST_HEADER:,}, "
            f"found the offset {offset:g}.",
        )
    return int(offset)


def _shape(path: Path, fields: Any) -> tuple[int, ...]:  # noqa: ANN401
    count, *lengths = (int(number) for number in fields["dim"])
    if not 1 <= count <= 7:
        raise ReadError(path, f"expected 1 to 7 axes, found {count}.")
    shape = lengths[:count]
    if not all(1 <= length <= LONGEST_AXIS for length in shape):
        raise ReadError(
            path, f"expected lengths from 1 to {LONGEST_AXIS:,}, found the shape {tuple(shape)}."
        )
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    return tuple(shape)


def _dtype(path: Path, fields: Any) -> np.dtype[Any]:  # noqa: ANN401
    code = int(fields["datatype"])
    try:
        dtype: np.dtype[Any] = np.dtype(fields.get_data_dtype())
    except Exception as error:  # a code that nibabel does not know
        raise ReadError(path, f"expected a NIfTI data type, found the code {code}.") from error
    if dtype.itemsize == 0:
        raise ReadError(path, f"expected numbers of whole bytes, found the data type code {code}.")
    return dtype


def _scaling(fields: Any) -> tuple[float, float]:  # noqa: ANN401
    slope, inter = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    return slope, inter if math.isfinite(inter) else 0.0


def _affine(path: Path, fields: Any) -> Affine:  # noqa: ANN401
    if fields["sform_code"] <= 0:
        spacing = [float(number) for number in fields["pixdim"][1 : 1 + int(fields["dim"][0])]][:3]
        if not all(0 < number < math.inf for number in spacing):
            raise ReadError(path, f"expected voxel spacings above 0 mm, found {spacing}.")
        if abs(fields["pixdim"][0]) != 1:  # the standard reads any other number as 1
            fields["pixdim"][0] = 1
    try:
        with np.errstate(invalid="ignore"):  # what is no number is refused with the grid
            return np.asarray(fields.get_best_affine(), dtype=np.float64)
    except Exception as error:  # a quaternion that is none
        raise ReadError(path, f"its place in the patient cannot be read: {error}.") from error


def grid_of(header: NiftiHeader, stored: Stored | None = None) -> Grid:
    """Where the voxels lie, in display order; ``stored`` asks for another order than the usual.

    Raises
    ------
    ReadError
        when the image is not 3-D, or its affine places no volume in space.
    """
    if len(header.shape) != 3:
        raise ReadError(
            header.path,
            f"expected an image with three axes, found {len(header.shape)}: {header.shape}.",
        )
    shape = (header.shape[0], header.shape[1], header.shape[2])
    _check_affine(header)
    stored = stored or geometry.display_order(header.affine, shape)
    z, y, x = stored.axes
    numbers = [str(number) for number in range(shape[z])]
    return Grid(
        (shape[z], shape[y], shape[x]),
        geometry.display_affine(header.affine, shape, stored),
        tuple(reversed(numbers) if stored.flipped[0] else numbers),
        stored,
        placed=header.placed,
    )


def _check_affine(header: NiftiHeader) -> None:
    columns = header.affine[:3, :3]
    if not np.isfinite(header.affine).all():
        raise ReadError(header.path, "expected an affine of numbers, found one that is none.")
    spacing = np.linalg.norm(columns, axis=0)
    if spacing.min() < _SMALLEST_MM or not np.isfinite(spacing).all():
        raise ReadError(
            header.path,
            f"expected voxel spacings above 0 mm, found {[float(mm) for mm in spacing]}.",
        )
    if abs(np.linalg.det(columns / spacing)) < _FLATTEST:
        raise ReadError(
            header.path, "expected an affine with three directions, found two that coincide."
        )


def check_promise(header: NiftiHeader, size: int) -> None:
    """Refuse what a file of ``size`` bytes cannot hold or memory should not, before it is read.

    Raises
    ------
    ReadError
        when the voxels are no plain numbers, too many, or more than can be packed into the file.
    """
    if header.dtype.kind not in "iuf":
        raise ReadError(
            header.path,
            f"expected one number a voxel, found {header.dtype}. Colour images and complex "
            "numbers are not shown.",
        )
    needed = math.prod(header.shape) * max(header.dtype.itemsize, _SHOWN_BYTES)
    if needed > _MOST_BYTES:
        raise ReadError(
            header.path,
            f"expected voxels of at most {_MOST_BYTES:,} bytes, found {needed:,}: "
            f"{header.shape} {header.dtype}.",
        )
    # Where nothing is packed the end may be missing, but one stored plane has to be there.
    most = size * (header.shape[2] if header.gzip is None else LARGEST_RATIO)
    if header.data_bytes > most:
        raise ReadError(
            header.path,
            f"expected {header.data_bytes:,} bytes of voxels, which a file of {size:,} bytes "
            "cannot hold: it is cut short or damaged.",
        )


def same_grid(a: NiftiHeader, b: NiftiHeader, atol: float = 1e-3) -> str:
    """Empty when two images lie on the same grid, else a sentence that says how they differ."""
    if a.shape != b.shape:
        return f"{a.path.name} has the shape {a.shape} and {b.path.name} has {b.shape}."
    if not np.allclose(a.affine, b.affine, rtol=0, atol=atol):
        return (
            f"{a.path.name} and {b.path.name} lie in different places: "
            f"the affines are {_text(a.affine)} and {_text(b.affine)}."
        )
    return ""


def _text(affine: Affine) -> str:
    return str(np.round(affine[:3], 4).tolist())
