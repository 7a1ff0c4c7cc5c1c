"""Text in files whose encoding nobody wrote down."""

from __future__ import annotations


def decode_text(content: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 with a byte order mark, UTF-8 without, else Latin-1.

    NUL characters, which no name or path may hold, are left out.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return text.replace("\0", "")
