"""Standard output and standard error in every state: missing, closed, with nobody listening, without Chinese."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Literal, TextIO

Name = Literal["stdout", "stderr"]


class _Nowhere(io.TextIOBase):
    """A stream that takes everything and keeps nothing."""

    encoding = "utf-8"

    def write(self, text: str, /) -> int:
        return len(text)


def stand_in() -> None:
    """Give the process the streams that it lacks, so that no file it opens takes their place.

    ``pythonw`` has none; ``2>&-`` closes one.
    """
    with contextlib.suppress(OSError):
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(handle)
    for name in ("stdin", "stdout", "stderr"):
        if _is_gone(getattr(sys, name)):
            setattr(sys, name, io.StringIO() if name == "stdin" else _Nowhere())
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a letter that the console lacks is told by its number, never as "?"
            stream.reconfigure(errors="backslashreplace")


def write(name: Name, text: str) -> OSError | None:
    """Write to a stream and return why it took nothing; where nobody listens any more, that is no reason.

    Parameters
    ----------
    name
        Which stream.
    text
        What to write, its line end included.
    """
    stream: TextIO = getattr(sys, name)
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError) as error:
        _silence(name)
        if isinstance(error, OSError) and not nobody_listens(error):
            return error
    return None


def nobody_listens(error: OSError) -> bool:
    """Tell whether the reader of our output, such as ``head``, has gone; Windows calls that an invalid argument.

    Parameters
    ----------
    error
        What writing raised.
    """
    closed = error.errno == errno.EINVAL and error.filename is None
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and closed)


def shows_chinese(name: Name) -> bool:
    """Tell whether a stream can show Chinese.

    Parameters
    ----------
    name
        Which stream.
    """
    try:
        "社区：“圈”".encode(getattr(sys, name).encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_terminal(name: Name) -> bool:
    """Tell whether somebody watches a stream.

    Parameters
    ----------
    name
        Which stream.
    """
    try:
        return bool(getattr(sys, name).isatty())
    except (ValueError, OSError):
        return False


def _is_gone(stream: TextIO | None) -> bool:
    return stream is None or stream.closed


def _silence(name: Name) -> None:
    """Let what is written from here on go nowhere, also when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, getattr(sys, name).fileno())
        os.close(sink)
