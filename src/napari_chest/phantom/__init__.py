"""Synthetic chests with known truth, laid out as each dataset; demo and tests live on them."""

from __future__ import annotations

from napari_chest.phantom.chest import Chest, make_chest
from napari_chest.phantom.covid_ct_md import (
    CaseTruth,
    CovidCtMdPhantom,
    Mistake,
    PhantomCase,
    make_covid_ct_md,
)
from napari_chest.phantom.patient import LOBES

__all__ = [
    "LOBES",
    "CaseTruth",
    "Chest",
    "CovidCtMdPhantom",
    "Mistake",
    "PhantomCase",
    "make_chest",
    "make_covid_ct_md",
]
