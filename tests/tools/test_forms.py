"""What a form offers of a tool is what the tool takes, by the same defaults."""

import inspect

import pytest

from napari_chest.tools import combine, holes, interpolate, islands, shape

TOOLS = [tool for module in (interpolate, holes, islands, shape, combine) for tool in module.TOOLS]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.key)
def test_a_form_and_its_tool(tool):
    taken = list(inspect.signature(tool.run).parameters.values())
    assert taken.pop(0).name == "scene"
    if tool.needs == "voxel":
        assert taken.pop(0).name == "at"
    assert [parameter.key for parameter in tool.parameters] == [given.name for given in taken]
    for parameter, given in zip(tool.parameters, taken, strict=True):
        assert parameter.default == given.default
        assert type(parameter.default) is type(given.default)
        if parameter.kind in ("number", "whole number"):
            assert parameter.low <= parameter.default <= parameter.high
        if parameter.kind == "choice":
            assert parameter.default in parameter.choices
    assert tool.text.endswith(".")
    assert tool.title[0].isupper()


def test_every_tool_has_a_key_of_its_own():
    assert len({tool.key for tool in TOOLS}) == len(TOOLS)
