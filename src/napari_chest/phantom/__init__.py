"""Synthetic chests with known truth, laid out as each dataset; the demo and the tests live on them."""

from __future__ import annotations

from napari_chest.phantom.chest import LOBES, Chest, make_chest
from napari_chest.phantom.covid_ct_md import (
    CaseTruth,
    CovidCtMdPhantom,
    Mistake,
    PhantomCase,
    make_covid_ct_md,
)

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
