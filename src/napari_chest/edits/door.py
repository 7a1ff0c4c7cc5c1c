"""Edits as protection leaves them: what a draft makes of what somebody wants to paint; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.edits.protection import Protection, Rules, one_of, protect
from napari_chest.edits.slice_labels import settle
from napari_chest.edits.steps import SLICE_LABELS, Edit, edit_between, mask_of, mask_target
from napari_chest.errors import ProtectedError

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.edits.history import History
    from napari_chest.edits.steps import Box, Step
    from napari_chest.model import SliceLabels

    Allowed = npt.NDArray[np.bool_] | None


def rules_now(protection: Protection, history: History) -> Rules:
    """What an edit that is made now is held against."""
    if protection.inside is None:
        return Rules(protection, 0)
    mask = protection.inside[0]
    return Rules(protection, history.version(mask_target(history.teller(mask) or mask)))


def check(step: Step, protection: Protection, history: History) -> None:
    """Refuse an edit that was made under other rules, or of a mask that follows another one."""
    if not isinstance(step, Edit):
        return
    _check_followed(mask_of(step.target), history)
    if step.rules is not None and step.rules != rules_now(protection, history):
        raise ProtectedError(f"{step.name}: protection changed meanwhile, so do it again.")


def painted(
    name: str,
    mask: str,
    box: Box,
    wanted: npt.NDArray[Any],
    voxels: npt.NDArray[Any] | None,
    protection: Protection,
    history: History,
) -> Edit | None:
    """The edit of a mask that `Draft.painted` speaks of."""
    rules = rules_now(protection, history)  # before anything is read, should this be a thread
    _check_followed(mask, history)
    allowed = editable(mask, box, voxels, protection, history)
    box, now = _boxed(mask, box, history)
    after = protect(
        now,
        _held(mask, wanted, now),
        protection.locked(mask),
        keep_others=protection.keep_others,
    )
    whole = history.told_apart_by(mask)
    if whole is not None and protection.locked(whole):
        after = np.where((now != 0) == (after != 0), after, now)
    if allowed is not None:
        after = np.where(allowed, after, now)
    return edit_between(name, mask_target(mask), now, after, box, rules)


def labelled(
    name: str,
    wanted: npt.NDArray[np.bool_],
    labels: SliceLabels,
    protection: Protection,
    history: History,
) -> Edit | None:
    """The edit of the slice table that `Draft.labelled` speaks of."""
    rules = rules_now(protection, history)
    if wanted.shape != labels.values.shape:
        raise ProtectedError(
            f"{name}: cells of {wanted.shape} cannot be put into a slice table of "
            f"{labels.values.shape}."
        )
    after = settle(labels, wanted)
    whole = tuple(slice(0, length) for length in after.shape)
    allowed = _within_slices(protection, whole)
    if allowed is not None:
        after = np.where(allowed[..., 0], after, labels.values)
    return edit_between(name, SLICE_LABELS, labels.values, after, whole, rules)


def editable(
    mask: str,
    box: Box,
    voxels: npt.NDArray[Any] | None,
    protection: Protection,
    history: History,
) -> Allowed:
    """The voxels of a box of which `Draft.editable` speaks."""
    box, now = _boxed(mask, box, history)
    locked = protection.locked(mask)
    parts = (
        ~one_of(now, locked) if locked else None,
        _within_range(mask, box, voxels, protection, history),
        _inside(mask, box, protection, history),
        _within_slices(protection, box),
    )
    held = [part for part in parts if part is not None]
    if not held:
        return None
    allowed = np.ones(now.shape, bool)
    for part in held:
        allowed &= part
    return allowed


def _within_range(
    mask: str,
    box: Box,
    voxels: npt.NDArray[Any] | None,
    protection: Protection,
    history: History,
) -> Allowed:
    if protection.hounsfield is None:
        return None
    if voxels is None:
        raise ProtectedError(
            "Only voxels of a HU range may change, but this image has no HU. Lift that protection."
        )
    shape = history.array(mask_target(mask)).shape
    if voxels.shape != shape:
        raise ProtectedError(f"The image is of {voxels.shape}, mask {mask} of {shape}.")
    low, high = protection.hounsfield
    here = voxels[box]
    within: npt.NDArray[np.bool_] = (here >= low) & (here <= high)
    return within


def _inside(mask: str, box: Box, protection: Protection, history: History) -> Allowed:
    if protection.inside is None or protection.inside[0] == mask:
        return None
    name, values = protection.inside
    if name not in history.mask_names:
        raise ProtectedError(
            f"Only voxels inside {name} may change, but there is no such mask. Make it first, or "
            "lift that protection."
        )
    return one_of(history.labels(name, box), values)


def _within_slices(protection: Protection, box: Box) -> Allowed:
    if protection.slices is None:
        return None
    first, last = protection.slices
    z = np.arange(box[0].start, box[0].stop)[:, None, None]
    return (z >= first) & (z <= last)


def _check_followed(mask: str | None, history: History) -> None:
    teller = None if mask is None else history.teller(mask)
    if teller is not None:
        raise ProtectedError(f"Mask {mask} follows mask {teller}: correct that one instead.")


def _boxed(mask: str, box: Box, history: History) -> tuple[Box, npt.NDArray[Any]]:
    """The box with a start and a stop on every axis, and what stands in it."""
    if mask not in history.mask_names:
        raise ProtectedError(f"The reading has no mask {mask}.")
    whole = history.array(mask_target(mask))
    box = tuple(slice(*part.indices(n)[:2]) for part, n in zip(box, whole.shape, strict=True))
    return box, whole[box]


def _held(mask: str, wanted: npt.NDArray[Any], now: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The wanted values as the mask holds numbers."""
    if wanted.shape != now.shape:
        raise ProtectedError(
            f"Labels of {wanted.shape} cannot be painted into {now.shape} voxels of mask {mask}."
        )
    if wanted.dtype == now.dtype:
        return wanted
    held = wanted.astype(now.dtype)
    if not np.array_equal(held, wanted):
        top = np.iinfo(now.dtype).max
        raise ProtectedError(f"Mask {mask} holds whole numbers from 0 to {top} and no others.")
    return held
