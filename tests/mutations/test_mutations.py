"""A few mutations of every kind of file with the tests; thousands by hand with ``python -m tests.mutations``."""

import random
import sys

import pytest

from tests.mutations.kinds import KINDS
from tests.mutations.mutate import mutated

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="each case runs in a fork whose memory Linux tells")


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_file_is_told_in_plain_words_or_read(tmp_path, kind):
    from tests.mutations.attempt import attempts_of

    for number, outcome in enumerate(attempts_of(kind, tmp_path, 0, range(3))):
        assert not outcome.bad, f"{kind}:{number} {outcome.verdict}\n{outcome.said}"


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".shp"])
def test_the_same_case_is_the_same_file_and_another_is_another(tmp_path, ending):
    data = bytes(range(256)) * 20
    path = tmp_path / f"a{ending}"
    one, again = (mutated(path, data, random.Random(3)) for _ in range(2))
    assert one == again
    assert len({mutated(path, data, random.Random(seed)) for seed in range(20)}) > 5
