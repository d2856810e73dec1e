"""The bundle that is committed: small, whole, and the one that the sources give."""

import gzip
import re
import shutil
import subprocess
import sys

import pytest
from stand_in import ROOT, STATIC

WEB = ROOT / "web"


def test_the_bundle_is_small_and_names_no_other_machine():
    files = sorted(STATIC.iterdir())
    assert {path.name for path in files} == {"index.html", "index.js", "index.css"}
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) <= 150_000
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page), (
        "the policy refuses it"
    )
    for path in files:
        addresses = set(re.findall(r"https?://[\w.-]+", path.read_text(encoding="utf-8")))
        assert addresses <= {"https://www.tradingview.com", "http://www.w3.org"}, path


def test_the_lock_of_the_packages_names_no_host():
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock
    assert "://" not in re.sub(r'"(url|funding)": ?"[^"]*"', "", lock)


@pytest.mark.slow  # ./run test does the same as a step of its own
def test_the_sources_give_the_bundle_byte_for_byte():
    if shutil.which("npm") is None:
        pytest.skip("no node here: CI builds the page again")
    if not (WEB / "node_modules" / "vite").is_dir():
        pytest.skip("the packages of web/ are not installed: npm ci there brings them")
    done = subprocess.run(
        [sys.executable, "scripts/build_page.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
