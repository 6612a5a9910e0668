from base64 import b64encode

import pytest

from vault_protocol.join_code import JoinCode, fingerprint

PEM = f"-----BEGIN CERTIFICATE-----\n{b64encode(b'a certificate').decode()}\n-----END CERTIFICATE-----\n"
RANDOM = bytes(range(8))


def test_a_code_is_read_as_it_was_written_however_it_was_typed() -> None:
    code = JoinCode.of(RANDOM, PEM)
    assert JoinCode.parse(str(code)) == code
    assert JoinCode.parse(f" {str(code).upper().replace('-', ' ')}\n") == code
    assert str(JoinCode.of(RANDOM)).count("-") == 2
    assert JoinCode.of(RANDOM).authority == ""


def test_it_names_one_certificate_and_no_other() -> None:
    other = PEM.replace("YSBj", "YSBk")
    assert JoinCode.of(RANDOM, PEM).authority == fingerprint(PEM) != fingerprint(other)
    for wrong in ("", "no certificate", PEM + other, PEM.replace("YSBj", "!!!!")):
        with pytest.raises(ValueError, match="certificate"):
            fingerprint(wrong)


@pytest.mark.parametrize("text", ["", "abcd", "abcd-efgh-ijk1", "abcd-efgh-ijkl.short", "abcd-efgh-ijkl-mnop"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no join code"):
        JoinCode.parse(text)


def test_its_secret_is_never_shown_by_accident() -> None:
    code = JoinCode.of(RANDOM)
    assert code.secret not in repr(code)
