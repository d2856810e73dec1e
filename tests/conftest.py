"""Fixtures every test may use: where the recorded market data lie, if they are here."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Properties are judged on what they say, never on how long a busy machine took.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent


def shared_root() -> Path | None:
    """The folder of recorded data: AIRPOCKET_SHARED, or ../shared beside the checkout; None if absent."""
    named = os.environ.get("AIRPOCKET_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared"
    return folder if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The recorded market data; tests that need them skip, with the reason, where they are absent."""
    folder = shared_root()
    if folder is None:
        pytest.skip(
            "no recorded market data: set AIRPOCKET_SHARED or put ../shared beside the checkout"
        )
    return folder


@pytest.fixture
def told(record_property, capsys):
    """Prints what a long test measured, as a line of its own, and keeps it with the result."""

    def tell(text: str) -> None:
        record_property("measured", text)
        with capsys.disabled():
            print(f"\n  {text}")  # noqa: T201

    return tell
