r"""A small BIMCV COVID-19+, laid out as iteration 1, with what a write back adds.

S00001 is a CR with two overlapping regions in a file whose name holds backslashes, S00002 a DX with
one, S00003 a CT. The labels of the first two sessions were corrected.
"""

import csv
import io
import json
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

import cv2
import nibabel as nib
import numpy as np
from skimage.draw import polygon2mask

from napari_chest.model import Mask, Reading

HEAD = "bimcv_covid19_posi_head_iter1"
SUBJECTS = "bimcv_covid19_posi_subjects_1"
LABELS = f"{HEAD}/derivatives/labels/labels_covid19_posi.tsv"
CORRECTED = f"{HEAD}/derivatives/labels/labels_corrected.tsv"
TESTS = f"{HEAD}/derivatives/EHR/sil_reg_covid.tsv"
TREE = f"{HEAD}/derivatives/labels/tree_term_CUI_counts_image_covid_posi.csv"
CR_STEM = "sub-S00001_ses-E00001_run-1_bp-chest_vp-ap"
DX_STEM = "sub-S00002_ses-E00002_run-2_bp-chest_vp-pa"
CT_STEM = "sub-S00003_ses-E00003_acq-1_run-1_bp-chest"
CR = f"{SUBJECTS}/sub-S00001/ses-E00001/mod-rx/{CR_STEM}_cr.png"
DX = f"{SUBJECTS}/sub-S00002/ses-E00002/mod-rx/{DX_STEM}_dx.png"
CT = f"{SUBJECTS}/sub-S00003/ses-E00003/mod-rx/{CT_STEM}_ct.nii.gz"
WINDOWS = "derivatives\\roi\\sub-S00001\\ses-E00001\\mod-rx\\"
CR_ROI = f"{HEAD}/derivatives/roi/sub-S00001/{WINDOWS}{CR_STEM}_mod-cr_roi.xml"
DX_ROI = f"{HEAD}/derivatives/roi/sub-S00002/{DX_STEM}_mod-dx_roi.xml"
CR_UID, DX_UID, CT_UID = "1.2.840.113654.2.70.1.11", "1.2.840.113654.2.70.1.12", "1.2.3.13"
SHAPE = (20, 24)
COLUMNS = (
    "\tPatientID\tReportID\tReport\tLabels\tLocalizations\tLabelsLocalizationsBySentence\t"
    "labelCUIS\tLocalizationsCUIS"
)
NS = "gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM"
# Corners from the corner of the top-left pixel: x, y, right, bottom.
GROUND_GLASS, CONSOLIDATION, EFFUSION = (4, 5, 14, 12), (10, 8, 18, 15), (3, 14, 9, 18)


def build(root):
    """The whole dataset."""
    save_radiograph(root / CR, CR_UID, "MONOCHROME1")
    save_radiograph(root / DX, DX_UID)
    save_ct(root / CT)
    write(root / CR_ROI, aim(CR_UID, ("1", [GROUND_GLASS]), ("Consolidation", [CONSOLIDATION])))
    write(root / DX_ROI, aim(DX_UID, ("Derrame pleural", [EFFUSION])))
    write(root / LABELS, labels_text())
    write(root / CORRECTED, corrected_text())
    write(
        root / TESTS,
        "participant\tSubject\tfecha\tprueba\tresultado\n"
        "sub-S00001\t1\t21.03.2020\tPCR\tPOSITIVO\n"
        "sub-S00001\t1\t02.03.2020\tPCR\tNEGATIVO\n"
        "sub-S00002\t2\t05.04.2020\tIGG\tINDETERMINADO\n",
    )
    write(root / TREE, TREE_TEXT)
    write(
        root / HEAD / "participants.tsv",
        "participant\tmodality_dicom\tbody_parts\tage\tgender\n"
        "sub-S00001\t['CR']\t[['chest']]\t[80]\tM\n"
        "sub-S00002\t['DX']\t[['chest']]\t[54, 55]\tF\n"
        "derivatives\t[]\t[]\t[]\tNone\n",
    )
    write(
        root / SUBJECTS / "sub-S00001/sub-S00001_sessions.tsv",
        "session_id\tstudy_date\tmedical_evaluation\n"
        "ses-E00001\t20200321.0\t['Rx de torax.\\nSin derrame.', ' Control.']\n",
    )
    for folder in (root, (root / CR).parent, (root / DX_ROI).parent):
        write(folder / ".DS_Store", b"\0\0\0\1Bud1")
    return root


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


# Images


def save_radiograph(path, uid, photometric="MONOCHROME2", shape=SHAPE, **tags):
    """A 12-bit PNG and its sidecar."""
    pixels = np.random.default_rng(len(uid)).integers(0, 4096, shape).astype(np.uint16)
    write(path, cv2.imencode(".png", pixels)[1].tobytes())
    sidecar = {
        "00080008": ["ORIGINAL", "PRIMARY"],
        "00080016": ["1.2.840.10008.5.1.4.1.1.1"],
        "00080018": [uid],
        "00080020": ["20200321"],
        "00080060": ["CR"],
        "00080070": ["Philips"],
        "00100010": [{"Alphabetic": "284108"}],
        "00100020": ["284108"],
        "0020000D": ["1.2.840.113654.2.70.1.1"],
        "0020000E": [f"{uid}.1"],
        "00200020": ["L", "F"],
        "00280004": [photometric],
        "00280010": [shape[0]],
        "00280011": [shape[1]],
        "00181164": [0.2, 0.2],
        "00280101": [12],
    }
    save_sidecar(path, sidecar | tags)


def save_sidecar(image, tags):
    elements = {tag: {"Value": value, "vr": "XX"} for tag, value in tags.items()}
    name = image.name.removesuffix(".gz").rpartition(".")[0]
    write(image.with_name(f"{name}.json"), json.dumps(elements, sort_keys=True))


def save_ct(path, shape=(7, 6, 5), **tags):
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(5).integers(-900, 200, shape).astype(np.int16)
    nib.save(nib.Nifti1Image(voxels, np.diag([-0.8, 0.8, 5, 1])), path)
    sidecar = {"00080008": ["ORIGINAL", "PRIMARY", "AXIAL"], "00080018": [CT_UID]}
    save_sidecar(path, sidecar | tags)


# Tables


def labels_text():
    """Labels as in iteration 1: lists separated by tabs inside quoted cells."""
    return (
        f"{COLUMNS}\n"
        "0\tsub-S00001\tses-E00001\tRx de torax, con consolidacion.\t"
        "\"['COVID 19'\t ' consolidation'\t '']\"\t\"[' loc right'\t ' loc lower lobe']\"\t"
        '"[]"\t"[C5203670\tC0521530]"\t"[C1\tC2]"\n'
        "1\tsub-S00002\tses-E00002\tSin hallazgos.\t['normal']\t[]\t[]\t[C0205307]\t[]\n"
        "2\tsub-S00003\tses-E00003\tTC.\t['COVID 19']\t[]\t[]\t[C5203670]\t[]\n"
        "3\tsub-S00009\tses-E00009\tSin imagen.\t['COVID 19']\t[]\t[]\t[C5203670]\t[]\n"
    )


def corrected_text():
    return (
        f"{COLUMNS}\n"
        "0\tsub-S00001\tses-E00001\tRx de torax, con consolidacion.\t"
        "['consolidation']\t[]\t[]\t[C0521530]\t[]\n"
        "1\tsub-S00002\tses-E00002\tSin hallazgos.\t[]\t[]\t[]\t[]\t[]\n"
    )


TREE_TEXT = """\
radiological finding [CUI:C0000001, counts:9, 9] \\\\
├── infiltrates [CUI:C0277877, counts:3, 3] \\\\
│   ├── interstitial pattern [CUI:C2073538, counts:1, 1] \\\\
│   └── consolidation [CUI:C0521530, counts:2, 2] \\\\
└── normal [CUI:C0205307, counts:1, 1] \\\\
differential diagnosis [CUI:C0011906, counts:4, 4] \\\\
└── COVID 19 [CUI:C5203670, counts:4, 4] \\\\
"""


# ROI files, as the viewer of XNAT wrote them in 2020


def aim(uid, *rois, series=None):
    """An AIM document with regions of boxes, each ``(name, boxes)``."""
    annotations = "".join(_annotation(uid, series or f"{uid}.1", *roi) for roi in rois)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ImageAnnotationCollection xmlns="{NS}" '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" aimVersion="AIMv4_0" '
        f'xsi:schemaLocation="{NS} AIM_v4_rv44_XML.xsd">\n'
        '    <uniqueIdentifier root="a.1.b"/>\n'
        '    <dateTime value="20200601120000"/>\n'
        '    <description value="ROIs"/>\n'
        '    <user>\n        <name value="reader"/>\n        <roleInTrial/>\n    </user>\n'
        "    <person>\n        <name/>\n    </person>\n"
        f"    <imageAnnotations>\n{annotations}    </imageAnnotations>\n"
        "</ImageAnnotationCollection>"
    )


def _annotation(uid, series, name, boxes):
    step = " " * 8
    markups = "".join(_markup(uid, number, box) for number, box in enumerate(boxes))
    lines = (
        "<ImageAnnotation>",
        '    <uniqueIdentifier root="c.2.d"/>',
        '    <typeCode code="AnyClosedShape" codeSystem=" "/>',
        '    <dateTime value="20200601120000"/>',
        f"    <name value={quoteattr(name)}/>" if name else "    <name/>",
        "    <markupEntityCollection>",
        f"{markups}            </markupEntityCollection>",
        "    <imageReferenceEntityCollection>",
        '        <ImageReferenceEntity xsi:type="DicomImageReferenceEntity">',
        '            <uniqueIdentifier root="e.3.f"/>',
        '            <imageStudy><instanceUid root="1.2.840.113654.2.70.1.1"/>',
        f'                <imageSeries><instanceUid root="{series}"/><modality code="CR"/>',
        "                    <imageCollection>",
        '                        <Image><sopClassUid root="1.2.840.10008.5.1.4.1.1.1"/>',
        f'                            <sopInstanceUid root="{uid}"/></Image>',
        "                    </imageCollection></imageSeries></imageStudy>",
        "        </ImageReferenceEntity>",
        "    </imageReferenceEntityCollection>",
        "</ImageAnnotation>",
    )
    return "".join(
        line if line.startswith(" " * 12 + "<MarkupEntity") else f"{step}{line}\n" for line in lines
    ).replace(f"{step}{markups}", markups)


def _markup(uid, number, box):
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    points = "".join(
        f'{" " * 20}<TwoDimensionSpatialCoordinate><coordinateIndex value="{index}"/>'
        f'<x value="{x}"/><y value="{y}"/></TwoDimensionSpatialCoordinate>\n'
        for index, (x, y) in (*enumerate(corners), (0, corners[0]))
    )
    return (
        f'            <MarkupEntity xsi:type="TwoDimensionPolyline">\n'
        f'                <uniqueIdentifier root="9.{number}.a"/>\n'
        f'                <shapeIdentifier value="{number}"/>\n'
        '                <includeFlag value="true"/>\n'
        f'                <imageReferenceUid root="{uid}"/>\n'
        '                <referencedFrameNumber value="1"/>\n'
        "                <twoDimensionSpatialCoordinateCollection>\n"
        f"{points}"
        "                </twoDimensionSpatialCoordinateCollection>\n"
        "            </MarkupEntity>\n"
    )


def box_mask(*boxes):
    """(Y, X) bool: the pixels inside boxes."""
    mask = np.zeros(SHAPE, bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


# For tests of their own


def reading(dataset, case=CR, at=None):
    (found,) = dataset.readings(case, at=at)
    return found


def with_answer(found, *labels):
    return Reading(found.reader, found.masks, answers={"findings": labels})


def with_masks(found, *masks):
    return Reading(found.reader, masks, answers=found.answers)


def new_mask(dataset, case, code, *boxes, present=None):
    """A mask that is offered for a reading, painted."""
    offers = dataset.offers(case, present or reading(dataset, case))
    offer = next(offer for offer in offers if offer.segments[0].code == code)
    labels = box_mask(*boxes)[None].astype(np.uint8) * offer.segments[0].value
    return Mask(offer.name, labels, offer.segments)


def group(dataset, title, case=CR):
    """The rows of a group of facts."""
    found = {one.title: list(one.rows) for one in dataset.about(case)}
    return found.get(title, [])


def told(problems, word):
    """The one problem whose text holds the word."""
    found = [problem for problem in problems if word in str(problem)]
    assert len(found) == 1, [str(p) for p in problems]
    return found[0]


def regions(path):
    """Name and mask of each region of a ROI file, read without our code."""
    found = ET.parse(path).iter(f"{{{NS}}}ImageAnnotation")
    return [(roi.find(f"{{{NS}}}name").get("value"), region(roi)) for roi in found]


def rows(path):
    """The rows of a TSV file without quoted line ends."""
    return [line.split("\t") for line in path.read_bytes().decode().split("\n")]


# For the contract


def paint_one(reading):
    """The reading with one more pixel of the first region, and one more label."""
    masks = [paint(mask) for mask in reading.masks[:1]]
    answers = {"findings": (*reading.answers["findings"], "interstitial pattern")}
    return type(reading)(reading.reader, (*masks, *reading.masks[1:]), answers=answers)


def paint(mask, y=1, x=1):
    """The mask with one more pixel."""
    labels = mask.labels.copy()
    labels[0, y, x] = mask.segments[0].value
    return type(mask)(mask.name, labels, mask.segments)


def painted_records(case_id):
    """What `paint_one` changes in `records`."""
    file, session, labels, cuis = {
        CR: (
            CR_ROI,
            "ses-E00001",
            "['consolidation'\t ' interstitial pattern']",
            "[C0521530\tC2073538]",
        ),
        DX: (DX_ROI, "ses-E00002", "['interstitial pattern']", "[C2073538]"),
    }[case_id]
    return {
        (file, 0, 1, 1): True,
        (CORRECTED, session, "Labels"): labels,
        (CORRECTED, session, "labelCUIS"): cuis,
    }


def records(folder):
    """Every record of the annotation files, by xml.etree, csv and scikit-image."""
    found = {}
    for path in sorted(folder.rglob("*_roi.xml")):
        name = path.relative_to(folder).as_posix()
        for index, roi in enumerate(ET.parse(path).iter(f"{{{NS}}}ImageAnnotation")):
            found[name, index, "name"] = roi.find(f"{{{NS}}}name").get("value")
            found |= {(name, index, *at): bool(v) for at, v in np.ndenumerate(region(roi))}
    for path in sorted(folder.rglob("labels_corrected.tsv")):
        name = path.relative_to(folder).as_posix()
        text = io.StringIO(path.read_text(encoding="utf-8"), newline="")
        for row in csv.DictReader(text, delimiter="\t"):
            found |= {(name, row["ReportID"], column): cell for column, cell in row.items()}
    return found


def region(roi, shape=SHAPE):
    """(Y, X) bool of an annotation element."""
    mask = np.zeros(shape, bool)
    for markup in roi.iter(f"{{{NS}}}MarkupEntity"):
        points = [
            [float(c.find(f"{{{NS}}}{axis}").get("value")) - 0.5 for axis in "yx"]
            for c in markup.iter(f"{{{NS}}}TwoDimensionSpatialCoordinate")
        ]
        mask |= polygon2mask(shape, points)
    return mask


def add_unknown(root):
    """What no reader of the dataset knows, inside the annotation files and beside them."""
    for name in (CR_ROI, DX_ROI):
        text = (root / name).read_text()
        more = '<!-- mine --><comment value="a > b"/><MarkupEntity2 value="1"/>'
        write(
            root / name, text.replace("<markupEntityCollection>", f"{more}<markupEntityCollection>")
        )
    with (root / CORRECTED).open("a", newline="") as file:
        file.write("7\tsub-S00099\tses-E00099\t\"a\nb\"\t[ 'x' ]\t\t\t\t\r\n")
    write((root / DX_ROI).with_name("notes.txt"), "mine")
    write((root / DX_ROI).with_name("other.xml"), "<other/>")


def images(root, case_id):
    return [root / case_id]
