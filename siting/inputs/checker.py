"""The list of issues on rows of any table, each with the file, sheet and row that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from siting.errors import Issue
from siting.inputs.faults import Faults

if TYPE_CHECKING:
    from siting.inputs.tables import Origin


class Checker:
    """Gather issues on rows of any file, each with the file, sheet and row that it came from."""

    def __init__(self, frames: Mapping[str, Any], origins: Mapping[str, Origin]) -> None:
        self.frames = frames
        self.origins = origins
        self.issues: list[Issue] = []

    def say(
        self,
        severity: Literal["error", "warning", "note"],
        role: str,
        position: int,
        zh: str,
        en: str,
        cure_zh: str,
        cure_en: str,
        *,
        column: str = "",
        value: object = "",
    ) -> None:
        """Add an issue on one row of a table."""
        origin = self.origins[role]
        faults = Faults(origin.file[position], origin.sheet[position])
        getattr(faults, severity)(zh, en, cure_zh, cure_en, row=origin.row[position], column=column, value=value)
        self.issues.extend(faults.issues)

    def where(self, role: str, position: int, lang: str) -> str:
        """Return the place of a row in words, for a message on another row."""
        origin = self.origins[role]
        file, row = origin.file[position], origin.row[position]
        return f"{file} 第 {row} 行" if lang == "zh" else f"{file} row {row}"
