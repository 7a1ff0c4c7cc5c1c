"""Where each release of BIMCV COVID-19 keeps its files, and a dataset in the making."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_chest.phantom.bimcv.cases import session_id, subject_id
from napari_chest.phantom.bimcv.sidecars import new_uid

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.phantom.bimcv.truth import BimcvMistake, ImageTruth

Release = Literal["iteration-1", "1+2", "1+2+3", "negative"]


@dataclass(frozen=True)
class Layout:
    """Where one release keeps things.

    Attributes
    ----------
    subjects : folder of the patients, with the number of their archive if there are several.
    head : folder of ``participants.tsv`` and ``derivatives``.
    labels, tests : file names of two tables; no name, no table.
    """

    subjects: str
    head: str
    labels: str
    tests: str = ""


LAYOUTS: dict[Release, Layout] = {
    "iteration-1": Layout(
        "bimcv_covid19_posi_subjects_{}",
        "bimcv_covid19_posi_head_iter1",
        "labels_covid19_posi.tsv",
        "sil_reg_covid.tsv",
    ),
    "1+2": Layout(
        "covid19_posi", "covid19_posi", "labels_covid_posi.tsv", "sil_reg_covid_posi.tsv"
    ),
    "1+2+3": Layout(
        "covid19_posi", "covid19_posi", "Labels_covid_123.tsv", "SIL_REG_COVID_POSI_iter123.txt"
    ),
    "negative": Layout("covid19_neg", "covid19_neg", "Labels_covid_NEG_JAN21.tsv"),
}


class Writer:
    """A dataset in the making: where its files go, and what is known of them so far.

    Attributes
    ----------
    root, partial : the dataset's folder, and the one in which it is put together.
    release, layout : as which it is laid out.
    seed, rng : for the images, and for identifiers.
    images, mistakes : the truth so far.
    others : names of images without a truth, by session.
    sizes : rows and columns of the images by file name.
    """

    def __init__(self, root: Path, partial: Path, release: Release, seed: int) -> None:
        self.root, self.partial = root, partial
        self.release, self.layout = release, LAYOUTS[release]
        self.seed, self.rng = seed, np.random.default_rng((seed, 4))
        self.images: list[ImageTruth] = []
        self.mistakes: list[BimcvMistake] = []
        self.others: dict[int, list[str]] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self._studies: dict[int, str] = {}

    def study(self, session: int) -> str:
        """The UID of a session's study."""
        return self._studies.setdefault(session, new_uid(self.rng))

    def subject(self, subject: int) -> str:
        """The folder of a patient, relative to the root."""
        # The first iteration came in archives of some 35 patients each.
        return f"{self.layout.subjects.format(1 + subject // 4)}/{subject_id(subject)}"

    def session(self, subject: int, session: int) -> str:
        """The folder of a session, relative to the root."""
        return f"{self.subject(subject)}/{session_id(session)}"

    def write(self, path: str, content: bytes) -> Path:
        """Write a file and return where it will be."""
        target = self.partial / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return self.root / path
