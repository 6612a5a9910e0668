"""What the tests of the first boot ask of a machine, be it a VM or a container."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar


class Guest(ABC):
    """A machine with systemd whose first boot is looked at."""

    source: ClassVar[str]
    """Where cloud-init gets its text from, as it says so itself."""

    health_interval: ClassVar[str]
    """How often a container is asked for its health there: what is emulated needs its time."""

    @property
    @abstractmethod
    def console(self) -> str:
        """What the kernel, systemd and cloud-init said so far."""

    @abstractmethod
    def gone(self) -> str:
        """How it ended; empty while it runs."""

    @abstractmethod
    def run(self, script: str, *, seconds: float = 300, check: bool = True) -> str:
        """A script of sh as root; what it printed, with its errors when nobody checks that it went well."""

    @abstractmethod
    def restart(self) -> None:
        """By itself, as an operator would; ends when it is up again."""

    def wait(self, look: Callable[[], bool], what: str, minutes: float) -> None:
        """Until it is so; ends at once when the machine is gone."""
        until = time.monotonic() + minutes * 60
        while not look():
            assert not (end := self.gone()), f"{end}: {self.console[-3000:]}"
            assert time.monotonic() < until, (
                f"{what}: not within {minutes:g} minutes; the console's end:\n{self.console[-3000:]}"
            )
            time.sleep(1)
