"""Kappa and percent agreement, against published examples, statsmodels and sums by hand."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from napari_chest.measure.kappa import (
    cohen,
    concordance,
    concordances,
    confusion,
    fleiss,
    percent_agreement,
)

# Fleiss (1971), Psychological Bulletin 76: 30 patients, 6 psychiatrists, 5 diagnoses.
DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""


def psychiatrists():
    """Six readers' answers; who of them said what is not told, and means nothing for kappa."""
    patients = [[int(n) for n in patient] for patient in DIAGNOSES.split()]
    answers = [np.repeat(list("DPSNO"), counts).tolist() for counts in patients]
    return list(zip(*answers, strict=True))


def from_table(table):
    """Two readers' answers with this table of counts."""
    pairs = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    return [i for i, _ in pairs], [j for _, j in pairs]


def test_fleiss_1971():
    ratings = psychiatrists()
    found = fleiss(ratings)
    assert found.value == pytest.approx(0.430, abs=5e-4)  # as the paper says
    numbers = [["DPSNO".index(answer) for answer in reader] for reader in ratings]
    table, _ = aggregate_raters(np.transpose(numbers))
    assert found.value == pytest.approx(fleiss_kappa(table), abs=1e-12)
    assert found.n == 30
    # The paper's standard error under no agreement is 0.009; resampled patients vary more.
    assert 0.28 < found.low < 0.40
    assert 0.46 < found.high < 0.60


def test_cohen_of_fleiss_levin_and_paik_2003():
    """Statistical Methods for Rates and Proportions, table 18.1: 100 people, kappa 0.68."""
    a, b = from_table([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    found = cohen(a, b)
    assert found.value == pytest.approx(0.676, abs=5e-4)
    expected = cohens_kappa([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    assert (found.low, found.high) == pytest.approx((expected.kappa_low, expected.kappa_upp))
    assert (found.n, found.left_out) == (100, 0)


def test_fleiss_of_two_readers_is_not_cohen():
    """With two readers Fleiss' is Scott's pi (1955), which pools both readers' shares."""
    a, b = from_table([[20, 5], [10, 15]])
    assert cohen(a, b).value == pytest.approx(0.4)
    share = (25 + 30) / 100
    chance = share**2 + (1 - share) ** 2
    assert fleiss((a, b)).value == pytest.approx((0.7 - chance) / (1 - chance))


@pytest.mark.parametrize(
    ("same", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_of_percent_agreement_are_newcombes(same, of, low, high):
    """Wilson's intervals in table I of Newcombe (1998), Statistics in Medicine 17."""
    found = percent_agreement(([1] * of, [1] * same + [0] * (of - same)))
    assert found.value == pytest.approx(same / of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_percent_agreement_of_three_means_all_three():
    found = percent_agreement(("aabb", "aabc", "abbb"))
    assert found.value == 0.5
    assert found.n == 4


def test_unanswered_items_are_left_out_and_counted():
    a = ["x", "y", None, "x", "y", None]
    b = ["x", "x", "y", None, "y", None]
    assert cohen(a, b)[0] == cohen(["x", "y", "y"], ["x", "x", "y"])[0]
    for found in (cohen(a, b), fleiss((a, b)), percent_agreement((a, b))):
        assert (found.n, found.left_out) == (3, 3)
    assert confusion(a, b).left_out == 3


def test_same_answer_everywhere_has_no_kappa_but_full_agreement():
    said = [True] * 8
    for found in (cohen(said, said), fleiss((said,) * 3), cohen(said, said, [1, 2] * 4)):
        assert (found.value, found.low, found.high, found.n) == (None, None, None, 8)
        assert "kappa undefined" in found.note
    assert percent_agreement((said, said)).value == 1.0


def test_nothing_answered_by_all_is_said():
    for found in (cohen([None], ["a"]), fleiss(([None],) * 3), percent_agreement(([None], ["a"]))):
        assert (found.value, found.n, found.left_out) == (None, 0, 1)
        assert "no two of these readers" in found.note
    assert confusion([None], ["a"]).counts.shape == (0, 0)


def test_confusion_has_rows_of_a_and_columns_of_b():
    found = confusion([True, True, False, True], [True, False, False, False])
    assert found.categories == ("no", "yes")
    assert found.counts.tolist() == [[1, 0], [2, 1]]
    assert confusion(["b", "a"], ["c", "a"]).categories == ("a", "b", "c")


def test_clusters_change_the_interval_and_not_the_value():
    random = np.random.default_rng(0)
    cases = np.repeat(np.arange(12), 40)
    a = np.repeat(random.random(12) < 0.5, 40)  # each case is the same throughout
    b = a ^ np.repeat(random.random(12) < 0.2, 40)
    alone = cohen(a.tolist(), b.tolist())
    clustered = cohen(a.tolist(), b.tolist(), cases.tolist())
    assert clustered.value == pytest.approx(alone.value)
    # 480 slices say no more than 12 cases do.
    assert clustered.high - clustered.low > 3 * (alone.high - alone.low)
    assert clustered == cohen(a.tolist(), b.tolist(), cases.tolist())
    share = percent_agreement((a.tolist(), b.tolist()), cases.tolist())
    assert share.value == pytest.approx(np.mean(a == b))
    assert share.high - share.low > 0.2


def test_resampling_of_independent_items_meets_the_large_sample_interval():
    random = np.random.default_rng(1)
    a = random.integers(0, 3, 600)
    b = np.where(random.random(600) < 0.7, a, random.integers(0, 3, 600))
    formula = cohen(a.tolist(), b.tolist())
    drawn = cohen(a.tolist(), b.tolist(), list(range(600)))
    assert (drawn.low, drawn.high) == pytest.approx((formula.low, formula.high), abs=0.015)


def test_concordances_of_all_and_of_every_two():
    ratings = {"A": "xxyy", "B": "xxyx", "C": "xyyy"}
    found = concordances(ratings)
    assert [one.readers for one in found] == [("A", "B", "C"), ("A", "B"), ("A", "C"), ("B", "C")]
    assert [one.kind for one in found] == ["Fleiss", "Cohen", "Cohen", "Cohen"]
    assert found[0].confusion is None
    assert found[1].confusion.counts.tolist() == [[2, 0], [1, 1]]
    two = concordance({"A": "xxyy", "B": "xxyx"})
    assert two.kappa == found[1].kappa
    assert concordances({"A": "xy", "B": "xy"})[0].kappa.value == 1


def test_reader_who_says_the_same_throughout_has_a_kappa_of_0_without_interval():
    found = cohen("aaaa", "abab")
    assert (found.value, found.low, found.high) == (0, None, None)
    assert "the same throughout" in found.note
    assert fleiss(("aaaa", "abab", "aaaa")).value < 0


def test_full_agreement_claims_no_interval():
    for found in (cohen("abab", "abab"), fleiss(("abab",) * 3), cohen("abab", "abab", "1122")):
        assert (found.value, found.low, found.high) == (1, None, None)
        assert "no interval" in found.note


def test_fleiss_of_unequal_numbers_of_readers_by_hand():
    found = fleiss((["x", "x", "y", None], ["x", "y", "y", "x"], ["x", None, "x", None]))
    assert (found.n, found.left_out) == (3, 1)
    observed = (1 + 0 + 1 / 3) / 3
    x = (1 + 1 / 2 + 1 / 3) / 3
    chance = x**2 + (1 - x) ** 2
    assert found.value == pytest.approx((observed - chance) / (1 - chance))
    share = percent_agreement((["x", "x", None], ["x", None, None], ["x", "y", "y"]))
    assert (share.value, share.n, share.left_out) == (0.5, 2, 1)
