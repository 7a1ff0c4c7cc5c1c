"""Colours and shapes of the dock: dark, for a dark room, with a visible keyboard focus."""

from __future__ import annotations

BACKGROUND = "#262930"
RAISED = "#414851"
TEXT = "#f0f1f2"
SECONDARY = "#a8aeb4"
ACCENT = "#56b4e9"
GOOD = "#6fce8f"
AMBER = "#f0c000"
BAD = "#ff8a7a"
OFF = "#82888f"

LABEL_ON = "#c090c0"
LABEL_ANY = "#9fb3c8"
LABEL_OFF = "#31363f"

STATE_COLORS = {
    "not started": "#a8aeb4",
    "in progress": "#7cc7f2",
    "submitted": "#d9b0d9",
    "needs fix": AMBER,
    "approved": GOOD,
    "rejected": "#ffa396",
    "deferred": "#c3c8cd",
}
"""Of the states of work; each has a shape of its own beside it."""

STYLE = f"""
QWidget#chest {{ background: {BACKGROUND}; color: {TEXT}; }}
QWidget#chest QWidget[role="part"] {{ background: transparent; }}
QWidget#chest QLabel {{ color: {TEXT}; background: transparent; }}
QWidget#chest QLabel[role="secondary"] {{ color: {SECONDARY}; }}
QWidget#chest QLabel[role="title"] {{ font-weight: bold; }}
QWidget#chest QLabel[state="unsaved"] {{ color: {AMBER}; }}
QWidget#chest QLabel[state="saved"] {{ color: {GOOD}; }}
QWidget#chest QLabel[state="bad"] {{ color: {BAD}; }}
QWidget#chest QPushButton, QWidget#chest QToolButton {{
    background: {RAISED}; color: {TEXT}; border: 2px solid {RAISED}; border-radius: 4px;
    padding: 3px 8px;
}}
QWidget#chest QToolButton {{ padding: 3px 2px; }}
QWidget#chest QPushButton:hover, QWidget#chest QToolButton:hover {{ border-color: {SECONDARY}; }}
QWidget#chest QPushButton:focus, QWidget#chest QToolButton:focus {{ border-color: {ACCENT}; }}
QWidget#chest QPushButton:disabled, QWidget#chest QToolButton:disabled {{
    color: {OFF}; background: #2f343c; border-color: #2f343c;
}}
QWidget#chest QToolButton::menu-indicator {{ image: none; }}
QWidget#chest QToolButton:checked {{ background: #1d5f86; border-color: #1d5f86; }}
QWidget#chest QPushButton[primary="true"] {{ background: #1d5f86; border-color: #1d5f86; }}
QWidget#chest QPushButton[primary="true"]:disabled {{
    background: #2f343c; border-color: #2f343c;
}}
QWidget#chest QPushButton[primary="true"]:focus {{ border-color: {ACCENT}; }}
QWidget#chest QAbstractSpinBox {{
    background: #1b1d22; color: {TEXT}; border: 2px solid {RAISED}; border-radius: 4px;
    padding: 1px 18px; min-width: 56px;
}}
QWidget#chest QAbstractSpinBox:focus, QWidget#chest QCheckBox:focus {{ border-color: {ACCENT}; }}
QWidget#chest QAbstractSpinBox:disabled, QWidget#chest QComboBox:disabled {{ color: {OFF}; }}
QWidget#chest QCheckBox {{ color: {TEXT}; border: 2px solid transparent; border-radius: 4px; }}
QWidget#chest QCheckBox:disabled {{ color: {OFF}; }}
QWidget#chest QFrame[role="popup"] {{
    background: {BACKGROUND}; border: 2px solid {RAISED}; border-radius: 4px;
}}
QWidget#chest QMenu {{ background: {BACKGROUND}; color: {TEXT}; border: 2px solid {RAISED}; }}
QWidget#chest QMenu::item {{ padding: 3px 14px; }}
QWidget#chest QMenu::item:disabled {{ color: {SECONDARY}; padding-left: 6px; }}
QWidget#chest QMenu::item:selected:enabled {{ background: #1d5f86; color: {TEXT}; }}
QWidget#chest QLineEdit, QWidget#chest QComboBox, QWidget#chest QPlainTextEdit {{
    background: #1b1d22; color: {TEXT}; border: 2px solid {RAISED}; border-radius: 4px;
    padding: 2px 4px;
}}
QWidget#chest QLineEdit:focus, QWidget#chest QComboBox:focus, QWidget#chest QPlainTextEdit:focus {{
    border-color: {ACCENT};
}}
QWidget#chest QTableView, QWidget#chest QListWidget {{
    background: #1b1d22; alternate-background-color: #20232a; color: {TEXT};
    border: 2px solid {RAISED}; gridline-color: transparent;
    selection-background-color: #1d5f86; selection-color: {TEXT};
}}
QWidget#chest QTableView::item:selected, QWidget#chest QListWidget::item:selected {{
    background: #1d5f86; color: {TEXT};
}}
QWidget#chest QTableView:focus, QWidget#chest QListWidget:focus {{ border-color: {ACCENT}; }}
QWidget#chest QHeaderView::section {{
    background: {BACKGROUND}; color: {SECONDARY}; border: 0; padding: 2px 4px;
}}
QWidget#chest QProgressBar {{
    background: #1b1d22; border: 0; border-radius: 3px; color: {TEXT}; text-align: center;
}}
QWidget#chest QProgressBar::chunk {{ background: #1d5f86; border-radius: 3px; }}
"""
