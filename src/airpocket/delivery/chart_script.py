"""The interactive chart as one script, built from web/ and committed: for the brief's page and for notebooks."""

from functools import cache
from importlib.resources import files


@cache
def chart_script() -> str:
    """The module's text."""
    return (files("airpocket.delivery") / "embedded" / "chart.js").read_text(encoding="utf-8")
