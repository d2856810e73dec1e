"""`airpocket flows`: files in, vintages kept, sources listed, and refusals that say what to do."""

import json
from pathlib import Path

import pytest

from airpocket.delivery.cli import main

TABLE = "Date,IBIT,FBTC,Total\n02 Jul 2025,10.0,(3.0),7.0\n03 Jul 2025,5.0,-,5.0\n"


def test_a_fund_table_is_kept_and_a_later_one_adds_vintages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, store = tmp_path / "funds.csv", str(tmp_path / "store")
    table.write_text(TABLE)
    assert (
        main(
            [
                "flows",
                "add",
                str(table),
                "--asset",
                "btc",
                "--publisher",
                "farside",
                "--store",
                store,
            ]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert "4 new, 0 revised, 0 as told before" in told
    assert "2025-07-03: half published, no figure of FBTC; no net flow" in told
    table.write_text(
        TABLE.replace("5.0,-,5.0", "5.0,1.0,6.0").replace("10.0,(3.0),7.0", "11.0,(3.0),8.0")
    )
    main(
        [
            "flows",
            "add",
            str(table),
            "--asset",
            "BTC",
            "--publisher",
            "farside",
            "--store",
            store,
            "--json",
        ]
    )
    [told] = json.loads(capsys.readouterr().out)
    assert (told["new"], told["revised"], told["unchanged"]) == (2, 2, 2)
    assert any(
        "etf_net_flow:IBIT 2025-07-02: 1e+07 → 1.1e+07" in line for line in told["revisions"]
    )
    main(
        ["store", "sql", "SELECT count(*) AS n, count(published) AS p FROM flow", "--store", store]
    )
    assert "8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add"], "name a file"),
        (["add", "x.csv", "--publisher", "nobody"], "must be one of flows, farside"),
        (["add", "nowhere.csv"], "No such file"),
        (["collect", "ETH", "--source", "nobody"], "no source 'nobody'"),
        (["collect", "ETH", "--through", "http://x:1"], "without a scheme"),
        (["collect", "ETH", "--every", "soon"], "--every soon"),
        (["show", "ETH", "--store", "nowhere"], "no store at"),
    ],
)
def test_what_cannot_be_done_says_why(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flows", *arguments]) != 0
    assert says in capsys.readouterr().err


def test_sources_say_their_terms_and_where_keys_are_looked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["flows", "sources", "--json"]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert "not for commercial use" in told["coinmetrics"]["terms"]
    assert told["coinglass"]["key_env"] == "AIRPOCKET_COINGLASS_KEY"
    assert told["stablecoins"]["usual"]
