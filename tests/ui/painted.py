"""A dataset in memory for tests of the window: masks on thick slices, answers, a radiograph."""

import numpy as np

from napari_chest import findings
from napari_chest.datasets import Dataset
from napari_chest.geometry import spacing_affine
from napari_chest.model import (
    CaseInfo,
    FactGroup,
    Grid,
    Mask,
    MaskOffer,
    Problem,
    Question,
    Reading,
    Volume,
    VolumeStream,
)

SHAPE, SPACING = (12, 60, 50), (8.0, 0.8, 0.8)
LESIONS = (findings.GROUND_GLASS.segment(1), findings.CONSOLIDATION.segment(2))
WHOLE = (findings.OPACITY.segment(1, "Ground glass or consolidation"),)
PARTS = (*LESIONS, findings.OPACITY.segment(3, "Not yet split"))
SEVERITY = Question("severity", "Severity", ("none", "mild", "severe"))
LABELS = Question("findings", "Findings", ("pneumonia", "pleural effusion", "nodule"), True)


def grid(shape=SHAPE, spacing=SPACING, **how):
    ids = tuple(map(str, range(shape[0])))
    return Grid(shape, spacing_affine(spacing), ids, **how)


def lesions():
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:7, 20:30, 10:20] = 1
    labels[5, 40:45, 30:40] = 2
    return labels


class Painted(Dataset):
    """`ct`: a mask of two segments; `bare`: none; `whole`: one to tell apart; `xray`: two."""

    name, title = "painted", "Painted"
    list_facts = ("Mask",)

    def __init__(self, root):
        super().__init__(root)
        self.state = {
            "ct": Reading(
                "them", (Mask("lesions", lesions(), LESIONS),), None, {"severity": ("mild",)}
            ),
            "bare": Reading("them", answers={"severity": ()}),
            "whole": Reading("them", (Mask("whole", (lesions() > 0).astype(np.uint8), WHOLE),)),
            "xray": Reading(
                "them",
                tuple(
                    Mask(name, labels, (segment,))
                    for name, labels, segment in (
                        ("effusion", square(5, 25, 3), findings.PLEURAL_EFFUSION.segment(3)),
                        ("consolidation", square(15, 40, 2), findings.CONSOLIDATION.segment(2)),
                    )
                ),
                None,
                {"findings": ("pneumonia",)},
            ),
        }

    @classmethod
    def missing(cls, root):
        return ["it lives in memory"]

    def cases(self):
        return [
            CaseInfo(name, name, "DX" if name == "xray" else "CT", {"Mask": "yes"})
            for name in self.state
        ]

    @property
    def questions(self):
        return (SEVERITY, LABELS)

    def offers(self, case_id, reading):
        names = {mask.name for mask in reading.masks}
        if "whole" in names:
            return () if "parts" in names else (MaskOffer("Split", "parts", PARTS, "whole"),)
        return () if names else (MaskOffer("Begin a mask", "lesions", LESIONS),)

    def about(self, case_id):
        rows = (("", "Sin hallazgos\nen el resto"), ("opacity", "C1"), ("  consolidation", "C2"))
        return (FactGroup("Report", rows),)

    def stream(self, case_id, first=None):
        if case_id == "xray":
            voxels = np.arange(60 * 50, dtype=np.uint16).reshape(1, 60, 50)
            place = grid((1, 60, 50), (1.0, 0.2, 0.2), placed=False, calibration="detector")
            return VolumeStream(Volume(voxels, place, "DX", None, True), iter_once(1))
        voxels = np.full(SHAPE, -800, np.int16)
        return VolumeStream(Volume(voxels, grid(), "CT"), iter_once(SHAPE[0]))

    def readings(self, case_id, at=None):
        return (self.state[case_id],)

    def problems(self, case_id=None):
        return [Problem("note", "A note of the case.")] if case_id else []

    def annotation_files(self, at=None):
        return ()

    def write(self, case_id, readings, out):
        raise NotImplementedError

    def compare(self, before, after):
        raise NotImplementedError


def square(low, high, value):
    labels = np.zeros((1, 60, 50), np.uint8)
    labels[0, low:high, low:high] = value
    return labels


def iter_once(slices):
    yield from sorted(range(slices), key=lambda z: abs(z - slices // 2))
