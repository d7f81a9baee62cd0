"""What each mode of travel may use: the road classes, the access tags and the speeds of ``modes.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from siting.errors import NetworkError
from siting.small_files import read_toml
from siting.text import Text

SHIPPED = Path(__file__).with_name("modes.toml")


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode of travel: what it may use of a road table, and how fast.

    Parameters
    ----------
    id
        ``"walk"``, ``"bike"``, ``"drive"``, or a name of the reader's own.
    name
        What people call it.
    directed
        Whether one-way roads bind it.
    areas
        Whether it may go along the outline of a square.
    speed_kmh
        Its speed on a road class without one of its own, km/h.
    closed_classes
        Road classes it may not use unless a tag opens them.
    absent_classes
        Road classes that are not on the ground, which no tag opens.
    access_tags
        The columns that say who may pass, the more particular first: the first that says anything decides.
    open_values, closed_values
        What those columns may say.
    closed_services
        Values of ``service`` it may not use.
    class_speeds_kmh
        Speed by road class, km/h.
    sources
        Where each list and figure comes from.
    """

    id: str
    name: Text
    directed: bool
    areas: bool
    speed_kmh: float
    closed_classes: frozenset[str]
    absent_classes: frozenset[str]
    access_tags: tuple[str, ...]
    open_values: frozenset[str]
    closed_values: frozenset[str]
    closed_services: frozenset[str]
    class_speeds_kmh: Mapping[str, float]
    sources: Mapping[str, str]

    def __post_init__(self) -> None:
        speeds = {"speed_kmh": self.speed_kmh, **self.class_speeds_kmh}
        for what, speed in speeds.items():
            if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed < 500:
                raise _refusal(
                    self.id,
                    f"{what} 为 {speed!r}，应为 0 到 500 之间的速度（公里/小时）",
                    f"{what} = {speed!r} is not a speed in km/h",
                )
        for what, flag in (("directed", self.directed), ("areas", self.areas)):
            if not isinstance(flag, bool):
                raise _refusal(self.id, f"{what} 应为 true 或 false", f"{what} must be true or false")

    def usable(self, roads: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return which rows of a road table the mode may use; a row that states nothing is open.

        The first of ``access_tags`` that says anything decides; only the most particular one opens a closed class.

        Parameters
        ----------
        roads
            A road table; an absent column, like an empty value, states nothing.
        """
        classes = _words(roads, "highway")
        allowed = ~_all_in(classes, self.closed_classes)
        decided = np.zeros(len(roads), np.bool_)
        for tag in self.access_tags:
            stated = _words(roads, tag)
            opened, closed = _any_in(stated, self.open_values), _all_in(stated, self.closed_values)
            allowed &= decided | ~closed
            if tag == self.access_tags[0]:
                allowed |= opened
            decided |= opened | closed
        allowed &= ~_all_in(classes, self.absent_classes)
        allowed &= ~_all_in(_words(roads, "service"), self.closed_services)
        return allowed if self.areas else allowed & ~_any_in(_words(roads, "area"), frozenset({"yes"}))

    def speeds(self, roads: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the speed on each row of a road table, km/h; of several classes the slowest counts.

        Parameters
        ----------
        roads
            A road table; a row without a class has the mode's one speed.
        """

        def slowest(words: tuple[str, ...]) -> float:
            return min((self.class_speeds_kmh.get(word, self.speed_kmh) for word in words), default=self.speed_kmh)

        codes, values = _words(roads, "highway")
        return np.array([slowest(words) for words in values], np.float64)[codes]


def read_modes(path: str | Path | None = None) -> dict[str, Mode]:
    """Return the modes of travel of a TOML file, by name.

    An unknown key, a missing key or an empty source is refused.

    Parameters
    ----------
    path
        A file of the form of the shipped ``modes.toml``; ``None``: that one.

    Raises
    ------
    MissingFileError
        If there is no such file.
    NetworkError
        If the file is not TOML, or a mode in it is not whole.
    """
    file = SHIPPED if path is None else Path(path)
    tables = read_toml(file, NetworkError)
    return {name: _mode(name, table) for name, table in tables.items()}


def mode_named(name: str) -> Mode:
    """Return a shipped mode of travel.

    Parameters
    ----------
    name
        ``"walk"``, ``"bike"`` or ``"drive"``.

    Raises
    ------
    NetworkError
        If there is no mode of that name.
    """
    modes = read_modes()
    if name not in modes:
        known = ", ".join(modes)
        raise NetworkError(
            Text(f"没有出行方式“{name}”，可用：{known}。", f'There is no travel mode "{name}"; there are: {known}.')
        )
    return modes[name]


def _mode(name: str, table: Any) -> Mode:
    """Return one mode of the file, checked."""
    if not isinstance(table, dict):
        raise _refusal(name, "应为一个表", "it must be a table")
    speeds = dict(table.get("class_speeds_kmh", {})) if isinstance(table.get("class_speeds_kmh", {}), dict) else {}
    sources = {key: text for key, text in table.items() if key.endswith("_source")}
    if "class_speeds_kmh" in table:
        sources["class_speeds_source"] = speeds.pop("source", "")
    needed = {*_FIELDS, *_SOURCES}
    unknown, missing = sorted(set(table) - needed - {"class_speeds_kmh"}), sorted(needed - set(table))
    if unknown:
        raise _refusal(name, f"不认识的键 {'、'.join(unknown)}", f"unknown keys: {', '.join(unknown)}")
    if missing:
        raise _refusal(name, f"缺少 {'、'.join(missing)}", f"missing keys: {', '.join(missing)}")
    empty = sorted(key for key, text in sources.items() if not (isinstance(text, str) and text.strip()))
    if empty:
        raise _refusal(name, f"没有写明出处：{'、'.join(empty)}", f"no source is given in {', '.join(empty)}")
    lists = {key: table[key] for key in _LISTS}
    broken = sorted(key for key, words in lists.items() if not _is_words(words))
    if broken or not lists["access_tags"]:
        wrong = broken or ["access_tags"]
        raise _refusal(name, f"{'、'.join(wrong)} 应为文字列表", f"{', '.join(wrong)} must be a list of words")
    sets = {key: frozenset(words) for key, words in lists.items() if key != "access_tags"}
    return Mode(
        id=name,
        name=Text(table["name_zh"], table["name_en"]),
        directed=table["directed"],
        areas=table["areas"],
        speed_kmh=table["speed_kmh"],
        access_tags=tuple(lists["access_tags"]),
        class_speeds_kmh=MappingProxyType(speeds),
        sources=MappingProxyType(sources),
        **sets,
    )


_LISTS = ("closed_classes", "absent_classes", "access_tags", "open_values", "closed_values", "closed_services")
_FIELDS = ("name_zh", "name_en", "directed", "areas", "speed_kmh", *_LISTS)
_SOURCES = ("directed_source", "areas_source", "speed_source", "classes_source", "access_source")


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) and word for word in value)


def _refusal(name: str, zh: str, en: str) -> NetworkError:
    return NetworkError(Text(f"出行方式“{name}”：{zh}。", f'Travel mode "{name}": {en}.'))


Words = tuple[npt.NDArray[np.int64], list[tuple[str, ...]]]
"""A column as a code for each row, and what each code says; several values are parted by ``;`` as OSM does."""


def _words(roads: pd.DataFrame, column: str) -> Words:
    if column not in roads.columns:
        return np.zeros(len(roads), np.int64), [()]
    codes, values = pd.factorize(roads[column].fillna("").astype(str))
    return codes.astype(np.int64), [_parts(value) for value in values]


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part for part in (word.strip().lower() for word in value.split(";")) if part)


def _all_in(column: Words, words: frozenset[str]) -> npt.NDArray[np.bool_]:
    codes, values = column
    return np.array([bool(value) and set(value) <= words for value in values], np.bool_)[codes]


def _any_in(column: Words, words: frozenset[str]) -> npt.NDArray[np.bool_]:
    codes, values = column
    return np.array([bool(set(value) & words) for value in values], np.bool_)[codes]
