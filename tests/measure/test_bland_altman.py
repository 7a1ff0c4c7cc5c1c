"""Bland-Altman numbers, against the authors' own example."""

import numpy as np
import pytest

from napari_chest.measure.bland_altman import bland_altman

# Bland and Altman (1986), Lancet 327, table: first readings of the large and of the mini meter.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_flow_meters_of_1986():
    found = bland_altman([str(n) for n in range(17)], MINI, LARGE)
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    # The paper's limits, -79.7 and 75.5, are at 2 standard deviations of 38.8 instead of 1.96.
    assert found.lower.value == pytest.approx(-79.7 + 0.04 * 38.8, abs=0.1)
    assert found.upper.value == pytest.approx(75.5 - 0.04 * 38.8, abs=0.1)
    # and the standard error of a limit about sqrt(3 / n) of them: 40.9 to 110.1.
    assert (found.upper.low, found.upper.high) == pytest.approx((40.9, 110.1), abs=3)
    assert found.means[0] == 503
    assert found.bias.n == 17


def test_one_case_has_a_difference_and_no_limits():
    found = bland_altman(["a"], [2.0], [5.0])
    assert found.bias.value == 3
    assert (found.bias.low, found.lower.value, found.upper.value) == (None, None, None)
    assert "one case alone" in found.lower.note


def test_no_case_is_told():
    found = bland_altman([], [], [])
    assert (found.bias.value, found.bias.n) == (None, 0)
    assert found.bias.note


def test_sign_is_b_less_a():
    found = bland_altman("ab", [1.0, 2.0], [2.0, 4.0])
    assert found.differences.tolist() == [1.0, 2.0]
    assert np.isclose(found.bias.value, 1.5)
