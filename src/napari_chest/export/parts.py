"""What is saved of a case, each part made when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from napari_chest.changes import Correction
from napari_chest.model import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

Part = Correction | Reading
"""What is saved of a reading: how it was corrected, or all of it."""


class Parts(Sequence[Part]):
    """The parts of one case; those of other cases need no memory until it is their turn.

    Parameters
    ----------
    parts : each as it is, or how it is made, which may raise ChestError.
    """

    def __init__(self, parts: Sequence[Part | Callable[[], Part]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        """One part, or some of them."""
        if isinstance(index, slice):
            return Parts(self._parts[index])
        part = self._parts[index]
        return part() if callable(part) else part
