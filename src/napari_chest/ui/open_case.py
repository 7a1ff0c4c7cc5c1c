"""The case on screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.ui.resuming import Restored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_chest.model import Annotation, CaseInfo, FactGroup, Problem, Reading, Volume
    from napari_chest.review.casework import Kept


@dataclass(frozen=True)
class OpenCase:
    """The case on screen: its image, what is said about it, and what to know of it.

    Attributes
    ----------
    info, volume, readings : the case and its image, and what the person may see of what is said.
    problems, about, annotations : what to know of it.
    restored : what the journal had of it.
    kept : those of the readings that are the review's own and not the dataset's, by name.
    blind : why other readings are hidden; empty where all are shown.
    locked : why readings may not be changed, by name.
    like : the dataset's reader as whose readings those that are kept are laid out.
    handed_in : the dataset's readers of whom this person submitted a correction.
    """

    info: CaseInfo
    volume: Volume
    readings: tuple[Reading, ...]
    problems: list[Problem] = field(default_factory=list)
    about: tuple[FactGroup, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    restored: Restored = field(default_factory=Restored)
    kept: Mapping[str, Kept] = field(default_factory=dict)
    blind: str = ""
    locked: Mapping[str, str] = field(default_factory=dict)
    like: str = ""
    handed_in: frozenset[str] = frozenset()
