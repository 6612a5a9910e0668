"""How an agent on a machine of its own begins: it knocks at its hub until the hub lets it in and introduces itself."""

from __future__ import annotations

from pathlib import Path

import structlog

from cloud_agent import settings as settings_file
from cloud_agent.introduction import Introduction
from vault_protocol.connect import read_token
from vault_protocol.errors import HubUnreachable
from vault_protocol.files import write_whole
from vault_protocol.hub_client import HubClient
from vault_protocol.store import GitStore

log = structlog.get_logger()


class Knocking:
    """One call, one knock. What the hub says goes into `folder`, is read there from then on, and never asked again."""

    def __init__(self, config: Path, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._said = ""

    def __call__(self) -> None:
        """Raises BadSettings, or VaultError for a token or an authority that cannot be used."""
        not_yet = Introduction("not yet known", self._folder / "owner.pub")
        settings = settings_file.read(self._config, not_yet)
        if settings.hub_token_file is None:
            raise settings_file.BadSettings(f"{self._config}: hub_token_file is missing; only a resident hub is asked")
        hub = HubClient(
            GitStore(settings.state_dir / "vault.git"), settings.hub, read_token(settings.hub_token_file),
            ca_file=settings.hub_ca_file, way_out=settings.hub_way_out,
        )  # fmt: skip
        try:
            vault, owner_key = hub.introduced()
        except HubUnreachable as error:
            if str(error) != self._said:
                self._said = str(error)
                log.info("agent.not-let-in", reason=self._said)
            return
        finally:
            hub.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(not_yet.owner_key_file, (owner_key.line("owner") + "\n").encode("ascii"))
        write_whole(self._folder / "vault", f"{vault}\n".encode("ascii"))
        log.info("agent.let-in", vault=vault)
