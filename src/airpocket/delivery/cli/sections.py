"""`airpocket map ASSET` and `airpocket cascade ASSET`: one section of the brief each."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import stored_brief

if TYPE_CHECKING:
    from airpocket.brief.model import Brief


def map_(
    asset: str,
    *,
    asof: str | None = None,
    store: Path = Path("store"),
    svg: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Who is forced out at which prices: dollars at risk, clusters, and what the map rests on.

    Args:
        asset: The coin, such as ETH.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        svg: Also write the heatmap of the last two weeks to this file.
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    brief = stored_brief(asset, store, asof)
    if svg is not None:
        from airpocket.brief.heat import heat_file
        from airpocket.delivery.files import write_text
        from airpocket.domain.errors import NothingKnown

        try:
            write_text(svg, heat_file(brief))
        except ValueError as error:
            raise NothingKnown(f"no heatmap of {brief.asset}: {error}") from error
    sys.stdout.write(_shown(brief, ("at_risk", "map"), as_json=as_json))
    if svg is not None:
        sys.stderr.write(f"wrote {svg}\n")
    return 0


def cascade(
    asset: str,
    *,
    asof: str | None = None,
    store: Path = Path("store"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """What a push costs each way, where it stops, and how far forced flow carries it.

    Args:
        asset: The coin, such as ETH.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    sys.stdout.write(_shown(stored_brief(asset, store, asof), ("cascade",), as_json=as_json))
    return 0


def _shown(brief: "Brief", wanted: tuple[str, ...], *, as_json: bool) -> str:
    if as_json:
        import msgspec

        from airpocket.brief import as_json as json_form

        whole = msgspec.json.decode(json_form.render(brief))
        kept = {key: whole[key] for key in ("schema", "asset", "as_of", *wanted)}
        kept["simulated"] = brief.health.simulated
        return msgspec.json.format(msgspec.json.encode(kept)).decode() + "\n"
    from rich.console import Console

    from airpocket.brief import page, terminal

    console = Console()
    width = min(console.width, 120) if console.is_terminal else 100
    parts = [part for part in page.parts(brief, every_channel=False) if part.id in wanted]
    return terminal.sheet(
        brief.at_risk.headline if "map" in wanted else brief.answer,
        page.price_line(brief),
        parts,
        simulated=brief.health.simulated,
        width=width,
        colour=console.is_terminal and not console.no_color,
    )
