"""Results -> the few lines that a planner reads on the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siting.outputs.figures import Figure, headlines
from siting.outputs.numbers import format_figure, is_missing, with_unit
from siting.outputs.words import PROOF
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.allocation.plan import Plan
    from siting.outputs.results import Results

_MOST_LISTED = 30


def console_lines(results: Results) -> list[Text]:
    """Return the headline figures of a run, each with its unit: the county, the plan with its proof, what is not met.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    list of Text
        One text a line.
    """
    lines = [Text(results.study_name, results.study_name)]
    lines += [Text(_figure(figure, "zh"), _figure(figure, "en")) for figure in headlines(results)]
    if results.plan is not None:
        lines += [*_planned(results.plan), *_blocked(results.plan)]
    return lines


def _figure(figure: Figure, lang: Lang) -> str:
    parts = [format_figure(figure.now, figure.unit, lang, against=figure.target)]
    if not is_missing(figure.after):
        parts.append(" → " + format_figure(figure.after, figure.unit, lang, against=figure.target))
    if not is_missing(figure.of):
        parts.append(f"（共 {figure.of:,.0f}）" if lang == "zh" else f" (of {figure.of:,.0f})")
    if not is_missing(figure.target):
        wanted = format_figure(figure.target, figure.unit, lang)
        parts.append(f"（目标 {wanted}）" if lang == "zh" else f" (target {wanted})")
    if not is_missing(figure.straight):
        straight = format_figure(figure.straight, figure.unit, lang)
        parts.append(f"（按直线距离会说成 {straight}）" if lang == "zh" else f" (a straight line would say {straight})")
    return f"  {figure.name.to(lang)}" + ("：" if lang == "zh" else ": ") + "".join(parts)


def _planned(plan: Plan) -> list[Text]:
    limit, count = Text("", ""), len(plan.actions)
    if plan.budget is not None:
        limit = Text(f"（预算 {_money(plan.budget)} 万元）", f" (budget {_money(plan.budget)})")
    lines = [
        Text(
            f"方案：{len(plan.actions)} 项行动，{_money(plan.total_cost)} 万元{limit.zh}",
            f"The plan: {count} action{'s' * (count != 1)}, {_money(plan.total_cost)} × 10,000 yuan{limit.en}",
        )
    ]
    for stage in plan.stages:
        proof = PROOF[stage.proof]
        value, bound, gap = f"{stage.value:,.2f}", f"{stage.bound:,.2f}", f"{stage.gap:.2%}"
        lines.append(
            Text(
                f"  {stage.name.zh}：{with_unit(value, stage.unit, 'zh')}（界 {bound}，差距 {gap}，{proof.zh}）",
                f"  {stage.name.en}: {with_unit(value, stage.unit, 'en')} (bound {bound}, gap {gap}, {proof.en})",
            )
        )
    return lines


def _money(value: float) -> str:
    """Return an amount in 万元 to a tenth; a smaller one as it is, never as nothing."""
    return f"{value:,.1f}".removesuffix(".0") if value >= 0.1 or value == 0 else f"{value:.1g}"


def _blocked(plan: Plan) -> list[Text]:
    if not len(plan.blocked):
        return []
    lines = [Text("仍不能满足的：", "What cannot be met:")]
    lines += [
        Text(f"  {row.community_id}：{row.note_zh}", f"  {row.community_id}: {row.note_en}")
        for row in plan.blocked.head(_MOST_LISTED).itertuples()
    ]
    more = len(plan.blocked) - _MOST_LISTED
    if more > 0:
        lines.append(Text(f"  …另有 {more} 项，见工作簿", f"  … and {more} more, in the workbook"))
    return lines
