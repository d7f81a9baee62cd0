"""Which things hang together, given which pairs of them do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def connected_pieces(u: npt.NDArray[Any], v: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """Return the number of the connected piece each of ``count`` things is in.

    Parameters
    ----------
    u, v
        The two things of each pair that hangs together, whole numbers from 0, shape (m,).
    count
        How many things there are.
    """
    # 32 bits on purpose: before 1.12, scipy takes no others here, and says so where nobody hears it
    pairs = np.asarray(u, np.int32), np.asarray(v, np.int32)
    graph = coo_array((np.ones(len(pairs[0]), np.int8), pairs), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
