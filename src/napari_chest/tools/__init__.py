"""Tools that change masks: arrays in, wanted labels of a box out; they know no protection."""

from napari_chest.tools import (
    combine,
    convert,
    grow,
    holes,
    interpolate,
    islands,
    seeds,
    shape,
)
from napari_chest.tools.base import Painted, Parameter, Scene, Tool, ToolError, Voxel

GROUPS = ("Fill", "Clean", "Shape", "Combine", "Convert", "Clear")
"""The headings under which tools stand, in this order."""

TOOLS: tuple[Tool, ...] = tuple(
    sorted(
        (
            *interpolate.TOOLS,
            *grow.TOOLS,
            *seeds.TOOLS,
            *holes.TOOLS,
            *islands.TOOLS,
            *shape.TOOLS,
            *combine.TOOLS,
            *convert.TOOLS,
        ),
        key=lambda tool: GROUPS.index(tool.group),
    )
)
"""Every tool, group by group."""


def tool(key: str) -> Tool:
    """The tool of a key; KeyError where there is none."""
    return {one.key: one for one in TOOLS}[key]


__all__ = [
    "GROUPS",
    "TOOLS",
    "Painted",
    "Parameter",
    "Scene",
    "Tool",
    "ToolError",
    "Voxel",
    "tool",
]
