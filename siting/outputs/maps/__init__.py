"""The offline coverage map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from siting.outputs.atomic import whole_file
from siting.text import Lang

MARK = b'id="siting-data"'
"""What every page that this writes holds, and no other."""

if TYPE_CHECKING:
    from siting.outputs.maps.page import CoverageMap
    from siting.outputs.results import Results


def coverage_map(results: Results, *, lang: Lang = "zh") -> CoverageMap:
    """Return the coverage map of a run; ``save()`` writes one file that opens without internet.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language the page opens in; a button changes it.

    Returns
    -------
    CoverageMap
        A ``folium.Map``; the same results give the same bytes.
    """
    from siting.outputs.maps.page import CoverageMap

    return CoverageMap(results, lang)


def write_map(results: Results, path: str | Path, *, lang: Lang = "zh", force: bool = False) -> None:
    """Write the coverage map as one self-contained page.

    Parameters
    ----------
    results
        What the run found.
    path
        The .html file.
    lang
        The language the page opens in.
    force
        Replace a file that is there.

    Raises
    ------
    OutputError
        If the file exists and ``force`` is off, or it cannot be written.
    """
    page = coverage_map(results, lang=lang).get_root().render()
    with whole_file(path, force=force, suffix=".html") as work:
        work.write_text(page, encoding="utf-8", newline="\n")


def is_map(path: Path) -> bool:
    """Return whether a file is a page that `write_map` wrote.

    Parameters
    ----------
    path
        Any file.
    """
    with path.open("rb") as stream:
        return any(MARK in line for line in stream)


__all__ = ["coverage_map", "is_map", "write_map"]
