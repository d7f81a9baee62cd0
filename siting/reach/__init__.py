"""Arrays -> distances and shapes."""

from siting.reach.circles import circles, covered_territory
from siting.reach.search import Nearest, cost_matrix, nearest, within

__all__ = ["Nearest", "circles", "cost_matrix", "covered_territory", "nearest", "within"]
