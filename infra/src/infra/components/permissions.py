"""What a machine may do by who it is: read its own secrets, write its report and its logs, tell its own measures."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_oci.identity.dynamic_group import DynamicGroup
from pulumi_oci.identity.policy import Policy

from infra import conventions
from infra.site import Site


class Permissions(pulumi.ComponentResource):
    """`who` is a matching rule of one machine; `writes` the objects of the bucket of reports that are its own."""

    def __init__(
        self,
        name: str,
        *,
        site: Site,
        who: pulumi.Input[str],
        secrets: Sequence[pulumi.Output[str]],
        reports: pulumi.Output[str],
        writes: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("countersign:infra:Permissions", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.group = DynamicGroup(
            f"{name}-principal",
            compartment_id=site.settings.tenancy,
            name=site.called(name),
            description=f"Countersign {site.settings.stack}: {name}",
            matching_rule=who,
            freeform_tags=site.tags,
            opts=child,
        )
        group, where = self.group.id, site.compartment
        ids = pulumi.Output.all(*secrets).apply(lambda found: ", ".join(f"target.secret.id = '{one}'" for one in found))
        write = ", ".join(
            f"request.permission = '{one}'" for one in ("OBJECT_INSPECT", "OBJECT_CREATE", "OBJECT_OVERWRITE")
        )
        names = ", ".join(f"target.object.name = {one}" for one in writes)
        self.policy = Policy(
            f"{name}-policy",
            compartment_id=site.compartment,
            name=site.called(name),
            description=f"What {name} may do by who it is",
            statements=[
                _allow(group, where, "read secret-bundles", "any {{{}}}", ids),
                _allow(
                    group,
                    where,
                    "manage objects",
                    "all {{target.bucket.name = '{}', any {{{}}}, any {{{}}}}}",
                    reports,
                    names,
                    write,
                ),
                _allow(group, where, "use metrics", "target.metrics.namespace = '{}'", conventions.METRICS),
            ],
            freeform_tags=site.tags,
            opts=child,
        )
        self.register_outputs({})


def _allow(
    group: pulumi.Output[str], where: pulumi.Input[str], verb: str, condition: str, *values: pulumi.Input[str]
) -> pulumi.Output[str]:
    form = "Allow dynamic-group id {} to " + verb + " in compartment id {} where " + condition
    return pulumi.Output.format(form, group, where, *values)
