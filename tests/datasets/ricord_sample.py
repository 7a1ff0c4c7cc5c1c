"""A small MIDRC-RICORD-1A in NBIA's layout, and a small 1C, with what real exports have beside.

Study 12 has an annotated axial series, a coronal one and a scout; study 82 an annotated axial
series in JPEG Lossless. Three readers drew in study 12, one in study 82.
"""

import io
import json
import zipfile

import cv2
import numpy as np
import pydicom
from dicom_samples import (
    EXPLICIT_LE,
    JPEG_LOSSLESS_SV1,
    encode,
    slice_dataset,
    stored_values,
    write_dataset,
    write_slice,
)
from mosmed_sample import workbook

DOCUMENT = "MIDRC-RICORD-1a_annotations_labelgroup_all_2020-Dec-8.json"
ZIPPED = f"{DOCUMENT}_.zip"
CLINICAL = "MIDRC-RICORD-1a-Clinical-Data-Jan-13-2021.xlsx"
TREE = "manifest-1608266677008/MIDRC-RICORD-1A"
SIZE = (12, 16)  # rows, columns
ROOT_UID = "1.2.826.0.1.3680043.10.474"
PURPLE, BLUE = "Purple Group 1", "Blue Group"


def study_uid(number):
    return f"{ROOT_UID}.{number}.20000"


def series_uid(study, number):
    return f"{ROOT_UID}.{study}.1000{number}"


def sop_uid(study, series, z):
    """Of the slice that is the z-th from the head, from 0."""
    return f"{series_uid(study, series)}.{z + 1}"


AXIAL_12, COR_12, SCOUT_12 = series_uid(12, 4), series_uid(12, 6), series_uid(12, 1)
AXIAL_82 = series_uid(82, 4)


def build(root):
    """The whole dataset."""
    build_images(root / TREE)
    (root / DOCUMENT).write_bytes(text_of(document()))
    (root / ZIPPED).write_bytes(zipped({DOCUMENT: text_of(document())}))
    rows = (
        ("Anon Patient ID", "Anon Study UID ", "Result", "Age"),
        ("440808-000012", study_uid(12), "DETECTED", 61),
        ("419639-000082", study_uid(82), "NOT DETECTED", ""),
    )
    (root / CLINICAL).write_bytes(workbook(rows, "Sheet1"))
    (root / "metadata.csv").write_text("Series UID,Study UID,Subject ID\n1.2,1.3,x\n")
    return root


def build_images(folder):
    """The series, in files numbered from the feet."""
    one, two = "MIDRC-RICORD-1A-440808-000012", "MIDRC-RICORD-1A-419639-000082"
    first = folder / one / f"01-02-2003-NA-NA-{study_uid(12)[-5:]}"
    second = folder / two / f"03-04-2005-NA-CHEST-{study_uid(82)[-5:]}"
    write_series(first, 12, 4, 5, one)
    turned = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1], "SeriesDescription": "COR 3X3"}
    write_series(first, 12, 6, 3, one, axis=1, **turned)
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesDescription": "SCOUT"}
    write_series(first, 12, 1, 2, one, **scout)
    write_series(second, 82, 4, 4, two, JPEG_LOSSLESS_SV1)


def write_series(study_folder, study, number, count, patient, syntax=EXPLICIT_LE, axis=2, **more):
    uid = series_uid(study, number)
    folder = study_folder / f"{number}.000000-NA-{uid[-5:]}"
    folder.mkdir(parents=True)
    for z in range(count):
        position = [-100.5, -90.25, 50.0]
        position[axis] += 2.5 * z if axis == 1 else -2.5 * z
        write_slice(
            folder / f"1-{count - z:03}.dcm",
            number=count - z,
            syntax=syntax,
            stored=stored_values(study * 10 + z, SIZE),
            PatientID=patient,
            StudyInstanceUID=study_uid(study),
            SeriesInstanceUID=uid,
            SOPInstanceUID=sop_uid(study, number, z),
            SeriesNumber=str(number),
            **{"ImagePositionPatient": position, "SeriesDescription": None} | more,
        )


# The annotation export


def document():
    """The export as Python values."""
    return {
        "id": "MwExample",
        "createdAt": "2020-06-01T10:00:00.000Z",
        "updatedAt": "2020-12-08T09:30:00.123Z",
        "name": "RICORD démo",
        "users": [{"id": "U_aaaaa1", "name": "Reader 1", "email": ""}],
        "labelGroups": [group("purpl", PURPLE), group("bluuu", BLUE)],
        "datasets": [
            {
                "id": "D_demo01",
                "name": "CT",
                "studies": [{"StudyInstanceUID": study_uid(n), "number": n} for n in (12, 82)],
                "annotations": annotations(),
            }
        ],
    }


def group(code, name):
    return {
        "id": f"G_{code}",
        "name": name,
        "type": "STANDARD",
        "labels": [
            label(code, "op", "Infectious opacity", "#d500f9", "freeform"),
            label(code, "ca", "Infectious cavity", "#00e5ff", "freeform"),
            label(code, "bx", "Suspicious box", "#ffee00", "bbox"),
            label(code, "ln", "Measured line", "#11ee00", "line"),
            label(code, "in", "Infectious lung disease", "#aa0000"),
            label(code, "ty", "Typical", "#bb0000", parent="in"),
            label(code, "ef", "Effusion", "#cc0000"),
        ],
    }


def label(code, short, name, color, mode=None, parent=None):
    return {
        "id": label_id(code, short),
        "parentId": label_id(code, parent) if parent else None,
        "name": name,
        "shortName": "",
        "description": "",
        "color": color,
        "type": "LOCAL" if mode else "GLOBAL",
        "scope": "INSTANCE" if mode else "STUDY",
        "annotationMode": mode,
        "radlexTagIds": [],
    }


def label_id(code, short):
    return f"L_{code}{short}"


def annotations():
    square = [[3, 3], [6, 3], [6, 6.25], [3, 6]]
    overlapping = [[5.5, 5.5], [9, 5.5], [9, 9], [5.5, 9]]
    far = [[12, 1], [14, 1], [14, 3], [12, 3]]
    return [
        of_study("G1", "purplty", 12, "U_aaaaa1", note="motion at bases"),
        of_study("G2", "purplin", 12, "U_aaaaa1"),
        drawn("P1", "purplop", 12, 1, square, "U_aaaaa1", note="first"),
        drawn("P2", "purplop", 12, 1, overlapping, "U_aaaaa1", number=13),
        drawn("P3", "purplop", 12, 1, far, "U_aaaaa1", number=14),
        drawn("P4", "purplop", 12, 2, square, "U_aaaaa1"),
        drawn("P5", "purplca", 12, 1, overlapping, "U_aaaaa1"),
        {**drawn("P6", "purplop", 12, 3, square, "U_aaaaa1"), "data": None},
        drawn("B1", "bluuuop", 12, 1, far, "U_bbbbb1"),
        drawn("B2", "bluuuop", 12, 2, far, "U_bbbbb2"),
        {
            **drawn("B3", "bluuubx", 12, 1, square, "U_bbbbb2"),
            "data": {"x": 2, "y": 3, "width": 4, "height": 2},
        },
        drawn("P7", "purplop", 82, 1, square, "U_aaaaa1"),
        of_study("G3", "purplef", 82, "U_aaaaa1"),
    ]


def of_study(code, label, study, creator, note=None):
    """An annotation of a whole study; it has no keys of series and image."""
    return {
        "id": f"A_{code}glob",
        "parentId": None,
        "isImported": False,
        "createdAt": "2020-08-01T12:00:00.001Z",
        "createdById": creator,
        "updatedAt": "2020-08-01T12:00:00.001Z",
        "updatedById": creator,
        "modelId": None,
        "StudyInstanceUID": study_uid(study),
        "labelId": f"L_{label}",
        "annotationNumber": None,
        "height": None,
        "width": None,
        "data": None,
        "note": note,
        "radlexTagIds": [],
        "reviewsPositiveCount": 0,
        "reviewsNegativeCount": 0,
    }


def drawn(code, label, study, z, ring, creator, note=None, number=12, series=4):
    """An annotation of a slice, counted from the head from 0."""
    of_slice = of_study(code, label, study, creator, note)
    at = {
        "SeriesInstanceUID": series_uid(study, series),
        "SOPInstanceUID": sop_uid(study, series, z),
    }
    keys = list(of_slice)
    split = keys.index("labelId")
    placed = {key: of_slice[key] for key in keys[:split]} | at
    placed |= {key: of_slice[key] for key in keys[split:]}
    return placed | {
        "id": f"A_{code}free",
        "annotationNumber": number,
        "height": SIZE[0],
        "width": SIZE[1],
        "data": {"vertices": ring},
    }


def text_of(values):
    """An export's bytes as JavaScript writes them on one line."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def zipped(parts):
    """A zip of these files by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def pixels(data, size=SIZE):
    """The pixels of an annotation's data, drawn by OpenCV on truncated vertices, (Y, X) bool."""
    mask = np.zeros(size, np.uint8)
    if "vertices" in data:
        cv2.fillPoly(mask, [np.array(data["vertices"]).astype(np.int32)], 1)
    elif "width" in data:
        x, y = int(data["x"]), int(data["y"])
        mask[y : y + data["height"] + 1, x : x + data["width"] + 1] = 1
    return mask.astype(bool)


def labels_of(folder, name, label, z, *, study=12, creator="U_aaaaa1"):
    """All that an export's annotations draw of a label on a slice, (Y, X) bool."""
    found = np.zeros(SIZE, bool)
    for one in json.loads((folder / name).read_bytes())["datasets"][0]["annotations"]:
        at = one.get("SOPInstanceUID"), one["labelId"], one.get("createdById")
        if at == (sop_uid(study, 4, z), f"L_{label}", creator) and one["data"]:
            found |= pixels(one["data"])
    return found


# What the contract's tests edit and judge


def paint_one(reading):
    """The reading with one more voxel beside the square on the second slice of its first mask."""
    if not reading.masks:
        return reading
    first, *others = reading.masks
    labels = first.labels.copy()
    labels[1, 4, 2] = 1
    painted = type(first)(first.name, labels, first.segments)
    return type(reading)(reading.reader, (painted, *others), answers=reading.answers)


def painted_records(case_id):
    """What `paint_one` changes in `records`: the union of what touches the new voxel."""
    values = {one["id"]: one for one in annotations()}
    if case_id == AXIAL_82:
        return {(DOCUMENT, "A_P7free", "pixels"): _set(pixels(values["A_P7free"]["data"]), (4, 2))}
    # The square alone touches the voxel, but not the ring that overlaps it.
    square, other = (pixels(values[key]["data"]) for key in ("A_P1free", "A_P2free"))
    return {(DOCUMENT, "A_P1free", "pixels"): _set(square & ~other, (4, 2))}


def records(folder):
    """Every value of every annotation by the standard library, what it draws by OpenCV."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        values = json.loads(path.read_bytes())
        for dataset in values["datasets"]:
            for one in dataset.pop("annotations"):
                found |= _record(path.name, one)
        found[path.name, "around"] = json.dumps(values)
    return found


def _record(name, one):
    data = one.pop("data", "absent")
    found = {(name, one["id"], key): str(value) for key, value in one.items() if key != "updatedAt"}
    if isinstance(data, dict) and {"vertices", "width"} & data.keys():
        return found | {(name, one["id"], "pixels"): _set(pixels(data))}
    return found | {(name, one["id"], "data"): str(data)}


def _set(mask, *more):
    return frozenset({(int(y), int(x)) for y, x in np.argwhere(mask)} | set(more))


def images(root, case_id):
    """The files that a case's image is read from, by pydicom."""
    files = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in root.rglob("*.dcm")}
    return sorted(path for path, file in files.items() if case_id == file.SeriesInstanceUID)


def add_unknown(root):
    """What no reader knows: keys, modes and labels in the export, files of other people."""
    values = json.loads((root / DOCUMENT).read_bytes())
    values["labelGroups"][0]["labels"].append(
        {**label("purpl", "ff", "Free space", "#123456", "hologram"), "extra": [1, 2]}
    )
    unknown = drawn("X1", "purplff", 12, 1, [], "U_aaaaa1")
    gone = drawn("X2", "gone99", 12, 1, [[1, 1], [3, 1], [3, 3]], "U_aaaaa1")
    more = [unknown | {"data": {"spin": 1e-7}, "reviews": [{"by": "U_x"}]}, gone]
    more.append({key: value for key, value in gone.items() if key not in ("height", "width")})
    more[-1]["id"] = "A_X3free"
    values["datasets"][0]["annotations"] += more
    values["unheardOf"] = {"a": 0.10}
    (root / DOCUMENT).write_bytes(text_of(values).replace(b'"a":0.1', b'"a":0.1000'))
    (root / "notes.txt").write_text("mine")


# 1C

DOCUMENT_1C = "1c_mdai_rsna_project_MwBeK3Nr_annotations_labelgroup_all_2021-01-08-164102.json"
CLASSES = ("Typical Appearance", "Indeterminate Appearance", "Atypical Appearance")
GRADES = ("Mild (1-2 zones)", "Severe (>4 zones)")
GROUPS_1C = ("Reader A", "Reader B", "Reader C", "Sparse", "Adjudication")


def build_1c(root):
    """Three studies of radiographs, one of them with two images, read by three and a few."""
    for study, count in ((1, 2), (2, 1), (3, 1)):
        folder = root / f"MIDRC-RICORD-1C/MIDRC-RICORD-1C-SITE2-00000{study}/x/y-{study}"
        folder.mkdir(parents=True)
        for image in range(count):
            write_radiograph(folder / f"1-{image + 1}.dcm", study, image)
    values = document()
    values["labelGroups"] = [
        {
            "id": f"G_{n}",
            "name": name,
            "labels": [
                {**label(str(n), str(i), text, "#00ff00"), "id": f"L_{n}{i}"}
                for i, text in enumerate((*CLASSES, *GRADES))
            ],
        }
        for n, name in enumerate(GROUPS_1C)
    ]
    said = {
        1: {0: [0, 3], 1: [0], 2: [2], 4: [0]},  # two of three say typical
        2: {0: [0], 1: [1], 2: [2], 4: [1]},  # nobody agrees
        3: {0: [0], 2: [1], 3: [1]},  # two of three speak
        9: {0: [0], 1: [0], 2: [0]},  # withdrawn
    }
    values["datasets"][0]["studies"] = [
        {"StudyInstanceUID": study_uid(n), "number": str(n)} for n in (1, 2, 9)
    ]
    values["datasets"][0]["annotations"] = [
        of_study(f"{study}{n}{choice}", f"{n}{choice}", study, f"U_{n}")
        for study, readers in said.items()
        for n, choices in readers.items()
        for choice in choices
    ]
    (root / DOCUMENT_1C).write_bytes(json.dumps(values, indent=1).encode())
    return root


def write_radiograph(path, study, image, **more):
    dataset, stored = slice_dataset(stored=stored_values(study, SIZE))
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope"):
        delattr(dataset, name)
    about = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1",
        "Modality": "CR",
        "PatientID": f"MIDRC-RICORD-1C-SITE2-00000{study}",
        "StudyInstanceUID": study_uid(study),
        "SeriesInstanceUID": series_uid(study, 1),
        "SOPInstanceUID": sop_uid(study, 1, image),
        "InstanceNumber": image + 1,
        "PhotometricInterpretation": "MONOCHROME1",
    }
    for name, value in (about | more).items():
        setattr(dataset, name, value)
    write_dataset(path, dataset, encode(stored, EXPLICIT_LE, dataset))
