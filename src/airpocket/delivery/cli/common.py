"""What several commands share: the moment asked for, and the brief of it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpocket.brief.model import Brief


def check_asof(asof: str | None) -> None:
    """Refuse a moment that can't be read.

    Raises:
        BadInput: not a time with its zone.
    """
    from airpocket.domain.errors import BadInput
    from airpocket.domain.units import parse_time

    if asof is None:
        return
    try:
        parse_time(asof)
    except ValueError as error:
        raise BadInput(f"--asof: {error}") from error


def stored_brief(asset: str, store: Path, asof: str | None) -> "Brief":
    """The brief from a store, with a word on stderr while kernels compile for the first time."""
    from airpocket.delivery.warmup import compiling

    check_asof(asof)
    with compiling():
        from airpocket.delivery.answers import brief_of

        return brief_of(asset, store, asof)
