"""Text of a user's table made safe for a cell or a page: no control characters, no lone surrogates, not endless."""

from __future__ import annotations

import re

CELL_LIMIT = 32_000
SHEET_NAME_LIMIT = 31

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SHEET_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


def clean_text(value: object, *, limit: int = CELL_LIMIT) -> str:
    """Return a text that any file format can hold.

    Parameters
    ----------
    value
        A cell of a table; missing gives the empty text.
    limit
        The most characters kept; what is longer ends in an ellipsis.

    Returns
    -------
    str
        The text without control characters, lone surrogates and direction overrides.
    """
    if value is None or value != value:
        return ""
    text = _BIDI.sub("", _CONTROL.sub("", str(value)))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def sheet_name(wanted: str, taken: set[str]) -> str:
    r"""Return a name that Excel accepts for a sheet and that no other sheet of the book has.

    Parameters
    ----------
    wanted
        The name as it was meant.
    taken
        The names in use, in lower case; the new one is added.

    Returns
    -------
    str
        At most 31 characters, none of ``[ ] : * ? / \\``, never empty.
    """
    plain = _SHEET_FORBIDDEN.sub(" ", clean_text(wanted)).strip(" '")[:SHEET_NAME_LIMIT].strip(" '") or "sheet"
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        tail = f" {number}"
        name = plain[: SHEET_NAME_LIMIT - len(tail)] + tail
    taken.add(name.lower())
    return name
