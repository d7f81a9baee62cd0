"""Wuhan, read once for all tests of the room."""

import time

import pytest

from siting.network import RoadNetwork, read_network


@pytest.fixture(scope="session")
def wuhan(shared_data) -> tuple[RoadNetwork, float]:
    """The streets of Wuhan as a walking network, and the seconds of work from file to ready network."""
    start = time.process_time()
    net = read_network(shared_data / "wuhan" / "streets.parquet")
    return net, time.process_time() - start
