"""Widgets beside and below each other, without a frame."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget


def row(*widgets: QWidget, stretch: int | None = None) -> QWidget:
    """Widgets beside each other; the one at ``stretch``, or what is left, takes the room."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if index == stretch else 0)
    if stretch is None:
        layout.addStretch(1)
    return box


def column(*widgets: QWidget, stretch: int) -> QWidget:
    """Widgets below each other; the one at ``stretch`` takes the room."""
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if index == stretch else 0)
    return box
