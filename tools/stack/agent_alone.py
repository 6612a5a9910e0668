"""An agent of Cloud on a machine of its own: it and its way out. It has its own name, key and token, and no port."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.stack import first_run, images
from tools.stack.engine import StackFailed
from tools.stack.files import hash_of, once, whole
from tools.stack.running import WAIT_SECONDS, Stack
from tools.stack.settings import Settings

IMAGES = ("cloud-agent", "way-out")
CLOUD = """\
# cloud_agent on a machine of its own. Vault and owner's key come from the hub, once. After a change: ./just up
agent = "{agent}"
hub = "{hub}"
hub_token_file = "/run/secrets/hub-token"
{authority}hub_way_out = "way-out:3128"
state_dir = "/data/state"
key_file = "/data/keys/{agent}"
secret_file = "/run/secrets/installation"
owner_name = "{owner}"
skills_dir = "/opt/countersign/skills"
way_out = "way-out:3128"
# The books, files and networks are the work of the agent beside the hub. A mail that is not here is left to who has it.
domains = ["email"]
leave_seconds = {leave}

# A mailbox to watch, as beside the hub (docs/runbook.md). What opens it is a file in {secrets}/cloud, mode 0444.
# [[mailboxes]]
# name = "second"
# kind = "business"
# address = "office@example.com"
# host = "imap.example.com"
# port = 993
# user = "office@example.com"
# password_file = "/run/secrets/second"
"""


@dataclass(frozen=True)
class Identity:
    """Who the agent is, in public halves: none of it is a secret."""

    agent: str
    token_sha256: str
    key: str

    def __str__(self) -> str:
        return f"{self.agent} {self.token_sha256} {self.key}"


def make(settings: Settings) -> None:
    """Folders and files that are not there yet. Raises StackFailed without the secret that its fleet shares."""
    first_run.folders(settings, secrets=("cloud",), ours=(settings.cloud, settings.way_out))
    if not (settings.secrets / first_run.INSTALLATION).exists():
        raise StackFailed(
            f"{settings.secrets / first_run.INSTALLATION} is missing: copy the file of that name from the hub's "
            "machine, mode 0444; with another one, each mail that two agents see would become two tasks"
        )
    first_run.make_secrets(settings, ("cloud/hub-token",))
    authority = ""
    if given := settings.values.get("HUB_CA"):
        authority = 'hub_ca_file = "hub-ca.pem"\n'
        try:
            whole(settings.cloud / "hub-ca.pem", Path(given).read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as error:
            raise StackFailed(f"HUB_CA: {error}") from None
    told = CLOUD.format(
        agent=settings.agent, hub=settings.hub, authority=authority, owner=first_run.owner(settings),
        secrets=settings.secrets, leave=first_run.LEAVE_SECONDS,
    )  # fmt: skip
    once(settings.cloud / "cloud.toml", told)
    whole(settings.way_out / "allowed.conf", first_run.allowed(settings.cloud / "cloud.toml"))


class AgentAlone(Stack):
    """The same commands, for as much as there is here."""

    file = "agent.yaml"

    @property
    def _images(self) -> tuple[images.Image, ...]:
        return tuple(image for image in images.IMAGES if image.name in IMAGES)

    def identity(self) -> Identity:
        """Its key is made the first time, in a volume that only it has; its token is a file of this machine."""
        argv = ("python", "-m", "cloud_agent", "init", "--home", "/data", "--agent", self.settings.agent)
        key = self.compose("run", "--rm", "--no-deps", "-T", "agent", *argv).splitlines()[-1]
        return Identity(self.settings.agent, first_run.token_hash(self.settings), key)

    def is_let_in(self) -> bool:
        """Whether its hub ever let it in."""
        try:
            self.compose("exec", "-T", "agent", "test", "-s", "/data/introduction/vault")
        except StackFailed:
            return False
        return True

    def drill(self) -> None:
        raise StackFailed("an agent alone keeps nothing that is backed up; the hub's machine drills")

    def _first_run(self) -> None:
        make(self.settings)

    def _switch(self, wanted: dict[str, str]) -> None:
        self._write_environment(wanted)
        self.identity()
        self.compose(
            "up", "-d", "--no-build", "--remove-orphans", "--wait", "--wait-timeout", str(WAIT_SECONDS),
            seconds=WAIT_SECONDS + 120,
        )  # fmt: skip

    def _own_values(self) -> dict[str, str]:
        settings = self.settings
        return {
            "STATE_DIR": str(settings.state),
            "CLOUD_SETTINGS": hash_of(settings.cloud / "cloud.toml", settings.cloud / "hub-ca.pem"),
            "WAYS_OUT": hash_of(settings.way_out / "allowed.conf"),
        }
