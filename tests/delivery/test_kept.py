"""The map's state beside the store: later commands go on from it, and answer as if it were not there."""

import shutil
from pathlib import Path

import pytest

from airpocket.delivery.answers import assessor_at
from airpocket.delivery.cli import main
from airpocket.delivery.ground import Ground
from airpocket.delivery.kept import FOLDER, code_version
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import newest
from airpocket.liquidations import cohorts

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "airpocket"


@pytest.fixture(scope="module")
def store(demo, tmp_path_factory) -> Path:
    """The demo's rows, with nothing kept beside them."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copytree(demo / "store" / "lake", folder / "lake")
    return folder


def kept(store: Path) -> list[Path]:
    return sorted((store / FOLDER).glob("*.checkpoint"))


def told(store: Path, capsys, *command: str) -> tuple[str, str]:
    """What a command writes to stdout and to stderr."""
    capsys.readouterr()
    assert main([*command, "--store", str(store), "--json"]) == 0
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_commands_go_on_from_what_one_kept_and_say_the_same(store, capsys, monkeypatch):
    first, said = told(store, capsys, "brief", "ETH")
    assert len(kept(store)) == 4  # two contracts, a day or two apart
    assert not said

    with monkeypatch.context() as patched:
        patched.setattr(cohorts, "advance", None)  # no step is left to be taken
        assert told(store, capsys, "brief", "ETH") == (first, "")
        lake = Lake(store)
        end = newest(lake, "ETH")
        mapped = Ground(lake, "ETH").at(end).mapped(end)
        again = assessor_at(lake, "ETH", end).mapped(end)
    assert mapped.shorts.draws.tobytes() == again.shorts.draws.tobytes()

    for path in kept(store)[:2]:  # of one contract
        path.write_bytes(path.read_bytes()[:-1_000])
    anew, said = told(store, capsys, "brief", "ETH")
    assert anew == first
    assert said.count("was damaged and not used") == 2
    assert len(kept(store)) == 4


def test_the_map_goes_on_from_the_earlier_moment_it_is_compared_with(
    bundled, tmp_path, capsys, monkeypatch
):
    shutil.copytree(bundled / "lake", tmp_path / "lake")
    command, lake = ("map", "ETH", "--venue", "sim_perp"), Lake(tmp_path)
    steps: list[int] = []
    true = cohorts.advance

    def counted(moved, rules, end, *rest):
        steps.append(len(end))
        return true(moved, rules, end, *rest)

    monkeypatch.setattr(cohorts, "advance", counted)
    first, _ = told(tmp_path, capsys, *command)
    both = sum(steps)
    shutil.rmtree(tmp_path / FOLDER)
    steps.clear()
    end = newest(lake, "ETH")
    assessor_at(lake, "ETH", end, "sim_perp").mapped(end)
    assert both == sum(steps)  # two moments cost what the later one does
    assert told(tmp_path, capsys, *command)[0] == first
    steps.clear()
    earlier = TimeNs(end - 3 * HOUR_NS)
    assessor_at(lake, "ETH", earlier, "sim_perp").mapped(earlier)
    assert sum(steps) < both / 2  # from the checkpoint before it, not from the start


def test_any_change_of_the_sources_or_the_compilers_settings_is_other_code(tmp_path, monkeypatch):
    for stage in ("domain", "liquidations"):
        shutil.copytree(PACKAGE / stage, tmp_path / "a" / stage)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    touched = tmp_path / "c" / "liquidations" / "flow.py"
    touched.write_text(touched.read_text() + "\n")
    assert code_version(tmp_path / "a") == code_version(tmp_path / "b")
    assert code_version(tmp_path / "a") != code_version(tmp_path / "c")
    before = code_version(tmp_path / "a")
    code_version.cache_clear()
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert code_version(tmp_path / "a") != before
    code_version.cache_clear()
