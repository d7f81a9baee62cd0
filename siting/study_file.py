"""study.toml -> Study: strict about keys, and says every fault of the file at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siting.errors import StandardError, StudyError, reason_of
from siting.small_files import read_toml
from siting.standards import Standard, read_standard
from siting.standards.model import near_matches
from siting.study_reader import (
    BELOW_0,
    KEYS,
    LARGEST,
    NEXT_TO,
    NUMBER,
    ROADS_KEYS,
    SOURCE_KEYS,
    TABLE_KEYS,
    WORD,
    YEARS,
    PlanModel,
    Reader,
    faulty,
)
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.allocation.actions import SiteRules
    from siting.allocation.plan import PlanOptions
    from siting.inputs import Source

_PLACES = ("communities", "facilities", "candidates", "allotments", "boundaries", "buildings")
_FIRST_YEAR, _LAST_YEAR = 1949, 2100
_NEEDS_A_LIMIT = ("max_cover", "p_median", "p_center")


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

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the job reads: the study, a standard of its own, the tables and the roads."""
        named = str(self.settings.get("study", {}).get("standard", ""))
        own = [self.path.parent / named] if named.endswith(".toml") else []
        tables = [source.path for sources in self.sources.values() for source in sources]
        roads = [] if isinstance(self.roads, str) else [self.roads.path]
        return (self.path, *own, *tables, *roads)


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
    reader = Reader(path, read_toml(path, StudyError))
    for key in reader.data:
        if key not in {"study", "inputs", "travel", "assumptions", "plan"}:
            reader.unknown(key, ("study", "inputs", "travel", "assumptions", "plan"))
    head = reader.section("study", KEYS["study"])
    travel = reader.section("travel", KEYS["travel"])
    asked = reader.section("plan", KEYS["plan"])
    extension = reader.section("plan.extension", KEYS["plan.extension"])
    priority = reader.section("plan.priority", KEYS["plan.priority"])
    budgets = _yearly_budgets(reader)
    stated = reader.data.get("assumptions", {})
    known = dict.fromkeys(stated, NUMBER) if isinstance(stated, Mapping) else {}
    assumptions = reader.values("assumptions", stated, known)
    _check_together(reader, head, asked)
    for key in ("name", "standard"):
        if key not in head:
            reader.fault(f"study.{key}", "", Text("缺少这个键", "this key is missing"), Text("请补上", "add it"))
    sources, roads = _sources(reader)
    if reader.faults:
        raise StudyError(faulty(path.name, reader.faults))
    standard = _standard(path, head["standard"], {**assumptions, **_own(travel, asked, priority)})
    sites = _site_rules(asked, extension, _largest_areas(reader, standard), _neighbours(reader, standard))
    if reader.faults:
        raise StudyError(faulty(path.name, reader.faults))
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
        sites=sites,
        choices=_choices(asked, budgets),
        settings={key: value for key, value in reader.data.items() if key != "inputs"},
    )


def _sources(reader: Reader) -> tuple[dict[str, tuple[Source, ...]], Source | str]:
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
        reader.values("inputs.roads", roads, ROADS_KEYS)
        return sources, str(roads["place"])
    return sources, (_source(reader, "inputs.roads", roads) if roads is not None else None) or ""


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _source(reader: Reader, key: str, entry: object) -> Source | None:
    from siting.inputs import Source

    known = SOURCE_KEYS if key == "inputs.roads" else TABLE_KEYS
    if not isinstance(entry, str | Mapping):
        problem = Text("须写一个文件", "must be one file")
        reader.fault(key, entry, problem, Text('写成 "文件名" 或 { path = "…" }', 'write "file" or { path = "…" }'))
        return None
    values = {"path": entry} if isinstance(entry, str) else reader.values(key, entry, known)
    if not values.get("path") and "path" not in entry:
        reader.fault(
            key, entry, Text("缺少文件路径", "names no file"), Text('写成 { path = "…" }', 'write { path = "…" }')
        )
    if not values.get("path"):
        return None
    name = str(values.pop("path"))
    path = reader.path.parent / name
    try:
        there = path.exists()
    except OSError as error:
        why = reason_of(error)
        problem = Text(f"读不了：{why.zh}", f"cannot be read: {why.en}")
        reader.fault(key, name, problem, Text("请另存到别处", "save it elsewhere"))
        return None
    if not there:
        reader.fault(key, name, Text("找不到这个文件", "there is no such file"), _cure_missing(name, path))
        return None
    return Source(path=path, **values)


def _cure_missing(name: str, path: Path) -> Text:
    """Return what to do about a file that is not there: the names in its folder that look like it, if any do."""
    if "://" in name:
        return Text("不读取网址，请把文件下载到本机", "web addresses are not read: download the file")
    there = {other.name.casefold(): other.name for other in path.parent.iterdir()} if path.parent.is_dir() else {}
    near = [there[each] for each in near_matches(path.name.casefold(), there)]
    zh, en = ("；相近的有 " + "、".join(near), "; near matches: " + ", ".join(near)) if near else ("", "")
    return Text(f"路径相对于研究文件所在的文件夹{zh}", f"paths are relative to the folder of the study file{en}")


def _own(travel: Mapping[str, Any], asked: Mapping[str, Any], priority: Mapping[str, Any]) -> dict[str, float]:
    """Return the assumptions of the standard that the study states in its own sections."""
    named = {key: float(value) for key, value in travel.items()}
    named |= {key: asked[key] for key in ("horizon_years", "discount_rate", "prefer_existing_share") if key in asked}
    return named | {f"alpha_{group}": value for group, value in priority.items()}


def _standard(path: Path, name: str, own: Mapping[str, float]) -> Standard:
    beside = path.parent / name
    try:
        standard = read_standard(beside if name.endswith(".toml") else name)
        return standard.assume(**own) if own else standard
    except StandardError as error:
        said = error.text
        raise StandardError(Text(f"{path.name}：{said.zh}", f"{path.name}: {said.en}")) from error


def _check_together(reader: Reader, head: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Gather what only shows when keys are seen together, or against the calendar."""
    if "year" in head:
        _check_year(reader, "study.year", head["year"])
    for name in sorted({*asked.get("require", ())} & {*asked.get("forbid", ())}):
        problem = Text("既要求又禁止", "is both required and forbidden")
        reader.fault("plan.require", name, problem, Text("两处只留一处", "keep one of the two"))
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


def _check_year(reader: Reader, key: str, year: int) -> None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        reader.fault(
            key,
            year,
            Text("不像年份", "is no year"),
            Text("写四位数的年份，例如 2025", "write the year in four digits: 2025"),
        )


def _yearly_budgets(reader: Reader) -> dict[int, float]:
    raw = reader.inside("plan", "yearly_budgets", {})
    known = [key for key in raw if key.isdigit()] if isinstance(raw, Mapping) else []
    years = reader.values(YEARS, raw, dict.fromkeys(known or ["2025"], NUMBER))
    for year, budget in years.items():
        _check_year(reader, f"{YEARS}.{year}", int(year))
        if budget < 0:
            reader.fault(f"{YEARS}.{year}", budget, *BELOW_0)
    return {int(year): float(budget) for year, budget in years.items()}


def _largest_areas(reader: Reader, standard: Standard) -> dict[str, float]:
    """Return the largest area of one site by service, m²; a service that the standard does not know is a fault."""
    raw = reader.inside("plan", "max_area_m2", {})
    areas = reader.values(LARGEST, raw, dict.fromkeys(raw if isinstance(raw, Mapping) else (), NUMBER))
    for name, area_m2 in areas.items():
        if area_m2 <= 0:
            reader.fault(
                f"{LARGEST}.{name}",
                area_m2,
                Text("须大于 0", "must be above 0"),
                Text("写平方米数", "write square metres"),
            )
    return {_service(reader, f"{LARGEST}.{name}", name, standard): float(area) for name, area in areas.items()}


def _neighbours(reader: Reader, standard: Standard) -> tuple[tuple[str, str, float], ...]:
    """Return which service must stand next to which other one, and within how many metres."""
    raw = reader.inside("plan", "next_to", [])
    known = {"service": WORD, "other": WORD, "within_m": NUMBER}
    found = []
    for number, entry in enumerate(raw if isinstance(raw, list) else [raw], start=1):
        key = f"{NEXT_TO}[{number}]"
        values = reader.values(key, entry, known) if isinstance(entry, Mapping) else {}
        missing = [name for name in known if name not in values]
        if missing:
            reader.fault(
                key,
                "",
                Text("缺少 " + "、".join(missing), "lacks " + ", ".join(missing)),
                Text("写成 [[plan.next_to]]，给出 service、other 和 within_m", "write service, other and within_m"),
            )
            continue
        one, other = (_service(reader, f"{key}.{name}", values[name], standard) for name in ("service", "other"))
        found.append((one, other, float(values["within_m"])))
    return tuple(found)


def _service(reader: Reader, key: str, name: str, standard: Standard) -> str:
    found = standard.service_id(name)
    if found is None:
        near = near_matches(name, [service.id for service in standard.services])
        reader.fault(
            key,
            name,
            Text("标准中没有这项服务", "the standard knows no such service"),
            Text("相近的有：" + "、".join(near), "near matches: " + ", ".join(near)),
        )
    return found or name


def _choices(asked: Mapping[str, Any], budgets: Mapping[int, float]) -> Choices:
    names = ("alternatives", "differ_by", "curve_points", "worth_s")
    return Choices(yearly_budgets=budgets, **{name: asked[name] for name in names if name in asked})


def _site_rules(
    asked: Mapping[str, Any],
    extension: Mapping[str, Any],
    largest_m2: Mapping[str, float],
    neighbours: tuple[tuple[str, str, float], ...],
) -> SiteRules:
    from siting.allocation.actions import SiteRules

    given: dict[str, Any] = {"max_area_m2": largest_m2, "next_to": neighbours}
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
