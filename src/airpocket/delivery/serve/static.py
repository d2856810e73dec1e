"""The page's files: read once at the start, answered by exact name, with types that no system setting changes."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

_TYPES = {
    "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml", "png": "image/png", "ico": "image/x-icon", "woff2": "font/woff2",
    "json": "application/json", "txt": "text/plain; charset=utf-8", "map": "application/json",
    "webmanifest": "application/manifest+json",
}  # fmt: skip
_PLACEHOLDER = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>airpocket</title></head>
<body><h1>airpocket</h1>
<p>This installation has no dashboard built into it. The API below /api/v1 answers; docs/api.md describes it.</p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One file as it is answered."""

    body: bytes
    type: str


def pages() -> dict[str, Page]:
    """Address → file, of everything under `static`; an honest placeholder where nothing is built."""
    found: dict[str, Page] = {}
    folder = files("airpocket.delivery") / "static"
    if folder.is_dir():
        _gather(folder, "", found)
    index = found.get("/index.html", Page(_PLACEHOLDER, _TYPES["html"]))
    return {**found, "/": index, "/index.html": index}


def _gather(folder: Traversable, above: str, found: dict[str, Page]) -> None:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        address = f"{above}/{each.name}"
        if each.is_dir():
            _gather(each, address, found)
        elif (kind := _TYPES.get(each.name.rpartition(".")[2])) is not None:
            found[address] = Page(each.read_bytes(), kind)
