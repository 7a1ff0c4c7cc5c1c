"""Contradictions in the window: looked for on threads, listed, gone to and fixed."""

from napari_chest.ui.contradicting.contradicting import Contradicting

__all__ = ["Contradicting"]
