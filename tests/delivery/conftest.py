"""Stores of the simulated market, each made once for all workers; tests read them and write elsewhere."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from airpocket.delivery.cli import main
from airpocket.delivery.simulated import bundled_store


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name`, filled by the worker that asks first, while the others wait."""
    base = factory.getbasetemp()
    common = base.parent if base.name.startswith("popen-") else base
    folder, done = common / name, common / f"{name}.done"
    with (common / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Path:
    """What `airpocket demo` leaves: its store, with the recorded session, and the page."""

    def make(folder: Path) -> None:
        assert main(["demo", "--out", str(folder)]) == 0

    return _once(tmp_path_factory, "demo", make)


@pytest.fixture(scope="session")
def bundled(tmp_path_factory) -> Path:
    """The bundled market as it is, with its open venue's accounts."""
    return _once(tmp_path_factory, "bundled", bundled_store)
