"""Every key in one table, which the canvas, the dock and the card of keys are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One action and the keys that do it, written as napari writes them.

    Attributes
    ----------
    action : name of the action.
    keys : the first is shown, all work.
    text : what it does, for the card; empty for a key that continues a row of alike ones.
    ours : only on our own layers, because napari uses the key elsewhere.
    held : it lasts while the key is held down.
    """

    action: str
    keys: tuple[str, ...]
    text: str
    ours: bool = False
    held: bool = False


LOBE_KEYS = 5
SEGMENT_KEYS = 7
"""The digits that napari gives to its tools on a labels layer; the tools keep their letters."""
_TOGGLE = "that column of the slice, or of the range, on or off; without a table: that segment"
_ONLY = "that column on, the others off"
GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (
        "Go",
        (
            Key("slice_next", ("PageDown",), "next slice (also the wheel)"),
            Key("slice_previous", ("PageUp",), "previous slice"),
            Key("slice_down_5", ("Shift-PageDown",), "five slices down"),
            Key("slice_up_5", ("Shift-PageUp",), "five slices up"),
            Key("slice_first", ("Home",), "first slice"),
            Key("slice_last", ("End",), "last slice"),
            Key("infected_next", ("N",), "next infected or annotated slice"),
            Key(
                "infected_previous", ("P", "Shift-N"), "previous infected or annotated slice", True
            ),
            Key("annotation_next", ("Alt-N",), "next annotation of the dataset"),
            Key("annotation_previous", ("Alt-Shift-N",), "previous annotation of the dataset"),
            Key("case_next", ("Control-PageDown",), "next case of the list"),
            Key("case_previous", ("Control-PageUp",), "previous case of the list"),
        ),
    ),
    (
        "Segments and labels",
        (
            *(
                Key(f"toggle_{i}", (str(i + 1),), _TOGGLE if i == 0 else "", True)
                for i in range(SEGMENT_KEYS)
            ),
            *(
                Key(f"only_{i}", (f"Alt-{i + 1}",), _ONLY if i == 0 else "", True)
                for i in range(LOBE_KEYS)
            ),
            Key(
                "mark",
                ("M",),
                "mark here: the next keys work from the mark to the slice shown",
                True,
            ),
            Key("copy_previous", ("D",), "same labels as the previous slice", True),
        ),
    ),
    (
        "Tools",
        (
            Key("tool_brush", ("A",), "brush; hold Ctrl to erase", True),
            Key("tool_eraser", ("E",), "eraser", True),
            Key("tool_fill", ("F",), "fill what touches the point clicked, on this slice", True),
            Key("tool_pick", ("L",), "select the segment that is clicked", True),
            Key("tool_move", ("Z",), "no tool", True),
            Key("brush_smaller", ("[",), "smaller brush (also Shift+wheel)", True),
            Key("brush_larger", ("]",), "larger brush", True),
            Key("depth", ("Shift-B",), "brush as a ball through the slices, or a disc", True),
            Key("grow", ("R",), "grow: click in a region of alike HU", True),
            Key("interpolate", ("I",), "fill between the outlined slices", True),
            Key("remove_island", ("Delete",), "remove the island under the pointer, in 3-D", True),
            Key("holes", ("Shift-H",), "fill the holes of the segment", True),
            Key("copy_mask_previous", ("Alt-Up",), "copy the segment to the slice before", True),
            Key("copy_mask_next", ("Alt-Down",), "copy the segment to the slice after", True),
            Key("clear_slice", ("Shift-Delete",), "clear the segment on this slice", True),
            Key("lungs", ("Shift-L",), "find the lungs", True),
            Key("tool_menu", ("Q",), "all tools"),
            Key("keep_others", ("B",), "no segment takes a voxel from another, or it may", True),
        ),
    ),
    (
        "View",
        (
            Key("window_lung", ("F2", "8"), "lung window"),
            Key("window_mediastinum", ("F3", "9"), "mediastinum window"),
            Key("window_bone", ("F4",), "bone window"),
            Key("window_covid", ("F5",), "window for faint ground glass"),
            Key("window_file", ("F6", "0"), "the window stored in the file"),
            Key("window_drag", ("W",), "hold and drag: window, whatever the tool", True, True),
            Key("invert", ("/",), "invert the greys"),
            Key("smooth", ("U",), "smooth the image, or show its voxels"),
            Key("toggle_labels", ("G",), "hide or show masks and labels"),
            Key("bare", ("Space",), "hold: the bare image", True, True),
            Key("outline", ("O",), "masks as outlines, or filled", True),
            Key("opacity", ("Shift-O",), "masks denser or fainter", True),
            Key("layout", ("F7",), "one plane, or all three"),
            Key("crosshair", ("H",), "hide or show the crosshair"),
            Key("surfaces", ("F8",), "the segments as surfaces in 3-D"),
            Key("side_by_side", ("Shift-F7",), "two readers side by side, and what differs"),
            Key("unlink", ("Shift-U",), "side by side: scroll together, or each alone", True),
            Key("other_reader", ("\\",), "hold: the other reader's masks", True, True),
            Key("agreement", ("F9",), "how far readers agree: numbers and plots"),
            Key("cycle_overlay", ("Shift-G",), "text over the image: all, little, none"),
        ),
    ),
    (
        "Review",
        (
            Key("submit", ("Control-Enter",), "submit the case, and open the next to do"),
            Key("approve", ("Control-Shift-A",), "approve; then the next to do"),
            Key("needs_fix", ("Control-Shift-F",), "needs a fix, with a reason"),
            Key("reject", ("Control-Shift-R",), "reject, with a reason"),
            Key("defer", ("Control-Shift-D",), "put the case off, with a reason"),
            Key("comment", ("C",), "comment on the voxel pointed at", True),
            Key("case_unreviewed", ("Control-Shift-PageDown",), "next unreviewed case of the list"),
            Key("disagreement_next", (".",), "next open disagreement, the largest first"),
            Key("disagreement_previous", (",",), "previous open disagreement"),
            Key("take_a", ("Control-1",), "take it as reading A has it"),
            Key("take_b", ("Control-2",), "take it as reading B has it"),
            Key("take_union", ("Control-3",), "take what any reading shows"),
            Key("take_intersection", ("Control-4",), "take what all readings show"),
            Key("take_consensus", ("Control-5",), "take the consensus: majority or STAPLE"),
            Key("contradictions", ("Shift-F9",), "what contradicts itself: list it, or fold it"),
            Key("contradiction_next", ("Alt-F9",), "next contradiction of the list"),
        ),
    ),
    (
        "Undo and save",
        (
            Key("undo", ("Control-Z",), "undo", True),
            Key("redo", ("Control-Shift-Z", "Control-Y"), "redo", True),
            Key("journal", ("Control-S",), "every stroke on disk now", True),
            Key("save", ("Control-Shift-E",), "export or write back"),
            Key("show_keys", ("?", "F1"), "this card"),
        ),
    ),
)
KEYS: tuple[Key, ...] = tuple(key for _, keys in GROUPS for key in keys)

_QT_NAMES = {"Control": "Ctrl", "PageUp": "PgUp", "PageDown": "PgDown", "Enter": "Return"}


def qt_sequence(key: str) -> str:
    """The same key as Qt writes it: ``Control-PageUp`` is ``Ctrl+PgUp``."""
    return "+".join(_QT_NAMES.get(part, part) for part in key.split("-"))


def shown(action: str) -> str:
    """The key of an action, as a person reads it."""
    return qt_sequence(next(key.keys[0] for key in KEYS if key.action == action))
