"""A planner's own list held against the actions there are: every fault, each with its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from siting.allocation.chosen_file import Chosen, way_zh
from siting.allocation.situation import UNITS_PER_M2, Situation
from siting.errors import Issue, TableError
from siting.inputs.faults import headline
from siting.standards.model import near_words
from siting.text import Text

_Fault = tuple[str, object, Text, Text]


def check_chosen(situation: Situation, chosen: Sequence[Chosen]) -> None:
    """Refuse a list that names what there is not, another way to obtain it, or an area that it cannot have.

    Parameters
    ----------
    situation
        What there is to choose from.
    chosen
        The list, from `read_chosen`.

    Raises
    ------
    TableError
        If a row cannot be taken; every fault of every row is in it.
    """
    faults = [
        Issue("error", problem, cure, one.file, row=one.row, column=column, value=str(value))
        for one in chosen
        for column, value, problem, cure in _faults_of(situation, one)
    ]
    if faults:
        raise TableError(headline(faults), faults)


def _faults_of(situation: Situation, one: Chosen) -> Iterator[_Fault]:
    """Yield what is wrong with one row: column, value, problem, cure."""
    actions = situation.actions
    source, acquisition, area, allotments = one.columns
    named = [k for k in range(len(actions)) if one.source_id in (actions.action_id[k], actions.source_id[k])]
    exact = [k for k in named if actions.action_id[k] == one.source_id]
    if not named:
        near = near_words(one.source_id, actions.action_id)
        yield (
            source,
            one.source_id,
            Text("没有这个候选点或可扩建设施", "is no candidate, and no facility that may be extended"),
            Text(f"请核对编号{near.zh}", f"check the id{near.en}"),
        )
        return
    for k in exact or named:
        why, way = actions.unusable[k], actions.acquisition[k]
        if why is not None:
            yield (
                source,
                one.source_id,
                Text(f"不可用：{why.zh}", f"cannot be taken: {why.en}"),
                Text("改选别的点位，或改正候选点表", "choose another site, or correct the candidates table"),
            )
        elif one.acquisition and one.acquisition != way:
            yield (
                acquisition,
                way_zh(one.acquisition),
                Text(f"候选点表中是{way_zh(way)}", f"is {way} in the candidates table"),
                Text("请改正其中之一", "correct one of them"),
            )
        low, high = actions.min_u[k] / UNITS_PER_M2, actions.max_u[k] / UNITS_PER_M2
        within = one.area_m2 is None or low <= round(one.area_m2 * UNITS_PER_M2) / UNITS_PER_M2 <= high
        if why is None and not within:
            yield (
                area,
                f"{one.area_m2:g}",
                Text(f"不在 {low:g} 与 {high:g} 平方米之间", f"is not between {low:g} and {high:g} m²"),
                Text("改正面积，或改正该点位的上下限", "correct the area, or the limits of this site"),
            )
    yield from _faults_of_allotments(situation, one, allotments)


def _faults_of_allotments(situation: Situation, one: Chosen, column: str) -> Iterator[_Fault]:
    known = set(situation.community_id)
    for name, area_m2 in one.allotments or ():
        if name not in known:
            near = near_words(name, known)
            yield (
                column,
                f"{name}={area_m2:g}",
                Text("没有这个社区", "is no community"),
                Text(f"请核对社区代码{near.zh}", f"check the id of the community{near.en}"),
            )
    given = sum(area_m2 for _, area_m2 in one.allotments or ())
    if one.area_m2 is not None and round(given * UNITS_PER_M2) > round(one.area_m2 * UNITS_PER_M2):
        yield (
            column,
            f"{given:g}",
            Text(f"分配多于面积 {one.area_m2:g} 平方米", f"more is allotted than there is: {one.area_m2:g} m²"),
            Text("减少分配或增加面积", "allot less, or build more"),
        )
