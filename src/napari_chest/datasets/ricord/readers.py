"""Who said it: every label group together with everyone who used it is a reader."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_chest.datasets.ricord.documents import Document
    from napari_chest.files.mdai import MdaiGroup

_ADJUDICATION: Final = re.compile(r"adjudicat", re.IGNORECASE)
_NEAR_COMPLETE: Final = 0.5
"""From more than this share of the studies on, a group is one of the readers that vote."""


class Reader(NamedTuple):
    """A label group and the identifier of who used it, which may be empty."""

    group: str
    creator: str


class Roster:
    """The readers of some exports, what they are called, and the order to show them in.

    Attributes
    ----------
    groups : every label group by its identifier.
    names : what every reader is called, in the order to show readers.
    by_name : the readers by what they are called.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self._rings: Counter[str] = Counter()
        self._studies: dict[str, set[str]] = defaultdict(set)
        self._all_studies: set[str] = set()
        self.groups: dict[str, MdaiGroup] = {}
        pairs: dict[Reader, None] = {}
        for document in documents:
            self._all_studies |= {study_uid for _, study_uid, _ in document.file.studies}
            self.groups |= {group.id: group for group in document.file.groups}
            pairs |= dict.fromkeys(self._count(document))
        used = {reader.group for reader in pairs}
        pairs |= {Reader(group, ""): None for group in self.groups if group not in used}
        ordered = sorted(pairs, key=lambda reader: self._rank(reader.group))
        self.names = _names(ordered, self.groups)
        self.by_name = {name: reader for reader, name in self.names.items()}

    def name_of(self, reader: Reader) -> str:
        """What a reader is called, also one who came after the roster was made."""
        if reader in self.names:
            return self.names[reader]
        group = self.groups[reader.group].name if reader.group in self.groups else reader.group
        return f"{group} · {reader.creator or 'nobody named'}"

    def is_adjudication(self, group: str) -> bool:
        """Whether a label group holds what was agreed on where readers differed."""
        return bool(_ADJUDICATION.search(self.groups[group].name))

    @cached_property
    def voters(self) -> tuple[str, ...]:
        """The label groups that read more than half of the studies, the adjudication left out."""
        enough = len(self._all_studies) * _NEAR_COMPLETE
        return tuple(
            group
            for group in self.groups
            if len(self._studies[group]) > enough and not self.is_adjudication(group)
        )

    @cached_property
    def adjudicators(self) -> tuple[str, ...]:
        """The label groups of the adjudication."""
        return tuple(group for group in self.groups if self.is_adjudication(group))

    def _count(self, document: Document) -> Iterable[Reader]:
        labels = document.file.labels
        for annotation in document.file.annotations:
            label = labels.get(annotation.label_id)
            if label is None:
                continue
            self._studies[label.group].add(annotation.study_uid)
            if annotation.sop_uid:
                self._rings[label.group] += 1
            yield Reader(label.group, annotation.creator)

    def _rank(self, group: str) -> tuple[bool, int, bool]:
        return self.is_adjudication(group), -self._rings[group], group not in self.voters


def _names(readers: Iterable[Reader], groups: dict[str, MdaiGroup]) -> dict[Reader, str]:
    """The group's name; with who used it where several did, and apart from other groups."""
    readers = list(readers)
    creators = Counter(reader.group for reader in readers)
    same_name = Counter(group.name for group in groups.values())
    names = {}
    for reader in readers:
        name = groups[reader.group].name.strip() or reader.group
        if same_name[groups[reader.group].name] > 1:
            name = f"{name} ({reader.group})"
        if creators[reader.group] > 1:
            name = f"{name} · {reader.creator or 'nobody named'}"
        names[reader] = name
    return names
