"""An MD.ai project in the making: label groups, annotations with their ids and times, its JSON."""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from napari_chest.phantom.ricord.javascript import javascript

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    Row = dict[str, Any]

Scope = Literal["STUDY", "SERIES", "INSTANCE"]
Age = Literal["2020", "later", "oddest"]
"""Which keys a row has: those of 2020, also later ones, or also such as nobody has heard of."""

CREATED = "2020-06-01T10:00:00.000Z"
_BEGIN = datetime(2020, 8, 1, 12, tzinfo=UTC)
_LETTERS = string.ascii_letters + string.digits
_COLORS = (
    "#d500f9", "#00e5ff", "#ffea00", "#76ff03", "#ff3d00", "#2979ff", "#f50057", "#1de9b6",
    "#ff9100", "#651fff", "#c6ff00",
)  # fmt: skip


@dataclass(frozen=True)
class Label:
    """A label of a group.

    Attributes
    ----------
    name : its name.
    scope : what it is said of.
    mode : how it is drawn, or None for a label that is not drawn.
    parent : name of the label that it is part of.
    description : of the label.
    """

    name: str
    scope: Scope
    mode: str | None = None
    parent: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Place:
    """What an annotation is of: a study, a series or an image, empty where it is wider than that.

    Attributes
    ----------
    study, series, sop : UIDs.
    size : rows and columns of the image.
    """

    study: str
    series: str = ""
    sop: str = ""
    size: tuple[int, int] | None = None


@dataclass
class Project:
    """A project to be filled with labels and annotations, then written.

    Attributes
    ----------
    name : of the project.
    rng : for identifiers and times.
    groups : in the order of the file.
    labels : ids by the names of group and label.
    people : ids by whatever names them here.
    studies : the listed ones.
    rows : the annotations.
    """

    name: str
    rng: np.random.Generator
    groups: list[Row] = field(default_factory=list)
    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    users: list[Row] = field(default_factory=list)
    studies: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)
    _drawn: Counter[str] = field(default_factory=Counter)
    _now: datetime = _BEGIN

    def new_id(self, kind: str) -> str:
        """A new id such as ``A_x3Fk9a``."""
        while True:
            letters = "".join(_LETTERS[n] for n in self.rng.integers(0, len(_LETTERS), 6))
            if letters not in self._taken:
                self._taken.add(letters)
                return f"{kind}_{letters}"

    def add_person(self, key: str, name: str) -> None:
        """Add somebody to the project's users."""
        self.people[key] = self.new_id("U")
        email = f"reader{len(self.users) + 1}@example.org"
        self.users.append({"id": self.people[key], "name": name, "email": email})

    def add_group(self, name: str, labels: Sequence[Label]) -> None:
        """Add a group; every label of it gets an id of its own."""
        for label in labels:
            self.labels[name, label.name] = self.new_id("L")
        written = [self._label(name, label, number) for number, label in enumerate(labels)]
        group = {"id": self.new_id("G"), "createdAt": CREATED, "updatedAt": CREATED, "name": name}
        self.groups.append({**group, "description": "", "type": "STANDARD", "labels": written})

    def group_id(self, name: str) -> str:
        """The id of a group."""
        return str(next(group["id"] for group in self.groups if group["name"] == name))

    def _label(self, group: str, label: Label, number: int) -> Row:
        initials = "".join(word[0].upper() for word in label.name.split() if word[0].isalnum())
        return {
            "id": self.labels[group, label.name],
            "parentId": self.labels[group, label.parent] if label.parent else None,
            "createdAt": CREATED,
            "updatedAt": CREATED,
            "name": label.name,
            "shortName": initials,
            "description": label.description,
            "color": _COLORS[number % len(_COLORS)],
            "type": "LOCAL" if label.scope == "INSTANCE" else "GLOBAL",
            "scope": label.scope,
            "annotationMode": label.mode,
            "radlexTagIds": [],
        }

    def annotate(
        self,
        label_id: str,
        place: Place,
        creator: str | None,
        data: Row | None = None,
        *,
        note: str | None = None,
        parent: str | None = None,
        age: Age = "2020",
        group: str | None = None,
    ) -> Row:
        """Add an annotation and return it.

        Parameters
        ----------
        label_id : id of its label.
        place : what it is of.
        creator : key of the person, or None for none.
        data : its shape.
        note, parent : its text and the id of the annotation that it is part of.
        age : which keys it has.
        group : id of its label's group, which rows of later ages name.
        """
        made, changed = self._times()
        person = None if creator is None else self.people[creator]
        row: Row = {
            "id": self.new_id("A"),
            "parentId": parent,
            "isImported": creator is None,
            **(_LATER_FIRST if age != "2020" else {}),
            "createdAt": made,
            "createdById": person,
            "updatedAt": changed,
            "updatedById": person if changed != made else None,
            **({"updateHistory": []} if age != "2020" else {}),
            "modelId": None,
            "StudyInstanceUID": place.study,
        }
        if place.series:
            row["SeriesInstanceUID"] = place.series
        if place.sop:
            row["SOPInstanceUID"] = place.sop
            row |= {"frameNumber": None} if age != "2020" else {}
        height, width = place.size or (None, None)
        row |= {
            "labelId": label_id,
            "annotationNumber": self._number(place) if place.sop else None,
            "height": height,
            "width": width,
            "data": data,
            "note": note,
            "radlexTagIds": [],
            **({"reviews": []} if age != "2020" else {}),
            "reviewsPositiveCount": 0,
            "reviewsNegativeCount": 0,
            **({"groupId": group} if age != "2020" else {}),
            **(_ODD if age == "oddest" else {}),
        }
        self.rows.append(row)
        return row

    def _times(self) -> tuple[str, str]:
        self._now += timedelta(milliseconds=int(self.rng.integers(2_000, 40_000)))
        later = timedelta(milliseconds=int(self.rng.integers(500, 9_000)))
        made = self._now
        changed = made + later if self.rng.random() < 0.3 else made
        return _stamp(made), _stamp(changed)

    def _number(self, place: Place) -> int:
        self._drawn[place.study] += 1
        return self._drawn[place.study]

    def text(self, more: Mapping[str, object]) -> bytes:
        """The bytes of the export, ``more`` being keys of the dataset."""
        return javascript(
            {
                "id": "Phantom1",
                "createdAt": CREATED,
                "updatedAt": "2020-12-08T09:30:00.123Z",
                "name": self.name,
                "description": "",
                "isPrivate": True,
                "users": self.users,
                "labelGroups": self.groups,
                "datasets": [
                    {
                        "id": self.new_id("D"),
                        "type": "DICOM",
                        "createdAt": CREATED,
                        "updatedAt": CREATED,
                        "name": "Synthetic",
                        "description": "",
                        "studies": self.studies,
                        "annotations": self.rows,
                        **more,
                    }
                ],
            }
        ).encode()


_LATER_FIRST = {"isInterpolated": False, "clonedFromModelOutputId": None}
_ODD = {"confidence": 1e-7, "viewport": {"scale": 1.5, "translation": [0.000012, -3.25]}}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
