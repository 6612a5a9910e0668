"""Each guard of the page is taken away, by name, and a test that stands elsewhere sees that it is gone."""

from __future__ import annotations

import dataclasses
import hmac
import inspect
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from services.local_agent.tests import test_page_deciding as decisions
from services.local_agent.tests import test_page_doors as doors
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.page_world import Office, office, with_mailbox
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from local_agent.approvals import answering, deciding, guard
from local_agent.approvals.answering import Ask
from local_agent.approvals.cards import Card, card
from local_agent.approvals.devices import Device, Devices
from local_agent.approvals.guard import Guard
from local_agent.approvals.page import Page
from local_agent.approvals.pairing import Pairing
from local_agent.approvals.throttle import Throttle
from local_agent.assemble import Local
from vault_protocol import sshsig
from vault_protocol.errors import VaultError

Patch = pytest.MonkeyPatch
Check = Callable[[Office], None]


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys.readouterr)


@pytest.fixture
def checks(world: World, request: pytest.FixtureRequest) -> Iterator[Office]:
    """The office that the check has where it stands: `checked`, with a mailbox to hold drafts against, or `desk`."""
    _, check = BUGS[request.param]
    if "checked" in inspect.signature(check).parameters:
        with_mailbox(world)
    else:
        assert world.init().code == 0
    with office(world) as found:
        yield found


def nothing(*_: object, **__: object) -> None:
    """In the place of a check."""


def allowing(*statuses: int) -> Callable[[Patch], None]:
    """The guard before every route never answers with these."""

    def bug(patch: Patch) -> None:
        refused = Guard._refused

        def fewer(self: Guard, scope: Scope) -> PlainTextResponse | None:
            answer = refused(self, scope)
            return None if answer is not None and answer.status_code in statuses else answer

        patch.setattr(Guard, "_refused", fewer)

    return bug


def laxer_policy(patch: Patch) -> None:
    laxer = guard.POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'")
    patch.setitem(guard.HEADERS, "content-security-policy", laxer)


def any_token_will_do(patch: Patch) -> None:
    """The comparison that `answering` makes, and no other."""

    class Agreeing:
        compare_digest = staticmethod(lambda *_: True)

    patch.setattr(answering, "hmac", Agreeing)


def one_token_for_all(patch: Patch) -> None:
    patch.setattr(Page, "_csrf", lambda self, _: hmac.new(self._csrf_key, b"", sha256).hexdigest())


def whoever_knows_the_door(patch: Patch) -> None:
    patch.setattr(Devices, "known", lambda self, door, _: next((one for one in self.all() if one.door == door), None))


def a_cookie_opens_any_door(patch: Patch) -> None:
    def known(self: Devices, _: str, token: str) -> Device | None:
        hashed = sha256(token.encode("utf-8")).hexdigest()
        return next((one for one in self.all() if one.token_sha256 == hashed), None)

    patch.setattr(Devices, "known", known)


class Whatever(str):
    """Equal to all."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False


def what_is_there_now(patch: Patch) -> None:
    """The draft as it is, whatever the form says was shown."""

    def shown(ask: Ask, local: Local) -> Card:
        return card(local, ask.id)

    patch.setattr(deciding, "shown", shown)


def a_batch_of_what_is_there_now(patch: Patch) -> None:
    """Every mark that a form brings is taken for the mark of the draft."""

    def unmarked(local: Local, id_: str) -> Card:
        return dataclasses.replace(card(local, id_), seen=Whatever())

    patch.setattr(deciding, "card", unmarked)


def the_whole_batch(patch: Patch) -> None:
    patch.setattr(Card, "batch", property(lambda _: True))


def any_text_was_shown(patch: Patch) -> None:
    """`approve-edited` takes the digest of whatever text comes as the one that was shown."""
    text = Ask.text

    patch.setattr(
        Ask, "text", lambda self, name, limit=2000: Whatever() if name == "digest" else text(self, name, limit)
    )


def a_code_again_and_again(patch: Patch) -> None:
    redeem = Pairing.redeem

    def kept(self: Pairing, typed: str) -> None:
        code = self._code
        redeem(self, typed)
        self._code = code

    patch.setattr(Pairing, "redeem", kept)


def forgotten(self: Devices, id_: str) -> Device:
    """A device that is said to be out, and is not."""
    found = next((one for one in self.all() if one.id == id_), None)
    if found is None:
        raise VaultError("no such device")
    return found


def cookies_for_every_path(patch: Patch) -> None:
    real = Response.set_cookie

    def wide(self: Response, key: str, value: str = "", **how: object) -> None:
        real(self, key, value, **{**how, "path": "/"})  # type: ignore[arg-type]

    patch.setattr(Response, "set_cookie", wide)


BUGS: dict[str, tuple[Callable[[Patch], None], Check]] = {
    "a foreign Host is answered": (allowing(421), doors.test_another_name_for_this_machine_is_not_answered),
    "a foreign origin is not asked after": (allowing(403), doors.test_a_form_of_another_site_decides_nothing),
    "a body has no bound": (
        lambda patch: patch.setattr(guard, "BODY", 1 << 40), doors.test_a_body_longer_than_any_note_is_not_read
    ),
    "no policy for the browser": (
        lambda patch: patch.setitem(guard.HEADERS, "content-security-policy", ""),
        doors.test_the_answer_forbids_scripts_frames_and_everything_from_elsewhere,
    ),
    "a policy that allows inline scripts": (
        laxer_policy, doors.test_the_answer_forbids_scripts_frames_and_everything_from_elsewhere
    ),
    "pages stay in caches": (
        lambda patch: patch.setitem(guard.HEADERS, "cache-control", "public"),
        doors.test_the_answer_forbids_scripts_frames_and_everything_from_elsewhere,
    ),
    "any token of a form will do": (
        any_token_will_do, doors.test_a_form_without_the_token_of_its_device_decides_nothing
    ),
    "all devices have one token": (
        one_token_for_all, doors.test_a_form_without_the_token_of_its_device_decides_nothing
    ),
    "whoever knows the door is let in": (whoever_knows_the_door, doors.test_a_stranger_sees_nothing),
    "a cookie opens any door": (a_cookie_opens_any_door, doors.test_a_stranger_sees_nothing),
    "a cookie is told below every path": (
        cookies_for_every_path, doors.test_the_cookie_is_for_one_path_that_no_other_program_knows
    ),
    "a code is good again and again": (a_code_again_and_again, doors.test_a_code_is_good_once),
    "nobody counts wrong codes": (
        lambda patch: patch.setattr(Throttle, "failed", nothing), doors.test_whoever_guesses_is_not_listened_to
    ),
    "nobody counts wrong passphrases": (
        lambda patch: patch.setattr(Throttle, "failed", nothing), doors.test_wrong_passphrases_are_counted_too
    ),
    "a code for whoever asks": (
        lambda patch: patch.setattr(sshsig, "verify", nothing), doors.test_only_the_approval_key_gets_a_code
    ),
    "a revoked device stays in": (
        lambda patch: patch.setattr(Devices, "revoke", forgotten),
        doors.test_a_revoked_device_is_a_stranger_from_the_next_request_on,
    ),
    "what is there is approved, not what was shown": (
        what_is_there_now, decisions.test_a_draft_that_changed_since_it_was_shown_is_not_approved
    ),
    "a batch approves what is there": (
        a_batch_of_what_is_there_now, decisions.test_of_several_what_changed_since_it_was_shown_is_left_out_and_said
    ),
    "any text counts as the one whose changes were shown": (
        any_text_was_shown, decisions.test_other_words_than_those_whose_changes_were_shown_are_not_signed
    ),
    "what was not checked is approved in a batch": (
        the_whole_batch, decisions.test_what_could_not_be_checked_is_approved_alone_or_not_at_all
    ),
    "a contradicted draft needs no word": (
        lambda patch: patch.setattr(deciding, "objection", nothing),
        decisions.test_a_draft_that_the_mailbox_contradicts_needs_so_many_words,
    ),
    "an edit in the folder need not be meant": (
        lambda patch: patch.setattr(deciding, "_hold_edit", nothing),
        decisions.test_an_edit_in_the_folder_is_what_is_shown_and_approved_only_when_meant,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "checks"), [(name, name) for name in BUGS], indirect=["checks"], ids=list(BUGS))
def test_a_guard_that_is_taken_away_is_missed(name: str, checks: Office, monkeypatch: Patch) -> None:
    bug, check = BUGS[name]
    bug(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(checks)
