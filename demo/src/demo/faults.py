"""Ways in which the outside server can be made to misbehave, each for its first N messages."""

from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """`NAME:N` on the command line; slow takes seconds and refuse-address an address instead of N."""

    DROP_AFTER_DATA = "drop-after-data"
    """Stored, then the connection is cut: the answer is lost, the message is not."""
    LOSE_DATA = "lose-data"
    """Cut at the same place, but nothing was stored."""
    REFUSE_RCPT = "refuse-rcpt"
    """550 to every recipient."""
    DEFER = "defer"
    """451 at the end of DATA, nothing stored."""
    REFUSE_DATA = "refuse-data"
    """554 at the end of DATA, nothing stored."""
    REFUSE_ADDRESS = "refuse-address"
    """550 to this one recipient, always."""
    SLOW = "slow"
    """Stored, then this many seconds until the answer, always."""


@dataclass
class Faults:
    """What is still to go wrong."""

    left: dict[Fault, int] = field(default_factory=dict)
    refused_addresses: frozenset[str] = frozenset()
    slow_seconds: float = 0.0

    def take(self, fault: Fault) -> bool:
        """Whether `fault` applies now; using it up by one."""
        left = self.left.get(fault, 0)
        if left:
            self.left[fault] = left - 1
        return left > 0


def parse_faults(options: list[str]) -> Faults:
    """Read `NAME:VALUE` options; raises ValueError for anything else."""
    faults = Faults()
    for option in options:
        name, _, value = option.partition(":")
        match Fault(name):
            case Fault.SLOW:
                faults.slow_seconds = float(value)
            case Fault.REFUSE_ADDRESS:
                faults.refused_addresses |= {value.lower()}
            case counted:
                faults.left[counted] = int(value)
    return faults
