import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_every_file_with_a_test_is_collected(request: pytest.FixtureRequest) -> None:
    """A file named otherwise is a test that nobody runs."""
    holding = {
        f.name for f in HERE.rglob("*.py") if re.search(r"^\s*(?:async )?def test_", f.read_text(), re.MULTILINE)
    }
    assert {name for name in holding if not re.fullmatch(r"test_\w+\.py", name)} == set()
    assert request.config.getini("python_files") == ["test_*.py", "*_test.py"]
