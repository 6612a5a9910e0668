"""What is known of whoever wrote: for a drafter to understand a mail by, not to tell."""

from dataclasses import dataclass

from drafting.memory import NOTHING, Memory


@dataclass(frozen=True, slots=True)
class Fact:
    """One line. `name` says what kind it is, such as `open invoices`; a Handbook that lets that be told names it so."""

    name: str
    text: str
    source: str

    def shown(self) -> str:
        return f"{self.name}: {self.text} [{self.source}]"


@dataclass(frozen=True, slots=True)
class Background:
    """All that was looked up, and what the owner's edits taught."""

    facts: tuple[Fact, ...] = ()
    memory: Memory = NOTHING


NONE = Background()
