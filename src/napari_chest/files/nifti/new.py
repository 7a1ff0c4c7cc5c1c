"""New label images, on the grid of a study or of any volume."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import nibabel as nib
import numpy as np

from napari_chest import geometry
from napari_chest.errors import SaveError
from napari_chest.files.nifti.container import NEW_GZIP_HEADER, gzip_member
from napari_chest.files.nifti.header import LONGEST_AXIS, NiftiHeader, grid_of, parsed
from napari_chest.model import Stored

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.model import Grid

    Labels = npt.NDArray[np.unsignedinteger]

ON_GRID: Final = Stored((2, 1, 0))
"""How labels that `labels_on_grid` wrote are turned for display."""

_COPIED: Final = (
    "pixdim",
    "xyzt_units",
    "qform_code",
    "sform_code",
    "quatern_b",
    "quatern_c",
    "quatern_d",
    "qoffset_x",
    "qoffset_y",
    "qoffset_z",
    "srow_x",
    "srow_y",
    "srow_z",
)
# What dcm2niix writes about a CT; every other text could name somebody.
_HARMLESS: Final = re.compile(r"Time=\d{1,6}(\.\d{1,6})?")


def labels_like(labels: Labels, header: NiftiHeader) -> bytes:
    """A new packed label image (.nii.gz) on the grid of a study, as published masks are made.

    Parameters
    ----------
    labels : (Z, Y, X) in the study's display order.
    header : the study's; its place in the patient is copied, its free text and extensions are not.

    Raises
    ------
    SaveError
        when the labels are not on the study's grid.
    """
    grid = grid_of(header)
    _check_shape(labels, grid)
    study = parsed(header.raw).as_byteswapped("<")
    fields = type(study)()
    if "regular" in fields:  # NIfTI-1 alone has it
        fields["regular"] = b"r"
    for name in _COPIED:
        fields[name] = study[name]
    if _HARMLESS.fullmatch(header.description):
        fields["descrip"] = header.description.encode()
    dtype = np.int16 if labels.max() <= np.iinfo(np.int16).max else np.uint16
    content = _file(fields, geometry.to_stored(labels, grid.stored), np.dtype(dtype))
    return gzip_member(NEW_GZIP_HEADER, content)


def labels_on_grid(
    labels: Labels, grid: Grid, *, stored: Stored = ON_GRID, packed: bool = True
) -> bytes:
    """A new label image on any grid, such as that of a DICOM series.

    Parameters
    ----------
    labels : (Z, Y, X) uint8 or uint16.
    grid : where they lie.
    stored : how the file's axes are turned for display, with which `read_labels` turns them back.
    packed : whether it is a .nii.gz or a .nii file.

    Raises
    ------
    SaveError
        when the labels are not on the grid, or the grid is larger than the format allows.
    """
    _check_shape(labels, grid)
    if max(grid.shape) > LONGEST_AXIS:
        raise SaveError(f"NIfTI holds at most {LONGEST_AXIS:,} voxels a side, found {grid.shape}.")
    turned = geometry.to_stored(labels, stored)
    affine = geometry.stored_affine(grid.affine, turned.shape, stored)
    fields = nib.Nifti1Header()
    fields["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    fields.set_xyzt_units("mm")
    if grid.placed:
        fields.set_sform(affine, code=1)
        fields.set_qform(affine, code=1)
        if not np.allclose(fields.get_qform(), affine, atol=1e-3):  # a gantry tilt is no rotation
            fields["qform_code"] = 0
    content = _file(fields, turned, labels.dtype)
    return gzip_member(NEW_GZIP_HEADER, content) if packed else content


def _check_shape(labels: Labels, grid: Grid) -> None:
    if labels.shape != grid.shape:
        raise SaveError(f"expected labels of the shape {grid.shape}, found {labels.shape}.")


def _file(fields: Any, stored: Labels, dtype: np.dtype[Any]) -> bytes:  # noqa: ANN401
    fields.set_data_dtype(dtype)
    fields["dim"] = [3, *stored.shape, 1, 1, 1, 1]
    fields["scl_slope"], fields["scl_inter"] = 1, 0
    fields["magic"] = fields.single_magic
    fields["vox_offset"] = fields.single_vox_offset
    no_extensions = bytes(4)
    numbers = stored.T.astype(dtype.newbyteorder("<"), order="C")  # the first axis runs fastest
    return b"".join((fields.binaryblock, no_extensions, numbers.data))
