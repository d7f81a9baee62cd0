"""Files of settings and records (TOML, JSON): read within limits, whatever they hold; every fault in plain words.

A study, a standard or the record of a run is small. What is larger, deeper or longer than one could write is refused
before a parser takes its memory or its stack.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siting.errors import InputError, MissingFileError, reason_of
from siting.text import Text

LARGEST_TOML, LARGEST_JSON = 4_000_000, 500_000_000
"""Bytes. A standard with all its clauses has some 50,000; the verdicts of 10,000 communities some 20,000,000."""
DEEPEST = 64
"""Levels of tables and lists within one another, and parts of a key joined by dots."""
_PART = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[\w-]+)"
_LONG_KEY = re.compile(rf"(?:{_PART}[ \t]*\.[ \t]*){{{DEEPEST},}}")


def read_toml(path: Path, fault: type[InputError]) -> dict[str, Any]:
    """Return what a TOML file holds.

    Parameters
    ----------
    path
        The file, UTF-8.
    fault
        The error to raise where it cannot be used.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        As ``fault``: if it is no ordinary file, is too large, is not UTF-8 or not TOML, or is nested too deeply.
    """
    text = _decoded(_bytes_of(path, LARGEST_TOML, fault), path, fault)
    long = _LONG_KEY.search(text)
    if long:
        row = text.count("\n", 0, long.start()) + 1
        raise fault(
            Text(
                f"{path.name} 第 {row} 行：键由 {DEEPEST} 段以上的“.”连成，不会是本软件的设置；请检查这一行",
                f"{path.name}, line {row}: a key of more than {DEEPEST} parts joined by dots is no setting of siting; "
                "check this line",
            )
        )
    try:
        loaded = tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep(path, fault) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+), column (\d+)", str(error))
        where = f"第 {place[1]} 行第 {place[2]} 列附近" if place else "文件末尾附近"
        raise fault(
            Text(
                f"{path.name} 不是有效的 TOML：{where}写法有误；请检查引号、括号和等号（须用英文符号）",
                f"{path.name} is not valid TOML: {error}; check the quotes, brackets and equals signs there",
            )
        ) from error
    except ValueError as error:  # a whole number longer than the interpreter turns into one
        raise fault(
            Text(f"{path.name} 里有位数过多的数，请改正", f"{path.name} holds a number of too many digits; correct it")
        ) from error
    if _depth_over(loaded):
        raise _too_deep(path, fault)
    return loaded


def read_json(path: Path, fault: type[InputError]) -> dict[str, Any]:
    """Return the mapping that a JSON file holds.

    Parameters
    ----------
    path
        The file, UTF-8.
    fault
        The error to raise where it cannot be used.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        As ``fault``: if it is no ordinary file, is too large, is not UTF-8 or not JSON, is nested too deeply, or holds
        something else than a mapping.
    """
    text = _decoded(_bytes_of(path, LARGEST_JSON, fault), path, fault)
    try:
        loaded = json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise _too_deep(path, fault) from error
    except ValueError as error:
        raise damaged(path, Text(f"{error}", f"{error}"), fault) from error
    if _depth_over(loaded):
        raise _too_deep(path, fault)
    if not isinstance(loaded, dict):
        raise damaged(path, Text("内容不是一张表", "it holds no mapping"), fault)
    return loaded


def damaged(path: Path, why: Text, fault: type[InputError]) -> InputError:
    """Return the error for a record of siting's own that is not as it was written.

    Parameters
    ----------
    path
        The file.
    why
        What is wrong with it.
    fault
        The error to return.
    """
    return fault(
        Text(
            f"{path} 已损坏，或不是本软件写的（{why.zh}）；请重新运行一次",
            f"{path} is damaged, or was not written by siting ({why.en}); run the study again",
        )
    )


def _bytes_of(path: Path, most: int, fault: type[InputError]) -> bytes:
    """Return the bytes of an ordinary file of a sensible size: a pipe would wait, a device never end."""
    try:
        if not path.exists():
            raise MissingFileError(Text(f"找不到文件 {path}", f"there is no file {path}"))
        if path.is_dir():
            raise fault(Text(f"{path} 是文件夹，不是文件", f"{path} is a folder, not a file"))
        if not path.is_file():
            raise fault(Text(f"{path} 不是普通文件", f"{path} is no ordinary file"))
        size = path.stat().st_size
        if size > most:
            raise fault(
                Text(
                    f"{path.name} 有 {size / 1e6:,.0f} MB，不会是这类文件（至多 {most / 1e6:,.0f} MB）",
                    f"{path.name} has {size / 1e6:,.0f} MB and cannot be such a file ({most / 1e6:,.0f} MB at most)",
                )
            )
        return path.read_bytes()
    except (MissingFileError, InputError):
        raise
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        why = reason_of(error)
        raise fault(Text(f"读不了 {path}：{why.zh}", f"{path} cannot be read: {why.en}")) from error


def _decoded(data: bytes, path: Path, fault: type[InputError]) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise fault(
            Text(
                f"{path.name} 第 {row} 行不是 UTF-8 文本；请在记事本中“另存为”，编码选 UTF-8",
                f"{path.name}, line {row} is not UTF-8 text; save the file as UTF-8 in your editor",
            )
        ) from error


def _too_deep(path: Path, fault: type[InputError]) -> InputError:
    return fault(
        Text(
            f"{path.name} 的括号嵌套过深（超过 {DEEPEST} 层）；请检查括号是否配对",
            f"{path.name} is nested too deeply (more than {DEEPEST} levels); check that every bracket is closed",
        )
    )


def _depth_over(value: object) -> bool:
    """Tell whether lists and mappings lie in one another deeper than they may, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, Mapping | list)
            for inner in (one.values() if isinstance(one, Mapping) else one)
            if isinstance(inner, Mapping | list)
        ]
        if not level:
            return False
    return True


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")
