"""The small maps of the printed report, drawn as SVG from the same shapes as the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from siting.outputs.figures import verdict_codes
from siting.outputs.layers import community_shapes
from siting.outputs.maps import shapes
from siting.outputs.maps.payload import study_bounds
from siting.outputs.markup import Html, element, join
from siting.outputs.styles import (
    CIRCLE_COLOUR,
    OUTSIDE_COLOUR,
    PLAN_COLOUR,
    STATION_COLOUR,
    VERDICT_COLOURS,
)

if TYPE_CHECKING:
    from siting.coverage import Scorecard
    from siting.outputs.results import Results

_WIDTH = 1000.0
_TALLEST = 900.0
_ROAD_VERTICES = 12_000

Place = Callable[[Any], Any]


def coverage_drawing(results: Results, *, after: bool, label: str) -> Html:
    """Return a map of the verdicts, the circles, the facilities and, after the plan, its actions.

    Parameters
    ----------
    results
        What the run found.
    after
        Draw the state after the plan.
    label
        What the drawing shows, for those who cannot see it.

    Returns
    -------
    Html
        An SVG element.
    """
    bounds = study_bounds(results)
    place, height = _projection(bounds)
    card = results.after if after and results.after is not None else results.scorecard
    layers = [
        _circles(results, place, after=after),
        _communities(results, card, place),
        _roads(results, bounds, place),
        _homes(card, place),
        _stations(results, place),
    ]
    if after and results.plan is not None:
        layers.append(_actions(results.plan.actions, place))
    layers.append(_scale_bar(bounds, height))
    ground = element("rect", x=0, y=0, width=f"{_WIDTH:g}", height=f"{height:.0f}", fill="#f4f2ec")
    return element(
        "svg",
        element("title", label),
        ground,
        layers,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH:g} {height:.0f}",
        role="img",
        class_="map",
    )


def _projection(bounds: tuple[float, float, float, float]) -> tuple[Place, float]:
    """Return the way from degrees to the drawing, and its height; a little margin all round."""
    west, south, east, north = bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, tall = max((east - west) * squeeze, 1e-4), max(north - south, 1e-4)
    factor = min(_WIDTH * 0.94 / wide, _TALLEST * 0.94 / tall)
    height = tall * factor / 0.94
    left, top = (_WIDTH - wide * factor) / 2, (height - tall * factor) / 2

    def place(lonlat: Any) -> Any:
        points = np.asarray(lonlat, float)
        x = left + (points[:, 0] - west) * squeeze * factor
        y = top + (north - points[:, 1]) * factor
        return np.column_stack([x, y])

    return place, height


def _path(lines: Iterable[Any], place: Place, *, close: bool) -> str:
    """Return path data of lines; neighbours less than half a point apart are drawn once."""
    out = []
    for line in lines:
        points = np.rint(place(line) * 10) / 10
        far = np.abs(np.diff(points, axis=0)).max(axis=1) >= 0.5 if len(points) > 1 else np.zeros(0, bool)
        kept = points[np.concatenate([[True], far])]
        if len(kept) > 1:
            out.append("M" + "L".join(f"{x:g} {y:g}" for x, y in kept) + ("Z" if close else ""))
    return "".join(out)


def _rings(shape: Any) -> list[Any]:
    """Return the coordinates of every ring of a shape."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and not part.is_empty]
    return [shapely.get_coordinates(ring) for part in parts for ring in (part.exterior, *part.interiors)]


def _communities(results: Results, card: Scorecard, place: Place) -> Html:
    """Return the communities in the colours of their verdicts."""
    codes = verdict_codes(card)
    boundaries = community_shapes(results)
    if boundaries is not None:
        drawn = shapes.simplified(boundaries, 15.0, results.network.crs)
        return join(
            element(
                "path",
                d=_path(_rings(shape), place, close=True),
                fill=VERDICT_COLOURS[code],
                fill_opacity="0.72",
                stroke="#ffffff",
                stroke_width="0.8",
                fill_rule="evenodd",
            )
            for shape, code in zip(drawn, codes, strict=True)
        )
    points = results.tables.communities.geometry.to_crs("EPSG:4326")
    at = place(shapely.get_coordinates(np.asarray(points.array)))
    households = card.communities["households"].to_numpy(float)
    radius = 3 + 7 * np.sqrt(households / max(households.max(initial=0.0), 1.0))
    return join(_dot(x, y, r, VERDICT_COLOURS[code]) for (x, y), r, code in zip(at, radius, codes, strict=True))


def _roads(results: Results, bounds: tuple[float, float, float, float], place: Place) -> Html:
    """Return the streets."""
    lines = shapes.road_lines(results.network, bounds, most_vertices=_ROAD_VERTICES)
    data = _path(lines, place, close=False)
    return element("path", d=data, fill="none", stroke="#5f5a4e", stroke_width="0.8", stroke_opacity="0.4")


def _circles(results: Results, place: Place, *, after: bool) -> Html:
    """Return what the facilities cover together; after the plan, what its sites add in their colour."""
    planned = results.plan_circles.geometry if after and results.plan_circles is not None else None
    today, added = shapes.ground_covered(results.circles.geometry, planned, 12.0, results.network.crs)
    return join(
        element(
            "path", d=_path(_rings(shape), place, close=True), fill=colour, fill_opacity="0.2", fill_rule="evenodd",
            stroke=colour, stroke_width="1", stroke_opacity="0.8",
        )
        for shape, colour in ((today, CIRCLE_COLOUR), (added, PLAN_COLOUR))
        if not shape.is_empty
    )  # fmt: skip


def _homes(card: Scorecard, place: Place) -> Html:
    """Return a dot for each drawn spot where a household is outside every circle."""
    outside = card.demand[~card.demand["covered"].astype(bool) & (card.demand["households"] > 0)]
    if outside.empty:
        return Html()
    spots = np.unique(np.rint(place(outside[["lon", "lat"]].to_numpy(float)) / 2) * 2, axis=0)
    data = "".join(f"M{x:g} {y:g}h0" for x, y in spots)
    return element("path", d=data, stroke=OUTSIDE_COLOUR, stroke_width="2.6", stroke_linecap="round", fill="none")


def _stations(results: Results, place: Place) -> Html:
    """Return the facilities whose floor area counts."""
    table = results.tables.facilities
    points = table.geometry[table["service"].isin(results.standard.counted_services)].to_crs("EPSG:4326")
    if points.empty:
        return Html()
    at = place(shapely.get_coordinates(np.asarray(points.array)))
    return join(_dot(x, y, 3.6, STATION_COLOUR) for x, y in at)


def _actions(actions: Any, place: Place) -> Html:
    """Return a square on its corner for each action; an extension is hollow."""
    if actions.empty:
        return Html()
    at = place(actions[["lon", "lat"]].to_numpy(float))
    return join(
        element(
            "path",
            d=f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7Z",
            fill=PLAN_COLOUR if kind == "candidate" else "#ffffff",
            stroke="#ffffff" if kind == "candidate" else PLAN_COLOUR,
            stroke_width="1.6",
        )
        for (x, y), kind in zip(at, actions["kind"], strict=True)
    )


def _dot(x: float, y: float, radius: float, colour: str) -> Html:
    """Return one disc with a white rim."""
    return element(
        "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{radius:.1f}", fill=colour, stroke="#ffffff", stroke_width="0.9"
    )


def _scale_bar(bounds: tuple[float, float, float, float], height: float) -> Html:
    """Return a scale bar of a round length, about a sixth of the width."""
    place, _ = _projection(bounds)
    west, south, east, north = bounds
    middle = (south + north) / 2
    degree_m = 111_320 * math.cos(math.radians(middle))
    ends = place([[west, middle], [east, middle]])
    points_per_m = (ends[1, 0] - ends[0, 0]) / max((east - west) * degree_m, 1e-9)
    wanted = _WIDTH / 6 / points_per_m
    step = 10 ** math.floor(math.log10(wanted))
    length = max(step * factor for factor in (1, 2, 5) if step * factor <= wanted)
    wide = length * points_per_m
    x, y = _WIDTH - 24 - wide, height - 18
    name = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    bar = element("path", d=f"M{x:.1f} {y - 6:.1f}v6h{wide:.1f}v-6", fill="none", stroke="#1f2933", stroke_width="1.6")
    text = element("text", name, x=f"{x + wide / 2:.1f}", y=f"{y - 8:.1f}", text_anchor="middle", font_size="17")
    return join([bar, text])
