"""What a printed table is: columns with headings and kinds, rows, and a line on what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

import pandas as pd

from siting.allocation.plan import each_row
from siting.outputs.numbers import is_missing
from siting.text import Text

# what a column holds: text, numbers of a kind, or `Share` cells, each of which says itself what it is
Kind = Literal["text", "wrapped", "whole", "number", "ratio", "share", "money", "degrees", "mixed"]


@dataclass(frozen=True, slots=True)
class Share:
    """A figure in a column whose rows differ in unit: whether it is a 0–1 share, and the target it is read against."""

    value: float
    share: bool
    against: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: heading, kind, and width in characters; a width of 0 follows the kind."""

    heading: Text
    kind: Kind = "text"
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its name, what it shows, its columns, its rows, and the columns whose words are coloured.

    ``total`` tells that the last row is a sum. ``frozen`` is how many columns stay in sight. ``chart`` names the
    columns of a chart: the one across, and those up.
    """

    name: Text
    about: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    status_columns: tuple[int, ...] = ()
    frozen: int = 1
    total: bool = False
    chart: tuple[int, tuple[int, ...]] | None = None
    empty: Text = field(default_factory=lambda: Text("（无）", "(none)"))

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise ValueError(f"{self.name.en}: a row has {len(wrong[0])} cells, needs {len(self.columns)}")


def rows_of(table: pd.DataFrame, *cells: str | Callable[[Any], Any]) -> tuple[tuple[Any, ...], ...]:
    """Return rows of plain cells from a table.

    Parameters
    ----------
    table
        Any table with plain column names.
    cells
        For each cell a column name, or a function of the row (a named tuple).

    Returns
    -------
    tuple of tuple
        One tuple a row, in the table's order.
    """
    makers = [attrgetter(cell) if isinstance(cell, str) else cell for cell in cells]
    return tuple(tuple(plain(make(row)) for make in makers) for row in each_row(table))


def is_blank(value: Any) -> bool:
    """Return True for a cell that holds nothing.

    Parameters
    ----------
    value
        A cell of a sheet.

    Returns
    -------
    bool
        Whether there is nothing to print.
    """
    return value is None or value == "" or (isinstance(value, Share) and is_missing(value.value))


def plain(value: Any) -> Any:
    """Return a cell as text, int, float, `Share`, or None where nothing is known.

    Parameters
    ----------
    value
        A cell of any table.

    Returns
    -------
    Any
        A value that every writer can print.
    """
    if isinstance(value, str | Share) or value is None:
        return value
    if isinstance(value, Text):
        return value
    if isinstance(value, Sequence | Iterable):
        return "、".join(str(part) for part in value)
    if value is pd.NA or is_missing(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() and not isinstance(value, float) else number
