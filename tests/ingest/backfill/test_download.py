"""Archive files over a real connection on loopback: resumed, checked, and never half there."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingest.backfill.fake_venue import PUBLIC, FakeClock
from ingest.backfill.loopback import Archive, Transport, served

from airpocket.domain.errors import (
    BadInput,
    MissingExtra,
    UndecodableFrame,
    UnknownInstrument,
    VenueRefused,
)
from airpocket.domain.units import parse_time
from airpocket.ingest.backfill.archives import ArchiveFile, archive_files, mapping_of
from airpocket.ingest.backfill.download import Downloader, Fetched
from airpocket.ingest.backfill.rest import Patience
from airpocket.ingest.backfill.session import World

NOW = parse_time("2025-07-10T12:00Z")
PATH = "trading/ETHUSDT/ETHUSDT2025-05-01.csv.gz"
NAME = f"public.bybit.com/{PATH}"
FILE = ArchiveFile("public.bybit.com", (PATH,))
SUMMED = ArchiveFile("data.binance.vision", ("data/a.zip",), summed=True)
CONTENT = bytes(range(256)) * 4_096  # 1 MiB, no two parts alike by accident


@pytest.fixture
def archive() -> Iterator[Archive]:
    with served() as running:
        yield running


def fetch(
    archive: Archive, folder: Path, *files: ArchiveFile, most: int = 2**30, addresses=(PUBLIC,)
) -> Fetched:
    clock = FakeClock(NOW)
    world = World(clock, lambda: 0.5, clock.sleep, lambda _: addresses, Transport(archive))
    with Downloader("bybit_linear", world, Patience(attempts=4), most=most) as downloader:
        return downloader.fetch(files or (FILE,), folder)


def test_a_file_lies_below_the_folder_as_it_does_in_the_archive(
    archive: Archive, tmp_path: Path
) -> None:
    archive.files[NAME] = CONTENT

    got = fetch(archive, tmp_path)

    assert got == Fetched((PATH,), 0, (), len(CONTENT))
    assert (tmp_path / PATH).read_bytes() == CONTENT
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [Path(PATH).name]


def test_a_file_that_is_there_is_not_asked_for_again(archive: Archive, tmp_path: Path) -> None:
    archive.files[NAME] = CONTENT
    fetch(archive, tmp_path)

    again = fetch(archive, tmp_path)

    assert (again.kept, again.bytes_loaded) == (1, 0)
    assert len(archive.asked) == 1


def test_a_torn_download_goes_on_where_it_broke_off(archive: Archive, tmp_path: Path) -> None:
    archive.files[NAME] = CONTENT
    archive.cut[NAME] = [300_000, 400_000]

    got = fetch(archive, tmp_path)

    assert (tmp_path / PATH).read_bytes() == CONTENT
    assert [asked for _, asked in archive.asked] == ["", "bytes=300000-", "bytes=700000-"]
    assert got.bytes_loaded == len(CONTENT)


def test_a_later_run_goes_on_too(archive: Archive, tmp_path: Path) -> None:
    archive.files[NAME] = CONTENT
    archive.cut[NAME] = [100_000] * 4
    with pytest.raises(VenueRefused, match="what came before is kept, run again"):
        fetch(archive, tmp_path)
    assert not (tmp_path / PATH).exists()

    got = fetch(archive, tmp_path)

    assert (tmp_path / PATH).read_bytes() == CONTENT
    assert got.bytes_loaded == len(CONTENT) - 400_000


def test_a_server_without_ranges_begins_again(archive: Archive, tmp_path: Path) -> None:
    archive.files[NAME], archive.ranges = CONTENT, False
    archive.cut[NAME] = [300_000]

    fetch(archive, tmp_path)

    assert (tmp_path / PATH).read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(archive: Archive, tmp_path: Path) -> None:
    archive.files[NAME] = CONTENT[:1_000]
    part = tmp_path / (PATH + ".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)

    fetch(archive, tmp_path)

    assert (tmp_path / PATH).read_bytes() == CONTENT[:1_000]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_trouble_is_waited_out(status: int, archive: Archive, tmp_path: Path) -> None:
    archive.files[NAME] = CONTENT
    archive.status[NAME] = [status, status]

    assert fetch(archive, tmp_path).files == (PATH,)
    assert len(archive.asked) == 3


def test_an_archive_that_asks_for_a_long_wait_is_left_alone(
    archive: Archive, tmp_path: Path
) -> None:
    archive.status[NAME], archive.retry_after = [429], "3600"

    with pytest.raises(VenueRefused, match="status 429, and it asks to wait 3,600 s"):
        fetch(archive, tmp_path)
    assert len(archive.asked) == 1


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (302, "redirects are not followed"),
        (403, "not reachable from this place"),
        (451, "not reachable from this place"),
        (400, "answers 400"),
    ],
)
def test_a_refusal_ends_at_once(
    status: int, problem: str, archive: Archive, tmp_path: Path
) -> None:
    archive.status[NAME] = [status]

    with pytest.raises(VenueRefused, match=problem):
        fetch(archive, tmp_path)
    assert len(archive.asked) == 1


def test_what_the_archive_does_not_have_is_said_and_another_name_is_tried(
    archive: Archive, tmp_path: Path
) -> None:
    books = ArchiveFile("quote-saver.bycsi.com", ("a_ob500.data.zip", "a_ob200.data.zip"))
    archive.files["quote-saver.bycsi.com/a_ob200.data.zip"] = b"x"

    got = fetch(archive, tmp_path, books, FILE)

    assert got.files == ("a_ob200.data.zip",)
    assert got.absent == (f"https://{NAME}",)


def test_a_file_larger_than_the_limit_is_refused(archive: Archive, tmp_path: Path) -> None:
    archive.files[NAME] = CONTENT

    with pytest.raises(VenueRefused, match="larger than 1,000 bytes"):
        fetch(archive, tmp_path, most=1_000)
    assert not (tmp_path / PATH).exists()


def published(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"  a.zip\n"


def test_a_published_checksum_is_verified_and_kept_beside_the_file(
    archive: Archive, tmp_path: Path
) -> None:
    archive.files["data.binance.vision/data/a.zip"] = CONTENT
    archive.files["data.binance.vision/data/a.zip.CHECKSUM"] = published(CONTENT)

    fetch(archive, tmp_path, SUMMED)

    assert (tmp_path / "data/a.zip").read_bytes() == CONTENT
    assert (tmp_path / "data/a.zip.CHECKSUM").read_bytes() == published(CONTENT)


def test_a_file_with_another_checksum_is_thrown_away(archive: Archive, tmp_path: Path) -> None:
    archive.files["data.binance.vision/data/a.zip"] = CONTENT
    archive.files["data.binance.vision/data/a.zip.CHECKSUM"] = published(CONTENT + b"x")

    with pytest.raises(VenueRefused, match="it was thrown away, run again"):
        fetch(archive, tmp_path, SUMMED)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_checksum_that_is_none_is_refused(archive: Archive, tmp_path: Path) -> None:
    archive.files["data.binance.vision/data/a.zip.CHECKSUM"] = b"<html>"

    with pytest.raises(UndecodableFrame, match="does not start with a SHA-256"):
        fetch(archive, tmp_path, SUMMED)


def test_an_archive_at_a_private_address_is_refused(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(VenueRefused, match=r"resolves to 10\.0\.0\.1"):
        fetch(archive, tmp_path, addresses=(PUBLIC, "10.0.0.1"))
    assert archive.asked == []


def test_another_host_is_never_spoken_to(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(VenueRefused, match=r"refused to speak to https://evil\.example"):
        fetch(archive, tmp_path, ArchiveFile("evil.example", ("a.zip",)))
    assert archive.asked == []


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(MissingExtra, match=r"pip install 'airpocket\[backfill\]'"):
        Downloader("okx", World(FakeClock(NOW), lambda: 0.5))


def urls(venue: str, symbol: str, kinds: str, start: str, until: str) -> list[str]:
    span = (parse_time(start), parse_time(until))
    files = archive_files(venue, symbol, kinds.split(","), span, NOW)
    return [file.url(file.paths[0]) for file in files]


VISION = "https://data.binance.vision/data"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            ("binance_usdm", "ETHUSDT", "trade", "2025-05-01T05:00Z", "2025-05-02T01:00Z"),
            [
                f"{VISION}/futures/um/daily/aggTrades/ETHUSDT/ETHUSDT-aggTrades-2025-05-{day}.zip"
                for day in ("01", "02")
            ],
        ),
        (  # a whole month and a day more
            ("binance_spot", "ETHUSDT", "bar_1h", "2025-05-01T00:00Z", "2025-06-02T00:00Z"),
            [
                f"{VISION}/spot/monthly/klines/ETHUSDT/1h/ETHUSDT-1h-2025-05.zip",
                f"{VISION}/spot/daily/klines/ETHUSDT/1h/ETHUSDT-1h-2025-06-01.zip",
            ],
        ),
        (  # open interest and ratios lie in one file; funding only by month
            (
                "binance_coinm", "ETHUSD_PERP", "open_interest,ratio,funding", "2025-05-31T00:00Z",
                "2025-06-01T00:00Z",
            ),
            [
                f"{VISION}/futures/cm/daily/metrics/ETHUSD_PERP/ETHUSD_PERP-metrics-2025-05-31.zip",
                f"{VISION}/futures/cm/monthly/fundingRate/ETHUSD_PERP/ETHUSD_PERP-fundingRate-2025-05.zip",
            ],
        ),
        (
            ("bybit_spot", "ETHUSDT", "trade", "2025-05-01T00:00Z", "2025-05-02T00:00Z"),
            ["https://public.bybit.com/spot/ETHUSDT/ETHUSDT_2025-05-01.csv.gz"],
        ),
        (
            ("bybit_inverse", "ETHUSD", "trade,depth", "2025-05-01T00:00Z", "2025-05-02T00:00Z"),
            [
                "https://public.bybit.com/trading/ETHUSD/ETHUSD2025-05-01.csv.gz",
                "https://quote-saver.bycsi.com/orderbook/inverse/ETHUSD/"
                "2025-05-01_ETHUSD_ob500.data.zip",
            ],
        ),
        (  # days of UTC+8: the next one has our last eight hours
            ("okx", "ETH-USDT-SWAP", "trade", "2025-05-01T00:00Z", "2025-05-02T00:00Z"),
            [
                "https://static.okx.com/cdn/okex/traderecords/trades/daily/2025050"
                f"{day}/ETH-USDT-SWAP-trades-2025-05-0{day}.zip"
                for day in (1, 2)
            ],
        ),
        (
            ("okx", "ETH-USDT-SWAP", "funding,depth", "2025-07-09T00:00Z", "2025-07-10T12:00Z"),
            [
                "https://static.okx.com/cdn/okex/traderecords/swaprates/daily/20250709/"
                "allswap-fundingrates-2025-07-09.zip",
                "https://static.okx.com/cdn/okx/match/orderbook/L2/400lv/daily/20250709/"
                "ETH-USDT-SWAP-L2orderbook-400lv-2025-07-09.tar.gz",
            ],
        ),
    ],
)  # fmt: skip
def test_the_files_of_a_span_are_those_that_the_venue_documents(
    asked: tuple[str, str, str, str, str], expected: list[str]
) -> None:
    assert urls(*asked) == expected


@pytest.mark.parametrize(
    ("venue", "symbol", "kinds", "problem"),
    [
        ("hyperliquid", "ETH", "trade", "no archive of 'hyperliquid'"),
        ("okx", "ETH-USDT-SWAP", "ratio", "the archive of okx has no 'ratio'; it has trade, bar"),
        ("okx", "ETH-USDT-SWAP", "bar_1h", "bars of 1m"),
        ("bybit_linear", "ETHUSDT", "funding", "has no 'funding'"),
        ("bybit_linear", "ETHUSDT", "nonsense", "no kind"),
    ],
)
def test_what_an_archive_lacks_is_refused_by_name(
    venue: str, symbol: str, kinds: str, problem: str
) -> None:
    with pytest.raises(BadInput, match=problem):
        urls(venue, symbol, kinds, "2025-05-01T00:00Z", "2025-05-02T00:00Z")


def test_a_symbol_the_venue_does_not_write_is_refused() -> None:
    with pytest.raises(UnknownInstrument):
        urls("okx", "../ETHUSDT", "trade", "2025-05-01T00:00Z", "2025-05-02T00:00Z")


def test_days_that_are_not_over_have_no_file() -> None:
    with pytest.raises(BadInput, match="archives hold days that are over"):
        urls("bybit_linear", "ETHUSDT", "trade", "2025-07-10T00:00Z", "2025-07-11T00:00Z")


def test_the_mapping_of_downloaded_files_says_what_a_mapping_file_would() -> None:
    [rule] = mapping_of("bybit_inverse", "ETHUSD", ["a"], 60).tables

    assert (rule.files, getattr(rule, "format", ""), getattr(rule, "market", "")) == (
        ("a",),
        "bybit_archive",
        "inverse",
    )
