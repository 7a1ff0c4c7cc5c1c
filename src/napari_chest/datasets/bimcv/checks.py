"""What a person should know of the dataset or of an image before working on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.datasets.bimcv.rois import place_rois, roi_problems
from napari_chest.errors import ReadError
from napari_chest.files.nifti.header import check_promise, grid_of, read_header
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_chest.datasets.bimcv.folder import Annotations
    from napari_chest.datasets.bimcv.names import ImageName
    from napari_chest.datasets.bimcv.source import Source


def dataset_problems(source: Source, here: Annotations) -> Iterator[Problem]:
    """What is wrong with the tables and with files that belong to no image."""
    source.terms, source.partitions  # noqa: B018  # whose problems join those of the tables
    yield from source.listing.problems
    yield from source.labels.problems
    yield from source.tables.problems
    yield from here.corrections[1]
    for name in here.rois:
        if source.owners.by_name(name) is not None:
            continue
        try:
            if not source.owners.images_of(name, here.aim(name)):
                text = "This ROI file belongs to no image here; it is kept as it is."
                yield Problem("note", text, (name,))
        except ReadError as error:
            text = f"This ROI file cannot be read; it is kept as it is. {error}"
            yield Problem("warning", text, (name,))


def image_problems(source: Source, here: Annotations, image: ImageName) -> Iterator[Problem]:
    """What is wrong with an image, its sidecar and its ROI files."""
    if not image.named_modality:
        text = f"The name does not tell the modality; {image.modality} is assumed."
        yield Problem("warning", text, (image.path,))
    try:
        if image.is_png:
            yield from source.radiograph(image)[1]
        else:
            path = source.root / image.path
            header = read_header(path)
            grid_of(header)
            check_promise(header, path.stat().st_size)
    except ReadError as error:
        yield Problem("error", f"The image cannot be shown. {error}", (image.path,))
    yield from _sidecar_problems(source, image)
    files, broken = source.files_of(image, here)
    yield from broken
    yield from roi_problems(place_rois(files, image, source.sidecar(image)), image)
    if source.sidecar(image).image_uid and not files and not source.new_roi_file(image):
        text = (
            "Regions cannot be added: another image here has the same name or UID, and they would "
            "be taken for regions of that one."
        )
        yield Problem("note", text, (image.path,))


def _sidecar_problems(source: Source, image: ImageName) -> Iterator[Problem]:
    sidecar = source.sidecar(image)
    yield from sidecar.problems
    if sidecar.kind:
        text = f"By its sidecar this is a {sidecar.kind}, not a stack of acquired slices."
        yield Problem("note", text, (image.path,))
    if image.takes_outlines and not sidecar.image_uid:
        text = "Regions cannot be added: no sidecar of its own tells the image's UID."
        yield Problem("note", text, (image.path,))
