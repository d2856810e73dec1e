"""The MCP server, spoken to by the protocol's own client: every tool, refusals, bounds, and stdio for real."""

import asyncio
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.brief import as_json
from airpocket.delivery.cli import main
from airpocket.delivery.mcp.fitting import MOST_BYTES, fitted, provenances
from airpocket.ingest.world import SystemClock

mcp = pytest.importorskip("mcp")
from mcp.client import Client  # noqa: E402
from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: E402

from airpocket.delivery.mcp.server import Tools, built  # noqa: E402

HELD = """
[[position]]
venue = "sim_perp"
symbol = "ETHUSDT"
side = "short"
size_coin = 50
entry_price = 3500
opened_at = 2026-01-14T00:00:00Z
margin_mode = "isolated"
leverage_x = 10
"""
TOOLS = {
    "brief": {"asset": "ETH"}, "verdict": {"asset": "eth"}, "liquidation_map": {"asset": "ETH"},
    "cascade": {"asset": "ETH"}, "fuel": {"asset": "ETH"}, "levels": {"asset": "ETH"}, "flows": {"asset": "ETH"},
    "what_if": {"asset": "ETH", "push_usd": 5e6, "minutes": 1}, "plan": {"positions": HELD},
    "stress": {"positions": HELD}, "hedge": {"positions": HELD}, "coverage": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def tools(bundled):
    return Tools(bundled, SystemClock())


def called(tools, name: str, arguments: dict):
    """(is_error, text) of one call by a client of its own."""

    async def call():
        async with Client(built(tools)) as client:
            answer = await client.call_tool(name, arguments)
            [text] = answer.content
            return answer.is_error, text.text

    return asyncio.run(call())


def test_every_tool_is_told_as_reading_only_with_its_arguments(tools):
    async def call():
        async with Client(built(tools)) as client:
            return (await client.list_tools()).tools

    found = {each.name: each for each in asyncio.run(call())}
    assert set(found) == set(TOOLS)
    for each in found.values():
        assert each.annotations.read_only_hint
        assert each.annotations.destructive_hint is False
        assert each.description
        assert not {"store", "path", "file", "sql"} & set(each.input_schema["properties"])


@pytest.mark.parametrize("name", TOOLS)
def test_every_answer_has_its_moment_its_age_and_its_provenance(tools, name):
    wrong, text = called(tools, name, TOOLS[name])
    assert not wrong, text
    assert len(text) < MOST_BYTES + 1_000
    told = json.loads(text)
    assert told["as_of"].endswith("Z")
    assert told["answer"]
    if name == "coverage":
        assert {row["venue"] for row in told["answer"]} >= {"sim_perp"}
        assert all(row["age_s"] > 0 for row in told["answer"])
        return
    assert told["age_s"] > 0
    assert told["simulated"] is True
    assert told["asset"] == "ETH"
    assert told["provenance"]
    if told["provenance"] == "each figure says its own":
        assert sum(told["figures"].values()) > 0


def test_the_verdict_is_the_briefs_own(tools):
    _, text = called(tools, "verdict", {"asset": "ETH"})
    whole = json.loads(as_json.render(tools._reader._composed[1]))
    told = json.loads(text)
    assert told["answer"]["answer"] == whole["answer"]
    assert told["answer"]["verdict"]["state"] == whole["verdict"]["state"]
    assert [t["state"] for t in told["answer"]["triggers"]] == [
        t["state"] for t in whole["triggers"]
    ]
    parts = [whole[key] for key in ("verdict", "triggers", "clusters", "regimes", "record")]
    assert told["figures"] == provenances(parts)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("brief", {"asset": "../../etc"}, "a coin such as ETH"),
        ("brief", {"asset": "MOON"}, "no price bars of MOON"),
        ("brief", {"asset": "ETH", "asof": "yesterday"}, "asof"),
        ("brief", {"asset": "E" * 50}, "20"),
        ("liquidation_map", {"asset": "ETH", "venue": "moon"}, "nothing of ETH on 'moon'"),
        ("liquidation_map", {"asset": "ETH", "venue": "'; DROP"}, "a name such as binance_usdm"),
        ("what_if", {"asset": "ETH"}, "nothing is asked"),
        ("what_if", {"asset": "ETH", "push_usd": 1e6, "minutes": 1e9}, "minutes"),
        ("what_if", {"asset": "ETH", "push_usd": float("1e300")}, "push_usd"),
        ("plan", {"positions": "size_coin = 1"}, "size_coin"),
        ("plan", {"positions": HELD.replace("short", "sideways")}, "side"),
        ("stress", {"positions": "[" * 3_000}, "not TOML"),
        ("hedge", {"positions": HELD, "gap_percent": -1}, "gap_percent"),
        ("coverage", {"asset": "DOGE"}, "nothing of DOGE"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_an_error_that_names_it(tools, name, arguments, said):
    wrong, text = called(tools, name, arguments)
    assert wrong
    assert said in text
    assert "Traceback" not in text


def test_a_fault_of_ours_tells_nothing_of_its_insides(tools, monkeypatch, capsys):
    monkeypatch.setattr(type(tools._opened()), "coverage", lambda *_: 1 / 0)
    wrong, text = called(tools, "coverage", {})
    assert wrong
    assert "a fault of airpocket" in text
    assert "division" not in text
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_command_speaks_over_stdin_and_stdout(bundled):
    async def call():
        way = StdioServerParameters(
            command=sys.executable, args=["-m", "airpocket", "mcp", "--store", str(bundled)]
        )
        async with Client(stdio_client(way)) as client:
            names = {each.name for each in (await client.list_tools()).tools}
            answer = await client.call_tool("coverage", {"asset": "ETH"})
            return names, answer.content[0].text

    names, text = asyncio.run(call())
    assert names == set(TOOLS)
    assert json.loads(text)["series"] > 0


def test_without_the_extra_its_name_is_said(monkeypatch, capsys, bundled):
    monkeypatch.setitem(sys.modules, "airpocket.delivery.mcp.server", None)
    assert main(["mcp", "--store", str(bundled)]) == 5
    assert "airpocket[mcp]" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(["mcp", "--store", str(bundled / "none")]) == 4


plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text()
)
trees = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=60,
)


@settings(max_examples=40)
@given(trees, st.integers(1, 400))
def test_answers_fit_whatever_they_hold(tree, times):
    answer, left = fitted({"rows": [tree] * times, "value": None})
    assert (
        len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())
        <= MOST_BYTES * 2
    )
    if answer is None:
        assert left.startswith("everything")
    else:
        assert answer["value"] is None
