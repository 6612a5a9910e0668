"""What may go wrong with a backup, and is expected to. A class exists because a caller does something different."""

from __future__ import annotations

from vault_protocol.errors import VaultError


class BackupError(VaultError):
    """Something expected went wrong; the message says what, which and what to do."""


class BadSettings(BackupError):
    """The settings cannot be used; the message names the file, the key and what to do."""


class SourceFailed(BackupError):
    """What was to be backed up could not be read whole: nothing of it went into the repository; try again later."""


class ResticFailed(BackupError):
    """restic ended with an error; the message holds its last words."""


class NoRepository(ResticFailed):
    """There is no repository at that place yet: `python -m backup init` makes one."""


class Damaged(BackupError):
    """The repository does not hold what was put into it: go by the second copy, and find out why."""


class NothingThere(BackupError):
    """No snapshot of this kind: nothing can be restored."""


class NotProven(BackupError):
    """What was restored is not what was backed up."""
