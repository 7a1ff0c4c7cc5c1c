"""Hounsfield units of one image, exact in every encoding."""

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicom_samples import (
    HTJ2K,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    LOSSLESS,
    RLE,
    UNCOMPRESSED,
    compress,
    slice_dataset,
    stored_values,
    write_dataset,
    write_frames,
    write_slice,
)

from napari_chest.errors import ReadError
from napari_chest.files.dicom import AIR_HU, header, read_header
from napari_chest.files.dicom.pixels import decode_into
from napari_chest.files.dicom.tags import DEFLATED, EXPLICIT_BE, EXPLICIT_LE


def decoded(path_or_header):
    found = path_or_header
    if not isinstance(found, header.SliceHeader):
        found = read_header(found)
    out = np.full((found.rows, found.columns), 7, np.int16)
    decode_into(found, out)
    return out


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_unsigned_12_bits(tmp_path, syntax):
    stored = write_slice(tmp_path / "a.dcm", syntax=syntax)
    assert stored.max() > 4000
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), stored.astype(int) - 1024)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_signed_16_bits(tmp_path, syntax):
    stored = (stored_values(3).astype(int) - 2048).astype(np.int16)
    changes = {"BitsStored": 16, "HighBit": 15, "RescaleIntercept": "-24"}
    write_slice(tmp_path / "a.dcm", syntax=syntax, stored=stored, **changes)
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), stored.astype(int) - 24)


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_2000_LOSSLESS, RLE, HTJ2K])
def test_signed_12_bits_without_sign_in_the_codec(tmp_path, syntax):
    wanted = stored_values(3).astype(int) - 2048
    stored = (wanted & 0xFFF).astype(np.uint16)
    write_slice(
        tmp_path / "a.dcm",
        syntax=syntax,
        stored=stored,
        PixelRepresentation=1,
        RescaleIntercept="0",
    )
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), wanted)


def test_signed_12_bit_padding(tmp_path):
    stored = np.array([[-2000 & 0xFFF, 5]], np.uint16)
    changes = {"PixelRepresentation": 1, "RescaleIntercept": "0"}
    for syntax in (JPEG_LS, UNCOMPRESSED[0]):
        dataset, _ = slice_dataset(stored=stored, **changes)
        dataset.PixelPaddingValue = -2000
        coded = compress(stored, syntax, dataset) if syntax == JPEG_LS else None
        pixels = pydicom.encaps.encapsulate([coded]) if coded else stored.tobytes()
        path = write_dataset(tmp_path / "a.dcm", dataset, pixels, syntax)
        assert decoded(path).tolist() == [[AIR_HU, 5]]


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("high_bit", [11, 13, 15])
def test_bits_beside_the_value_are_ignored(tmp_path, syntax, signed, high_bit):
    values = stored_values(1).astype(int) - 2048 * signed
    below = high_bit - 11
    garbage = np.random.default_rng(2).integers(0, 1 << 16, values.shape)
    mask = 0xFFF << below
    stored = (((values & 0xFFF) << below) | (garbage & ~mask)).astype(np.uint16)
    changes = {"HighBit": high_bit, "PixelRepresentation": int(signed)}
    write_slice(tmp_path / "a.dcm", syntax=syntax, stored=stored, **changes)
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), values - 1024)


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, JPEG_LOSSLESS_SV1])
def test_fractions_are_rounded_and_held_within_int16(tmp_path, syntax):
    stored = np.array([[0, 1, 2, 3], [100, 4095, 2000, 1999]], np.uint16)
    changes = {"RescaleSlope": "12.25", "RescaleIntercept": "-1024.5"}
    write_slice(tmp_path / "a.dcm", syntax=syntax, stored=stored, **changes)
    expected = np.clip(np.rint(stored * 12.25 - 1024.5), -32768, 32767)
    assert expected.max() == 32767
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), expected)


def test_whole_intercepts_saturate_too(tmp_path):
    stored = np.array([[0, 65535, 40000, 33792]], np.uint16)
    changes = {"BitsStored": 16, "HighBit": 15}
    write_slice(tmp_path / "a.dcm", stored=stored, **changes)
    assert decoded(tmp_path / "a.dcm").tolist() == [[-1024, 32767, 32767, 32767]]
    signed = np.array([[-32768, 0]], np.int16)
    write_slice(tmp_path / "b.dcm", stored=signed, **changes)
    assert decoded(tmp_path / "b.dcm").tolist() == [[-32768, -1024]]


def test_absent_and_zero_slope_count_as_one(tmp_path):
    stored = write_slice(tmp_path / "a.dcm", RescaleSlope=None, RescaleIntercept=None)
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), stored)
    assert not read_header(tmp_path / "a.dcm").rescaled
    stored = write_slice(tmp_path / "b.dcm", RescaleSlope="0")
    np.testing.assert_array_equal(decoded(tmp_path / "b.dcm"), stored.astype(int) - 1024)


@pytest.mark.parametrize("syntax", [*UNCOMPRESSED, JPEG_LOSSLESS_SV1, JPEG_LS])
def test_padding_is_air(tmp_path, syntax):
    stored = np.array([[5, 6, 7], [8, 9, 3000]], np.uint16)
    write_slice(tmp_path / "a.dcm", syntax=syntax, stored=stored, PixelPaddingValue=3000)
    assert decoded(tmp_path / "a.dcm").tolist() == [[-1019, -1018, -1017], [-1016, -1015, AIR_HU]]
    limits = {"PixelPaddingValue": 8, "PixelPaddingRangeLimit": 6}
    write_slice(tmp_path / "b.dcm", syntax=syntax, stored=stored, RescaleIntercept="0", **limits)
    assert decoded(tmp_path / "b.dcm").tolist() == [[5, AIR_HU, AIR_HU], [AIR_HU, 9, 3000]]


def test_signed_padding_is_air(tmp_path):
    stored = np.array([[-2000, 40], [-2000, -3]], np.int16)
    changes = {"BitsStored": 16, "HighBit": 15, "RescaleIntercept": "0"}
    write_slice(tmp_path / "a.dcm", stored=stored, PixelPaddingValue=-2000, **changes)
    assert decoded(tmp_path / "a.dcm").tolist() == [[AIR_HU, 40], [AIR_HU, -3]]


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, JPEG_LOSSLESS_SV1, JPEG_LS, RLE, JPEG_BASELINE])
def test_eight_bits(tmp_path, syntax):
    stored = np.tile(np.arange(16, dtype=np.uint8) * 16, (16, 1))
    write_slice(tmp_path / "a.dcm", syntax=syntax, stored=stored)
    expected = stored.astype(int) - 1024
    if syntax == JPEG_BASELINE:
        coded = compress(stored, syntax, slice_dataset(stored=stored)[0])
        expected = imagecodecs.jpeg8_decode(coded).astype(int) - 1024
        assert np.abs(expected - (stored.astype(int) - 1024)).max() < 8
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), expected)


def test_eight_bit_jpeg_where_sixteen_are_allocated(tmp_path):
    stored = stored_values(high=256)
    coded = imagecodecs.jpeg8_encode(stored.astype(np.uint8), lossless=True, predictor=1)
    for bits in (8, 12):
        dataset, _ = slice_dataset(stored=stored, BitsStored=bits, HighBit=bits - 1)
        pixels = pydicom.encaps.encapsulate([coded])
        path = write_dataset(tmp_path / "a.dcm", dataset, pixels, JPEG_LOSSLESS_SV1)
        np.testing.assert_array_equal(decoded(path), stored.astype(int) - 1024)


def test_lossy_12_bit_jpeg(tmp_path):
    stored = np.tile(np.arange(16, dtype=np.uint16) * 250, (16, 1))
    write_slice(tmp_path / "a.dcm", syntax=JPEG_EXTENDED, stored=stored)
    assert np.abs(decoded(tmp_path / "a.dcm") - (stored.astype(int) - 1024)).max() < 60


def test_32_bits(tmp_path):
    stored = np.array([[70000, 5], [2**31, 1024]], np.uint32)
    changes = {"BitsStored": 32, "HighBit": 31}
    write_slice(tmp_path / "a.dcm", stored=stored, **changes)
    assert decoded(tmp_path / "a.dcm").tolist() == [[32767, -1019], [32767, 0]]


def test_monochrome1_is_kept(tmp_path):
    stored = write_slice(tmp_path / "a.dcm", PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(decoded(tmp_path / "a.dcm"), stored.astype(int) - 1024)


def test_fragments_are_joined(tmp_path):
    dataset, stored = slice_dataset()
    coded = compress(stored, JPEG_LOSSLESS_SV1, dataset)
    pixels = pydicom.encaps.encapsulate([coded], fragments_per_frame=3)
    path = write_dataset(tmp_path / "a.dcm", dataset, pixels, JPEG_LOSSLESS_SV1)
    np.testing.assert_array_equal(decoded(path), stored.astype(int) - 1024)


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, EXPLICIT_BE, DEFLATED, JPEG_LOSSLESS_SV1, RLE])
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("enhanced", [False, True])
@pytest.mark.parametrize("count", [3, 4])  # without and with a basic offset table
def test_each_frame_of_many(tmp_path, syntax, extended, enhanced, count):
    frames = [stored_values(n) for n in range(count)]
    tops = [5.0 * n for n in range(count)]
    path = tmp_path / "a.dcm"
    write_frames(path, frames, tops, syntax=syntax, extended=extended, enhanced=enhanced)
    for n, one in enumerate(header.read_headers(path)):
        intercept = -1024 + n if enhanced else -1024
        np.testing.assert_array_equal(decoded(one), frames[n].astype(int) + intercept)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_every_truncation_is_a_read_error(tmp_path, syntax):
    path = tmp_path / "a.dcm"
    write_slice(path, syntax=syntax)
    whole = read_header(path)
    data = path.read_bytes()
    end_of_pixels = len(data) - (0 if syntax in UNCOMPRESSED else 8)  # the closing delimiter
    for end in range(0, end_of_pixels, 37):
        path.write_bytes(data[:end])
        with pytest.raises(ReadError):
            decoded(whole)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_damaged_pixels_raise_nothing_but_read_errors(tmp_path, syntax):
    path = tmp_path / "a.dcm"
    write_slice(path, syntax=syntax)
    whole = read_header(path)
    good = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(6)
    start = 400 if syntax == DEFLATED else whole.pixel_offset
    for _ in range(40):
        bad = good.copy()
        bad[random.integers(start, len(bad), 8)] = random.integers(0, 256, 8)
        path.write_bytes(bad.tobytes())
        try:
            decoded(whole)
        except ReadError:
            continue


def test_a_codestream_of_another_size_is_refused(tmp_path):
    for syntax in (JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_2000_LOSSLESS):  # RLE tells no size
        dataset, _ = slice_dataset()
        other = compress(stored_values(shape=(40, 40)), syntax, dataset)
        pixels = pydicom.encaps.encapsulate([other])
        path = write_dataset(tmp_path / "a.dcm", dataset, pixels, syntax)
        with pytest.raises(ReadError):
            decoded(path)


def test_unknown_transfer_syntax_is_named(tmp_path):
    dataset, _ = slice_dataset()
    pixels = pydicom.encaps.encapsulate([b"moving pictures!"])
    path = write_dataset(tmp_path / "a.dcm", dataset, pixels, "1.2.840.10008.1.2.4.100")
    with pytest.raises(ReadError, match="MPEG2 Main Profile"):
        decoded(path)


def test_colour_is_refused(tmp_path):
    stored = np.zeros((4, 4, 3), np.uint8)
    dataset, _ = slice_dataset(stored=stored, SamplesPerPixel=3, Rows=4, Columns=4)
    path = write_dataset(tmp_path / "a.dcm", dataset, stored.tobytes())
    with pytest.raises(ReadError, match="3 x 8 bits"):
        decoded(path)


def test_impossible_high_bit_is_refused(tmp_path):
    write_slice(tmp_path / "a.dcm", HighBit=20)
    with pytest.raises(ReadError, match="high bit 20"):
        decoded(tmp_path / "a.dcm")
