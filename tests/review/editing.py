"""A program that corrects readings without end, in children that are there to be killed.

For every line ``DATABASE SEED`` it starts a child, prints its number, and when it is dead the
signal that killed it. A child adds to ``DATABASE.told`` how many moves it made, each time that all
of them are on disk.
"""

import os
import sys
from pathlib import Path

import journal_sample as sample
import numpy as np

from napari_chest.review.journal import Journal


def scripted(draft, model, rng):
    """The next move by chance, the same ones for the same numbers."""
    while sample.random_move(draft, model, rng) is None:
        pass


def correct(path, seed):
    told = os.open(f"{path}.told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    journal = Journal(Path(path))
    base = sample.reading()
    draft = sample.new_draft(journal, base)
    model = sample.Model(base)
    rng = np.random.default_rng(seed)
    made = 0
    os.write(told, b"0\n")
    while True:
        for _ in range(int(rng.integers(1, 6))):
            scripted(draft, model, rng)
            made += 1
        if journal.flush():
            os.write(told, f"{made}\n".encode())


def main():
    for line in sys.stdin:
        path, seed = line.rsplit(maxsplit=1)
        child = os.fork()
        if child == 0:
            correct(path, int(seed))
        print(child, flush=True)  # noqa: T201
        print(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
