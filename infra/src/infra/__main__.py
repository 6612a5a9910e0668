"""The stack's program: puts the components together. Run by the Pulumi engine; declares no resource itself."""

from __future__ import annotations

import json
from collections.abc import Callable

import pulumi
from pulumi_oci.objectstorage.get_object import get_object

from infra import cloud_init, conventions, orders, settings, waiting
from infra.components.alarms import Alarms
from infra.components.compute import Compute
from infra.components.growth import Growth
from infra.components.guardrails import Guardrails
from infra.components.names import Names
from infra.components.network import Network
from infra.components.permissions import Permissions
from infra.components.secrets import TO_BACK_UP, Secrets
from infra.components.storage import Storage
from infra.settings import Settings
from infra.site import Site
from infra.values import Illegal


def build(chosen: Settings, given: Callable[[str], pulumi.Output[str]]) -> dict[str, pulumi.Output[str]]:
    """Declare a whole stack; `given` has the secrets that only the operator has. Returns what it says at its end."""
    site = Guardrails(settings=chosen).site
    network = Network(site=site)
    secrets = Secrets(site=site)
    storage = Storage(site=site, key=secrets.encrypting)
    for file in chosen.supplied_secrets:
        secrets.give(file, given(file))
    secrets.give(TO_BACK_UP, storage.writer.credentials)
    strangers = {*chosen.supplied_secrets} - {*settings.secrets_of(chosen, "cloud")}
    ids = {file: id_ for file, id_ in secrets.ids.items() if file not in strangers}
    user_data = cloud_init.encoded()
    told = _orders(chosen, "", user_data, secrets, storage, ids)
    compute = Compute(
        site=site,
        subnet=network.public.id,
        groups=[network.vm_group.id],
        key=secrets.encrypting,
        user_data=user_data,
        orders=told,
    )
    Permissions(
        "vm",
        site=site,
        who=pulumi.Output.format("ALL {{instance.id = '{}'}}", compute.vm.id),
        secrets=list(ids.values()),
        reports=storage.reports.name,
        writes=conventions.written_by(conventions.VM),
    )
    names = Names(site=site, address=compute.address.ip_address)
    agents = _grow(site, network, compute, secrets, storage, user_data) if chosen.growth.agents else {}
    Alarms(site=site, vm=compute.vm.id, agents=agents)
    report = _report(site, storage, told, compute.vm.id)
    return {
        **_outputs(chosen, compute, storage, secrets, names, report),
        **({"agents": _agents(chosen, storage, report)} if chosen.growth.agents else {}),
    }


def _grow(
    site: Site, network: Network, compute: Compute, secrets: Secrets, storage: Storage, user_data: str
) -> dict[str, pulumi.Output[str]]:
    """Agents beside the VM's, and their machines. Each may read its own token and what opens its own mailboxes, and
    nothing else."""
    assert network.pool
    assert network.pool_group
    names = [agent.name for agent in site.settings.growth.agents]
    theirs = {name: _secrets_of(site.settings, name, secrets) for name in names}
    growth = Growth(
        site=site,
        subnet=network.pool.id,
        group=network.pool_group.id,
        domain=compute.domain,
        image=compute.image,
        key=secrets.encrypting,
        user_data=user_data,
        orders={name: _orders(site.settings, name, user_data, secrets, storage, theirs[name]) for name in names},
    )
    for name, machine in growth.machines.items():
        Permissions(
            f"agent-{name}",
            site=site,
            who=pulumi.Output.format("ALL {{instance.id = '{}'}}", machine.id),
            secrets=list(theirs[name].values()),
            reports=storage.reports.name,
            writes=conventions.written_by(name),
        )
    return {name: machine.id for name, machine in growth.machines.items()}


def _secrets_of(chosen: Settings, agent: str, secrets: Secrets) -> dict[str, pulumi.Output[str]]:
    shared = ("cloud/installation", *settings.secrets_of(chosen, agent))
    return {"cloud/hub-token": secrets.made_for(agent), **{file: secrets.ids[file] for file in shared}}


def _orders(
    chosen: Settings,
    agent: str,
    user_data: str,
    secrets: Secrets,
    storage: Storage,
    ids: dict[str, pulumi.Output[str]],
) -> pulumi.Output[str]:
    return orders.text(
        chosen,
        agent=agent,
        user_data=user_data,
        secrets=ids,
        versions={file: one.current_version_number for file, one in secrets.given.items() if file in ids},
        made=frozenset(secrets.made),
        namespace=storage.namespace,
        reports=storage.reports.name,
        backups=storage.location,
    )


def _report(site: Site, storage: Storage, told: pulumi.Output[str], vm: pulumi.Output[str]) -> pulumi.Output[str]:
    """The VM's word that it is well; the program ends with it."""

    async def after(found: list[str]) -> str:
        namespace, bucket, text, instance = found
        if pulumi.runtime.is_dry_run():
            return "told when it is up"

        async def look() -> str:
            return str(_read(namespace, bucket, conventions.report(conventions.VM)))

        report = await waiting.wait(
            look,
            orders=orders.digest(text),
            instance=instance,
            minutes=site.settings.wait_minutes,
            logs=f"the newest object below logs/ in the bucket {bucket}",
            say=pulumi.log.info,
        )
        return f"{report.state} at {report.at}: {report.message}"

    both: pulumi.Output[str] = pulumi.Output.all(storage.namespace, storage.reports.name, told, vm).apply(after)
    return both


def _object(namespace: str, bucket: str, name: str) -> str | None:
    """None as long as it is not there."""
    try:
        return _read(namespace, bucket, name)
    except Exception:  # noqa: BLE001 - the engine has one type for what a provider says
        return None


def _read(namespace: str, bucket: str, name: str) -> str:
    content: str = get_object(namespace=namespace, bucket=bucket, object=name).content
    return content


def _agents(chosen: Settings, storage: Storage, report: pulumi.Output[str]) -> pulumi.Output[str]:
    """A line an agent: what its machine said of it, for `admitted`."""

    def look(found: list[str]) -> str:
        namespace, bucket, _ = found
        return "\n".join(_said_of(agent.name, namespace, bucket) for agent in chosen.growth.agents)

    said: pulumi.Output[str] = pulumi.Output.all(storage.namespace, storage.reports.name, report).apply(look)
    return said


def _said_of(agent: str, namespace: str, bucket: str) -> str:
    text = None if pulumi.runtime.is_dry_run() else _object(namespace, bucket, conventions.report(agent))
    try:
        identity = json.loads(text or "{}")["identity"]
    except (ValueError, KeyError, TypeError):
        return f"{agent} has not said yet who it is; `pulumi up` again in some minutes"
    return str(identity)


def _outputs(
    chosen: Settings, compute: Compute, storage: Storage, secrets: Secrets, names: Names, report: pulumi.Output[str]
) -> dict[str, pulumi.Output[str]]:
    address = f"https://{chosen.names.hub_name}"

    def code(found: list[str]) -> str:
        _, namespace, bucket = found
        fresh = None if pulumi.runtime.is_dry_run() else _object(namespace, bucket, conventions.JOIN_CODE)
        if fresh:
            return f"countersign connect {address} --code {fresh.strip()}"
        return f"a machine has joined, or no code is there: `countersign status` on it; {address}"

    joining: pulumi.Output[str] = pulumi.Output.all(report, storage.namespace, storage.reports.name).apply(code)
    return {
        "address": compute.address.ip_address,
        "hub": pulumi.Output.from_input(address),
        "odoo": pulumi.Output.from_input(f"https://{chosen.names.odoo_name}"),
        "health": report,
        "names": names.next_step,
        "backups": storage.location,
        "backup-password": secrets.ids["backup/restic-password"],
        "pruning-credentials": storage.pruner.credentials,
        "connect": pulumi.Output.secret(joining),
        "next": pulumi.Output.format(
            "on your own machine, within 15 minutes: `pulumi stack output --show-secrets connect` prints the command; "
            "confirm Oracle's mail to {} for the alarms; docs/infra.md, Day one",
            chosen.contact,
        ),
    }


def main() -> None:
    """Raises Illegal before any resource is declared."""
    config = pulumi.Config(conventions.PROJECT)
    chosen = settings.read(config.get_object("settings") or {}, stack=pulumi.get_stack())

    def given(file: str) -> pulumi.Output[str]:
        key = settings.secret_key(file)
        value = config.get_secret(key)
        if value is None:
            raise Illegal(f"the secret {file} is missing: pulumi config set --secret {conventions.PROJECT}:{key}")
        return value

    for file in chosen.supplied_secrets:
        given(file)
    for name, value in build(chosen, given).items():
        pulumi.export(name, value)


if __name__ == "__main__":
    main()
