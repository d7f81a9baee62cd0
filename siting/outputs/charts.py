"""The chart of the cost curve, drawn as SVG for the printed report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from siting.outputs.markup import Html, element
from siting.outputs.styles import CIRCLE_COLOUR, PLAN_COLOUR
from siting.text import Lang, Text

if TYPE_CHECKING:
    import pandas as pd

Scale = Callable[[float], float]
_WIDE, _TALL = 720.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 78.0, 18.0, 14.0, 46.0


def curve_chart(curve: pd.DataFrame, lang: Lang, *, chosen: float | None = None) -> Html:
    """Return what each budget brings, with the bound above it.

    Parameters
    ----------
    curve
        Columns ``budget``, ``weighted_households`` and ``bound``, the smallest budget first.
    lang
        The language of the words.
    chosen
        The budget or cost of the plan, marked on the axis; None for none.

    Returns
    -------
    Html
        An SVG element.
    """
    budgets = curve["budget"].to_numpy(float)
    reached, bounds = curve["weighted_households"].to_numpy(float), curve["bound"].to_numpy(float)
    right, top = (
        _round_up(max(float(budgets.max()), 1e-9)),
        _round_up(max(float(bounds.max()), 1e-9)),
    )

    def x(value: float) -> float:
        return _LEFT + (_WIDE - _LEFT - _RIGHT) * value / right

    def y(value: float) -> float:
        return _TALL - _BOTTOM - (_TALL - _TOP - _BOTTOM) * value / top

    def line(values: list[float], colour: str, dash: str | None) -> Html:
        points = " ".join(f"{x(b):.1f},{y(v):.1f}" for b, v in zip(budgets, values, strict=True))
        return element(
            "polyline",
            points=points,
            fill="none",
            stroke=colour,
            stroke_width="2",
            stroke_dasharray=dash,
        )

    parts = _grid(right, top, x, y)
    if chosen is not None and 0 <= chosen <= right:
        place = f"{x(chosen):.1f}"
        parts.append(
            element(
                "line",
                x1=place,
                x2=place,
                y1=f"{y(0):.1f}",
                y2=f"{y(top):.1f}",
                stroke="#7b8794",
                stroke_dasharray="2 3",
            )
        )
        name = Text("本方案", "this plan").to(lang)
        parts.append(
            element(
                "text",
                name,
                x=f"{x(chosen) + 5:.1f}",
                y=f"{y(top) + 12:.1f}",
                font_size="12",
                fill="#52606d",
            )
        )
    parts += [line(list(bounds), PLAN_COLOUR, "6 4"), line(list(reached), CIRCLE_COLOUR, None)]
    parts += [
        element("circle", cx=f"{x(b):.1f}", cy=f"{y(v):.1f}", r="3.4", fill=CIRCLE_COLOUR)
        for b, v in zip(budgets, reached, strict=True)
    ]
    axis = Text("预算（万元）", "Budget (10,000 yuan)").to(lang)
    parts.append(
        element(
            "text",
            axis,
            x=f"{(_LEFT + _WIDE) / 2:.0f}",
            y=f"{_TALL - 8:.0f}",
            text_anchor="middle",
            font_size="13",
        )
    )
    for row, (name, colour, dash) in enumerate(
        (
            (Text("达标的加权户数", "weighted households that meet").to(lang), CIRCLE_COLOUR, None),
            (Text("界限", "bound").to(lang), PLAN_COLOUR, "6 4"),
        )
    ):
        level = y(0) - 34 + 18 * row
        parts.append(
            element(
                "line",
                x1=f"{x(right) - 250:.0f}",
                x2=f"{x(right) - 222:.0f}",
                y1=level,
                y2=level,
                stroke=colour,
                stroke_width="2",
                stroke_dasharray=dash,
            )
        )
        parts.append(element("text", name, x=f"{x(right) - 214:.0f}", y=level + 4, font_size="12.5"))
    label = Text("费用曲线", "Cost curve").to(lang)
    return element(
        "svg",
        element("title", label),
        parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDE:g} {_TALL:g}",
        role="img",
        class_="chart",
    )


def _grid(right: float, top: float, x: Scale, y: Scale) -> list[Html]:
    """Return grid lines with their figures."""
    edge = x(right)
    parts = []
    for step in range(6):
        level, place = f"{y(top * step / 5):.1f}", f"{x(right * step / 5):.1f}"
        parts.append(element("line", x1=_LEFT, x2=f"{edge:.1f}", y1=level, y2=level, stroke="#e4e7eb"))
        parts.append(
            element(
                "text",
                f"{top * step / 5:,.0f}",
                x=_LEFT - 8,
                y=float(level) + 4,
                text_anchor="end",
                font_size="12",
                fill="#52606d",
            )
        )
        parts.append(
            element(
                "text",
                f"{right * step / 5:,.0f}",
                x=place,
                y=f"{_TALL - _BOTTOM + 18:.0f}",
                text_anchor="middle",
                font_size="12",
                fill="#52606d",
            )
        )
    return parts


def _round_up(value: float) -> float:
    """Return the next round number: 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return power * next(factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if factor * power >= value * (1 - 1e-9))
