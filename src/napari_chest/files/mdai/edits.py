"""The corrections that an export takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ReplaceData:
    """Let an annotation draw something else; all else that it says is kept."""

    index: int
    data: Mapping[str, object]


@dataclass(frozen=True)
class Delete:
    """Take an annotation out."""

    index: int


@dataclass(frozen=True)
class Add:
    """Add an annotation at the end of a dataset.

    Attributes
    ----------
    series_uid, sop_uid : empty for a whole study.
    height, width : of the image; None for a whole study or series.
    data : what it draws; None for a label without a drawing.
    like : index of the annotation whose keys and layout it follows; None takes one of the same
        label, else of the same scope.
    dataset : id of the dataset; empty takes that of ``like``, else the first one that lists the
        study, else the first one.
    """

    label_id: str
    study_uid: str
    series_uid: str = ""
    sop_uid: str = ""
    height: int | None = None
    width: int | None = None
    data: Mapping[str, object] | None = None
    note: str | None = None
    like: int | None = None
    dataset: str = ""


MdaiEdit = ReplaceData | Delete | Add
