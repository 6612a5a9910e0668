"""Our forms of secrets against those of detect-secrets: what its plugins know of providers, ours find too."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from base64 import urlsafe_b64encode

import detect_secrets.plugins
import pytest
from detect_secrets.plugins.base import RegexBasedDetector
from libs.vault_protocol.tests.test_scan import PEM, letters

from vault_protocol import scan


def encoded(part: dict[str, str]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


SAMPLES: dict[str, tuple[str, ...]] = {
    "ArtifactoryDetector": (" AKCp" + letters(69) + " ",),
    "AWSKeyDetector": tuple(kind + letters(16, "ABCD1234") for kind in ("AKIA", "ASIA", "ABIA", "ACCA")),
    "AzureStorageKeyDetector": ("AccountKey=" + letters(86) + "==",),
    "BasicAuthDetector": ("https://ann:secret-word@db.example/books",),
    "DiscordBotTokenDetector": ("M" + letters(23) + "." + letters(6) + "." + letters(27),),
    "GitHubTokenDetector": tuple(f"gh{kind}_" + letters(36) for kind in "pousr"),
    "GitLabTokenDetector": (
        *(f"gl{kind}-" + letters(20) for kind in ("pat", "dt", "ft", "soat", "rt")), "GR1348941" + letters(20),
        "glcbt-64_" + letters(20), "glcbt-" + letters(20), "glimt-" + letters(25), "glptt-" + letters(40),
        "glagent-" + letters(50), "gloas-" + letters(64),
    ),
    "JwtTokenDetector": (f"{encoded({'alg': 'HS256'})}.{encoded({'sub': '1234567890'})}.{letters(43)}",),
    "MailchimpDetector": (letters(32, "0123abcd") + "-us12",),
    "NpmDetector": (
        "//registry.example/:_authToken=npm_" + letters(36),
        "//registry.example/:_authToken=01234567-89ab-cdef-0123-456789abcdef",
    ),
    "OpenAIDetector": ("sk-" + letters(20) + "T3BlbkFJ" + letters(20),),
    "PrivateKeyDetector": (
        *(PEM.format(kind, "") for kind in ("", "DSA ", "EC ", "OPENSSH ", "RSA ")),
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQ\n", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2\n",
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n",
    ),
    "PypiTokenDetector": ("pypi-AgEIcHlwaS5vcmc" + letters(80), "pypi-AgENdGVzdC5weXBpLm9yZw" + letters(80)),
    "SendGridDetector": ("SG." + letters(22) + "." + letters(43),),
    "SlackDetector": (
        *(f"xox{kind}-1234567890-" + letters(24, "a1b2") for kind in "abposr"),
        "https://hooks.slack.com/services/T" + letters(8) + "/B" + letters(8) + "/" + letters(24),
    ),
    "SquareOAuthDetector": ("sq0csp-" + letters(43),),
    "StripeDetector": ("sk_live_" + letters(24), "rk_live_" + letters(24)),
    "TelegramBotTokenDetector": ("123456789:AA" + letters(33),),
    "TwilioKeyDetector": ("SK" + letters(32, "0123abcd"),),
}  # fmt: skip
"""A secret of each form that each of its plugins is for."""

LEFT_OUT = {
    "CloudantDetector": "a word like `cl_key` and any 24 letters, which anyone can mail; in a URL, a URL's password",
    "IbmCloudIamDetector": "a word like `key` and any 44 letters",
    "IbmCosHmacDetector": "a word like `secret_key` and any 48 digits",
    "SoftlayerDetector": "a word like `sl_key` and any 64 letters; the product is gone",
    "IPPublicDetector": "an address is no secret",
}
"""Those that a refusal cannot stand on. Passwords beside a word are the matter of each side's own secrets."""


def plugins() -> dict[str, RegexBasedDetector]:
    found: dict[str, RegexBasedDetector] = {}
    for module in pkgutil.iter_modules(detect_secrets.plugins.__path__):
        loaded = importlib.import_module(f"detect_secrets.plugins.{module.name}")
        for name, one in inspect.getmembers(loaded, inspect.isclass):
            if (
                issubclass(one, RegexBasedDetector)
                and one.__module__ == loaded.__name__
                and not inspect.isabstract(one)
            ):
                found[name] = one()
    return found


def test_every_plugin_that_looks_for_a_form_is_answered() -> None:
    assert set(plugins()) == SAMPLES.keys() | LEFT_OUT.keys()
    assert not SAMPLES.keys() & LEFT_OUT.keys()


@pytest.mark.parametrize(("plugin", "secret"), [(name, one) for name, several in SAMPLES.items() for one in several])
def test_what_theirs_finds_ours_finds_and_masks(plugin: str, secret: str) -> None:
    theirs = plugins()[plugin]
    assert any(list(theirs.analyze_string(line)) for line in secret.splitlines()), "it is no sample of this form"
    assert scan.provider_secrets(secret)
    masked, _ = scan.mask(f"before {secret} after")
    assert not any(list(theirs.analyze_string(line)) for line in masked.splitlines())
