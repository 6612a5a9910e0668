"""What both `init` and `connect` may be given of this machine and its owner."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FolderOption = Annotated[Path | None, typer.Option("--folder", help="Where you read the notes.")]
OwnerOption = Annotated[str | None, typer.Option("--owner", help="Your name, as it stands under your mails.")]
ZoneOption = Annotated[
    str | None,
    typer.Option("--zone", help="Your time zone, such as Europe/Berlin. Default: this machine's."),
]
AccountFileOption = Annotated[
    Path | None, typer.Option("--account-file", help="TOML with your mail accounts as [[accounts]].")
]
KeyProtectionOption = Annotated[
    str | None, typer.Option("--key-protection", metavar="passphrase|keyring|fido|none")
]  # fmt: skip
PassphraseFileOption = Annotated[Path | None, typer.Option("--passphrase-file", help="Its first line.")]
FidoKeyOption = Annotated[
    Path | None,
    typer.Option("--fido-key", help="For fido: an existing key handle, or a public key your agent holds."),
]
KeysFromOption = Annotated[
    Path | None, typer.Option("--keys-from", help="The home of your other machine, to join its vault.")
]
DryRunOption = Annotated[
    bool | None, typer.Option("--dry-run/--no-dry-run", help="Check everything, send nothing. Default: on.")
]
UndoOption = Annotated[int, typer.Option("--undo-seconds", min=0, max=86400)]
