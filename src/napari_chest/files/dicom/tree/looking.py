"""Reads many headers, with the help of other processes where that pays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

import msgspec

from napari_chest.files.dicom.tree import helper
from napari_chest.files.dicom.tree.entries import Look, look_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.files.dicom.tree.watch import Watch

_CHUNK: Final = 256
"""Files that are handed out at once, which take some 10 ms."""
_MOST_PROCESSES: Final = 8
_LOOK_FIRST: Final = 0.1
"""Seconds of reading alone, after which the time that is left is known."""
_PAYS: Final = 1.5
"""Seconds left from which on helpers, which take half a second to start, are worth it."""
# -P keeps modules that lie in the current folder, perhaps a dataset's, from being imported.
_COMMAND: Final = (sys.executable, "-P", "-W", "ignore", "-m", helper.__name__)


class Looking:
    """Reads the headers of files.

    This process reads chunk after chunk. Helpers take chunks from the same heap, and what they have
    not answered when the heap is empty is read here too, so one that fails does no harm.

    Parameters
    ----------
    root : the folder of all the files.
    paths : the files, relative to it.
    workers : number of processes, this one included; by default helpers are started only when
        there is much left to do.

    Attributes
    ----------
    looks : what was found so far, by path.
    """

    def __init__(self, root: Path, paths: Sequence[str], workers: int | None) -> None:
        self.looks: dict[str, Look] = {}
        self._root = root
        self._paths = paths
        self._workers = workers
        self._heap = deque(paths[at : at + _CHUNK] for at in range(0, len(paths), _CHUNK))
        self._helpers: list[subprocess.Popen[bytes]] = []
        self._threads: list[Thread] = []

    def run(self, watch: Watch) -> None:
        """Read them all.

        Raises
        ------
        StoppedError
            when ``watch`` says so.
        """
        try:
            if self._workers is not None:
                self._call_helpers(self._workers - 1)
            started = time.monotonic()
            while self._heap:
                with suppress(IndexError):  # a helper took the last
                    self._read(self._heap.popleft(), watch)
                if self._workers is None and self._helpers_pay(time.monotonic() - started):
                    self._call_helpers(min(os.cpu_count() or 1, _MOST_PROCESSES) - 1)
            self._read(self._paths, watch)
            watch.tick(len(self._paths), len(self._paths))
        finally:
            self._dismiss_helpers()

    def _read(self, paths: Sequence[str], watch: Watch) -> None:
        for path in paths:
            if path not in self.looks:
                self.looks[path] = look_at(self._root / path)
                watch.tick(len(self.looks), len(self._paths))

    def _helpers_pay(self, elapsed: float) -> bool:
        if self._helpers or elapsed < _LOOK_FIRST:
            return False
        done = len(self.looks)
        return elapsed / done * (len(self._paths) - done) > _PAYS

    def _call_helpers(self, count: int) -> None:
        if not _is_python(sys.executable):
            return
        for _ in range(count):
            with suppress(OSError):  # then there is one helper fewer
                process = subprocess.Popen(  # noqa: S603 this very Python
                    _COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
                self._helpers.append(process)
                thread = Thread(target=self._hand_out, args=(process,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _hand_out(self, process: subprocess.Popen[bytes]) -> None:
        # What goes wrong ends this helper only: its chunk is not among the looks.
        with suppress(IndexError, OSError, ValueError, EOFError, msgspec.MsgspecError), process:
            while True:
                chunk = self._heap.popleft()
                found = helper.ask(process, [str(self._root / path) for path in chunk])
                self.looks.update(zip(chunk, found, strict=True))

    def _dismiss_helpers(self) -> None:
        for process in self._helpers:
            process.kill()
        for thread in self._threads:
            thread.join()


def _is_python(program: str) -> bool:
    """Whether it runs modules; programs that are frozen or embed Python begin themselves anew."""
    return not getattr(sys, "frozen", False) and Path(program).name.lower().startswith("python")
