"""Names sort as people order them."""

import random

from napari_chest.files.names import natural_key


def test_numbers_sort_by_value_and_case_is_ignored():
    names = ["p2", "P1", "P10", "cap002", "CAP1", "P02a", "P2"]
    shuffled = random.Random(0).sample(names, len(names))
    assert sorted(shuffled, key=lambda n: (natural_key(n), n)) == [
        "CAP1",
        "cap002",
        "P1",
        "P2",
        "p2",
        "P02a",
        "P10",
    ]


def test_any_name_can_be_compared_with_any_other():
    names = ["", "1", "a", "1a", "a1", "０12", "9" * 5000, "1" + "0" * 5000, "²", "é9"]
    assert len(sorted(names, key=natural_key)) == len(names)
    assert natural_key("9" * 5000) < natural_key("1" + "0" * 5000)
