"""`airpocket map ASSET`: who is forced out where, what of it is known exactly, and how it moved."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import check_asof

if TYPE_CHECKING:
    from airpocket.brief.map_model import MapView


def map_(  # noqa: PLR0913 - one flag each
    asset: str,
    *,
    asof: str | None = None,
    since: str = "24h",
    venue: str = "",
    store: Path = Path("store"),
    demo: Annotated[bool, Parameter(negative="")] = False,
    png: Path | None = None,
    svg: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Who is forced out at which prices: dollars at risk, ladder, clusters, what moved, where the book is thin.

    Where public accounts are stored (airpocket census), what they hold stands at their own prices and is shown
    apart. docs/map.md says how far to trust the rest.

    Args:
        asset: The coin, such as ETH.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        since: What to compare with: a length of time before it, or a moment.
        venue: Only this venue's contracts.
        store: Folder of the store.
        demo: The bundled SIMULATED market instead of a store.
        png: Also write the heatmap with the ladder beside it to this file (needs the extra [pictures]).
        svg: Also write the heatmap alone to this file.
        as_json: Print JSON instead of the terminal page.
    """
    check_asof(asof)
    if demo:
        from tempfile import TemporaryDirectory

        from airpocket.delivery.simulated import bundled_store

        with TemporaryDirectory(prefix="airpocket-map-") as place:
            bundled_store(Path(place))
            view = _view(asset, Path(place), asof, since, venue)
    else:
        view = _view(asset, store, asof, since, venue)
    _draw(view, png, svg)
    sys.stdout.write(_as_json(view) if as_json else _as_page(view))
    for path in (png, svg):
        if path is not None:
            sys.stderr.write(f"wrote {path}\n")
    return 0


def _view(asset: str, store: Path, asof: str | None, since: str, venue: str) -> "MapView":
    from airpocket.delivery.warmup import compiling

    with compiling():
        from airpocket.delivery.answers import map_of

        return map_of(asset, store, asof, since, venue)


def _draw(view: "MapView", png: Path | None, svg: Path | None) -> None:
    from airpocket.delivery.files import write_bytes, write_text
    from airpocket.domain.errors import NothingKnown

    if png is None and svg is None:
        return
    if svg is not None:
        from airpocket.brief.heat import heat_file

        try:
            text = heat_file(view.map, view.asset, view.as_of, simulated=view.simulated)
        except ValueError as error:
            raise NothingKnown(f"no heatmap of {view.asset}: {error}") from error
        write_text(svg, text)
    if png is not None:
        from airpocket.delivery.map_picture import picture

        write_bytes(png, picture(view))


def _as_json(view: "MapView") -> str:
    from airpocket.brief.as_json import render_struct

    return render_struct(view).decode()


def _as_page(view: "MapView") -> str:
    from rich.console import Console

    from airpocket.brief import map_page, terminal

    console = Console()
    return terminal.sheet(
        view.headline, map_page.price_line(view), map_page.parts(view),
        simulated=view.simulated, width=min(console.width, 120) if console.is_terminal else 100,
        colour=console.is_terminal and not console.no_color,
    )  # fmt: skip
