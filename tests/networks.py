"""Small random networks and places on them, for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from siting.network.graph import RoadNetwork
from siting.network.positions import Positions

CRS = "EPSG:32648"
ORIGIN = np.array([500_000.0, 4_000_000.0])


def metres_from_origin(*points):
    """Points given as metres east and north of the origin."""
    return ORIGIN + np.array(points, float)


@st.composite
def networks(draw, *, oneways=True, speeds=False, max_nodes=12):
    """A multigraph with loops, parallel edges, zero lengths, bends to contract and, if asked, one-way edges."""
    n = draw(st.integers(1, max_nodes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m = draw(st.integers(1, 2 * n + 2))
    u, v = rng.integers(0, n, m), rng.integers(0, n, m)
    length_mm = rng.integers(0, draw(st.sampled_from([3, 2000, 400_000])) + 1, m)
    chain = draw(st.integers(0, 5))  # a tail of bends, so that there always is something to contract
    if chain:
        tail = np.arange(n, n + chain)
        u, v = np.concatenate((u, [0], tail[:-1])), np.concatenate((v, tail))
        length_mm = np.concatenate((length_mm, rng.integers(0, 2000, chain)))
        n += chain
        if draw(st.booleans()):
            u, v, length_mm = np.append(u, n - 1), np.append(v, rng.integers(0, n)), np.append(length_mm, 700)
    oneway = rng.random(len(u)) < (draw(st.sampled_from([0, 0.3])) if oneways else 0)
    return RoadNetwork(
        xy=ORIGIN + rng.integers(0, 300, (n, 2)),
        u=u,
        v=v,
        length_mm=length_mm,
        crs=CRS,
        oneway=oneway,
        speed_kmh=rng.choice([4.8, 15.0, 31.7], len(u)) if speeds else None,
        walking_speed_kmh=4.8 if speeds else None,
    )


@st.composite
def places_on(draw, net, *, max_size=6):
    """Places on edges, at ends of edges, several on one edge, some unroutable, some at one spot."""
    n = draw(st.integers(0, max_size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    edge = rng.integers(-1 if n > 2 else 0, net.n_edges, n)
    if n and draw(st.booleans()):
        edge[:] = edge[0]
    share = rng.choice([0.0, 1.0, 0.25, 0.5, rng.random()], n)
    length = np.where(edge >= 0, net.length_mm[edge], 0)
    legs = rng.integers(0, draw(st.sampled_from([0, 1, 80_000])) + 1, n)
    xy = ORIGIN + rng.integers(0, draw(st.sampled_from([0, 100, 300])) + 1, (n, 2))
    lon, lat = net.to_lonlat(xy)
    return Positions(edge, np.floor(share * length).astype(np.int64), legs, lon, lat)


@st.composite
def networks_with_places(draw, **options):
    """A network, origins and destinations."""
    net = draw(networks(**options))
    return net, draw(places_on(net)), draw(places_on(net))
