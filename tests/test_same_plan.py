"""A study whose rows are shuffled and whose names are all replaced gives the same plan, to the last bit.

Fifty and more: ``python -m tests.random_studies 50``.
"""

import pytest

from tests.random_studies import differences, random_tables

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_and_the_spelling_of_names_change_no_plan(seed):
    assert differences(seed) == []


def test_among_these_studies_are_budgets_targets_choices_and_a_classical_model_that_needs_distances():
    asked = "\n".join(random_tables(seed)[1] for seed in SEEDS)
    for part in ("budget", "targets", "alternatives", "prescription", "p_median"):
        assert part in asked
