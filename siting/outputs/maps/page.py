"""The coverage map: a folium map whose page holds everything it needs and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from branca.element import CssLink, Element, Figure, JavascriptLink
from folium import Map
from jinja2 import Template

from siting.outputs.maps.payload import payload
from siting.outputs.plain import clean_text
from siting.text import Lang

if TYPE_CHECKING:
    from siting.outputs.results import Results

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_POLICY_MARK = "siting-policy-goes-here"
# the data never passes through a template: a name that reads {{ 7*7 }} is a name
_DATA_OPENS = '<script type="application/json" id="siting-data">'


class _Vendored(Element):
    """A script or style that stands in the page itself."""

    _template = Template("<{{ this.tag }}>{{ this.text }}</{{ this.tag }}>")

    def __init__(self, tag: str, text: str) -> None:
        super().__init__()
        self.tag, self.text = tag, text


class OfflineFigure(Figure):
    """A page that carries its scripts, styles and pictures, under a policy that lets nothing else in."""

    _template = Template(
        "<!DOCTYPE html>\n"
        '<html lang="{{ this.lang }}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="' + _POLICY_MARK + '">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        "<title>{{ this.title | e }}</title>\n"
        "{{ this.header.render(**kwargs) }}\n</head>\n<body>\n"
        "{{ this.html.render(**kwargs) }}\n"
        "<script>\n{{ this.script.render(**kwargs) }}\n</script>\n</body>\n</html>\n"
    )

    def __init__(self, title: str, lang: Lang, data: str) -> None:
        super().__init__(title=title)
        self.data = data
        self._id = "siting"
        self.lang = "zh-CN" if lang == "zh" else "en"
        self.header._children.clear()

    def render(self, **kwargs: Any) -> str:
        """Return the page with every vendored file in it and the hash of every script in its policy."""
        for child in self._children.values():
            child.render(**kwargs)
        for name, link in self.header._children.items():
            if isinstance(link, (CssLink, JavascriptLink)) and link.url in _VENDORED:
                tag = "style" if isinstance(link, CssLink) else "script"
                self.header._children[name] = _Vendored(tag, _VENDORED[link.url]())
        page: str = self._template.render(this=self, kwargs={**kwargs, "embedded": True}).replace("\r", "")
        hashes = " ".join(sorted({_hash(script) for script in _SCRIPT.findall(page)}))
        policy = (
            f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        return page.replace(_POLICY_MARK, policy, 1).replace(_DATA_OPENS, _DATA_OPENS + self.data, 1)


class CoverageMap(Map):
    """The map of a run, as a `folium.Map`: further layers can be added to it, and its page stays sealed."""

    _template = Template(
        """
        {% macro html(this, kwargs) %}
<div id="siting-app"><div class="folium-map" id="{{ this.get_name() }}"></div></div>\n"""
        + _DATA_OPENS
        + """</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
var {{ this.get_name() }} = sitingMap("{{ this.get_name() }}");
        {% endmacro %}
        """
    )

    def __init__(self, results: Results, lang: Lang = "zh") -> None:
        content = payload(results, lang)
        west, south, east, north = content["bounds"]
        super().__init__(location=[(south + north) / 2, (west + east) / 2], tiles=None, max_zoom=18)
        self.default_js = [("leaflet", "leaflet.js"), ("siting", "map.js")]
        self.default_css = [("leaflet_css", "leaflet.css"), ("siting_css", "map.css")]
        self._id = "coverage"
        title = clean_text(results.study_name, limit=200)
        OfflineFigure(title, lang, as_json(content)).add_child(self, name="map")


def as_json(content: Any) -> str:
    """Return data as JSON that cannot end the script element it stands in.

    Parameters
    ----------
    content
        Text, numbers, lists and mappings.

    Returns
    -------
    str
        JSON without ``<``, ``>``, ``&`` and line separators.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _hash(script: str) -> str:
    """Return the source expression that allows one inline script."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _asset(name: str) -> bytes:
    """Return a file that travels with the package."""
    return (files("siting.outputs.maps") / "assets" / name).read_bytes()


def _picture(name: str) -> str:
    """Return a picture as a data address."""
    return f"data:image/png;base64,{base64.b64encode(_asset(name)).decode('ascii')}"


@lru_cache(maxsize=1)
def _leaflet_script() -> str:
    """Return Leaflet without the line that names its source map, its marker picture within it."""
    script = _asset("leaflet.js").decode("utf-8")
    script = re.sub(r"\n//# sourceMappingURL=.*\s*$", "\n", script)
    icon = f"L.Icon.Default.imagePath='';L.Icon.Default.mergeOptions({{iconUrl:'{_picture('marker-icon.png')}'"
    return f"{script}{icon},iconRetinaUrl:null,shadowUrl:null}});\n"


@lru_cache(maxsize=1)
def _leaflet_style() -> str:
    """Return Leaflet's style sheet with its pictures within it."""
    style = _asset("leaflet.css").decode("utf-8")
    return re.sub(r"url\(images/([\w.-]+\.png)\)", lambda found: f"url({_picture(found[1])})", style)


_VENDORED: dict[str, Callable[[], str]] = {
    "leaflet.js": _leaflet_script,
    "leaflet.css": _leaflet_style,
    "map.js": lambda: _asset("map.js").decode("utf-8"),
    "map.css": lambda: _asset("map.css").decode("utf-8"),
}
