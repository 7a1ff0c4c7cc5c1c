"""Keys while the canvas has the keyboard: on the viewer, on our own layers, and for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut

from napari_chest.ui.keys import qt_sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

_NAMELESS = {"?"}
"""Keys that napari has no name for."""


class Bindings:
    """Our keys, written as napari writes them.

    Parameters
    ----------
    viewer : napari's viewer.
    widget : what the viewer draws on, if it has a window.
    own_layers : returns our layers.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        widget: QWidget | None,
        own_layers: Callable[[], Iterable[Any]],
    ) -> None:
        self._viewer = viewer
        self._widget = widget
        self._own_layers = own_layers
        self._everywhere: list[str] = []
        self._shortcuts: list[QShortcut] = []
        self._on_layers: dict[str, Callable[[Any], Any]] = {}
        self._now: dict[str, Callable[[Any], Any]] = {}
        self._held: list[Callable[[bool], None]] = []
        if widget is not None:
            _KeyWatch(widget, self._let_go, self._is_ours)

    def bind(
        self,
        everywhere: dict[str, Callable[[], None]],
        on_layers: dict[str, Callable[[], None]],
        held: dict[str, Callable[[bool], None]],
    ) -> None:
        """Bind keys.

        Keys ``everywhere`` are the viewer's; keys ``on_layers`` only hold while one of our own
        layers is selected, so that they may differ from what napari does on other layers. So do
        keys that are ``held``, which are told when they are pressed and when they are let go, or
        the keyboard speaks to something else.
        """
        named = {key: act for key, act in everywhere.items() if key not in _NAMELESS}
        for key, act in everywhere.items():
            if key in named:
                self._viewer.bind_key(key, _ignoring_argument(act), overwrite=True)
            elif self._widget is not None:
                self._add_shortcut(self._widget, key, act)
        self._everywhere = list(named)
        self._on_layers = {k: _ignoring_argument(act) for k, act in (on_layers | named).items()}
        self._on_layers |= {key: self._while_held(act) for key, act in held.items()}

    def bind_layer(self, layer: Any) -> None:
        """Give a layer of ours our keys."""
        for key, act in (self._on_layers | self._now).items():
            layer.bind_key(key, act, overwrite=True)

    def bind_for_now(self, acts: dict[str, Callable[[], None]]) -> None:
        """Let keys of our layers do something else until `unbind_now`."""
        self.unbind_now()
        self._now = {key: _ignoring_argument(act) for key, act in acts.items()}
        for layer in self._own_layers():
            for key, act in self._now.items():
                layer.bind_key(key, act, overwrite=True)

    def unbind_now(self) -> None:
        """Let the keys do what they did before."""
        before, self._now = self._now, {}
        for layer in self._own_layers():
            for key in before:
                layer.bind_key(key, self._on_layers.get(key), overwrite=True)

    def release(self) -> None:
        """Give the viewer its keys back."""
        for key in self._everywhere:
            self._viewer.bind_key(key, None, overwrite=True)
        for shortcut in self._shortcuts:
            shortcut.deleteLater()

    def _while_held(self, act: Callable[[bool], None]) -> Callable[[Any], Any]:
        # napari goes on with a generator when the key is let go.
        def bound(_: Any) -> Iterator[None]:
            self._held.append(act)
            act(True)
            yield
            if act in self._held:
                self._held.remove(act)
                act(False)

        return bound

    def _is_ours(self, event: QKeyEvent) -> bool:
        """Whether a layer of ours has the key, which a menu of napari may have as well."""
        if self._viewer.layers.selection.active not in list(self._own_layers()):
            return False
        pressed = QKeySequence(event.keyCombination())
        ours = self._on_layers | self._now
        return any(QKeySequence(qt_sequence(key)) == pressed for key in ours)

    def _let_go(self) -> None:
        """Let go of keys: their release goes to whatever has the keyboard now."""
        held, self._held = self._held, []
        for act in held:
            act(False)

    def _add_shortcut(self, widget: QWidget, key: str, act: Callable[[], None]) -> None:
        shortcut = QShortcut(QKeySequence(key), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)
        self._shortcuts.append(shortcut)


def _ignoring_argument(act: Callable[[], None]) -> Callable[[Any], Any]:
    def bound(_: Any) -> None:
        act()

    return bound


class _KeyWatch(QObject):
    """Keeps keys of ours from napari's menus, and tells when a widget has the keyboard no more."""

    def __init__(
        self, widget: QWidget, left: Callable[[], None], is_ours: Callable[[QKeyEvent], bool]
    ) -> None:
        super().__init__(widget)
        self._left = left
        self._is_ours = is_ours
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002, N802
        """Keep nothing from the widget but what asks whose a key is."""
        if event.type() == QEvent.Type.FocusOut:
            self._left()
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return False
        ours = self._is_ours(event)
        event.setAccepted(ours)  # then it comes as a press, and not to the menu
        return ours
