"""A process that reads headers for another one, told by pipes which; run with ``python -m``.

Processes of our own, since those of `multiprocessing` begin by running the main program again,
which opens a second window where a person's script is not guarded against it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from napari_chest.files.dicom.tree.entries import Look, look_at

if TYPE_CHECKING:
    from subprocess import Popen
    from typing import IO

_LENGTH_BYTES: Final = 8
_encode = msgspec.msgpack.Encoder().encode
_decode_looks = msgspec.msgpack.Decoder(list[Look]).decode
_decode_paths = msgspec.msgpack.Decoder(list[bytes]).decode


def ask(process: Popen[bytes], paths: list[str]) -> list[Look]:
    """What a helper finds in these files, in their order.

    Raises
    ------
    OSError, EOFError, msgspec.MsgspecError
        when it ended or says nothing sensible.
    """
    assert process.stdin
    assert process.stdout
    _write(process.stdin, _encode([os.fsencode(path) for path in paths]))
    return _decode_looks(_read(process.stdout))


def serve(questions: IO[bytes], to: IO[bytes]) -> None:
    """Answer until there are no more questions."""
    while True:
        try:
            paths = _decode_paths(_read(questions))
        except EOFError:
            return
        _write(to, _encode([look_at(Path(os.fsdecode(path))) for path in paths]))


def _write(to: IO[bytes], message: bytes) -> None:
    to.write(len(message).to_bytes(_LENGTH_BYTES, "big") + message)
    to.flush()


def _read(source: IO[bytes]) -> bytes:
    length = source.read(_LENGTH_BYTES)
    message = source.read(int.from_bytes(length, "big"))
    if len(length) < _LENGTH_BYTES or not message:
        raise EOFError
    return message


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
