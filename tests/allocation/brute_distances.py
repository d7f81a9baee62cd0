"""Small p-medians and p-centers with any option, and every choice of them tried in turn."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.allocation import brute


def distances(problem):
    """The distances as a dense matrix, ``inf`` where out of reach."""
    dense = np.full(problem.shape, np.inf)
    pairs = problem.pairs.tocoo()
    dense[pairs.row, pairs.col] = pairs.data
    return dense


def value(problem, chosen):
    """What a choice costs; None where it leaves demand out."""
    far = distances(problem)[:, list(chosen)]
    n, k = far.shape
    if problem.capacity is not None:
        return split_value(problem, far, list(chosen)) if problem.split else whole_value(problem, far, list(chosen))
    if n and (k == 0 or np.isinf(far.min(axis=1)).any()):
        return None
    nearest = far.min(axis=1) if n else np.zeros(0)
    return float(nearest.max(initial=0)) if problem.model == "p_center" else float(problem.weights @ nearest)


def whole_value(problem, far, chosen):
    best = None
    for given in itertools.product(*[np.flatnonzero(np.isfinite(row)) for row in far]):
        load = np.zeros(len(chosen))
        for i, j in enumerate(given):
            load[j] += problem.demand[i]
        if (load > problem.capacity[chosen] + 1e-9).any():
            continue
        length = far[np.arange(len(given)), list(given)] if given else np.zeros(0)
        worth = length.max(initial=0) if problem.model == "p_center" else problem.weights @ length
        best = worth if best is None else min(best, worth)
    return best


def split_value(problem, far, chosen):
    limits = np.unique(far[np.isfinite(far)]) if problem.model == "p_center" else [np.inf]
    for limit in limits:
        rows, cols = np.nonzero(np.isfinite(far) & (far <= limit))
        if not len(rows):
            continue
        served = (rows == np.arange(problem.shape[0])[:, None]).astype(float)
        load = (cols == np.arange(len(chosen))[:, None]) * problem.demand[rows]
        price = np.zeros(len(rows)) if problem.model == "p_center" else problem.weights[rows] * far[rows, cols]
        done = linprog(price, load, problem.capacity[chosen], served, np.ones(len(served)), bounds=(0, 1))
        if done.status == 0:
            return limit if problem.model == "p_center" else done.fun
    return None


def best_value(problem):
    """The least cost of all choices; None where there is none."""
    best = None
    for size in range(problem.shape[1] + 1):
        for chosen in itertools.combinations(range(problem.shape[1]), size):
            if brute.allowed(problem, chosen):
                worth = value(problem, chosen)
                if worth is not None and (best is None or worth < best):
                    best = worth
    return best


@st.composite
def distance_inputs(draw, model, *, capacities=False):
    """Keyword arguments of ``make_problem`` for a small p-median or p-center with any of its options."""
    inputs = draw(brute.cover_inputs("max_cover", capacities=capacities))
    n, m = inputs["pairs"].shape
    length = st.one_of(st.integers(0, 12), st.sampled_from([0.25, 3.5, 7.1]))
    far = np.array(draw(st.lists(st.lists(length, min_size=m, max_size=m), min_size=n, max_size=n)), dtype=float)
    often = draw(st.booleans())
    inputs["pairs"] = far if often else np.where(inputs["pairs"], far, np.inf)
    inputs["model"] = model
    inputs.pop("level", None)
    return inputs
