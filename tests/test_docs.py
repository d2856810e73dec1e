"""The documents keep up with the code: links lead somewhere, commands and kinds have an entry."""

import re
from pathlib import Path

import pytest

from airpocket import __version__
from airpocket.delivery.cli import build
from airpocket.domain.kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
NAMED_PAGE = re.compile(r"`((?:docs/)?[\w/-]+\.md)`")


def everything() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [name for name in LINK.findall(text) if not (page.parent / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_page_named_in_the_text_exists(page: Path) -> None:
    names = NAMED_PAGE.findall(page.read_text(encoding="utf-8"))
    missing = [n for n in names if not ((ROOT / n).exists() or (page.parent / n).exists())]
    assert missing == []


def test_every_command_is_written_down() -> None:
    commands = [name for name in build() if not name.startswith("-")]
    assert "brief" in commands
    text = everything()
    missing = [name for name in commands if not re.search(rf"(airpocket|\./run) {name}\b", text)]
    assert missing == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fact_is_written_down(kind: str) -> None:
    assert f"`{kind}`" in everything()


def test_decisions_are_numbered_without_a_gap() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [name[:4] for name in names] == [f"{i:04d}" for i in range(1, len(names) + 1)]


def test_the_changelog_knows_this_version_or_what_comes_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "\n## Unreleased" in text or f"\n## {__version__}" in text
