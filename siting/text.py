"""Words for people: every message a planner reads exists in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Lang = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages; ``str()`` gives the English one."""

    zh: str
    en: str

    def to(self, lang: Lang) -> str:
        """Return the message in one language, ``"zh"`` or ``"en"``."""
        return self.zh if lang == "zh" else self.en

    def __str__(self) -> str:
        return self.en


class Progress(Protocol):
    """What long work calls to say how far it is: what is being done, and the share done (None: not known)."""

    def __call__(self, what: Text, share: float | None = None) -> None: ...


def silent(what: Text, share: float | None = None) -> None:
    """Say nothing: the default progress."""
