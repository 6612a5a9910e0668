"""The limits of the Handbook, and what counts before them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from local_agent import limits
from local_agent.home import Home, Settings
from local_agent.kinds import KINDS
from local_agent.limits import MOST, Limit
from vault_protocol.action import ACTIONS

FIRST = Path(__file__).parents[1] / "src/local_agent/setup/notes/Company_Handbook.md"
NAMES = [kind.named for kind in KINDS.values()]


def table(*rows: str) -> str:
    return "\n".join(["## Limits", "", "| What | An hour | A day |", "|---|---|---|", *rows, ""])


def test_every_action_has_its_line_in_the_table_of_kinds() -> None:
    assert KINDS.keys() == ACTIONS.keys()


def test_the_first_handbook_says_the_limits_that_count_without_it() -> None:
    found = limits.read(FIRST.read_text(encoding="utf-8"), NAMES)
    assert found.rows == {kind.named: kind.limit for kind in KINDS.values()}
    assert found.unread == ()


def test_a_limit_may_be_none_and_of_two_rows_the_lower_counts() -> None:
    found = limits.read(table("| Mails | 20 | none |", "| mails | 30 | 40 |"), NAMES)
    assert found.rows == {"mails": Limit(20, 40)}
    assert limits.read(table("| mails | - | none |"), NAMES).rows == {"mails": Limit(MOST, MOST)}


@pytest.mark.parametrize("row", ["| mails | many | 40 |", "| mails | -3 | 4 |", "| mails | 3 |", "| pigeons | 1 | 2 |"])
def test_a_row_that_is_not_understood_is_told_and_limits_nothing(row: str) -> None:
    found = limits.read(table(row), NAMES)
    assert (found.rows, len(found.unread)) == ({}, 1)


def home(folder: Path, *, config: str = "", handbook: str = "") -> Home:
    made = Home(folder)
    text = f'vault = "v"\nhub = "h"\nfolder = "f"\nowner = "o"\n{config}'
    made.config.write_text(text, encoding="utf-8")
    if handbook:
        made.handbook.parent.mkdir()
        made.handbook.write_text(handbook, encoding="utf-8")
    return made


def test_config_counts_before_the_handbook_and_that_before_the_default(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert home(tmp_path / "a").limit("send_mail") == KINDS["send_mail"].limit
    said = home(tmp_path / "b", config="[limits]\nmail_per_hour = 500\n", handbook=table("| mails | 4 | 7 |"))
    assert said.limit("send_mail") == Limit(500, 500)
    said.config.write_text(said.config.read_text(encoding="utf-8").replace("mail_", "posts_"), encoding="utf-8")
    assert said.limit("send_mail") == Limit(4, 7)


def test_a_misspelled_limit_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no limit mails_per_hour"):
        Settings.model_validate(
            {"vault": "v", "hub": "h", "folder": "f", "owner": "o", "limits": {"mails_per_hour": 1}}
        )
