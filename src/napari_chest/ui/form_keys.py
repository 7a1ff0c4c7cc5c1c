"""Digits in a form, which elsewhere are keys of the dock."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent
from qtpy.QtWidgets import QLineEdit, QWidget

_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class FormKeys(QObject):
    """Watches the controls of a form; text that is being typed stays text.

    Signals
    -------
    digit_pressed(QWidget, int) : 1 to 9 was pressed in this control.
    reached(QWidget) : this control has the keyboard, by the keyboard.
    left() : a control has the keyboard no more.
    """

    digit_pressed = Signal(object, int)
    reached = Signal(object)
    left = Signal()

    def watch(self, widget: QWidget) -> None:
        """Watch a control."""
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take the digits, before a key of the dock does."""
        if isinstance(event, QFocusEvent):
            if not event.gotFocus():
                self.left.emit()
            elif event.reason() != Qt.FocusReason.MouseFocusReason:
                self.reached.emit(watched)
        typing = isinstance(watched, QLineEdit) and bool(watched.text())
        if not isinstance(event, QKeyEvent) or event.type() == QEvent.Type.KeyRelease:
            return False
        if typing and event.key() in _RETURN and event.type() == QEvent.Type.KeyPress:
            watched.returnPressed.emit()  # and goes no further: it ends the text, not the form
            return True
        digit = event.key() - Qt.Key.Key_0.value
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        )
        if typing or not plain or not 1 <= digit <= 9:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            self.digit_pressed.emit(watched, digit)
        return True
