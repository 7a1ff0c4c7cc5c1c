"""Open, correct and write back the expert annotations of public chest-imaging datasets.

>>> import napari_chest
>>> dataset = napari_chest.open_dataset("path/to/dataset")  # doctest: +SKIP
>>> for case in dataset.cases():  # doctest: +SKIP
...     readings = dataset.readings(case.id)
"""

from napari_chest.datasets import DATASETS, Dataset, open_dataset
from napari_chest.errors import (
    AmbiguousError,
    ChangedOnDiskError,
    ChestError,
    ProtectedError,
    ReadError,
    SaveError,
    UnknownDatasetError,
)
from napari_chest.model import (
    CaseInfo,
    FactGroup,
    Grid,
    Mask,
    MaskOffer,
    Problem,
    Question,
    Reading,
    Segment,
    SliceLabels,
    Volume,
    VolumeStream,
    Window,
)

__all__ = [
    "DATASETS",
    "AmbiguousError",
    "CaseInfo",
    "ChangedOnDiskError",
    "ChestError",
    "Dataset",
    "FactGroup",
    "Grid",
    "Mask",
    "MaskOffer",
    "Problem",
    "ProtectedError",
    "Question",
    "ReadError",
    "Reading",
    "SaveError",
    "Segment",
    "SliceLabels",
    "UnknownDatasetError",
    "Volume",
    "VolumeStream",
    "Window",
    "open_dataset",
]
