"""The guards that sabotage takes away: each stands where its list says, and the list covers what it must."""

import ast
from collections import Counter

import pytest

from scripts.sabotage import PAGE, ROOT, guards, page, sabotage


@pytest.mark.parametrize("name", guards())
def test_a_guard_stands_in_its_file_exactly_once_and_its_test_exists(name):
    guard = guards()[name]
    text = (ROOT / guard["file"]).read_text(encoding="utf-8")
    assert text.count(guard["guard"]) == 1
    ast.parse(text.replace(guard["guard"], guard["without"]))  # what is left can run
    path, _, test = guard["test"].partition("::")
    assert f"def {test.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_part_has_its_guards():
    about = Counter(guard["about"] for guard in guards().values())
    assert set(about) == {"transport", "sequence", "values", "storage", "forced flow", "margin"}
    assert min(about.values()) >= 4
    assert about.total() >= 20


def test_the_page_of_guards_is_current():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_guard_that_nothing_misses_is_found_out(monkeypatch, capsys):
    """The saboteur can fail: a guard replaced by itself leaves its test green."""
    (guard,) = [g for name, g in guards().items() if name == "backoff-needs-data"]
    monkeypatch.setattr(
        "scripts.sabotage.guards", lambda: {"idle": guard | {"without": guard["guard"]}}
    )
    assert sabotage(["idle"]) == 1
    assert "stays green" in capsys.readouterr().out


@pytest.mark.slow
def test_every_guard_taken_away_turns_its_test_red():
    assert sabotage(list(guards())) == 0
