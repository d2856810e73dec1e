"""The whole drill: scored by hand on a given path of prices, and the same twice on the lab's own market."""

import json
from types import SimpleNamespace

import pytest
from drill.test_account import TERMS, at
from lab.served.worlds import world

from airpocket.delivery.cli import main
from airpocket.domain.errors import BadInput
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.drill import text
from airpocket.drill.account import Account
from airpocket.drill.follower import Follower
from airpocket.drill.market import LabMarket, Second
from airpocket.drill.orders import parse
from airpocket.drill.outlook import Outlook
from airpocket.drill.play import DrillSettings, Ticket, play
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.worldcheck import read_world, world_file

START = 1_772_409_600 * SECOND_NS
SMALL = world((), without=("sim_hyperliquid",))


class Prices:
    """A market that goes through given prices, a second each, with a book of any depth at each."""

    venue, hedge_venue, book, hedge_book, label = (
        "sim_binance",
        "sim_bybit",
        1,
        2,
        "SIMULATED prices, seed 0",
    )

    def __init__(self, *prices, funding=None):
        self.world = SMALL
        self.prices, self.k, self.funding = prices, 0, funding or {}

    @property
    def now(self):
        return START + self.k * SECOND_NS

    @property
    def over(self):
        return self.k >= len(self.prices) - 1

    def terms(self):
        return TERMS

    def mark(self, book=None):
        return self.prices[self.k]

    def next(self):
        self.k += 1
        price = self.prices[self.k]
        paid = tuple((self.book, rate) for at_s, rate in self.funding.items() if at_s == self.k)
        return Second(self.now, price, price, price, price, 1_000.0, 0.0, paid)

    def walk(self, coin, worst=None, book=None):
        return at(self.prices[self.k])(coin, worst)

    def take_facts(self):
        return []


class Script:
    def __init__(self, **orders):
        self._orders = {int(key[1:]): text for key, text in orders.items()}

    def orders(self, at_s):
        return [parse(self._orders[at_s])] if at_s in self._orders else []


def drilled(market, side="short", margin=3_000.0, script=None, entry=3_000.0, shown=None):
    ticket = Ticket(side, 10.0, margin, entry)
    show = (lambda frame: None) if shown is None else shown.append
    return play(market, ticket, DrillSettings(for_s=10_000), script or Script(), show)


def test_the_score_is_what_the_hand_computes():
    """A short from 3,000: half closed at 2,950, the rest at 3,200; the untouched one is forced out at 3,290."""
    market = Prices(3_000.0, 2_950.0, 2_900.0, 3_200.0, 3_290.0, 3_250.0, funding={2: 0.001})
    found = drilled(market, script=Script(s1="reduce 50%", s3="close"))
    fees = 0.0004 * (5 * 2_950.0 + 5 * 3_200.0)
    received = 0.001 * 5 * 2_900.0
    assert found.you.pnl_usd == pytest.approx(250.0 - 1_000.0 - fees + received)
    assert found.you.funding_usd == pytest.approx(-received)
    assert found.you.fees_usd == pytest.approx(fees)
    assert found.you.closed_s == 3
    # held: 29 received; 3,290 is past 33,029 / 10.05 = 3,286.5; 2,900 lost, the fee takes the rest
    assert found.held.liquidated
    assert found.held.closed_s == 4
    assert found.held.forced_price == 3_290.0
    assert found.held.pnl_usd == pytest.approx(-3_000.0)
    # best: all at 2,900 in the second in which funding came
    best = 1_000.0 - 0.0004 * 29_000.0 + 29.0
    assert (found.best.at_s, found.best.price) == (2, 2_900.0)
    assert found.best.pnl_usd == pytest.approx(best)
    assert found.share_kept == pytest.approx((found.you.pnl_usd + 3_000.0) / (best + 3_000.0))
    first, second = found.decisions
    assert first.saved_usd == pytest.approx(5 * (3_290.0 - 2_950.0))
    assert second.saved_usd == pytest.approx(5 * (3_290.0 - 3_200.0))
    assert first.distance_percent == pytest.approx(100 * (33_000 / 10.05 / 2_950.0 - 1))
    assert found.simulated
    assert found.forced_buys_usd == 5_000.0


class Halted(Prices):
    """Its book gives nothing in the last second, and half of what is wanted in the one before."""

    def walk(self, coin, worst=None, book=None):
        got, price = super().walk(coin, worst)
        return (got * {0: 0.0, 1: 0.5}.get(len(self.prices) - 1 - self.k, 1.0), price)


def test_what_a_halted_book_does_not_take_at_the_end_is_valued_at_the_mark():
    found = drilled(Halted(3_000.0, 2_990.0, 3_100.0, 3_200.0))
    lost = -2_000.0 - 0.0004 * 32_000.0
    assert found.you.pnl_usd == pytest.approx(lost)
    assert found.held.pnl_usd == pytest.approx(lost)
    assert (found.best.at_s, found.best.price) == (1, 2_990.0)


def test_the_plan_keeps_a_stop_for_what_the_book_did_not_give():
    follower = Follower(Account(TERMS, "short", 10.0, 3_000.0, 3_000.0))
    follower._resting["hard_stop"] = (3_050.0, 10.0)
    follower.account.add_stop(3_050.0, 10.0, 3_000.0, "hard_stop")
    follower.tick(1, 3_060.0, lambda coin, worst=None: (4.0, 3_061.0))
    nothing = Outlook(None, "the analysis failed", None, None)
    follower.obey(2, nothing, 3_062.0, at(3_062.0))
    assert [(stop.name, stop.coin) for stop in follower.account.stops] == [("hard_stop", 6.0)]


def test_margin_added_in_time_keeps_the_position_and_the_score_says_so():
    market = Prices(3_000.0, 3_200.0, 3_290.0, 3_000.0)
    found = drilled(market, script=Script(s1="margin 2000"))
    assert found.held.liquidated
    assert not found.you.liquidated
    assert found.you.margin_added_usd == 2_000.0
    assert found.you.pnl_usd == pytest.approx(-0.0004 * 30_000.0)
    assert (
        found.decisions[0].consequence
        == "without it you were out by force: the mark went to 3,290.0"
    )


def test_margin_that_was_not_needed_is_said_to_be_so():
    found = drilled(Prices(3_000.0, 3_100.0, 3_050.0), script=Script(s1="margin 2000"))
    assert "not needed" in found.decisions[0].consequence


def test_a_liquidation_and_a_stop_are_told_among_the_decisions():
    stopped = drilled(Prices(3_000.0, 3_100.0, 3_160.0, 3_290.0), script=Script(s1="stop 3150"))
    assert [d.order for d in stopped.decisions] == ["stop 3150", "your stop"]
    assert stopped.decisions[1].saved_usd == pytest.approx(10 * (3_290.0 - 3_160.0))
    assert stopped.decisions[0].consequence == "it was reached"
    forced = drilled(Prices(3_000.0, 3_290.0, 3_000.0))
    assert forced.you.liquidated
    assert [d.order for d in forced.decisions] == ["the venue forced you out"]
    assert forced.you.pnl_usd == forced.held.pnl_usd == pytest.approx(-3_000.0)


def test_a_long_is_scored_the_other_way_round():
    found = drilled(Prices(3_000.0, 3_100.0, 2_900.0), "long", script=Script(s1="reduce 4"))
    assert found.decisions[0].saved_usd == pytest.approx(4 * 200.0)
    assert found.you.pnl_usd == pytest.approx(400.0 - 600.0 - 0.0004 * (4 * 3_100.0 + 6 * 2_900.0))
    assert found.best.at_s == 1


def test_a_hedge_is_closed_at_the_end_and_counted():
    found = drilled(Prices(3_000.0, 3_000.0, 3_200.0), script=Script(s1="hedge long 10"))
    assert found.you.pnl_usd == pytest.approx(-0.0004 * (30_000.0 + 32_000.0 + 32_000.0))
    assert found.held.pnl_usd == pytest.approx(-2_000.0 - 0.0004 * 32_000.0)


def test_orders_that_make_no_sense_are_refused_and_noted():
    script = Script(s1="unhedge", s2="close", s3="reduce 5")
    found = drilled(Prices(3_000.0, 3_000.0, 3_000.0, 3_000.0, 3_000.0), script=script)
    assert [d.refused for d in found.decisions] == ["there is no hedge", "", "nothing is held"]
    assert found.decisions[0].consequence == "nothing changed"


def test_quit_ends_and_scores_what_was():
    found = drilled(Prices(3_000.0, 3_010.0, 3_020.0, 3_290.0), script=Script(s2="quit"))
    assert (found.seconds, found.price_last) == (2, 3_020.0)
    assert found.you.pnl_usd == found.held.pnl_usd


def test_the_words_say_simulated_and_hold_the_result():
    market = Prices(3_000.0, 2_950.0, 3_290.0, 3_250.0)
    found = drilled(market, script=Script(s1="close"))
    said = "\n".join(text.result(found))
    assert said.count("SIMULATED prices, seed 0") == 1
    assert "You made 488 USD. Left alone the position was forced out at 3,290.0: -3,000." in said
    assert "saved 3,400 USD against a forced exit at 3,290.0" in said


def lab(seed=1):
    return LabMarket(SMALL, seed, from_h=0.05)


def on_the_lab(seed=1, **orders):
    settings = DrillSettings(for_s=150, look_s=60)
    return play(
        lab(seed), Ticket("short", 20.0, 4_000.0), settings, Script(**orders), lambda f: None
    )


def test_the_same_seed_gives_the_same_drill_and_another_another():
    orders = {"s30": "reduce 50%", "s60": "hedge long 5", "s90": "stop 3050"}
    one, again = on_the_lab(**orders), on_the_lab(**orders)
    assert one == again
    assert on_the_lab(2, **orders) != one
    assert one.label == "SIMULATED four venues, quiet, seed 1"
    assert all("last stop at" in d.plan for d in one.decisions)


def test_the_market_never_sees_the_trader():
    market = lab()
    play(
        market,
        Ticket("short", 500.0, 200_000.0),
        DrillSettings(for_s=60),
        Script(s10="close"),
        lambda f: None,
    )
    plain = Session(SMALL, 1)
    list(plain.until(market.now))
    # the journal's rows are the same; how time was cut does not matter
    assert market.session.hash == plain.hash


def test_an_order_walks_the_book_and_pays_for_its_depth():
    market = lab()
    small, large = market.walk(1.0), market.walk(2_000.0)
    assert (small[0], large[0]) == (1.0, pytest.approx(2_000.0))
    assert large[1] > small[1] > 0.0
    sold = market.walk(-2_000.0)
    assert sold[1] < market.walk(-1.0)[1] < small[1]
    best = market.next()
    assert market.walk(1e-3)[1] == pytest.approx(best.ask)
    assert market.walk(2_000.0, worst=best.ask)[0] < 2_000.0
    assert market.walk(1.0, worst=best.ask - 1.0) == (0.0, 0.0)


def test_what_the_analysis_is_given_is_past_and_says_simulated():
    market = lab()
    facts = market.take_facts()
    assert {fact.kind for fact in facts} >= {"bar_1m", "depth", "ticker", "open_interest"}
    assert all(int(fact.ints("usable_from").max()) <= market.now for fact in facts)
    assert {source for fact in facts for source in fact.sources} == {market.label}
    assert market.take_facts() == []
    assert market.now % MINUTE_NS == 0


def test_a_position_that_cannot_be_is_refused():
    with pytest.raises(BadInput, match="forced out at once"):
        play(lab(), Ticket("short", 20.0, 10.0), DrillSettings(for_s=5), Script(), lambda f: None)
    with pytest.raises(BadInput, match="the book holds only"):
        play(lab(), Ticket("short", 1e8, 1e12), DrillSettings(for_s=5), Script(), lambda f: None)
    with pytest.raises(BadInput, match="linear perpetuals here: sim_binance, sim_bybit"):
        LabMarket(SMALL, 1, "sim_okx")
    with pytest.raises(BadInput, match="--from-h"):
        LabMarket(SMALL, 1, from_h=99.0)


def test_the_command_plays_a_script_and_prints_json(tmp_path, capsys):
    script = tmp_path / "orders.txt"
    script.write_text("00:20 reduce 25%\n01:00 close\n")
    command = ["drill", "four_venues", "--from-h", "0.05", "--for", "2m", "--script", str(script)]
    assert main([*command, "--json", "--side", "long"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["simulated"], told["seconds"]) == ("airpocket.drill/1", True, 120)
    assert [d["order"] for d in told["decisions"]] == ["reduce 25%", "close"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "SIMULATED four venues, quiet, seed 1" in shown.splitlines()[0]
    assert "the plan, obeyed" in shown


def test_a_position_file_is_taken_over(tmp_path, capsys):
    world_ = read_world(world_file("four_venues"))
    assert world_.venue[1].name == "sim_binance"
    held = tmp_path / "positions.toml"
    held.write_text(
        '[[position]]\nvenue = "binance_usdm"\nsymbol = "ETHUSDT"\nside = "long"\nsize_coin = 7\n'
        'entry_price = 2990\nopened_at = "2026-03-01T00:00Z"\nmargin_mode = "cross"\nwallet_usd = 9000\n'
    )
    script = tmp_path / "none.txt"
    script.write_text("")
    command = [
        "drill",
        "four_venues",
        "--from-h",
        "0.02",
        "--for",
        "1m",
        "--script",
        str(script),
        "--json",
    ]
    assert main([*command, "--positions", str(held)]) == 0
    position = json.loads(capsys.readouterr().out)["position"]
    assert (position["size_coin"], position["wallet_usd"]) == (7.0, 9_000.0)
    assert position["margin_mode"] == "cross"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no world 'nowhere'"),
        (["four_venues", "--for", "soon"], "--for soon"),
        (["four_venues", "--leverage", "500"], "--leverage must lie between 1 and 125"),
        (["four_venues", "--size", "-1"], "--size must be above 0"),
        (["four_venues", "--venue", "sim_spot"], "linear perpetuals here"),
        (["four_venues", "--speed", "-1"], "--speed"),
        (["four_venues", "--script", "/nonexistent"], "can't be read"),
    ],
)
def test_errors_name_the_flag(capsys, arguments, words):
    assert main(["drill", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_keyboard_lets_wall_time_pass_at_the_pace_asked_for(monkeypatch, capsys):
    from airpocket.delivery.cli import drill as command

    monkeypatch.setattr(command.sys, "stdin", ["reduce 5\n", "nonsense\n", "close\n"])
    clock = SimpleNamespace(monotonic=lambda: 0)
    keys = command._Keyboard(clock, 0.0)
    heard = []
    while len(heard) < 2:
        heard += keys.orders(1)
    assert [order.text for order in heard] == ["reduce 5", "close"]
    assert "'nonsense' is no order" in capsys.readouterr().err
