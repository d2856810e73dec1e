"""Forced-flow risk in crypto perpetuals: who is forced out, where, and what follows."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "brief_of", "widget"]

if TYPE_CHECKING:
    from os import PathLike

    from airpocket.brief.model import Brief
    from airpocket.delivery.notebook import ChartWidget, Theme


def brief_of(asset: str, *, store: "str | PathLike[str]", asof: str | None = None) -> "Brief":
    """The brief of `asset` from the store, as `airpocket brief` prints it (`airpocket.brief` is its stage).

    Args:
        asset: The coin, such as ETH.
        store: Folder of the store.
        asof: ISO time with zone; default: the newest price stored.

    Raises:
        NothingKnown: the store has nothing on the asset at that time.
        StoreDamaged: a file is not what the manifest says.
        ValueError: `asof` is no time with a zone.
    """
    from airpocket.delivery import answers

    return answers.brief_of(asset, store, asof)


def widget(
    of: "Brief | str", *, store: "str | PathLike[str] | None" = None, asof: str | None = None,
    height: int = 560, theme: "Theme" = "auto",
) -> "ChartWidget":  # fmt: skip
    """A notebook's chart of a brief, or of an asset in a store: the last line of a cell shows it.

    Args:
        of: A brief, or the coin, such as ETH; then `store` is needed.
        store: Folder of the store.
        asof: ISO time with zone; default: the newest price stored.
        height: Of the picture, px.
        theme: auto takes the notebook's; else dark or light.

    Raises:
        MissingExtra: the extra [notebook] is not installed.
        BadInput: an asset without a store, or a height or theme that can't be.
        NothingKnown: nothing is known of the asset then, or too little for candles.
    """
    from airpocket.domain.errors import BadInput, MissingExtra

    try:
        from airpocket.delivery.notebook import widget_of
    except ImportError as error:
        raise MissingExtra("widget", "notebook") from error
    if isinstance(of, str):
        if store is None:
            raise BadInput(f"widget: '{of}' is an asset: name the store it lies in")
        of = brief_of(of, store=store, asof=asof)
    return widget_of(of, height=height, theme=theme)
