"""How many annotations there are of what, counted once over the exports."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from napari_chest.datasets.ricord.readers import Reader
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from napari_chest.datasets.ricord.documents import Document
    from napari_chest.files.dicom.tree import DicomTree

_SHOWN: Final = 3


class Census:
    """What the exports speak of.

    Attributes
    ----------
    rings : how many annotations there are on each image, by SOP Instance UID.
    readers : who said anything of each study, by Study Instance UID.
    series : the study of each annotated series, by Series Instance UID.
    series_of_image : the series that annotations name for each image.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self.rings: Counter[str] = Counter()
        self.readers: dict[str, set[Reader]] = defaultdict(set)
        self.series: dict[str, str] = {}
        self.series_of_image: dict[str, str] = {}
        for document in documents:
            labels = document.file.labels
            for one in document.file.annotations:
                label = labels.get(one.label_id)
                if label is not None:
                    self.readers[one.study_uid].add(Reader(label.group, one.creator))
                if one.series_uid:
                    self.series[one.series_uid] = one.study_uid
                if one.sop_uid:
                    self.rings[one.sop_uid] += 1
                    self.series_of_image[one.sop_uid] = one.series_uid

    def without_images(self, tree: DicomTree) -> dict[str, str]:
        """The study of each annotated series of which no annotated image is in a tree."""
        there = {series.series_uid for series in tree.series}
        there |= {self.series_of_image[uid] for uid in self.rings if uid in tree.by_sop}
        return {series: study for series, study in self.series.items() if series not in there}


def orphan_problems(
    census: Census, documents: Collection[Document], tree: DicomTree
) -> Iterator[Problem]:
    """What is spoken of, but not in the download; it is kept as it is."""
    studies = {series.study_uid for series in tree.series}
    series = {one.series_uid for one in tree.series}
    spoken = (uid for document in documents for uid in sorted(document.studies - studies))
    lost_studies = Counter(dict.fromkeys(spoken, 0))
    unread = census.without_images(tree)
    lost_series = Counter({uid: 0 for uid, study in unread.items() if study in studies})
    lost_images: Counter[str] = Counter()
    for uid in census.rings.keys() - tree.by_sop.keys():
        series_uid = census.series_of_image[uid]
        if (study_uid := census.series.get(series_uid, "")) not in studies:
            lost_studies[study_uid] += census.rings[uid]
        elif series_uid not in series:
            lost_series[series_uid] += census.rings[uid]
        else:
            lost_images[uid] += census.rings[uid]
    names = tuple(document.name for document in documents)
    lost = ("study", "studies", lost_studies), ("series", "series", lost_series)
    for one, several, counts in (*lost, ("image", "images", lost_images)):
        if counts:
            what = one if len(counts) == 1 else several
            yield Problem("warning", _orphan_text(what, counts), names)


def _orphan_text(what: str, counts: Counter[str]) -> str:
    shown = ", ".join(list(counts)[:_SHOWN])
    more = f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
    rings = counts.total()
    kept = f"their {rings:,} annotations of images are" if rings else "what is said of them is"
    return (
        f"Annotated, but not in this download: {len(counts):,} {what} ({shown}{more}); {kept} not "
        "shown, but kept."
    )
