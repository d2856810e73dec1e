"""Recorded years of fund flows, supply and volatility: what the page says can be counted again."""

from dataclasses import replace

import pytest

from airpocket.domain.errors import BadInput
from airpocket.evaluation.flows import FlowsEvidence, flows_evidence
from airpocket.evaluation.flows_page import as_data, markdown, tables
from airpocket.signals.driver_records import Relation
from airpocket.signals.relation import RelationSettings


@pytest.fixture(scope="module")
def found(shared) -> FlowsEvidence:
    return flows_evidence(shared / "data", RelationSettings(draws=100), placebo_shifts=2)


@pytest.mark.real
def test_the_trading_calendar_agrees_with_every_day_of_the_fund_table(found: FlowsEvidence) -> None:
    by_fund, btc, eth = found.tables
    assert (by_fund.days, by_fund.trading, by_fund.empty, by_fund.wrong) == (601, 411, 0, 0)
    assert (btc.wrong, eth.wrong) == (0, 0)
    assert found.shared == (178, 178)


@pytest.mark.real
def test_every_driver_is_judged_on_its_coins_at_each_horizon(found: FlowsEvidence) -> None:
    judged = {
        (s.driver, s.coin, s.horizon_days) for s in found.studies if isinstance(s.found, Relation)
    }
    assert ("BTC ETF net flow", "BTC", 5) in judged
    assert ("USDT", "ETH", 20) in judged
    assert ("BTC ETF net flow", "ETH", 5) not in judged
    for study in found.studies:
        if isinstance(study.found, Relation):
            assert study.found.high_days + study.found.low_days <= study.found.days


@pytest.mark.real
def test_the_rule_of_size_finds_the_moves_that_were_labelled(found: FlowsEvidence) -> None:
    for mark in found.marks:
        assert mark.found >= 0.9 * mark.labels


@pytest.mark.real
def test_the_page_counts_clear_differences_against_chance(found: FlowsEvidence) -> None:
    shown = tables(found)
    assert [row[0] for row in shown[0].rows] == ["returns", "moves of forced size"]
    text = markdown(replace(found))
    assert "no history yet" in text
    assert len(as_data(found)["studies"]) == len(found.studies)  # pyright: ignore


def test_a_folder_without_the_data_is_named(tmp_path) -> None:
    with pytest.raises(BadInput, match="not there; --real takes the folder"):
        flows_evidence(tmp_path)
