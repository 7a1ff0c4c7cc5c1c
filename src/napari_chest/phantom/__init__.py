"""Synthetic chests with known truth, laid out as each dataset; demo and tests live on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_chest.phantom.bimcv import BimcvMistake, BimcvPhantom, ImageTruth, make_bimcv
from napari_chest.phantom.chest import Chest, make_chest
from napari_chest.phantom.covid_ct_md import (
    CaseTruth,
    CovidCtMdPhantom,
    Mistake,
    PhantomCase,
    make_covid_ct_md,
)
from napari_chest.phantom.mosmed import MosMedMistake, MosMedPhantom, StudyTruth, make_mosmed
from napari_chest.phantom.patient import LOBES
from napari_chest.phantom.ricord import (
    Ricord1cPhantom,
    RicordMistake,
    RicordPhantom,
    make_ricord,
    make_ricord_1c,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "LAYOUTS",
    "LOBES",
    "BimcvMistake",
    "BimcvPhantom",
    "CaseTruth",
    "Chest",
    "CovidCtMdPhantom",
    "ImageTruth",
    "Layout",
    "Mistake",
    "MosMedMistake",
    "MosMedPhantom",
    "Phantom",
    "PhantomCase",
    "Ricord1cPhantom",
    "RicordMistake",
    "RicordPhantom",
    "StudyTruth",
    "make_bimcv",
    "make_chest",
    "make_covid_ct_md",
    "make_mosmed",
    "make_ricord",
    "make_ricord_1c",
]


class Phantom(Protocol):
    """A synthetic dataset on disk and what is true of it."""

    @property
    def root(self) -> Path:
        """The folder to open."""


class Layout(Protocol):
    """Something that writes a synthetic dataset."""

    def __call__(
        self,
        root: Path | str,
        *,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> Phantom:
        """Write it to a folder that is empty or does not exist."""


LAYOUTS: Mapping[str, Layout] = {
    "covid-ct-md": make_covid_ct_md,
    "mosmed": make_mosmed,
    "bimcv": make_bimcv,
    "ricord": make_ricord,
    "ricord-1c": make_ricord_1c,
}
"""The datasets as which a phantom can be laid out, by the name on the command line."""
