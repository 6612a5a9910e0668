import random
import re
import time
from base64 import b64encode, urlsafe_b64encode
from json import dumps
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vault_protocol import plain, scan
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
    ("slack-token", "xoxb-123456789012-1234567890123-" + letters(24)),
    ("slack-token", "xoxp-123456789012-123456789012-123456789012-" + letters(32, "0a1b2c3d")),
    ("slack-token", "xoxo-523423-234243-234233-e039d02840a0b9379c"),
    ("slack-token", "xoxa-2-" + letters(40)),
    ("slack-token", "xoxe-1-" + letters(146, "AB12")),
    ("slack-token", "xoxb-1234567890-" + letters(24, "aBcD")),
    ("stripe-key", "sk_live_" + letters(24)),
    ("stripe-key", "rk_test_" + letters(99)),
    ("anthropic-key", "sk-ant-api03-" + letters(93) + "-AA"),
    ("openai-key", "sk-" + letters(48)),
    ("openai-key", "sk-proj-" + letters(120, "aB3_xY-9")),
    ("openai-key", "sk-svcacct-" + letters(120, "aB3_xY-9")),
    ("openai-key", "sk-" + letters(32, "0123abcd")),
    ("openai-key", "sk-or-v1-" + letters(64, "0123abcd")),
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
     "http://localhost:8069/web", "f" * 64, "SK" + "g" * 32,
     "https://example.org/sk-hynix-q3-results-your-registration-for-the-call-2026",
     "sk-Angebot-2026-Rev-3-Dachsanierung-Familie-Schmidt.pdf", "sk-proj-Angebot-2026-Rev-3-Dachsanierung-Schmidt",
     "sk-lorem_ipsum_2026_dolor_sit_amet_consectetur", "xoxo-Your-Loving-Friend-Anna", "glrt-Detection-in-Noise-Part-2",
     "https://example.org/pypi-how-to-publish-a-package-with-trusted-publishers-and-more-2026",
     "Monatsbericht-Oktober-26.Anlage.Zusammenfassung-der-Ergebnisse.pdf"],
)  # fmt: skip
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert scan.mask(text) == (text, ())


HARD = (
    *(
        "sk",
        "sk proj",
        "sk svcacct",
        "sk admin",
        "sk ant",
        "sk ant api03",
        "sk or v1",
        "sk live",
        "rk test",
        "ghp",
        "gho",
    ),
    *("github pat", "glpat", "gldt", "glft", "glsoat", "glrt", "glimt", "glptt", "glagent", "gloas", "glcbt 64"),
    *("xoxa", "xoxb", "xoxe 1", "xoxo", "xoxp 1234567890", "sq0csp", "sq0atp", "pypi", "npm", "akia", "asia", "AIza"),
    *("GOCSPX", "AKCp", "eyJ", "SG.", "GR1348941", "AccountKey=", "key", "token", "hooks.slack.com/services", "us12"),
)
TELLING = st.one_of(
    st.text("abcdefghijklmnopqrstuvwxyzäß", min_size=1, max_size=20), st.text("0123456789", min_size=1, max_size=10),
    st.from_regex("[a-z]{1,15}[0-9]{1,4}|[0-9]{1,4}[a-z]{1,15}", fullmatch=True),
)  # fmt: skip
"""Words and numbers as people write them. What has no more than a slug's signs and is a secret all the same
(Mailchimp's, the old ones of Slack) is a single long run of digits and letters, which no word is."""


@given(st.lists(TELLING, max_size=2), st.sampled_from(HARD), st.lists(TELLING, min_size=1, max_size=12),
       st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16))  # fmt: skip
@example([], "SK", ["hynix Q3 results: your registration for the call"], "a" * 16)
@example(["Re"], "SK", ["Bau GmbH Angebot für die Dachsanierung"], "a" * 16)
@example([], "SK", ["Rapid Sponsoring verlängern und Karten"], "a" * 16)
@example([], "xoxb", ["20261127"], "a2b3c4d5e6f7g2h3")
@example([], "sk", ["a"], "a2b3c4d5e6f7g2h3")
def test_no_readable_name_is_taken_for_a_secret(before: list[str], hard: str, words: list[str], id_: str) -> None:
    slug = plain.slug(" ".join((*before, hard, *words)))

    for name in (slug, f"Quarantine/{slug}-{id_}.md", f"Calendar/2026-11-27-{slug}.md", f"add: {slug}-{id_}"):
        assert scan.provider_secrets(name) == (), name


@given(
    st.text("abcdefghijklmnopqrstuvwxyz-0123456789", max_size=40).filter(lambda text: not re.search(r"[^-]{18}", text))
)
def test_no_slug_at_all_without_a_very_long_word_is_taken_for_a_secret(text: str) -> None:
    for hard in HARD:
        assert scan.provider_secrets(plain.slug(f"{hard} {text}")) == ()


PIECES = (
    *(secret for _, secret in SAMPLES), *(secret[:-1] for _, secret in SAMPLES), "http://u:pwd@", "ftp://u:pwd@",
    "a" * 200,
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "http://u:", "@", ":", "/", "-", ".", " ", "\n", "x",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("http://u:pwd@" + "a" * 200 + "AKIA" + letters(16, "ABCD1234"))
@example(("http://u:pwd@" + "a" * 200) * 20 + "AKIA" + letters(16, "ABCD1234"))
@example("GOCSPX-" + letters(28) + ("-AIza" + letters(35)) * 30 + "-----BEGIN PRIVATE KEY-----")
def test_nothing_is_found_in_what_was_masked(text: str) -> None:
    masked, found = scan.mask(text)

    assert scan.provider_secrets(masked) == ()
    assert bool(found) == bool(scan.provider_secrets(text))


def test_words_between_secrets_are_left_as_they_are() -> None:
    nested = ("http://u:pwd@" + "a" * 200) * 20

    masked, found = scan.mask(f"Dear Ann,\n{nested} is it.\nYours, {nested}\nBob")

    assert masked.startswith("Dear Ann,\n[url-password removed]")
    assert " is it.\nYours, [url-password removed]" in masked
    assert masked.endswith("\nBob")
    assert set(found) == {"url-password"}


PATHOLOGICAL = {
    "words": "lorem ipsum ", "jwt heads": "eyJ-", "jwt halves": "eyJaaaaaaaaaaa.", "jwt long": "eyJ" + "a" * 1996 + ".",
    "pem heads": "-----BEGIN ", "pem words": "-----BEGIN A A A A ", "pem keys": "-----BEGIN PRIVATE KEY-----",
    "pem bodies": "-----BEGIN PRIVATE KEY-----" + "x-" * 9000, "edges": "a-", "dots": "a.b", "schemes": "a://",
    "logins": "ab://c:", "long logins": "ab://" + "b" * 100 + ":", "sk": "sk-", "sk dashes": "sk-" + "-" * 200 + " ",
    "slack": "xoxb-", "digits": "1234567890:", "underscores": "ghp_", "one letter": "A", "spaces": " ",
    "google": "-AIza", "mailchimp": "0a" * 16 + "-us ", "discord": "Maaaaaaaaaaaaaaaaaaaaaaaa.aaaaaa.",
    "azure": "AccountKey=a", "putty": "PuTTY-User-Key-File-3: a\n", "slack hooks": "hooks.slack.com/services/T",
    "sk proj": "sk-proj-", "sk mixed": "sk-" + "aB3_" * 60 + ". ", "slack numbers": "xoxb-1-1-1-", "discord mixed":
    "MaB" + "a-" * 11 + ".", "nested": "http://u:pwd@" + "a" * 200, "gitlab": "glpat-",
    "ssh2": "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "a capital and dashes": "A" + "sk-" * 83,
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
            scan.mask(text)
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


_AS_WRITTEN_SHORTEST = re.compile(
    rf"\b[MNO]{scan._MIXED}[A-Za-z0-9_-]{{23,25}}\.[A-Za-z0-9_-]{{6}}\.{scan._MIXED}[A-Za-z0-9_-]{{27,38}}(?![\w-])"
)


@given(
    st.lists(
        st.sampled_from(["M", "aB3", "x", "-", "_", ".", " ", "aB3xY9qZ" * 3, "abcdefgh" * 3, "aB3xY9"]), max_size=14
    ).map("".join)
)
def test_a_token_of_discord_is_one_whatever_is_looked_at_first(text: str) -> None:
    wanted = [match.group() for match in _AS_WRITTEN_SHORTEST.finditer(text)]
    assert [match.group() for match in re.finditer(rf"\b(?:{scan._DISCORD})", text)] == wanted


@given(
    pieces=st.lists(st.one_of(st.sampled_from([secret for _, secret in SAMPLES]), st.text(max_size=9)), max_size=9),
    between=st.sampled_from(["", " ", "\n", "-"]), part=st.integers(1, 60),
)  # fmt: skip
def test_what_is_found_part_after_part_is_what_is_found_at_once(pieces: list[str], between: str, part: int) -> None:
    text = between.join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "PART", part)
        found = [match.span() for match in scan._matches(text)]
    assert found == [match.span() for match in scan._ANY.finditer(text)]


def test_no_secret_reaches_over_what_one_part_is_searched_with() -> None:
    name = "A" * 60 + " "
    for text in (
        f"-----BEGIN {name * 3}PRIVATE KEY BLOCK-----" + "a" * 20_000 + f"-----END {name * 3}PRIVATE KEY BLOCK-----",
        "PuTTY-User-Key-File-2: " + "\n".join(["a" * 200] * 101),
    ):
        (found,) = scan._matches("x" * (scan.PART - 2) + " " + text)
        assert found.group() == text
        assert len(text) < scan.REACH


_ANY_CAPITAL_WITHIN_A_WORD = re.compile(
    r"(?=[a-z0-9_-]{0,250}+(?:(?<![a-z0-9])[A-Z]{1,250}+[a-z0-9_-]{0,250}+){0,60}+(?<=[a-z0-9])[A-Z])"
)


@given(st.text(st.sampled_from("aZ0-_."), max_size=60))
def test_a_capital_within_a_word_is_one_however_far_is_looked(text: str) -> None:
    """As far as a token reaches; to look a hundred times as far let one note hold up everybody."""
    assert [m.start() for m in re.finditer(scan._MIXED, text)] == [
        m.start() for m in _ANY_CAPITAL_WITHIN_A_WORD.finditer(text)
    ]
    assert re.match(scan._MIXED, "a-" * 127 + "aB") is None


def test_others_have_their_turn_while_a_large_text_is_looked_through() -> None:
    searched: list[int] = []

    class Counted:
        def search(self, text: str, begin: int, end: int) -> None:
            searched.append(min(end, len(text)) - begin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_ANY", Counted())
        assert scan.provider_secrets("sk-" * (1 << 20)) == ()
    assert max(searched) <= scan.PART + scan.REACH
