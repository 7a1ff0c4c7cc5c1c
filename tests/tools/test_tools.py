"""The tools as a whole: what forms and keys find of them."""

import pytest

from napari_chest.tools import GROUPS, TOOLS, convert, grow, seeds, tool
from napari_chest.tools.ranges import CONSOLIDATION, DENSE, GROUND_GLASS, RANGES


def test_tools_stand_group_by_group():
    groups = [GROUPS.index(one.group) for one in TOOLS]
    assert groups == sorted(groups)


def test_no_two_tools_share_a_key_or_a_title():
    assert len({one.key for one in TOOLS}) == len({one.title for one in TOOLS}) == len(TOOLS)


def test_tools_of_every_module_are_among_them():
    assert {*grow.TOOLS, *seeds.TOOLS, *convert.TOOLS} <= set(TOOLS)


def test_a_tool_is_found_by_its_key():
    assert tool("grow").run is grow.grow
    with pytest.raises(KeyError):
        tool("magic")


def test_defaults_lie_within_what_may_be_set():
    for one in TOOLS:
        for parameter in one.parameters:
            if parameter.kind in ("number", "whole number"):
                assert parameter.low <= parameter.default <= parameter.high, (one, parameter)
            elif parameter.kind == "choice":
                assert parameter.default in parameter.choices, (one, parameter)


def test_ranges_are_ranges_and_part_at_the_threshold():
    assert all(low < high for _, low, high in RANGES)
    assert GROUND_GLASS.high + 1 == CONSOLIDATION.low == DENSE
    assert len({name for name, _, _ in RANGES}) == len(RANGES)
