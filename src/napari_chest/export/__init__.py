"""What leaves the program, each kind with a proof that was read back from disk."""

from napari_chest.changes import Correction
from napari_chest.export.proof import Proof, SaveKind
from napari_chest.export.save import export_readings, write_back

__all__ = ["Correction", "Proof", "SaveKind", "export_readings", "write_back"]
