"""`./just demo --week`, whole: what it claims at its end is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from demo.week import week
from demo.week_claims import check


@pytest.mark.parametrize(
    ("days", "mails"),
    [
        pytest.param(1, 10, marks=pytest.mark.prove, id="a day"),
        pytest.param(7, 200, marks=pytest.mark.soak, id="a week"),
    ],
)
def test_everything_of_a_week_without_local_happens_once_and_on_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, mails: int
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with week(tmp_path, Console(width=110), days=days, mails=mails) as made:
        made.run()
        made.world.stop()
        claims = list(check(made))
    assert [f"{claim.says}: {claim.found}" for claim in claims if not claim.holds] == []
    assert len(claims) >= 11
