"""Planted bugs of names, modes, trees and contents; `mutants` names them all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from vault_protocol import fences, layout, scan, tree, twins, zones
from vault_protocol.hub import REGULAR
from vault_protocol.zones import Writer

Patch = pytest.MonkeyPatch
Bug = Callable[[Patch], None]


def the_mode_is_ignored(patch: Patch) -> None:
    right = zones._judge_name
    patch.setattr(zones, "_judge_name", lambda writer, change: right(writer, replace(change, mode=REGULAR)))


def names_are_not_judged(patch: Patch) -> None:
    patch.setattr(layout, "name_fault", lambda path, by_agent: None)


def one_more_type_syncs(patch: Patch) -> None:
    patch.setattr(layout, "SUFFIXES", (*layout.SUFFIXES, ".py"))


def git_is_spelt_in_small_letters(patch: Patch) -> None:
    patch.setattr(layout, "_GIT_LIKE", re.compile(layout._GIT_LIKE.pattern))


def short_names_are_not_thought_of(patch: Patch) -> None:
    patch.setattr(layout, "_GIT_LIKE", re.compile(r"(?:\.|%2e|\u2024|\uff0e)git", re.IGNORECASE))


def devices_are_not_thought_of(patch: Patch) -> None:
    patch.setattr(layout, "_DEVICE", re.compile(r"(?!)"))


def hidden_characters_are_not_thought_of(patch: Patch) -> None:
    patch.setattr(layout, "hidden_or_control", lambda text: None)


def names_may_have_twins(patch: Patch) -> None:
    patch.setattr(twins, "judge", lambda changes, names: None)


def case_is_looked_at_accents_are_not(patch: Patch) -> None:
    patch.setattr(twins, "fold", str.lower)


def twins_are_looked_for_in_the_commit_alone(patch: Patch) -> None:
    right = twins.judge
    patch.setattr(twins, "judge", lambda changes, names: right(changes, lambda folder: ()))


def names_may_be_hidden(patch: Patch) -> None:
    right = layout.name_fault
    patch.setattr(
        layout, "name_fault", lambda path, by_agent: right(path.replace("/.obsidian", "/obsidian"), by_agent=by_agent)
    )


def _listed(patch: Patch, excuse: str) -> None:
    right = tree.listed

    def listed(raw: bytes) -> list[tree.Line]:
        try:
            return right(raw)
        except tree.BadTree as error:
            if excuse not in str(error):
                raise
            return tree._ENTRY.findall(raw)

    patch.setattr(tree, "listed", listed)


def trees_out_of_order_are_read(patch: Patch) -> None:
    _listed(patch, "order")


def a_name_may_stand_there_twice(patch: Patch) -> None:
    _listed(patch, "twice")


def what_is_left_of_a_tree_is_ignored(patch: Patch) -> None:
    _listed(patch, "does not parse")


def trees_may_be_any_depth(patch: Patch) -> None:
    patch.setattr(tree, "DEPTH", 10_000)
    patch.setattr(layout, "name_fault", lambda path, by_agent: None)


def a_file_may_be_any_size(patch: Patch) -> None:
    patch.setattr(zones, "LARGEST", 2**40)


def active_content_passes(patch: Patch) -> None:
    patch.setattr(zones, "_judge_active", lambda writer, path, old, new: None)


def fences_are_read_in_one_way(patch: Patch) -> None:
    patch.setattr(fences, "active", lambda body: _one_reading(body))


def _one_reading(body: str) -> tuple[str, ...]:
    reading, found = fences._Fences(), []
    for line in body.split("\n"):
        if reading.outside(line) and fences._ACTIVE.search(line):
            found.append(line)
    return tuple(found)


def a_query_is_only_a_fence(patch: Patch) -> None:
    patch.setattr(fences, "_runs", lambda line: False)


def secrets_are_not_looked_for(patch: Patch) -> None:
    patch.setattr(zones, "_judge_secret", lambda writer, path, old, new: None)


def secrets_are_looked_for_in_notes_only(patch: Patch) -> None:
    right = zones._judge_secret

    def judge(writer: Writer, path: str, old: bytes | None, new: bytes | None) -> None:
        if path.endswith(".md"):
            right(writer, path, old, new)

    patch.setattr(zones, "_judge_secret", judge)


def a_form_of_secret_is_missing(patch: Patch) -> None:
    right = scan.provider_secrets
    patch.setattr(scan, "provider_secrets", lambda text: tuple(kind for kind in right(text) if kind != "stripe-key"))


def messages_are_not_scanned(patch: Patch) -> None:
    right = zones.judge_words

    def judge(writer: Writer, words: str, where: str) -> None:
        if where != "the commit message":
            right(writer, words, where)

    patch.setattr(zones, "judge_words", judge)
