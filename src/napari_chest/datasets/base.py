"""The contract every dataset fulfils. To add one: subclass, fill the gaps, list it in DATASETS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from napari_chest.errors import SaveError
from napari_chest.model import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from napari_chest.changes import CaseChange
    from napari_chest.files.dicom import SliceHeader
    from napari_chest.model import (
        Annotation,
        CaseInfo,
        FactGroup,
        MaskOffer,
        Problem,
        Question,
        Volume,
        VolumeStream,
    )


class Dataset(ABC):
    """A published collection, opened at its root folder exactly as it was downloaded.

    The dataset's own folder is only ever written by `write` with ``out`` equal to `root`.

    Attributes
    ----------
    name : short name in commands and files.
    title : the name its authors gave it.
    list_facts : the facts that a case list shows as columns.
    general : whether it takes folders that may be another dataset's; it is asked last then.
    root : the folder.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    list_facts: ClassVar[tuple[str, ...]] = ()
    general: ClassVar[bool] = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    @abstractmethod
    def missing(cls, root: Path) -> list[str]:
        """What the folder lacks to be this dataset, in words; empty when it is."""

    def prepare(
        self,
        progress: Callable[[int, int], None] | None = None,  # noqa: ARG002
        stop: Event | None = None,  # noqa: ARG002
    ) -> None:
        """Do beforehand what would make `cases` wait: tells how far it is, and may be stopped.

        Raises
        ------
        StoppedError
            when ``stop`` was set before it was done.
        """
        return

    @abstractmethod
    def cases(self) -> Sequence[CaseInfo]:
        """Every case, in the order of a work list."""

    @abstractmethod
    def stream(self, case_id: str, first: int | None = None) -> VolumeStream:
        """The case's volume, its slices arriving from ``first`` (by default the middle) outwards.

        Raises
        ------
        ReadError
            when the case has no readable image.
        """

    def volume(self, case_id: str) -> Volume:
        """The case's volume, complete; raises like `stream`."""
        return self.stream(case_id).complete()

    @abstractmethod
    def readings(self, case_id: str, at: Path | None = None) -> tuple[Reading, ...]:
        """What is said about a case, the reading to show first in front; empty if nothing is.

        Parameters
        ----------
        case_id : the case.
        at : where to read annotations from: `root` unless given, else a folder that `write` wrote.

        A reading that cannot be read is left out and is an error among `problems`.
        """

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is asked of each case, in the order to ask it."""
        return ()

    def offers(self, case_id: str, reading: Reading) -> tuple[MaskOffer, ...]:  # noqa: ARG002
        """The masks that a person may add to a reading as it stands now; cheap."""
        return ()

    def about(self, case_id: str) -> tuple[FactGroup, ...]:  # noqa: ARG002
        """All that is known of a case beyond its facts in the list; cheap, no image is opened."""
        return ()

    def annotations(self, case_id: str) -> tuple[Annotation, ...]:  # noqa: ARG002
        """The single marks that the masks of a case are made of, by slice; empty without any."""
        return ()

    def source_headers(self, case_id: str) -> Sequence[SliceHeader]:  # noqa: ARG002
        """Headers of the DICOM images that the case's slices come from, in display order."""
        return ()

    def adjudicated_as(self, readings: Sequence[Reading]) -> str | None:
        """Under whom what an adjudicator decided is written; None where nobody says anything.

        Parameters
        ----------
        readings : of the case, as `readings` gives them.
        """
        return readings[0].reader if readings else None

    def blank(self, case_id: str, slices: int) -> Reading:  # noqa: ARG002
        """A reading that says nothing yet, for a case of which the dataset says nothing.

        Parameters
        ----------
        case_id : the case.
        slices : how many it has.
        """
        return Reading("")

    @abstractmethod
    def problems(self, case_id: str | None = None) -> list[Problem]:
        """What a person should know before working on the case, or on the dataset when None."""

    @abstractmethod
    def annotation_files(self, at: Path | None = None) -> tuple[Path, ...]:
        """The files that carry annotations in `root` or another folder, relative to it."""

    @abstractmethod
    def write(self, case_id: str, readings: Sequence[Reading], out: Path) -> list[Path]:
        """Write a case's readings into ``out``, which is `root` itself or a folder outside it.

        ``out`` ends up with every annotation file: what already stands there is corrected, the rest
        comes from `root`. Only records that differ from the readings change; a file without such a
        record keeps its bytes. A reader that ``out`` does not know becomes a new reading there
        where the dataset has room for it.

        Returns
        -------
        The files whose content changed or that are new in kind, absolute.

        Raises
        ------
        ChangedOnDiskError
            when an original changed since this dataset read it.
        SaveError
            when something cannot be written; then nothing is.
        """

    def _target(self, out: Path) -> Path:
        """Where `write` is to write: `root` itself, or a folder outside it as an absolute path."""
        out = out.absolute()
        if out.resolve() == self.root.resolve():
            return self.root
        if out.resolve().is_relative_to(self.root.resolve()):
            raise SaveError(
                f"{out} lies inside the dataset, which is only changed by writing back into it. "
                "Nothing was written; choose a folder outside it."
            )
        return out

    def new_reader(self) -> str | None:
        """The reader under which `write` would add a new reading, or None where it cannot."""
        return None

    @abstractmethod
    def compare(self, before: Path, after: Path) -> tuple[CaseChange, ...]:
        """Every record that differs between two folders, both read anew from disk.

        Each is `root`, a folder that `write` wrote, or a copy of the annotation files.
        """
