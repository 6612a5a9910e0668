"""monitors.yaml: the monitors, who is told, the status page, and when silence is planned."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from string import Template
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from monitor.errors import BadSettings
from monitor.items import OURS

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Url = Annotated[str, Field(pattern=r"^https?://")]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Monitor(Part):
    name: Name
    tags: tuple[Name, ...] = ()
    every: Annotated[int, Field(ge=20)] = 60
    """Seconds. For a push monitor: how long its job may be silent."""
    retries: Annotated[int, Field(ge=0)] = 1
    """So many failures are waited out before the monitor is red."""


class Http(Monitor):
    kind: Literal["http"]
    url: Url
    certificate: bool = False
    """Tell when the certificate is about to expire."""


class Keyword(Monitor):
    kind: Literal["keyword"]
    url: Url
    keyword: Annotated[str, Field(min_length=1)]
    absent: bool = False
    """Red when the keyword is there."""


class Tcp(Monitor):
    kind: Literal["tcp"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)]


class Push(Monitor):
    """A job calls it: red when it says so, and when nothing was heard for `every` seconds."""

    kind: Literal["push"]
    retries: Annotated[int, Field(ge=0)] = 0


class Webhook(Part):
    kind: Literal["webhook"]
    name: Name
    url_file: Path
    """Holds the address, which usually is a secret."""


class Ntfy(Part):
    kind: Literal["ntfy"]
    name: Name
    server: Url = "https://ntfy.sh"
    topic_file: Path
    """Whoever knows the topic reads along: it is a secret."""


class Tag(Part):
    name: Name
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Page(Part):
    """Shows the monitors of each of its tags as a group."""

    slug: Name
    title: Annotated[str, Field(min_length=1)]
    groups: tuple[Name, ...]


class Window(Part):
    """Nothing is reported in it."""

    name: Name
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    begins: Clock
    ends: Clock
    zone: str = "UTC"
    tags: Annotated[tuple[Name, ...], Field(min_length=1)]


AnyMonitor = Annotated[Http | Keyword | Tcp | Push, Field(discriminator="kind")]
AnyNotification = Annotated[Webhook | Ntfy, Field(discriminator="kind")]


class Wanted(Part):
    tags: tuple[Tag, ...] = ()
    notifications: tuple[AnyNotification, ...] = ()
    monitors: tuple[AnyMonitor, ...]
    pages: tuple[Page, ...] = ()
    maintenance: tuple[Window, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for what, names in {
            "tags": [tag.name for tag in self.tags],
            "notifications": [one.name for one in self.notifications],
            "monitors": [one.name for one in self.monitors],
            "maintenance": [one.name for one in self.maintenance],
        }.items():
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"{what}: {min(twice)} stands twice")
        known = {tag.name for tag in self.tags}
        if OURS in known:
            raise ValueError(f"tags: {OURS} is what every monitor carries anyway; leave it out")
        users: list[Monitor | Window] = [*self.monitors, *self.maintenance]
        used = {tag for one in users for tag in one.tags} | {tag for page in self.pages for tag in page.groups}
        if unknown := used - known:
            raise ValueError(f"tags: {min(unknown)} is used and not listed")
        return self

    def tagged(self, *tags: str) -> tuple[str, ...]:
        """The names of the monitors with one of these tags."""
        return tuple(sorted(one.name for one in self.monitors if {*tags} & {*one.tags}))

    @property
    def pushed(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.monitors if isinstance(one, Push))


def parse(
    text: str, values: dict[str, str], source: str = "monitors.yaml", *, also: str = "", without: Collection[str] = ()
) -> Wanted:
    """`$NAME` in the text is one of `values`; `also` is more of the same form, `without` are names of monitors that are
    not wanted here. Raises BadSettings, one line."""
    try:
        found, more = (yaml.safe_load(Template(one).substitute(values)) or {} for one in (text, also))
        if more:
            found = {part: [*found.get(part, ()), *more.get(part, ())] for part in {**found, **more}}
        wanted = Wanted.model_validate(found)
        if unknown := set(without) - {one.name for one in wanted.monitors}:
            raise ValueError(f"leave_out: there is no monitor {min(unknown)}")
        return wanted.model_copy(update={"monitors": tuple(m for m in wanted.monitors if m.name not in without)})
    except KeyError as error:
        raise BadSettings(f"{source}: ${error.args[0]} has no value; add it to [values] in the settings") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSettings(f"{source}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise BadSettings(f"{source}: {' '.join(str(error).split())[:200]}") from None
