"""`airpocket decode VENUE < frames.jsonl`: what a venue's recorded frames say, one event a line."""


def decode(venue: str, *, address: str = "") -> int:
    """Decode recorded frames from standard input, one a line, to one JSON object an event.

    Prices are decimal, sizes in coin where the contract's size is known, times in ns. A frame that
    can't be decoded gives {"undecodable": reason}; the exit status is 0 all the same.

    Args:
        venue: Whose frames: binance_usdm, bybit_linear, ...; docs/venues.md has them all.
        address: Where they came from; a REST body names no symbol, its address does.
    """
    import sys

    import msgspec

    from airpocket.domain.depth import plain
    from airpocket.domain.errors import UndecodableFrame
    from airpocket.ingest.venues.registry import venue_named
    from airpocket.ingest.world import SystemClock

    adapter, heard = venue_named(venue), SystemClock().now()
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        frame = line.strip()
        if not frame:
            continue
        try:
            for event in adapter.decode(frame, heard, address):
                out.write(msgspec.json.encode(event, enc_hook=plain) + b"\n")
        except UndecodableFrame as error:
            out.write(msgspec.json.encode({"undecodable": str(error)}) + b"\n")
    out.flush()
    return 0
