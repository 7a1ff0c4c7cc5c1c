"""The one door that every change passes: edits, their history, and the rules they keep."""

from napari_chest.edits.history import Edit, History, edit_between
from napari_chest.edits.slice_labels import settle

__all__ = ["Edit", "History", "edit_between", "settle"]
