"""AIM documents: what others read in them, byte-exact corrections, hostile ones refused."""

import difflib
import random
import re
from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np
import pytest
from aim_samples import (
    CR,
    FAR_SQUARE,
    NAMESPACE,
    OTHER_SOP,
    SERIES,
    SOP,
    SQUARE,
    STUDY,
    TRIANGLE,
    XSI,
    Polygon,
    annotations,
    document,
    find,
    markups,
    open_points,
    root_of,
    value,
    vertices,
)
from skimage.draw import polygon

from napari_chest.errors import ReadError, SaveError
from napari_chest.files.aim import AimImage, is_aim, new_aim, parse_aim, read_aim
from napari_chest.files.aim.markup import number_text
from napari_chest.rings import encode_mask

SHAPE = (32, 40)
NOW = datetime(2024, 2, 3, 4, 5, 6)
IMAGE = AimImage(SOP, CR, SERIES, STUDY, "DX", "20200320", "")
UID = re.compile(r"([0-9a-f]\.){6}[0-9a-f]{4}\.[0-9a-f]{3}(\.[0-9a-f]){2}\.[0-9a-f]{39}")

TWO_FINDINGS = document(
    ("Consolidation", [Polygon(SQUARE), Polygon(TRIANGLE)]),
    ("Ground glass", [Polygon(FAR_SQUARE, colour="0,255,0")]),
)


def parsed(text, encoding="utf-8"):
    return parse_aim(text.encode(encoding), "roi.xml")


def drawn(annotation, image=SOP, shape=SHAPE):
    """A finding's mask from the document alone: half a pixel off, then scikit-image."""
    mask = np.zeros(shape, bool)
    for markup in markups(annotation):
        if value(markup, "imageReferenceUid", "root") == image:
            points = open_points(markup) - 0.5
            mask[polygon(points[:, 1], points[:, 0], shape)] = True
    return mask


def filled(annotation, shape=SHAPE):
    """A finding's mask as BIMCV's converter draws it: truncated vertices, cv2.fillPoly."""
    mask = np.zeros(shape, np.uint8)
    for markup in markups(annotation):
        cv2.fillPoly(mask, [np.int32([(x, y) for _, x, y in vertices(markup)])], 1)
    return mask > 0


def changed_lines(before, after):
    """The lines that went and the lines that came."""
    lines = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0))[2:]
    return [d[1:] for d in lines if d[0] == "-"], [d[1:] for d in lines if d[0] == "+"]


def first_markup(text, containing=""):
    """The text of the first markup that holds these words."""
    at = text.index(containing, text.index("<MarkupEntity"))
    start = text.index("<MarkupEntity") if not containing else text.rindex("<MarkupEntity", 0, at)
    return text[start : text.index("</MarkupEntity>", start)]


def mask_with(*spots, base=None):
    mask = np.zeros(SHAPE, bool) if base is None else base.copy()
    for y, x in spots:
        mask[y, x] = True
    return mask


def blobs(seed):
    noise = np.random.default_rng(seed).random(SHAPE)
    return cv2.GaussianBlur(noise, (0, 0), 1.5) > 0.5


# Reading


def test_findings():
    file = parsed(TWO_FINDINGS)
    assert [roi.name for roi in file.rois] == ["Consolidation", "Ground glass"]
    assert file.rois[1].uid == "0.0.0.0.0.0.0001.000.0.0." + "ab" * 19 + "c"
    assert [len(roi.polygons) for roi in file.rois] == [2, 1]
    assert [roi.others for roi in file.rois] == [0, 0]
    np.testing.assert_array_equal(file.rois[0].polygons[0].points, SQUARE)
    np.testing.assert_array_equal(file.rois[0].polygons[1].points, np.array(TRIANGLE, float))
    assert file.rois[0].polygons[0].image_uid == SOP
    assert file.rois[0].polygons[0].frame == 1
    assert file.image_uids == (SOP,)
    assert file.series_uids == (SERIES,)


def test_read_from_disk(tmp_path):
    path = tmp_path / "x_roi.xml"
    path.write_bytes(TWO_FINDINGS.encode())
    assert read_aim(path).content == TWO_FINDINGS.encode()
    with pytest.raises(ReadError, match="no longer there"):
        read_aim(tmp_path / "none.xml")


def test_masks_lie_half_a_pixel_from_the_corner():
    file = parsed(TWO_FINDINGS)
    mask = file.mask(0, SHAPE, None)
    np.testing.assert_array_equal(mask, drawn(annotations(file.content)[0]))
    assert mask[3:8, 2:9].all()
    assert mask[:10, :15].sum() == 5 * 7


def test_only_polygons_of_the_image():
    text = document(("x", [Polygon(SQUARE), Polygon(FAR_SQUARE, OTHER_SOP)]), listed=(SOP,))
    file = parsed(text)
    assert file.image_uids == (SOP, OTHER_SOP)
    both = file.mask(0, SHAPE, None)
    np.testing.assert_array_equal(file.mask(0, SHAPE, {SOP, OTHER_SOP}), both)
    np.testing.assert_array_equal(
        file.mask(0, SHAPE, [SOP]), drawn(annotations(file.content)[0], SOP)
    )
    assert not file.mask(0, SHAPE, ()).any()
    assert 0 < file.mask(0, SHAPE, [OTHER_SOP]).sum() < both.sum()


def reindexed(order):
    """The square with its vertices written under these indices."""
    indices = iter([*order, None])
    text = document(("x", [Polygon(SQUARE)]))
    return re.sub(r'(?<=coordinateIndex value=")\d+', lambda m: str(next(indices, 0)), text)


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ((0, 1, 2, 3, 0), (0, 1, 2, 3)),
        ((0, 3, 2, 1, 0), (0, 3, 2, 1)),
        ((0, 2, 1, 3, 0), (0, 2, 1, 3)),
        ((0, 1, 1, 3, 0), (0, 1, 2, 3)),
        ((5, 9, 6, 8, 5), (0, 1, 2, 3)),
        ((0, 1, 2, 3, 4), (0, 1, 2, 3)),
        ((9, -1, 2, 3, "x"), (0, 1, 2, 3)),
    ],
)
def test_vertices_follow_their_indices_where_those_count(indices, expected):
    file = parsed(reindexed(indices))
    np.testing.assert_array_equal(file.rois[0].polygons[0].points, [SQUARE[i] for i in expected])


def test_a_polygon_that_is_not_closed_loses_no_vertex():
    text = document(("x", [Polygon(SQUARE)]))
    coordinate = r"\n *<TwoDimensionSpatialCoordinate>(?:(?!</Two).|\n)*</\w+Coordinate>"
    last = list(re.finditer(coordinate, text))[-1]
    file = parsed(text[: last.start()] + text[last.end() :])
    np.testing.assert_array_equal(file.rois[0].polygons[0].points, SQUARE)


@pytest.mark.parametrize(
    "bad", ["NaN", "nan", "Infinity", "-inf", "", "12,5", "1_0", "x", "1e300", "99999999"]
)
def test_unreadable_polygons_are_counted_and_kept(bad):
    points = (SQUARE[0], (bad, "5"), SQUARE[2])
    text = document(("x", [Polygon(points), Polygon(FAR_SQUARE)]))
    file = parsed(text)
    assert file.rois[0].others == 1
    assert len(file.rois[0].polygons) == 1
    assert file.mask(0, SHAPE, None).sum() == file.mask(0, SHAPE, None)[20:28, 4:13].sum()
    after = file.with_masks({0: mask_with((1, 1))}, SOP, NOW).content.decode()
    assert first_markup(text) in after


def test_missing_values_make_a_polygon_unreadable():
    for gone in (' value="9.25"', '<x value="9.25"/>', '<y value="8.125"/>'):
        file = parsed(document(("x", [Polygon(SQUARE)])).replace(gone, "", 1))
        assert file.rois[0].polygons == ()
        assert file.rois[0].others == 1


@pytest.mark.parametrize(
    "polygon",
    [
        Polygon(SQUARE, shape="TwoDimensionCircle"),
        Polygon(SQUARE, shape="TwoDimensionMultiPoint"),
        Polygon(SQUARE, include="false"),
        Polygon(()),
    ],
)
def test_other_shapes_are_counted_and_kept(polygon):
    text = document(("x", [polygon, Polygon(TRIANGLE)]))
    file = parsed(text)
    assert (file.rois[0].others, len(file.rois[0].polygons)) == (1, 1)
    after = file.with_masks({0: np.zeros(SHAPE, bool)}, SOP, NOW)
    assert (after.rois[0].others, len(after.rois[0].polygons)) == (1, 0)
    assert first_markup(text) in after.content.decode()


def test_vertices_outside_the_image():
    outside = ((-5.5, -3.25), (4.5, -3.25), (4.5, 6.5), (-5.5, 6.5))
    file = parsed(document(("x", [Polygon(outside)])))
    mask = file.mask(0, SHAPE, None)
    np.testing.assert_array_equal(mask, drawn(annotations(file.content)[0]))
    assert mask[:7, :5].all()
    assert mask.sum() == 35


def test_findings_without_anything():
    text = document(("", []))
    bare = text.replace("<name/>", "").replace('<dateTime value="20200601120000"/>', "<dateTime/>")
    for one in (text, bare):
        file = parsed(one)
        assert file.rois[0].name == ""
        assert file.rois[0].polygons == ()
        assert not file.mask(0, SHAPE, None).any()
    file = parsed(f'<ImageAnnotationCollection xmlns="{NAMESPACE}"/>')
    assert (file.rois, file.image_uids, file.series_uids) == ((), (), ())


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("Opacity &quot;A&quot; &amp; B", 'Opacity "A" & B'),
        ("Opacificación", "Opacificación"),
        ("a > b &lt; c", "a > b < c"),
        ("&#x9;tab", "\ttab"),
    ],
)
def test_names_are_kept_as_stored(stored, name):
    text = document((stored, [Polygon(SQUARE)]))
    file = parsed(text)
    assert file.rois[0].name == name
    after = file.with_masks({0: blobs(1)}, SOP, NOW).content.decode()
    assert f'<name value="{stored}"/>' in after


# Corrections


def test_nothing_changed_means_the_same_bytes():
    text = document(
        ("a", [Polygon(SQUARE), Polygon(FAR_SQUARE, OTHER_SOP), Polygon(((3, 3), ("NaN", 1)))]),
        ("", []),
    )
    for content in (text, text + "\n", text.replace("\n", "\r\n"), re.sub(r"\n *", "", text)):
        file = parsed(content)
        for image in (SOP, None):
            chosen = None if image is None else [image]
            masks = {index: file.mask(index, SHAPE, chosen) for index in (0, 1)}
            assert file.with_masks(masks, image, NOW).content == content.encode()
        assert file.with_masks({}, SOP, NOW).content == content.encode()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("image", [SOP, None])
def test_other_readers_see_the_corrected_mask(seed, image):
    noise = np.random.default_rng(seed).random(SHAPE)
    mask = blobs(seed) if seed % 3 else noise > 0.6
    after = parsed(TWO_FINDINGS).with_masks({1: mask}, image, NOW)
    found = annotations(after.content)[1]
    np.testing.assert_array_equal(drawn(found), mask)
    np.testing.assert_array_equal(filled(found), mask)
    np.testing.assert_array_equal(after.mask(1, SHAPE, None), mask)


@pytest.mark.parametrize("seed", range(12))
def test_small_corrections_of_many_polygons(seed):
    start = new_aim("x", blobs(seed), IMAGE, NOW)
    mask = blobs(seed)
    random = np.random.default_rng(seed)
    for _ in range(4):
        y, x = random.integers(0, SHAPE[0] - 3), random.integers(0, SHAPE[1] - 3)
        mask[y : y + 3, x : x + 3] = random.random() < 0.5
        start = start.with_masks({0: mask}, SOP, NOW)
        np.testing.assert_array_equal(drawn(annotations(start.content)[0]), mask)
        np.testing.assert_array_equal(filled(annotations(start.content)[0]), mask)


def test_only_the_changed_finding_changes():
    file = parsed(TWO_FINDINGS)
    mask = file.mask(1, SHAPE, None)
    mask[22:25, 7:10] = False
    after = file.with_masks({0: file.mask(0, SHAPE, None), 1: mask}, SOP, NOW).content.decode()
    time = TWO_FINDINGS.rindex("20200601120000")
    vertices_begin = TWO_FINDINGS.rindex("<twoDimensionSpatialCoordinateCollection>")
    vertices_end = TWO_FINDINGS.rindex("</twoDimensionSpatialCoordinateCollection>")
    assert after.startswith(TWO_FINDINGS[:time] + "20240203040506")
    assert TWO_FINDINGS[time + 14 : vertices_begin] in after
    assert after.endswith(TWO_FINDINGS[vertices_end:])
    assert value(annotations(after)[0], "dateTime") == "20200601120000"
    assert value(root_of(after), "dateTime") == "20200601120000"


def test_polygons_away_from_the_change_keep_their_bytes():
    file = parsed(TWO_FINDINGS)
    mask = file.mask(0, SHAPE, None)
    mask[3, 2] = False
    after = file.with_masks({0: mask}, SOP, NOW).content.decode()
    digits = "22.1234567890123456789"  # more than a number in memory holds
    triangle = first_markup(TWO_FINDINGS, digits)
    assert after.endswith(TWO_FINDINGS[TWO_FINDINGS.index(triangle) :])
    assert first_markup(TWO_FINDINGS) not in after
    np.testing.assert_array_equal(drawn(annotations(after)[0]), mask)


def test_a_neighbour_of_a_polygon_is_joined_to_it():
    """One connected part stays one polygon, though only a pixel beside it was painted."""
    file = parsed(document(("x", [Polygon(SQUARE)])))
    mask = file.mask(0, SHAPE, None)
    mask[8, 9] = True  # diagonal to the corner (7, 8)
    after = file.with_masks({0: mask}, SOP, NOW)
    assert len(after.rois[0].polygons) == 1
    apart = mask_with((12, 20), base=file.mask(0, SHAPE, None))
    after = file.with_masks({0: apart}, SOP, NOW)
    np.testing.assert_array_equal(after.rois[0].polygons[0].points, SQUARE)
    assert len(after.rois[0].polygons) == 2


def test_overlapping_polygons_stay_exact():
    shifted = tuple((x + 3, y + 2) for x, y in SQUARE)
    touching = tuple((x + 20, y) for x, y in SQUARE)
    file = parsed(document(("x", [Polygon(SQUARE), Polygon(shifted), Polygon(touching)])))
    mask = file.mask(0, SHAPE, None)
    for spot in ((6, 7), (3, 2), (9, 11)):
        corrected = mask.copy()
        corrected[spot] = False
        after = file.with_masks({0: corrected}, SOP, NOW)
        np.testing.assert_array_equal(drawn(annotations(after.content)[0]), corrected)
        np.testing.assert_array_equal(after.rois[0].polygons[-1].points, touching)


def test_holes():
    file = parsed(document(("x", [Polygon(FAR_SQUARE)])))
    mask = file.mask(0, SHAPE, None)
    mask[22:25, 6:10] = False
    mask[23, 8] = True
    after = file.with_masks({0: mask}, SOP, NOW)
    found = annotations(after.content)[0]
    np.testing.assert_array_equal(drawn(found), mask)
    np.testing.assert_array_equal(filled(found), mask)
    assert len(markups(found)) == 2


def test_identifiers_stay_with_the_part_they_were_given_to():
    file = parsed(TWO_FINDINGS)
    before = markups(annotations(TWO_FINDINGS)[0])
    mask = file.mask(0, SHAPE, None)
    mask[4, 3] = mask[7, 23] = False  # a hole in each
    mask[25, 30] = True
    after = markups(annotations(file.with_masks({0: mask}, SOP, NOW).content)[0])
    assert len(after) == 3
    for old, new in zip(before, after, strict=False):
        for name in ("uniqueIdentifier", "shapeIdentifier"):
            assert find(new, name)[0].attrib == find(old, name)[0].attrib
        assert abs(open_points(new).mean(axis=0) - open_points(old).mean(axis=0)).max() < 3
    assert value(after[2], "shapeIdentifier") == "3"
    assert UID.fullmatch(value(after[2], "uniqueIdentifier", "root"))


def test_new_polygons_are_like_their_siblings():
    text = document(("x", [Polygon(SQUARE, colour="255,0,7")]), ("y", [Polygon(TRIANGLE)]))
    text = text.replace('referencedFrameNumber value="1"', 'referencedFrameNumber value="3"')
    file = parsed(text)
    mask = mask_with((20, 20), (25, 30), base=file.mask(0, SHAPE, None))
    content = file.with_masks({0: mask}, SOP, NOW).content
    old, *new = markups(annotations(content)[0])
    assert len(new) == 2
    for markup in new:
        assert markup.attrib == old.attrib == {f"{{{XSI}}}type": "TwoDimensionPolyline"}
        assert [e.tag for e in markup] == [e.tag for e in old]
        for name in ("includeFlag", "lineColour", "imageReferenceUid", "referencedFrameNumber"):
            assert find(markup, name)[0].attrib == find(old, name)[0].attrib
    assert [value(m, "shapeIdentifier") for m in new] == ["2", "3"]
    assert len({value(m, "uniqueIdentifier", "root") for m in (old, *new)}) == 3
    assert parse_aim(content, "x").rois[0].polygons[1].frame == 3


def test_new_lines_look_like_the_old_ones():
    """Of a polygon that is written anew only the numbers tell that it was."""
    file = parsed(TWO_FINDINGS)
    mask = file.mask(1, SHAPE, None)
    mask[21, 5] = False
    mask[5, 35] = True
    after = file.with_masks({1: mask}, SOP, NOW).content.decode()
    _, came = changed_lines(TWO_FINDINGS, after)
    shapes = {re.sub(r'"[^"]*"', '""', line) for line in TWO_FINDINGS.split("\n")}
    assert len(came) > 20
    assert {re.sub(r'"[^"]*"', '""', line) for line in came} <= shapes
    numbers = re.findall(r'<[xy] value="([^"]*)"', "\n".join(came))
    assert all(re.fullmatch(r"\d+\.(5|99)", number) for number in numbers)


def test_numbers_are_written_as_javascript_does():
    assert [number_text(v) for v in (12.0, 12.5, 0.1, -3.0, 0.99)] == [
        "12", "12.5", "0.1", "-3", "0.99",
    ]  # fmt: skip


def test_an_emptied_finding_stays():
    file = parsed(TWO_FINDINGS)
    after = file.with_masks({0: np.zeros(SHAPE, bool)}, SOP, NOW)
    first, second = annotations(after.content)
    assert markups(first) == []
    assert len(find(first, "markupEntityCollection")) == 1
    assert [e.tag for e in first] == [e.tag for e in second]
    assert value(first, "dateTime") == "20240203040506"
    assert value(second, "dateTime") == "20200601120000"
    went, came = changed_lines(TWO_FINDINGS, after.content.decode())
    assert came == ['            <dateTime value="20240203040506"/>']
    assert went[1].strip().startswith("<MarkupEntity")
    refilled = after.with_masks({0: blobs(2)}, SOP, NOW)
    np.testing.assert_array_equal(drawn(annotations(refilled.content)[0]), blobs(2))
    indents = {
        len(line) - len(line.lstrip())
        for line in refilled.content.decode().split("\n")
        if "MarkupEntity " in line
    }
    assert indents == {16}


@pytest.mark.parametrize("empty", ["<markupEntityCollection/>", "<markupEntityCollection />"])
@pytest.mark.parametrize("image", [SOP, None])
def test_a_finding_without_polygons_is_filled(empty, image):
    text = re.sub(
        r"<markupEntityCollection>\s*</markupEntityCollection>", empty, document(("x", []))
    )
    assert empty in text
    after = parsed(text).with_masks({0: blobs(3)}, image, NOW)
    (found,) = annotations(after.content)
    np.testing.assert_array_equal(drawn(found), blobs(3))
    assert {value(m, "imageReferenceUid", "root") for m in markups(found)} == {SOP}
    assert [value(m, "shapeIdentifier") for m in markups(found)] == [
        str(n) for n in range(len(markups(found)))
    ]
    assert "            <markupEntityCollection>\n                <MarkupEntity " in (
        after.content.decode()
    )


def test_polygons_on_other_images_are_never_touched():
    text = document(
        ("x", [Polygon(SQUARE, OTHER_SOP), Polygon(SQUARE), Polygon(SQUARE, OTHER_SOP)]),
        listed=(SOP, OTHER_SOP),
    )
    after = parsed(text).with_masks({0: blobs(4)}, SOP, NOW).content
    before, found = annotations(text)[0], annotations(after)[0]
    np.testing.assert_array_equal(drawn(found), blobs(4))
    np.testing.assert_array_equal(drawn(found, OTHER_SOP), drawn(before, OTHER_SOP))
    kept = [m for m in markups(found) if value(m, "imageReferenceUid", "root") == OTHER_SOP]
    assert [open_points(m).tolist() for m in kept] == [[list(p) for p in SQUARE]] * 2
    assert first_markup(text).encode() in after


def test_an_image_new_to_a_finding_is_listed():
    """XNAT skips polygons whose image is not."""
    text = document(("x", [Polygon(SQUARE)]), ("y", [Polygon(TRIANGLE)]))
    after = parsed(text).with_masks({0: blobs(5)}, OTHER_SOP, NOW).content
    first, second = annotations(after)
    np.testing.assert_array_equal(drawn(first, OTHER_SOP), blobs(5))
    np.testing.assert_array_equal(drawn(first, SOP), drawn(annotations(text)[0], SOP))
    path = ("imageReferenceEntityCollection", "ImageReferenceEntity", "imageStudy", "imageSeries")
    images = find(first, *path, "imageCollection", "Image")
    assert [value(i, "sopInstanceUid", "root") for i in images] == [SOP, OTHER_SOP]
    assert [value(i, "sopClassUid", "root") for i in images] == [CR, CR]
    assert len(find(second, *path, "imageCollection", "Image")) == 1
    again = parse_aim(after, "x").with_masks({0: blobs(6)}, OTHER_SOP, NOW)
    assert len(find(annotations(again.content)[0], *path, "imageCollection", "Image")) == 2


def test_a_finding_that_names_no_image_is_not_guessed():
    text = document(("x", []), listed=())
    for image in (SOP, None):
        with pytest.raises(SaveError, match="does not say of which series"):
            parsed(text).with_masks({0: blobs(1)}, image, NOW)
    without = re.sub(r"<markupEntityCollection>\s*</markupEntityCollection>", "", text)
    with pytest.raises(SaveError, match="no place for outlines"):
        parsed(without).with_masks({0: blobs(1)}, SOP, NOW)


def test_the_closing_vertex_is_there_once_however_often_it_is_saved():
    file, text = parsed(TWO_FINDINGS), TWO_FINDINGS
    mask = file.mask(0, SHAPE, None)
    for round_ in range(4):
        mask[4 + round_ % 2, 4] ^= True
        mask[7, 22 + round_ % 2] ^= True
        file = file.with_masks({0: mask}, SOP, NOW)
        text = file.content.decode()
        for annotation in annotations(text):
            for markup in markups(annotation):
                indices = [index for index, _, _ in vertices(markup)]
                points = [point for _, *point in vertices(markup)]
                assert indices == [*range(len(indices) - 1), 0]
                assert points[0] == points[-1]
                assert points[0] != points[-2]
        np.testing.assert_array_equal(drawn(annotations(text)[0]), mask)


def test_undone_corrections_come_back_to_the_mask():
    file = parsed(TWO_FINDINGS)
    mask = file.mask(0, SHAPE, None)
    there = file.with_masks({0: blobs(1)}, SOP, NOW)
    back = there.with_masks({0: mask}, SOP, NOW)
    np.testing.assert_array_equal(drawn(annotations(back.content)[0]), mask)
    assert len(back.rois[0].polygons) == 2


def test_a_finding_without_a_time_gets_one_where_it_has_the_place():
    text = TWO_FINDINGS.replace('<dateTime value="20200601120000"/>', "<dateTime/>")
    mask = blobs(1)
    after = annotations(parsed(text).with_masks({0: mask}, SOP, NOW).content)
    assert value(after[0], "dateTime") == "20240203040506"
    assert value(after[1], "dateTime") is None
    without = re.sub(r"\n *<dateTime/>", "", text)
    after = annotations(parsed(without).with_masks({0: mask}, SOP, NOW).content)
    assert find(after[0], "dateTime") == []


def test_what_cannot_be_proven_is_not_saved(monkeypatch):
    monkeypatch.setattr(
        "napari_chest.files.aim.patch.encode_mask", lambda mask: encode_mask(mask[:, 1:])
    )
    with pytest.raises(SaveError, match=r"finding 1 would be read with \d+ pixels"):
        parsed(TWO_FINDINGS).with_masks({0: blobs(1)}, SOP, NOW)
    with pytest.raises(SaveError, match="nothing was changed"):
        new_aim("x", blobs(1), IMAGE, NOW)


# The document's own style


def prefixed(text):
    """As ElementTree writes a namespace it was told nothing of."""
    text = re.sub(r"<(/?)(\w)", r"<\1ns0:\2", text).replace("xmlns=", "xmlns:ns0=")
    return text.replace('xsi:type="', 'xsi:type="ns0:')


STYLES = {
    "plain": lambda text: text,
    "windows": lambda text: text.replace("\n", "\r\n"),
    "one line": lambda text: re.sub(r"\n *", "", text),
    "tabs": lambda text: text.replace("    ", "\t"),
    "two blanks": lambda text: text.replace("    ", "  "),
    "no indent": lambda text: re.sub(r"\n *", "\n", text),
    "spaced": lambda text: text.replace("/>", " />"),
    "prefixes": prefixed,
    "other xsi": lambda text: text.replace("xsi:", "x2:").replace(":xsi=", ":x2="),
    "single quotes": lambda text: text.replace('"', "'"),
    "no declaration": lambda text: text.partition("\n")[2],
    "comments": lambda text: text.replace(
        "</MarkupEntity>", "</MarkupEntity><!-- <MarkupEntity> > -->"
    ),
    "last line end": lambda text: text + "\n\n",
    "more elements": lambda text: text.replace(
        "<markupEntityCollection>",
        '<comment value="a > b"/>'
        "<x:calc xmlns:x='urn:x' b=\"2\" a='1'>t &amp; <![CDATA[<]]></x:calc>"
        "<markupEntityCollection>",
    ),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_any_style_is_read_and_kept(style):
    text = style(TWO_FINDINGS)
    content = text.encode()
    file = parse_aim(content, "x")
    plain = parsed(TWO_FINDINGS)
    for index in (0, 1):
        np.testing.assert_array_equal(
            file.mask(index, SHAPE, [SOP]), plain.mask(index, SHAPE, [SOP])
        )
    mask = mask_with((30, 38), base=file.mask(1, SHAPE, None))
    mask[23, 7] = False
    after = file.with_masks({1: mask}, SOP, NOW).content
    first, second = annotations(after)
    np.testing.assert_array_equal(drawn(second), mask)
    np.testing.assert_array_equal(filled(second), mask)
    # Up to the second finding, and from its last reference on, not a byte differs.
    name = text.index("Ground glass")
    time = text.rindex("20200601120000", 0, name)
    assert after.startswith(text[:time].encode() + b"20240203040506")
    assert after[time + 14 :].startswith(text[time + 14 : name].encode())
    references = re.search(r"</(ns0:)?markupEntityCollection>", text[name:])
    assert after.endswith(text[name + references.start() :].encode())
    assert [e.tag for e in first] == [e.tag for e in second]
    types = {m.get(f"{{{XSI}}}type").rpartition(":")[2] for m in markups(second)}
    assert types == {"TwoDimensionPolyline"}


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("plain", "\n                        <TwoDimensionSpatialCoordinate>\n                  "),
        ("windows", "\r\n                        <TwoDimensionSpatialCoordinate>\r\n   "),
        ("one line", "><TwoDimensionSpatialCoordinate><coordinateIndex"),
        ("tabs", "\n\t\t\t\t\t\t<TwoDimensionSpatialCoordinate>\n\t\t\t\t\t\t\t<coord"),
        ("two blanks", "\n            <TwoDimensionSpatialCoordinate>\n              <coord"),
        ("no indent", "\n<TwoDimensionSpatialCoordinate>\n<coord"),
        ("spaced", '<x value="30.5" />'),
        ("prefixes", '<ns0:MarkupEntity xsi:type="ns0:TwoDimensionPolyline">'),
        ("other xsi", '<MarkupEntity x2:type="TwoDimensionPolyline">'),
    ],
)
def test_new_polygons_are_in_the_documents_style(style, expected):
    text = STYLES[style](document(("x", [])))
    content = parsed(text).with_masks({0: mask_with((30, 30))}, SOP, NOW).content.decode()
    assert expected in content
    if "\r" not in text:
        assert "\r" not in content
    else:
        assert content.count("\n") == content.count("\r\n")
    if style == "one line":
        assert "\n" not in content


def test_types_are_declared_where_they_are_not_known():
    text = document(("x", [])).replace(f' xmlns:xsi="{XSI}"', "")
    text = text.replace(' xsi:type="DicomImageReferenceEntity"', "")
    text = re.sub(r' xsi:schemaLocation="[^"]*"', "", text)
    root_of(text)
    after = parsed(text).with_masks({0: blobs(1)}, SOP, NOW).content
    np.testing.assert_array_equal(drawn(annotations(after)[0]), blobs(1))


# Encodings


@pytest.mark.parametrize(
    ("declared", "codec", "mark"),
    [
        ("UTF-8", "utf-8", b""),
        ("utf-8", "utf-8", b"\xef\xbb\xbf"),
        (None, "utf-8", b""),
        ("UTF-16", "utf-16-le", b"\xff\xfe"),
        ("utf-16", "utf-16-be", b"\xfe\xff"),
        ("UTF-16LE", "utf-16-le", b"\xff\xfe"),
        (None, "utf-16-le", b"\xff\xfe"),
        ("ISO-8859-1", "latin-1", b""),
        ("latin1", "latin-1", b""),
        ("windows-1252", "cp1252", b""),
    ],
)
def test_encodings_are_read_and_kept(declared, codec, mark):
    text = document(("Opacificación ñ", [Polygon(SQUARE)]), ("y", [Polygon(TRIANGLE)]))
    old = ' encoding="UTF-8"'
    text = text.replace(old, f' encoding="{declared}"' if declared else "")
    content = mark + text.encode(codec)
    assert is_aim(content[:400])
    file = parse_aim(content, "x")
    assert file.rois[0].name == "Opacificación ñ"
    mask = file.mask(1, SHAPE, None)
    assert file.with_masks({1: mask}, SOP, NOW).content == content
    mask[8, 23] = False
    after = file.with_masks({1: mask}, SOP, NOW).content
    assert after.startswith(mark + text[: text.rindex("20200601120000")].encode(codec))
    changed = after[len(mark) :].decode(codec).partition("?>")[2]
    np.testing.assert_array_equal(drawn(annotations(changed)[1]), mask)
    named = file.with_new_roi("Ω ñ", mask, IMAGE, NOW)
    assert named.rois[2].name == "Ω ñ"
    assert ("&#937; ñ" if codec in ("latin-1", "cp1252") else "Ω ñ").encode(codec) in named.content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (TWO_FINDINGS.replace("UTF-8", "UTF-16").encode(), "declares UTF-16"),
        (b"\xef\xbb\xbf" + TWO_FINDINGS.replace("UTF-8", "latin1").encode(), "declares latin1"),
        (TWO_FINDINGS.encode("utf-16"), "declares UTF-8"),
        (TWO_FINDINGS.replace("glass", "glaß").encode("latin-1"), "encoded as utf-8"),
        (TWO_FINDINGS.replace("UTF-8", "ascii").replace("ss", "ß").encode(), "encoded as ascii"),
        (TWO_FINDINGS.replace("UTF-8", "zip").encode(), "declares zip"),
        (TWO_FINDINGS.replace("UTF-8", "utf-7").encode(), "declares utf-7"),
        (TWO_FINDINGS.replace("UTF-8", "nonsense").encode(), "declares nonsense"),
        (TWO_FINDINGS.replace("UTF-8", "UTF-16").encode("utf-32"), "NUL characters"),
        (b"\xff\xfe" + TWO_FINDINGS.replace("UTF-8", "UTF-16").encode("utf-16-le")[:-1], "utf-16"),
    ],
)
def test_encodings_that_lie_are_refused(content, problem):
    with pytest.raises(ReadError, match=problem):
        parse_aim(content, "x")


# New findings and documents


def test_new_document_as_xnat_and_bimcv_read_it():
    mask = blobs(7)
    file = new_aim('Glass "A" & <B>', mask, IMAGE, NOW)
    text = file.content.decode()
    (found,) = annotations(text)
    np.testing.assert_array_equal(filled(found), mask)
    np.testing.assert_array_equal(drawn(found), mask)
    assert list(found)[3].tag.endswith("}name")  # the label in BIMCV's converter
    assert list(found)[3].get("value") == 'Glass "A" & <B>'
    assert '<name value="Glass &quot;A&quot; &amp; &lt;B>"/>' in text
    assert [list(c.attrib) for c in list(found)[1:2]] == [
        ["code", "codeSystem", "codeSystemName", "codeSystemVersion"]
    ]
    path = ("imageReferenceEntityCollection", "ImageReferenceEntity", "imageStudy")
    (study,) = find(found, *path)
    assert value(study, "instanceUid", "root") == STUDY
    assert value(study, "startDate") == "20200320"
    assert value(study, "startTime") is None
    (series,) = find(study, "imageSeries")
    assert value(series, "instanceUid", "root") == SERIES
    assert find(series, "modality")[0].get("code") == "DX"
    (image,) = find(series, "imageCollection", "Image")
    assert (value(image, "sopClassUid", "root"), value(image, "sopInstanceUid", "root")) == (
        CR, SOP,
    )  # fmt: skip
    assert {value(m, "imageReferenceUid", "root") for m in markups(found)} == {SOP}
    assert "<ns" not in text
    assert file.series_uids == (SERIES,)


def test_new_document_is_written_as_the_viewer_writes():
    """The same document built line by line, but for identifiers and who made it."""
    polygons = [
        Polygon(((20.5, 20.5), (20.5, 20.99), (20.99, 20.99), (20.99, 20.5))),
        Polygon(((3.5, 2.5), (3.5, 4.99), (6.99, 4.99), (6.99, 2.5))),
    ]
    mask = mask_with((20, 20))
    mask[2:5, 3:7] = True
    image = AimImage(SOP, CR, SERIES, STUDY, "CR", "20200320", "")
    made = new_aim("Chest findings", mask, image, datetime(2020, 6, 1, 12)).content.decode()
    expected = document(("Chest findings", polygons))
    uids = r'(?<=uniqueIdentifier root=")[0-9a-f.]+(?=")'
    assert all(UID.fullmatch(uid) for uid in re.findall(uids, made))
    assert len(set(re.findall(uids, made))) == 5
    went, came = changed_lines(re.sub(uids, "", expected), re.sub(uids, "", made))
    assert [line.strip() for line in went] == [
        '<name value="Reader, A"/>',
        '<loginName value="reader"/>',
        '<manufacturerName value="Maker &amp; Sons"/>',
        '<manufacturerModelName value="DX > 2"/>',
        '<name value="S03044"/>',
        '<id value="S03044"/>',
        '<sex value="F"/>',
    ]
    assert [line.strip() for line in came] == [
        "<name/>",
        "<loginName/>",
        '<manufacturerName value="napari-chest"/>',
        '<manufacturerModelName value="napari-chest"/>',
        "<name/>",
        "<id/>",
        "<sex/>",
    ]


def test_new_document_with_nothing_known():
    nothing = AimImage("", "", "", "", "", "", "")
    file = new_aim("", np.zeros(SHAPE, bool), nothing, NOW)
    assert file.rois[0].name == ""
    assert file.rois[0].polygons == ()
    (found,) = annotations(file.content)
    assert list(found)[3].attrib == {}
    with_more = file.with_new_roi("x", blobs(1), nothing, NOW)
    np.testing.assert_array_equal(with_more.mask(1, SHAPE, None), blobs(1))


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_new_finding_is_appended(style):
    text = style(TWO_FINDINGS)
    file = parse_aim(text.encode(), "x")
    after = file.with_new_roi("Nódulo", blobs(8), IMAGE, NOW)
    assert [roi.name for roi in after.rois] == ["Consolidation", "Ground glass", "Nódulo"]
    content = after.content.decode()
    end = list(re.finditer(r"</(?:ns0:)?ImageAnnotation>", text))[-1].end()
    assert content.startswith(text[:end])
    assert content.endswith(text[end:])
    *_, second, third = annotations(content)
    np.testing.assert_array_equal(drawn(third), blobs(8))
    np.testing.assert_array_equal(filled(third), blobs(8))
    assert {e.tag for e in third.iter()} <= {e.tag for e in second.iter()}
    shapes = [int(value(m, "shapeIdentifier")) for m in markups(third)]
    assert shapes == list(range(3, 3 + len(shapes)))
    gap = content[end : content.index("ImageAnnotation", end)]
    before = text[: text.rindex("ImageAnnotation", 0, text.index("Ground glass"))]
    assert gap == before[before.rindex(">") + 1 :]


@pytest.mark.parametrize(
    "ending",
    ["/>", "></ImageAnnotationCollection>", "><imageAnnotations/></ImageAnnotationCollection>"],
)
def test_new_finding_in_a_document_without_any(ending):
    text = f'<ImageAnnotationCollection xmlns="{NAMESPACE}" xmlns:xsi="{XSI}"{ending}'
    after = parsed(text).with_new_roi("x", blobs(9), IMAGE, NOW).content
    (found,) = annotations(after)
    np.testing.assert_array_equal(drawn(found), blobs(9))


@pytest.mark.parametrize("bad", ["a\0b", "\x1f", "\ud800", "\uffff"])
def test_characters_that_xml_cannot_hold(bad):
    problem = rf"U\+{ord(bad.strip('ab')):04X} cannot be saved"
    with pytest.raises(SaveError, match=problem):
        new_aim(bad, blobs(1), IMAGE, NOW)
    with pytest.raises(SaveError, match=problem):
        parsed(TWO_FINDINGS).with_new_roi(bad, blobs(1), IMAGE, NOW)
    with pytest.raises(SaveError, match=problem):
        new_aim("x", blobs(1), replace(IMAGE, modality=bad), NOW)


@pytest.mark.parametrize("name", ["a\tb", "a\nb\r", "<>&\"'", "]]>", "😀"])
def test_names_of_any_other_characters(name):
    found = new_aim(name, blobs(1), IMAGE, NOW)
    assert found.rois[0].name == name
    assert list(annotations(found.content)[0])[3].get("value", "") == name


# Hostile documents


BOMB = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "doctype",
    [
        BOMB,
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE ImageAnnotationCollection SYSTEM "http://localhost/x.dtd">',
        '<!DOCTYPE x PUBLIC "-//X//EN" "x.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "x"> %p;]>',
        "<!DOCTYPE ImageAnnotationCollection>",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_document_types_are_refused(doctype, codec):
    text = TWO_FINDINGS.replace("Consolidation", "&b;" if doctype == BOMB else "x")
    text = text.replace("?>\n", f"?>\n{doctype}\n").replace("UTF-8", codec)
    assert is_aim(text.encode(codec)[:2000])
    with pytest.raises(ReadError, match="document type declaration"):
        parse_aim(text.encode(codec), "x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no element found"),
        ("\0" * 50, "NUL characters"),
        ("<a", "unclosed token|no element"),
        ("<ImageAnnotationCollection>", "no element found"),
        ("<ImageAnnotationCollection></x>", "mismatched tag"),
        ("<ImageAnnotationCollection/><b/>", "junk after"),
        ("<ImageAnnotationCollection>&e;</ImageAnnotationCollection>", "undefined entity"),
        ("<svg><path d='1'/></svg>", "another kind: svg"),
        ("<ns0:ImageAnnotation xmlns:ns0='gme://x'/>", "another kind: ImageAnnotation"),
        (f"<{'x' * 500}/>", f"another kind: {'x' * 60}\\."),
        ("<a>" * 65 + "</a>" * 65, "at most 64 elements in one another"),
        ("<a>" * 100_000, "at most 64 elements in one another"),
        ("<ImageAnnotationCollection a='<'/>", "not well-formed"),
        ("<ImageAnnotationCollection a='1' a='2'/>", "duplicate attribute"),
        ("PNG, not XML", "not well-formed|syntax error"),
    ],
)
def test_what_is_no_document_is_refused(text, problem):
    with pytest.raises(ReadError, match=problem) as caught:
        parse_aim(text.encode(), "bad.xml")
    assert str(caught.value).startswith("bad.xml: expected")


def test_too_large_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "large.xml"
    with path.open("wb") as large:
        large.truncate(64 * 2**20 + 1)  # a sparse file
    with pytest.raises(ReadError, match="at most 67,108,864 bytes"):
        read_aim(path)
    monkeypatch.setattr("napari_chest.files.aim.tree.MAX_ELEMENTS", 1000)
    with pytest.raises(ReadError, match="at most 1,000 elements"):
        parsed("<a>" + "<b/>" * 1001 + "</a>")
    assert parsed(TWO_FINDINGS).rois
    monkeypatch.setattr("napari_chest.files.aim.tree.MAX_BYTES", 10_000)
    with pytest.raises(SaveError, match=r"could not be read again.*at most 10,000 bytes"):
        new_aim("x", np.random.default_rng(0).random(SHAPE) > 0.5, IMAGE, NOW)


def test_damaged_documents_are_read_or_refused():
    """Whatever bytes change: no other error, and what was not corrected comes back as it was."""
    rng, good, read = random.Random(5), TWO_FINDINGS.encode(), 0
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            where = rng.randrange(len(bad))
            bad[where : where + rng.randint(0, 3)] = rng.choice(
                [b"", b"<", b'"', b"9", b"\xff", b">"]
            )
        try:
            file = parse_aim(bytes(bad), "x")
        except ReadError:
            continue
        read += 1
        masks = {index: file.mask(index, SHAPE, None) for index in range(len(file.rois))}
        assert file.with_masks(masks, None, NOW).content == bytes(bad)
    assert 20 < read < 280


# What kind of file


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (TWO_FINDINGS[:300], True),
        (prefixed(TWO_FINDINGS)[:300], True),
        ("<ImageAnnotationCollection/>", True),
        ("\n<!-- a > b --><?x y?>\n<ImageAnnotationCollection\n", True),
        ("<ImageAnnotationCollectionX>", False),
        ("<ImageAnnotation>", False),
        ("<x><ImageAnnotationCollection>", False),
        ("<!-- <ImageAnnotationCollection> -->", False),
        ("<!-- -->" * 5000, False),
        ("{}", False),
        ("", False),
    ],
)
def test_is_aim(head, expected):
    assert is_aim(head.encode()) is expected
    assert is_aim(head.encode("utf-16")) is expected
    assert is_aim(b"\xef\xbb\xbf" + head.encode()) is expected
