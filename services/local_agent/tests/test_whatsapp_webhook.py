"""What Meta delivers: signed messages of those the owner named wait on disk, and nothing else does."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.networks.whatsapp import PHONE_ID

from local_agent.chats import arriving as arriving_module
from local_agent.chats.arriving import Arriving
from local_agent.chats.opening import ARRIVED, open_phone
from local_agent.networks.network import BadLogin
from local_agent.whatsapp_account import WhatsAppAccount

APP_SECRET, VERIFY = "app-secret-1f0c77aa90", "verify-token-5512aa"
JOAN = "4915187654321"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def account(tmp_path: Path) -> WhatsAppAccount:
    (tmp_path / "token").write_text("a-token-for-one-test", encoding="utf-8")
    keys = {"app_secret": APP_SECRET, "verify_token": VERIFY}
    (tmp_path / "webhook").write_text(json.dumps(keys), encoding="utf-8")
    return WhatsAppAccount(
        name="phone", way="cloud", number="+4915112345678", phone_id=PHONE_ID, secret_file=tmp_path / "token",
        webhook_port=free_port(), webhook_file=tmp_path / "webhook", contacts=(f"+{JOAN}",), keywords=("offer",),
    )  # fmt: skip


@pytest.fixture
def arrived(account: WhatsAppAccount, tmp_path: Path) -> Iterator[Arriving]:
    phone = open_phone(account, tmp_path / "phone")
    assert phone.state() == "ok"
    yield Arriving(tmp_path / "phone" / ARRIVED)
    phone.close()


def delivery(text: Any = "An OFFER, please?", *, sender: str = JOAN, id_: str = "wamid.1", to: str = PHONE_ID) -> bytes:
    """As Meta documents it."""
    value = {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "4915112345678", "phone_number_id": to},
        "contacts": [{"profile": {"name": "Joan"}, "wa_id": sender}],
        "messages": [
            {"from": sender, "id": id_, "timestamp": "1795424400", "type": "text", "text": {"body": text}}
        ],
    }  # fmt: skip
    changes = [{"field": "messages", "value": value}, {"field": "account_update", "value": {}}]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()


def sign(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(account: WhatsAppAccount, body: bytes, signature: str | None = None) -> int:
    return ask(account, "POST", "/", body, {"X-Hub-Signature-256": sign(body) if signature is None else signature})[0]


def ask(
    account: WhatsAppAccount, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", account.webhook_port, timeout=30)
    try:
        line.request(verb, path, body, headers or {})
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def test_a_signed_message_waits_once_however_often_it_is_delivered(account: WhatsAppAccount, arrived: Arriving) -> None:
    assert [post(account, delivery()) for _ in range(3)] == [200, 200, 200]
    (message,) = arrived.all()
    assert (message.id, message.number, message.name) == ("wamid.1", f"+{JOAN}", "Joan")
    assert (message.text, message.at.isoformat()) == ("An OFFER, please?", "2026-11-23T09:00:00+00:00")


@pytest.mark.parametrize("signature", ["", "sha256=", sign(delivery(), "another"), sign(b"{}"), sign(delivery())[7:]])
def test_what_meta_did_not_sign_is_nobody_s(account: WhatsAppAccount, arrived: Arriving, signature: str) -> None:
    assert post(account, delivery(), signature) == 403
    assert list(arrived.all()) == []


@pytest.mark.parametrize(
    "changes", [{"sender": "4915100000000"}, {"text": "Hello"}, {"to": "999"}, {"sender": "x"}, {"text": {"a": 1}}]
)
def test_another_sender_other_words_and_another_number_are_taken_and_not_kept(
    account: WhatsAppAccount, arrived: Arriving, changes: dict[str, Any]
) -> None:
    assert post(account, delivery(**changes)) == 200
    assert list(arrived.all()) == []


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"entry": [{"changes": "x"}]}', b'{"entry": {"a": []}}'])
def test_a_signed_form_that_is_unknown_is_left(account: WhatsAppAccount, arrived: Arriving, body: bytes) -> None:
    assert post(account, body) == 200
    assert post(account, b"{" + body) == 400
    assert list(arrived.all()) == []


def test_a_delivery_that_has_no_place_is_asked_for_again(
    account: WhatsAppAccount, arrived: Arriving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving_module, "MOST", 1)
    assert post(account, delivery()) == 200
    assert post(account, delivery(id_="wamid.2")) == 503
    for message in arrived.all():
        arrived.drop(message)
    assert post(account, delivery(id_="wamid.2")) == 200


def test_the_question_who_we_are_is_answered_to_who_has_the_token(account: WhatsAppAccount, arrived: Arriving) -> None:
    path = "/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    assert ask(account, "GET", path + VERIFY) == (200, b"1158201444")
    assert ask(account, "GET", path + "guessed") == (403, b"")
    assert ask(account, "GET", "/") == (403, b"")


def test_its_secrets_are_held_back_and_a_short_one_is_refused(account: WhatsAppAccount, tmp_path: Path) -> None:
    assert set(account.secrets()) == {"a-token-for-one-test", APP_SECRET, VERIFY}
    assert account.webhook_file is not None
    account.webhook_file.write_text(json.dumps({"app_secret": "x", "verify_token": VERIFY}), encoding="utf-8")
    assert "16 characters" in open_phone(account, tmp_path / "other").state()
    account.webhook_file.write_text("[]", encoding="utf-8")
    assert "no JSON object" in open_phone(account, tmp_path / "other").state()
    held: list[str] = []
    with pytest.raises(BadLogin):
        held.extend(account.secrets())
    assert held == ["a-token-for-one-test"], "the token is held back all the same"


def test_a_port_that_is_taken_is_told_and_tried_again(account: WhatsAppAccount, tmp_path: Path) -> None:
    first, second = open_phone(account, tmp_path / "first"), open_phone(account, tmp_path / "second")
    assert (first.state(), first.state()) == ("ok", "ok")
    assert "cannot listen on 127.0.0.1" in second.state()
    first.close()
    assert second.state() == "ok"
    assert post(account, delivery()) == 200
    second.close()
    assert [message.id for message in Arriving(tmp_path / "second" / ARRIVED).all()] == ["wamid.1"]
