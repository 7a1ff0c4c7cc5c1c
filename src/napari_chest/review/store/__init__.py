"""The store of reviews, for one person in a file or for a team on a PostgreSQL server."""

from napari_chest.errors import ConflictError, NotAllowedError, StoreError, UnreachableError
from napari_chest.review.store.leases import Lease
from napari_chest.review.store.store import Store, open_store

__all__ = [
    "ConflictError",
    "Lease",
    "NotAllowedError",
    "Store",
    "StoreError",
    "UnreachableError",
    "open_store",
]
