"""Where the window hands in what people do: kept on disk at once, then sent to the store."""

from napari_chest.review.desk.desk import OUTBOX, STORE, Desk, DeskState, Refused, store_place

__all__ = ["OUTBOX", "STORE", "Desk", "DeskState", "Refused", "store_place"]
