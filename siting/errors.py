"""Every exception of the product, and the fault record they carry.

::

    SitingError
    ├── InputError        (ValueError)         something the user gave cannot be used
    │   ├── TableError                         a table breaks the contract of its role; carries every fault
    │   ├── StudyError                         the study file: unknown key, wrong value
    │   ├── StandardError                      a standard's TOML: unknown key, no source, looser override
    │   ├── NetworkError                       a road network that cannot be built or routed on
    │   └── CutoffError                        a cut-off that is not one positive finite number
    ├── MissingFileError  (FileNotFoundError)  a file that is not there
    ├── ProblemError      (ValueError)         a siting problem that makes no sense (sites > candidates, NaN cost, ...)
    ├── InfeasibleError   (RuntimeError)       nothing can satisfy what was asked; says what blocks
    ├── SolverError       (RuntimeError)       the solver failed, or stopped before any answer
    └── OutputError       (OSError)            an output cannot be written; what was there is intact
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from siting.text import Lang, Text

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of an input, or one thing that was mended: where it is, what is wrong, and the cure.

    ``row`` is numbered as the spreadsheet or the text file numbers it (the header of a CSV is row 1).
    An ``error`` stops the run, a ``warning`` may change a figure, a ``note`` is for the record.
    """

    severity: Severity
    problem: Text
    cure: Text
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""

    @property
    def text(self) -> Text:
        """The issue as one line of plain words, in both languages."""
        return Text(self.line("zh"), self.line("en"))

    def line(self, lang: Lang) -> str:
        """Return the issue as one line of plain words."""
        head = {"zh": {"error": "错误", "warning": "提醒", "note": "说明"}, "en": {}}[lang].get(
            self.severity, self.severity
        )
        place = [part for part in (self.file, self.sheet) if part]
        if self.row is not None:
            place.append(f"第 {self.row} 行" if lang == "zh" else f"row {self.row}")
        if self.column:
            place.append(self.column)
        if self.value:
            place.append(f"“{self.value}”" if lang == "zh" else f'"{self.value}"')
        where = " ".join(place)
        colon = "：" if lang == "zh" else ": "
        cure = self.cure.to(lang)
        body = self.problem.to(lang) + ((("；" if lang == "zh" else "; ") + cure) if cure else "")
        return f"{head} {where}{colon}{body}" if where else f"{head}{colon}{body}"


class SitingError(Exception):
    """The root of every exception of the product; carries its message in Chinese and English."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class InputError(SitingError, ValueError):
    """Something the user gave cannot be used."""


class TableError(InputError):
    """A table breaks the contract of its role; ``issues`` holds every fault, each with its row."""

    def __init__(self, text: Text, issues: Sequence[Issue] = ()) -> None:
        super().__init__(text)
        self.issues = tuple(issues)

    def __str__(self) -> str:
        return "\n  ".join([self.text.en, *(issue.line("en") for issue in self.issues)])


class StudyError(InputError):
    """The study file holds an unknown key or a wrong value."""


class StandardError(InputError):
    """A standard's file holds an unknown key, a rule without a source, or a looser override."""


class NetworkError(InputError):
    """A road network cannot be built from its table, or cannot be routed on."""


class CutoffError(InputError):
    """A cut-off is not exactly one positive, finite number."""


class MissingFileError(SitingError, FileNotFoundError):
    """A file is not there."""


class ProblemError(SitingError, ValueError):
    """A siting problem makes no sense: more sites than candidates, a NaN cost, a negative budget."""


class InfeasibleError(SitingError, RuntimeError):
    """Nothing satisfies what was asked; ``blocks`` says what stands in the way, ``partial`` is the best there is."""

    def __init__(self, text: Text, *, blocks: Sequence[Text] = (), partial: object | None = None) -> None:
        super().__init__(text)
        self.blocks = tuple(blocks)
        self.partial = partial


class SolverError(SitingError, RuntimeError):
    """The solver failed, or stopped before it had any answer."""


class OutputError(SitingError, OSError):
    """An output cannot be written; whatever stood there before is intact."""


_REASONS: dict[int, Text] = {
    errno.ENOENT: Text("文件或文件夹不存在", "no such file or folder"),
    errno.EACCES: Text("没有权限，或正被其他程序（如 Excel）打开", "no permission, or it is open in another program"),
    errno.EPERM: Text("没有权限，或正被其他程序（如 Excel）打开", "no permission, or it is open in another program"),
    errno.EBUSY: Text("正被其他程序占用", "it is in use by another program"),
    errno.EEXIST: Text("已经存在", "it exists already"),
    errno.ENOTDIR: Text("路径中有一段不是文件夹", "a part of the path is not a folder"),
    errno.EISDIR: Text("是文件夹，不是文件", "it is a folder, not a file"),
    errno.ENAMETOOLONG: Text("文件名或路径太长", "the name or the path is too long"),
    errno.ENOSPC: Text("磁盘空间不足", "no space left on the disk"),
    errno.EROFS: Text("磁盘是只读的", "the disk is read-only"),
    errno.EIO: Text("磁盘或网络盘读写出错", "the disk or the network drive failed"),
    errno.EMFILE: Text("打开的文件太多", "too many files are open"),
}


def reason_of(error: Exception) -> Text:
    """Return why the operating system refused, in plain words; what it says itself where that is not a common reason.

    Parameters
    ----------
    error
        An ``OSError``, or what a library raised instead of one.

    Returns
    -------
    Text
        A few words, to stand behind a colon.
    """
    said = getattr(error, "strerror", None) or str(error)
    return _REASONS.get(getattr(error, "errno", None) or 0, Text(said, said))
