"""What the VM asks of Oracle, and how: signed, by a token that ends, and said again after a while."""

from __future__ import annotations

import json

import pytest
from oracle import Oracle

from infra.vm import steps
from infra.vm.cloud import Cloud
from infra.vm.orders import Orders, Wanted
from infra.vm.places import Places
from infra.vm.principal import Principal, endpoint
from infra.vm.programs import Failed


def test_a_request_that_another_key_signed_is_refused_and_a_token_that_ended_is_asked_for_again(oracle: Oracle) -> None:
    """The first half is what the other tests stand on."""
    cloud = Cloud(Orders.parse(oracle.orders))
    cloud.put("x", b"y")
    oracle.session_key = oracle.public
    cloud.put("x", b"z")
    assert oracle.objects["x"] == b"z"
    (refused,) = oracle.refused
    assert "the signature does not hold" in refused
    oracle.refused.clear()


def test_a_refusal_that_no_new_token_mends_ends_after_one_more_try(oracle: Oracle) -> None:
    principal = Principal("eu-frankfurt-1")
    url = endpoint("https://objectstorage.eu-frankfurt-1.oraclecloud.com/n/mynamespace")
    for tries in (1, 2):
        with pytest.raises(Failed, match="answers 401"):
            principal.request("GET", url)
        assert len(oracle.refused) == tries, "each begins with a token that is new"
    oracle.refused.clear()


def test_what_stays_the_same_is_said_again_after_a_while_so_that_silence_shows(
    oracle: Oracle, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    steps.apply(places)
    first, told = json.loads(oracle.objects["health/vm.json"]), len(oracle.history)
    printed = capsys.readouterr().out
    places.last.write_text(json.dumps({**first, "at": "2026-01-01T00:00:00Z"}), encoding="utf-8")

    steps.apply(places)

    assert [name for name, _ in oracle.history[told:]] == ["health/vm.json"]
    again = json.loads(oracle.objects["health/vm.json"])
    assert {**again, "at": ""} == {**first, "at": ""}
    assert again["instance"] == "ocid1.instance.oc1..vm"
    assert "healthy" in printed
    assert "healthy" not in capsys.readouterr().out, "the journal has it once"


def test_a_secret_of_chance_has_one_length_however_many_bytes_oracle_makes(oracle: Oracle) -> None:
    oracle.secrets["ocid1.vaultsecret.db"] = b"\x00\xff" * 256
    wanted = Wanted("db", "ocid1.vaultsecret.db", "hex")
    assert Cloud(Orders.parse(oracle.orders)).secret(wanted) == b"00ff" * 16


def test_a_secret_that_is_bytes_of_chance_becomes_hex(oracle: Oracle) -> None:
    orders = Orders.parse(oracle.orders)
    assert Cloud(orders).secret(Wanted("db", "ocid1.vaultsecret.db", "hex")) == b"00ff" * 16
