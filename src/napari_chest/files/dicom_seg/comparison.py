"""Holds a segmentation that was read against the masks and images it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from napari_chest.codes import terms_of
from napari_chest.files.dicom_seg.text import segment_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_chest.files.dicom import SliceHeader
    from napari_chest.files.dicom_seg.reader import SegFile, SegSegment
    from napari_chest.model import Mask, Segment

_TOLERANCE: Final = 1e-4
"""mm, or parts of a direction; decimal strings hold no more than 16 characters."""


class Comparison(NamedTuple):
    """What a segmentation holds, and in what it differs from what was meant.

    Attributes
    ----------
    voxels : how many voxels are drawn in it, all segments together.
    doubts : the differences, a sentence each.
    """

    voxels: int
    doubts: tuple[str, ...]


def compare_seg(seg: SegFile, masks: Sequence[Mask], headers: Sequence[SliceHeader]) -> Comparison:
    """Compare a segmentation with masks (Z, Y, X) on images, one per slice, voxel for voxel."""
    doubts = [*_place_doubts(seg, headers), *_segment_doubts(seg, masks)]
    frames, strays = _frames_by_place(seg, headers)
    doubts += strays
    voxels = 0
    for number, (mask, segment) in enumerate(_drawn(masks), 1):
        for z, plane in enumerate(mask.labels):
            meant = plane == segment.value
            index = frames.pop((number, z), None)
            found = np.zeros_like(meant) if index is None else seg.frame(index)
            voxels += int(np.count_nonzero(found))
            if not np.array_equal(found, meant):
                differing = np.count_nonzero(found != meant)
                doubts.append(f"{segment.name} differs in {differing} voxels of slice {z + 1}.")
    if frames:
        doubts.append(f"{len(frames)} frames were not meant.")
    return Comparison(voxels, tuple(doubts))


def _drawn(masks: Sequence[Mask]) -> list[tuple[Mask, Segment]]:
    return [
        (mask, segment)
        for mask in masks
        for segment in mask.segments
        if (mask.labels == segment.value).any()
    ]


def _segment_doubts(seg: SegFile, masks: Sequence[Mask]) -> Iterator[str]:
    drawn = [segment for _, segment in _drawn(masks)]
    if len(drawn) != len(seg.segments):
        yield f"{len(drawn)} segments were meant, {len(seg.segments)} are there."
    for number, (meant, found) in enumerate(zip(drawn, seg.segments, strict=False), 1):
        if not _same_segment(number, meant, found):
            yield f"Segment {number} is {found.label}, not {meant.name}."


def _same_segment(number: int, meant: Segment, found: SegSegment) -> bool:
    terms = terms_of(meant)
    said = (found.number, found.label, found.category.value, found.kind.value, found.kind.scheme)
    label = segment_label(meant)
    return said == (number, label, terms.category.value, terms.kind.value, terms.kind.scheme)


def _place_doubts(seg: SegFile, headers: Sequence[SliceHeader]) -> Iterator[str]:
    first = headers[0]
    if (seg.study_uid, seg.series_uid) != (first.study_uid, first.series_uid):
        yield "It does not refer to the case's series."
    if seg.shape != (first.rows, first.columns):
        yield f"Its frames have the shape {seg.shape}, the images {(first.rows, first.columns)}."
    if not seg.frame_of_reference:
        return
    if not _near(seg.orientation, first.orientation):
        yield "Its orientation is not that of the images."
    if not _near(seg.pixel_spacing, first.pixel_spacing):
        yield "Its pixel spacing is not that of the images."


def _frames_by_place(
    seg: SegFile, headers: Sequence[SliceHeader]
) -> tuple[dict[tuple[int, int], int], list[str]]:
    """Frame by segment and slice, and what is wrong about the slices of the others."""
    slices: Mapping[tuple[str, int | None], int] = {
        (header.sop_instance_uid, header.frame): z for z, header in enumerate(headers)
    }
    found: dict[tuple[int, int], int] = {}
    doubts = []
    for index, frame in enumerate(seg.frames):
        z = slices.get((frame.sop_uid, frame.source_frame))
        if z is None:
            doubts.append(f"Frame {index + 1} belongs to no slice of the case.")
        elif (frame.segment, z) in found:
            doubts.append(f"Frame {index + 1} is there a second time.")
        else:
            found[frame.segment, z] = index
            if seg.frame_of_reference and not _near(frame.position, headers[z].position):
                doubts.append(f"Frame {index + 1} does not lie where slice {z + 1} does.")
    return found, doubts


def _near(found: Sequence[float] | None, meant: Sequence[float] | None) -> bool:
    if found is None or meant is None or len(found) != len(meant):
        return False
    return bool(np.allclose(found, meant, rtol=0, atol=_TOLERANCE))
