"""Arrays -> distances and shapes."""

from siting.reach.search import Nearest, cost_matrix, nearest, within

__all__ = ["Nearest", "cost_matrix", "nearest", "within"]
