"""Where a component stands: whose stack it is, and in which compartment."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra import conventions
from infra.settings import Settings


@dataclass(frozen=True)
class Site:
    settings: Settings
    compartment: pulumi.Input[str]

    @property
    def tags(self) -> dict[str, str]:
        return conventions.tags(self.settings.stack)

    def called(self, part: str = "") -> str:
        """A display name."""
        return conventions.name(self.settings.stack, part)


def keeping(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    """For what holds data: it is never deleted or replaced before somebody takes the protection away."""
    return pulumi.ResourceOptions(parent=parent, protect=True)
