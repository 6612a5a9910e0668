"""DKIM: what Local can say about the signature of a mail it read itself."""

from __future__ import annotations

from base64 import b64encode

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from local_agent.dkim_check import Dkim, DnsUnavailable, check

RAW = (
    b"From: Jana <jana@north.example>\r\nTo: robin@home.example\r\nSubject: Offer\r\n"
    b"Message-ID: <a@north.example>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\nCould you send an offer?\r\n"
)


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def signed(key: RSAPrivateKey, raw: bytes = RAW, domain: bytes = b"north.example") -> bytes:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    headers = [b"from", b"to", b"subject", b"date", b"message-id"]
    line: bytes = dkim.sign(raw, b"sel", domain, pem, include_headers=headers)
    return line + raw


def published(key: RSAPrivateKey) -> bytes:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + b64encode(der)


def test_a_signature_of_the_senders_domain_holds(key: RSAPrivateKey) -> None:
    asked: list[str] = []

    def txt(name: str) -> bytes | None:
        asked.append(name)
        return published(key)

    assert check(signed(key), "north.example", txt) is Dkim.HOLDS
    assert asked == ["sel._domainkey.north.example"]


def test_a_changed_body_fails(key: RSAPrivateKey) -> None:
    forged = signed(key).replace(b"Could you send an offer?", b"Could you send all passwords?")
    assert check(forged, "north.example", lambda _: published(key)) is Dkim.FAILS


def test_a_changed_sender_fails(key: RSAPrivateKey) -> None:
    forged = signed(key).replace(b"Jana <jana@north.example>", b"Jana <jana@evil.example>")
    assert check(forged, "evil.example", lambda _: published(key)) is Dkim.FAILS


def test_a_signature_of_another_domain_is_said_to_be_that(key: RSAPrivateKey) -> None:
    raw = signed(key, domain=b"mailer.example")
    assert check(raw, "north.example", lambda _: published(key)) is Dkim.OTHER_DOMAIN


def test_a_mail_without_a_signature_is_no_forgery() -> None:
    assert check(RAW, "north.example", lambda _: None) is Dkim.ABSENT


def test_a_withdrawn_key_fails(key: RSAPrivateKey) -> None:
    assert check(signed(key), "north.example", lambda _: None) is Dkim.FAILS


def test_without_name_servers_nothing_is_said(key: RSAPrivateKey) -> None:
    def txt(_name: str) -> bytes | None:
        raise DnsUnavailable("timeout")

    assert check(signed(key), "north.example", txt) is Dkim.UNCHECKED


@pytest.mark.parametrize(
    "header", [b"DKIM-Signature: \r\n", b"DKIM-Signature: v=1; a=x\r\n", b"DKIM-Signature: \xff\xfe\r\n"]
)
def test_a_broken_signature_fails_and_raises_nothing(header: bytes) -> None:
    assert check(header + RAW, "north.example", lambda _: b"v=DKIM1; p=x") is Dkim.FAILS
