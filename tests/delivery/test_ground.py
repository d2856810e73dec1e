"""The analysis moved on from moment to moment is the analysis built anew."""

import shutil

import pytest

from airpocket.brief import as_json
from airpocket.brief.map_view import map_view
from airpocket.delivery.answers import assessor_at
from airpocket.delivery.ground import Ground
from airpocket.delivery.kept import FOLDER
from airpocket.delivery.simulated import bundled_store
from airpocket.domain.units import HOUR_NS, MINUTE_NS, TimeNs
from airpocket.ingest.replay import newest


@pytest.mark.slow
def test_the_way_to_a_moment_does_not_matter(tmp_path):
    lake = bundled_store(tmp_path)
    end = newest(lake, "ETH")
    ground = Ground(lake, "ETH")
    for back in (2 * HOUR_NS, 65 * MINUTE_NS, 5 * MINUTE_NS, 0):
        now = TimeNs(end - back)
        found = ground.at(now).assess(now)
    shutil.rmtree(lake.root / FOLDER)
    anew = assessor_at(lake, "ETH", end).assess(end)
    then = TimeNs(end - HOUR_NS)
    told, truth = (as_json.render_struct(map_view(each, then, anew.map)) for each in (found, anew))
    assert told == truth
    assert found.verdict == anew.verdict
    assert found.signals == anew.signals
    assert ground.rebuilt == 1
    ground.at(TimeNs(end - HOUR_NS))  # back in time there is no other way
    assert ground.rebuilt == 2
