"""What is true of the synthetic BIMCV COVID-19, whatever its files say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from napari_chest.findings import CONSOLIDATION, GROUND_GLASS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from napari_chest.phantom.bimcv.layout import Release
    from napari_chest.phantom.bimcv.sidecars import Modality

FINDINGS = {1: GROUND_GLASS.name, 2: CONSOLIDATION.name}
"""Names of the findings in the truth, by opacity number."""


@dataclass(frozen=True, eq=False)
class ImageTruth:
    """What is true of one image, whatever its labels and outlines say.

    Attributes
    ----------
    subject, session : such as ``sub-S00001`` and ``ses-E00001``.
    path : its file.
    sidecar : the JSON beside it, or None where there is none.
    roi : the file of its outlines, or None where there is none.
    modality : CR, DX or CT.
    view : ``pa``, ``ap`` or ``lateral``; of a CT ``axial`` or ``coronal``.
    inverted : whether small stored values are bright.
    pixels : a radiograph's stored values, (Y, X); a CT's Hounsfield units in display order, of a
        coronal one from front to back, head to feet, right to left.
    findings : name to a bool array of the shape of ``pixels``, where the finding is seen.
    """

    subject: str
    session: str
    path: Path
    sidecar: Path | None
    roi: Path | None
    modality: Modality
    view: str
    inverted: bool
    pixels: npt.NDArray[Any]
    findings: Mapping[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class BimcvMistake:
    """A deliberate error in the dataset.

    Attributes
    ----------
    session : of the image or of the label row.
    kind : what is wrong.
    finding : its name.
    path : the file that has it, relative to the root.
    said, true : (Y, X) bool, where an outline lies and where the finding is seen; None for labels.
    text : one sentence about it.
    """

    session: str
    kind: Literal["wrong lung", "missing label"]
    finding: str
    path: str
    said: npt.NDArray[np.bool_] | None
    true: npt.NDArray[np.bool_] | None
    text: str


@dataclass(frozen=True, eq=False)
class BimcvPhantom:
    """A synthetic dataset on disk and what is true of it.

    Attributes
    ----------
    root : the folder to open.
    release : as which it is laid out.
    images : the truth of each image that shows a chest, scouts aside.
    mistakes : where the dataset departs from the truth.
    """

    root: Path
    release: Release
    images: tuple[ImageTruth, ...]
    mistakes: tuple[BimcvMistake, ...]

    def image(self, name: str) -> ImageTruth:
        """The truth of the image with this file name."""
        return next(truth for truth in self.images if truth.path.name == name)
