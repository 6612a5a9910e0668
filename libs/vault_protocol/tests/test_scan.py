import random
import re
import time
from base64 import b64encode, urlsafe_b64encode
from json import dumps
from urllib.parse import quote

import pytest

from vault_protocol import scan
from vault_protocol.scan import OwnSecrets


def letters(count: int, alphabet: str = "aB3xY9qZ") -> str:
    return (alphabet * count)[:count]


PEM = "-----BEGIN {0}PRIVATE KEY-----\n{1}MIIEvQ+/a=\nb64-\n-----END {0}PRIVATE KEY-----"
SAMPLES = [
    ("aws-access-key", "AKIA" + letters(16, "ABCD1234")),
    ("aws-access-key", "ASIA" + letters(16, "ABCD1234")),
    *(("github-token", f"gh{kind}_{letters(36)}") for kind in "pousr"),
    ("github-fine-grained-token", "github_pat_" + letters(82)),
    ("gitlab-token", "glpat-" + letters(20)),
    ("slack-token", "xoxb-1234567890-" + letters(24)),
    ("stripe-key", "sk_live_" + letters(24)),
    ("stripe-key", "rk_test_" + letters(99)),
    ("anthropic-key", "sk-ant-api03-" + letters(93) + "-AA"),
    ("openai-key", "sk-" + letters(48)),
    ("openai-key", "sk-proj-" + letters(120, "aB3_xY-9")),
    ("google-api-key", "AIza" + letters(35)),
    ("google-api-key", "AIza" + letters(34) + "-"),
    ("google-oauth-secret", "GOCSPX-" + letters(27) + "-"),
    ("sendgrid-key", "SG." + letters(22) + "." + letters(42) + "_"),
    ("twilio-key", "SK" + letters(32, "0123abcd")),
    ("telegram-bot-token", "123456789:AA" + letters(32) + "-"),
    ("npm-token", "npm_" + letters(36)),
    ("pypi-token", "pypi-" + letters(160)),
    ("json-web-token", f"eyJ{letters(30)}.eyJ{letters(60)}.{letters(43)}"),
    ("private-key", PEM.format("", "")),
    ("private-key", PEM.format("RSA ", "")),
    ("private-key", PEM.format("OPENSSH ", "")),
    ("private-key", PEM.format("ENCRYPTED ", "")),
    ("private-key", PEM.format("RSA ", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n")),
    ("private-key", PEM.format("PGP ", "").replace("KEY-----", "KEY BLOCK-----")),
    ("private-key", PEM.format("SSH2 ENCRYPTED ", "").replace("-----", "----").replace("----BEGIN", "---- BEGIN")
        .replace("----END", "---- END").replace("KEY----", "KEY ----")),
    ("private-key", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n" + letters(64)),
    ("azure-storage-key", "AccountKey=" + letters(86) + "=="),
    ("artifactory-key", "AKCp" + letters(69)),
    ("slack-webhook", "hooks.slack.com/services/T" + letters(8) + "/B" + letters(8) + "/" + letters(24)),
    ("square-secret", "sq0csp-" + letters(43)),
    ("mailchimp-key", letters(32, "0123abcd") + "-us12"),
    ("discord-bot-token", "M" + letters(23) + "." + letters(6) + "." + letters(27)),
    ("npm-token", "_authToken=" + "01234567-89ab-cdef-0123-456789abcdef"),
    *(("gitlab-token", f"gl{kind}-" + letters(50)) for kind in ("dt", "ft", "soat", "rt", "imt", "ptt", "oas")),
    ("gitlab-token", "glagent-" + letters(50)),
    ("gitlab-token", "glcbt-64_" + letters(20)),
    ("gitlab-token", "GR1348941" + letters(20)),
    ("url-password", "postgres://ann:secret-word@db.example/books"),
]  # fmt: skip


def test_there_is_a_sample_of_every_kind() -> None:
    assert {kind for kind, _ in SAMPLES} == {kind for kind, _, _ in scan._PROVIDERS}


@pytest.mark.parametrize(("kind", "secret"), SAMPLES)
@pytest.mark.parametrize("around", ["{}", "see {}.", "key={}\n", "({})", '"{}"', "a-{}", "> {}, thanks", "{} and {}"])
def test_every_well_known_secret_is_found_and_masked_whole(kind: str, secret: str, around: str) -> None:
    text = around.format(secret, secret)

    masked, found = scan.mask(text)

    assert set(found) == {kind}
    assert scan.provider_secrets(text) == found
    rest = masked.replace(f"[{kind} removed]", "")
    assert not [piece for piece in re.findall(r"[\w+/=-]{6,}", secret) if piece in rest]
    assert scan.provider_secrets(masked) == ()


def test_a_key_that_was_cut_off_is_masked_as_far_as_it_goes() -> None:
    assert scan.mask("-----BEGIN PRIVATE KEY-----\nMIIEvQ\nabc") == ("[private-key removed]", ("private-key",))


@pytest.mark.parametrize(
    "text",
    ["", "Plain words.", letters(400), "AKIA is a prefix", "sk-short", "eyJ.eyJ.x", "https://user@host.example/",
    "a:b@c",
     "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "task-aBcDeFgHiJkLmNoPqRsTuVwXyZ",
     "-----BEGIN CERTIFICATE-----",
     "http://localhost:8069/web", "f" * 64, "SK" + "g" * 32],
)  # fmt: skip
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert scan.mask(text) == (text, ())


PATHOLOGICAL = {
    "words": "lorem ipsum ", "jwt heads": "eyJ-", "jwt halves": "eyJaaaaaaaaaaa.", "jwt long": "eyJ" + "a" * 1996 + ".",
    "pem heads": "-----BEGIN ", "pem words": "-----BEGIN A A A A ", "pem keys": "-----BEGIN PRIVATE KEY-----",
    "pem bodies": "-----BEGIN PRIVATE KEY-----" + "x-" * 9000, "edges": "a-", "dots": "a.b", "schemes": "a://",
    "logins": "ab://c:", "long logins": "ab://" + "b" * 100 + ":", "sk": "sk-", "sk dashes": "sk-" + "-" * 200 + " ",
    "slack": "xoxb-", "digits": "1234567890:", "underscores": "ghp_", "one letter": "A", "spaces": " ",
    "google": "-AIza", "mailchimp": "0a" * 16 + "-us ", "discord": "Maaaaaaaaaaaaaaaaaaaaaaaa.aaaaaa.",
    "azure": "AccountKey=a", "putty": "PuTTY-User-Key-File-3: a\n", "slack hooks": "hooks.slack.com/services/T",
    "ssh2": "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
}  # fmt: skip


@pytest.mark.parametrize("unit", PATHOLOGICAL.values(), ids=PATHOLOGICAL)
def test_a_text_ten_times_as_long_takes_about_ten_times_as_long(unit: str) -> None:
    """Linear: one in ten would show as a hundredfold. A megabyte; the small one is timed often enough to be sure."""

    def fastest(size: int, times: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        spent = []
        for _ in range(times):
            began = time.process_time()
            scan.provider_secrets(text)
            spent.append(time.process_time() - began)
        return min(spent)

    assert fastest(1_000_000, 1) < 30 * fastest(100_000, 3) + 0.05


OWN = 'pa"ss/wörd+1?'


@pytest.mark.parametrize(
    "spelling",
    [OWN, b64encode(OWN.encode()).decode(), urlsafe_b64encode(OWN.encode()).decode(), OWN.encode().hex(),
     OWN.encode().hex().upper(), quote(OWN, safe=""), dumps(OWN), dumps({"password": OWN})],
)  # fmt: skip
def test_an_own_secret_is_found_in_every_spelling(spelling: str) -> None:
    own = OwnSecrets.of([OWN])

    assert own.found_in(f"before {spelling} after".encode())
    assert not own.found_in(f"before {spelling[:6]} after".encode())


def test_a_secret_too_short_to_tell_from_words_is_not_searched_for() -> None:
    assert not OwnSecrets.of(["short", ""]).found_in(b"short")


def test_own_secrets_are_never_printed() -> None:
    assert OWN not in repr(OwnSecrets.of([OWN]))


def test_noise_is_no_secret() -> None:
    dice = random.Random(3)

    assert scan.provider_secrets(" ".join(dice.randbytes(24).hex() for _ in range(2000))) == ()
