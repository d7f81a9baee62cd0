"""Policy rules as data."""

from siting.standards.load import SHIPPED, read_standard
from siting.standards.model import Assumption, Circle, Rule, Service, Standard, Step

__all__ = ["SHIPPED", "Assumption", "Circle", "Rule", "Service", "Standard", "Step", "read_standard"]
