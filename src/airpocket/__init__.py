"""Forced-flow risk in crypto perpetuals: who is forced out, where, and what follows."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "brief_of"]

if TYPE_CHECKING:
    from os import PathLike

    from airpocket.brief.model import Brief


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
