"""Which feeds an asset needs: its usual contracts on every venue that can be heard without keys."""

from collections.abc import Iterable, Mapping

from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.instruments import instruments_of
from airpocket.ingest.feed import Feed
from airpocket.ingest.venue import Decode, SizedDecode
from airpocket.ingest.venues.registry import FEEDS, VENUES


def feeds_of(assets: Iterable[str], venues: Iterable[str] = ()) -> dict[str, Feed]:
    """The feed of each venue (of all where none is named), with the contracts of all assets.

    Raises:
        BadInput: no asset, or no such venue; names those there are.
        NothingKnown: none of them lists any of the assets under a usual name.
    """
    named = tuple(assets)
    if not named:
        raise BadInput("name an asset, such as ETH")
    wanted = tuple(venues) or tuple(FEEDS)
    for name in wanted:
        if name not in FEEDS:
            raise BadInput(f"no feed of '{name}'; there are: {', '.join(sorted(FEEDS))}")
    symbols: dict[str, list[str]] = {}
    for asset in named:
        for contract in instruments_of(asset):
            # Deribit's and OKX's options come with their perpetuals
            heard = contract.kind in ("spot", "linear", "inverse") or (
                contract.kind == "option" and contract.venue.endswith("_options")
            )
            if (
                contract.venue in wanted
                and heard
                and contract.symbol not in symbols.get(contract.venue, ())
            ):
                symbols.setdefault(contract.venue, []).append(contract.symbol)
    if not symbols:
        raise NothingKnown(f"no venue of {', '.join(wanted)} lists {', '.join(named)}")
    return {name: FEEDS[name](tuple(symbols[name])) for name in wanted if name in symbols}


def decoders() -> Mapping[str, Decode]:
    """The decoder of every venue."""
    return {name: venue.decode for name, venue in VENUES.items()}


def sized_decoders() -> Mapping[str, SizedDecode]:
    """Makers of decoders that know contract sizes, of the venues that count contracts."""
    return {
        name: venue.decode_with for name, venue in VENUES.items() if venue.decode_with is not None
    }
