"""config.toml: written once by `init`, and one key of it later, without touching anything else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from local_agent.books_account import BooksAccount
from local_agent.home import PingSettings, Settings
from local_agent.mail_account import MailAccount
from local_agent.networks.account import SocialAccount
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private

_HEADER = """\
# Countersign on this machine. Nothing in this folder is ever synced.
# The service reads this file when it starts; `dry_run` and `[limits]` also while it runs.
"""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_DRY_RUN = re.compile(r"(?m)^([ \t]*dry_run[ \t]*=[ \t]*)(?:true|false)(?=[ \t\r]*(?:#|$))")
_TABLE = re.compile(r"(?m)^[ \t]*\[")


class _AccountFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: tuple[MailAccount, ...]


class _BooksFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    books: tuple[BooksAccount, ...]


class _NetworksFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    social: tuple[SocialAccount, ...] = ()
    whatsapp: tuple[WhatsAppAccount, ...] = ()


TABLES = ("accounts", "books", "notify", "payments", "social", "whatsapp")
"""Of each a list of tables; everything else in the file is flat."""

Networks = tuple[SocialAccount | WhatsAppAccount, ...]

F = TypeVar("F", bound=BaseModel)


def render(settings: Settings) -> str:
    """The whole file; reading it gives the same settings."""
    values = settings.model_dump(mode="json", exclude_none=True)
    if settings.pings == PingSettings():
        values["pings"] = {}
    tables = {name: values.pop(name) for name in TABLES}
    small = {name: values.pop(name) for name in ("limits", "pings")}
    lines = [_HEADER, *_pairs(values)]
    for name, pairs in small.items():
        if pairs:
            lines += ["", f"[{name}]", *_pairs(pairs)]
    for name, entries in tables.items():
        for entry in entries:
            lines += ["", f"[[{name}]]", *_pairs(entry)]
    return "\n".join(lines) + "\n"


def read_accounts(path: Path) -> tuple[MailAccount, ...]:
    """The `[[accounts]]` of a TOML file. Relative password files are relative to it. Raises VaultError."""
    found, base = _read(path, _AccountFile).accounts, path.absolute().parent
    accounts = tuple(
        account.model_copy(update={"password_file": base / account.password_file.expanduser()}) for account in found
    )
    _distinct(path, [account.name for account in accounts])
    return accounts


def read_books(path: Path) -> tuple[BooksAccount, ...]:
    """The `[[books]]` of a TOML file. Relative files are relative to it. Raises VaultError."""
    base = path.absolute().parent

    def beside(file: Path | None) -> Path | None:
        return base / file.expanduser() if file is not None else None

    books = tuple(
        one.model_copy(update={"key_file": beside(one.key_file), "ca_file": beside(one.ca_file)})
        for one in _read(path, _BooksFile).books
    )
    _distinct(path, [one.name for one in books])
    return books


def read_networks(path: Path) -> Networks:
    """The `[[social]]` and `[[whatsapp]]` of a TOML file. Relative files are relative to it. Raises VaultError."""
    found, base = _read(path, _NetworksFile), path.absolute().parent

    def beside(account: SocialAccount | WhatsAppAccount, name: str) -> dict[str, Path]:
        file = getattr(account, name, None)
        return {name: base / file.expanduser()} if file is not None else {}

    _distinct(path, [one.name for one in found.social])
    _distinct(path, [one.name for one in found.whatsapp])
    read: Networks = (*found.social, *found.whatsapp)
    return tuple(one.model_copy(update={**beside(one, "secret_file"), **beside(one, "ca_file")}) for one in read)


def add_books(path: Path, books: Iterable[BooksAccount]) -> tuple[str, ...]:
    """Append those that the settings do not have; their names. Every other byte stays. Raises VaultError."""
    return add(path, books)


def add(path: Path, entries: Iterable[BooksAccount | SocialAccount | WhatsAppAccount]) -> tuple[str, ...]:
    """Append to each one's list what it does not have; the names. Every other byte stays. Raises VaultError."""
    before = path.read_bytes().decode("utf-8")
    there = tomllib.loads(before)
    known = {(table, str(one.get("name"))) for table in TABLES for one in there.get(table, [])}
    new = [one for one in entries if (_table_of(one), one.name) not in known]
    text = before if before.endswith("\n") else before + "\n"
    for one in new:
        text += "\n".join(["", f"[[{_table_of(one)}]]", *_pairs(one.model_dump(mode="json", exclude_none=True)), ""])
    if new:
        Settings.model_validate(tomllib.loads(text))
        write_private(path, text.encode("utf-8"))
    return tuple(one.name for one in new)


def _table_of(entry: BooksAccount | SocialAccount | WhatsAppAccount) -> str:
    match entry:
        case BooksAccount():
            return "books"
        case SocialAccount():
            return "social"
    return "whatsapp"


def _read(path: Path, kind: type[F]) -> F:
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise VaultError(f"cannot read the {next(iter(kind.model_fields))} in {path}: {error}") from None
    except ValidationError as error:
        raise VaultError(f"{path}: {first_fault(error)}") from None


def _distinct(path: Path, names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise VaultError(f"{path}: two of them have the same name")


def set_dry_run(path: Path, on: bool) -> None:
    """Change this one key and leave every other byte as it is. Raises VaultError when that cannot be done surely."""
    before = path.read_bytes().decode("utf-8")
    word = "true" if on else "false"
    table = _TABLE.search(before)
    top, rest = (before[: table.start()], before[table.start() :]) if table else (before, "")
    if _DRY_RUN.search(top):
        top = _DRY_RUN.sub(rf"\g<1>{word}", top, count=1)
    else:
        top += ("" if not top or top.endswith("\n") else "\n") + f"dry_run = {word}\n"
    wanted = {**tomllib.loads(before), "dry_run": on}
    try:
        done = tomllib.loads(top + rest) == wanted
    except tomllib.TOMLDecodeError:
        done = False
    if not done:
        raise VaultError(f"cannot change dry_run in {path} without touching more; set `dry_run = {word}` by hand")
    write_private(path, (top + rest).encode("utf-8"))


def first_fault(error: ValidationError) -> str:
    """Which field, and what is wrong with it, without its value."""
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _pairs(values: Mapping[str, object]) -> Iterable[str]:
    for key, value in values.items():
        yield f"{key} = {_toml(value)}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    assert isinstance(value, str), "config.toml has flat values, and lists of them"
    return '"' + "".join(_escaped(character) for character in value) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        raise VaultError("a setting holds half a character; type it again")
    return f"\\u{code:04X}" if code < 0x20 or code == 0x7F else character
