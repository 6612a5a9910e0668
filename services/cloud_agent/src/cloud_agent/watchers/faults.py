"""Why a mailbox cannot be read: what a person must mend, and what passes."""


class LoginRefused(Exception):
    """The server does not take this credential, or there is none to try."""


class FolderMissing(Exception):
    """The server has no such folder."""


class Unreachable(Exception):
    """The server does not answer, broke off, or answered nonsense; try again later."""


class Busy(Unreachable):
    """The server asks for patience: not before `seconds` have passed (0: it does not say)."""

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds
