"""All cases of a dataset, one after the other; a second run only looks at what changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from napari_chest.edits import fingerprint
from napari_chest.errors import ChestError, StoppedError
from napari_chest.review.contradictions.checks import VERSION, find, find_lungs, wants_image
from napari_chest.review.contradictions.kept import Checked, kept_as
from napari_chest.tools.base import never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo, Reading

    Readings = Callable[[CaseInfo], Sequence[Reading]]


@dataclass(frozen=True)
class Result:
    """What came of one case.

    Attributes
    ----------
    case : its id.
    checked : what was found.
    anew : whether it was looked at in this run, and not only remembered.
    done, of : how many cases are done, of how many.
    """

    case: str
    checked: Checked
    anew: bool
    done: int
    of: int


def check_all(
    dataset: Dataset,
    cases: Iterable[CaseInfo],
    before: Mapping[str, Checked],
    *,
    images: bool = False,
    readings_of: Readings | None = None,
    stopped: Callable[[], bool] = never,
) -> Iterator[Result]:
    """Look at cases; one that cannot be read is told as such, and the others go on.

    Parameters
    ----------
    dataset, cases : what to look at.
    before : what was found in each case the last time, by id; looked at again only where something
        is different now.
    images : whether to open the images of cases in which lesions are drawn.
    readings_of : the readings of a case as they stand, by default as the dataset has them.
    stopped : whether somebody has asked to stop; the run then ends.
    """
    read = readings_of or (lambda case: dataset.readings(case.id))
    wanted = list(cases)
    for number, case in enumerate(wanted, 1):
        if stopped():
            return
        try:
            checked = _checked(dataset, case, read, before.get(case.id), images, stopped)
        except StoppedError:
            return
        except (ChestError, OSError, MemoryError) as error:
            checked = Checked("", images=False, failed=str(error) or type(error).__name__)
        except Exception as error:  # a mistake of ours in one case must not hide the others
            checked = Checked("", images=False, failed=f"Something unexpected happened: {error!r}")
        anew = checked is not before.get(case.id)
        yield Result(case.id, checked, anew, number, len(wanted))


def mark_of(dataset: Dataset, case: CaseInfo, readings: Sequence[Reading]) -> str:
    """Fingerprint of all that the checks look at but the image, and of the checks themselves."""
    digest = hashlib.sha256(f"{VERSION}".encode())
    for reading in readings:
        digest.update(f"{reading.reader}\0{fingerprint(reading)}\0".encode())
    for group in dataset.about(case.id):
        digest.update(msgspec.json.encode((group.title, group.rows)))
    return digest.hexdigest()


def _checked(
    dataset: Dataset,
    case: CaseInfo,
    read: Readings,
    before: Checked | None,
    images: bool,
    stopped: Callable[[], bool],
) -> Checked:
    readings = tuple(read(case))
    mark = mark_of(dataset, case, readings)
    if before is not None and before.mark == mark and (before.images or not images):
        return before
    volume = lungs = None
    wanted = wants_image(readings)
    if images and wanted:
        volume = dataset.volume(case.id)
        lungs = find_lungs(volume, stopped)
    found = find(dataset, case, readings, volume, lungs, stopped)
    return Checked(mark, images or not wanted, tuple(map(kept_as, found)))
