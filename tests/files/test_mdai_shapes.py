"""What MD.ai annotations draw, judged by OpenCV and scikit-image on whole images."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mdai_samples import SQUARE, annotation, compact, dataset, export, group, label
from skimage.draw import polygon

from napari_chest.files.mdai import mask_of, parse_mdai, ring_data
from napari_chest.rings import FARTHEST, encode_mask

SIZE = (32, 40)
MODES = ("freeform", "polygon", "bbox", "line", "location", "mask")


def annotated(data, mode="freeform"):
    labels = [label("L_1", "One", mode=mode)]
    content = compact(
        export(dataset(annotation("A_1", data, "L_1")), groups=[group(labels=labels)])
    )
    return parse_mdai(content.encode(), "x.json").annotations[0]


def shape(data, mode="freeform"):
    return annotated(data, mode).shape


def pasted(shape, rule="fillpoly", size=SIZE):
    y, x, patch = mask_of(shape, size, rule)
    mask = np.zeros(size, bool)
    mask[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
    assert patch.dtype == bool
    return mask


def filled(*rings, holes=()):
    mask = np.zeros(SIZE, np.uint8)
    for ring in rings:
        cv2.fillPoly(mask, [np.int32(ring)], 1)
    for ring in holes:
        cv2.fillPoly(mask, [np.int32(ring)], 0)
    return mask > 0


def test_kinds_by_the_keys_of_data():
    box, point = {"x": 3.5, "y": 4, "width": 6, "height": 2.5}, {"x": 5, "y": 6.5}
    mask = {"foreground": [SQUARE], "background": []}
    for mode in MODES:
        assert shape({"vertices": SQUARE}, mode).kind == ("line" if mode == "line" else "ring")
        assert shape(mask, mode).kind == "mask"
        assert shape(box, mode).kind == "bbox"
        assert shape(point, mode).kind == "point"
        assert shape(None, mode).kind == "nothing"
        assert shape({"x": 1}, mode).kind == "unknown"
    assert shape({"vertices": SQUARE}, None).kind == "ring"
    np.testing.assert_array_equal(shape(box).points, [(3.5, 4), (9.5, 6.5)])
    np.testing.assert_array_equal(shape(point).points, [(5, 6.5)])
    np.testing.assert_array_equal(shape(mask).foreground[0], SQUARE)


def test_points_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        shape({"vertices": SQUARE}).points[0] = 1


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"vertices": [[1, 2], ["3", 4], [5, 6]]}, "not pairs of numbers"),
        ({"vertices": [[1, 2], [3, 4, 5], [5, 6]]}, "not pairs of numbers"),
        ({"vertices": [[1, 2], None, [5, 6]]}, "not pairs of numbers"),
        ({"vertices": [[1, 2], [True, 4], [5, 6]]}, "not pairs of numbers"),
        ({"vertices": {"a": 1}}, "not pairs of numbers"),
        ({"vertices": 7}, "not pairs of numbers"),
        ({"vertices": []}, "no vertices"),
        ({"vertices": None}, "no vertices"),
        ({"vertices": [[1, 2], [3, 4], [FARTHEST + 1, 6]]}, "beyond 1,048,576"),
        ({"vertices": [[1, 2], [3, 4], [5, 1e300]]}, "beyond 1,048,576"),
        ({"x": 1, "y": None}, "not pairs of numbers"),
        ({"x": 1, "y": 2, "width": 3}, "not pairs of numbers"),
        ({"x": "1", "y": 2, "width": 3, "height": 4}, "not pairs of numbers"),
        ({"foreground": [[[1, 2]], 7]}, "not pairs of numbers"),
        ({"foreground": [], "background": []}, "no vertices"),
        ([1, 2], "neither an object nor null"),
        ("text", "neither an object nor null"),
        ({}, "no keys that are known"),
    ],
)
def test_faults(data, fault):
    one = annotated(data)
    assert one.shape.kind == "unknown"
    assert fault in one.shape.fault
    assert one.problem.text.startswith("Annotation A_1 is not shown as it is meant, as ")
    assert one.problem.text.endswith("It is kept.")
    assert not pasted(one.shape).any()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
@pytest.mark.parametrize("mode", MODES)
def test_numbers_that_are_none(number, mode):
    text = compact(export(dataset(annotation("A_1", {"vertices": [[1, 2], [3, "N"], [5, 6]]}))))
    text = text.replace('"N"', number).replace('"freeform"', f'"{mode}"')
    one = parse_mdai(text.encode(), "x.json").annotations[0]
    assert one.shape.kind == "unknown"
    assert "no finite numbers" in one.problem.text


def test_deep_data():
    deep = "[" * 700 + "]" * 700
    text = compact(export(dataset(annotation("A_1", {"vertices": "DEEP"})))).replace('"DEEP"', deep)
    one = parse_mdai(text.encode(), "x.json").annotations[0]
    assert one.shape.kind == "unknown"
    assert one.problem.text.startswith("Annotation A_1 is not shown as it is meant")


@pytest.mark.parametrize("vertices", [[[3, 4]], [[3, 4], [9, 12]]])
def test_too_few_vertices_are_drawn_but_said(vertices):
    one = annotated({"vertices": vertices})
    assert one.shape.kind == "ring"
    assert "fewer than 3 vertices" in one.problem.text
    np.testing.assert_array_equal(pasted(one.shape), filled(vertices))


def test_box_line_and_point():
    box, line, point = (np.zeros(SIZE, np.uint8) for _ in range(3))
    cv2.rectangle(box, (3, 4), (3 + 6, 4 + 2), 1, -1)
    found = shape({"x": 3.9, "y": 4, "width": 6.9, "height": 2.5}, "bbox")
    # Each number is truncated for itself.
    np.testing.assert_array_equal(pasted(found), box)
    vertices = [[5, 5.9], [30, 20], [33.2, -4]]
    cv2.polylines(line, [np.int32(vertices)], False, 1, 12)
    np.testing.assert_array_equal(pasted(shape({"vertices": vertices}, "line")), line)
    cv2.circle(point, (38, 2), 7, 1, -1)
    np.testing.assert_array_equal(pasted(shape({"x": 38.6, "y": 2}, "location")), point)


def test_mask_holes_are_taken_out_last():
    outer, island = [[2, 2], [30, 2], [30, 28], [2, 28]], [[12, 12], [16, 12], [16, 16], [12, 16]]
    hole = [[8, 8], [20, 8], [20, 20], [8, 20]]
    found = shape({"foreground": [outer, island], "background": [hole]}, "mask")
    np.testing.assert_array_equal(pasted(found), filled(outer, island, holes=[hole]))
    assert not pasted(found)[14, 14]
    only = shape({"foreground": [outer]}, "freeform")
    np.testing.assert_array_equal(pasted(only), filled(outer))


def test_patch_is_no_larger_than_needed():
    y, x, patch = mask_of(shape({"vertices": SQUARE}), SIZE)
    assert patch.any(axis=1).sum() == 6
    assert patch.shape[0] <= 8
    assert patch.shape[1] <= 10
    assert y >= 2
    assert x >= 1


def test_outside_the_image():
    away = shape({"vertices": [[-9, -9], [-5, -9], [-5, -5]]})
    assert mask_of(away, SIZE)[2].size == 0
    assert mask_of(away, SIZE, "center")[2].size == 0
    far = [[-FARTHEST, -5], [FARTHEST, 3], [FARTHEST, FARTHEST]]
    np.testing.assert_array_equal(pasted(shape({"vertices": far})), filled(far))


COORDINATES = st.one_of(
    st.integers(-30, 70), st.floats(-30, 70).map(lambda number: round(number, 3))
)
VERTICES = st.lists(st.tuples(COORDINATES, COORDINATES).map(list), min_size=3, max_size=12)


@given(VERTICES)
@settings(deadline=None)
def test_rings_cover_what_others_draw(vertices):
    found = shape({"vertices": vertices})
    np.testing.assert_array_equal(pasted(found), filled(vertices))
    points = np.array(vertices, float)
    expected = np.zeros(SIZE, bool)
    expected[polygon(points[:, 1], points[:, 0], SIZE)] = True
    np.testing.assert_array_equal(pasted(found, "center"), expected)


@given(VERTICES)
@settings(deadline=None)
def test_lines_cover_what_others_draw(vertices):
    expected = np.zeros(SIZE, np.uint8)
    cv2.polylines(expected, [np.int32(vertices)], False, 1, 12)
    np.testing.assert_array_equal(pasted(shape({"vertices": vertices}, "line")), expected)


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 0.7))
@settings(deadline=None, max_examples=40)
def test_masks_come_back_from_every_reader(seed, share):
    noise = np.random.default_rng(seed).random(SIZE)
    mask = (cv2.GaussianBlur(noise, (0, 0), 1) if seed % 2 else noise) < share
    rings = [ring_data(ring) for ring in encode_mask(mask)]
    for rule in ("fillpoly", "center"):
        union = np.zeros(SIZE, bool)
        for data in rings:
            union |= pasted(shape(data), rule)
        np.testing.assert_array_equal(union, mask)
    np.testing.assert_array_equal(filled(*(np.rint(data["vertices"]) for data in rings)), mask)


def test_ring_data_has_javascript_numbers():
    ring = np.array([(100 + 0.49, 3.0), (97.49 + 3, -0.0), (1e-9, 2**20 + 0.49)])
    data = ring_data(ring)
    assert str(data) == "{'vertices': [[100.49, 3], [100.49, 0], [0, 1048576.49]]}"
