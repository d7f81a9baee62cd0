"""run.json: what went in, with which settings and versions, and how long it took."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siting.inputs.files import file_sha256
from siting.outputs.figures import headlines

if TYPE_CHECKING:
    from siting.outputs.results import Results

FILE_NAMES: Mapping[str, str] = {
    "map": "map.html",
    "workbook": "scorecard.xlsx",
    "report": "report.html",
    "layers": "coverage.gpkg",
    "verdicts": "verdicts.json",
    "plan": "plan.csv",
    "manifest": "run.json",
}
"""The outputs of a run by what they are; the plan only where there is one."""
MANIFEST_NAME = FILE_NAMES["manifest"]
_LIBRARIES = (
    "siting",
    "geopandas",
    "shapely",
    "pyproj",
    "pyogrio",
    "numpy",
    "pandas",
    "scipy",
    "numba",
    "highspy",
    "contourpy",
    "folium",
    "xlsxwriter",
)


def manifest(results: Results, outputs: Mapping[str, Path] | None = None) -> dict[str, Any]:
    """Return the record of a run: enough to repeat it and to prove which files it read.

    Parameters
    ----------
    results
        What the run found.
    outputs
        The files written so far, by name; their sizes and hashes are recorded.

    Returns
    -------
    dict
        Only text, numbers, lists and mappings; a figure that is not known is null.
    """
    plan = results.plan
    record: dict[str, Any] = {
        "study": results.study_name,
        "standard": {"id": results.standard.id, "document": results.standard.document},
        "settings": results.settings,
        "assumptions": {name: a.value for name, a in results.standard.assumptions.items()},
        "inputs": [
            {
                "role": record.role,
                "file": Path(record.path).name,
                "sha256": record.sha256,
                "rows_read": record.rows_read,
                "rows_kept": record.rows_kept,
                "encoding": record.encoding,
                "datum": record.datum,
            }
            for record in results.records
        ],
        "network": {"nodes": len(results.network.xy), "edges": len(results.network.u)},
        "figures": {f.id: {"unit": f.unit, "now": f.now, "after": f.after} for f in headlines(results)},
        "issues": {
            name: sum(issue.severity == name for issue in results.issues) for name in ("error", "warning", "note")
        },
        "plan": None
        if plan is None
        else {
            "status": plan.status,
            "actions": len(plan.actions),
            "total_cost_wan_yuan": plan.total_cost,
            "budget_wan_yuan": plan.budget,
            "stages": [
                {
                    "id": stage.id,
                    "sense": stage.sense,
                    "value": stage.value,
                    "bound": stage.bound,
                    "gap": stage.gap,
                    "proof": stage.proof,
                    "seconds": stage.seconds,
                }
                for stage in plan.stages
            ],
        },
        "solver": {"answers_refused_and_asked_again": dict(results.refused_answers)},
        "outputs": {
            name: {"file": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}
            for name, path in (outputs or {}).items()
        },
        "versions": {"python": platform.python_version(), **library_versions()},
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "seconds": dict(results.seconds),
    }
    plain = _plain(record)
    assert isinstance(plain, dict)
    return plain


def write_manifest(results: Results, path: str | Path, outputs: Mapping[str, Path] | None = None) -> None:
    """Write the record of a run as UTF-8 JSON.

    Parameters
    ----------
    results
        What the run found.
    path
        The file; one that exists is replaced.
    outputs
        The files written so far, by name.
    """
    text = json.dumps(manifest(results, outputs), ensure_ascii=False, indent=2, allow_nan=False)
    Path(path).write_text(text.encode("utf-8", "replace").decode("utf-8") + "\n", encoding="utf-8", newline="\n")


def library_versions() -> dict[str, str]:
    """Return the version of each library that a figure may depend on, without importing any.

    Returns
    -------
    dict
        Name to version; a library that is not installed is left out.
    """
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and not isinstance(value, float) else number
