"""Buttons for the grey windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from napari_chest.ui.keys import KEYS, qt_sequence
from napari_chest.ui.windows import PRESETS

if TYPE_CHECKING:
    from napari_chest.model import Window
    from napari_chest.ui.windows import Preset


class WindowBar(QWidget):
    """One button per preset; the one in use is pressed."""

    window_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        self.buttons: dict[str, QToolButton] = {}
        for preset in PRESETS:
            button = self._make_button(preset)
            layout.addWidget(button)
            self.buttons[preset.action] = button

    def show_window(self, window: Window | None) -> None:
        """Press the button of this window, if it is a preset's."""
        for preset in PRESETS:
            self.buttons[preset.action].setChecked(window is not None and preset.window == window)

    def show_hounsfield(self, hounsfield: bool) -> None:
        """Offer the presets in HU, or only the file's own window where values are no HU."""
        for preset in PRESETS:
            self.buttons[preset.action].setEnabled(hounsfield or preset.window is None)

    def _make_button(self, preset: Preset) -> QToolButton:
        keys = next(key.keys for key in KEYS if key.action == preset.action)
        button = QToolButton()
        button.setText(preset.name)
        button.setCheckable(True)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        window = preset.window
        values = f", W {window.width:.0f} L {window.center:.0f}" if window else ""
        button.setToolTip(f"{preset.title}{values} ({' or '.join(map(qt_sequence, keys))})")
        button.clicked.connect(lambda: self.window_requested.emit(preset.action))
        return button
