"""HTML built from elements: every text is escaped unless it was built here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from siting.outputs.plain import clean_text

_VOID = {"br", "hr", "meta"}


class Html(str):
    """Markup that this module built, and that is not escaped again."""

    __slots__ = ()


def element(tag: str, *children: Any, **attributes: Any) -> Html:
    """Return an element; children that are not markup are escaped, lists are flattened, None is left out.

    Parameters
    ----------
    tag
        The element's name.
    children
        Markup, texts, numbers, or lists of them.
    attributes
        Attributes; a trailing underscore is dropped (``class_``), other underscores become hyphens.

    Returns
    -------
    Html
        The element.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(clean_text(value), quote=True)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(parts: Iterable[Any]) -> Html:
    """Return markup and texts one after the other; texts are escaped.

    Parameters
    ----------
    parts
        Markup, texts, numbers, or lists of them.

    Returns
    -------
    Html
        All parts.
    """
    out = []
    for part in parts:
        if part is None:
            continue
        if isinstance(part, Html):
            out.append(str(part))
        elif isinstance(part, list | tuple):
            out.append(str(join(part)))
        else:
            out.append(escape(clean_text(part), quote=False))
    return Html("".join(out))
