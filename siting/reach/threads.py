"""Many searches at once: chunks of rows over threads, room that grows, rows put together into one sparse matrix."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from siting.errors import InputError
from siting.network.routing import RoutingGraph
from siting.text import Text

T = TypeVar("T")
Array = npt.NDArray[Any]
RowKernel = Callable[["Bench", Array, Array, int], tuple[int, int, int]]
Piece = tuple[Array, Array, Array]
_NONE = np.uint32(0xFFFFFFFF)
_MOST_BUCKETS = 2**18
_CHUNKS_PER_THREAD = 8
_FIRST_BLOCK = 2**15


def thread_count(threads: int | None) -> int:
    """Return how many threads to use.

    Parameters
    ----------
    threads
        Those asked for, >= 1; ``None``: one for each core this process may run on.

    Raises
    ------
    InputError
        If fewer than 1 is asked for.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise InputError(Text(f"threads 应至少为 1，实为 {threads}。", f"threads must be at least 1; it is {threads}."))
    return threads


def bucket_shift(graph: RoutingGraph, limit: int) -> int:
    """Return the width of buckets as a power of two; the answer does not depend on it, the speed hardly."""
    shift = graph.shift
    while limit >> shift > _MOST_BUCKETS:
        shift += 1
    return shift


def empty_buckets(limit: int, shift: int) -> npt.NDArray[np.uint32]:
    """Return the heads of all buckets up to a limit."""
    return np.full((limit >> shift) + 1, _NONE, np.uint32)


@dataclass(slots=True)
class Bench:
    """What one thread works with; about 8 bytes a node, and room for the waiting labels and the rows found.

    Rows found lie packed in ``found``, one after another, up to ``used``.
    """

    label: npt.NDArray[np.uint32]
    heads: npt.NDArray[np.uint32]
    pool: npt.NDArray[np.uint64]
    links: npt.NDArray[np.uint32]
    touched: npt.NDArray[np.uint32]
    target_best: npt.NDArray[np.uint32]
    target_touched: npt.NDArray[np.uint32]
    found: npt.NDArray[np.uint64]
    used: int

    @classmethod
    def make(cls, n_nodes: int, n_targets: int, limit: int, shift: int) -> Bench:
        """Return a bench for searches up to a limit."""
        return cls(
            label=np.full(n_nodes, limit + 1, np.uint32),
            heads=empty_buckets(limit, shift),
            pool=np.empty(4096, np.uint64),
            links=np.empty(4096, np.uint32),
            touched=np.empty(n_nodes + 1, np.uint32),
            target_best=np.full(n_targets, limit + 1, np.uint32),
            target_touched=np.empty(n_targets + 1, np.uint32),
            found=np.empty(_FIRST_BLOCK, np.uint64),
            used=0,
        )

    @property
    def lists(self) -> tuple[Array, ...]:
        """What every search works on, as the kernels take it."""
        return self.label, self.heads, self.pool, self.links, self.touched

    def grow_pool(self) -> None:
        """Double the room for waiting labels."""
        self.pool = np.empty(2 * len(self.pool), np.uint64)
        self.links = np.empty(2 * len(self.links), np.uint32)

    def next_block(self) -> None:
        """Start a new block for the rows found, twice as large; the old one lives in the pieces cut from it."""
        self.found = np.empty(2 * len(self.found), np.uint64)
        self.used = 0


def in_threads(tasks: list[T], work: Callable[[T], Any], threads: int) -> list[Any]:
    """Return what ``work`` gives for each task, in order; the calling thread works too, and a fault ends them all.

    A pool of threads would do the same, but takes about a millisecond to hand out the tasks.
    """
    results: list[Any] = [None] * len(tasks)
    waiting = iter(range(len(tasks)))
    faults: list[BaseException] = []

    def go_on() -> None:
        try:
            for i in waiting:
                if faults:
                    return
                results[i] = work(tasks[i])
        except BaseException as fault:  # raised again by the calling thread
            faults.append(fault)

    others = [Thread(target=go_on) for _ in range(min(threads, len(tasks)) - 1)]
    try:
        for other in others:
            other.start()
        go_on()
        for other in others:
            other.join()
    except BaseException as fault:  # Ctrl-C while waiting for the others: they end with the task at hand
        faults.insert(0, fault)
        for other in others:
            if other.is_alive():
                other.join()
    if faults:
        raise faults[0]
    return results


def sparse_rows(
    kernel: RowKernel,
    order: npt.NDArray[np.int64],
    bench: Callable[[], Bench],
    *,
    n_columns: int,
    unit: float,
    threads: int,
) -> csr_array:
    """Run a row kernel over rows in a given order and return its rows as one matrix, row i where row i belongs.

    Parameters
    ----------
    kernel
        Called with a bench, the rows of a chunk, their counts to fill and the place to go on from; gives (status, place
        where it stopped, output used).
    order
        All row numbers, in the order in which they are best searched.
    bench
        Makes what one thread works with.
    n_columns
        Width of the matrix.
    unit
        Whole units of cost in one of the matrix.
    threads
        Number of threads; the result does not depend on it.
    """
    from siting.reach._kernels import spread_rows

    benches: SimpleQueue[Bench] = SimpleQueue()
    for _ in range(threads):
        benches.put(bench())
    chunks = [rows for rows in np.array_split(order, threads * _CHUNKS_PER_THREAD) if len(rows)]

    def one_chunk(rows: Array) -> list[Piece]:
        own = benches.get()
        try:
            return _pieces(kernel, own, rows)
        finally:
            benches.put(own)

    pieces = [piece for chunk in in_threads(chunks, one_chunk, threads) for piece in chunk]
    indptr = np.zeros(len(order) + 1, np.int64)
    for _, counts, rows in pieces:
        indptr[rows + 1] = counts
    np.cumsum(indptr, out=indptr)
    indices, values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float64)
    in_threads(pieces, lambda piece: spread_rows(*piece, unit, indptr, indices, values), threads)
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    return csr_array((values, indices, indptr), shape=(len(order), n_columns))


def _pieces(kernel: RowKernel, own: Bench, rows: Array) -> list[Piece]:
    """Return what a kernel finds for some rows, cut where it needed more room: entries, counts and numbers of rows."""
    from siting.reach._kernels import DONE, NEEDS_POOL

    counts = np.zeros(len(rows), np.int64)
    pieces: list[Piece] = []
    at = 0
    while True:
        before, start = at, own.used
        status, at, used = kernel(own, rows, counts, before)
        own.used = int(used)
        if at > before:
            pieces.append((own.found[start : own.used], counts[before:at], rows[before:at]))
        if status == DONE:
            return pieces
        if status == NEEDS_POOL:
            own.grow_pool()
        else:
            own.next_block()
