"""The least any search can do: touch the nodes it finds and their edges."""

import numpy as np

from siting.network._kernels import LOW, U4, compiled


@compiled
def touch_rows(rows, arcs, touched, starts, labels):
    """Read every arc of the touched nodes and write a label for each, row after row; gives the number of arcs."""
    n = np.uint64(0)
    for i in range(len(starts) - 1):
        for t in range(starts[i], starts[i + 1]):
            node = np.uint64(touched[t])
            labels[node] = np.uint32(i)
            for a in range(np.uint64(rows[node]) * U4, np.uint64(rows[node + np.uint64(1)]) * U4):
                n += np.uint64(labels[arcs[a] & LOW] != np.uint32(0xFFFFFFFF))
    return n
