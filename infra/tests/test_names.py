from __future__ import annotations

from typing import Any

from stacks import example, run


def served_by(provider: str, **more: Any) -> dict[str, Any]:
    return {"names": {**example("prod")["names"], "provider": provider, **more}}


def test_hub_and_odoo_lead_to_the_reserved_address_and_only_one_authority_may_sign_for_them() -> None:
    found = run("prod")
    for part in ("hub", "odoo"):
        record = found.one(f"{part}-record").inputs
        assert record["domain"] == f"{part}.office.office.test"
        assert [item["rdata"] for item in record["items"]] == ["198.51.100.7"]
    (item,) = found.one("authority-record").inputs["items"]
    assert item["rdata"] == '0 issue "letsencrypt.org"'
    assert found.one("zone").protect


def test_a_monitor_with_a_name_is_led_to_as_well_and_another_has_no_record() -> None:
    record = run("prod", **served_by("oci", status="watch")).one("status-record").inputs
    assert [(item["domain"], item["rdata"]) for item in record["items"]] == [
        ("watch.office.office.test", "198.51.100.7")
    ]
    at_cloudflare = run("prod", **served_by("cloudflare", cloudflare_zone_id="0" * 31 + "a", status="watch"))
    kinds = [one.inputs["type"] for one in at_cloudflare.of("DnsRecord") if one.inputs["name"].startswith("watch.")]
    assert sorted(kinds) == ["A", "CAA"]
    assert (
        "odoo.office.office.test and watch.office.office.test"
        in (run("prod", **served_by("none", status="watch")).outputs["names"])
    )
    assert "status-record" not in {one.name for one in run("prod").of("Rrset")}


def test_the_output_says_which_name_servers_the_registrar_has_to_name() -> None:
    assert (
        run("prod").outputs["names"]
        == "at the registrar of office.office.test: let its name servers be ns1.dns.test ns2.dns.test"
    )


def test_another_domain_is_another_zone_under_the_same_protected_name_so_that_it_is_no_rename_in_place() -> None:
    before, after = run("prod"), run("prod", **served_by("oci", domain="other.test"))
    assert before.one("zone").urn == after.one("zone").urn
    assert (before.one("zone").inputs["name"], after.one("zone").inputs["name"]) == ("office.office.test", "other.test")
    assert after.one("zone").protect
    assert after.one("hub-record").inputs["domain"] == "hub.other.test"


def test_at_cloudflare_nobody_reads_along() -> None:
    found = run("prod", **served_by("cloudflare", cloudflare_zone_id="0" * 31 + "a"))
    assert found.of("Zone") == []
    records = [one.inputs for one in found.of("DnsRecord")]
    assert sorted((r["type"], r["name"]) for r in records) == [
        ("A", "hub.office.office.test"), ("A", "odoo.office.office.test"),
        ("CAA", "hub.office.office.test"), ("CAA", "odoo.office.office.test"),
    ]  # fmt: skip
    assert {r["proxied"] for r in records if r["type"] == "A"} == {False}


def test_by_hand_the_output_says_which_records_to_make() -> None:
    found = run("dev")
    assert found.of("Zone") == found.of("Rrset") == []
    assert found.outputs["names"] == (
        "where dev.office.test is served: hub.dev.office.test and odoo.dev.office.test, "
        "each an A record to 198.51.100.7"
    )
