"""What Oracle watches from outside, as the VM's own Uptime Kuma cannot report its own machine's death."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
from pulumi_oci.monitoring.alarm import Alarm
from pulumi_oci.ons.notification_topic import NotificationTopic
from pulumi_oci.ons.subscription import Subscription

from infra import conventions
from infra.site import Site


@dataclass(frozen=True)
class Condition:
    """`query` is Oracle's; `{id}` stands for the machine's id, `{machine}` for what it calls itself, in `says` too."""

    name: str
    namespace: str
    query: str
    severity: str
    pending: str
    says: str


CONDITIONS = (
    Condition(
        "vm-down", "oci_computeagent", 'CpuUtilization[1m]{{resourceId = "{id}"}}.absent()', "CRITICAL", "PT10M",
        "The VM has not been heard of for ten minutes. Is it running? `pulumi up` makes it again; its data stays.",
    ),
    Condition(
        "cpu", "oci_computeagent", 'CpuUtilization[5m]{{resourceId = "{id}"}}.mean() > 90', "WARNING", "PT30M",
        "Half an hour above 90 % CPU: ./just status and ./just logs on the VM; or more OCPUs, or further agents.",
    ),
    Condition(
        "memory", "oci_computeagent", 'MemoryUtilization[5m]{{resourceId = "{id}"}}.mean() > 90', "WARNING", "PT15M",
        "A quarter of an hour above 90 % memory: a service may be ended for it.",
    ),
    Condition(
        "disk", conventions.METRICS, 'disk_used_percent[15m]{{machine = "{machine}"}}.max() > 85', "CRITICAL", "PT15M",
        "A disk of the VM is more than 85 % full: docs/runbook.md, Disk. A larger machine.data_gb grows the volume.",
    ),
    Condition(
        "silent", conventions.METRICS, 'healthy[15m]{{machine = "{machine}"}}.absent()', "CRITICAL", "PT15M",
        "The VM runs and does not report: its timer, its way out, or its rights are gone.",
    ),
    Condition(
        "unhealthy", conventions.METRICS, 'healthy[10m]{{machine = "{machine}"}}.max() < 1', "CRITICAL", "PT15M",
        "The stack on the VM is not well; the report in the bucket of reports says which service.",
    ),
)  # fmt: skip
_OF_AN_AGENT = {
    "vm-down": "The machine of {machine} has not been heard of for ten minutes. Is it running? Start it in Oracle's "
    "console. Its key is on its boot volume: where that is lost, add another agent and put this one out "
    "(docs/infra.md).",
    "disk": "The disk of {machine}'s machine is more than 85 % full: docs/runbook.md, Disk.",
    "silent": "The machine of {machine} does not report: its first boot is not done, or its timer, way out or rights "
    "went.",
    "unhealthy": "The agent {machine} is not well; health/{machine}.json in the bucket of reports says what it lacks.",
}
"""Not of processor and memory: a slow agent keeps nobody waiting but its own mailboxes."""
OF_AN_AGENT = tuple(replace(one, says=_OF_AN_AGENT[one.name]) for one in CONDITIONS if one.name in _OF_AN_AGENT)


class Alarms(pulumi.ComponentResource):
    """`agents`: the machine of each further agent, by its name, which never changes."""

    def __init__(
        self,
        *,
        site: Site,
        vm: pulumi.Output[str],
        agents: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("countersign:infra:Alarms", "alarms", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.topic = NotificationTopic(
            "topic",
            compartment_id=site.compartment,
            name=site.called("alarms"),
            description="What is wrong with the VM",
            freeform_tags=site.tags,
            opts=child,
        )
        self.subscription = Subscription(
            "mail",
            compartment_id=site.compartment,
            topic_id=self.topic.id,
            protocol="EMAIL",
            endpoint=site.settings.contact,
            freeform_tags=site.tags,
            opts=child,
        )
        self._site = site
        self.alarms = [self._alarm(one, vm, conventions.VM) for one in CONDITIONS]
        for name, machine in agents.items():
            self.alarms += [self._alarm(one, machine, name, f"-{name}") for one in OF_AN_AGENT]
        self.register_outputs({"topic": self.topic.id})

    def _alarm(self, one: Condition, id_: pulumi.Output[str], machine: str, whose: str = "") -> Alarm:
        return Alarm(
            f"alarm-{one.name}{whose}",
            compartment_id=self._site.compartment,
            metric_compartment_id=self._site.compartment,
            namespace=one.namespace,
            query=id_.apply(lambda found: one.query.format(id=found, machine=machine)),
            severity=one.severity,
            pending_duration=one.pending,
            body=one.says.format(machine=machine),
            display_name=self._site.called(f"{one.name}{whose}"),
            destinations=[self.topic.id],
            repeat_notification_duration="PT6H",
            message_format="ONS_OPTIMIZED",
            is_enabled=True,
            freeform_tags=self._site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
