"""Compiled kernels are kept for the very sources they were compiled of."""

import os
from pathlib import Path

import pytest

from airpocket.delivery import kernels


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Calls the door anew for a package of two files → the cache folder it names."""
    package = tmp_path / "package"
    (package / "delivery").mkdir(parents=True)
    monkeypatch.setattr(kernels, "__file__", str(package / "delivery" / "kernels.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def named(**texts):
        for name, text in texts.items():
            (package / f"{name}.py").write_text(text)
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        kernels.keep_kernels()
        return Path(os.environ["NUMBA_CACHE_DIR"])

    return named


def test_a_changed_callee_gets_a_cache_of_its_own(folder):
    source = "from airpocket.domain.kernel import kernel\n"
    first = folder(caller=source + "CALLS = 1\n", callee=source + "ADDS = 1\n")
    again = folder()
    changed = folder(callee=source + "ADDS = 2\n")
    assert first == again
    assert first != changed


def test_a_source_without_kernels_changes_no_cache(folder):
    first = folder(callee="from airpocket.domain.kernel import kernel\n", other="A = 1\n")
    assert folder(other="A = 2\n") == first


def test_a_cache_that_the_user_names_is_used(folder, monkeypatch, tmp_path):
    folder(callee="from airpocket.domain.kernel import kernel\n")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    kernels.keep_kernels()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "mine")


def test_only_a_few_caches_of_other_versions_are_kept(folder, tmp_path):
    for number in range(9):
        made = folder(callee=f"from airpocket.domain.kernel import kernel  # {number}\n")
        made.mkdir(parents=True)
        os.utime(made, (number, number))
    assert len(list(made.parent.iterdir())) == 5
    assert made.is_dir()
