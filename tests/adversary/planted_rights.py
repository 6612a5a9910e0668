"""Planted bugs of rights, places and numbers; `mutants` names them all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from vault_protocol import layout, notes, policy, zones
from vault_protocol.errors import MalformedNote, Refused
from vault_protocol.hub import Change
from vault_protocol.layout import Place
from vault_protocol.task import AgentId, Role, Stage
from vault_protocol.zones import AREAS, BOTH, RIGHTS, Right, Rule, Whose, Writer

Patch = pytest.MonkeyPatch
Bug = Callable[[Patch], None]


def hole(source: Stage | None, target: Stage, whose: Whose = Whose.ANY) -> Bug:
    return lambda patch: patch.setattr(zones, "RIGHTS", (*RIGHTS, Right(Role.CLOUD, source, target, whose)))


def whose_task_it_is_does_not_matter(patch: Patch) -> None:
    right = zones._covers

    def covers(row: Right, writer: Writer, source: Place | None, target: Place) -> bool:
        return right(replace(row, whose=Whose.ANY), writer, source, target)

    patch.setattr(zones, "_covers", covers)


def the_table_of_moves_is_not_looked_at(patch: Patch) -> None:
    patch.setattr(zones, "MOVES", {stage: frozenset(Stage) for stage in (None, *Stage)})
    patch.setattr(zones, "RIGHTS", (*RIGHTS, Right(Role.CLOUD, None, Stage.DONE)))


def everybody_writes_everything_else(patch: Patch) -> None:
    patch.setattr(zones, "AREAS", (*AREAS[:-1], replace(AREAS[-1], roles=BOTH)))


def everybody_writes_approvals(patch: Patch) -> None:
    patch.setattr(zones, "AREAS", tuple(replace(a, roles=BOTH) if a.folder == "Approvals/" else a for a in AREAS))


def an_own_folder_is_one_that_begins_so(patch: Patch) -> None:
    patch.setattr(
        zones, "AREAS", tuple(replace(area, folder=area.folder.replace("{self}/", "{self}")) for area in AREAS)
    )
    right = zones._judge_area
    patch.setattr(zones, "_judge_area", lambda w, change, b, a: right(_prefixed(w, change), change, b, a))


def _prefixed(writer: Writer, change: Change) -> Writer:
    """As `startswith` without the slash would have it."""
    name = change.path.split("/")[1] if change.path.count("/") > 1 else ""
    return Writer(AgentId(name), writer.role) if name.startswith(writer.agent) else writer


def rule_is(rule: Rule) -> Bug:
    areas = tuple(replace(area, rule=Rule.WRITE) if area.rule is rule else area for area in AREAS)
    return lambda patch: patch.setattr(zones, "AREAS", areas)


def a_task_in_two_places_is_none_of_our_business(patch: Patch) -> None:
    _judging(patch, lambda given: {**given, "where": {}})


def a_task_may_vanish(patch: Patch) -> None:
    right = zones._judge_task

    def judge(writer: Writer, task: Any, changes: list[Change], *reads: Any) -> None:
        if any(change.new for change in changes):
            right(writer, task, changes, *reads)

    patch.setattr(zones, "_judge_task", judge)


def _judging(patch: Patch, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    right = zones.judge
    patch.setattr(zones, "judge", lambda writer, changes, **given: right(writer, changes, **change(given)))


def a_task_lies_anywhere(patch: Patch) -> None:
    patch.setattr(layout, "task_named", lambda path: None)


def a_note_that_does_not_parse_is_let_be(patch: Patch) -> None:
    _passing(patch, "note")


def _passing(patch: Patch, *rules: str) -> None:
    """These refusals of a task are swallowed."""
    right = zones._judge_task

    def judge(*given: Any) -> None:
        try:
            right(*given)
        except Refused as refused:
            if refused.rule not in rules:
                raise

    patch.setattr(zones, "_judge_task", judge)


def fields_without(*rules: str) -> Bug:
    def bug(patch: Patch) -> None:
        right = zones._judge_fields

        def judge(*given: Any) -> None:
            try:
                right(*given)
            except Refused as refused:
                if refused.rule not in rules:
                    raise

        patch.setattr(zones, "_judge_fields", judge)

    return bug


def the_fence_is_not_looked_at(patch: Patch) -> None:
    patch.setattr(policy, "_judge_fence", lambda found, changes, before: None)


def notes_tell_their_own_id(patch: Patch) -> None:
    right = notes.read

    def read(path: str, content: bytes) -> Any:
        try:
            return right(path, content)
        except MalformedNote:
            place = layout.place_of(path)
            assert place is not None
            return right(path, re.sub(rb"\bid: [a-z2-7]{16}", b"id: " + place.id.encode(), content))

    patch.setattr(notes, "read", read)
