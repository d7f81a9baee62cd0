"""study.toml -> Study: strict about keys, and says every fault of the file at once."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from siting.errors import Issue, MissingFileError, StandardError, StudyError
from siting.standards import Standard, read_standard
from siting.standards.model import near_matches
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.allocation.actions import SiteRules
    from siting.allocation.plan import PlanOptions
    from siting.inputs import Source

PlanModel = Literal["prescription", "set_cover", "max_cover", "p_median", "p_center"]
_PLACES = ("communities", "facilities", "candidates", "allotments", "boundaries", "buildings")
_NUMBER, _WHOLE, _WORD, _FLAG, _WORDS, _NUMBERS = "number", "whole", "word", "flag", "words", "numbers"
_NAMES = "names"
_WANTED = {
    _NUMBER: Text("数", "a number"),
    _WHOLE: Text("整数", "a whole number"),
    _WORD: Text("引号中的文字", "text in quotes"),
    _FLAG: Text("true 或 false", "true or false"),
    _WORDS: Text("文字的列表", "a list of texts"),
    _NUMBERS: Text("数的列表", "a list of numbers"),
    _NAMES: Text('形如 { households = "户数" } 的对照', 'pairs such as { households = "户数" }'),
}
_CURES = {
    _NUMBER: Text("只写数字，不加引号和单位，例如 3000", "write the figure alone, without quotes or a unit: 3000"),
    _WHOLE: Text("只写整数，不加引号和单位，例如 8", "write the whole number alone, without quotes or a unit: 8"),
    _WORD: Text('写在英文引号内，例如 "linyi"', 'write it in straight quotes: "linyi"'),
    _FLAG: Text("写 true 或 false，不加引号", "write true or false, without quotes"),
    _WORDS: Text('写成 ["K1", "K2"]', 'write it as ["K1", "K2"]'),
    _NUMBERS: Text("写成 [1, 2]", "write it as [1, 2]"),
    _NAMES: Text('写成 { households = "总户数" }', 'write it as { households = "总户数" }'),
}
_SOURCE_KEYS = {"path": _WORD, "datum": _WORD, "crs": _WORD, "layer": _WORD, "sheet": _WORD}
_ROADS_KEYS = {**_SOURCE_KEYS, "place": _WORD}
_TABLE_KEYS = {**_SOURCE_KEYS, "columns": _NAMES, "swap_lon_lat": _FLAG}
_KEYS: Mapping[str, Mapping[str, str]] = {
    "study": {"name": _WORD, "standard": _WORD, "year": _WHOLE, "lang": _WORD, "money_unit": _WORD},
    "travel": {
        "walking_speed_kmh": _NUMBER,
        "elderly_speed_kmh": _NUMBER,
        "disabled_speed_kmh": _NUMBER,
        "snap_limit_m": _NUMBER,
        "off_road_m": _NUMBER,
        "min_piece_km": _NUMBER,
        "direct_walk": _FLAG,
    },
    "plan": {
        "model": _WORD,
        "budget": _NUMBER,
        "sites": _WHOLE,
        "compliance": _WORD,
        "require": _WORDS,
        "forbid": _WORDS,
        "gap": _NUMBER,
        "time_limit_s": _NUMBER,
        "seed": _WHOLE,
        "horizon_years": _NUMBER,
        "discount_rate": _NUMBER,
        "prefer_existing_share": _NUMBER,
        "least_area_m2": _NUMBER,
        "joint_building": _FLAG,
        "alternatives": _WHOLE,
        "differ_by": _WHOLE,
        "curve_points": _WHOLE,
        "worth_s": _NUMBER,
    },
    "plan.extension": {"max_growth_share": _NUMBER, "cost_per_m2": _NUMBER},
    "plan.priority": {"elderly": _NUMBER, "minors": _NUMBER, "disabled": _NUMBER},
}
_YEARS = "plan.yearly_budgets"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "study.lang": ("zh", "en"),
    "study.money_unit": ("万元", "元"),
    "plan.model": get_args(PlanModel),
    "plan.compliance": ("most", "every", "targets"),
}
_BELOW_0 = (Text("不能小于 0", "must not be below 0"), Text("改成 0 或正数", "write 0 or more"))
_FIRST_YEAR, _LAST_YEAR = 1949, 2100
_NEEDS_A_LIMIT = ("max_cover", "p_median", "p_center")
_NOT_NEGATIVE = (
    *("budget", "sites", "gap", "time_limit_s", "seed", "max_growth_share", "cost_per_m2", "horizon_years"),
    *("discount_rate", "least_area_m2", "alternatives", "differ_by", "curve_points", "worth_s"),
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the study asks beside the one plan, each off unless asked for.

    ``alternatives`` near-best plans that differ in ``differ_by`` sites, ``curve_points`` budgets of the cost curve,
    ``worth_s`` seconds an action to find the best plan without it, ``yearly_budgets`` (万元 by year) to spread the plan
    over.
    """

    alternatives: int = 0
    differ_by: int = 3
    curve_points: int = 0
    worth_s: float = 0.0
    yearly_budgets: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """One job: the inputs, the standard with the study's own assumptions in it, and what is asked of the plan.

    ``plan`` is None when the file has no ``[plan]``; ``model`` names the question it asks.
    """

    path: Path
    name: str
    standard: Standard
    sources: Mapping[str, tuple[Source, ...]]
    roads: Source | str
    lang: Lang = "zh"
    year: int | None = None
    money_unit: str = "万元"
    model: PlanModel = "prescription"
    plan: PlanOptions | None = None
    sites: SiteRules | None = None
    choices: Choices = field(default_factory=Choices)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Reader:
    """Reads the sections of one study file and gathers every fault before any is raised."""

    path: Path
    data: Mapping[str, Any]
    faults: list[Issue] = field(default_factory=list)

    def fault(self, key: str, value: object, problem: Text, cure: Text) -> None:
        self.faults.append(Issue("error", problem, cure, self.path.name, column=key, value=str(value)[:80]))

    def unknown(self, key: str, known: Sequence[str]) -> None:
        near = near_matches(key.rpartition(".")[2], known)
        cure = Text("相近的键：" + "、".join(near), "near matches: " + ", ".join(near))
        if not near:
            cure = Text("可用的键：" + "、".join(known), "known keys: " + ", ".join(known))
        self.fault(key, "", Text("没有这个键", "there is no such key"), cure)

    def section(self, name: str, known: Mapping[str, str]) -> dict[str, Any]:
        """Return the checked keys of one section; what is wrong is gathered."""
        raw: Any = self.data
        for part in name.split("."):
            raw = raw.get(part, {}) if isinstance(raw, Mapping) else {}
        return self.values(name, raw, known)

    def values(self, name: str, raw: object, known: Mapping[str, str]) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            self.fault(
                name,
                raw,
                Text("需要一个小节", "needs a section"),
                Text(f"写成 [{name}] 加若干行“键 = 值”", f'write it as [{name}] and lines of "key = value"'),
            )
            return {}
        inner = {part.split(".")[1] for part in (*_KEYS, _YEARS) if part.startswith(name + ".")}
        kept = {}
        for key, value in raw.items():
            if key in inner:
                continue
            if key not in known:
                self.unknown(f"{name}.{key}", (*known, *inner))
            elif self._fits(f"{name}.{key}", value, known[key]):
                kept[key] = value
        return kept

    def _fits(self, key: str, value: object, kind: str) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        finite = number and math.isfinite(float(str(value)))
        fits = {
            _NUMBER: finite,
            _WHOLE: isinstance(value, int) and number,
            _WORD: isinstance(value, str) and value != "",
            _FLAG: isinstance(value, bool),
            _WORDS: isinstance(value, list) and all(isinstance(one, str) for one in value),
            _NUMBERS: isinstance(value, list) and all(isinstance(one, int | float) for one in value),
            _NAMES: isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values()),
        }[kind]
        if not fits:
            wanted = _WANTED[kind]
            self.fault(key, value, Text(f"需要{wanted.zh}", f"needs {wanted.en}"), _CURES[kind])
            return False
        if key in _CHOICES and value not in _CHOICES[key]:
            choices = _CHOICES[key]
            cure = Text("可选：" + "、".join(choices), "one of: " + ", ".join(choices))
            self.fault(key, value, Text("没有这个选项", "there is no such choice"), cure)
            return False
        if key.rpartition(".")[2] in _NOT_NEGATIVE and float(str(value)) < 0:
            self.fault(key, value, *_BELOW_0)
            return False
        return True


def read_study(path: str | Path) -> Study:
    """Read a study file; nothing but the file itself and its standard is opened.

    Parameters
    ----------
    path
        A TOML file; the paths in it are relative to its folder.

    Returns
    -------
    Study
        The checked study.

    Raises
    ------
    MissingFileError
        If the file is not there.
    StudyError
        If the file is not TOML, holds unknown keys or wrong values, or names an input that is not there; the message
        names every one.
    StandardError
        If the standard cannot be read, or an assumption is not one of its own.
    """
    path = Path(path)
    reader = _Reader(path, _parse(path))
    for key in reader.data:
        if key not in {"study", "inputs", "travel", "assumptions", "plan"}:
            reader.unknown(key, ("study", "inputs", "travel", "assumptions", "plan"))
    head = reader.section("study", _KEYS["study"])
    travel = reader.section("travel", _KEYS["travel"])
    asked = reader.section("plan", _KEYS["plan"])
    extension = reader.section("plan.extension", _KEYS["plan.extension"])
    priority = reader.section("plan.priority", _KEYS["plan.priority"])
    budgets = _yearly_budgets(reader)
    stated = reader.data.get("assumptions", {})
    known = dict.fromkeys(stated, _NUMBER) if isinstance(stated, Mapping) else {}
    assumptions = reader.values("assumptions", stated, known)
    _check_together(reader, head, asked)
    for key in ("name", "standard"):
        if key not in head:
            reader.fault(f"study.{key}", "", Text("缺少这个键", "this key is missing"), Text("请补上", "add it"))
    sources, roads = _sources(reader)
    if reader.faults:
        raise _faulty(reader)
    standard = _standard(path, head["standard"], {**assumptions, **_own(travel, asked, priority)})
    return Study(
        path=path,
        name=head["name"],
        standard=standard,
        sources=sources,
        roads=roads,
        lang=head.get("lang", "zh"),
        year=head.get("year"),
        money_unit=head.get("money_unit", "万元"),
        model=asked.get("model", "prescription"),
        plan=_plan_options(asked) if "plan" in reader.data else None,
        sites=_site_rules(asked, extension),
        choices=_choices(asked, budgets),
        settings={key: value for key, value in reader.data.items() if key != "inputs"},
    )


def _parse(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise MissingFileError(Text(f"找不到研究文件 {path}", f"there is no study file {path}"))
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StudyError(
            Text(
                f"{path.name} 不是 UTF-8 文本（第 {error.start} 字节）；请在编辑器中另存为 UTF-8",
                f"{path.name} is not UTF-8 text (byte {error.start}); save it as UTF-8 in your editor",
            )
        ) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+), column (\d+)", str(error))
        where = f"第 {place[1]} 行第 {place[2]} 列附近" if place else "文件末尾附近"
        raise StudyError(
            Text(
                f"{path.name} 不是有效的 TOML：{where}写法有误；请检查引号、括号和等号（须用英文符号）",
                f"{path.name} is not valid TOML: {error}; check the quotes, brackets and equals signs there",
            )
        ) from error


def _faulty(reader: _Reader) -> StudyError:
    name, count = reader.path.name, len(reader.faults)
    lines = {lang: "\n".join("  " + fault.line(lang) for fault in reader.faults) for lang in ("zh", "en")}
    return StudyError(
        Text(f"{name}：{count} 处问题\n{lines['zh']}", f"{name}: {count} fault{'s' * (count > 1)}\n{lines['en']}")
    )


def _sources(reader: _Reader) -> tuple[dict[str, tuple[Source, ...]], Source | str]:
    raw = reader.data.get("inputs", {})
    given = raw if isinstance(raw, Mapping) else {}
    for key in given:
        if key not in {*_PLACES, "roads"}:
            reader.unknown(f"inputs.{key}", (*_PLACES, "roads"))
    for key in ("communities", "facilities", "roads"):
        if key not in given:
            reader.fault(
                f"inputs.{key}", "", Text("缺少这个输入", "this input is missing"), Text("请补上文件", "name its file")
            )
    sources = {
        key: tuple(one for entry in _entries(given[key]) if (one := _source(reader, f"inputs.{key}", entry)))
        for key in _PLACES
        if key in given
    }
    roads = given.get("roads")
    if isinstance(roads, Mapping) and "place" in roads:
        reader.values("inputs.roads", roads, _ROADS_KEYS)
        return sources, str(roads["place"])
    return sources, (_source(reader, "inputs.roads", roads) if roads is not None else None) or ""


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _source(reader: _Reader, key: str, entry: object) -> Source | None:
    from siting.inputs import Source

    known = _SOURCE_KEYS if key == "inputs.roads" else _TABLE_KEYS
    values = {"path": entry} if isinstance(entry, str) else reader.values(key, entry, known)
    if not values.get("path"):
        reader.fault(
            key, entry, Text("缺少文件路径", "names no file"), Text('写成 { path = "…" }', 'write { path = "…" }')
        )
        return None
    name = str(values.pop("path"))
    path = reader.path.parent / name
    if not path.exists():
        reader.fault(
            key,
            name,
            Text("找不到这个文件", "there is no such file"),
            Text("路径相对于研究文件所在的文件夹", "paths are relative to the folder of the study file"),
        )
        return None
    return Source(path=path, **values)


def _own(travel: Mapping[str, Any], asked: Mapping[str, Any], priority: Mapping[str, Any]) -> dict[str, float]:
    """Return the assumptions of the standard that the study states in its own sections."""
    named = {key: float(value) for key, value in travel.items()}
    named |= {key: asked[key] for key in ("horizon_years", "discount_rate", "prefer_existing_share") if key in asked}
    return named | {f"alpha_{group}": value for group, value in priority.items()}


def _standard(path: Path, name: str, own: Mapping[str, float]) -> Standard:
    beside = path.parent / name
    standard = read_standard(beside if name.endswith(".toml") else name)
    try:
        return standard.assume(**own) if own else standard
    except StandardError as error:
        said = error.text
        raise StandardError(Text(f"{path.name}：{said.zh}", f"{path.name}: {said.en}")) from error


def _check_together(reader: _Reader, head: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Gather what only shows when keys are seen together, or against the calendar."""
    year = head.get("year")
    if year is not None and not _FIRST_YEAR <= year <= _LAST_YEAR:
        reader.fault(
            "study.year",
            year,
            Text("不像年份", "is no year"),
            Text("写四位数的年份，例如 2025", "write the year in four digits: 2025"),
        )
    model = asked.get("model")
    if model in _NEEDS_A_LIMIT and not {"sites", "budget"} & set(asked):
        reader.fault(
            "plan.model",
            model,
            Text("这个模型需要新建处数或预算", "this model needs a number of sites or a budget"),
            Text(
                "在 [plan] 中加 sites = 8 或 budget = 3000（万元）", "add sites = 8 or budget = 3000 (万元) to [plan]"
            ),
        )


def _yearly_budgets(reader: _Reader) -> dict[int, float]:
    asked = reader.data.get("plan", {})
    raw = asked.get("yearly_budgets", {}) if isinstance(asked, Mapping) else {}
    known = [key for key in raw if key.isdigit()] if isinstance(raw, Mapping) else []
    years = reader.values(_YEARS, raw, dict.fromkeys(known or ["2025"], _NUMBER))
    for year, budget in years.items():
        if budget < 0:
            reader.fault(f"{_YEARS}.{year}", budget, *_BELOW_0)
    return {int(year): float(budget) for year, budget in years.items()}


def _choices(asked: Mapping[str, Any], budgets: Mapping[int, float]) -> Choices:
    names = ("alternatives", "differ_by", "curve_points", "worth_s")
    return Choices(yearly_budgets=budgets, **{name: asked[name] for name in names if name in asked})


def _site_rules(asked: Mapping[str, Any], extension: Mapping[str, Any]) -> SiteRules:
    from siting.allocation.actions import SiteRules

    given: dict[str, Any] = {}
    if "max_growth_share" in extension:
        given["max_growth_share"] = extension["max_growth_share"]
    if "cost_per_m2" in extension:
        given["extension_cost_per_m2"] = extension["cost_per_m2"]
    given |= {name: asked[name] for name in ("least_area_m2", "joint_building") if name in asked}
    return SiteRules(**given)


def _plan_options(asked: Mapping[str, Any]) -> PlanOptions:
    from siting.allocation.plan import PlanOptions

    names = ("budget", "sites", "compliance", "gap", "time_limit_s", "seed")
    given: dict[str, Any] = {name: asked[name] for name in names if name in asked}
    given |= {name: tuple(asked[name]) for name in ("require", "forbid") if name in asked}
    return PlanOptions(**given)
