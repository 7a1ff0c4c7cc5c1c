"""A program that hands in remarks without end, to a store that is not there; it is to be killed.

Called with a folder, it adds to ``told`` in it how many remarks it made, each time that all of
them are on disk.
"""

import os
import sys
from pathlib import Path

from napari_chest.review.acts import Remark
from napari_chest.review.desk import Desk

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def main():
    folder = Path(sys.argv[1])
    desk = Desk(NOWHERE, folder, "chests", "Bob")
    told = os.open(folder.with_name("told"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    made = 0
    while True:
        for _ in range(3):
            desk.do(Remark(who="Bob", case="c", text=f"{made}"))
            made += 1
        if desk.flush():
            os.write(told, f"{made}\n".encode())


if __name__ == "__main__":
    main()
