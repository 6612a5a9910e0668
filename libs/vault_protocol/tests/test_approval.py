import copy
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from libs.vault_protocol.tests import fido, made

from vault_protocol import approval, sshsig
from vault_protocol.action import PayTransfer, SendMail
from vault_protocol.approval import Approval, Approved, SignedApproval, StepUp
from vault_protocol.canonical import utc
from vault_protocol.errors import ApprovalRefused
from vault_protocol.sshsig import PublicKey

NOW = made.NOW
TASK = made.pending()
OWNER = PublicKey.of(made.OWNER_KEY)


def verified(signed: SignedApproval, action: SendMail | None = None, **changes: Any) -> Approved[SendMail]:
    asked: dict[str, Any] = {
        "key": OWNER, "vault": made.VAULT, "executor": "executor-1", "task": TASK.id, "revision": 1, "now": NOW,
    }  # fmt: skip
    return approval.verify(signed, action or made.mail(), **{**asked, **changes})


def signed(**changes: Any) -> SignedApproval:
    """A true approval with these fields changed, and signed again by the owner's key."""
    claimed = made.approved(TASK).approval.model_copy(update=changes)
    return SignedApproval(approval=claimed, signature=made.owner_signs(claimed.canonical()))


def refused(rule: str, *args: Any, **changes: Any) -> None:
    with pytest.raises(ApprovalRefused) as caught:
        verified(*args, **changes)
    assert caught.value.rule == rule


def test_the_owners_signature_over_this_very_action_lets_it_through() -> None:
    found = verified(made.approved(TASK))

    assert (found.action, found.approval.task) == (made.mail(), TASK.id)


def test_an_approval_is_read_back_from_its_file() -> None:
    one = made.approved(TASK)

    assert SignedApproval.model_validate_json(one.model_dump_json()) == one
    assert one.path() == f"Approvals/2026/11/{TASK.id}-r1-00000000.json"


def test_a_signature_by_an_agents_own_key_approves_nothing() -> None:
    for agent in (made.CLOUD, made.LOCAL):
        forged = made.approved(TASK, sign=lambda m, key=agent.key: sshsig.sign(key, m, namespace=approval.NAMESPACE))

        refused("signature", forged)


def test_the_owners_signature_for_another_purpose_approves_nothing() -> None:
    refused("signature", made.approved(TASK, sign=lambda m: sshsig.sign(made.OWNER_KEY, m, namespace="file")))


@pytest.mark.parametrize("field", Approval.model_fields)
def test_a_field_changed_after_signing_breaks_the_signature(field: str) -> None:
    true = made.approved(TASK)
    value = getattr(true.approval, field)
    changed = value + 1 if isinstance(value, int) else value[:-2] + ("1Z" if value.endswith("Z") else "ff")

    refused("signature", true.model_copy(update={"approval": true.approval.model_copy(update={field: changed})}))


@pytest.mark.parametrize("field", ["subject", "text", "quote"])
def test_the_right_signature_does_not_approve_another_action(field: str) -> None:
    refused("digest", made.approved(TASK), made.mail(**{field: "other\n" if field != "subject" else "other"}))


def test_an_approval_holds_in_its_own_vault_only() -> None:
    refused("vault", made.approved(TASK), vault="vault-2")


def test_an_approval_holds_for_its_own_executor_only() -> None:
    refused("executor", made.approved(TASK), executor="executor-2")


def test_an_approval_holds_for_its_own_task_only() -> None:
    refused("task", made.approved(TASK), task=made.task_id(1))


@pytest.mark.parametrize("revision", [0, 2])
def test_an_approval_holds_for_its_own_revision_only(revision: int) -> None:
    refused("revision", made.approved(TASK), revision=revision)


def test_an_approval_holds_for_its_own_account_only() -> None:
    refused("account", signed(account="private"))


@pytest.mark.parametrize("policy", [0, 2, approval.POLICY_VERSION + 1])
def test_an_approval_under_an_unknown_policy_is_refused(policy: int) -> None:
    refused("policy", signed(policy=policy))


def test_an_approval_does_not_hold_before_not_before() -> None:
    later = made.approved(TASK, not_before=NOW + timedelta(hours=1))

    refused("not_before", later, now=NOW + timedelta(minutes=59, seconds=59))
    verified(later, now=NOW + timedelta(hours=1))


def test_an_approval_does_not_hold_before_it_was_given() -> None:
    refused("not_before", signed(decided_at=utc(NOW + timedelta(hours=1)), expires=utc(NOW + timedelta(hours=20))))


def test_an_approval_expires_24_hours_after_the_later_of_decision_and_not_before() -> None:
    day = timedelta(hours=24)
    for begins in (NOW, NOW + timedelta(hours=5)):
        one = made.approved(TASK, not_before=begins)

        verified(one, now=begins + day - timedelta(seconds=1))
        refused("expired", one, now=begins + day)
        refused("expired", one, now=begins + day * 30)


def test_an_approval_that_would_live_too_long_is_refused_at_once() -> None:
    refused("expired", signed(expires=utc(NOW + approval.LIFETIME + timedelta(seconds=1))))
    refused("expired", made.approved(TASK, lifetime=timedelta(days=365)))


def test_an_approval_dated_ahead_cannot_live_longer_by_that() -> None:
    decided, expires = NOW + timedelta(days=300), NOW + timedelta(days=301)

    refused("not_before", signed(decided_at=utc(decided), expires=utc(expires)))


def test_not_before_in_the_past_is_now() -> None:
    assert made.approved(TASK, not_before=NOW - timedelta(days=9)).approval.not_before == utc(NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [("digest", "0" * 63), ("digest", "A" * 64), ("nonce", "0" * 31), ("nonce", "0" * 32 + "\n"), ("verdict", "reject"),
     ("revision", "1"), ("revision", 1.0), ("revision", True), ("expires", "2026-11-23T09:00:00+00:00"),
     ("expires", "2026-99-99T09:00:00Z"), ("expires", "２０２６-11-23T09:00:00Z"), ("expires", ""), ("spare", 1)],
)  # fmt: skip
def test_a_field_outside_its_rules_makes_no_approval(field: str, value: Any) -> None:
    fields = made.approved(TASK).approval.model_dump()

    with pytest.raises(ValueError, match=field):
        Approval.model_validate({**fields, field: value})


def test_approved_cannot_be_made_without_verifying() -> None:
    found = verified(made.approved(TASK))

    with pytest.raises(TypeError, match=r"comes from approval\.verify"):
        Approved(made.mail(), found.approval)
    with pytest.raises(TypeError, match=r"comes from approval\.verify"):
        Approved(made.mail(), found.approval, object())
    with pytest.raises(TypeError, match=r"comes from approval\.verify"):
        dataclasses.replace(found, action=made.mail(text="Other words\n"))
    with pytest.raises(AttributeError):
        found.action = made.mail(text="Other words\n")  # type: ignore[misc]
    assert not [name for name in vars(found) if "seal" in name.lower()]
    assert copy.copy(found) == found


def pay() -> PayTransfer:
    return PayTransfer(
        account="main", creditor="Paper Mill", iban="DE89370400440532013000", amount="119.00", currency="EUR",
        end_to_end="R-17", execution="2026-11-24",
    )  # fmt: skip


def granted(step_up: StepUp, sign: approval.Sign = made.owner_signs) -> SignedApproval:
    return approval.grant(
        pay(), vault=made.VAULT, executor="executor-1", task=TASK.id, revision=1, by="owner", now=NOW, not_before=NOW,
        nonce="0" * 32, sign=sign, step_up=step_up,
    )  # fmt: skip


@pytest.mark.parametrize(("key", "asked", "holds"), [
    ("file", "passphrase", True), ("file", "none", False), ("file", "fido", False),
    ("fido", "fido", True), ("fido", "none", False), ("fido", "passphrase", False),
])  # fmt: skip
def test_a_payment_holds_only_with_the_step_up_that_its_key_can_show(key: str, asked: StepUp, holds: bool) -> None:
    def touched(message: bytes) -> str:
        return fido.signature(made.OWNER_KEY, message, approval.NAMESPACE)

    token = key == "fido"
    one = granted(asked, sign=touched if token else made.owner_signs)
    asked_of: dict[str, Any] = {
        "key": fido.public_of(made.OWNER_KEY) if token else OWNER,
        "vault": made.VAULT, "executor": "executor-1", "task": TASK.id, "revision": 1,
        "now": NOW,
    }  # fmt: skip
    if holds:
        assert approval.verify(one, pay(), **asked_of).action == pay()
        return
    with pytest.raises(ApprovalRefused) as caught:
        approval.verify(one, pay(), **asked_of)
    assert caught.value.rule == "step_up"


def test_a_step_up_is_signed_with_the_rest_and_cannot_be_added_later() -> None:
    one = granted("none")
    lifted = one.model_copy(update={"approval": one.approval.model_copy(update={"step_up": "passphrase"})})
    with pytest.raises(ApprovalRefused) as caught:
        approval.verify(
            lifted, pay(), key=OWNER, vault=made.VAULT, executor="executor-1", task=TASK.id, revision=1, now=NOW
        )
    assert caught.value.rule == "signature"
