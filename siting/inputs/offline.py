"""Reading without the network: what a file names is never fetched, by whatever library reads it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NO_PROXY = "unsupported://siting-reads-no-network"
"""A proxy that no transfer can be made through: curl gives up before it opens a connection."""
_GDAL_OPTIONS = ("GDAL_HTTP_PROXY", "GDAL_HTTPS_PROXY")
_lock = threading.Lock()
_readers = 0
_before: tuple[bool, dict[str, str | None]] = (False, {})


@contextmanager
def offline() -> Iterator[None]:
    """Keep GDAL and PROJ from using the network while files are read; what the caller had set holds again after.

    Both libraries keep one setting for the whole process: the last of several readers at work restores it.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _readers, _before
    import pyogrio
    from pyproj import network

    with _lock:
        if _readers == 0:
            _before = (
                network.is_network_enabled(),
                {name: pyogrio.get_gdal_config_option(name) for name in _GDAL_OPTIONS},
            )
            network.set_network_enabled(False)
            pyogrio.set_gdal_config_options(dict.fromkeys(_GDAL_OPTIONS, _NO_PROXY))
        _readers += 1


def _leave() -> None:
    global _readers
    import pyogrio
    from pyproj import network

    with _lock:
        _readers -= 1
        if _readers == 0:
            enabled, options = _before
            network.set_network_enabled(enabled)
            pyogrio.set_gdal_config_options(options)
