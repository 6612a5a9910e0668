"""What a VM is told to be: one JSON text in its metadata, which it reads every two minutes. No secret stands in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import pulumi

from infra import conventions
from infra.settings import Settings
from infra.values import Illegal

AN_ID = "x" * 100
"""As long as what Oracle will call something; a preview knows no more of it."""


def environment(settings: Settings) -> dict[str, str]:
    """The stack's settings, as `./just up --env` reads them."""
    names = settings.names
    chosen = {"BOOKS_COUNTRY": settings.books_country, "KUMA_NAME": names.status_name}
    return {
        "COMPOSE_PROJECT_NAME": conventions.PROJECT,
        "COMPOSE_PROFILES": "books",
        "HUB_NAME": names.hub_name,
        "ODOO_NAME": names.odoo_name,
        "HTTP_LISTEN": "0.0.0.0:80",
        "HTTPS_LISTEN": "0.0.0.0:443",
        "PUBLIC_PORT": "443",
        "TLS_ISSUER": settings.contact,
        "HSTS": "max-age=31536000",
        "OWNER_NAME": settings.owner,
        **{name: value for name, value in chosen.items() if value},
    }


def environment_of(settings: Settings, agent: str) -> dict[str, str]:
    """The same, of an agent alone."""
    return {
        "COMPOSE_PROJECT_NAME": conventions.PROJECT,
        "AGENT": agent,
        "HUB": f"https://{settings.names.hub_name}",
        "OWNER_NAME": settings.owner,
    }


def cloud(settings: Settings, agent: str = "cloud") -> str:
    """What an agent's cloud.toml says besides what every stack says: its mailboxes and the model."""
    lines: list[str] = []
    for box in settings.mailboxes:
        if agent not in box.agents:
            continue
        told = box.model_dump(exclude={"agents"})
        lines += ["[[mailboxes]]", *(f"{key} = {json.dumps(value)}" for key, value in told.items())]
        lines += [f'password_file = "/run/secrets/{box.name}"', ""]
    if drafter := settings.drafter:
        lines += ["[drafter]", *(f"{k} = {json.dumps(v)}" for k, v in drafter.model_dump(exclude_none=True).items())]
        lines += ['api_key_file = "/run/secrets/model-key"', ""]
    return "\n".join(lines)


def text(
    settings: Settings,
    *,
    agent: str = "",
    user_data: str,
    secrets: Mapping[str, pulumi.Output[str]],
    versions: Mapping[str, pulumi.Output[str]],
    made: frozenset[str],
    namespace: pulumi.Output[str],
    reports: pulumi.Output[str],
    backups: pulumi.Output[str],
) -> pulumi.Output[str]:
    """`agent`: for the VM of this one alone, else for the hub's. `made` are the secrets that are bytes of chance; they
    become hex. A new version of a secret makes new orders. `user_data` stands beside them in the metadata.

    Raises Illegal of more than Oracle takes, before anything is made as far as lengths are known by then.
    """
    growth = settings.growth
    let_in = {} if agent else {one.name: one.admitted for one in growth.agents if one.admitted}

    def write(found: Sequence[object]) -> str:
        ids, numbers, where = found[: len(secrets)], found[len(secrets) : -3], found[-3:]
        version = dict(zip(versions, numbers, strict=True))
        told = json.dumps(
            {
                "role": "agent" if agent else "whole",
                "machine": agent or conventions.VM,
                "stack": settings.stack,
                "region": settings.region,
                "release": settings.release.model_dump(),
                "environment": environment_of(settings, agent) if agent else environment(settings),
                "cloud": cloud(settings, agent or "cloud"),
                "agents": let_in,
                "revoked": [] if agent else list(growth.revoked),
                "secrets": [
                    {"file": file, "id": id_, "form": "hex" if file in made else "text", "version": version.get(file)}
                    for file, id_ in zip(secrets, ids, strict=True)
                ],
                "namespace": where[0],
                "reports": where[1],
                "backups": "" if agent else where[2],
                "device": "" if agent else conventions.DATA_DEVICE,
            },
            sort_keys=True,
        )
        _fits(told, user_data, settings, agent)
        return told

    write([AN_ID] * len(secrets) + ["1"] * len(versions) + [AN_ID] * 3)
    return pulumi.Output.all(*secrets.values(), *versions.values(), namespace, reports, backups).apply(write)


def _fits(told: str, user_data: str, settings: Settings, agent: str) -> None:
    """Raises Illegal."""
    parts = {"user_data": user_data, conventions.PROJECT: told}
    has = sum(len(name) + len(value.encode("utf-8")) for name, value in parts.items())
    if has <= conventions.METADATA_BYTES:
        return
    boxes = sum((agent or "cloud") in box.agents for box in settings.mailboxes)
    raise Illegal(
        f"the metadata of {f'the machine of {agent}' if agent else 'the VM'} has {has} bytes, and Oracle takes "
        f"{conventions.METADATA_BYTES}: {len(user_data)} are its first boot, {len(told)} its orders with {boxes} "
        "mailboxes; let other agents watch some of them (growth.agents, and `agents` of the mailbox), or take some out"
    )


def digest(orders: str) -> str:
    """By which the VM says in its report what it carried out."""
    return hashlib.sha256(orders.encode("utf-8")).hexdigest()[:16]
