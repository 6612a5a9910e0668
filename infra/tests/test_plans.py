"""A change of the program shows in a review as a change of the plans: tests/plans/*.txt."""

from __future__ import annotations

import difflib

import plans
import pytest


@pytest.mark.parametrize("name", sorted(plans.WANTED))
def test_the_plan_of_a_stack_is_the_one_that_was_reviewed(name: str) -> None:
    reviewed = (plans.FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    changes = "\n".join(difflib.unified_diff(reviewed, plans.plan(name).splitlines(), "reviewed", "now", lineterm=""))
    assert changes == "", f"read this; then, in infra/: ../.tools/infra/bin/python tests/plans.py\n{changes}"


def test_there_is_no_plan_that_nobody_holds_and_none_holds_a_secret() -> None:
    files = {file.stem: file.read_text(encoding="utf-8") for file in plans.FOLDER.iterdir()}
    assert set(files) == set(plans.WANTED)
    for text in files.values():
        assert "value of cloud/" not in text
        assert "s3-key" not in text
        assert "dmFsdWUgb2Yg" not in text
