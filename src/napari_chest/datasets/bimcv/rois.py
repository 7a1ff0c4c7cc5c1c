"""ROI files: which image each belongs to, and its findings as masks of that image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.datasets.bimcv.findings import mask_names, segments_of
from napari_chest.datasets.bimcv.layout import likeness
from napari_chest.datasets.bimcv.names import bare, image_key, roi_key
from napari_chest.datasets.bimcv.sidecars import SERIES
from napari_chest.model import Mask, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy.typing as npt

    from napari_chest.datasets.bimcv.names import ImageName
    from napari_chest.datasets.bimcv.sidecars import ImageSidecar
    from napari_chest.files.aim import AimFile, AimRoi
    from napari_chest.model import Segment


@dataclass(frozen=True, eq=False)
class PlacedRoi:
    """One finding of a ROI file.

    Attributes
    ----------
    file : path of the file, relative to the folder it was read from.
    index : which of the file's findings it is.
    name : of its mask.
    segment : what it shows.
    image_uid : of the image that its outlines are on; None where that cannot be told. It may be
        empty for a finding without outlines.
    foreign : whether that is not the image's own UID as its sidecar tells it.
    others : how many of its markups cannot be shown.
    """

    file: str
    index: int
    name: str
    segment: Segment
    image_uid: str | None
    foreign: bool
    others: int


class Owners:
    """Which images the ROI files belong to.

    A file named after an image belongs to it. Any other belongs to the images whose UID its
    outlines refer to, or to the only image of a series that it names.
    """

    def __init__(
        self, images: Iterable[ImageName], sidecar_of: Callable[[ImageName], ImageSidecar]
    ) -> None:
        self._images = tuple(images)
        self._sidecar_of = sidecar_of
        self._known: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[ImageName, ...]] = {}

    def by_name(self, file: str) -> ImageName | None:
        """The image that a ROI file is named after; None where it is named after none."""
        key = roi_key(file)
        images = self._images_by_key.get(key, ()) if key else ()
        # An image may lie in two collections; then each has the files of its own derivatives.
        return max(images, key=lambda image: likeness(file, image.collection), default=None)

    def images_of(self, file: str, aim: AimFile) -> tuple[ImageName, ...]:
        """The images that a ROI file belongs to."""
        return self._images_of(file, aim.image_uids, aim.series_uids)

    def of_new(self, file: str, image: ImageName) -> tuple[ImageName, ...]:
        """The images that a file would belong to once it is made for an image."""
        sidecar = self._sidecar_of(image)
        image_uids, series_uids = (
            tuple(filter(None, [uid])) for uid in (sidecar.image_uid, sidecar.text(SERIES))
        )
        return self._images_of(file, image_uids, series_uids)

    def _images_of(
        self, file: str, image_uids: tuple[str, ...], series_uids: tuple[str, ...]
    ) -> tuple[ImageName, ...]:
        if named := self.by_name(file):
            return (named,)
        key = (file, image_uids, series_uids)
        if key not in self._known:
            self._known[key] = self._by_uid(file, set(image_uids), set(series_uids))
        return self._known[key]

    @cached_property
    def _images_by_key(self) -> dict[str, list[ImageName]]:
        found: dict[str, list[ImageName]] = {}
        for image in self._images:
            found.setdefault(image_key(image.stem), []).append(image)
        return found

    def _by_uid(
        self, file: str, image_uids: set[str], series_uids: set[str]
    ) -> tuple[ImageName, ...]:
        found: dict[str, ImageName] = {}
        of_series = []
        for image in self._candidates(file):
            sidecar = self._sidecar_of(image)
            if sidecar.image_uid in image_uids:
                # Images may share an identifier; were a region on all of them, correcting it on
                # one would change the others.
                found.setdefault(sidecar.image_uid, image)
            elif sidecar.text(SERIES) in series_uids:
                of_series.append(image)
        return tuple(found.values()) or tuple(of_series if len(of_series) == 1 else ())

    def _candidates(self, file: str) -> Iterable[ImageName]:
        """The images whose session, else whose subject is named in the path; else all."""
        folded = file.casefold()
        for code in ("session", "subject"):
            near = [i for i in self._images if f"-{bare(getattr(i, code)).casefold()}" in folded]
            if near:
                return near
        return self._images


def place_rois(
    files: Mapping[str, AimFile], image: ImageName, sidecar: ImageSidecar
) -> list[PlacedRoi]:
    """The findings of the ROI files of one image, in the order of the files' names.

    A file that is not named after the image may speak of other images too; those findings are left
    out. What cannot be placed has a name all the same, so that no other finding takes it.
    """
    concerned = []
    for file in sorted(files):
        named = roi_key(file) == image_key(image.stem)
        by_image = not named and sidecar.image_uid in files[file].image_uids
        for index, roi in enumerate(files[file].rois):
            uid = _image_uid(roi, sidecar.image_uid) if image.takes_outlines else None
            foreign = bool(uid and sidecar.image_uid and uid != sidecar.image_uid)
            if not (by_image and (foreign or uid is None)):
                concerned.append((file, index, roi, uid, foreign))
    stored = [roi.name for _, _, roi, _, _ in concerned]
    names, segments = mask_names(stored), segments_of(stored, image.modality)
    return [
        PlacedRoi(file, index, name, segment, uid, foreign, roi.others)
        for (file, index, roi, uid, foreign), name, segment in zip(
            concerned, names, segments, strict=True
        )
    ]


def mask_of(roi: PlacedRoi, aim: AimFile, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where a finding is, (Y, X) bool."""
    return aim.mask(roi.index, shape, None if not roi.image_uid else {roi.image_uid})


def masks(
    files: Mapping[str, AimFile], image: ImageName, sidecar: ImageSidecar, shape: tuple[int, int]
) -> tuple[Mask, ...]:
    """The findings that can be shown, each as a mask of (1, Y, X) uint8."""
    return tuple(
        Mask(
            roi.name,
            mask_of(roi, files[roi.file], shape)[None].astype(np.uint8) * roi.segment.value,
            (roi.segment,),
        )
        for roi in place_rois(files, image, sidecar)
        if roi.image_uid is not None
    )


def roi_problems(rois: Iterable[PlacedRoi], image: ImageName) -> list[Problem]:
    """What a person should know of an image's ROI files."""
    rois = list(rois)
    problems = []
    if unplaced := [roi for roi in rois if roi.image_uid is None]:
        why = (
            "their outlines are on several images, none of which is this one by its sidecar"
            if image.takes_outlines
            else "the ROI files name slices by UIDs that the image does not carry"
        )
        names = ", ".join(roi.name for roi in unplaced)
        text = f"Unplaced and not shown, but kept on saving, because {why}: {names}."
        problems.append(Problem("note", text, _files(unplaced)))
    if foreign := [roi for roi in rois if roi.foreign]:
        text = (
            "The ROI file is named after this image, but refers to an image of another UID than "
            "the sidecar tells; its outlines are shown on this one."
        )
        problems.append(Problem("warning", text, _files(foreign)))
    if others := [roi for roi in rois if roi.others]:
        names = ", ".join(roi.name for roi in others)
        text = f"Some markups are no closed outlines; they are not shown, but kept: {names}."
        problems.append(Problem("warning", text, _files(others)))
    return problems


def _image_uid(roi: AimRoi, own: str) -> str | None:
    uids = {polygon.image_uid for polygon in roi.polygons}
    if not uids or own in uids:
        return own
    return next(iter(uids)) if len(uids) == 1 else None


def _files(rois: Iterable[PlacedRoi]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(roi.file for roi in rois))
