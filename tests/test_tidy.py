"""House rules that a reviewer would otherwise repeat."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
STAGES = (
    "domain", "margin", "ingest", "market", "signals", "liquidations", "levels", "cascade", "verdict",
    "playbook", "brief", "lab", "drill", "evaluation", "delivery",
)  # fmt: skip

CODE_LOADERS = frozenset(
    {
        "pickle",
        "cPickle",
        "marshal",
        "shelve",
        "dill",
        "cloudpickle",
        "jsonpickle",
        "joblib",
        "yaml",
        "code",
        "codeop",
    }
)
RUNNERS = frozenset({"eval", "exec", "compile", "__import__", "runpy.run_path", "runpy.run_module"})
# they choose among names of our own code
OWN_NAMES = frozenset({"delivery/calculators/registry.py", "ingest/own/keys.py"})


def tracked():
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_file_opens_with_its_purpose_and_stays_small(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert len(text.splitlines()) <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec"), f"line {node.lineno}"


@pytest.mark.fault("W18")
@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_that_is_read_can_become_code(path):
    """No loader that runs what it loads: neither of files, nor of messages, nor of names from outside."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in named:
            assert name.partition(".")[0] not in CODE_LOADERS, f"line {node.lineno}: {name}"
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called not in RUNNERS, f"line {node.lineno}: {called}"
        assert not called.endswith((".read_pickle", "yaml.load")), f"line {node.lineno}: {called}"
        assert "allow_pickle" not in {word.arg for word in node.keywords}, f"line {node.lineno}"
        if called.endswith("import_module"):
            where = path.relative_to(ROOT / "src" / "airpocket").as_posix()
            fixed = isinstance(node.args[0], ast.Constant)
            assert fixed or where in OWN_NAMES, f"line {node.lineno}: a module named by data"


def test_the_map_of_files_is_current():
    done = subprocess.run([sys.executable, "scripts/codemap.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_tests(stage):
    assert list((ROOT / "tests" / stage).rglob("test_*.py"))


def test_no_file_is_huge_or_names_a_registry_or_this_machine():
    hosts = re.compile("|".join(("python" + "hosted", r"py" + r"pi\.org", "registry." + "npmjs")))
    for path in tracked():
        assert path.stat().st_size < 3_500_000, path
        if path.suffix in (".py", ".md", ".toml", ".lock", ".sh", "") and path.name != "LICENSE":
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not hosts.search(text), path
            assert "/work" + "/" not in text, path


def test_lock_files_pin_hashes_and_hold_no_address():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
