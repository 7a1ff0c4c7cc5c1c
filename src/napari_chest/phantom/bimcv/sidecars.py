"""The JSON files beside the images of BIMCV COVID-19: DICOM headers of synthetic exposures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydicom.datadict import dictionary_description, dictionary_VR
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
)

from napari_chest.phantom.aim import ReferencedImage

if TYPE_CHECKING:
    import numpy as np

    from napari_chest.phantom.patient import Sex

Modality = Literal["CR", "DX", "CT"]
Windows = Literal["one", "several", "none"]

_SOP_CLASSES: dict[Modality, str] = {
    "CR": ComputedRadiographyImageStorage,
    "DX": DigitalXRayImageStorageForPresentation,
    "CT": CTImageStorage,
}


@dataclass(frozen=True)
class Acquisition:
    """What a header says of one image.

    Attributes
    ----------
    image : its identifiers, modality, date and time.
    sex, age : of the patient, in years.
    view : View Position, or the plane of a CT.
    size : (rows, columns).
    spacing : (y, x) mm in the patient.
    bits : Bits Stored.
    inverted : whether small values are bright (MONOCHROME1).
    windows : how many grey windows the header has.
    calibrated : whether Pixel Spacing is there beside Imager Pixel Spacing.
    """

    image: ReferencedImage
    sex: Sex
    age: int
    view: str
    size: tuple[int, int]
    spacing: tuple[float, float]
    bits: int
    inverted: bool = False
    windows: Windows = "one"
    calibrated: bool = False


def referenced_image(
    modality: Modality, date: str, time: str, study: str, rng: np.random.Generator
) -> ReferencedImage:
    """A new image of a study, with identifiers of its own."""
    return ReferencedImage(
        str(_SOP_CLASSES[modality]), new_uid(rng), new_uid(rng), study, modality, date, time
    )


def new_uid(rng: np.random.Generator) -> str:
    """A DICOM UID; 2.25 is the root for those made from random numbers."""
    return f"2.25.{rng.integers(10**17, 10**18)}{rng.integers(10**17, 10**18)}"


def dicom_json(made: Acquisition) -> bytes:
    """The DICOM JSON Model in one line with sorted keys."""
    elements = _elements(made)
    model = {tag: _element(tag, values) for tag, values in elements.items()}
    model["00082218"] = {
        "Value": [{"00080104": {"Value": ["Chest"], "vr": "LO"}}],
        "vr": "SQ",
    }
    model["00100010"] = {"Value": [{"Alphabetic": "000000"}], "vr": "PN"}
    return json.dumps(model, sort_keys=True).encode()


def result_set(made: Acquisition) -> bytes:
    """The older shape: a list of elements whose values are text, joined by backslashes."""
    rows = [
        {
            "tag1": f"({tag[:4]},{tag[4:]})",
            "tag2": "",
            "vr": dictionary_VR(int(tag, 16)).split(" or ")[0],
            "value": "\\".join(str(value) for value in values),
            "desc": dictionary_description(int(tag, 16)),
        }
        for tag, values in sorted(_elements(made).items())
    ]
    return json.dumps({"ResultSet": {"Result": rows, "totalRecords": str(len(rows))}}).encode()


def _element(tag: str, values: tuple[Any, ...]) -> dict[str, Any]:
    vr = dictionary_VR(int(tag, 16)).split(" or ")[0]
    return {"Value": list(values), "vr": vr} if values else {"vr": vr}


def _elements(made: Acquisition) -> dict[str, tuple[Any, ...]]:
    image = made.image
    radiograph = image.modality != "CT"
    elements: dict[str, tuple[Any, ...]] = {
        "00080005": ("ISO_IR 100",),
        "00080008": ("ORIGINAL", "PRIMARY") if radiograph else ("ORIGINAL", "PRIMARY", made.view),
        "00080016": (image.sop_class,),
        "00080018": (image.sop_instance,),
        "00080020": (image.date,),
        "00080030": (image.time,),
        "00080060": (image.modality,),
        "00080070": ("Synthetic",),
        "00081030": ("T?RAX",),  # as published: the letter was lost on the way
        "0008103E": (),
        "00100020": ("000000",),
        "00100040": (made.sex,),
        "00101010": (f"{made.age:03d}Y",),
        "00180015": ("CHEST" if radiograph else "TORAX",),
        "0020000D": (image.study,),
        "0020000E": (image.series,),
        "00200010": (),
        "00280002": (1,),
        "00280004": ("MONOCHROME1" if made.inverted else "MONOCHROME2",),
        "00280010": (made.size[0],),
        "00280011": (made.size[1],),
        "00280100": (8 if made.bits == 8 else 16,),
        "00280101": (made.bits,),
        "00280102": (made.bits - 1,),
        "00280103": (0 if radiograph else 1,),
    }
    if radiograph:
        # The detector stands behind the patient, who is magnified on it.
        elements["00181164"] = tuple(round(1.1 * mm, 5) for mm in made.spacing)
        elements["00185101"] = (made.view,)
        # Rows run to the feet, columns to the left or, from the side, to the back.
        elements["00200020"] = ("P" if made.view == "LL" else "L", "F")
        elements["20500020"] = ("INVERSE" if made.inverted else "IDENTITY",)
    if made.calibrated or not radiograph:
        elements["00280030"] = tuple(round(mm, 5) for mm in made.spacing)
    return elements | _windows(made)


def _windows(made: Acquisition) -> dict[str, tuple[Any, ...]]:
    if made.image.modality == "CT":
        centers, widths = (-600.0, 50.0), (1500.0, 350.0)
        rescale: dict[str, tuple[Any, ...]] = {"00281052": (0.0,), "00281053": (1.0,)}
    else:
        top = float(2**made.bits)
        centers, widths, rescale = (0.5 * top, 0.45 * top), (0.9 * top, 0.7 * top), {}
    count = {"none": 0, "one": 1, "several": 2}[made.windows]
    if not count:
        return rescale
    return rescale | {"00281050": centers[:count], "00281051": widths[:count]}
