"""The commands a person types first: demo, brief, help, and the errors they meet."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from airpocket.delivery.cli import main

ROOT = Path(__file__).resolve().parents[2]
KEYS = [
    "schema", "asset", "as_of", "answer", "price", "health", "at_risk", "triggers", "verdict", "regimes",
    "clusters", "map", "cascade", "flows", "drivers", "roadmap", "shorts", "longs", "record",
]  # fmt: skip


def test_the_demo_says_simulated_first_and_writes_the_page(demo, capsys):
    assert main(["demo", "--out", str(demo)]) == 0
    assert "SIMULATED" in "\n".join(capsys.readouterr().out.splitlines()[:3])
    assert "SIMULATED" in (demo / "brief.html").read_text(encoding="utf-8")


def test_the_brief_as_json_has_every_section(demo, capsys):
    capsys.readouterr()
    assert main(["brief", "eth", "--store", str(demo / "store"), "--json"]) == 0
    brief = msgspec.json.decode(capsys.readouterr().out)
    assert list(brief) == KEYS
    assert [len(brief[k]) for k in ("triggers", "clusters", "flows")] == [4, 3, 4]
    assert brief["health"]["simulated"] is True


def test_an_earlier_moment_gives_an_earlier_brief(demo, capsys):
    capsys.readouterr()
    command = ["brief", "ETH", "--store", str(demo / "store"), "--json", "--asof"]
    assert main([*command, "2026-01-10T00:00Z"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["as_of"] == "2026-01-10T00:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["brief", "ETH", "--store", "/nonexistent"], 4, "no store"),
        (["brief", "XYZ"], 4, "no price bars of XYZ"),
        (["brief", "ETH", "--asof", "2026-01-10T00:00"], 2, "time zone"),
        (["brief", "ETH", "--asof", "soon"], 2, "not a time"),
        (["brief", "ETH", "--html", "/nonexistent/x.html"], 2, "can't write"),
    ],
)
def test_errors_say_what_and_where_and_set_the_exit_status(demo, capsys, arguments, status, words):
    if "--store" not in arguments:
        arguments = [*arguments, "--store", str(demo / "store")]
    assert main(arguments) == status
    assert words in capsys.readouterr().err


def test_help_loads_no_heavy_library():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for arguments in (["--help"], ["--version"], []):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "airpocket", *arguments],
            capture_output=True, text=True, env=environment, check=False,
        )  # fmt: skip
        loaded = {
            line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()
        }
        assert not loaded & {"numpy", "numba", "polars", "duckdb", "scipy", "ccxt"}
        assert done.returncode == 0
