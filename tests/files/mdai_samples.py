"""Builds small MD.ai exports in many styles, and takes them apart with `json` alone."""

import json
import re
from typing import NamedTuple

ROOT = "1.2.826.0.1.3680043.10.474.419639"
STUDY = f"{ROOT}.1"
OTHER_STUDY = f"{ROOT}.13"
SERIES = f"{STUDY}.2"
SOP = f"{SERIES}.57"
OTHER_SOP = f"{SERIES}.58"
TIME = "2020-08-01T12:05:00.250Z"
SQUARE = [[2, 3], [9.25, 3], [9.25, 8.125], [2, 8.125]]


class Number(NamedTuple):
    """A number with its text in the file."""

    text: str


def label(id_, name, scope="INSTANCE", mode="freeform", **other):
    return {
        "id": id_,
        "parentId": None,
        "createdAt": TIME,
        "updatedAt": TIME,
        "name": name,
        "shortName": name[:2].upper(),
        "description": "",
        "color": "#d500f9",
        "type": "LOCAL" if mode else "GLOBAL",
        "scope": scope,
        "annotationMode": mode,
        "radlexTagIds": [],
        **other,
    }


OPACITY = label("L_opac01", "Infectious opacity")
TYPICAL = label("L_typ001", "Typical", "STUDY", None, parentId="L_inf001")


def group(id_="G_purpl1", name="Purple Group 1", labels=(OPACITY, TYPICAL)):
    return {
        "id": id_,
        "createdAt": TIME,
        "updatedAt": TIME,
        "name": name,
        "description": "",
        "type": "STANDARD",
        "labels": list(labels),
    }


def annotation(id_, data=None, label_id="L_opac01", sop=SOP, study=STUDY, **other):
    """One annotation of an image, or of a study where ``sop`` is None."""
    place = {"StudyInstanceUID": study}
    if sop is not None:
        place |= {"SeriesInstanceUID": SERIES, "SOPInstanceUID": sop}
    local = sop is not None
    return {
        "id": id_,
        "parentId": None,
        "isImported": False,
        "createdAt": TIME,
        "createdById": "U_aaaaa1",
        "updatedAt": TIME,
        "updatedById": "U_aaaaa1",
        "modelId": None,
        **place,
        "labelId": label_id,
        "annotationNumber": 12 if local else None,
        "height": 32 if local else None,
        "width": 40 if local else None,
        "data": data,
        "note": None,
        "radlexTagIds": [],
        "reviewsPositiveCount": 0,
        "reviewsNegativeCount": 0,
    } | other


def ring(id_, vertices=SQUARE, **other):
    return annotation(id_, {"vertices": vertices}, **other)


def answer(id_, **other):
    return annotation(id_, label_id="L_typ001", sop=None, **other)


def dataset(*annotations, id_="D_demo01", studies=((STUDY, 1), (OTHER_STUDY, "2"))):
    return {
        "id": id_,
        "type": "DICOM",
        "createdAt": TIME,
        "updatedAt": TIME,
        "name": "CT",
        "description": "",
        "studies": [{"StudyInstanceUID": uid, "number": number} for uid, number in studies],
        "annotations": list(annotations),
    }


def export(*datasets, groups=None):
    return {
        "id": "MwExample",
        "createdAt": TIME,
        "updatedAt": TIME,
        "name": "RICORD demo",
        "description": "",
        "isPrivate": True,
        "users": [{"id": "U_aaaaa1", "name": "Reader 1", "email": ""}],
        "labelGroups": [group()] if groups is None else groups,
        "datasets": list(datasets),
    }


def compact(value):
    return written(value, ",", ":")


def one_per_line(value):
    """Compact but for a line end before each annotation."""
    text = compact(value)
    return re.sub(r'(?<=[\[,])(?=\{"id":"A_)', "\n   ", text)


STYLES = {
    "compact": compact,
    "spaced": lambda value: written(value, ", ", ": "),
    "indent 2": lambda value: written(value, ",", ": ", "\n", "  "),
    "tabs": lambda value: written(value, ",", ": ", "\n", "\t"),
    "Windows": lambda value: written(value, ",", ": ", "\r\n", "    "),
    "one per line": one_per_line,
    "escaped": lambda value: written(value, ",", ":", escape=True),
}


def written(value, between, colon, line="", step="", depth=0, escape=False):
    """A value as JSON, as `json.dumps` writes it but for numbers that say how."""
    if isinstance(value, Number):
        return value.text
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=escape)
    inner, outer = (line + step * n if line else "" for n in (depth + 1, depth))
    style = (between, colon, line, step, depth + 1, escape)
    if isinstance(value, list):
        parts, brackets = [written(one, *style) for one in value], "[]"
    else:
        parts = [
            json.dumps(k, ensure_ascii=escape) + colon + written(v, *style)
            for k, v in value.items()
        ]
        brackets = "{}"
    return brackets[0] + inner + (between + inner).join(parts) + outer + brackets[1]


DECODER = json.JSONDecoder(parse_int=str)


def parts(text, start=0):
    """The elements of an array, or the values of an object by their keys, as texts.

    Both with where they begin; ``start`` is where the array or object does.
    """
    found = []
    at = after_blanks(text, start + 1)
    while text[at] not in "]}":
        key = None
        if text[start] == "{":
            key, at = DECODER.raw_decode(text, at)
            at = after_blanks(text, after_blanks(text, at) + 1)
        stop = DECODER.raw_decode(text, at)[1]
        found.append((key, at, text[at:stop]))
        at = after_blanks(text, stop)
        if text[at] == ",":
            at = after_blanks(text, at + 1)
    return found


def after_blanks(text, at):
    return re.compile(r"\s*").match(text, at).end()


def member(text, key):
    """The text of an object's value."""
    return next(value for name, _, value in parts(text) if name == key)


def annotation_texts(text):
    """The texts of the annotations, a list for each dataset."""
    datasets = parts(member(text.strip(), "datasets"))
    return [[one for *_, one in parts(member(d, "annotations"))] for *_, d in datasets]


def around(text):
    """What stands around the annotations' arrays."""
    pieces, position = [], 0
    start = next(at for key, at, _ in parts(text, after_blanks(text, 0)) if key == "datasets")
    for _, at, _ in parts(text, start):
        for key, begin, value in parts(text, at):
            if key == "annotations":
                pieces.append(text[position : begin + 1])
                position = begin + len(value) - 1
    return [*pieces, text[position:]]


def without(text, keys):
    """An object's text without the values of these keys."""
    pieces, position = [], 0
    for key, at, value in parts(text):
        if key in keys:
            pieces.append(text[position:at])
            position = at + len(value)
    return [*pieces, text[position:]]
