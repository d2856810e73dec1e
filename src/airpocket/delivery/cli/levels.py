"""`airpocket levels ASSET`: the roadmap as a table, JSON and a picture."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import check_asof

if TYPE_CHECKING:
    from airpocket.brief.levels_model import LevelsView


def levels(
    asset: str,
    *,
    asof: str | None = None,
    store: Path = Path("store"),
    demo: Annotated[bool, Parameter(negative="")] = False,
    png: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Zones around the price, each with its reasons, what closes did to it, and what would confirm or break it.

    Most kinds of levels hold no more often than any other price (docs/evidence/levels.md): the roadmap says which
    do otherwise, and names the rest because traders look at them.

    Args:
        asset: The coin, such as ETH.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        demo: The bundled SIMULATED market instead of a store.
        png: Also write the chart to this file (needs the extra [pictures]).
        as_json: Print JSON instead of the terminal page.
    """
    check_asof(asof)
    if demo:
        from tempfile import TemporaryDirectory

        from airpocket.delivery.simulated import bundled_store

        with TemporaryDirectory(prefix="airpocket-levels-") as place:
            bundled_store(Path(place))
            view = _view(asset, Path(place), asof)
    else:
        view = _view(asset, store, asof)
    if png is not None:
        from airpocket.delivery.files import write_bytes
        from airpocket.delivery.levels_picture import picture

        write_bytes(png, picture(view))
    sys.stdout.write(_as_json(view) if as_json else _as_page(view))
    if png is not None:
        sys.stderr.write(f"wrote {png}\n")
    return 0


def _view(asset: str, store: Path, asof: str | None) -> "LevelsView":
    from airpocket.delivery.warmup import compiling

    with compiling():
        from airpocket.delivery.answers import levels_of

        return levels_of(asset, store, asof)


def _as_json(view: "LevelsView") -> str:
    from airpocket.brief.as_json import render_struct

    return render_struct(view).decode()


def _as_page(view: "LevelsView") -> str:
    from rich.console import Console

    from airpocket.brief import levels_view, terminal

    console = Console()
    return terminal.sheet(
        view.headline, levels_view.price_line(view), levels_view.parts(view),
        simulated=view.simulated, width=min(console.width, 120) if console.is_terminal else 100,
        colour=console.is_terminal and not console.no_color,
    )  # fmt: skip
