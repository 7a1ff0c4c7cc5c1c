"""A case's reading brought into its ROI files and into the table of corrected labels."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest.datasets.bimcv.corrections import (
    empty_corrections,
    label_cells,
    released_cells,
)
from napari_chest.datasets.bimcv.layout import CORRECTED_NAME
from napari_chest.datasets.bimcv.rois import mask_of, place_rois
from napari_chest.datasets.bimcv.sidecars import SERIES, SOP_CLASS, STUDY, STUDY_DATE, STUDY_TIME
from napari_chest.datasets.bimcv.source import FINDINGS_KEY, READER, key_of
from napari_chest.errors import SaveError
from napari_chest.files.aim import AimImage, new_aim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from napari_chest.datasets.bimcv.folder import Annotations
    from napari_chest.datasets.bimcv.names import ImageName
    from napari_chest.datasets.bimcv.rois import PlacedRoi
    from napari_chest.datasets.bimcv.sidecars import ImageSidecar
    from napari_chest.datasets.bimcv.source import Source
    from napari_chest.files.aim import AimFile
    from napari_chest.model import Mask, Reading

    Wanted = dict[str, npt.NDArray[np.bool_]]


class Place(NamedTuple):
    """What has to be known of an image to write its masks.

    Attributes
    ----------
    shape : (Y, X) of the image; None where it takes no outlines or cannot be read.
    new_file : path of the ROI file that is made where the image has none; empty if it would be
        taken for another image's.
    """

    image: ImageName
    sidecar: ImageSidecar
    shape: tuple[int, int] | None
    new_file: str


def changed_files(
    source: Source,
    image: ImageName,
    reading: Reading,
    standing: Annotations,
    first_read: Annotations,
) -> dict[str, bytes]:
    """The annotation files that change to hold a reading of an image, by path.

    Parameters
    ----------
    standing : the annotation files that are to be corrected.
    first_read : the dataset's own before anything was corrected. Where a correction is taken back,
        what it replaced gets the bytes back that it had then.

    Raises
    ------
    SaveError
        when the files cannot hold the reading.
    """
    if reading.reader != READER:
        raise SaveError(
            f"{reading.reader} is no reader of this dataset, which has {READER} alone. "
            "Nothing was written."
        )
    files, broken = source.files_of(image, standing)
    if broken and reading.masks:
        raise SaveError(f"{broken[0].text} Nothing was written; move that file away first.")
    place = Place(image, source.sidecar(image), source.shape(image), source.new_roi_file(image))
    changed = _with_masks(place, files, source.files_of(image, first_read)[0], reading)
    if FINDINGS_KEY in reading.answers:
        first = source.first_image[key_of(image)]
        if first != image:
            raise SaveError(
                f"The findings of this session are corrected with {source.titles[first.path]}. "
                "Nothing was written."
            )
        answer = tuple(reading.answers[FINDINGS_KEY])
        changed |= _with_labels(source, image, answer, standing, first_read)
    return changed


def _with_masks(
    place: Place,
    files: Mapping[str, AimFile],
    as_read: Mapping[str, AimFile],
    reading: Reading,
) -> dict[str, bytes]:
    wanted = _wanted(place, reading)
    if place.shape is None or _same(wanted, _shown(place, files)):
        return {}
    if _may_restore(place, files, as_read) and _same(wanted, _shown(place, as_read)):
        found = dict(as_read)
    else:
        standing = _placed(place, files)
        added = [mask for mask in reading.masks if mask.name not in standing and mask.labels.any()]
        found = _with_new(place, _with_edits(place, files, wanted), added)
    return {
        name: file.content
        for name, file in found.items()
        if name not in files or files[name].content != file.content
    }


def _with_labels(
    source: Source,
    image: ImageName,
    answer: tuple[str, ...],
    standing: Annotations,
    first_read: Annotations,
) -> dict[str, bytes]:
    key = key_of(image)
    if answer == source.labels_of(key, standing):
        return {}
    tables, problems = standing.corrections
    if problems:
        raise SaveError(f"{problems[0].text} Nothing was written; move that file away first.")
    changed = {name: table.without(key) for name, table in tables.items() if key in table.rows}
    if answer != source.labels.of(key):
        name = next(iter(changed), _new_table(source, image))
        table = tables.get(name) or empty_corrections(source.labels, key)
        before = first_read.corrections[0].get(name)
        if before is not None and before.labels.get(key) == answer:
            row = before.rows[key]
        else:
            cells = table.cells_of(key) or released_cells(source.labels, image)
            cells |= label_cells(source.labels, source.terms, image, answer)
            row = table.new_row(cells)
        changed[name] = table.with_row(key, row)
    return {name: table.content for name, table in changed.items()}


def _new_table(source: Source, image: ImageName) -> str:
    """Where a session's corrected labels go: beside its released ones, or those of its kind."""
    rows = source.labels.rows.get(key_of(image))
    if rows:
        return f"{rows[0].table.rpartition('/')[0]}/{CORRECTED_NAME}"
    return f"{source.listing.derivatives_of(image.collection)}/labels/{CORRECTED_NAME}"


def _wanted(place: Place, reading: Reading) -> Wanted:
    """Where each mask of a reading is, those that are nowhere left out."""
    if reading.masks and place.shape is None:
        raise SaveError(
            f"{place.image.title} has no image that outlines can be drawn on. Nothing was written."
        )
    wanted: Wanted = {}
    for mask in reading.masks:
        if mask.labels.shape != (1, *(place.shape or ())):
            raise SaveError(
                f"{place.image.title} has the shape {(1, *(place.shape or ()))}, the mask "
                f"{mask.name} is for {mask.labels.shape}. Nothing was written."
            )
        if mask.name in wanted:
            raise SaveError(f"Two masks are named {mask.name}. Nothing was written.")
        if mask.labels.any():
            wanted[mask.name] = mask.labels[0] != 0
    return wanted


def _placed(place: Place, files: Mapping[str, AimFile]) -> dict[str, PlacedRoi]:
    return {roi.name: roi for roi in place_rois(files, place.image, place.sidecar)}


def _shown(place: Place, files: Mapping[str, AimFile]) -> Wanted:
    """Where each finding of the files is, those that are nowhere left out."""
    assert place.shape is not None
    masks = {
        name: mask_of(roi, files[roi.file], place.shape)
        for name, roi in _placed(place, files).items()
        if roi.image_uid is not None
    }
    return {name: mask for name, mask in masks.items() if mask.any()}


def _same(a: Wanted, b: Wanted) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def _may_restore(
    place: Place, files: Mapping[str, AimFile], as_read: Mapping[str, AimFile]
) -> bool:
    """Whether the files may get the bytes back that they had when they were read first.

    Not where a file that was made since would have to vanish, nor where one speaks of other
    images, whose corrections would be undone too.
    """
    own = {roi.image_uid for roi in _placed(place, as_read).values()}
    named = {uid for file in (*files.values(), *as_read.values()) for uid in file.image_uids}
    return as_read.keys() == files.keys() and named <= own


def _with_edits(place: Place, files: Mapping[str, AimFile], wanted: Wanted) -> dict[str, AimFile]:
    """The files with the findings that they have already brought to what is wanted."""
    edited = dict(files)
    assert place.shape is not None
    for name, roi in _placed(place, files).items():
        mask = wanted.get(name)
        if roi.image_uid is None:
            if mask is not None:
                raise SaveError(
                    f"{place.image.title}: {name} belongs to no image for certain, so it cannot be "
                    "corrected. Nothing was written."
                )
            continue
        if mask is None:
            mask = np.zeros(place.shape, np.bool_)
        if not np.array_equal(mask, mask_of(roi, files[roi.file], place.shape)):
            file = edited[roi.file]
            edited[roi.file] = file.with_masks({roi.index: mask}, roi.image_uid or None, _now())
    return edited


def _with_new(place: Place, files: dict[str, AimFile], added: Sequence[Mask]) -> dict[str, AimFile]:
    """The files with new findings, in the last of them or in a file of their own."""
    if not added:
        return files
    image = _aim_image(place)
    name = max(files, default=place.new_file)
    if not name:
        raise SaveError(
            f"{place.image.title} has the name or the UID of another image here, whose regions "
            "new ones would be taken for. Nothing was written; add them to that image."
        )
    for mask in added:
        where = mask.labels[0] != 0
        if name in files:
            files[name] = files[name].with_new_roi(mask.name, where, image, _now())
        else:
            files[name] = new_aim(mask.name, where, image, _now())
    expected = {mask.name for mask in added}
    if missing := expected - _placed(place, files).keys():
        raise SaveError(
            f"{place.image.title}: the name {', '.join(sorted(missing))} would be read otherwise. "
            "Nothing was written; give the region another name."
        )
    return files


def _aim_image(place: Place) -> AimImage:
    sidecar = place.sidecar
    if not sidecar.image_uid:
        raise SaveError(
            f"{place.image.title} has no sidecar that tells its UID, so a new region cannot refer "
            "to it. Nothing was written."
        )
    return AimImage(
        sop_instance_uid=sidecar.image_uid,
        sop_class_uid=sidecar.text(SOP_CLASS),
        series_uid=sidecar.text(SERIES),
        study_uid=sidecar.text(STUDY),
        modality=place.image.modality,
        study_date=sidecar.text(STUDY_DATE),
        study_time=sidecar.text(STUDY_TIME),
    )


def _now() -> datetime:
    return datetime.now().astimezone()
