"""What is kept of what was told: vintages, revisions, units that change, and the collector on a loopback source."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.errors import BadInput, UndecodableFrame
from airpocket.domain.flows import TOKENS
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS, TimeNs, parse_time
from airpocket.ingest.ask import Asker
from airpocket.ingest.flows.collect import Outside, collect
from airpocket.ingest.flows.keep import Publisher, keep
from airpocket.ingest.flows.sources import SOURCES, Asking, Chosen, chosen, read_choice
from airpocket.ingest.flows.told import Observation, Told, Transfer
from airpocket.ingest.lake import Lake

MONDAY = parse_time("2025-06-02T00:00Z")
LLAMA = Publisher("defillama", "defillama, collected")


def told(*values: float, unit: str = TOKENS, first: int = 0) -> Told:
    return Told(tuple(
        Observation("USDT", "usdt_supply", MONDAY + (first + k) * DAY_NS, value, unit)
        for k, value in enumerate(values)
    ))  # fmt: skip


def rows(lake: Lake, until: int | None = None) -> list[tuple[int, int, float]]:
    frame = lake.read("flow", "defillama", "USDT", until=until)
    frame = frame.select(pl.col("ts", "usable_from").dt.epoch("us") * 1_000, "value")
    return [
        ((ts - MONDAY) // DAY_NS, (seen - MONDAY) // DAY_NS, value)
        for ts, seen, value in frame.iter_rows()
    ]


@pytest.mark.fault("D05")
def test_a_figure_told_again_is_no_row_and_a_changed_one_is_a_further_vintage(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path)
    first = keep(lake, LLAMA, told(100.0, 110.0), MONDAY + 3 * DAY_NS)
    again = keep(lake, LLAMA, told(100.0, 110.0, 120.0), MONDAY + 4 * DAY_NS)
    changed = keep(lake, LLAMA, told(100.0, 115.0, 120.0), MONDAY + 5 * DAY_NS)
    assert [(k.new, k.revised, k.unchanged) for k in (first, again, changed)] == [
        (2, 0, 0),
        (1, 0, 2),
        (0, 1, 2),
    ]
    assert changed.revisions == ("USDT usdt_supply 2025-06-03: 110 → 115",)
    assert rows(lake) == [(0, 3, 100.0), (1, 3, 110.0), (1, 5, 115.0), (2, 4, 120.0)]


@pytest.mark.fault("D05")
def test_a_store_asked_as_of_then_shows_what_was_known_then(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    keep(lake, LLAMA, told(100.0), MONDAY + 3 * DAY_NS)
    keep(lake, LLAMA, told(90.0), MONDAY + 5 * DAY_NS)
    assert rows(lake, MONDAY + 2 * DAY_NS) == []
    assert rows(lake, MONDAY + 4 * DAY_NS) == [(0, 3, 100.0)]
    assert rows(lake, MONDAY + 5 * DAY_NS) == [(0, 3, 100.0), (0, 5, 90.0)]


@settings(max_examples=20)
@given(
    answers=st.lists(
        st.lists(st.sampled_from([50.0, 60.0, 70.0]), min_size=1, max_size=5),
        min_size=1,
        max_size=5,
    )
)
def test_after_any_answers_each_moment_shows_the_newest_answer_of_then(
    tmp_path_factory: pytest.TempPathFactory, answers: list[list[float]]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("s"))
    known: dict[int, float] = {}
    history: list[dict[int, float]] = []
    for at, values in enumerate(answers):
        keep(lake, LLAMA, told(*values), MONDAY + (10 + at) * DAY_NS)
        known = known | dict(enumerate(values))
        history.append(known)
    for at, expected in enumerate(history):
        # of a day the row seen last comes last
        shown = {day: value for day, _, value in rows(lake, MONDAY + (10 + at) * DAY_NS)}
        assert shown == expected


def test_days_told_before_that_come_a_million_times_smaller_are_another_unit(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path)
    keep(lake, LLAMA, told(1.4e11, 1.41e11, 1.42e11), MONDAY + 5 * DAY_NS)
    before = rows(lake)
    with pytest.raises(UndecodableFrame, match="has its unit changed"):
        keep(lake, LLAMA, told(1.4e5, 1.41e5, 1.42e5, 1.43e5), MONDAY + 6 * DAY_NS)
    with pytest.raises(UndecodableFrame, match="comes in USD, not in tokens"):
        keep(lake, LLAMA, told(1.4e11, unit="USD"), MONDAY + 6 * DAY_NS)
    assert rows(lake) == before


def test_history_by_rule_is_known_when_it_was_due_and_only_where_nothing_was_kept(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path)
    ruled = Publisher("defillama", "defillama, collected", by_rule=True)
    keep(lake, ruled, told(1.0, 2.0), MONDAY + 9 * DAY_NS)
    keep(lake, ruled, told(1.0, 2.5, 3.0), MONDAY + 10 * DAY_NS)
    assert rows(lake) == [(0, 1, 1.0), (1, 2, 2.0), (1, 10, 2.5), (2, 10, 3.0)]
    sources = lake.read("flow", "defillama", "USDT")["source"].to_list()
    assert [source.endswith("known by rule") for source in sources] == [True, True, False, False]


def test_a_transfer_is_kept_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    moved = Transfer("USDT", "ethereum:aa", MONDAY, 5e6, 4.9e6, "unknown", "exchange")
    alert = Publisher("whale_alert", "whale_alert, collected")
    assert keep(lake, alert, Told(transfers=(moved, moved)), MONDAY + HOUR_NS).new == 1
    assert keep(lake, alert, Told(transfers=(moved,)), MONDAY + 2 * HOUR_NS).unchanged == 1
    assert len(lake.read("transfer", "whale_alert", "USDT")) == 1


class Clock:
    def __init__(self, now: int) -> None:
        self.at = now

    def now(self) -> TimeNs:
        return TimeNs(self.at)

    def monotonic(self) -> int:
        return self.at


PATHS: dict[str, tuple[int, bytes]] = {}
HEARD: list[tuple[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        HEARD.append((path, self.headers.get("CG-API-KEY", "")))
        status, answer = PATHS.get(path, (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def gate() -> Iterator[str]:
    PATHS.clear()
    HEARD.clear()
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def ask(gate: str, lake: Lake, wanted: list[Chosen], now: int, keys: dict[str, str] | None = None):
    async def run():
        asker = Asker({}, Clock(now), gate=gate)
        try:
            return await collect(
                lake, wanted, ("ETH",), Outside(asker, Clock(now), keys or {}, "SIMULATED test")
            )
        finally:
            await asker.close()

    return asyncio.run(run())


CHART = "/stablecoins.llama.fi/stablecoincharts/all"
INDEX = "/www.deribit.com/api/v2/public/get_volatility_index_data"


def charted(*values: float) -> bytes:
    return json.dumps([
        {"date": str((MONDAY + k * DAY_NS) // SECOND_NS), "totalCirculating": {"peggedUSD": value}}
        for k, value in enumerate(values)
    ]).encode()  # fmt: skip


def test_a_source_in_trouble_is_named_and_holds_nobody_up(tmp_path: Path, gate: str) -> None:
    PATHS[CHART] = (200, charted(1e11, 1.1e11))
    PATHS[INDEX] = (200, b"<html>maintenance</html>")
    PATHS["/farside.co.uk/ethereum-etf-flow-all-data/"] = (403, b"<html>no</html>")
    wanted = chosen(["dvol", "farside", "stablecoins"])
    found = ask(gate, Lake(tmp_path), wanted, MONDAY + 3 * DAY_NS)
    told = {one.about: one.trouble for one in found}
    assert "an HTML page instead of data" in told["DVOL of ETH"]
    assert "403" in told["funds of ETH"]
    assert told["usdt_supply"] == told["usdc_supply"] == told["stablecoin_supply"] == ""
    assert [one.kept.new for one in found if not one.trouble] == [2, 2, 2]


def test_after_a_week_without_answers_the_week_is_kept_as_seen_now(
    tmp_path: Path, gate: str
) -> None:
    lake, wanted = Lake(tmp_path), chosen(["stablecoins"])
    PATHS[CHART] = (200, charted(1e11, 1.1e11))
    ask(gate, lake, wanted, MONDAY + 2 * DAY_NS)
    PATHS[CHART] = (503, b"")
    assert all("503" in one.trouble for one in ask(gate, lake, wanted, MONDAY + 5 * DAY_NS))
    PATHS[CHART] = (200, charted(*[1e11 + k for k in range(9)]))
    ask(gate, lake, wanted, MONDAY + 9 * DAY_NS)
    seen = {day: at for day, at, _ in rows(lake)}
    assert seen == {0: 2, 1: 9} | dict.fromkeys(
        range(2, 9), 9
    )  # the second day was revised on the ninth


def test_a_key_is_sent_where_it_is_needed_and_its_absence_is_told(
    tmp_path: Path, gate: str
) -> None:
    PATHS["/open-api-v4.coinglass.com/api/etf/ethereum/flow-history"] = (
        200,
        b'{"code":"0","data":[]}',
    )
    wanted = chosen(["coinglass"])
    [without] = ask(gate, Lake(tmp_path), wanted, MONDAY)
    assert without.trouble == "needs a key in AIRPOCKET_COINGLASS_KEY"
    assert HEARD == []
    ask(gate, Lake(tmp_path), wanted, MONDAY, {"AIRPOCKET_COINGLASS_KEY": "sesame"})
    assert HEARD == [("/open-api-v4.coinglass.com/api/etf/ethereum/flow-history", "sesame")]


def test_no_question_has_its_key_in_its_address_or_its_words() -> None:
    for source in SOURCES.values():
        for question in source.questions(Asking(("BTC", "ETH"), MONDAY, "sesame")):
            assert "sesame" not in f"{question.poll.address} {question.poll!r} {question.about}"


def test_sources_that_restrict_their_use_are_asked_by_name_only() -> None:
    assert "coinmetrics" not in [one.source.name for one in chosen([])]
    with pytest.raises(BadInput, match="no source 'nobody'"):
        chosen(["nobody"])


def test_a_choice_file_names_sources_and_where_their_keys_are(tmp_path: Path) -> None:
    path = tmp_path / "flows.toml"
    path.write_text(
        '[[source]]\nname = "coinglass"\nkey_env = "MINE"\n[[source]]\nname = "exchanges"\n'
        'exchanges = "okx, bybit"\n'
    )
    first, second = read_choice(path)
    assert (first.source.name, first.key_env) == ("coinglass", "MINE")
    assert second.exchanges == ("okx", "bybit")
    path.write_text('[[source]]\nname = "coinglass"\nkey = "secret"\n')
    with pytest.raises(BadInput, match="field 'key': unknown field"):
        read_choice(path)
