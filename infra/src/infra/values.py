"""Value types that cannot hold what must not exist: they refuse, and say what and why."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

ADMIN_PORTS = {
    22: "SSH",
    3389: "remote desktop",
    5432: "PostgreSQL",
    8069: "Odoo",
    8470: "the hub",
    3001: "Uptime Kuma",
}
PUBLIC_PORTS = (80, 443)
NARROW, NARROW_6, NARROW_INSIDE = 24, 48, 8
"""The widest range that is one office: of IPv4 what is routed alone, of IPv6 what one site gets, a private network."""
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


class Illegal(ValueError):
    """A setting or value that must not be; the message says what, why and what to do."""


@dataclass(frozen=True)
class Block:
    """A range of IPv4 addresses."""

    text: str

    def __post_init__(self) -> None:
        try:
            ipaddress.IPv4Network(self.text)
        except ValueError as error:
            raise Illegal(f"{self.text!r} is no range of IPv4 addresses such as 203.0.113.7/32: {error}") from None

    @property
    def is_wide(self) -> bool:
        """Whether it reaches far beyond one office."""
        return is_wide(ipaddress.IPv4Network(self.text))


def is_wide(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether it reaches far beyond one office."""
    if isinstance(network, ipaddress.IPv6Network):
        return network.prefixlen < NARROW_6
    inside = any(network.subnet_of(ipaddress.IPv4Network(one)) for one in PRIVATE)
    return network.prefixlen < (NARROW_INSIDE if inside else NARROW)


@dataclass(frozen=True)
class OpenPort:
    """A TCP port that may be reached from a range. Only 80 and 443 can be opened to everybody."""

    port: int
    source: str

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise Illegal(f"{self.port} is no port")
        if Block(self.source).is_wide and self.port not in PUBLIC_PORTS:
            raise Illegal(why_closed(self.port, self.source))


def why_closed(port: int, source: str) -> str:
    """What is wrong with a port of another kind than 80 and 443 that far more than one office reaches."""
    return (
        f"port {port} ({ADMIN_PORTS.get(port, 'this port')}) must not be open to {source}: only 80 and 443 are for "
        f"everybody; administer through the Bastion (settings: admin_blocks), from /{NARROW} or narrower"
    )


@dataclass(frozen=True)
class Shape:
    """A flexible A1 machine."""

    ocpus: int
    memory_gb: int

    def __post_init__(self) -> None:
        if not 1 <= self.ocpus <= 80:
            raise Illegal(f"{self.ocpus} OCPUs: an A1.Flex machine has 1 to 80")
        if not max(1, self.ocpus) <= self.memory_gb <= min(512, 64 * self.ocpus):
            raise Illegal(
                f"{self.memory_gb} GB for {self.ocpus} OCPUs: A1.Flex takes 1 to 64 GB for each OCPU, 512 in all"
            )


@dataclass(frozen=True)
class Volume:
    """A disk's size."""

    gb: int

    def __post_init__(self) -> None:
        if not 50 <= self.gb <= 32768:
            raise Illegal(f"a volume of {self.gb} GB: Oracle makes them from 50 to 32768")
