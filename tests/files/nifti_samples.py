"""Small NIfTI files, made with nibabel's headers, struct and zlib."""

import struct
import zlib

import nibabel as nib
import numpy as np

# Stored towards the patient's left, front and head, 8 mm slices: as MosMedData's files are.
LAS = np.array([[-0.7, 0, 0, 180], [0, 0.7, 0, -170], [0, 0, 8, -900], [0, 0, 0, 1.0]])
NAME = b"study_0255_mask.nii"


def nifti(array, affine=LAS, *, version=1, endian="<", extension=b"", trailing=b"", **fields):
    """The bytes of a single file; ``fields`` are set in the header as they are."""
    header = (nib.Nifti1Header if version == 1 else nib.Nifti2Header)(endianness=endian)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    if array.ndim >= 3:
        header.set_qform(affine, code=1)
        header.set_sform(affine, code=1)
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["magic"] = header.single_magic
    header["vox_offset"] = header.single_vox_offset + len(extension)
    for name, value in fields.items():
        header[name] = value
    extended = bytes((bool(extension), 0, 0, 0))
    numbers = array.astype(array.dtype.newbyteorder(endian)).tobytes(order="F")
    return header.binaryblock + extended + extension + numbers + trailing


def extension(text):
    """A comment extension of any text, padded as the format asks."""
    length = -(-(8 + len(text)) // 16) * 16
    return struct.pack("<ii", length, 6) + text.ljust(length - 8, b"\0")


def gzip_header(*, name=NAME, time=0x5EA8BAAD, extra=b"", comment=b"", checksum=False):
    flags = 2 * checksum + 4 * bool(extra) + 8 * bool(name) + 16 * bool(comment)
    header = struct.pack("<2sBBIBB", b"\x1f\x8b", 8, flags, time, 0, 3)
    header += struct.pack("<H", len(extra)) + extra if extra else b""
    header += b"".join(text + b"\0" for text in (name, comment) if text)
    return header + struct.pack("<H", zlib.crc32(header) & 0xFFFF) if checksum else header


def packed(content, header=None, level=6):
    """One gzip member as the gzip program writes it."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = packer.compress(content) + packer.flush()
    end = struct.pack("<II", zlib.crc32(content), len(content))
    return (gzip_header() if header is None else header) + body + end


def ct(shape=(6, 5, 4), seed=0, dtype=np.int16):
    """Numbers that are all different from air."""
    return np.random.default_rng(seed).integers(-900, 1000, shape).astype(dtype)


def as_displayed(array):
    """A LAS array in display order."""
    return array[:, ::-1, ::-1].transpose(2, 1, 0)
