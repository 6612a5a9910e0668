"""Who has which mailbox at the demo's provider, and which login may do what with it."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class Login(BaseModel):
    """A user name and password (an "app password"): reads, or reads, writes and submits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    password: SecretStr
    may_submit: bool = False


class Account(BaseModel):
    """One mailbox: the addresses delivered into it and the logins that open it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    addresses: tuple[str, ...] = Field(min_length=1)
    logins: tuple[Login, ...] = Field(min_length=1)


class Accounts(BaseModel):
    """The accounts file: {"accounts": [{"addresses": [A], "logins": [{"user", "password", …}]}]}."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: tuple[Account, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _nothing_is_twice(self) -> Self:
        addresses = [address.lower() for account in self.accounts for address in account.addresses]
        users = [login.user for account in self.accounts for login in account.logins]
        if len(addresses) != len(set(addresses)) or len(users) != len(set(users)):
            raise ValueError("an address or a user name belongs to two mailboxes")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls.model_validate_json(path.read_bytes())

    def of_address(self, address: str) -> Account | None:
        """The mailbox that `address` is delivered to."""
        wanted = address.lower()
        return next((a for a in self.accounts if wanted in (own.lower() for own in a.addresses)), None)

    def submitter(self, user: str, password: str) -> Account | None:
        """The account this login may send for; None for wrong passwords and for logins that only read."""
        for account in self.accounts:
            for login in account.logins:
                if login.user == user and login.may_submit and login.password.get_secret_value() == password:
                    return account
        return None
