"""One image's header: our walker against pydicom, and files that are damaged or no images."""

import contextlib
import struct
import warnings

import numpy as np
import pydicom
import pytest
from dicom_samples import (
    JPEG_LOSSLESS_SV1,
    LOSSLESS,
    UNCOMPRESSED,
    slice_dataset,
    write_dataset,
    write_frames,
    write_slice,
)
from pydicom.dataset import Dataset

from napari_chest.errors import ReadError
from napari_chest.files.dicom import header as header_module
from napari_chest.files.dicom import read_header
from napari_chest.files.dicom.fallback import scan_with_pydicom
from napari_chest.files.dicom.tags import DEFLATED, EXPLICIT_LE, IMPLICIT_LE
from napari_chest.files.dicom.walk import OddHeaderError, scan


def text(dataset, name):
    value = dataset.get(name)
    return "" if value is None else str(value)


def numbers(dataset, name):
    value = dataset.get(name)
    if value is None or value == "":
        return None
    many = isinstance(value, pydicom.multival.MultiValue)
    return tuple(map(float, value)) if many else (float(value),)


def first(dataset, name):
    found = numbers(dataset, name)
    return None if found is None else found[0]


def as_pydicom_says(path):
    """The fields of a `SliceHeader` from pydicom's converted values, not its raw bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        d = pydicom.dcmread(path)
        return {
            "transfer_syntax": text(d.file_meta, "TransferSyntaxUID"),
            "sop_class": text(d, "SOPClassUID"),
            "sop_instance_uid": text(d, "SOPInstanceUID"),
            "series_uid": text(d, "SeriesInstanceUID"),
            "study_uid": text(d, "StudyInstanceUID"),
            "modality": text(d, "Modality"),
            "image_type": tuple(d.ImageType),
            "series_number": first(d, "SeriesNumber"),
            "instance_number": first(d, "InstanceNumber"),
            "acquisition_number": first(d, "AcquisitionNumber"),
            "position": numbers(d, "ImagePositionPatient"),
            "orientation": numbers(d, "ImageOrientationPatient"),
            "slice_location": first(d, "SliceLocation"),
            "pixel_spacing": numbers(d, "PixelSpacing"),
            "slice_thickness": first(d, "SliceThickness"),
            "gantry_tilt": first(d, "GantryDetectorTilt"),
            "rows": d.Rows,
            "columns": d.Columns,
            "bits_allocated": d.BitsAllocated,
            "bits_stored": d.BitsStored,
            "high_bit": d.HighBit,
            "pixel_representation": d.PixelRepresentation,
            "samples_per_pixel": d.SamplesPerPixel,
            "photometric": text(d, "PhotometricInterpretation"),
            "slope": first(d, "RescaleSlope"),
            "intercept": first(d, "RescaleIntercept"),
            "padding_value": d.get("PixelPaddingValue"),
            "padding_limit": d.get("PixelPaddingRangeLimit"),
            "window_centers": numbers(d, "WindowCenter"),
            "window_widths": numbers(d, "WindowWidth"),
            "sex": text(d, "PatientSex"),
            "age": text(d, "PatientAge"),
            "manufacturer": text(d, "Manufacturer"),
            "model": text(d, "ManufacturerModelName"),
            "kernel": text(d, "ConvolutionKernel"),
            "kvp": first(d, "KVP"),
            "series_description": text(d, "SeriesDescription"),
            "body_part": text(d, "BodyPartExamined"),
        }


def assert_agrees(path):
    header = read_header(path)
    expected = as_pydicom_says(path)
    assert {name: getattr(header, name) for name in expected} == expected
    assert scan(path) == scan_with_pydicom(path)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_walker_agrees_with_pydicom(tmp_path, syntax):
    path = tmp_path / "a.dcm"
    write_slice(path, syntax=syntax, PixelPaddingValue=63, GantryDetectorTilt="-12.5")
    if syntax == DEFLATED:  # pydicom is never asked to inflate
        expected = as_pydicom_says(path)
        assert {name: getattr(read_header(path), name) for name in expected} == expected
    else:
        assert_agrees(path)


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_signed_padding_follows_pixel_representation(tmp_path, syntax):
    stored = np.full((4, 4), -5, np.int16)
    write_slice(tmp_path / "a.dcm", syntax=syntax, stored=stored, PixelPaddingValue=-2000)
    assert read_header(tmp_path / "a.dcm").padding_value == -2000


def test_walker_agrees_on_real_files(real_covid_ct_md):
    paths = sorted(real_covid_ct_md.glob("Sample data/*/*/*.dcm"))
    for path in paths[::13]:
        assert_agrees(path)


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE])
@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_and_private_elements_are_stepped_over(tmp_path, syntax, undefined):
    dataset, stored = slice_dataset()
    inner, middle, outer = Dataset(), Dataset(), Dataset()
    inner.Rows, inner.SeriesDescription = 9999, "not this one"
    inner.is_undefined_length_sequence_item = undefined
    middle.ReferencedImageSequence = [inner, inner]
    middle["ReferencedImageSequence"].is_undefined_length = undefined
    middle.is_undefined_length_sequence_item = undefined
    outer.SourceImageSequence = [middle]
    outer["SourceImageSequence"].is_undefined_length = undefined
    outer.Columns = 9999
    dataset.SourceImageSequence = [outer, inner]
    dataset["SourceImageSequence"].is_undefined_length = undefined
    block = dataset.private_block(0x29, "US", create=True)
    block.add_new(0x10, "OB", bytes(70_000))  # beyond the first read
    path = write_dataset(tmp_path / "a.dcm", dataset, stored.tobytes(), syntax)
    header = read_header(path)
    assert (header.rows, header.columns, header.series_description) == (12, 10, "Thorax")
    assert_agrees(path)
    assert header.pixel_offset > 70_000


def test_encapsulated_icon_is_not_the_image(tmp_path):
    dataset, stored = slice_dataset()
    icon = Dataset()
    icon.Rows = icon.Columns = 2
    icon.PixelData = pydicom.encaps.encapsulate([b"icon"])
    icon["PixelData"].VR, icon["PixelData"].is_undefined_length = "OB", True
    dataset.IconImageSequence = [icon]
    dataset["IconImageSequence"].is_undefined_length = True
    path = write_dataset(tmp_path / "a.dcm", dataset, stored.tobytes())
    assert path.read_bytes()[read_header(path).pixel_offset :] == stored.tobytes()


def test_empty_and_invalid_values_are_accepted_in_silence(tmp_path):
    path = tmp_path / "a.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_slice(
            path, SOPInstanceUID="", SeriesInstanceUID="7afb0d48-ec01-4941-9a58-66d15cab76fb",
            SeriesNumber=None, InstanceNumber=None, PatientAge="", SliceThickness=None,
            WindowCenter=None,
        )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        header = read_header(path)
    assert header.sop_instance_uid == ""
    assert header.series_uid.startswith("7afb0d48-")
    assert header.series_number is header.instance_number is header.slice_thickness is None
    assert header.window_centers == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"nan\\0\\0 ", None), (b"1e400\\0\\0", None), (b"x\\1\\2 ", None), (b"1\\2 ", None),
     (b" 1\\ 2\\-3.5e1 ", (1, 2, -35))],
)  # fmt: skip
def test_numbers_are_finite_or_absent(tmp_path, value, expected):
    path = tmp_path / "a.dcm"
    write_slice(path)
    data = path.read_bytes()
    at = data.index(struct.pack("<HH2s", 0x20, 0x32, b"DS"))
    (length,) = struct.unpack_from("<H", data, at + 6)
    path.write_bytes(data[: at + 8] + value.ljust(length) + data[at + 8 + length :])
    assert read_header(path).position == expected


def test_text_in_another_character_set(tmp_path):
    path = tmp_path / "a.dcm"
    write_slice(path, SpecificCharacterSet="ISO_IR 192", SeriesDescription="Thorax où 肺")
    assert read_header(path).series_description == "Thorax où 肺"


def test_names_nobody(tmp_path):
    write_slice(tmp_path / "a.dcm")
    header = read_header(tmp_path / "a.dcm")
    assert "Secret" not in repr(header)
    assert "19700101" not in repr(header)
    assert header.facts["Age"].startswith("61")


def test_without_preamble_pydicom_is_asked(tmp_path):
    dataset, stored = slice_dataset()
    write_dataset(tmp_path / "full.dcm", dataset, stored.tobytes(), IMPLICIT_LE)
    full = (tmp_path / "full.dcm").read_bytes()
    start = full.index(struct.pack("<HH", 8, 8))
    (tmp_path / "bare.dcm").write_bytes(full[start:])
    with pytest.raises(OddHeaderError):
        scan(tmp_path / "bare.dcm")
    bare = read_header(tmp_path / "bare.dcm")
    assert (bare.rows, bare.position) == (12, (-100.5, -90.25, 0.0))
    assert (tmp_path / "bare.dcm").read_bytes()[bare.pixel_offset :] == stored.tobytes()


def test_wrong_transfer_syntax_pydicom_is_asked(tmp_path):
    dataset, stored = slice_dataset()
    path = write_dataset(tmp_path / "a.dcm", dataset, stored.tobytes(), IMPLICIT_LE)
    data = path.read_bytes()
    assert b"1.2.840.10008.1.2\0" in data
    at = data.index(struct.pack("<HH2s", 2, 0x10, b"UI"))
    value = b"1.2.840.10008.1.2.1\0"
    head = data[:at] + struct.pack("<HH2sH", 2, 0x10, b"UI", len(value)) + value
    path.write_bytes(head + data[at + 8 + 18 :])
    with contextlib.suppress(ReadError):  # pydicom may refuse it; nothing else may escape
        assert read_header(path).rows == 12


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"hello, I am a text", "not a DICOM"), (bytes(5000), "not a DICOM")],
)
def test_not_dicom(tmp_path, content, says):
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=says):
        read_header(path)


def test_vanished_file_and_folder(tmp_path):
    with pytest.raises(ReadError, match="cannot be read"):
        read_header(tmp_path / "none.dcm")
    with pytest.raises(ReadError, match="cannot be read"):
        read_header(tmp_path)


def test_no_pixel_data(tmp_path):
    dataset, stored = slice_dataset()
    path = write_dataset(tmp_path / "a.dcm", dataset, stored.tobytes())
    data = path.read_bytes()
    path.write_bytes(data[: data.index(struct.pack("<HH", 0x7FE0, 0x10))])
    with pytest.raises(ReadError, match="no pixel data"):
        read_header(path)


@pytest.mark.parametrize("changes", [{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": 10**8}])
@pytest.mark.parametrize("syntax", [EXPLICIT_LE, JPEG_LOSSLESS_SV1])
def test_a_lying_header_is_refused(tmp_path, changes, syntax):
    dataset, stored = slice_dataset()
    for name, value in changes.items():
        setattr(dataset, name, value)
    pixels = stored.tobytes() if syntax == EXPLICIT_LE else pydicom.encaps.encapsulate([b"xx"])
    path = write_dataset(tmp_path / "a.dcm", dataset, pixels, syntax)
    with pytest.raises(ReadError):
        read_header(path)


@pytest.mark.parametrize("syntax", [*UNCOMPRESSED, JPEG_LOSSLESS_SV1])
def test_truncation_raises_nothing_but_read_errors(tmp_path, syntax):
    path = tmp_path / "a.dcm"
    write_slice(path, syntax=syntax)
    data = path.read_bytes()
    for end in range(0, len(data), 23):
        path.write_bytes(data[:end])
        try:
            header = read_header(path)
        except ReadError:
            continue
        assert syntax in (DEFLATED, JPEG_LOSSLESS_SV1)  # their end is only seen when decoded
        assert header.rows == 12


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE, DEFLATED])
def test_random_damage_raises_nothing_but_read_errors(tmp_path, syntax):
    path = tmp_path / "a.dcm"
    write_slice(path, syntax=syntax)
    good = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(4)
    for _ in range(150):
        bad = good.copy()
        where = random.integers(132, len(bad), 6)
        bad[where] = random.choice([0, 1, 0x7F, 0xFE, 0xFF, 0xE0], 6)
        path.write_bytes(bad.tobytes())
        try:
            header_module.read_headers(path)
        except ReadError:
            continue


def test_random_bytes_raise_nothing_but_read_errors(tmp_path):
    path = tmp_path / "a.dcm"
    random = np.random.default_rng(5)
    for start in (b"", bytes(128) + b"DICM", b"\x08\x00\x05\x00", b"\x08\x00\x05\x00CS\x0a\x00"):
        for _ in range(30):
            path.write_bytes(start + random.bytes(400))
            with pytest.raises(ReadError):
                read_header(path)


def test_deep_nesting_costs_no_recursion(tmp_path):
    path = tmp_path / "a.dcm"
    write_slice(path)
    data = path.read_bytes()
    at = data.index(struct.pack("<HH", 0x20, 0x0D))
    opening = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    path.write_bytes(data[:at] + opening * 5000 + closing * 5000 + data[at:])
    assert read_header(path).rows == 12
    path.write_bytes(data[:at] + opening * 5000 + data[at:])  # never closed
    with pytest.raises(ReadError):
        read_header(path)


def test_a_bomb_is_not_inflated(tmp_path):
    dataset, stored = slice_dataset()
    path = write_dataset(
        tmp_path / "a.dcm", dataset, stored.tobytes() + bytes(30_000_000), DEFLATED
    )
    header = read_header(path)
    assert header.rows == 12


def test_enhanced_frames(tmp_path):
    frames = [np.full((6, 4), 100 * n, np.uint16) for n in range(3)]
    path = write_frames(tmp_path / "e.dcm", frames, [10.0, 5.0, 0.0])
    headers = header_module.read_headers(path)
    assert [h.frame for h in headers] == [0, 1, 2]
    assert [h.name for h in headers] == ["e.dcm#1", "e.dcm#2", "e.dcm#3"]
    assert [h.position[2] for h in headers] == [10, 5, 0]
    assert [h.intercept for h in headers] == [-1024, -1023, -1022]
    third = headers[2]
    assert third.orientation == (1, 0, 0, 0, 1, 0)
    assert third.pixel_spacing == (0.7, 0.8)
    assert (third.slope, third.slice_thickness, third.window_centers) == (1, 2.5, (-500,))
    assert (third.kernel, third.kvp, third.acquisition_number) == ("LUNG", 110, 5)
    assert read_header(path) == headers[0]
