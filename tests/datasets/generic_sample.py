"""A small folder of a hospital's own images: DICOM and NIfTI, with masks made by several programs.

p01 holds one CT series, p02 a NIfTI image with a mask of somebody else's beside it, p03 two series
in one folder, p04 a radiograph. The masks of p03 are stored from feet to head, as other programs
store them.
"""

import gzip
import zlib

import nibabel as nib
import numpy as np
from dicom_samples import stored_values, write_slice

P01, P02, P03, P03_2, P04 = "p01", "p02/ct.nii.gz", "p03", "p03#2", "p04/view.dcm"
SHAPE = (5, 6, 7)
STEP, TOP = 2.5, 50.0
MASKS = {
    P01: "masks/p01_mask.nii.gz",
    P02: "masks/p02/ct_mask.nii.gz",
    P03: "masks/p03_mask.nii.gz",
    P03_2: "masks/p03_2_mask.nii.gz",
    P04: "masks/p04/view_mask.nii.gz",
}
BESIDE = "p02/ct_seg.nii.gz"
SEGMENTS = "masks/segments.csv"
NIFTI_AFFINE = np.array([[-0.8, 0, 0, 90], [0, -0.7, 0, 80], [0, 0, 2.5, -100], [0, 0, 0, 1]])


def build(root):
    """The whole folder, with the clutter of a Mac."""
    make_series(root / "p01")
    make_nifti(root / P02)
    make_series(root / "p03", SeriesInstanceUID="1.2.3.1", SeriesNumber="1")
    make_series(
        root / "p03", "b", SeriesInstanceUID="1.2.3.2", SeriesNumber="2", ConvolutionKernel="B30f"
    )
    make_series(root / "p04", numbers=[1], names=["view.dcm"], Modality="DX")
    save(root / MASKS[P01], labels(1), dicom_affine())
    save(root / MASKS[P02], labels(2)[::-1], NIFTI_AFFINE)
    for seed, case in ((3, P03), (4, P03_2)):
        flipped = dicom_affine() @ np.array(
            [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, SHAPE[0] - 1], [0, 0, 0, 1]]
        )
        save(root / MASKS[case], labels(seed)[::-1], flipped)
    save(root / MASKS[P04], labels(5)[:1], dicom_affine())
    save(root / BESIDE, labels(6, values=(1, 7))[::-1], NIFTI_AFFINE)
    (root / SEGMENTS).write_text(
        "value,name,color,code\n1,Ground glass,#56B4E9,GG\n2,Fibrosis,#00FF00,FI\n3,Scar,#AA0000,\n"
    )
    for folder in (root, root / "p01", root / "masks"):
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (root / "protocol.pdf").write_bytes(b"%PDF-1.4")
    (root / "README").write_text("our own cases\n")
    return root


def make_series(folder, prefix="a", *, numbers=range(1, SHAPE[0] + 1), names=None, **changes):
    """Axial slices from head to feet."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, number in enumerate(numbers):
        write_slice(
            folder / (names[place] if names else f"{prefix}{number}.dcm"),
            TOP - STEP * (number - 1),
            number,
            stored=stored_values(number, SHAPE[1:]),
            **{"PatientID": "SECRET-1", **changes},
        )


def dicom_affine():
    """Stored x, y, z, slices from head to feet, to RAS, for the slices of `make_series`."""
    return np.array([[-0.8, 0, 0, 100.5], [0, -0.7, 0, 90.25], [0, 0, -STEP, TOP], [0, 0, 0, 1]])


def make_nifti(path):
    """A CT stored from feet to head, as nearly all are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(2).integers(-1000, 400, SHAPE[::-1]).astype(np.int16)
    nib.save(nib.Nifti1Image(voxels, NIFTI_AFFINE), path)


def labels(seed, values=(1, 2)):
    """Some structures, (Z, Y, X) from head to feet; the first corner is empty."""
    found = np.random.default_rng(seed).choice([0, 0, *values], SHAPE).astype(np.uint8)
    found[0, 0, :2] = (0, values[-1])
    return found


def save(path, array, affine):
    """Labels (Z, Y, X) as a label image stored as x, y, z, packed as gzip packs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.ascontiguousarray(array.T), affine)
    path.write_bytes(gzip.compress(image.to_bytes(), 6, mtime=0))


def images(root, case_id):
    """The files of a case's image, for a case that has its folder or file to itself."""
    path = root / case_id
    return [path] if path.is_file() else sorted(path.glob("*.dcm"))


def paint_one(reading):
    """The reading with the first corner of its first mask painted."""
    mask, *others = reading.masks
    painted = mask.labels.copy()
    painted[0, 0, 0] = 3
    return type(reading)(reading.reader, (type(mask)(mask.name, painted, mask.segments), *others))


def painted_records(case_id):
    """What `paint_one` changes in `records`."""
    from_feet = case_id in {P02, P03, P03_2}
    return {(MASKS[case_id], 0, 0, SHAPE[0] - 1 if from_feet else 0): 3}


def records(folder):
    """Every record of the annotation files, read by zlib and nibabel and nothing of ours."""
    found = {}
    for name in (*MASKS.values(), BESIDE):
        if (folder / name).exists():
            unpacker = zlib.decompressobj(31)
            content = unpacker.decompress((folder / name).read_bytes())
            image = nib.Nifti1Image.from_bytes(content)
            found[name, "header"] = content[:352]
            found[name, "behind"] = unpacker.unused_data
            stored = np.asanyarray(image.dataobj)
            found |= {(name, *where): value for where, value in np.ndenumerate(stored)}
    if (folder / SEGMENTS).exists():
        lines = (folder / SEGMENTS).read_bytes().split(b"\n")
        found |= {(SEGMENTS, n): line for n, line in enumerate(lines)}
    return found


def add_unknown(root):
    """What no reader of the folder knows: bytes behind the labels, a column, others' files."""
    for name in MASKS.values():
        path = root / name
        path.write_bytes(path.read_bytes() + b"not ours")
    text = (root / SEGMENTS).read_text().replace("\n1,", "\n9,Stent,#00FFFF,ST,metal\n1,")
    (root / SEGMENTS).write_text(text)
    (root / "masks" / "notes.txt").write_text("mine")
