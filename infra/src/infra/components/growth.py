"""More agents of Cloud, each a VM of its own with an identity of its own (ADR 55). Off by default."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_oci.core.instance import Instance

from infra import conventions
from infra.site import Site


class Growth(pulumi.ComponentResource):
    """`orders` of each agent, by its name, which is its VM's too: another name is another agent on another VM."""

    def __init__(
        self,
        *,
        site: Site,
        subnet: pulumi.Output[str],
        group: pulumi.Output[str],
        domain: pulumi.Output[str],
        image: pulumi.Output[str],
        key: pulumi.Output[str],
        user_data: str,
        orders: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("countersign:infra:Growth", "growth", None, opts)
        growth = site.settings.growth
        self.machines = {
            name: Instance(
                f"agent-{name}",
                compartment_id=site.compartment,
                availability_domain=domain,
                shape=conventions.SHAPE,
                shape_config={"ocpus": float(growth.ocpus), "memory_in_gbs": float(growth.memory_gb)},
                display_name=site.called(name),
                source_details={
                    "source_type": "image",
                    "source_id": image,
                    "boot_volume_size_in_gbs": str(conventions.POOL_BOOT_GB),
                    "kms_key_id": key,
                },
                create_vnic_details={
                    "subnet_id": subnet,
                    "nsg_ids": [group],
                    "assign_public_ip": "false",
                    "freeform_tags": site.tags,
                },
                instance_options={"are_legacy_imds_endpoints_disabled": True},
                is_pv_encryption_in_transit_enabled=True,
                availability_config={"recovery_action": "RESTORE_INSTANCE"},
                agent_config={
                    "is_monitoring_disabled": False,
                    "plugins_configs": [{"name": "Compute Instance Monitoring", "desired_state": "ENABLED"}],
                },
                metadata={"user_data": user_data, conventions.PROJECT: told},
                freeform_tags=site.tags,
                # Its key lies on its boot volume: a newer image or first boot would be another agent.
                opts=pulumi.ResourceOptions(
                    parent=self, ignore_changes=["sourceDetails.sourceId", "metadata.user_data"]
                ),
            )
            for name, told in orders.items()
        }
        self.register_outputs({name: machine.id for name, machine in self.machines.items()})
