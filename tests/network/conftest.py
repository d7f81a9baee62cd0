"""Wuhan, read once for all tests of the room."""

import time

import pytest

from siting.network import RoadNetwork, read_network


@pytest.fixture(scope="session")
def wuhan(shared_data) -> tuple[RoadNetwork, float]:
    """The streets of Wuhan as a walking network, and the seconds from file to ready network."""
    start = time.perf_counter()
    net = read_network(shared_data / "wuhan" / "streets.parquet")
    return net, time.perf_counter() - start
