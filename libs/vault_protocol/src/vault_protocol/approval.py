"""The owner's decision: a signature by a key only Local holds, over the exact action, once, for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from . import sshsig
from .action import Action
from .action_base import Hex64
from .canonical import canonical, moment, sha256, utc
from .errors import ApprovalRefused

NAMESPACE = "approval@countersign"
LIFETIME = timedelta(hours=24)
"""A signed approval expires this long after the later of decision and not_before."""

POLICY_VERSION = 1


def _stamp(text: str) -> str:
    moment(text)
    return text


Stamp = Annotated[str, AfterValidator(_stamp)]

StepUp = Literal["none", "passphrase", "fido"]
"""What was asked of the owner for this very decision beyond an unlocked key."""

A = TypeVar("A", bound=Action)
Sign = Callable[[bytes], str]
"""Signs bytes in `NAMESPACE` and gives the armored signature; raises when the key is locked."""


class Approval(BaseModel):
    """What is signed. Times are UTC to the second, written as text; ids are opaque."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    vault: str
    executor: str
    task: str
    revision: int
    digest: Hex64
    verdict: Literal["approve"] = "approve"
    account: str
    by: str
    decided_at: Stamp
    not_before: Stamp
    expires: Stamp
    nonce: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    policy: int = POLICY_VERSION
    step_up: StepUp = "none"

    def canonical(self) -> bytes:
        """`countersign approval v1`, LF, canonical JSON: the signed message. No step-up is not spelled."""
        fields = self.model_dump(mode="json")
        if self.step_up == "none":
            del fields["step_up"]
        return b"countersign approval v1\n" + canonical(fields)

    @property
    def id(self) -> str:
        """SHA-256 of the signed bytes, in hex."""
        return sha256(self.canonical())


class SignedApproval(BaseModel):
    """An approval with its armored SSH signature, as it lies in Approvals/."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    approval: Approval
    signature: Annotated[str, Field(max_length=8192)]

    def path(self) -> str:
        """Approvals/YYYY/MM/TASK-rREVISION-NONCE.json."""
        approval = self.approval
        month = approval.decided_at[:7].replace("-", "/")
        return f"Approvals/{month}/{approval.task}-r{approval.revision}-{approval.nonce[:8]}.json"


_SEAL = object()


@dataclass(frozen=True)
class Approved(Generic[A]):
    """An action with a verified approval of this very digest. Only `verify` makes one."""

    action: A
    approval: Approval
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an Approved comes from approval.verify, never from a constructor")


def grant(
    action: Action, *, vault: str, executor: str, task: str, revision: int, by: str,
    now: datetime, not_before: datetime, nonce: str, sign: Sign, lifetime: timedelta = LIFETIME,
    step_up: StepUp = "none",
) -> SignedApproval:  # fmt: skip
    """Sign an approval of this action. `nonce` is 32 random hex digits; `sign` needs the unlocked key; `step_up` is
    what the owner was asked for, and is signed with the rest."""
    not_before = max(now, not_before)
    approval = Approval(
        vault=vault, executor=executor, task=task, revision=revision, digest=action.digest,
        account=action.account, by=by, decided_at=utc(now), not_before=utc(not_before),
        expires=utc(not_before + lifetime), nonce=nonce, step_up=step_up,
    )  # fmt: skip
    return SignedApproval(approval=approval, signature=sign(approval.canonical()))


def verify(
    signed: SignedApproval, action: A, *, key: sshsig.PublicKey, vault: str, executor: str,
    task: str, revision: int, now: datetime,
) -> Approved[A]:  # fmt: skip
    """The one gate before an effect. Raises ApprovalRefused with the rule that failed."""
    approval = signed.approval
    try:
        sshsig.verify(key, approval.canonical(), signed.signature, namespace=NAMESPACE)
    except sshsig.BadSignature as error:
        raise ApprovalRefused("signature", f"it is not signed by the owner's key: {error}") from None
    for rule, given, wanted in (
        ("vault", approval.vault, vault),
        ("executor", approval.executor, executor),
        ("task", approval.task, task),
        ("revision", approval.revision, revision),
        ("account", approval.account, action.account),
        ("policy", approval.policy, POLICY_VERSION),
    ):
        if given != wanted:
            raise ApprovalRefused(rule, f"it is for {rule} {given}, this is {wanted}")
    if approval.digest != action.digest:
        raise ApprovalRefused("digest", "the action is not, byte for byte, the one the owner approved")
    _hold_step_up(action, approval.step_up, key)
    begins = max(moment(approval.not_before), moment(approval.decided_at))
    ends = moment(approval.expires)
    if now < begins:
        raise ApprovalRefused("not_before", f"it holds from {utc(begins)}")
    if now >= ends or ends - begins > LIFETIME:
        raise ApprovalRefused("expired", f"it held until {approval.expires}; approve again")
    return Approved(action, approval, _SEAL)


def _hold_step_up(action: Action, given: StepUp, key: sshsig.PublicKey) -> None:
    """A FIDO key shows its touch in the signature itself. That a passphrase was asked for is the signer's word."""
    shown: StepUp = "passphrase" if key.application is None else "fido"
    if given not in ("none", shown):
        raise ApprovalRefused("step_up", f"it says {given}, and the approval key is one of the other kind")
    if action.step_up and given == "none":
        raise ApprovalRefused(
            "step_up", "a payment needs the passphrase again, or a touch of the FIDO key; approve again"
        )
