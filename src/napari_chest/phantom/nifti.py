"""NIfTI files for phantoms, put together from header, voxels and a gzip member of our own."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

MODIFIED = 1588115200
"""Modification time in every gzip header, 2020-04-28: same seed, same bytes."""

Point = tuple[float, float, float]

_SINGLE_FILE = 352  # bytes before the voxels


def stored_axially(
    display: npt.NDArray[Any], spacing: tuple[float, float, float], middle: Point
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Voxels as dcm2niix stores axial slices, to the left, to the front and to the head.

    Parameters
    ----------
    display : (Z, Y, X) in display order.
    spacing : (z, y, x) mm.
    middle : x, y, z of the volume's middle in the patient, RAS+ mm.

    Returns
    -------
    The voxels in stored order, the slowest axis first, and the (4, 4) affine from stored voxel
    (i, j, k) to patient mm, RAS+.
    """
    depth, height, width = display.shape
    step_z, step_y, step_x = spacing
    affine = np.diag([-step_x, step_y, step_z, 1.0])
    affine[:3, 3] = middle - affine[:3, :3] @ ((width - 1) / 2, (height - 1) / 2, (depth - 1) / 2)
    return display[::-1, ::-1], affine


def nifti_header(
    shape: tuple[int, ...],
    affine: npt.NDArray[np.float64],
    description: str,
    dtype: npt.DTypeLike = "<i2",
) -> bytes:
    """Everything before the voxels of a single NIfTI-1 file, 352 bytes.

    Parameters
    ----------
    shape : voxels along the stored axes, the fastest first.
    affine : (4, 4) stored voxel to patient mm, RAS+; without shear, for q- and sform are the same.
    description : the text of ``descrip``.
    dtype : of the stored voxels.
    """
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.dtype(dtype))
    header.set_data_shape(shape)
    header.set_qform(affine, code=1)
    header.set_sform(affine, code=1)
    header.set_xyzt_units("mm", "sec")
    header.set_slope_inter(1, 0)
    header["descrip"] = description.encode("ascii")
    header["vox_offset"] = _SINGLE_FILE
    header["regular"] = b"r"
    header["pixdim"][len(shape) + 1 :] = 0
    whole: bytes = header.binaryblock
    return whole.ljust(_SINGLE_FILE, b"\0")


def nifti_file(header: bytes, stored: npt.NDArray[Any], name: str) -> bytes:
    """A ``.nii.gz`` file, its gzip member named as dcm2niix and gzip name it.

    Parameters
    ----------
    header : from `nifti_header`.
    stored : voxels in stored order, the slowest axis first (the reverse of the header's shape).
    name : the file's name without ``.gz``.
    """
    return gzipped(header + np.ascontiguousarray(stored).tobytes(), name)


def gzipped(content: bytes, name: str) -> bytes:
    """One gzip member as ``gzip -6`` writes it: with name and time, made on Unix."""
    start = struct.pack("<BBBBIBB", 0x1F, 0x8B, 8, 8, MODIFIED, 0, 3) + name.encode() + b"\0"
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(content) + deflate.flush()
    return start + body + struct.pack("<II", zlib.crc32(content), len(content))
