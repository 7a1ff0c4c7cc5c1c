"""What leaves the program, each kind with a proof that was read back from disk."""

from napari_chest.changes import Correction
from napari_chest.export.parts import Part, Parts
from napari_chest.export.proof import Proof, SaveKind
from napari_chest.export.release import Release, has_release, plan_release, released
from napari_chest.export.save import export_readings, write_back

__all__ = [
    "Correction",
    "Part",
    "Parts",
    "Proof",
    "Release",
    "SaveKind",
    "export_readings",
    "has_release",
    "plan_release",
    "released",
    "write_back",
]
