"""Writes masks as a DICOM Segmentation of type BINARY (DICOM PS3.3 A.51 and C.8.20)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from napari_chest.codes import LOCAL_SCHEME, Term, terms_of
from napari_chest.errors import SaveError
from napari_chest.files.atomic import write_together
from napari_chest.files.dicom.tags import EXPLICIT_LE
from napari_chest.files.dicom_seg.color import cie_lab
from napari_chest.files.dicom_seg.elements import encode, item, long_header, tag_of
from napari_chest.files.dicom_seg.pixels import Packed, pack
from napari_chest.files.dicom_seg.source import Source, read_source
from napari_chest.files.dicom_seg.text import (
    long_string,
    one_line,
    person_name,
    segment_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from napari_chest.files.dicom import SliceHeader
    from napari_chest.files.dicom_seg.elements import Value
    from napari_chest.files.dicom_seg.pixels import Drawn
    from napari_chest.files.dicom_seg.source import Place
    from napari_chest.model import Mask

SEGMENTATION_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.66.4"
_IMPLEMENTATION: Final = "2.25.173921558111782573056827022024090104675"
_LONGEST_TEXT: Final = 1024
_SEGMENTATION = Term("113076", "DCM", "Segmentation")
_SOURCE_IMAGE = Term("121322", "DCM", "Source image for image processing operation")


@dataclass(frozen=True)
class SegIdentity:
    """What a segmentation says of itself.

    Attributes
    ----------
    reader : who drew it; stands as the content's creator.
    series_uid, sop_uid, dimensions_uid : its own UIDs, new for every object.
    made : when it was written.
    series_number : its number in the study.
    """

    reader: str
    series_uid: str
    sop_uid: str
    dimensions_uid: str
    made: datetime
    series_number: int = 9000


def write_seg(
    path: Path,
    headers: Sequence[SliceHeader],
    masks: Sequence[Mask],
    identity: SegIdentity,
    inside: Path | None = None,
) -> None:
    """Write masks as one DICOM Segmentation that refers to the images they were drawn on.

    Parameters
    ----------
    path : the file, which is replaced if it is there.
    headers : the images, one per slice in display order.
    masks : (Z, Y, X) on those images; every segment of which something is drawn is written.
    identity : what the object says of itself.
    inside : a folder out of which no link may lead.

    Raises
    ------
    ReadError
        when no segmentation can refer to the images.
    SaveError
        when nothing is drawn, or the masks do not fit the images; nothing is written then.
    """
    write_together({path: encode_seg(read_source(headers), masks, identity)}, inside=inside)


def encode_seg(source: Source, masks: Sequence[Mask], identity: SegIdentity) -> bytes:
    """The bytes of the file that `write_seg` writes; raises SaveError as it does."""
    for mask in masks:
        if mask.labels.shape != source.shape:
            raise SaveError(
                f"{mask.name} has the shape {mask.labels.shape}, its images {source.shape}, so "
                "nothing was written."
            )
    packed = pack(masks)
    if not packed.frames:
        raise SaveError("Nothing is drawn in any mask, so there is no segmentation to write.")
    return b"".join(
        (
            _file_start(identity),
            encode(_elements(source, packed, identity, overlap=len(masks) > 1)),
            *_frame_groups(source, packed),
            long_header("PixelData", "OB", len(packed.pixels)),
            packed.pixels,
        )
    )


def _file_start(identity: SegIdentity) -> bytes:
    meta = encode(
        {
            "MediaStorageSOPClassUID": SEGMENTATION_STORAGE,
            "MediaStorageSOPInstanceUID": identity.sop_uid,
            "TransferSyntaxUID": EXPLICIT_LE,
            "ImplementationClassUID": _IMPLEMENTATION,
            "ImplementationVersionName": "NAPARI_CHEST",
        }
    )
    # File Meta Information Version is the one element here whose value is no text.
    meta = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01" + meta
    return bytes(128) + b"DICM" + encode({"FileMetaInformationGroupLength": len(meta)}) + meta


def _elements(
    source: Source, packed: Packed, identity: SegIdentity, *, overlap: bool
) -> dict[str, Value]:
    """All elements up to the shared functional groups."""
    place = source.place
    return {
        **source.patient_and_study,
        **source.lossy,
        **_equipment_and_series(identity),
        **_image(source, packed),
        **_dimensions(identity.dimensions_uid, placed=place is not None),
        **_references(source, packed),
        **_frame_of_reference(source),
        "SegmentsOverlap": "UNDEFINED" if overlap else "NO",
        "SegmentSequence": [
            item(encode(_segment(number, one))) for number, one in enumerate(packed.drawn, 1)
        ],
        "SharedFunctionalGroupsSequence": [item(encode(_shared_groups(place)))],
    }


def _equipment_and_series(identity: SegIdentity) -> dict[str, Value]:
    day, time = identity.made.strftime("%Y%m%d"), identity.made.strftime("%H%M%S")
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "CodingSchemeIdentificationSequence": [
            item(
                encode(
                    {
                        "CodingSchemeDesignator": LOCAL_SCHEME,
                        "CodingSchemeName": "Findings of napari-chest without a standard code",
                    }
                )
            )
        ],
        "SOPClassUID": SEGMENTATION_STORAGE,
        "SOPInstanceUID": identity.sop_uid,
        "InstanceCreationDate": day,
        "InstanceCreationTime": time,
        "Modality": "SEG",
        "SeriesInstanceUID": identity.series_uid,
        "SeriesNumber": str(identity.series_number),
        "SeriesDate": day,
        "SeriesTime": time,
        "SeriesDescription": long_string(f"Segmentation by {identity.reader}"),
        "Manufacturer": "napari-chest",
        "ManufacturerModelName": "napari-chest",
        "DeviceSerialNumber": "none",
        "SoftwareVersions": long_string(version("napari-chest")),
        "ContentDate": day,
        "ContentTime": time,
        "ContentLabel": "FINDINGS",
        "ContentDescription": long_string(f"Findings marked by {identity.reader}"),
        "ContentCreatorName": person_name(identity.reader),
    }


def _image(source: Source, packed: Packed) -> dict[str, Value]:
    _, rows, columns = source.shape
    return {
        "ImageType": "DERIVED\\PRIMARY",
        "InstanceNumber": "1",
        "LossyImageCompression": source.lossy.get("LossyImageCompression", "00"),
        "SegmentationType": "BINARY",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "NumberOfFrames": str(len(packed.frames)),
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 1,
        "BitsStored": 1,
        "HighBit": 0,
        "PixelRepresentation": 0,
    }


def _dimensions(uid: str, *, placed: bool) -> dict[str, Value]:
    indices = [("ReferencedSegmentNumber", "SegmentIdentificationSequence", "Segment")]
    if placed:
        indices.append(("ImagePositionPatient", "PlanePositionSequence", "Position"))
    return {
        "DimensionOrganizationSequence": [item(encode({"DimensionOrganizationUID": uid}))],
        "DimensionIndexSequence": [
            item(
                encode(
                    {
                        "DimensionOrganizationUID": uid,
                        "DimensionIndexPointer": tag_of(pointer),
                        "FunctionalGroupPointer": tag_of(group),
                        "DimensionDescriptionLabel": label,
                    }
                )
            )
            for pointer, group, label in indices
        ],
    }


def _references(source: Source, packed: Packed) -> dict[str, Value]:
    """The images that any frame was drawn on, each once (PS3.3 C.12.2)."""
    used = [source.headers[z] for z in sorted({frame.slice for frame in packed.frames})]
    instances = {header.sop_instance_uid: header.sop_class for header in used}
    items = [
        item(encode({"ReferencedSOPClassUID": sop_class, "ReferencedSOPInstanceUID": uid}))
        for uid, sop_class in instances.items()
    ]
    series: Mapping[str, Value] = {
        "SeriesInstanceUID": used[0].series_uid,
        "ReferencedInstanceSequence": items,
    }
    return {"ReferencedSeriesSequence": [item(encode(series))]}


def _frame_of_reference(source: Source) -> dict[str, Value]:
    if source.place is None:  # without one, General Image asks for the orientation (PS3.3 C.7.6.1)
        return {"PatientOrientation": source.patient_orientation}
    return {
        "FrameOfReferenceUID": source.place.frame_of_reference,
        "PositionReferenceIndicator": source.place.indicator,
    }


def _segment(number: int, drawn: Drawn) -> dict[str, Value]:
    mask, segment = drawn
    terms = terms_of(segment)
    kind = _code(terms.kind)
    if terms.modifier is not None:
        kind["SegmentedPropertyTypeModifierCodeSequence"] = _coded(terms.modifier)
    elements: dict[str, Value] = {
        "SegmentNumber": number,
        "SegmentLabel": segment_label(segment),
        "SegmentDescription": one_line(mask.name)[:_LONGEST_TEXT],
        "SegmentAlgorithmType": "MANUAL",
        "SegmentedPropertyCategoryCodeSequence": _coded(terms.category),
        "SegmentedPropertyTypeCodeSequence": [item(encode(kind))],
        "RecommendedDisplayCIELabValue": cie_lab(segment.color),
    }
    if terms.region is not None:
        elements["AnatomicRegionSequence"] = _coded(terms.region)
    return elements


def _shared_groups(place: Place | None) -> dict[str, Value]:
    if place is None:
        return {}
    measures: dict[str, Value] = {
        "PixelSpacing": place.pixel_spacing,
        "SliceThickness": place.thickness,
    }
    if place.step:
        measures["SpacingBetweenSlices"] = place.step
    orientation: Mapping[str, Value] = {"ImageOrientationPatient": place.orientation}
    return {
        "PixelMeasuresSequence": [item(encode(measures))],
        "PlaneOrientationSequence": [item(encode(orientation))],
    }


def _frame_groups(source: Source, packed: Packed) -> list[bytes]:
    """The sequence of per-frame functional groups, joined from parts that were encoded once."""
    used = sorted({frame.slice for frame in packed.frames})
    ranks = {z: rank for rank, z in enumerate(used, 1)}
    derivations = {z: encode(_derivation(source.headers[z])) for z in used}
    positions = {z: encode(_position(source.place, z)) for z in used}
    segments = [encode(_identification(n)) for n in range(1, len(packed.drawn) + 1)]
    items = []
    for segment, z in packed.frames:
        index = (segment, ranks[z]) if source.place else (segment,)
        content = encode({"FrameContentSequence": [item(encode({"DimensionIndexValues": index}))]})
        # in the order of their tags
        items.append(item(derivations[z] + content + positions[z] + segments[segment - 1]))
    length = sum(map(len, items))
    return [long_header("PerFrameFunctionalGroupsSequence", "SQ", length), *items]


def _derivation(header: SliceHeader) -> dict[str, Value]:
    image: dict[str, Value] = {
        "ReferencedSOPClassUID": header.sop_class,
        "ReferencedSOPInstanceUID": header.sop_instance_uid,
        "SpatialLocationsPreserved": "YES",
        "PurposeOfReferenceCodeSequence": _coded(_SOURCE_IMAGE),
    }
    if header.frame is not None:
        image["ReferencedFrameNumber"] = str(header.frame + 1)
    derivation: Mapping[str, Value] = {
        "SourceImageSequence": [item(encode(image))],
        "DerivationCodeSequence": _coded(_SEGMENTATION),
    }
    return {"DerivationImageSequence": [item(encode(derivation))]}


def _position(place: Place | None, z: int) -> dict[str, Value]:
    if place is None:
        return {}
    position = item(encode({"ImagePositionPatient": place.positions[z]}))
    return {"PlanePositionSequence": [position]}


def _identification(number: int) -> dict[str, Value]:
    reference = item(encode({"ReferencedSegmentNumber": number}))
    return {"SegmentIdentificationSequence": [reference]}


def _coded(term: Term) -> list[bytes]:
    return [item(encode(_code(term)))]


def _code(term: Term) -> dict[str, Value]:
    return {
        "CodeValue": term.value,
        "CodingSchemeDesignator": term.scheme,
        "CodeMeaning": long_string(term.meaning),
    }
