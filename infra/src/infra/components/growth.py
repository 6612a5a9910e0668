"""More cloud agents: a pool of small VMs that grows with the work and shrinks after it. Off by default."""

from __future__ import annotations

import pulumi
from pulumi_oci.autoscaling.auto_scaling_configuration import AutoScalingConfiguration
from pulumi_oci.core.instance_configuration import InstanceConfiguration
from pulumi_oci.core.instance_pool import InstancePool

from infra import conventions
from infra.site import Site

BUSY, IDLE = 70, 20
"""Percent of CPU, over five minutes, at which one agent more is started, and one is stopped."""


class Growth(pulumi.ComponentResource):
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
        orders: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("countersign:infra:Growth", "growth", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        growth = site.settings.growth
        self.configuration = InstanceConfiguration(
            "agent",
            compartment_id=site.compartment,
            display_name=site.called("agent"),
            instance_details={
                "instance_type": "compute",
                "launch_details": {
                    "compartment_id": site.compartment,
                    "display_name": site.called("agent"),
                    "shape": conventions.SHAPE,
                    "shape_config": {"ocpus": float(growth.ocpus), "memory_in_gbs": float(growth.memory_gb)},
                    "source_details": {
                        "source_type": "image",
                        "image_id": image,
                        "boot_volume_size_in_gbs": str(conventions.POOL_BOOT_GB),
                        "kms_key_id": key,
                    },
                    "create_vnic_details": {"subnet_id": subnet, "nsg_ids": [group], "assign_public_ip": False},
                    "instance_options": {"are_legacy_imds_endpoints_disabled": True},
                    "is_pv_encryption_in_transit_enabled": True,
                    "metadata": {"user_data": user_data, conventions.PROJECT: orders},
                    "freeform_tags": {**site.tags, "role": "agent"},
                },
            },
            freeform_tags=site.tags,
            opts=child,
        )
        self.pool = InstancePool(
            "agents",
            compartment_id=site.compartment,
            instance_configuration_id=self.configuration.id,
            size=growth.fewest,
            placement_configurations=[{"availability_domain": domain, "primary_vnic_subnets": {"subnet_id": subnet}}],
            display_name=site.called("agents"),
            freeform_tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["size"]),  # the scaling's to decide
        )
        self.scaling = AutoScalingConfiguration(
            "scaling",
            compartment_id=site.compartment,
            auto_scaling_resources={"id": self.pool.id, "type": "instancePool"},
            cool_down_in_seconds=300,
            is_enabled=True,
            policies=[
                {
                    "policy_type": "threshold",
                    "display_name": site.called("by-cpu"),
                    "capacity": {"initial": growth.fewest, "min": growth.fewest, "max": growth.most},
                    "rules": [
                        {
                            "display_name": name,
                            "action": {"type": "CHANGE_COUNT_BY", "value": change},
                            "metric": {
                                "metric_type": "CPU_UTILIZATION",
                                "threshold": {"operator": operator, "value": percent},
                            },
                        }
                        for name, change, operator, percent in (("busy", 1, "GT", BUSY), ("idle", -1, "LT", IDLE))
                    ],
                }
            ],
            display_name=site.called("agents"),
            freeform_tags=site.tags,
            opts=child,
        )
        self.register_outputs({"pool": self.pool.id})
