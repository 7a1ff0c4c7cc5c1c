"""What is remembered from one day to the next: windows per dataset and modality, recent folders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs
from qtpy.QtCore import QSettings

from napari_chest.model import Window
from napari_chest.review.folder import review_folder

_MOST_RECENT = 8


class Preferences:
    """Settings in one file of the user's.

    Parameters
    ----------
    path : the file; by default in the user's configuration folder, or in the folder that
        ``NAPARI_CHEST_CONFIG`` names.
    """

    def __init__(self, path: Path | None = None) -> None:
        folder = os.environ.get("NAPARI_CHEST_CONFIG") or platformdirs.user_config_dir(
            "napari-chest"
        )
        self._settings = QSettings(
            str(path or Path(folder) / "preferences.ini"), QSettings.Format.IniFormat
        )

    def window(self, dataset: str, modality: str) -> Window | None:
        """The window last used for a modality of a dataset."""
        stored = self._settings.value(f"window/{dataset}/{modality}")
        try:
            center, width = (float(part) for part in str(stored).split(","))
        except ValueError:
            return None
        return Window(center, width) if width > 0 else None

    def remember_window(self, dataset: str, modality: str, window: Window) -> None:
        """Use this window the next time."""
        text = f"{window.center:g},{window.width:g}"
        # As one text: QSettings would read back a list as another type than it was given.
        self._settings.setValue(f"window/{dataset}/{modality}", text)

    @property
    def three_planes(self) -> bool:
        """Whether all three planes were shown the last time."""
        return str(self._settings.value("three planes") or "") == "yes"

    @three_planes.setter
    def three_planes(self, shown: bool) -> None:
        self._settings.setValue("three planes", "yes" if shown else "no")

    def journal_folder(self, root: Path) -> Path:
        """The folder in which work on a dataset is recorded."""
        stored = str(self._settings.value(_journal_key(root)) or "")
        return Path(stored) if stored else review_folder(root)

    def remember_journal(self, root: Path, folder: Path) -> None:
        """Record work on a dataset in this folder the next time."""
        self._settings.setValue(_journal_key(root), str(folder))

    def recent(self) -> list[str]:
        """Folders that were open before and are still there, the last one first."""
        stored = str(self._settings.value("recent") or "")
        return [folder for folder in stored.split("\n") if folder and Path(folder).is_dir()]

    def remember_folder(self, folder: Path) -> None:
        """Put a folder at the head of the recent ones."""
        others = [known for known in self.recent() if known != str(folder)]
        self._settings.setValue("recent", "\n".join([str(folder), *others][:_MOST_RECENT]))


def _journal_key(root: Path) -> str:
    # A path has signs that mean something else in a settings file.
    return f"journal/{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}"
