"""Planted bugs of commits and signatures; `mutants` names them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from libs.vault_protocol.tests import made

from vault_protocol import changeset, follow, policy, store, zones
from vault_protocol.changeset import BadChangeset, Changeset, Trail
from vault_protocol.errors import Refused, UntrustedHead
from vault_protocol.hub import Change, Commit, CommitId
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId
from vault_protocol.zones import Writer

Patch = pytest.MonkeyPatch
Bug = Callable[[Patch], None]


def only_the_ends_are_judged(patch: Patch) -> None:
    """What each commit does is taken on trust; the old head is held against the new one."""
    judge, advance = zones.judge, follow.Follower.advance

    def advanced(self: follow.Follower, head: CommitId | None) -> None:
        start, where = self.view.head, dict(self.view.where)
        advance(self, head)
        if start is None or head is None:
            return
        last = self._store.history(start, head)[-1]
        try:
            name = AgentId(last.author)
            judge(
                Writer(name, made.TRUST.keys[name][0]), self._store.changes(start, head),
                before=lambda path: self._store.read(start, path), after=lambda path: self._store.read(head, path),
                where=where, names=lambda folder: self._store.names(start, folder),
            )  # fmt: skip
        except Refused as refused:
            raise UntrustedHead(head, str(refused)) from None

    patch.setattr(zones, "judge", lambda writer, changes, **reads: None)
    patch.setattr(policy, "_judge_fence", lambda found, changes, before: None)
    patch.setattr(follow.Follower, "advance", advanced)


def merges_are_followed(patch: Patch) -> None:
    """Along the first parent, as `git log --first-parent` shows a line."""
    one = rb"(?:parent [0-9a-f]{40}\n)?"
    patch.setattr(store, "_WRITTEN", re.compile(store._WRITTEN.pattern.replace(one, one[:-1] + b"*")))

    def history(self: GitStore, old: CommitId | None, new: CommitId) -> tuple[Commit, ...]:
        line: list[Commit] = []
        at: CommitId | None = new
        while at is not None and at != old:
            _, parents = self._links(at)
            line.append(self._describe(at, parents))
            at = parents[0] if parents else None
        return tuple(reversed(line))

    patch.setattr(GitStore, "history", history)


def another_line_is_followed(patch: Patch) -> None:
    """A forced push: whatever the hub says is the head is the head."""

    def history(self: GitStore, _old: CommitId | None, new: CommitId) -> tuple[Commit, ...]:
        return (self._describe(new, ()),)

    patch.setattr(GitStore, "history", history)


def headers_are_not_looked_at(patch: Patch) -> None:
    loose = store._WRITTEN.pattern.replace(rb"committer (?P=who)\n\n", rb"committer [^\n]*\n(?:[^\n]+\n)*\n")
    patch.setattr(store, "_WRITTEN", re.compile(loose))


def the_committer_is_not_looked_at(patch: Patch) -> None:
    loose = store._WRITTEN.pattern.replace(rb"committer (?P=who)\n\n", rb"committer [^\n]*\n\n")
    patch.setattr(store, "_WRITTEN", re.compile(loose))


def signatures_are_not_verified(patch: Patch) -> None:
    patch.setattr(Changeset, "verify", lambda self, key: None)


def the_author_is_trusted_instead_of_the_key(patch: Patch) -> None:
    def judge(
        message: str, author: str, changes: Sequence[Change], *, trust: policy.Trust, trails: Mapping[AgentId, Trail],
        **reads: Any,
    ) -> Changeset:  # fmt: skip
        found = changeset.parse(message, vault=trust.vault, changes=changes)
        writer = Writer(AgentId(author), trust.keys[AgentId(author)][0])
        zones.judge(writer, changes, **reads)
        return found

    patch.setattr(policy, "judge", judge)


def the_author_is_not_compared(patch: Patch) -> None:
    _policing(patch, lambda message, author: (message, re.findall("Agent: (.*)", message)[0]))


def _policing(patch: Patch, change: Callable[[str, str], tuple[str, str]]) -> None:
    right = policy.judge

    def judge(message: str, author: str, changes: Sequence[Change], **given: Any) -> Changeset:
        message, author = change(message, author)
        return right(message, author, changes, **given)

    patch.setattr(policy, "judge", judge)


def excused(rule: str, excuse: Callable[[Changeset, Trail], bool]) -> Bug:
    """A sequence that does not follow is let through when this holds."""

    def bug(patch: Patch) -> None:
        right = policy.judge

        def judge(message: str, author: str, changes: Sequence[Change], **given: Any) -> Changeset:
            try:
                return right(message, author, changes, **given)
            except BadChangeset as bad:
                found = changeset.parse(message, vault=given["trust"].vault, changes=changes)
                if bad.rule != rule or not excuse(found, given["trails"][found.agent]):
                    raise
                return found

        patch.setattr(policy, "judge", judge)

    return bug


def payload(change: Callable[[Changeset], Changeset]) -> Bug:
    """Something is not part of what is signed."""

    def bug(patch: Patch) -> None:
        right = vars(Changeset)["payload"].func
        patch.setattr(Changeset, "payload", property(lambda self: right(change(self))))

    return bug


def any_policy_is_followed(patch: Patch) -> None:
    patch.setattr(policy, "POLICIES", range(1, 10**9))


def text_after_the_trailers_is_ignored(patch: Patch) -> None:
    _policing(patch, lambda message, author: (message[: message.rindex("=\n") + 2], author))


def the_last_of_two_trailers_counts(patch: Patch) -> None:
    def last(message: str, author: str) -> tuple[str, str]:
        lines = message.split("\n")
        kept = [line for i, line in enumerate(lines) if not line or line not in lines[i + 1 :]]
        agent = kept.pop(-2) if kept[-2].startswith("Countersign-Agent") else ""
        return "\n".join([*kept[:2], agent, *kept[2:]] if agent else kept), author

    _policing(patch, last)
