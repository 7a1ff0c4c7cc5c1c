"""Any corrections of any MD.ai export: never an untouched byte changes."""

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
from mdai_samples import (
    SERIES,
    SOP,
    STUDY,
    STYLES,
    Number,
    annotation,
    annotation_texts,
    answer,
    around,
    compact,
    dataset,
    export,
    group,
    ring,
    without,
)

from napari_chest.files.mdai import Add, Delete, ReplaceData, parse_mdai

NOW = datetime(2024, 2, 3, 4, 5, 6, 789_999, UTC)
NOW_TEXT = "2024-02-03T04:05:06.789Z"
EDITED = ("data", "updatedAt")

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.one_of(
    st.integers(-5, 600),
    st.floats(-5, 600),
    st.sampled_from(["1e-7", "0.1000", "256.00", "-0", "1E+2", "12.340"]).map(Number),
)
POINTS = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), max_size=4)
DATA = st.one_of(
    st.none(),
    st.fixed_dictionaries({"vertices": POINTS}),
    st.fixed_dictionaries({"x": NUMBERS, "y": NUMBERS}),
    st.fixed_dictionaries({"foreground": st.lists(POINTS, max_size=2), "background": st.just([])}),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
NEW_DATA = st.fixed_dictionaries(
    {"vertices": st.lists(st.tuples(st.integers(-9, 99), st.floats(-9, 99)).map(list), max_size=4)}
)


@st.composite
def annotations(draw):
    """An annotation with some keys missing, strange ones added and any order."""
    make = draw(st.sampled_from([ring, answer, annotation]))
    value = make(draw(st.sampled_from(["A_1", "A_2", "A_0123ab", 'A_"}],['])))
    value |= {"data": draw(DATA), "note": draw(st.one_of(st.none(), WORDS))}
    value |= draw(st.dictionaries(WORDS.map("x{}".format), VALUES, max_size=2))
    gone = draw(st.sets(st.sampled_from(sorted(value)), max_size=4))
    keys = draw(st.permutations([key for key in value if key not in gone]))
    return {key: value[key] for key in keys}


@st.composite
def blanks_everywhere(draw):
    """A style that has other blanks at every place."""
    choose = st.lists(st.sampled_from(["", " ", "\n", "\t", "\r\n  "]), min_size=7, max_size=7)
    between, colon = (draw(choose) for _ in range(2))

    def write(value):
        text, place = compact(value), iter(range(10**6))

        def put(match):
            if match[1] is not None or (sign := match[0]) not in "[]{}:,":
                return match[0]
            n = next(place)
            return between[n % 7] + sign + colon[n % 5]

        return re.sub(r'("(?:[^"\\]|\\.)*")|[\[\]{}:,]|[^\[\]{}:,"]+', put, text)

    return write


@st.composite
def corrected_exports(draw):
    """The text of an export and corrections of it."""
    arrays = draw(st.lists(st.lists(annotations(), max_size=4), min_size=1, max_size=3))
    groups = [group()] if draw(st.booleans()) else []
    value = export(
        *(dataset(*array, id_=f"D_{number}") for number, array in enumerate(arrays)), groups=groups
    )
    style = draw(st.one_of(st.sampled_from(list(STYLES.values())), blanks_everywhere()))
    count = sum(map(len, arrays))
    touched = draw(st.sets(st.integers(0, count - 1), max_size=count)) if count else set()
    edits = [
        Delete(index) if draw(st.booleans()) else ReplaceData(index, draw(NEW_DATA))
        for index in touched
    ]
    for _ in range(draw(st.integers(0, 2))):
        like = draw(st.one_of(st.none(), st.integers(0, count - 1))) if count else None
        name = f"D_{draw(st.integers(0, len(arrays) - 1))}"
        note = draw(st.one_of(st.none(), WORDS))
        place = ("L_opac01", STUDY, SERIES, SOP, 32, 40)
        edits.append(Add(*place, draw(NEW_DATA), note, like, name))
    return style(value), draw(st.permutations(edits))


def model(arrays, edits):
    """What must come of the annotations: texts where untouched, values where not, None if new."""
    by_index = {edit.index: edit for edit in edits if not isinstance(edit, Add)}
    index = -1
    for number, array in enumerate(arrays):
        result = []
        for text in array:
            index += 1
            edit = by_index.get(index)
            if edit is None:
                result.append(SimpleNamespace(text=text))
            elif isinstance(edit, ReplaceData):
                result.append(SimpleNamespace(old=text, data=edit.data))
        added = [e for e in edits if isinstance(e, Add) and e.dataset == f"D_{number}"]
        yield result + [SimpleNamespace(add=edit) for edit in added]


@given(corrected_exports())
@settings(deadline=None, max_examples=300)
def test_no_untouched_byte_changes(sample):
    before, edits = sample
    after = parse_mdai(before.encode(), "x.json").changed(edits, NOW, None).decode()
    assert around(after) == around(before)
    arrays = annotation_texts(before)
    old_ids = {json.loads(one).get("id") for array in arrays for one in array}
    for found, expected in zip(annotation_texts(after), model(arrays, edits), strict=True):
        assert len(found) == len(expected)
        for text, one in zip(found, expected, strict=True):
            if hasattr(one, "text"):
                assert text == one.text
                continue
            value = json.loads(text)
            if hasattr(one, "add"):
                assert value["id"] not in old_ids
                assert (value["data"], value["labelId"]) == (one.add.data, "L_opac01")
                assert value.get("note") == one.add.note
                continue
            old = json.loads(one.old)
            time = {"updatedAt": NOW_TEXT} if "updatedAt" in old else {}
            assert value == old | {"data": one.data} | time
            if "data" in old:
                assert without(text, EDITED) == without(one.old, EDITED)
