"""The owner's grant to read one Gmail account: what it is, the file that holds it, and the scopes it may have."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_agent.watchers.faults import LoginRefused
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private

READ_ONLY = "https://www.googleapis.com/auth/gmail.readonly"
HARMLESS = frozenset(
    {
        READ_ONLY,
        "https://www.googleapis.com/auth/gmail.metadata",
        "https://www.googleapis.com/auth/userinfo.email",
        "https://www.googleapis.com/auth/userinfo.profile",
        "email",
        "openid",
        "profile",
    }
)
"""Every other scope, known or new, is taken for one that can act."""

Line = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,2048}$")]


class GrantTooWide(VaultError):
    """The grant can do more than read: Cloud does not use it."""


class Grant(BaseModel):
    """The application's name at Google and the refresh token of one account; no scope is kept, it is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    client_id: Line
    client_secret: Annotated[str, Field(pattern=r"^[\x21-\x7e]{0,2048}$", repr=False)] = ""
    refresh_token: Annotated[Line, Field(repr=False)]

    @classmethod
    def read(cls, file: Path, mailbox: str) -> Self:
        """Raises LoginRefused."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise LoginRefused(f"mailbox {mailbox}: no grant in {file} ({type(error).__name__})") from None

    def write(self, file: Path) -> None:
        """For this user alone."""
        write_private(file, (self.model_dump_json(indent=2) + "\n").encode("ascii"))


def hold_to_reading(scope: str, mailbox: str) -> None:
    """`scope`: what Google says was granted. Raises GrantTooWide, or LoginRefused when reading is not among it."""
    granted = set(scope.split())
    if more := sorted(granted - HARMLESS):
        shown = ", ".join(name.rpartition("/auth/")[2][:60] for name in more[:5])
        raise GrantTooWide(
            f"mailbox {mailbox}: its grant can do more than read ({shown}), and Cloud must not hold such a one; "
            "revoke it at myaccount.google.com/permissions and run `python -m cloud_agent gmail-login` again"
        )
    if READ_ONLY not in granted:
        raise LoginRefused(f"mailbox {mailbox}: its grant does not include reading mail; log in again")
