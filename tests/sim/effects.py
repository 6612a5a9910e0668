"""The judge at the outside server's door: whether this may happen now, and whether it happened before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local_agent.effects.ledger import State
from tests.sim import reading
from tests.sim.breach import hold
from vault_protocol.action import SendMail
from vault_protocol.approval import Approval

if TYPE_CHECKING:
    from tests.sim.world import World

DAY = 24 * 3600
LIVE = {State.STARTED.value, State.CONFIRMED.value, State.UNKNOWN.value}


@dataclass
class Door:
    """I4, I5 and I6 at the moment an effect would happen, and over everything that did."""

    world: World
    taken_back: set[str] = field(default_factory=set)
    """Approval ids the owner was told are taken back."""
    owners_word: set[str] = field(default_factory=set)
    """Approval ids the owner settled themselves."""
    _keys: dict[str, str] = field(default_factory=dict)

    def touched(self, action: SendMail, approval: Approval, key: str) -> str:
        """Before the effect. Gives the digest of what would be sent."""
        world, fields = self.world, approval.model_dump(mode="json")
        world.history.follow(world.hub.head)
        id_, digest = reading.approval_id(fields), reading.digest(action.model_dump(mode="json"))
        what = f"the mail of {approval.task} r{approval.revision}"
        hold(self._keys.setdefault(key, id_) == id_, "I4", f"{what} carries the key of another approval")
        self._once(id_, approval.task, what)
        hold(id_ in world.signer.signed, "I5", f"{what}: the owner never signed this")
        hold(digest == approval.digest == world.signer.shown[id_], "I5", f"{what} is not what the owner saw")
        hold(id_ in world.history.approvals, "I5", f"{what} begins before its approval is published")
        at = world.history.tasks[approval.task]
        hold((at.stage, at.revision) == ("Approved", approval.revision), "I5", f"{what}, and it is in {at.stage}")
        hold(approval.executor == world.local.executor_id, "I5", f"{what}: approved on {approval.executor}")
        self._in_time(approval, what)
        hold(id_ not in self.taken_back, "I5", f"{what}: the owner took that approval back")
        hold(not world.local.paused(), "I5", f"{what} begins while effects are paused")
        hold(world.local.outcome(id_) == State.STARTED.value, "I6", f"{what} begins without a `started` mark")
        return digest

    def _in_time(self, approval: Approval, what: str) -> None:
        now = self.world.local.clock.now()
        begins = max(_moment(approval.not_before), _moment(approval.decided_at))
        ends = _moment(approval.expires)
        hold(begins <= now < ends, "I5", f"{what} at {now}, approved from {begins} until {ends}")
        hold((ends - begins).total_seconds() <= DAY, "I5", f"{what}: approved for longer than a day")

    def _once(self, approval: str, task: str, what: str) -> None:
        for arrival in self.world.outside.accepted:
            hold(arrival.approval != approval, "I4", f"{what} would arrive twice under one approval")
            if arrival.task == task and arrival.digest:
                same_machine = arrival.executor == self.world.local.executor_id
                seen = arrival.key in self.world.outside.sent and arrival.digest == self.world.signer.shown.get(
                    approval
                )
                hold(not same_machine, "I4", f"{what} arrived before, under another approval")
                hold(not seen, "I4", f"{what} stands in Sent already, from another machine")

    def settled(self) -> None:
        """When all is quiet: the outside, the ledger, the receipts and the tasks tell one story."""
        world, history = self.world, self.world.history
        for arrival in world.outside.accepted:
            if arrival.executor != world.local.executor_id:
                continue
            state = world.local.outcome(arrival.approval)
            what = f"the mail of {arrival.task} arrived"
            hold(state in LIVE or arrival.approval in self.owners_word, "I6", f"{what}, the ledger says {state}")
            if history.tasks[arrival.task].stage == "Done":
                hold(arrival.approval in history.receipts, "I6", f"{what} and it is done, without a receipt")
        arrived = {arrival.approval for arrival in world.outside.accepted}
        for approval, task in history.receipts.items():
            hold(approval in arrived | self.owners_word, "I6", f"a receipt for {task}, and nothing ever arrived")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
