"""A hub over HTTP that tells of the vault what is not so: none of it is followed, and the truth is, once it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from libs.vault_protocol.tests.endless import page, paged, serving
from libs.vault_protocol.tests.test_endless_hub import follower, line

from vault_protocol import wire
from vault_protocol.errors import HubUnreachable, UntrustedHead
from vault_protocol.hub import CommitId
from vault_protocol.hub_client import HubClient
from vault_protocol.store import GitStore

Said = dict[str, Any]
Lie = Callable[[Said], None]


def name_of_another(said: Said) -> None:
    said["commits"][1]["id"] = said["head"] = "ab" * 20


def another_text(said: Said) -> None:
    said["commits"][1]["edits"][0][1] = "- [ ] another\n"


def another_author(said: Said) -> None:
    said["commits"][1]["author"] = "local"


def another_time(said: Said) -> None:
    said["commits"][1]["at"] += 1


def another_message(said: Said) -> None:
    said["commits"][1]["message"] = "x\n" + said["commits"][1]["message"]


def turned_around(said: Said) -> None:
    said["commits"].reverse()


def one_left_out(said: Said) -> None:
    del said["commits"][1]


def a_head_that_is_nowhere(said: Said) -> None:
    said["head"] = "cd" * 20


LIES: tuple[tuple[Lie, type[Exception], str], ...] = (
    (name_of_another, UntrustedHead, "makes another commit"),
    (another_text, UntrustedHead, "makes another commit"),
    (another_author, UntrustedHead, "makes another commit"),
    (another_time, UntrustedHead, "makes another commit"),
    (another_message, UntrustedHead, "makes another commit"),
    (turned_around, UntrustedHead, "before its parent"),
    (one_left_out, UntrustedHead, "before its parent"),
    (a_head_that_is_nowhere, UntrustedHead, "head"),
)


@pytest.mark.parametrize(("lie", "error", "why"), LIES, ids=[lie.__name__ for lie, _, _ in LIES])
def test_a_lie_is_found_out_and_nothing_of_it_is_followed(
    tmp_path: Path, lie: Lie, error: type[Exception], why: str
) -> None:
    truth = GitStore(tmp_path / "truth.git")
    head = line(truth, 3)
    names = [one.id for one in truth.history(None, head)]
    honest, lying = paged(truth, head, 10), [True]

    def answer(body: wire.Object) -> wire.Object:
        said: Said = wire.loaded(wire.dumped(honest(body)))
        if lying[0] and said["commits"]:
            lie(said)
        return said

    store = GitStore(tmp_path / "clone.git")
    with serving(answer) as url:
        local = follower(HubClient(store, url, "t"), store)
        for _ in range(2):
            with pytest.raises(error, match=why):
                local.refresh()
            assert local.head is None or local.head in names
        lying[0] = False
        assert local.refresh() == head
    assert [one.id for one in store.history(None, head)] == names


def test_a_page_that_is_told_again_and_again_brings_nobody_further_or_up(tmp_path: Path) -> None:
    truth = GitStore(tmp_path / "truth.git")
    head = line(truth, 3)
    commits = truth.history(None, head)
    first: CommitId = commits[0].id
    store = GitStore(tmp_path / "clone.git")
    with serving(lambda body: page(truth, commits[:1], more=True)) as url:
        local = follower(HubClient(store, url, "t"), store)
        with pytest.raises((HubUnreachable, UntrustedHead)):
            local.refresh()
        assert local.head in (None, first)
