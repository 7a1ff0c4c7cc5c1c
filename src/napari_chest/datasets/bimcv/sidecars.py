"""Which sidecar tells what of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from napari_chest.datasets.bimcv.names import ImageName, without_acquisition
from napari_chest.errors import ReadError
from napari_chest.files.names import natural_key
from napari_chest.files.sidecar import Sidecar, read_sidecar
from napari_chest.model import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.datasets.bimcv.layout import Listing

IMAGE_TYPE: Final = "00080008"
SOP_CLASS: Final = "00080016"
SOP_INSTANCE: Final = "00080018"
STUDY_DATE: Final = "00080020"
STUDY_TIME: Final = "00080030"
SERIES_DESCRIPTION: Final = "0008103E"
STUDY: Final = "0020000D"
SERIES: Final = "0020000E"
ROWS: Final = "00280010"
COLUMNS: Final = "00280011"

_LOCALIZERS: Final = ("LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW")
_REFORMATS: Final = ("MPR", "MIP", "MINIP", "REFORMATTED", "PROJECTION IMAGE", "CSA MPR")


@dataclass(frozen=True)
class ImageSidecar:
    """What is known of an image from the JSON files beside it.

    Attributes
    ----------
    sidecar : None where there is none, or it cannot be read.
    path : of the file, relative to the root; empty where there is none.
    own : whether it has the image's own name, so that its UIDs are the image's.
    problems : what a person should know of it.
    """

    sidecar: Sidecar | None
    path: str = ""
    own: bool = False
    problems: tuple[Problem, ...] = ()

    def text(self, tag: str) -> str:
        """An element as text; empty where it is not known."""
        return "" if self.sidecar is None else self.sidecar.text(tag)

    @property
    def image_uid(self) -> str:
        """SOP Instance UID of the image; empty where no sidecar of its own tells it."""
        return self.text(SOP_INSTANCE) if self.own else ""

    @property
    def kind(self) -> str:
        """``localizer`` or ``reformat`` where the image says it is no acquisition of slices."""
        kinds = self.text(IMAGE_TYPE).upper().split("\\")
        words = self.text(SERIES_DESCRIPTION).upper().replace("_", " ").split()
        if any(name in (*kinds, *words) for name in _LOCALIZERS):
            return "localizer"
        return "reformat" if any(name in (*kinds, *words) for name in _REFORMATS) else ""


def find_sidecar(image: ImageName, listing: Listing) -> tuple[str, bool]:
    """The path of an image's sidecar and whether it is its own; an empty path where none fits.

    Files of one series differ in ``acq-`` alone and often share one sidecar.
    """
    stems = {
        path.rpartition("/")[2][: -len(".json")]: path
        for path in sorted(listing.sidecars.get(image.folder, ()), key=natural_key)
    }
    if image.stem in stems:
        return stems[image.stem], True
    alike = image.without_acquisition
    return next((p for s, p in stems.items() if without_acquisition(s) == alike), ""), False


def load_sidecar(root: Path, image: ImageName, listing: Listing) -> ImageSidecar:
    """Read what is known of an image; a sidecar that cannot be read is a problem."""
    path, own = find_sidecar(image, listing)
    if not path:
        return ImageSidecar(None)
    problems = []
    if not own:
        text = (
            "The image has no sidecar of its own; what is shown of it comes from that of another "
            "image of the same series."
        )
        problems.append(Problem("warning", text, (path,)))
    try:
        return ImageSidecar(read_sidecar(root / path), path, own, tuple(problems))
    except ReadError as error:
        text = f"The sidecar cannot be read, so the image is shown without what it says. {error}"
        return ImageSidecar(None, path, own, (Problem("warning", text, (path,)),))
