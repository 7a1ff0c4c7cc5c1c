"""The labels of a group: which are drawn, which are answered, and what each is called."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from napari_chest import findings
from napari_chest.model import Question, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_chest.files.mdai import MdaiGroup, MdaiLabel

_DRAWN_MODES: Final = frozenset({"freeform", "polygon", "mask"})
_COLOR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_PREFIX: Final = "exam:"
_TOPIC: Final = "exam"
"""What every group is asked, each under a key of its own."""
_CODES: Final = (
    ("micronodule", findings.TREE_IN_BUD),
    ("tree", findings.TREE_IN_BUD),
    ("cavit", findings.CAVITY),
    ("nodule", findings.NODULAR_CONSOLIDATION),
    ("mass", findings.NODULAR_CONSOLIDATION),
    ("atelecta", findings.ATELECTASIS),
    ("effusion", findings.PLEURAL_EFFUSION),
    ("ground", findings.GROUND_GLASS),
    ("consolidation", findings.CONSOLIDATION),
    ("noninfectious", findings.OTHER),
    ("opacit", findings.OPACITY),
)
"""Words of label names, the first that occurs decides."""


@dataclass(frozen=True)
class GroupLabels:
    """The labels of one group under names that are unique in it.

    Attributes
    ----------
    group : the group.
    drawn : names of the labels of images, by identifier.
    answered : names of the labels of studies and series, by identifier, in the file's order.
    """

    group: MdaiGroup
    drawn: dict[str, str]
    answered: dict[str, str]

    def name_of(self, label: str) -> str:
        """What a label is called."""
        return self.drawn.get(label) or self.answered.get(label) or label

    @property
    def question(self) -> Question:
        """What is asked of a study; its choices are in the file's order."""
        text = f"Exam labels ({self.group.name})"
        choices = tuple(self.answered.values())
        return Question(question_key(self.group.id), text, choices, True, _TOPIC)

    @property
    def has_series_labels(self) -> bool:
        """Whether some labels are said of a series and not of a whole study."""
        return any(label.scope == "SERIES" for label in self.group.labels)


def labels_of(group: MdaiGroup) -> GroupLabels:
    """The labels of a group by what is done with them."""
    names = {label.id: label.name for label in group.labels}
    drawn = [label for label in group.labels if label.scope == "INSTANCE"]
    answered = [label for label in group.labels if label.scope in {"STUDY", "SERIES"}]
    return GroupLabels(group, _unique(drawn, {}), _unique(answered, names))


def may_be_drawn(label: MdaiLabel) -> bool:
    """Whether new annotations of a label are places in an image that a mask can hold."""
    return label.type != "GLOBAL" and label.scope == "INSTANCE" and label.mode in _DRAWN_MODES


def question_key(group: str) -> str:
    """The key under which a group's labels of studies are answered."""
    return f"{_PREFIX}{group}"


def segment_of(label: MdaiLabel) -> Segment:
    """A label as the one structure of its mask, in the colour of the file."""
    folded = label.name.casefold()
    known = next((finding for word, finding in _CODES if word in folded), None)
    color = label.color if _COLOR.fullmatch(label.color or "") else (known or findings.OTHER).color
    return Segment(1, label.name.strip() or label.id, color.upper(), known.code if known else "")


def _unique(labels: Iterable[MdaiLabel], names: dict[str, str]) -> dict[str, str]:
    told = {}
    for label in labels:
        parent = names.get(label.parent_id or "")
        name = label.name.strip() or label.id
        told[label.id] = f"{parent}: {name}" if parent else name
    counts = Counter(told.values())
    return {key: name if counts[name] == 1 else f"{name} ({key})" for key, name in told.items()}
