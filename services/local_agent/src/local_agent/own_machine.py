"""What may be said without TLS: nothing, but to this machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_this_machine(host: str) -> bool:
    """Whether a host name can be nothing but this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def protected(url: str, whose: str) -> str:
    """The address again. Raises ValueError, with whose it is, for one that would show a credential to a network."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
        return url
    raise ValueError(f"{whose}: the address must begin with https://")
