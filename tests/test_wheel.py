"""The built package stands alone: installed elsewhere, away from the checkout, it has its data and its commands."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: building leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    names = [n for n in ("pyproject.toml", "README.md", "LICENSE", "NOTICE") if (ROOT / n).exists()]
    source.mkdir()
    for name in names:
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__"))
    build = f"import uv_build; uv_build.build_wheel({str(folder)!r})"
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    subprocess.run(
        [sys.executable, "-c", build], cwd=source, check=True, capture_output=True,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def elsewhere(wheel, tmp_path, *words):
    """Run the installed package; only it and its dependencies can be found."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env |= {"PYTHONPATH": str(tmp_path / "site"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=env, check=True, capture_output=True, text=True
    ).stdout


def test_the_wheel_holds_every_file_of_the_package_and_no_test(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("airpocket/")}
    ours = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "airpocket").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= packed
    assert not any("test" in Path(name).parts for name in packed)


def test_it_is_imported_from_where_it_was_installed(wheel, tmp_path):
    found = elsewhere(wheel, tmp_path, "-c", "import airpocket; print(airpocket.__file__)")
    assert Path(found.strip()).is_relative_to(tmp_path / "site")


@pytest.mark.slow
def test_the_installed_demo_runs(wheel, tmp_path):
    assert "SIMULATED" in elsewhere(wheel, tmp_path, "-m", "airpocket", "demo")


def test_the_installed_package_has_the_page(wheel, tmp_path):
    code = (
        "from airpocket.delivery.serve.static import pages; found = pages();"
        "print(found['/index.js'].type, found['/index.css'].type, b'index.js' in found['/'].body)"
    )
    told = elsewhere(wheel, tmp_path, "-c", code)
    assert told.strip() == "text/javascript; charset=utf-8 text/css; charset=utf-8 True"
