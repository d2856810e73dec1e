"""Every recorded file: each frame is decoded or refused with a reason, and the page that says so is current."""

import pytest

from scripts.wire_table import PAGE, files, page, row


@pytest.mark.real
def test_the_page_of_recorded_files_is_what_the_decoders_do_with_them(shared):
    """Run scripts/wire_table.py when a decoder learns something."""
    assert PAGE.read_text(encoding="utf-8") == page(shared / "wire")


@pytest.mark.real
def test_of_the_venues_with_an_adapter_nearly_all_frames_are_decoded(shared):
    wire = shared / "wire"
    rows = [row(wire, path) for path in files(wire)]
    ours = [each for each in rows if each.venues]
    assert (len(rows), len(ours)) == (168, 119)
    assert all(each.frames > 0 for each in rows)
    assert all(each.decoded + sum(each.why.values()) == each.frames for each in rows)
    refused = sum(each.frames - each.decoded for each in ours)
    assert refused / sum(each.frames for each in ours) < 0.002
    recent = [each for each in ours if each.file.startswith(("live-2026", "hftbacktest"))]
    assert not [each for each in recent if each.decoded < each.frames]
