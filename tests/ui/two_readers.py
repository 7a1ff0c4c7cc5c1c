"""A dataset in memory whose cases two or three readers have read, each in their own way."""

import numpy as np
import painted

from napari_chest.model import CaseInfo, Mask, Reading, SliceLabels, Volume, VolumeStream

ANNA, BERT, CARL = "Anna", "Bert", "Carl"
COLUMNS = ("left", "right")


def mask(labels):
    return Mask("lesions", labels, painted.LESIONS)


def anna():
    return painted.lesions()


def bert():
    """Anna's, but for voxels that only one of both has, most of them on slice 8."""
    labels = painted.lesions()
    labels[5, 20:22, 10:20] = 0  # 20 voxels that Anna alone has
    labels[8, 5:15, 5:15] = 1  # 100 voxels that Bert alone has
    labels[6, 20:30, 18:20] = 2  # 20 voxels of another segment
    return labels


def dice(a, b):
    """Of two masks, as it is defined."""
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def table(left, right):
    values = np.zeros((painted.SHAPE[0], 2), bool)
    values[left, 0] = values[right, 1] = True
    return SliceLabels(COLUMNS, values)


class TwoReaders(painted.Painted):
    """`pair`: two readings; `trio`: three; `alone`: one; `bare`: two without masks."""

    name, title = "two readers", "Two readers"

    def __init__(self, root):
        super().__init__(root)
        self.state = {
            "pair": (
                Reading(ANNA, (mask(anna()),), table([4, 5], [5]), {"severity": ("mild",)}),
                Reading(BERT, (mask(bert()),), table([4], [5]), {"severity": ("severe",)}),
            ),
            "trio": (
                Reading(ANNA, (mask(anna()),)),
                Reading(BERT, (mask(anna()),)),
                Reading(CARL, (mask(bert()),)),
            ),
            "alone": (Reading(ANNA, (mask(anna()),)),),
            "bare": (Reading(ANNA, (), table([1], [])), Reading(BERT, (), table([1], [2]))),
        }

    def cases(self):
        return [CaseInfo(name, name, "CT", {"Mask": "yes"}) for name in self.state]

    def stream(self, case_id, first=None):
        voxels = np.full(painted.SHAPE, -800, np.int16)
        slices = painted.iter_once(painted.SHAPE[0])
        return VolumeStream(Volume(voxels, painted.grid(), "CT"), slices)

    def readings(self, case_id, at=None):
        return self.state[case_id]


def open_pair(bench, tmp_path):
    """Show the first case in the window."""
    dataset = TwoReaders(tmp_path)
    bench.controller.opening._on_dataset_read(dataset, dataset.cases())
    bench.wait(lambda: bench.session.draft is not None and not bench.controller.opening.reader.busy)
    bench.viewer.window._qt_window.activateWindow()
    return bench
