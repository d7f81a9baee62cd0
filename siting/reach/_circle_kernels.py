"""Compiled drawing of what a search reached: a field on a grid, negative inside, whose zero line is the circle.

A ``frame`` is (west, south, grid): the first point of the grid and its width, m.
"""

import numpy as np

from siting.network._kernels import NO_WAY, U0, compiled
from siting.reach._kernels import push, search


@compiled
def spread(rows, arcs, seeds, costs, unset, shift, bench):  # type: ignore[no-untyped-def]
    """Search from all seeds at once and leave the labels; gives (nodes touched, whether the pool was large enough)."""
    label, heads, pool, links, touched = bench
    used, n_touched = U0, U0
    for s in range(len(seeds)):
        if used + np.uint64(1) > np.uint64(len(pool)):
            return n_touched, False
        if costs[s] < np.int64(unset):
            node, cost = np.uint64(seeds[s]), np.uint64(costs[s])
            used, n_touched = push(node, cost, label, heads, pool, links, touched, unset, shift, used, n_touched)
    return search(rows, arcs, label, heads, pool, links, touched, unset, shift, used, n_touched)


@compiled
def widen(bounds, x, y, radius):  # type: ignore[no-untyped-def]
    """Widen bounds (west, south, east, north) to hold a disc, m; one of a negative radius is none."""
    if radius >= 0:
        bounds[0], bounds[1] = min(bounds[0], x - radius), min(bounds[1], y - radius)
        bounds[2], bounds[3] = max(bounds[2], x + radius), max(bounds[3], y + radius)


@compiled
def extent(touched, label, xy, source_xy, source_cost, limit, bounds):  # type: ignore[no-untyped-def]
    """Widen bounds to hold every street point within the limit, m."""
    for t in range(len(touched)):
        node = touched[t]
        widen(bounds, xy[node, 0], xy[node, 1], limit - label[node] / 1000.0)
    for s in range(len(source_cost)):
        widen(bounds, source_xy[s, 0], source_xy[s, 1], limit - source_cost[s] / 1000.0)


@compiled
def stamp(field, frame, ax, ay, bx, by, radius):  # type: ignore[no-untyped-def]
    """Lower a field of squared distances to those from the segment a-b, where that may matter, m2."""
    west, south, grid = frame
    margin = radius + 1.5 * grid
    n_y, n_x = field.shape
    row0 = np.int64(max(np.ceil((min(ay, by) - margin - south) / grid), 0.0))
    row1 = np.int64(min(np.floor((max(ay, by) + margin - south) / grid), n_y - 1.0))
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    share = 1.0 / square if square > 0 else 0.0
    for row in range(row0, row1 + 1):
        y = south + row * grid
        # the part of the segment within the margin above or below this row bounds the columns
        low, high = 0.0, 1.0
        if dy != 0:
            one, two = (y - margin - ay) / dy, (y + margin - ay) / dy
            low, high = max(low, min(one, two)), min(high, max(one, two))
            if low > high:
                continue
        x_one, x_two = ax + low * dx, ax + high * dx
        col0 = np.int64(max(np.ceil((min(x_one, x_two) - margin - west) / grid), 0.0))
        col1 = np.int64(min(np.floor((max(x_one, x_two) + margin - west) / grid), n_x - 1.0))
        line = field[row, col0 : col1 + 1]
        start, py = west + col0 * grid - ax, y - ay
        for k in range(len(line)):  # without a branch: several grid points at once
            px = start + k * grid
            along = (px * dx + py * dy) * share
            along = along if along > 0.0 else 0.0
            along = along if along < 1.0 else 1.0
            gap_x, gap_y = px - along * dx, py - along * dy
            gap = gap_x * gap_x + gap_y * gap_y
            line[k] = gap if gap < line[k] else line[k]


@compiled
def stamp_cone(field, frame, ax, ay, bx, by, radius, pace):  # type: ignore[no-untyped-def]
    """Lower a field of distances beyond the reached to those from discs along a-b, exactly.

    The disc at a has the radius ``radius``, m, and those towards b are smaller by ``pace`` for each m, down to none.
    Seen from a point, the nearest disc stands where the line of sight meets a-b at the cosine ``pace``.
    """
    if radius < 0:
        return
    west, south, grid = frame
    length = np.hypot(bx - ax, by - ay)
    ux, uy = ((bx - ax) / length, (by - ay) / length) if length > 0 else (0.0, 0.0)
    length = min(length, radius / pace)
    slant = pace / np.sqrt(1 - pace * pace) if pace < 1 else np.inf
    margin = radius + 1.5 * grid
    end_x, end_y = ax + length * ux, ay + length * uy
    n_y, n_x = field.shape
    row0 = np.int64(max(np.ceil((min(ay, end_y) - margin - south) / grid), 0.0))
    row1 = np.int64(min(np.floor((max(ay, end_y) + margin - south) / grid), n_y - 1.0))
    col0 = np.int64(max(np.ceil((min(ax, end_x) - margin - west) / grid), 0.0))
    col1 = np.int64(min(np.floor((max(ax, end_x) + margin - west) / grid), n_x - 1.0))
    for row in range(row0, row1 + 1):
        for col in range(col0, col1 + 1):
            px, py = west + col * grid - ax, south + row * grid - ay
            along, aside = px * ux + py * uy, abs(py * ux - px * uy)
            x = min(max(along - aside * slant, 0.0), length) if pace < 1 else 0.0
            beyond = np.hypot(px - x * ux, py - x * uy) - radius + x * pace
            field[row, col] = min(field[row, col], beyond)


@compiled
def draw_segment(  # type: ignore[no-untyped-def]
    field, frame, ax, ay, bx, by, cost_a, cost_b, pace, tips, cutoff, off_road
):
    """Stamp a straight piece of street, its ends at ``cost_a`` and ``cost_b``; ``pace`` is the cost per m drawn.

    First, where a longest walk off the street is possible, the street is stamped that wide. Farther on along the
    street, less and less of the walk is left: those ``tips`` come in a second round, on a field of distances.
    """
    drawn = np.hypot(bx - ax, by - ay)
    ux, uy = ((bx - ax) / drawn, (by - ay) / drawn) if drawn > 0 else (0.0, 0.0)
    full = cutoff - off_road
    from_a, from_b = (full - cost_a) / pace, (full - cost_b) / pace
    if (from_a >= 0 and from_b >= 0 and from_a + from_b >= drawn) or from_a >= drawn or from_b >= drawn:
        if not tips:
            stamp(field, frame, ax, ay, bx, by, off_road)
        return
    if tips:
        x_a, x_b = max(from_a, 0.0), drawn - max(from_b, 0.0)
        left_a, left_b = cutoff - cost_a - x_a * pace, cutoff - cost_b - (drawn - x_b) * pace
        stamp_cone(field, frame, ax + x_a * ux, ay + x_a * uy, bx, by, min(off_road, left_a), pace)
        stamp_cone(field, frame, ax + x_b * ux, ay + x_b * uy, ax, ay, min(off_road, left_b), pace)
        return
    if from_a >= 0:
        stamp(field, frame, ax, ay, ax + from_a * ux, ay + from_a * uy, off_road)
    if from_b >= 0:
        stamp(field, frame, bx - from_b * ux, by - from_b * uy, bx, by, off_road)


@compiled
def draw_piece(  # type: ignore[no-untyped-def]
    field, frame, line, start, end, cost_start, cost_end, pace, tips, cutoff, off_road
):
    """Draw the part of a drawn line from ``start`` to ``end`` (m along it), of which the two ends have these costs."""
    at = 0.0
    for k in range(len(line) - 1):
        length = np.hypot(line[k + 1, 0] - line[k, 0], line[k + 1, 1] - line[k, 1])
        low, high = max(start, at), min(end, at + length)
        if low < high or (low == high and start == end):
            one, two = ((low - at) / length, (high - at) / length) if length > 0 else (0.0, 1.0)
            ax = line[k, 0] + one * (line[k + 1, 0] - line[k, 0])
            ay = line[k, 1] + one * (line[k + 1, 1] - line[k, 1])
            bx = line[k, 0] + two * (line[k + 1, 0] - line[k, 0])
            by = line[k, 1] + two * (line[k + 1, 1] - line[k, 1])
            cost_a = min(cost_start + (low - start) * pace, cost_end + (end - low) * pace)
            cost_b = min(cost_start + (high - start) * pace, cost_end + (end - high) * pace)
            draw_segment(field, frame, ax, ay, bx, by, cost_a, cost_b, pace, tips, cutoff, off_road)
        at += length


@compiled
def lower_sources(length_mm, one_way, cost_u, cost_v, source_offset, source_cost):  # type: ignore[no-untyped-def]
    """Let each source of an edge, in order along it, take over what is left at others that are nearer, m and mm."""
    after, at = np.int64(np.ceil(cost_v * 1000)) if cost_v < np.inf else NO_WAY, length_mm
    for s in range(len(source_offset) - 1, -1, -1):
        source_cost[s] = min(source_cost[s], after + at - source_offset[s])
        after, at = source_cost[s], source_offset[s]
    if not one_way:
        before, at = np.int64(np.ceil(cost_u * 1000)) if cost_u < np.inf else NO_WAY, np.int64(0)
        for s in range(len(source_offset)):
            source_cost[s] = min(source_cost[s], before + source_offset[s] - at)
            before, at = source_cost[s], source_offset[s]


@compiled
def draw_street(  # type: ignore[no-untyped-def]
    field, frame, line, length_mm, one_way, label_u, label_v, unset, source_offset, source_cost, tips, cutoff, off_road
):
    """Draw what of a street leads to a source within the cut-off, by its ends or the sources on it; gives its pace."""
    cost_u = label_u / 1000.0 if label_u < unset else np.inf
    cost_v = label_v / 1000.0 if label_v < unset else np.inf
    if len(source_offset):
        lower_sources(length_mm, one_way, cost_u, cost_v, source_offset, source_cost)
    drawn = 0.0
    for k in range(len(line) - 1):
        drawn += np.hypot(line[k + 1, 0] - line[k, 0], line[k + 1, 1] - line[k, 1])
    pace = max(length_mm / 1000.0 / drawn, 1e-9) if drawn > 0 else 1.0
    start, cost_start = 0.0, np.inf if one_way else cost_u
    for s in range(len(source_offset) + 1):
        end = drawn if s == len(source_offset) else min(source_offset[s] / 1000.0 / pace, drawn)
        cost_end = cost_v if s == len(source_offset) else source_cost[s] / 1000.0
        draw_piece(field, frame, line, start, end, cost_start, cost_end, pace, tips, cutoff, off_road)
        start, cost_start = end, np.inf if one_way else cost_end
    return pace


@compiled
def draw_round(  # type: ignore[no-untyped-def]
    field, frame, streets, touched, label, unset, limit, first_source, sources, tips, fast, cutoff, off_road
):
    """Draw every street once: those without a source where ``tips`` may matter, then those with; as ``draw``."""
    end_rows, end_edges, edge_u, edge_v, length_mm, oneway, line_rows, lines = streets
    source_edge, source_offset, source_cost = sources
    for t in range(len(touched) if fast or not tips else 0):
        node = touched[t]
        if label[node] > limit:
            continue
        for k in range(end_rows[node], end_rows[node + 1]):
            e, at_v = end_edges[k] >> 1, (end_edges[k] & 1) == 1
            if first_source[e] >= 0 or (at_v and label[edge_u[e]] <= limit):
                continue
            pace = draw_street(
                field, frame, lines[line_rows[e] : line_rows[e + 1]], length_mm[e], oneway[e], label[edge_u[e]],
                label[edge_v[e]], unset, source_offset[:0], source_cost[:0], tips, cutoff, off_road,
            )  # fmt: skip
            fast |= pace < 0.999
    s = 0
    while s < len(source_edge):
        e, after = source_edge[s], s + 1
        while after < len(source_edge) and source_edge[after] == e:
            after += 1
        pace = draw_street(
            field, frame, lines[line_rows[e] : line_rows[e + 1]], length_mm[e], oneway[e], label[edge_u[e]],
            label[edge_v[e]], unset, source_offset[s:after], source_cost[s:after], tips, cutoff, off_road,
        )  # fmt: skip
        fast |= pace < 0.999
        s = after
    return fast


@compiled
def draw(  # type: ignore[no-untyped-def]
    field, frame, cutoff, off_road, touched, label, unset, limit, streets, first_source, sources
):
    """Fill a field with what leads to the sources within the cut-off, negative inside; all widths in m.

    ``streets`` are the edge ends at each rank, and of each edge its ends by rank, its length, whether it is one-way and
    its drawn line; ``first_source`` (edges,) is -1 for an edge without a source; ``sources`` are, in order along the
    edges, edge, offset and cost, which is lowered to what another source makes of it.

    Tips are drawn only next to sources and where a street is shorter than its drawing: elsewhere they lie within what
    is stamped already, because a street is no shorter than the straight line.
    """
    grid = frame[2]
    field[:] = (off_road + 1.5 * grid) ** 2
    fast = draw_round(
        field, frame, streets, touched, label, unset, limit, first_source, sources, False, False, cutoff, off_road
    )
    field[:] = np.sqrt(field) - off_road
    draw_round(field, frame, streets, touched, label, unset, limit, first_source, sources, True, fast, cutoff, off_road)
    end_rows, end_edges, line_rows, lines = streets[0], streets[1], streets[6], streets[7]
    for t in range(len(touched)):  # a node from which a one-way street leads away has no tip on that street
        node = touched[t]
        if fast and label[node] <= limit and end_rows[node] < end_rows[node + 1]:
            e, at_v = end_edges[end_rows[node]] >> 1, (end_edges[end_rows[node]] & 1) == 1
            at = line_rows[e + 1] - 1 if at_v else line_rows[e]
            left = min(off_road, cutoff - label[node] / 1000.0)
            x, y = lines[at, 0], lines[at, 1]
            stamp_cone(field, frame, x, y, x, y, left, 1.0)
    for row in range(field.shape[0]):  # no zero line through a grid point: rings never touch there
        for col in range(field.shape[1]):
            if abs(field[row, col]) < 0.001:
                field[row, col] = -0.001
