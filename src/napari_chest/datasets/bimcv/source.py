"""Everything of the dataset that is read once, and what it says of an image."""

from __future__ import annotations

from collections import Counter
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from napari_chest.datasets.bimcv import folder, layout, rois
from napari_chest.datasets.bimcv.labels import Labels, read_labels, session_key
from napari_chest.datasets.bimcv.names import roi_file_name
from napari_chest.datasets.bimcv.sidecars import ImageSidecar, load_sidecar
from napari_chest.datasets.bimcv.tables import (
    Session,
    Tables,
    read_partitions,
    read_sessions,
    read_tables,
)
from napari_chest.datasets.bimcv.tree import Term, read_tree
from napari_chest.errors import ReadError
from napari_chest.files.paths import is_inside
from napari_chest.files.png import read_png_header
from napari_chest.files.radiograph import read_radiograph
from napari_chest.model import Problem, Reading

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.datasets.bimcv.folder import Annotations
    from napari_chest.datasets.bimcv.labels import SessionKey
    from napari_chest.datasets.bimcv.names import ImageName
    from napari_chest.files.aim import AimFile
    from napari_chest.model import Volume

READER = "authors"
FINDINGS_KEY = "findings"
_RADIOGRAPHS = 2
"""Radiographs that are kept: the one on screen and the one before."""
_SIDECARS = 512


class Source:
    """The released files of a dataset, each read when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.radiograph = lru_cache(_RADIOGRAPHS)(self._read_radiograph)
        self.sidecar = lru_cache(_SIDECARS)(self._load_sidecar)

    @cached_property
    def listing(self) -> layout.Listing:
        """The files of the dataset by what they are."""
        return layout.list_files(self.root)

    @cached_property
    def images(self) -> dict[str, ImageName]:
        """Every image by its path, in the order of a work list."""
        return {image.path: image for image in self.listing.images}

    @cached_property
    def titles(self) -> dict[str, str]:
        """What each image is called; with its path where two would be called the same."""
        counts = Counter(image.title for image in self.images.values())
        return {
            path: image.title if counts[image.title] == 1 else f"{image.title} ({path})"
            for path, image in self.images.items()
        }

    @cached_property
    def first_image(self) -> dict[SessionKey, ImageName]:
        """The image of each session with which its labels are answered."""
        return {key_of(image): image for image in reversed(self.images.values())}

    @cached_property
    def labels(self) -> Labels:
        """The released labels tables."""
        return read_labels(self.root, self.listing.labels)

    @cached_property
    def tables(self) -> Tables:
        """The released tables about subjects."""
        return read_tables(self.root, self.listing.participants, self.listing.tests)

    @cached_property
    def terms(self) -> dict[str, Term]:
        """The tree of terms, by label."""
        return read_tree(self.root, self.listing.trees, self.tables.problems)

    @cached_property
    def partitions(self) -> dict[tuple[str, str, str], str]:
        """Paths as partitions.tsv lists them."""
        return read_partitions(self.root, self.listing.partitions, self.tables.problems)

    @cached_property
    def owners(self) -> rois.Owners:
        """Which images the ROI files belong to."""
        return rois.Owners(self.images.values(), self.sidecar)

    def session(self, image: ImageName) -> Session | None:
        """What the subject's sessions table says of the image's session."""
        name = f"{image.subject}_sessions.tsv".casefold()
        paths = [p for p in self.listing.sessions if p.rpartition("/")[2].casefold() == name]
        return read_sessions(self.root, paths, []).get(key_of(image))

    def shape(self, image: ImageName) -> tuple[int, int] | None:
        """(Y, X) of an image that takes outlines; None also where it cannot be read."""
        if not image.takes_outlines:
            return None
        try:
            header = read_png_header(self.root / image.path)
        except ReadError:  # which is an error among the problems of the case
            return None
        return header.height, header.width

    def image(self, path: str) -> ImageName:
        """The image at a path; raises ReadError where there is none."""
        image = self.images.get(path)
        if image is None:
            raise ReadError(path, f"no such image was found in {self.root}.")
        return image

    def new_roi_file(self, image: ImageName) -> str:
        """The path of the ROI file that is made for an image; empty if it would be another's."""
        home = self.listing.derivatives_of(image.collection)
        path = f"{home}/roi/{image.subject}/{roi_file_name(image)}"
        return path if image in self.owners.of_new(path, image) else ""

    # The annotation files of a folder

    def annotations(self, at: Path, below: Annotations | None = None) -> Annotations:
        """The annotation files that are in a folder now."""
        made = layout.xml_below(at, folder.roi_homes(self.listing))
        known = [name for name in self._released_rois if is_inside(at / name, at)]
        tables = [name for name in folder.table_names(self.listing) if is_inside(at / name, at)]
        return folder.Annotations(at, {*known, *folder.roi_names(at, made)}, tables, below=below)

    def files_of(
        self, image: ImageName, where: Annotations
    ) -> tuple[dict[str, AimFile], list[Problem]]:
        """The ROI files of an image, and those that are named after it but cannot be read."""
        files: dict[str, AimFile] = {}
        problems = []
        for name in where.rois:
            named = self.owners.by_name(name)
            if named is not None and named.path != image.path:
                continue
            try:
                aim = where.aim(name)
            except ReadError as error:
                if named is not None:
                    text = f"The regions of this file are not shown. {error}"
                    problems.append(Problem("error", text, (name,)))
                continue
            if image in self.owners.images_of(name, aim):
                files[name] = aim
        return files, problems

    def labels_of(self, key: SessionKey, where: Annotations) -> tuple[str, ...]:
        """The labels of a session: corrected in that folder, else as released."""
        corrected = where.corrected.get(key)
        return self.labels.of(key) if corrected is None else corrected

    def reading(self, image: ImageName, where: Annotations) -> Reading:
        """What is said about an image in a folder."""
        files, _ = self.files_of(image, where)
        shape = self.shape(image) if files else None
        masks = () if shape is None else rois.masks(files, image, self.sidecar(image), shape)
        key = key_of(image)
        answered = key in self.labels.rows or key in where.corrected
        if not answered or self.first_image[key] != image:
            return Reading(READER, masks)
        return Reading(READER, masks, answers={FINDINGS_KEY: self.labels_of(key, where)})

    @cached_property
    def _released_rois(self) -> list[str]:
        return folder.roi_names(self.root, self.listing.xml)

    def _load_sidecar(self, image: ImageName) -> ImageSidecar:
        return load_sidecar(self.root, image, self.listing)

    def _read_radiograph(self, image: ImageName) -> tuple[Volume, list[Problem]]:
        sidecar = self.sidecar(image).sidecar
        return read_radiograph(self.root / image.path, sidecar, image.modality)


def key_of(image: ImageName) -> SessionKey:
    """The key of an image's session in the tables."""
    return session_key(image.subject, image.session)
