"""What an operator supplies for a stack: one object in its configuration, read once, frozen. Secrets stay Outputs."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from infra import conventions, countries
from infra.values import Illegal, OpenPort, Shape, Volume

HostName = Annotated[str, Field(max_length=253, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")]
MailAddress = Annotated[str, Field(pattern=r"^[^@\s\"\\]+@[a-z0-9.-]+\.[a-z]{2,}$")]
Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
OF_CLOUD = frozenset({"hub-token", "installation", "model-key", "books-key"})
_EXAMPLES = re.compile(r"(^|[.@/])example\.(com|org|net)(/|$)|EXAMPLE|^0{64}$")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(Part):
    """The public names, and who serves them."""

    domain: HostName
    hub: Label = "hub"
    odoo: Label = "odoo"
    status: Label | None = None
    """Uptime Kuma's. Without one it is reached on the machine alone."""
    provider: Literal["oci", "cloudflare", "none"] = "oci"
    """`none`: the operator makes the records; an output says which."""
    cloudflare_zone_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Names:
        if (self.provider == "cloudflare") != (self.cloudflare_zone_id is not None):
            raise ValueError("cloudflare_zone_id is for provider: cloudflare, and needed there")
        taken: dict[str, str] = {}
        for part, label in self._labels.items():
            if label in taken:
                raise ValueError(f"{taken[label]} and {part} are both called {label!r}; Caddy tells them apart by name")
            taken[label] = part
        return self

    @property
    def _labels(self) -> dict[str, str]:
        return {"hub": self.hub, "odoo": self.odoo} | ({"status": self.status} if self.status else {})

    @property
    def public(self) -> dict[str, str]:
        """Every name that leads to the VM, by what answers to it."""
        return {part: f"{label}.{self.domain}" for part, label in self._labels.items()}

    @property
    def hub_name(self) -> str:
        return f"{self.hub}.{self.domain}"

    @property
    def odoo_name(self) -> str:
        return f"{self.odoo}.{self.domain}"

    @property
    def status_name(self) -> str | None:
        return self.public.get("status")


class Release(Part):
    """What the VM runs: an archive of this repository, by its hash. `./just release` makes one and prints these."""

    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.+-]*$")]
    url: Annotated[str, Field(pattern=r"^https://[^\s@]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Machine(Part):
    """The VM. The default is all that is always free."""

    ocpus: int = conventions.FREE_OCPUS
    memory_gb: int = conventions.FREE_MEMORY_GB
    boot_gb: int = 50
    data_gb: int = 100
    availability_domain: Annotated[int, Field(ge=1, le=3)] = 1
    image: Annotated[str, Field(pattern=r"^ocid1\.image\.")] | None = None
    """Else the newest of the operating system that conventions name, when the VM is made."""


class Agent(Part):
    """A further agent of Cloud. Its name is its identity: no other agent of this hub has it, or ever had it."""

    name: Label
    admitted: (
        Annotated[str, Field(pattern=r"^[0-9a-f]{64} ssh-ed25519 [A-Za-z0-9+/=]{40,120}( [a-z0-9-]+)?$")] | None
    ) = None
    """By what the hub lets it in: the hash of its token and its public key, as the output `agents` says them. It is
    for the owner to pin that key first (`countersign init --pin NAME=FILE`)."""


class Growth(Part):
    """More cloud agents, each a VM of its own. Off as long as none is named."""

    agents: Annotated[tuple[Agent, ...], Field(max_length=16)] = ()
    revoked: tuple[Label, ...] = ()
    """Names that were agents, whose tokens open nothing any more. A name stays here for good."""
    ocpus: int = 1
    memory_gb: int = 4

    @model_validator(mode="after")
    def _identities(self) -> Growth:
        names = [agent.name for agent in self.agents]
        if taken := sorted({*names} & {"cloud", "local", "vm"}):
            raise ValueError(f"agents: {taken[0]} is somebody else's name; call it cloud-2")
        if len({*names}) != len(names):
            raise ValueError("agents: each name once; who has a key has it alone")
        if again := sorted({*names} & {*self.revoked}):
            raise ValueError(f"agents: {again[0]} was revoked and does not come back; a new agent has a new name")
        return self

    @property
    def count(self) -> int:
        return len(self.agents)


class Mailbox(Part):
    """One that Cloud watches. Its password is the secret `cloud/NAME`."""

    name: Label
    kind: Literal["business", "personal"] = "business"
    address: MailAddress
    host: HostName
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    user: Annotated[str, Field(pattern=r"^[^\s\"\\]+$")]
    agents: Annotated[tuple[Label, ...], Field(min_length=1)] = ("cloud",)
    """Who watches it, and holds its password: `cloud` on the hub's VM, and those of `growth`."""

    @field_validator("port")
    @classmethod
    def _reads(cls, port: int) -> int:
        if port in (25, 465, 587, 2525):
            raise ValueError(f"port {port} is where mail is handed in; Cloud only reads (993)")
        return port


class Drafter(Part):
    """The model that drafts. Its key is the secret `cloud/model-key`. Without one, drafts come from templates."""

    provider: Literal["anthropic", "openai"]
    model: Annotated[str, Field(pattern=r"^[\w.:/-]+$")]
    base_url: Annotated[str, Field(pattern=r"^https://[^\s@]+$")] | None = None


class Settings(Part):
    """A whole stack."""

    stack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,15}$")]
    tenancy: Annotated[str, Field(pattern=r"^ocid1\.tenancy\.oc[0-9]+\.\.[a-zA-Z0-9]+$")]
    region: Annotated[str, Field(pattern=r"^[a-z]{2,3}-[a-z]+-[0-9]$")]
    """The tenancy's home region: compartments, users, groups and policies are made there alone."""
    owner: Annotated[str, Field(pattern=r"^[^\"\\\n]{1,80}$")] = "The owner"
    contact: MailAddress
    """Where alarms, budget warnings and Let's Encrypt write to."""
    names: Names
    books_country: str | None = None
    """With whose accounts and taxes the books begin, as AT: read once, while they are made. Without one the
    owner chooses them in Odoo."""
    release: Release
    machine: Machine = Machine()
    growth: Growth = Growth()
    mailboxes: tuple[Mailbox, ...] = ()
    drafter: Drafter | None = None
    admin_blocks: tuple[str, ...] = ()
    """From where the Bastion lets an administrator in. Empty: there is no Bastion, and no SSH at all."""
    paid: bool = False
    """Whether more than what is always free may be made."""
    budget: Annotated[int, Field(ge=1)] = 1
    """A month, in the tenancy's currency; it warns and stops nothing."""
    wait_minutes: Annotated[int, Field(ge=5, le=120)] = 45
    """How long `pulumi up` waits for the VM's report."""

    @field_validator("tenancy")
    @classmethod
    def _of_the_realm_that_we_know(cls, tenancy: str) -> str:
        realm = tenancy.split(".")[2]
        if realm != conventions.REALM:
            raise ValueError(
                f"a tenancy of Oracle's realm {realm}; only {conventions.REALM} is known here (oraclecloud.com), "
                "other realms have other addresses"
            )
        return tenancy

    @field_validator("books_country", mode="before")
    @classmethod
    def _is_a_country(cls, code: object) -> object:
        if code is False:
            raise ValueError('YAML reads the bare word NO as no: Norway is written "NO", in quotes')
        if code is not None and code not in countries.CODES:
            raise ValueError(f"{code!r} is no country's code: two capital letters of ISO 3166-1, as AT or DE")
        return code

    @field_validator("admin_blocks")
    @classmethod
    def _not_for_everybody(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        for block in blocks:
            OpenPort(22, block)
        return blocks

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        Shape(self.machine.ocpus, self.machine.memory_gb)
        Volume(self.machine.boot_gb)
        Volume(self.machine.data_gb)
        if self.growth.count:
            Shape(self.growth.ocpus, self.growth.memory_gb)
        boxes = {box.name for box in self.mailboxes}
        if len(boxes) != len(self.mailboxes) or boxes & OF_CLOUD:
            raise ValueError(
                f"mailboxes: each name once, and none of {', '.join(sorted(OF_CLOUD))}, which are secrets of their own"
            )
        known = {"cloud", *(agent.name for agent in self.growth.agents)}
        if strangers := sorted({name for box in self.mailboxes for name in box.agents} - known):
            raise ValueError(f"mailboxes: {strangers[0]} is no agent; there are: {', '.join(sorted(known))}")
        if not self.paid and (over := self._over_free()):
            raise ValueError(f"{over}; make it smaller, or set paid: true")
        return self

    def _over_free(self) -> str:
        ocpus = self.machine.ocpus + self.growth.count * self.growth.ocpus
        memory = self.machine.memory_gb + self.growth.count * self.growth.memory_gb
        storage = self.storage_gb
        for have, free, what in (
            (ocpus, conventions.FREE_OCPUS, "OCPUs"),
            (memory, conventions.FREE_MEMORY_GB, "GB of memory"),
            (storage, conventions.FREE_STORAGE_GB, "GB of volumes"),
        ):
            if have > free:
                return f"{have} {what} in all, and {free} are always free"
        return ""

    @property
    def storage_gb(self) -> int:
        return self.machine.boot_gb + self.machine.data_gb + self.growth.count * conventions.POOL_BOOT_GB

    @property
    def supplied_secrets(self) -> tuple[str, ...]:
        """The secrets that only the operator can give, by their files."""
        boxes = tuple(f"cloud/{box.name}" for box in self.mailboxes)
        return (*boxes, "cloud/model-key") if self.drafter else boxes


def secrets_of(settings: Settings, agent: str) -> tuple[str, ...]:
    """Those of the operator's that this agent needs: what opens its mailboxes, and the model."""
    boxes = tuple(f"cloud/{box.name}" for box in settings.mailboxes if agent in box.agents)
    return (*boxes, "cloud/model-key") if settings.drafter else boxes


def faults(values: dict[str, Any], *, stack: str) -> list[tuple[tuple[str | int, ...], str]]:
    """What is illegal in settings, half-written ones too: where, and one line why. Empty: they can be read."""
    try:
        settings = Settings.model_validate({**values, "stack": stack})
    except ValidationError as error:
        found = [(tuple(one["loc"]), _said(one)) for one in error.errors()]
        return found + [(tuple(at.split(".")), _own(at)) for at in sorted(_placeholders(values))]
    return [(tuple(at.split(".")), _own(at)) for at in sorted(_placeholders(settings.model_dump()))]


def read(values: dict[str, Any], *, stack: str) -> Settings:
    """Raises Illegal: one line a fault, each with its key."""
    try:
        settings = Settings.model_validate({**values, "stack": stack})
    except ValidationError as error:
        raise Illegal(f"Pulumi.{stack}.yaml, countersign:settings: " + "; ".join(map(_said, error.errors()))) from None
    if left := sorted(_placeholders(settings.model_dump())):
        raise Illegal(
            f"Pulumi.{stack}.yaml, countersign:settings: {', '.join(left)} is still the example's; write your own there"
        )
    return settings


def secret_key(file: str) -> str:
    """What a supplied secret is called in the stack's configuration."""
    return f"secret-{file.replace('/', '-')}"


def _placeholders(value: object, at: str = "") -> set[str]:
    if isinstance(value, dict):
        return set[str]().union(*(_placeholders(v, f"{at}.{k}".lstrip(".")) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return set[str]().union(*(_placeholders(v, at) for v in value))
    return {at} if isinstance(value, str) and _EXAMPLES.search(value) else set()


def is_example(value: object) -> bool:
    """Whether something in it is a placeholder of the examples."""
    return bool(_placeholders(value, "x"))


def _own(at: str) -> str:
    return f"{at} is still the example's; write your own there"


def _said(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    message = str(fault["msg"]).removeprefix("Value error, ")
    given = fault.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int) and fault["type"] != "value_error" else ""
    return f"{where}: {message}{shown}" if where else message
