"""An agent of a resident hub whose own disk is full or fails, at each system call of a publish."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL
from services.vault_hub.tests.program import program

from tests.prove import tracing
from tests.prove.one_publish import open_vault
from tests.prove.test_syscalls import ENDED, FULL, PIPE_REFUSED, whens
from tests.prove.tracing import run, run_refused
from vault_protocol import notes, remote
from vault_protocol.vault import Vault

pytestmark = pytest.mark.soak

SAYING = 1
"""Python's, when it is refused the line in which the program says how long it took."""


def hub_has(reader: Vault, number: int) -> bool:
    head = reader.refresh()
    return head is not None and reader.journal.store.blob_id(head, notes.write(made.task(number))[0]) is not None


@pytest.mark.parametrize(("error", "calls"), FULL, ids=[error for error, _ in FULL])
def test_a_publish_that_an_agents_disk_refuses_is_on_the_hub_once_when_it_is_asked_again(
    error: str, calls: tuple[str, ...], tmp_path: Path
) -> None:
    refused, asked, log = set[int](), list[int](), tmp_path / "trace"
    with program(tmp_path / "hub", CLOUD, LOCAL) as hub:
        hub.start()
        homes = [tmp_path / "agent", tmp_path / "reader"]
        for home in homes:
            home.mkdir()
            (home / "token").write_text(hub.tokens[CLOUD.agent], encoding="ascii")
        for at in count(1):
            for when in whens(at):
                asked.append(len(asked) + 1)
                arguments = (hub.url, str(homes[0]), str(asked[-1]))
                cut = run_refused("one_publish", *arguments, calls=calls, error=error, when=when, log=log)
                if tracing.was_refused(log):
                    refused.add(cut.code)
                    assert cut.code != SAYING or hub_has(open_vault(hub.url, homes[1]), asked[-1])
                assert run("one_publish", *arguments).code == 0, f"{error} {when}"
                assert remote.fsck(hub.repository) == ()
                assert remote.fsck(homes[0] / "clone.git") == ()
            if not tracing.was_refused(log):
                break
        reader = open_vault(hub.url, homes[1])
        head = reader.refresh()
        assert head is not None
        found = sorted(path for path, _ in reader.journal.store.paths(head, "Needs_Action"))
        assert found == sorted(notes.write(made.task(number))[0] for number in asked)
        assert len(reader.journal.store.history(None, head)) == len(asked)
        assert hub.stop() == 0
    assert at > 2, "nothing was ever refused, so nothing is proved"
    assert refused <= {0, ENDED, SAYING, PIPE_REFUSED}, "an error that nobody had thought of"
