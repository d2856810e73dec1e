"""Levels as arrays read like the tuples they stand for."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.depth import Levels, plain

pairs = st.lists(st.tuples(st.floats(0.01, 1e6), st.floats(0, 1e6)), max_size=6).map(tuple)


@given(pairs)
def test_levels_equal_hash_and_encode_as_their_pairs(told):
    levels = Levels.of(told)
    assert levels == told
    assert told == levels
    assert hash(levels) == hash(told)
    assert len(levels) == len(told)
    assert [levels[k] for k in range(len(told))] == list(told)
    assert tuple(levels[1:]) == told[1:]
    encoded = msgspec.json.encode({"bids": levels}, enc_hook=plain)
    assert encoded == msgspec.json.encode({"bids": told})


def test_levels_of_levels_are_themselves():
    levels = Levels(np.array([1.0]), np.array([2.0]))
    assert Levels.of(levels) is levels
    assert levels != ((1.0, 3.0),)
    assert levels != "1"


def test_an_encoder_is_not_told_of_what_it_does_not_know():
    with pytest.raises(NotImplementedError):
        plain(object())
