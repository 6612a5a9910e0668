"""The vault: a key that encrypts what is at rest, and the secrets that the VM fetches by who it is."""

from __future__ import annotations

import base64

import pulumi
from pulumi_oci.identity.policy import Policy
from pulumi_oci.kms.key import Key
from pulumi_oci.kms.vault import Vault
from pulumi_oci.vault.secret import Secret

from infra.site import Site, keeping

MADE = (
    "db_password",
    "odoo_admin_password",
    "cloud/hub-token",
    "cloud/installation",
    "monitor/kuma-password",
    "monitor/push-secret",
    "backup/restic-password",
)
"""Oracle's vault makes these itself: their values are in no state, and on no machine but the VM, where a restart
forgets them. The stack would make others then, and not open its own backups: so all that it makes is here."""


TO_BACK_UP = "backup/s3"
"""What the VM writes backups with. It is in every stack, and its name stays taken for a month after it was deleted."""


class Secrets(pulumi.ComponentResource):
    def __init__(self, *, site: Site, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("countersign:infra:Secrets", "secrets", None, opts)
        self._site = site
        settings = site.settings
        self.vault = Vault(
            "vault",
            compartment_id=site.compartment,
            vault_type="DEFAULT",
            display_name=site.called(),
            freeform_tags=site.tags,
            opts=keeping(self),
        )
        self.key = Key(
            "key",
            compartment_id=site.compartment,
            management_endpoint=self.vault.management_endpoint,
            key_shape={"algorithm": "AES", "length": 32},
            protection_mode="SOFTWARE",
            display_name=site.called(),
            freeform_tags=site.tags,
            opts=keeping(self),
        )
        self.use_of_key = Policy(
            "use-of-key",
            compartment_id=site.compartment,
            name=site.called("use-of-key"),
            description="Volumes and buckets are encrypted with this stack's key",
            statements=[
                pulumi.Output.format(
                    "Allow service blockstorage, objectstorage-{} to use keys in compartment id {} "
                    "where target.key.id = '{}'",
                    settings.region, site.compartment, self.key.id,
                )
            ],
            freeform_tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip
        self.encrypting: pulumi.Output[str] = pulumi.Output.all(self.key.id, self.use_of_key.id).apply(
            lambda both: str(both[0])
        )
        """The key's id, once services may use it."""
        self.made = {file: self._made(file) for file in MADE}
        self.given: dict[str, Secret] = {}
        self.register_outputs({"vault": self.vault.id})

    @property
    def ids(self) -> dict[str, pulumi.Output[str]]:
        """Each secret by the file it becomes on the VM."""
        return {file: secret.id for file, secret in {**self.made, **self.given}.items()}

    def made_for(self, agent: str) -> pulumi.Output[str]:
        """The token of a further agent, which its own machine alone may read; its id. It goes with the agent."""
        return self._made(f"agents/{agent}/hub-token", opts=pulumi.ResourceOptions(parent=self)).id

    def give(self, file: str, value: pulumi.Output[str]) -> None:
        """Keep one that only the operator has, or that another component made; `value` is a secret Output."""
        content: pulumi.Output[str] = value.apply(_base64)
        self.given[file] = Secret(
            _logical(file),
            compartment_id=self._site.compartment,
            vault_id=self.vault.id,
            key_id=self.key.id,
            secret_name=self._site.called(_called(file)),
            description=f"becomes {file} on the VM",
            secret_content={"content_type": "BASE64", "content": content},
            freeform_tags=self._site.tags,
            opts=keeping(self) if file == TO_BACK_UP else pulumi.ResourceOptions(parent=self),
        )

    def _made(self, file: str, opts: pulumi.ResourceOptions | None = None) -> Secret:
        return Secret(
            _logical(file),
            compartment_id=self._site.compartment,
            vault_id=self.vault.id,
            key_id=self.key.id,
            secret_name=self._site.called(_called(file)),
            description=f"becomes {file} on the VM",
            enable_auto_generation=True,
            secret_generation_context={"generation_type": "BYTES", "generation_template": "BYTES_512"},
            freeform_tags=self._site.tags,
            opts=opts or keeping(self),
        )


def _called(file: str) -> str:
    return file.replace("/", "-").replace("_", "-")


def _logical(file: str) -> str:
    return f"secret-{_called(file)}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
