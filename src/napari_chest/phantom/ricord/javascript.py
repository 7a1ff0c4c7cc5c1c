"""JSON as JavaScript's ``JSON.stringify`` writes it: compact, whole floats as integers."""

from __future__ import annotations

import json
from decimal import Decimal


def javascript(value: object) -> str:
    """The text of a value made of dicts, lists, text, numbers, booleans and ``None``."""
    if isinstance(value, dict):
        return f"{{{','.join(f'{_text(key)}:{javascript(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(javascript, value))}]"
    if isinstance(value, float):
        return _number(value)
    return _text(value)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """A float as JavaScript prints it: 512 not 512.0, 0.00001 not 1e-05, 1e-7 not 1e-07."""
    text = repr(value)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if "e" not in text:
        return text
    if 1e-6 <= abs(value) < 1:
        return format(Decimal(text), "f")
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent):+d}"
