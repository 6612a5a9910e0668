"""What a caller of this package tells apart."""

from vault_protocol.errors import VaultError


class MonitorError(VaultError):
    """Something expected went wrong; the message says what, which, and what to do."""


class BadSettings(MonitorError):
    """A file of ours cannot be used."""


class KumaAway(MonitorError):
    """Uptime Kuma does not answer, or did not take a call."""
