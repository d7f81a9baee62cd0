"""Where the words of the command go: in which language, how many, and the line of progress."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace

from siting.cli.streams import Name, is_terminal, shows_chinese, write
from siting.errors import Issue
from siting.text import Lang, Text

_MOST = 60
"""How many characters of an issue's value a line of the console holds."""


@dataclass(slots=True)
class Console:
    """The terminal of one call of the command.

    Parameters
    ----------
    lang
        The language spoken.
    asked
        The language that the planner asked for, if any.
    quiet
        No progress and no notes.
    verbose
        Notes of every kind, and tracebacks.
    interrupted
        Whether Ctrl-C was pressed; a search that it stops gives its best so far.
    unwritten
        Why a result could not be written to standard output, None where all were.
    """

    lang: Lang = "zh"
    asked: Lang | None = None
    quiet: bool = False
    verbose: bool = False
    interrupted: bool = False
    unwritten: OSError | None = None
    _drawn: float = field(default=0.0, repr=False)
    _width: int = field(default=0, repr=False)

    def speak(self, lang: Lang) -> None:
        """Speak a language from here on, unless the planner asked for another."""
        self.lang = self.asked or lang

    def say(self, text: Text) -> None:
        """Write one line of result to standard output."""
        self.clear()
        self.unwritten = write("stdout", self._told("stdout", text) + "\n") or self.unwritten

    def warn(self, text: Text, *, indent: str = "") -> None:
        """Write one line to standard error, over the progress line."""
        self.clear()
        write("stderr", indent + self._told("stderr", text) + "\n")

    def _told(self, name: Name, text: Text) -> str:
        """Return a text in the language spoken, in English where the console cannot show Chinese."""
        return text.to("en" if self.lang == "zh" and not shows_chinese(name) else self.lang)

    def note(self, text: Text) -> None:
        """Write one line to standard error, unless the planner wants it quiet."""
        if not self.quiet:
            self.warn(text)

    def warn_of(self, issue: Issue) -> None:
        """Write an issue to standard error, a long list of values cut short: the workbook gives it whole."""
        if len(issue.value) > _MOST:
            begun = issue.value[:_MOST]
            whole = re.match(".*(?:、|, )", begun)
            issue = replace(issue, value=(whole[0] if whole else begun) + "…")
        self.warn(issue.text)

    def progress(self, what: Text, share: float | None = None) -> None:
        """Draw one line of progress, on a terminal only, at most ten times a second."""
        now = time.monotonic()
        if self.quiet or not is_terminal("stderr") or (now - self._drawn < 0.1 and share not in (None, 1.0)):
            return
        self._drawn = now
        self.clear()
        line = self._told("stderr", what) + ("" if share is None else f" {share:.0%}")
        self._width = 2 * len(line)
        write("stderr", "\r" + line)

    def clear(self) -> None:
        """Take the progress line away."""
        if self._width:
            write("stderr", "\r" + " " * self._width + "\r")
            self._width = 0
