"""What each table must be: its columns, the names a planner may call them by, and the units behind a name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from siting.inputs.numbers import fold

ROLES: tuple[str, ...] = ("communities", "facilities", "candidates", "allotments", "boundaries", "buildings")
POINT_ROLES: tuple[str, ...] = ("communities", "facilities", "candidates")
ROLE_NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "communities": ("社区表", "the communities table"),
        "facilities": ("设施表", "the facilities table"),
        "candidates": ("候选点表", "the candidates table"),
        "allotments": ("面积分摊表", "the allotments table"),
        "boundaries": ("社区边界", "the boundaries"),
        "buildings": ("建筑物", "the buildings"),
    }
)

AREA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "urban",
                "城市",
                "城镇",
                "城区",
                "城市社区",
                "城镇社区",
                "社区",
                "居委会",
                "111",
                "112",
                "121",
                "122",
                "123",
            ],
            "urban",
        ),
        **dict.fromkeys(
            ["rural", "农村", "乡村", "农村社区", "村", "行政村", "村委会", "210", "220"],
            "rural",
        ),
    }
)
ACQUISITIONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(["new_build", "new build", "new", "新建", "新建设"], "new_build"),
        **dict.fromkeys(["extension", "扩建", "改扩建", "改建扩建"], "extension"),
        **dict.fromkeys(["purchase", "购置", "购买", "收购"], "purchase"),
        **dict.fromkeys(["transfer", "划拨", "调拨", "无偿划拨"], "transfer"),
        **dict.fromkeys(["exchange", "换购", "置换"], "exchange"),
        **dict.fromkeys(["lease", "租赁", "租借", "租用"], "lease"),
        **dict.fromkeys(["reuse", "re-use", "盘活存量", "盘活", "盘活闲置", "利用存量", "存量盘活"], "reuse"),
    }
)
CHOICES: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType(
    {("communities", "area_type"): AREA_TYPES, ("candidates", "acquisition"): ACQUISITIONS}
)
RESIDENTIAL: Mapping[str, bool] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "residential",
                "apartments",
                "house",
                "detached",
                "terrace",
                "semidetached_house",
                "dormitory",
                "bungalow",
                "farm",
                "cabin",
                "hut",
                "住宅",
                "居住",
                "居民楼",
                "民居",
                "农房",
                "宿舍",
                "公寓",
            ],
            True,
        ),
        **dict.fromkeys(
            [
                "commercial",
                "retail",
                "office",
                "industrial",
                "warehouse",
                "school",
                "university",
                "kindergarten",
                "hospital",
                "hotel",
                "church",
                "mosque",
                "temple",
                "garage",
                "garages",
                "shed",
                "roof",
                "public",
                "civic",
                "government",
                "train_station",
                "stadium",
                "greenhouse",
                "barn",
                "factory",
                "supermarket",
                "商业",
                "办公",
                "工业",
                "仓储",
                "学校",
                "医院",
                "公共",
                "公建",
                "厂房",
                "车库",
                "仓库",
                "宾馆",
                "政府",
            ],
            False,
        ),
    }
)

MONEY_UNITS: Mapping[str, float] = MappingProxyType(
    {"元": 1e-4, "人民币元": 1e-4, "yuan": 1e-4, "cny": 1e-4, "rmb": 1e-4, "千元": 0.1, "万元": 1.0, "亿元": 1e4}
)
"""Units of money, each in 万元."""
_AREA_UNITS = {
    "平方米": 1.0,
    "平米": 1.0,
    "平方": 1.0,
    "m2": 1.0,
    "m^2": 1.0,
    "sqm": 1.0,
    "万平方米": 1e4,
    "万m2": 1e4,
    "公顷": 1e4,
    "亩": 2000 / 3,
}
_COUNT_UNITS = {
    "户": 1.0,
    "万户": 1e4,
    "人": 1.0,
    "万人": 1e4,
    "名": 1.0,
    "个": 1.0,
    "家": 1.0,
    "套": 1.0,
    "层": 1.0,
    "台": 1.0,
}
_COUNT_UNITS |= {
    "小时": 1.0,
    "小时/天": 1.0,
    "小时/日": 1.0,
    "h": 1.0,
    "h/d": 1.0,
    "°": 1.0,
    "度": 1.0,
    "m": 1.0,
    "米": 1.0,
}
_PER_M2 = re.compile(r"(.+?)(?:/|每|per)(?:平方米|平米|m2|m\^2)(?:(?:/|每|[·.*]|per)?(?:年|a|year))?")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a role: its names in files, what it holds, and its limits."""

    role: str
    name: str
    kind: str
    names: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    required: bool = False
    least: float | None = None
    most: float | None = None

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.kind in {"whole", "number", "area", "money", "money_per_m2"}


@dataclass(frozen=True, slots=True)
class Match:
    """One column of a file recognised as a column of the role, and what its values are multiplied by."""

    column: Column
    header: str
    position: int
    scale: float | None
    unread_unit: str = ""
    """``scale`` is None where the header names no unit."""


@cache
def read_columns() -> Mapping[str, tuple[Column, ...]]:
    """Return the columns of every role, in the order of ``columns.toml``."""
    raw = tomllib.loads(files("siting.inputs").joinpath("columns.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            role: tuple(
                Column(
                    role=role,
                    name=name,
                    kind=entry["kind"],
                    names=tuple(plain_header(text) for text in entry["names"]),
                    fallback=tuple(plain_header(text) for text in entry.get("fallback", ())),
                    required=entry.get("required", False),
                    least=entry.get("least"),
                    most=entry.get("most"),
                )
                for name, entry in columns.items()
            )
            for role, columns in raw.items()
        }
    )


def plain_header(header: object) -> str:
    """Return a header without case, blanks, underscores, stars and remarks on whether it must be filled."""
    text = re.sub(r"[\s_*:]", "", fold(header).casefold())
    return re.sub(r"\((?:必填|选填|可选|required|optional)\)", "", text)


def unit_scale(unit: str, kind: str) -> float | None:
    """Return what a figure in this unit is multiplied by to be in the column's own unit, or None if it is none."""
    if kind == "area":
        return _AREA_UNITS.get(unit)
    if kind == "money":
        return MONEY_UNITS.get(unit)
    if kind == "money_per_m2":
        match = _PER_M2.fullmatch(unit)
        return MONEY_UNITS.get(match[1] if match else unit)
    return _COUNT_UNITS.get(unit)


def _match_name(key: str, name: str, kind: str) -> tuple[float | None, str] | None:
    """Return the scale and the unread remark of a header that is this name with or without a unit behind it."""
    if key == name:
        return None, ""
    if not key.startswith(name):
        return None
    rest = key[len(name) :]
    bracket = re.fullmatch(r"[(\[【/,](.*?)[)\]】]?", rest)
    unit = bracket[1] if bracket else rest
    scale = unit_scale(unit, kind)
    if scale is not None:
        return scale, ""
    return (None, unit) if bracket else None


def recognise(header: object, role: str, *, fallback: bool = False) -> list[tuple[Column, float | None, str]]:
    """Return the columns of a role that a header may name, with its scale and a remark not read as a unit."""
    key = plain_header(header)
    found = []
    for column in read_columns()[role]:
        for name in column.fallback if fallback else column.names:
            matched = _match_name(key, name, column.kind)
            if matched is not None:
                found.append((column, *matched))
                break
    return found


def count_recognised(headers: Sequence[object], role: str) -> int:
    """Return how many headers of a row name a column of the role: what tells a header row from a title."""
    return sum(
        1
        for header in headers
        if header is not None and (recognise(header, role) or recognise(header, role, fallback=True))
    )
