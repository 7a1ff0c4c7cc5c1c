"""A download of the NBIA Data Retriever: its folders, its table, its UIDs."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import UID

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_COLUMNS = (
    "Series UID", "Collection", "3rd Party Analysis", "Data Description URI", "Subject ID",
    "Study UID", "Study Description", "Study Date", "Series Description", "Manufacturer",
    "Modality", "SOP Class Name", "SOP Class UID", "Number of Images", "File Size",
    "File Location", "Download Timestamp",
)  # fmt: skip
_LICENSE = """These images show no patient. A program made them up so that software can be tried on
a dataset that is laid out as {}. Do with them what you like.
"""
_MADE = "2021-01-13T12:00:00.000"
_MOST = 40  # characters of a description in a folder's name


@dataclass(frozen=True)
class Listed:
    """A series as the table of a download lists it; dates as ``YYYYMMDD``."""

    patient: str
    study_uid: str
    study_date: str
    study_description: str
    uid: str
    number: int
    description: str
    modality: str
    sop_class: str

    @property
    def folder(self) -> str:
        """Its folder within the collection's."""
        year, month, day = self.study_date[:4], self.study_date[4:6], self.study_date[6:]
        study = f"{month}-{day}-{year}-NA-{_words(self.study_description)}-{self.study_uid[-5:]}"
        series = f"{self.number:.6f}-{_words(self.description)}-{self.uid[-5:]}"
        return f"{self.patient}/{study}/{series}"


def _words(description: str) -> str:
    # What some file systems do not have in names is left out, and what is too long cut off.
    return description.replace("/", "")[:_MOST] or "NA"


class Download:
    """A download in the making.

    Parameters
    ----------
    folder : of the download, to be filled.
    collection : its name.
    """

    def __init__(self, folder: Path, collection: str) -> None:
        self.folder, self.collection = folder, collection
        self.listed: list[Listed] = []

    def add(self, series: Listed) -> Path:
        """The new folder of a series."""
        self.listed.append(series)
        folder = self.folder / self.collection / series.folder
        folder.mkdir(parents=True)
        return folder

    def finish(self) -> None:
        """Write the table and the licence once all files are there."""
        text = io.StringIO(newline="")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(_COLUMNS)
        rows.writerows(self._row(series) for series in self.listed)
        (self.folder / "metadata.csv").write_bytes(text.getvalue().encode())
        licence = _LICENSE.format(self.collection).encode()
        (self.folder / self.collection / "LICENSE").write_bytes(licence)

    def _row(self, series: Listed) -> tuple[str, ...]:
        folder = f"{self.collection}/{series.folder}"
        sizes = [path.stat().st_size for path in (self.folder / folder).iterdir()]
        year, month, day = series.study_date[:4], series.study_date[4:6], series.study_date[6:]
        return (
            series.uid,
            self.collection,
            "NO",
            "",
            series.patient,
            series.study_uid,
            series.study_description,
            f"{month}-{day}-{year}",
            series.description,
            "Synthetic",
            series.modality,
            UID(series.sop_class).name,
            series.sop_class,
            str(len(sizes)),
            f"{sum(sizes) / 1e6:.2f} MB",
            ".\\" + folder.replace("/", "\\"),
            _MADE,
        )


def new_uid(rng: np.random.Generator, tail: str = "") -> str:
    """A UID made from random numbers, with the last parts given."""
    # 2.25 is the root for such UIDs: the collection's own might be somebody's.
    start = f"2.25.{rng.integers(10**17, 10**18)}{rng.integers(10**9, 10**10)}"
    return f"{start}.{tail}" if tail else start
