"""Binance's compiled reader of depth frames against the typed shapes: the same answer, or none."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.wire import BookChange
from airpocket.ingest.venues.binance import decoder
from airpocket.ingest.venues.binance.depth import read_one
from airpocket.ingest.venues.registry import VENUES
from tests.faults.fuzz import fuzz_depth, typed

HEARD = 1_800_000_000_000_000_000
FRAME = (
    b'{"stream":"ethusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161257010,"T":1723161257005,'
    b'"s":"ETHUSDT","U":11,"u":15,"pu":9,"b":[["2681.38","8.486"],["2680.00","0.000"]],"a":[["2681.39","22.624"]]}}'
)


def test_a_change_is_read_with_its_ids_time_and_levels():
    [change] = VENUES["binance_usdm"].decode(FRAME, HEARD, "")
    assert read_one(FRAME) is not None
    assert (change.symbol, change.ts) == ("ETHUSDT", 1_723_161_257_005_000_000)
    assert (change.first, change.last, change.previous) == (11, 15, 9)
    assert change.bids == ((2681.38, 8.486), (2680.0, 0.0))
    assert change.asks == ((2681.39, 22.624),)


decimals = st.from_regex(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?", fullmatch=True)
odd = st.sampled_from(
    ["", "007", "1.", ".5", "-1", "+1", "1e3", "NaN", "1_0", " 1", "1 ", "1.2.3", "9" * 19, "0." + "1" * 30,
     "9007199254740993", "0.1234567890123456"]
)  # fmt: skip
sides = st.lists(st.tuples(decimals | odd, decimals | odd).map(list), max_size=4)


@given(sides, sides, st.booleans(), st.sampled_from([0, 1, 2, 7]))
def test_any_numbers_are_read_as_the_typed_shapes_read_them_or_left_to_them(
    bids, asks, spot, family
):
    data = {"e": "depthUpdate", "E": 1_723_161_257_010, "s": "ETHUSDT", "U": 11, "u": 15}
    data |= {} if spot else {"T": 1_723_161_257_005, "pu": 9, "st": family}
    frame = msgspec.json.encode({"stream": "ethusdt@depth", "data": data | {"b": bids, "a": asks}})
    read = read_one(frame)
    if read is not None:
        whole = typed("binance_usdm", frame)
        assert decoder._change(whole.venue, read, HEARD) == whole


@pytest.mark.real
@pytest.mark.fault("V07")
@pytest.mark.parametrize("count", [3_000, pytest.param(300_000, marks=pytest.mark.slow)])
def test_broken_frames_are_read_alike_alone_and_in_bulk_or_left_to_the_shapes(shared, count):
    done = fuzz_depth(range(count), shared)
    assert done.wrong == ()
    assert done.understood >= done.compared > count // 4


@pytest.mark.parametrize("cut", range(1, len(FRAME)))
def test_a_frame_cut_short_is_never_completed_by_the_one_after_it(cut):
    bulk = decoder.read_books("binance_usdm", [FRAME[:cut], FRAME[cut:], FRAME], "ETHUSDT")
    assert bulk.read.tolist() == [False, False, True]
    assert bulk.price.tolist() == [2681.38, 2680.0, 2681.39]
    with pytest.raises(UndecodableFrame):
        VENUES["binance_usdm"].decode(FRAME[:cut], HEARD, "")


def test_contracts_of_coin_margined_markets_become_coin_alone_and_in_bulk():
    frame = FRAME.replace(b"ETHUSDT", b"ETHUSD_PERP").replace(b'"pu":9', b'"pu":9,"st":2')
    frame = frame.replace(b"ethusdt@", b"ethusd_perp@")
    [change] = VENUES["binance_usdm"].decode(frame, HEARD, "")
    assert isinstance(change, BookChange)
    assert (change.venue, change.asks) == ("binance_coinm", ((2681.39, 22.624 * 10.0 / 2681.39),))
    bulk = decoder.read_books("binance_coinm", [frame], "ETHUSD_PERP")
    assert bulk.size.tolist() == [size for _, size in (*change.bids, *change.asks)]


@pytest.mark.parametrize("stream", [b"btcusdt@", b"ethusd@", b"ethusdtt@", b"ETHUSDC@"])
def test_a_change_under_the_label_of_another_symbol_is_refused_alone_and_in_bulk(stream):
    frame = FRAME.replace(b"ethusdt@", stream)
    assert read_one(FRAME) is not None
    assert read_one(frame) is None
    with pytest.raises(UndecodableFrame, match="in the stream"):
        VENUES["binance_usdm"].decode(frame, HEARD, "")
    assert decoder.read_books("binance_usdm", [FRAME, frame], "ETHUSDT").read.tolist() == [
        True,
        False,
    ]


def test_a_stamp_in_microseconds_is_refused_compiled_as_it_is_typed():
    frame = FRAME.replace(b"1723161257005", b"1723161257005000")
    assert read_one(frame) is None
    with pytest.raises(UndecodableFrame, match="comes in us, not in ms"):
        VENUES["binance_usdm"].decode(frame, HEARD, "")
