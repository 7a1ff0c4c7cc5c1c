"""One of several programs that use a store at the same time.

Called as ``store_worker.py NAME``; reads lines of JSON with a job, the address of a store and the
file that opens the gate for all at once, and says when it is ready and what came of it.
"""

import json
import sys
import time
from pathlib import Path

from acting import begin, decide, submit

from napari_chest.errors import ConflictError
from napari_chest.review.acts import Enrol, Rate, Spend
from napari_chest.review.store import open_store

CASES = [f"case {number}" for number in range(8)]
SECONDS = 0.125
"""What each of them adds; exact in binary, so that sums are."""


def work(store, name):
    """Work on the same cases as everybody else, and send each act twice."""
    numbers = {}
    for case in CASES:
        for act in (
            begin(case, name),
            Spend(who=name, case=case, reader="Bob", seconds=SECONDS),
            submit(case, name, payload=name.encode()),
            submit(case, "Bob", who=name, payload=name.encode()),
        ):
            numbers[act.id] = store.do(act)
            assert store.do(act) == numbers[act.id]
    return numbers


def decide_all(store, name):
    """Decide about the same work as everybody else; tells where it was first."""
    won = []
    for case in CASES:
        try:
            store.do(decide(case, "Bob", "approved", 1, who=name, note=name))
        except ConflictError:
            continue
        won.append(case)
    return won


def take(store, name):
    """Take the same readings as everybody else; tells which it has."""
    return [case for case in CASES if store.lease(case, "L1", name, name, 60).held]


def enrol(store, name):
    """Be the first, or not."""
    return store.do(Enrol(who=name, person=name))


def rate(store, name):
    """Go on until somebody ends the program."""
    while True:
        for difficulty in range(1, 6):
            store.do(Rate(who=name, case="case 0", reader=name, difficulty=difficulty))


JOBS = {"work": work, "decide": decide_all, "take": take, "enrol": enrol, "rate": rate}


def main(name):
    """Do the jobs that are asked for, each when its gate is there."""
    for line in sys.stdin:
        job, address, gate = json.loads(line)
        say("ready")
        while not Path(gate).exists():
            time.sleep(0.001)
        store = open_store(address if "://" in address else Path(address), "chests")
        say(JOBS[job](store, name))
        store.close()


def say(what):
    """One line for the program that asked."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
