"""Runs the Python code in README.md and docs/ as tests, with kernels compiled of these very sources."""

import sys
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

sys.path.insert(0, str(Path(__file__).parent / "src"))
from airpocket.delivery.kernels import keep_kernels

keep_kernels()
pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"]).pytest()
