"""`airpocket cascade ASSET`: one section of the brief."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import stored_brief

if TYPE_CHECKING:
    from airpocket.brief.model import Brief


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
        brief.answer,
        page.price_line(brief),
        parts,
        simulated=brief.health.simulated,
        width=width,
        colour=console.is_terminal and not console.no_color,
    )
