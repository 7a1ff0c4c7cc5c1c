"""What is remembered from one day to the next: who sits here, windows, folders, stores."""

from __future__ import annotations

import getpass
import hashlib
import os
from pathlib import Path

import platformdirs
from qtpy.QtCore import QSettings

from napari_chest.errors import NotAllowedError
from napari_chest.model import Window
from napari_chest.review.folder import review_folder
from napari_chest.review.naming import clean_name

_MOST_RECENT = 8
_NOBODY = "reader"
"""Who sits where the computer knows no user."""


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

    @property
    def person(self) -> str:
        """Who sits here: as they said, else by the name they log in with.

        ``NAPARI_CHEST_PERSON`` goes before what was chosen in the window.
        """
        named = os.environ.get("NAPARI_CHEST_PERSON", "")
        for name in (named, str(self._settings.value("person") or ""), _login_name()):
            try:
                return clean_name(name)
            except NotAllowedError:
                continue
        return _NOBODY

    @person.setter
    def person(self, name: str) -> None:
        self._settings.setValue("person", clean_name(name))

    def store(self, root: Path) -> str:
        """Where the review of a dataset is kept: a URL or a path; empty for a file of its own.

        ``NAPARI_CHEST_STORE`` goes before what was chosen in the window.
        """
        chosen = self._settings.value(_key("store", root))
        return os.environ.get("NAPARI_CHEST_STORE") or str(chosen or "")

    def remember_store(self, root: Path, address: str) -> None:
        """Keep the review of a dataset there the next time; empty for a file of its own."""
        self._settings.setValue(_key("store", root), address)

    def journal_folder(self, root: Path) -> Path:
        """The folder in which work on a dataset is recorded."""
        stored = str(self._settings.value(_key("journal", root)) or "")
        return Path(stored) if stored else review_folder(root)

    def remember_journal(self, root: Path, folder: Path) -> None:
        """Record work on a dataset in this folder the next time."""
        self._settings.setValue(_key("journal", root), str(folder))

    def recent(self) -> list[str]:
        """Folders that were open before and are still there, the last one first."""
        stored = str(self._settings.value("recent") or "")
        return [folder for folder in stored.split("\n") if folder and Path(folder).is_dir()]

    def remember_folder(self, folder: Path) -> None:
        """Put a folder at the head of the recent ones."""
        others = [known for known in self.recent() if known != str(folder)]
        self._settings.setValue("recent", "\n".join([str(folder), *others][:_MOST_RECENT]))


def _key(what: str, root: Path) -> str:
    # A path has signs that mean something else in a settings file.
    return f"{what}/{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}"


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # nobody is logged in, as in some containers
        return ""
