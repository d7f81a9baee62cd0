"""Every choice of a small siting problem tried in turn, and hypothesis strategies that make such problems."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog


def allowed(problem, chosen):
    """Whether a set of site indices keeps every limit."""
    inside = set(chosen)
    fresh = [j for j in chosen if not problem.existing[j]]
    if not set(np.flatnonzero(problem.existing | problem.fixed)) <= inside:
        return False
    if any(problem.forbidden[j] for j in chosen):
        return False
    if problem.sites is not None and len(fresh) > problem.sites:
        return False
    if problem.budget is not None and sum(problem.cost[j] for j in fresh) > problem.budget + 1e-9:
        return False
    for a, b in itertools.combinations(chosen, 2):
        if problem.existing[a] and problem.existing[b]:
            continue
        if problem.exclusive[a] >= 0 and problem.exclusive[a] == problem.exclusive[b]:
            return False
        if [min(a, b), max(a, b)] in problem.conflicts.tolist():
            return False
    return True


def reach(problem):
    """The pairs in reach as a dense bool matrix."""
    dense = np.zeros(problem.shape, dtype=bool)
    pairs = problem.pairs.tocoo()
    dense[pairs.row, pairs.col] = True
    return dense


def value(problem, chosen):
    """What a choice is worth; None where a set cover leaves demand out."""
    inside = reach(problem)[:, list(chosen)]
    if problem.capacity is not None:
        return capacitated_value(problem, list(chosen), inside)
    covered = inside.sum(axis=1) >= problem.level
    if problem.model == "max_cover":
        return sum(problem.weights[covered])
    return sum(problem.cost[list(chosen)]) if covered.all() else None


def capacitated_value(problem, chosen, inside):
    if problem.split:
        return split_value(problem, chosen, inside)
    best = None
    for given in itertools.product(*[[-1, *np.flatnonzero(row)] for row in inside]):
        load = np.zeros(len(chosen))
        for i, j in enumerate(given):
            if j >= 0:
                load[j] += problem.demand[i]
        if (load > problem.capacity[chosen] + 1e-9).any():
            continue
        if problem.model == "set_cover":
            if min(given, default=0) >= 0:
                return sum(problem.cost[chosen])
        else:
            worth = sum(problem.weights[i] for i, j in enumerate(given) if j >= 0)
            best = worth if best is None else max(best, worth)
    return best


def split_value(problem, chosen, inside):
    rows, cols = np.nonzero(inside)
    served = (rows == np.arange(problem.shape[0])[:, None]).astype(float)
    load = (cols == np.arange(len(chosen))[:, None]) * problem.demand[rows]
    if not len(rows):
        served, load = np.zeros((problem.shape[0], 1)), np.zeros((len(chosen), 1))
        rows = np.zeros(1, dtype=int)
        if problem.model == "max_cover":
            return 0.0
    limits = {"A_ub": load if len(chosen) else None, "b_ub": problem.capacity[chosen] if len(chosen) else None}
    if problem.model == "set_cover":
        done = linprog(np.zeros(len(rows)), A_eq=served, b_eq=np.ones(len(served)), bounds=(0, 1), **limits)
        return sum(problem.cost[chosen]) if done.status == 0 else None
    limits = {
        "A_ub": np.vstack([served, load]),
        "b_ub": np.append(np.ones(len(served)), problem.capacity[chosen]),
    }
    done = linprog(-problem.weights[rows], bounds=(0, 1), **limits)
    return -done.fun


def best_value(problem):
    """The best value of all choices; None where there is none."""
    sign = -1 if problem.model == "max_cover" else 1
    best = None
    for size in range(problem.shape[1] + 1):
        for chosen in itertools.combinations(range(problem.shape[1]), size):
            if allowed(problem, chosen):
                worth = value(problem, chosen)
                if worth is not None and (best is None or sign * worth < sign * best):
                    best = worth
    return best


def site_lists(m, most=2):
    return st.lists(st.integers(0, m - 1), max_size=most, unique=True)


@st.composite
def cover_inputs(draw, model, *, capacities=False):
    """Keyword arguments of ``make_problem`` for a small cover problem with any of its options."""
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    dense = draw(st.lists(st.lists(st.booleans(), min_size=m, max_size=m), min_size=n, max_size=n))
    figure = st.one_of(st.integers(0, 9), st.sampled_from([0.5, 2.25, 3.1]))
    role = draw(st.lists(st.sampled_from(["free"] * 6 + ["existing", "fixed", "forbidden"]), min_size=m, max_size=m))
    inputs = {
        "model": model,
        "pairs": np.array(dense, dtype=bool),
        "cost": draw(st.lists(figure, min_size=m, max_size=m)),
        "existing": [j for j in range(m) if role[j] == "existing"],
        "fixed": [j for j in range(m) if role[j] == "fixed"],
        "forbidden": [j for j in range(m) if role[j] == "forbidden"],
        "exclusive": draw(st.lists(st.sampled_from(["", "", "", "a", "b"]), min_size=m, max_size=m)),
        "conflicts": [
            pair
            for pair in draw(st.lists(st.tuples(st.integers(0, m - 1), st.integers(0, m - 1)), max_size=2))
            if pair[0] != pair[1]
        ],
    }
    if model == "max_cover":
        inputs["weights"] = draw(st.lists(figure, min_size=n, max_size=n))
        if draw(st.booleans()):
            inputs["sites"] = draw(st.integers(0, sum(kind in ("free", "fixed") for kind in role)))
        if draw(st.booleans()):
            inputs["budget"] = draw(st.integers(0, 20))
    if capacities:
        inputs["capacity"] = draw(st.lists(st.integers(0, 9), min_size=m, max_size=m))
        inputs["demand"] = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
        inputs["split"] = draw(st.booleans())
    else:
        inputs["level"] = draw(
            st.one_of(st.sampled_from([1, 1, 2]), st.lists(st.integers(1, 2), min_size=n, max_size=n))
        )
    return inputs
