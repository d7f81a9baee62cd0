"""Policy rules as data."""

from siting.standards.assumptions import Assumption
from siting.standards.load import SHIPPED, read_standard
from siting.standards.model import Circle, Rule, Service, Standard, Step
from siting.standards.table import list_standards, rules_table

__all__ = [
    "SHIPPED",
    "Assumption",
    "Circle",
    "Rule",
    "Service",
    "Standard",
    "Step",
    "list_standards",
    "read_standard",
    "rules_table",
]
