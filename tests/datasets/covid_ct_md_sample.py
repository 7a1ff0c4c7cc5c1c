"""A small COVID-CT-MD, laid out as published: both file families, two label versions, its quirks.

P001 and P002 are labelled COVID-19 cases, cap001 a labelled CAP case, normal001 is unlabelled; P003
has labels and no folder, as in the published sample.
"""

import warnings

import numpy as np
from dicom_samples import EXPLICIT_LE, JPEG_LOSSLESS_SV1, stored_values, write_slice

P001 = "Sample data/COVID-19 subjects/P001"
P002 = "Sample data/COVID-19 subjects/P002"
CAP001 = "Sample data/Cap subjects/cap001"
NORMAL001 = "Sample data/Normal subjects/normal001"
SLICES = 12
LEAVES = ("P001", "P002", "P003", "cap001")  # rows of the arrays
LABEL_INDEX = (0, 1, 3, 4)  # 2 was taken out of the release, its number was not given again
SLICE, LOBE = "Slice-level-labels.npy", "Lobe-level-labels.npy"
SLICE_1, LOBE_1 = "Slice-level-labels-updated-1.npy", "Lobe-level-labels-updated-1.npy"
TOP = -20.5
_HEX_UID = "98C1473-4ab0-11ea-9d2f-0242ac130003"


def build(root):
    """The whole dataset, with the clutter of a Mac."""
    make_case(root / P001, family="named")
    make_case(root / P002, family="IM")
    make_case(root / CAP001, family="IM")
    make_case(root / NORMAL001, family="named")
    save_labels(root)
    save_index(root)
    for folder in (root, root / "Sample data", (root / P001).parent):
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (root / "README.md").write_text("# COVID-CT-MD\n")
    (root / "Figures").mkdir()
    (root / "Figures" / "map.png").write_bytes(b"\x89PNG")
    return root


def make_case(folder, *, family="IM", numbers=range(1, SLICES + 1), **changes):
    """Slices by Instance Number, which runs from head to feet in steps of 2 mm."""
    folder.mkdir(parents=True)
    shuffled = np.random.default_rng(len(folder.name)).permutation(len(numbers)) + 1
    for place, number in enumerate(numbers):
        name, extra = f"IM{number:04}.dcm", {}
        if family == "named":
            name = f"98C14734-ASSH_{shuffled[place]}.dcm"
        else:
            extra = {"SOPInstanceUID": "", "SeriesInstanceUID": _HEX_UID, "StudyDate": ""}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom says that the UIDs are invalid: they are
            write_slice(
                folder / name,
                z=TOP - 2 * number,
                number=number,
                stored=stored_values(number, (16, 16)),
                syntax=JPEG_LOSSLESS_SV1 if family == "named" else EXPLICIT_LE,
                **{"PatientID": "98C14734-ASSH", "SliceThickness": "2", **extra, **changes},
            )


def lobe_labels(version):
    """(rows, 200, 5): in every row some slices are infected, the later lobes further down."""
    lobes = np.zeros((len(LEAVES), 200, 5))
    for row in range(len(LEAVES)):
        lobes[row, 2 : 5 + row, 1] = 1
        lobes[row, 4:8, 4] = 1
        lobes[row, 7:9, 0] = 1
    if version == "updated-1":
        lobes[0, 9:11, 2] = 1
    return lobes


def save_labels(root):
    """Both label versions, each array in the dtype of the release."""
    for slice_name, lobe_name, version, dtype in (
        (SLICE, LOBE, "original", np.int64),
        (SLICE_1, LOBE_1, "updated-1", np.int32),
    ):
        lobes = lobe_labels(version)
        np.save(root / lobe_name, lobes)
        np.save(root / slice_name, lobes.any(axis=2).astype(dtype))


def index_text(leaves=LEAVES, label_index=LABEL_INDEX, header=None):
    lines = [header or "Label Index,Diagnosis,Relative Path,Folder/ID"]
    for number, leaf in zip(label_index, leaves, strict=True):
        diagnosis = "CAP" if leaf.casefold().startswith("cap") else "COVID-19"
        lines.append(f"{number},{diagnosis},./{diagnosis}/{leaf},{leaf}")
    return "\r\n".join(lines)


def save_index(root, **how):
    (root / "Index.csv").write_bytes(index_text(**how).encode())


def flip_one(reading):
    """The reading with one more lobe on display slice 0, which makes that slice infected."""
    values = reading.slice_labels.values.copy()
    columns = reading.slice_labels.columns
    values[0, [columns.index("RML"), columns.index("infected")]] = True
    return type(reading)(reading.reader, slice_labels=reading.slice_labels.with_values(values))


def flipped_records(case_id):
    """What `flip_one` of the newest reading changes in `records`."""
    row = LEAVES.index(case_id.rpartition("/")[2])
    return {(LOBE_1, row, 0, 3): 1.0, (SLICE_1, row, 0): 1}


def records(folder):
    """Every record of the annotation files, read by numpy and nothing of ours."""
    found = {}
    for path in sorted(folder.glob("*.npy")):
        array = np.load(path)
        found[path.name, "dtype"] = array.dtype.str
        found |= {(path.name, *where): value for where, value in np.ndenumerate(array)}
    if (folder / "Index.csv").exists():
        lines = (folder / "Index.csv").read_bytes().split(b"\n")
        found |= {("Index.csv", n): line for n, line in enumerate(lines)}
    return found


def add_unknown(root):
    """What no reader of the dataset knows: bytes after the numbers, files of other people."""
    for path in root.glob("*.npy"):
        path.write_bytes(path.read_bytes() + b"not ours")
    (root / "Slice-notes.txt").write_text("mine")
