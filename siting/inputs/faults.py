"""The list on which the faults of one file are gathered while it is read."""

from __future__ import annotations

from collections.abc import Sequence

from siting.errors import Issue, Severity, TableError, reason_of
from siting.text import Text


class Faults:
    """Gather the issues of one file and sheet, so that all of them are told at once."""

    def __init__(self, file: str, sheet: str = "") -> None:
        self.file = file
        self.sheet = sheet
        self.issues: list[Issue] = []

    def _add(
        self,
        severity: Severity,
        zh: str,
        en: str,
        cure_zh: str,
        cure_en: str,
        row: int | None,
        column: str,
        value: object,
    ) -> None:
        text = "" if value is None else str(value)
        shown = "".join(char if char.isprintable() else "�" for char in text)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        self.issues.append(
            Issue(severity, Text(zh, en), Text(cure_zh, cure_en), self.file, self.sheet, row, column, shown)
        )

    def error(
        self,
        zh: str,
        en: str,
        cure_zh: str,
        cure_en: str,
        *,
        row: int | None = None,
        column: str = "",
        value: object = None,
    ) -> None:
        """Add a fault that stops the run."""
        self._add("error", zh, en, cure_zh, cure_en, row, column, value)

    def warning(
        self,
        zh: str,
        en: str,
        cure_zh: str,
        cure_en: str,
        *,
        row: int | None = None,
        column: str = "",
        value: object = None,
    ) -> None:
        """Add something that may change a figure."""
        self._add("warning", zh, en, cure_zh, cure_en, row, column, value)

    def note(
        self,
        zh: str,
        en: str,
        cure_zh: str = "",
        cure_en: str = "",
        *,
        row: int | None = None,
        column: str = "",
        value: object = None,
    ) -> None:
        """Add something that was mended or left out, for the record."""
        self._add("note", zh, en, cure_zh, cure_en, row, column, value)

    def stop(
        self,
        zh: str,
        en: str,
        cure_zh: str,
        cure_en: str,
        *,
        row: int | None = None,
        column: str = "",
        value: object = None,
    ) -> TableError:
        """Return the error of a file that cannot be read on, with every issue so far."""
        self.error(zh, en, cure_zh, cure_en, row=row, column=column, value=value)
        return TableError(Text(f"{self.file}：{zh}", f"{self.file}: {en}"), self.issues)


def refused(error: OSError, faults: Faults) -> TableError:
    """Return the error of a file that the operating system does not let be read.

    Parameters
    ----------
    error
        What the system said.
    faults
        Where the fault is put.

    Returns
    -------
    TableError
        With every issue so far.
    """
    why = reason_of(error)
    return faults.stop(
        f"读不了：{why.zh}",
        f"cannot be read: {why.en}",
        "请关闭打开它的程序，检查权限和磁盘",
        "close the program that has it open; check permissions and the disk",
    )


def headline(issues: Sequence[Issue]) -> Text:
    """Return how many faults stop the run, and in which files, in one line.

    Parameters
    ----------
    issues
        Everything there is to say; only errors are counted.

    Returns
    -------
    Text
        The first line of an error.
    """
    errors = [issue for issue in issues if issue.severity == "error"]
    places = list(dict.fromkeys(issue.file for issue in errors if issue.file))
    faults = f"{len(errors)} fault{'s' if len(errors) > 1 else ''} in the input"
    zh, en = (f"（{'、'.join(places)}）", f" ({', '.join(places)})") if places else ("", "")
    return Text(f"输入数据有 {len(errors)} 处错误{zh}", f"{faults}{en}")


def rows_in_words(rows: Sequence[int], lang: str) -> str:
    """Return the first rows of a list in words: ``rows 3, 4, 9 and 12 more``."""
    shown = ", ".join(str(row) for row in rows[:5])
    more = len(rows) - 5
    if lang == "zh":
        shown = shown.replace(", ", "、")
        return f"第 {shown} 行" + (f"等 {len(rows)} 行" if more > 0 else "")
    return f"row{'s' if len(rows) > 1 else ''} {shown}" + (f" and {more} more" if more > 0 else "")


def also_rows(rows: Sequence[int], lang: str) -> str:
    """Return the rows after the first in words, to stand behind what is said of the first; "" where there is one."""
    if len(rows) < 2:
        return ""
    words = rows_in_words(rows[1:], lang)
    return f"（另有{words}）" if lang == "zh" else f" (also {words})"
