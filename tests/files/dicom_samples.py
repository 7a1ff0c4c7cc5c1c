"""Builds tiny DICOM files in every encoding the reader knows."""

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import generate_uid

from napari_chest.files.dicom.tags import DEFLATED, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
RLE = "1.2.840.10008.1.2.5"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG_2000 = "1.2.840.10008.1.2.4.91"
HTJ2K = "1.2.840.10008.1.2.4.201"
LOSSLESS = (
    EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED, RLE, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1,
    JPEG_LS, JPEG_2000_LOSSLESS, JPEG_2000, HTJ2K,
)  # fmt: skip
UNCOMPRESSED = (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED)
AXIAL = [1, 0, 0, 0, 1, 0]
SERIES_UID = "1.2.826.0.1.3680043.8.498.1"


def stored_values(seed=0, shape=(12, 10), high=4096):
    return np.random.default_rng(seed).integers(0, high, shape).astype(np.uint16)


def encode(stored, syntax, dataset):
    """Pixel Data of one frame."""
    if syntax == EXPLICIT_BE:
        return stored.astype(stored.dtype.newbyteorder(">")).tobytes()
    if syntax in UNCOMPRESSED:
        return stored.tobytes()
    return encapsulate([compress(stored, syntax, dataset)])


def compress(stored, syntax, dataset):
    words = stored.view(f"u{stored.dtype.itemsize}")
    bits = int(dataset.BitsStored)
    if syntax == RLE:
        return RLELosslessEncoder.encode(
            stored.tobytes(),
            rows=stored.shape[0], columns=stored.shape[1], samples_per_pixel=1,
            bits_allocated=dataset.BitsAllocated, bits_stored=bits, number_of_frames=1,
            pixel_representation=dataset.PixelRepresentation,
            photometric_interpretation="MONOCHROME2",
        )  # fmt: skip
    if syntax in (JPEG_LOSSLESS, JPEG_LOSSLESS_SV1):
        predictor = 1 if syntax == JPEG_LOSSLESS_SV1 else 7
        return imagecodecs.jpeg8_encode(
            words, lossless=True, predictor=predictor, bitspersample=bits
        )
    if syntax in (JPEG_BASELINE, JPEG_EXTENDED):
        return imagecodecs.jpeg8_encode(words, level=98, bitspersample=bits)
    if syntax == JPEG_LS:
        return imagecodecs.jpegls_encode(words)
    if syntax == HTJ2K:
        return imagecodecs.htj2k_encode(words, reversible=True)
    return imagecodecs.jpeg2k_encode(
        words, level=0, reversible=True, codecformat="j2k", bitspersample=bits
    )


def slice_dataset(z=0.0, number=1, *, stored=None, sop_class=CT, **changes):
    """One CT slice; ``changes`` by keyword, None removes an element."""
    stored = stored_values(number) if stored is None else stored
    dataset = Dataset()
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[str((z, number))])
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Modality = "CT"
    dataset.Manufacturer, dataset.ManufacturerModelName = "Maker", "Scanner 3"
    dataset.SeriesDescription = "Thorax"
    dataset.PatientName, dataset.PatientBirthDate = "Secret^Person", "19700101"
    dataset.PatientSex, dataset.PatientAge = "F", "061Y"
    dataset.BodyPartExamined, dataset.KVP, dataset.ConvolutionKernel = "CHEST", "120", "B70f"
    dataset.SliceThickness = "2.5"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", SERIES_UID
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = "4", "1", number
    dataset.ImagePositionPatient = [-100.5, -90.25, float(z)]
    dataset.ImageOrientationPatient = AXIAL
    dataset.SliceLocation = float(z)
    dataset.PixelSpacing = ["0.7", "0.8"]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.BitsAllocated = stored.dtype.itemsize * 8
    dataset.BitsStored = min(12, dataset.BitsAllocated)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.WindowCenter, dataset.WindowWidth = ["50", "-600"], ["350", "1200"]
    dataset.RescaleIntercept, dataset.RescaleSlope = "-1024", "1"
    for name, value in changes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset, stored


def write_dataset(path, dataset, pixels, syntax=EXPLICIT_LE, **how):
    dataset.preamble, dataset.file_meta = bytes(128), FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW" if syntax in UNCOMPRESSED else "OB"
    dataset["PixelData"].is_undefined_length = syntax not in UNCOMPRESSED
    options = {
        "implicit_vr": syntax == IMPLICIT_LE,
        "little_endian": syntax != EXPLICIT_BE,
        "enforce_file_format": False,
        **how,
    }
    pydicom.dcmwrite(path, dataset, **options)
    return path


def write_slice(path, z=0.0, number=1, *, syntax=EXPLICIT_LE, **changes):
    """Write one slice and return its stored values."""
    dataset, stored = slice_dataset(z, number, **changes)
    write_dataset(path, dataset, encode(stored, syntax, dataset), syntax)
    return stored


def write_stack(folder, count=5, *, step=2.5, syntax=EXPLICIT_LE, top=50.0, **changes):
    """Axial slices ``s01.dcm`` ... from head to feet; returns their HU, (Z, Y, X)."""
    folder.mkdir(exist_ok=True)
    stored = [
        write_slice(folder / f"s{n:02}.dcm", top - step * (n - 1), n, syntax=syntax, **changes)
        for n in range(1, count + 1)
    ]
    return np.stack(stored).astype(int) - 1024


def write_frames(path, frames, tops, *, syntax=EXPLICIT_LE, extended=False, enhanced=True):
    """A multi-frame CT: per-frame positions and rescale, shared orientation and spacing."""
    dataset, _ = slice_dataset(0, 1, stored=frames[0], sop_class=ENHANCED_CT if enhanced else CT)
    dataset.NumberOfFrames = len(frames)
    if enhanced:
        for name in (
            "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceLocation",
            "RescaleIntercept", "RescaleSlope", "WindowCenter", "WindowWidth", "SliceThickness",
        ):  # fmt: skip
            delattr(dataset, name)
        dataset.SharedFunctionalGroupsSequence = [_shared_groups()]
        dataset.PerFrameFunctionalGroupsSequence = [
            _frame_groups(top, -1024 + n) for n, top in enumerate(tops)
        ]
    if syntax in UNCOMPRESSED:
        pixels = b"".join(encode(frame, syntax, dataset) for frame in frames)
    elif extended:
        coded = [compress(frame, syntax, dataset) for frame in frames]
        pixels, offsets, lengths = encapsulate_extended(coded)
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
    else:
        coded = [compress(frame, syntax, dataset) for frame in frames]
        pixels = encapsulate(coded, has_bot=len(tops) % 2 == 0, fragments_per_frame=1)
    return write_dataset(path, dataset, pixels, syntax)


def _item(**elements):
    item = Dataset()
    for name, value in elements.items():
        setattr(item, name, value)
    return item


def _shared_groups():
    return _item(
        PlaneOrientationSequence=[_item(ImageOrientationPatient=AXIAL)],
        PixelMeasuresSequence=[_item(PixelSpacing=[0.7, 0.8], SliceThickness=2.5)],
        FrameVOILUTSequence=[_item(WindowCenter=-500, WindowWidth=1500)],
        CTReconstructionSequence=[_item(ConvolutionKernel="LUNG")],
        CTXRayDetailsSequence=[_item(KVP=110.0)],
        # overruled by the frames
        PixelValueTransformationSequence=[_item(RescaleIntercept=7, RescaleSlope=3)],
    )


def _frame_groups(top, intercept):
    return _item(
        PlanePositionSequence=[_item(ImagePositionPatient=[-100.5, -90.25, top])],
        PixelValueTransformationSequence=[_item(RescaleIntercept=intercept, RescaleSlope=1)],
        FrameContentSequence=[_item(FrameAcquisitionNumber=5)],
    )
