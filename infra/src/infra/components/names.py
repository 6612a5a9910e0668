"""The public names of hub, Odoo and monitor, and who may certify them; at Oracle, at Cloudflare, or by hand."""

from __future__ import annotations

import pulumi
from pulumi_oci.dns.rrset import Rrset
from pulumi_oci.dns.zone import Zone

from infra.site import Site, keeping

MINUTES = 300
AUTHORITY = "letsencrypt.org"


class Names(pulumi.ComponentResource):
    def __init__(self, *, site: Site, address: pulumi.Output[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("countersign:infra:Names", "names", None, opts)
        self._site = site
        self._child = pulumi.ResourceOptions(parent=self)
        names = site.settings.names
        self.zone: Zone | None = None
        match names.provider:
            case "oci":
                self.zone = Zone(
                    "zone",
                    compartment_id=site.compartment,
                    name=names.domain,
                    zone_type="PRIMARY",
                    freeform_tags=site.tags,
                    opts=keeping(self),
                )
                servers = self.zone.nameservers.apply(lambda found: " ".join(sorted(str(s.hostname) for s in found)))
                self.next_step = pulumi.Output.format(
                    "at the registrar of {}: let its name servers be {}", names.domain, servers
                )
                self._at_oracle(self.zone.id, address)
            case "cloudflare":
                self.next_step = pulumi.Output.from_input("")
                self._at_cloudflare(names.cloudflare_zone_id or "", address)
            case "none":
                *most, last = names.public.values()
                self.next_step = pulumi.Output.format(
                    "where {} is served: {} and {}, each an A record to {}",
                    names.domain,
                    ", ".join(most),
                    last,
                    address,
                )
        self.register_outputs({})

    def _at_oracle(self, zone: pulumi.Output[str], address: pulumi.Output[str]) -> None:
        names = self._site.settings.names
        for part, host in names.public.items():
            Rrset(
                f"{part}-record",
                zone_name_or_id=zone,
                domain=host,
                rtype="A",
                items=[{"domain": host, "rtype": "A", "rdata": address, "ttl": MINUTES}],
                opts=self._child,
            )
        Rrset(
            "authority-record",
            zone_name_or_id=zone,
            domain=names.domain,
            rtype="CAA",
            items=[{"domain": names.domain, "rtype": "CAA", "rdata": f'0 issue "{AUTHORITY}"', "ttl": MINUTES}],
            opts=self._child,
        )

    def _at_cloudflare(self, zone: str, address: pulumi.Output[str]) -> None:
        """Unproxied: Caddy holds the certificate, and nobody reads along between the owner and the hub."""
        from pulumi_cloudflare.dns_record import DnsRecord  # half a second that the others need not wait

        names = self._site.settings.names
        for part, host in names.public.items():
            DnsRecord(
                f"{part}-record",
                zone_id=zone,
                name=host,
                type="A",
                content=address,
                ttl=MINUTES,
                proxied=False,
                opts=self._child,
            )
            DnsRecord(
                f"{part}-authority-record",
                zone_id=zone,
                name=host,
                type="CAA",
                data={"flags": 0, "tag": "issue", "value": AUTHORITY},
                ttl=MINUTES,
                opts=self._child,
            )
