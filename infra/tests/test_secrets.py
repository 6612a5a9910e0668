from __future__ import annotations

import base64
import json

from stacks import POOL, run


def test_what_nobody_has_to_know_the_vault_makes_itself_and_no_state_holds() -> None:
    found = run("prod")
    for name in (
        "db-password",
        "odoo-admin-password",
        "cloud-hub-token",
        "monitor-kuma-password",
        "backup-restic-password",
    ):
        made = found.one(f"secret-{name}")
        assert made.inputs["enableAutoGeneration"] is True
        assert "secretContent" not in made.inputs
        assert made.protect, "another db_password, and the books do not open"


def test_what_opens_the_bucket_of_backups_stays_when_the_rest_is_taken_away() -> None:
    """Its name would be taken for a month, and the next stack of this name would not come up."""
    assert run("prod").one("secret-backup-s3").protect
    assert not run("prod").one("secret-cloud-business").protect, "a mailbox may be taken out"


def test_what_the_operator_gives_is_a_secret_all_the_way() -> None:
    found = run("prod")
    given = found.one("secret-cloud-business")
    assert base64.b64decode(given.inputs["secretContent"]["content"]) == b"value of cloud/business"
    assert given.secrets == ("secretContent",)


def test_the_vm_may_read_its_own_secrets_one_by_one_write_its_reports_and_tell_its_measures_and_nothing_else() -> None:
    found = run("prod")
    assert found.one("vm-principal").inputs["matchingRule"] == "ALL {instance.id = 'id-of-vm'}"
    read, write, tell = found.one("vm-policy").inputs["statements"]
    ids = {one["id"] for one in json.loads(found.one("vm").inputs["metadata"]["countersign"])["secrets"]}
    assert "to read secret-bundles in compartment id id-of-compartment where any {" in read
    assert {part.split("'")[1] for part in read.split("any {")[1].split(",")} == ids
    assert "target.bucket.name = 'countersign-prod-reports'" in write
    assert "OBJECT_DELETE" not in write
    assert "OBJECT_READ" not in write
    assert tell.endswith(
        "to use metrics in compartment id id-of-compartment where target.metrics.namespace = 'countersign'"
    )


def test_an_agent_of_the_pool_never_gets_what_opens_the_books_or_the_backups() -> None:
    found = run("prod", **POOL)
    (read, *_) = found.one("agent-cloud-2-policy").inputs["statements"]
    assert "db-password" not in read
    assert "backup" not in read
    assert "cloud-hub-token" not in read, "each agent has a token of its own"
    assert "id-of-secret-agents-cloud-2-hub-token" in read


def test_a_changed_secret_is_new_orders() -> None:
    told = json.loads(run("prod").one("vm").inputs["metadata"]["countersign"])
    versions = {one["file"]: one["version"] for one in told["secrets"]}
    assert versions["cloud/business"] == "1"
    assert versions["db_password"] is None, "the vault's own never change by themselves"


def test_the_key_encrypts_for_the_services_that_need_it_and_for_no_other_key() -> None:
    (statement,) = run("prod").one("use-of-key").inputs["statements"]
    assert statement == (
        "Allow service blockstorage, objectstorage-eu-frankfurt-1 to use keys in compartment id id-of-compartment "
        "where target.key.id = 'id-of-key'"
    )
