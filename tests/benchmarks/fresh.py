"""A benchmark in a process of its own: its memory is its own, and its end is nobody else's."""

from __future__ import annotations

import subprocess
import sys


def run_fresh(module: str, arguments: list[str], *, patience_s: float) -> int:
    """Run a module in a new process, which prints as it goes; return its exit code (not 0 where it took too long)."""
    with subprocess.Popen([sys.executable, "-W", "ignore::DeprecationWarning", "-m", module, *arguments]) as process:
        try:
            return process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def peak_gb() -> float:
    """Return the most memory that this process ever held, GB; nan where the system does not say."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
