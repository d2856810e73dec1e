"""Writes docs/wire-coverage.md: of every recorded file how many frames are decoded, and why the rest is not."""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from airpocket.domain.errors import UndecodableFrame
from airpocket.ingest.venues.registry import VENUES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "wire-coverage.md"
HEARD = 1_800_000_000_000_000_000
_NOT_FRAMES = ("LICENSE", "LICENSE.md", "README.md", "PROVENANCE.md", "SHA256SUMS")
_HEAD = """# Recorded frames and what becomes of them

Every recorded file that the tests know, and how many of its frames the decoders understand. A frame is
decoded (which gives no event where it tells nothing of a market) or refused with a reason; nothing else ever
happens to one. Files of venues without an adapter are given to every decoder, to see that nothing in them
stops one. Made by `scripts/wire_table.py` from the recordings beside the checkout, which are not part of the
project.
"""
# the beginning of a file's name, lower case → the venues whose dialect it may be, likeliest first
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("binance-delivery", ("binance_coinm",)), ("binance-dex", ()), ("binance-european", ()),
    ("binance", ("binance_usdm", "binance_spot", "binance_coinm")),
    ("bybit", ("bybit_linear", "bybit_inverse", "bybit_spot")), ("okcoin", ()),
    ("okex", ("okx",)), ("okx", ("okx",)),
    ("deribit", ("deribit",)), ("hyperliquid", ("hyperliquid",)), ("cryptofacilities", ("kraken_futures",)),
    ("kraken_futures", ("kraken_futures",)), ("kraken", ("kraken_spot", "kraken_futures")),
    ("coinbase-international", ()), ("coinbase", ("coinbase",)),
)  # fmt: skip
# what the answers of one folder were asked for; elsewhere the file says so itself
_ASKED = {
    "http_get_instruments_swap": "public/instruments?instType=SWAP",
    "http_get_instruments_option": "public/instruments?instType=OPTION",
    "http_get_mark_price": "public/mark-price?instType=SWAP",
    "http_get_option_summary": "public/opt-summary?instFamily=BTC-USD",
    "http_get_order_book": "market/books?instId=BTC-USDT-SWAP", "http_get_trades": "market/trades?instId=BTC-USDT",
}  # fmt: skip
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|[-+]?\d[\d.,e+-]*")


class Row(NamedTuple):
    """One file; `venues`: who may understand it, none where there is no adapter; `why`: reason → frames."""

    file: str
    venues: tuple[str, ...]
    frames: int
    decoded: int
    events: int
    why: Counter[str]


def files(wire: Path) -> list[Path]:
    """Every recorded file."""
    return sorted(p for p in wire.rglob("*") if p.is_file() and p.name not in _NOT_FRAMES)


def row(wire: Path, path: Path) -> Row:
    """What becomes of the frames of one file."""
    name = path.relative_to(wire).as_posix()
    venues = _venues(path.relative_to(wire))
    count = decoded = events = 0
    why: Counter[str] = Counter()
    for address, frame in frames(path):
        count += 1
        results = [_decoded(venue, frame, address) for venue in venues or tuple(VENUES)]
        if not venues:
            why["no adapter of this venue"] += 1
            continue
        found = next((each for each in results if isinstance(each, int)), None)
        if found is None:
            why[str(results[0])] += 1
        else:
            decoded, events = decoded + 1, events + found
    return Row(name, venues, count, decoded, events, why)


def _decoded(venue: str, frame: bytes, address: str) -> int | str:
    """How many events, or why none."""
    try:
        return len(VENUES[venue].decode(frame, HEARD, address))
    except UndecodableFrame as error:
        return _plain(str(error))


def _venues(path: Path) -> tuple[str, ...]:
    if path.parts[0] == "nautilus_trader":
        return (path.parts[1],)
    if path.parts[0] == "hftbacktest":
        return (f"binance_{path.parts[1]}",)
    if path.parts[0] == "hyperliquid-python-sdk":
        return ("hyperliquid",)
    return next((who for start, who in _FAMILIES if path.name.lower().startswith(start)), ())


def frames(path: Path) -> Iterator[tuple[str, bytes]]:
    """(address, frame) of a file, whichever way it keeps them; what was sent and configurations are left out."""
    folder, raw = path.parts[-2], path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    if path.suffix == ".json" or path.name.endswith(".json.gz"):
        asked = _ASKED.get(path.name.split(".")[0], "")
        yield (f"https://www.okx.com/api/v5/{asked}" if asked else ""), text
    elif ".yaml" in path.name:
        yield from _cassette(text.decode())
    elif path.suffix == ".jsonl" and folder == "live-2026":
        yield from (("", line) for line in text.splitlines() if line.strip())
    elif path.suffix == ".jsonl":
        key = "raw" if folder == "crypto-msg-parser" else "message"
        for line in text.splitlines():
            held = cast("dict[str, object]", json.loads(line))[key]
            yield "", held.encode() if isinstance(held, str) else json.dumps(held).encode()
    elif folder in ("usdm", "spot"):
        yield from (
            ("ethusdt@depthSnapshot", line.partition(b" ")[2]) for line in text.splitlines()
        )
    else:
        yield from _printed(text)


def _printed(text: bytes) -> Iterator[tuple[str, bytes]]:
    """'<unix s>: <frame>' was received, '<address> -> <unix s>: <body>' answered."""
    for line in text.splitlines():
        address, arrow, rest = line.partition(b" -> ")
        if not arrow or not address.startswith(b"http"):
            address, rest = b"", line
        stamp, found, frame = rest.partition(b": ")
        if found and stamp.replace(b".", b"").isdigit():
            yield address.decode(), frame


def _cassette(text: str) -> Iterator[tuple[str, bytes]]:
    """Question and answer of a recorded HTTP call."""
    asked = re.findall(r"body: '?(\{.*?\})'?\n", text)
    for at, body in enumerate(re.findall(r"string: ('.*?'|\".*?\"|[^'\"\n]+)\n", text, re.DOTALL)):
        whole = " ".join(body.strip("'\"").split())
        yield f"info#{asked[at] if at < len(asked) else ''}", whole.encode()


def _plain(reason: str) -> str:
    """A reason without the venue and what varies from frame to frame, but for the names of kinds."""
    text = reason.partition(": ")[2]
    return text[:70] if text.startswith("unknown") else _VARYING.sub("…", text)[:70]


def page(wire: Path) -> str:
    """The whole page."""
    rows = [row(wire, path) for path in files(wire)]
    ours = [each for each in rows if each.venues]
    lines = [
        _HEAD,
        f"\n{len(rows)} files with {sum(r.frames for r in rows):,} frames; {len(ours)} files of venues with an"
        f" adapter: {sum(r.frames for r in ours):,} frames, {sum(r.decoded for r in ours):,} decoded.\n",
        "\n| file | frames | decoded | events | refused | why |\n|---|--:|--:|--:|--:|---|\n",
    ]
    for each in rows:
        why = "; ".join(f"{reason} ×{n}" for reason, n in each.why.most_common(4))
        more = len(each.why) - 4
        why += f"; {more} more reasons" if more > 0 else ""
        told = why.replace("|", "&#124;").replace("<", "&lt;")
        lines.append(
            f"| {each.file} | {each.frames:,} | {each.decoded:,} | {each.events:,} |"
            f" {each.frames - each.decoded:,} | {told} |\n"
        )
    return "".join(lines)


def main(arguments: list[str]) -> int:
    """Write the page from the recordings in the named folder, ../shared/wire by default."""
    wire = Path(arguments[0]) if arguments else ROOT.parent / "shared" / "wire"
    if not wire.is_dir():
        print(f"{wire}: no recordings lie here", file=sys.stderr)
        return 2
    PAGE.write_text(page(wire), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
