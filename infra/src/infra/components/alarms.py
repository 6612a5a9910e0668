"""What Oracle watches from outside, as the VM's own Uptime Kuma cannot report its own machine's death."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_oci.monitoring.alarm import Alarm
from pulumi_oci.ons.notification_topic import NotificationTopic
from pulumi_oci.ons.subscription import Subscription

from infra import conventions
from infra.site import Site


@dataclass(frozen=True)
class Condition:
    """`query` is Oracle's; `{vm}` stands for the VM's id."""

    name: str
    namespace: str
    query: str
    severity: str
    pending: str
    says: str


CONDITIONS = (
    Condition(
        "vm-down", "oci_computeagent", 'CpuUtilization[1m]{{resourceId = "{vm}"}}.absent()', "CRITICAL", "PT10M",
        "The VM has not been heard of for ten minutes. Is it running? `pulumi up` makes it again; its data stays.",
    ),
    Condition(
        "cpu", "oci_computeagent", 'CpuUtilization[5m]{{resourceId = "{vm}"}}.mean() > 90', "WARNING", "PT30M",
        "Half an hour above 90 % CPU: ./just status and ./just logs on the VM; or more OCPUs, or a pool of agents.",
    ),
    Condition(
        "memory", "oci_computeagent", 'MemoryUtilization[5m]{{resourceId = "{vm}"}}.mean() > 90', "WARNING", "PT15M",
        "A quarter of an hour above 90 % memory: a service may be ended for it.",
    ),
    Condition(
        "disk", conventions.METRICS, 'disk_used_percent[15m]{{machine = "vm"}}.max() > 85', "CRITICAL", "PT15M",
        "A disk of the VM is more than 85 % full: docs/runbook.md, Disk. A larger machine.data_gb grows the data volume.",
    ),
    Condition(
        "silent", conventions.METRICS, 'healthy[15m]{{machine = "vm"}}.absent()', "CRITICAL", "PT15M",
        "The VM runs and does not report: its timer, its way out, or its rights are gone.",
    ),
    Condition(
        "unhealthy", conventions.METRICS, 'healthy[10m]{{machine = "vm"}}.max() < 1', "CRITICAL", "PT15M",
        "The stack on the VM is not well; the report in the bucket of reports says which service.",
    ),
)  # fmt: skip


class Alarms(pulumi.ComponentResource):
    def __init__(self, *, site: Site, vm: pulumi.Output[str], opts: pulumi.ResourceOptions | None = None) -> None:
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
        self.alarms = [
            Alarm(
                f"alarm-{one.name}",
                compartment_id=site.compartment,
                metric_compartment_id=site.compartment,
                namespace=one.namespace,
                query=vm.apply(lambda id_, one=one: one.query.format(vm=id_)),  # type: ignore[misc]
                severity=one.severity,
                pending_duration=one.pending,
                body=one.says,
                display_name=site.called(one.name),
                destinations=[self.topic.id],
                repeat_notification_duration="PT6H",
                message_format="ONS_OPTIMIZED",
                is_enabled=True,
                freeform_tags=site.tags,
                opts=child,
            )
            for one in CONDITIONS
        ]
        self.register_outputs({"topic": self.topic.id})
