"""A small MosMedData, laid out as published, with what a write back adds and its usual clutter.

study_0255 has a mask and its split, study_0256 a mask, study_0257 the study alone; study_0939 is in
CT-2 and was corrected to CT-3. The registry knows study_0001 too, which is not there.
"""

import csv
import gzip
import io
import zipfile
import zlib

import nibabel as nib
import numpy as np

SHAPE = (10, 8, 6)  # as stored: left, anterior, superior
SPACING = (0.7, 0.7, 8.0)
REGISTRY = "dataset_registry.xlsx"
CORRECTIONS = "category_corrections.csv"
ROWS = (
    ("study_id", "category", "study_file", "mask_file"),
    (1, "CT-0", "/studies/CT-0/study_0001.nii.gz", ""),
    (255, "CT-1", "/studies/CT-1/study_0255.nii.gz", "/masks/study_0255_mask.nii.gz"),
    (256, "CT-1", "/studies/CT-1/study_0256.nii.gz", "/masks/study_0256_mask.nii.gz"),
    (257, "CT-1", "/studies/CT-1/study_0257.nii.gz", ""),
    (939, "CT-2", "/studies/CT-2/study_0939.nii.gz", ""),
)
MASK, SPLIT = "masks/study_{}_mask.nii.gz", "masks/study_{}_mask_split.nii.gz"


def build(root):
    """The whole dataset, with the clutter of a Mac and of mirrors."""
    for number, category in ((255, 1), (256, 1), (257, 1), (939, 2)):
        save(root / f"studies/CT-{category}/study_{number:04}.nii.gz", voxels(number))
    for number in (255, 256):
        save(root / MASK.format(f"{number:04}"), lesions(number))
    save(root / SPLIT.format("0255"), np.where(lesions(255) == 1, kinds(), 0))
    (root / CORRECTIONS).write_text("study_id,category,corrected_category\n939,CT-2,CT-3\n")
    (root / REGISTRY).write_bytes(workbook(ROWS))
    for folder in (root, root / "masks", root / "studies"):
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (folder / "foo").touch()
    (root / "masks" / "._study_0300_mask.nii.gz").write_bytes(b"\0\5\26\7")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "study_0300_mask.nii.gz").write_bytes(b"\0\5\26\7")
    (root / "README_EN.md").write_text("# MosMedData\n")
    return root


def voxels(number):
    """(i, j, k) HU: lung with a mark whose place tells every axis and its direction."""
    found = np.random.default_rng(number).integers(-900, -800, SHAPE).astype(np.int16)
    found[1, 2, 4] = 1000
    return found


def lesions(number):
    """(i, j, k) of 0 and 1, other for each study."""
    mask = np.zeros(SHAPE, np.int16)
    mask[1:4, 2:5, 3:5] = 1
    mask[6, 6, number % 3] = 1
    return mask


def kinds():
    """(i, j, k) of 1, 2 and 3, everywhere."""
    return (np.indices(SHAPE).sum(axis=0) % 3 + 1).astype(np.int16)


def affine(spacing=SPACING):
    """Stored axes run to the patient's left, front and head, as in the release."""
    placed = np.diag([-spacing[0], spacing[1], spacing[2], 1.0])
    placed[:3, 3] = (120.5, -80.25, -600)
    return placed


def nifti(stored, placed=None, dtype=np.int16, description="Time=93500.120"):
    """A NIfTI file's bytes as dcm2niix writes them."""
    image = nib.Nifti1Image(np.asarray(stored, dtype), affine() if placed is None else placed)
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = description
    image.set_sform(image.affine, 1)
    image.set_qform(image.affine, 1)
    image.header["vox_offset"], image.header["scl_slope"], image.header["scl_inter"] = 352, 1, 0
    return image.header.binaryblock + bytes(4) + np.asarray(stored, dtype).tobytes(order="F")


def packed(content, name):
    """As ``gzip -6`` packs a file of this name, on 28 April 2020."""
    head = (
        b"\x1f\x8b\x08\x08" + (1588032000).to_bytes(4, "little") + b"\0\3" + name.encode() + b"\0"
    )
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(content) + deflate.flush()
    return (
        head + body + zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    )


def save(path, stored, **how):
    """Write a NIfTI file, packed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = nifti(stored, **how)
    packs = path.suffix == ".gz"
    path.write_bytes(packed(content, path.name.removesuffix(".gz")) if packs else content)


def stored(path):
    """(i, j, k) as nibabel reads them."""
    return np.asanyarray(nib.load(path).dataobj)


def workbook(rows, name="MosMedData COVID19_1110"):
    """An xlsx with one sheet: texts shared, numbers plain, empty cells left out."""
    texts = sorted({cell for row in rows for cell in row if isinstance(cell, str) and cell})
    lines = []
    for r, row in enumerate(rows, start=1):
        cells = [
            f'<c r="{chr(65 + c)}{r}"><v>{cell}</v></c>'
            if not isinstance(cell, str)
            else f'<c r="{chr(65 + c)}{r}" t="s"><v>{texts.index(cell)}</v></c>'
            for c, cell in enumerate(row)
            if cell != ""
        ]
        lines.append(f'<row r="{r}">{"".join(cells)}</row>')
    shared = "".join(f"<si><t>{text}</t></si>" for text in texts)
    return zipped(
        {
            "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData>{''.join(lines)}</sheetData>"
            "</worksheet>",
            "xl/sharedStrings.xml": f'<sst {MAIN} uniqueCount="{len(texts)}">{shared}</sst>',
        },
        name,
    )


MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def zipped(parts, name="Sheet1"):
    """A workbook of these parts and what has to be around them."""
    link = f'<Relationship Id="r1" Type="{_OFFICE}/{{}}" Target="{{}}"/>'
    links = f'<Relationships xmlns="{_PACKAGE}/relationships">{link}</Relationships>'
    frame = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": links.format("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{name}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": links.format("worksheet", "worksheets/sheet1.xml"),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in (frame | parts).items():
            archive.writestr(part, content)
    return file.getvalue()


# What the contract's tests edit and judge


def paint_one(reading):
    """The reading with one more voxel of consolidation, at the display voxel (0, 0, 0)."""
    painted = []
    for mask in reading.masks:
        labels = mask.labels.copy()
        labels[0, 0, 0] = 2 if mask.splits else 1
        painted.append(type(mask)(mask.name, labels, mask.segments, mask.splits))
    return type(reading)(reading.reader, masks=tuple(painted), answers=reading.answers)


def painted_records(case_id):
    """What `paint_one` changes in `records`: the foremost right voxel of the highest slice."""
    where = (0, SHAPE[1] - 1, SHAPE[2] - 1)
    number = case_id.removeprefix("study_")
    changed = {(MASK.format(number), *where): 1}
    return changed | ({(SPLIT.format(number), *where): 2} if number == "0255" else {})


def records(folder):
    """Every record of the annotation files, read by nibabel and the standard library."""
    found = {}
    for path in sorted((folder / "masks").glob("study_*.nii.gz")):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        plain = gzip.decompress(content)
        image = nib.load(path)
        voxels = np.asanyarray(image.dataobj)
        offset = image.dataobj.offset
        found[name, "header"] = plain[:offset]
        found[name, "behind"] = plain[offset + voxels.nbytes :]
        found[name, "gzip"] = content[: content.index(b"\0", 10)]
        found |= {(name, *where): int(value) for where, value in np.ndenumerate(voxels)}
    if (folder / CORRECTIONS).exists():
        with (folder / CORRECTIONS).open(newline="") as file:
            found |= {(CORRECTIONS, n): tuple(row) for n, row in enumerate(csv.reader(file))}
    return found


def images(root, case_id):
    """The files that a case's image is read from."""
    return [path for path in root.glob("studies/*/*.nii.gz") if path.name.startswith(case_id)]


def add_unknown(root):
    """What no reader of the dataset knows: bytes after the voxels, files of other people."""
    for path in (root / "masks").glob("study_*.nii.gz"):
        content = gzip.decompress(path.read_bytes()) + b"not ours"
        path.write_bytes(packed(content, path.name.removesuffix(".gz")))
    (root / "masks" / "notes.txt").write_text("mine")
